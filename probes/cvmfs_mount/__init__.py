"""CVMFS as it is mounted: whether repositories can be read, and how the client behind them is doing.

Everything here may hang with the mount, so there is no thread and no time-out of our own around it: the runner kills the
child at its deadline, and the check CVM-01 takes the hang for what it is.
"""

from __future__ import annotations

import re

from probes.cvmfs_config import Options, read_options
from probes.cvmfs_mount import attributes
from probes.cvmfs_mount.checks import CHECKS
from probes.cvmfs_mount.judge import judge, summarise
from probes.cvmfs_mount.reading import read_file, sample
from probes.errors import HostError
from probes.host import Host
from probes.mounts import read as read_mounts
from probes.settings import Settings
from probes.spec import Probe
from profiles.facts.cvmfs_mount import CacheFacts, CvmfsMountFacts, MountState, RepositoryMount

QUOTA_UNIT_BYTES = 1024 * 1024
"""CVMFS_QUOTA_LIMIT counts these (CVMFS documentation calls them megabytes)."""

DEFAULT_QUOTA = 4000
DEFAULT_CACHE = "/var/lib/cvmfs"
MINUTE_S = 60

_VERSION = re.compile(r"version (\d{1,4}(?:\.\d{1,4}){1,3})")
_REPOSITORY = re.compile(r"^[a-z0-9][a-z0-9._-]*\.[a-z0-9.-]+$")


def gather(host: Host, settings: Settings) -> CvmfsMountFacts:
    """Read the wanted repositories one after the other; a directory of an automounter appears when it is looked up."""
    wanted, root = settings.cvmfs.repositories, settings.cvmfs.mount_path
    options = read_options(host, wanted[0])
    absent: dict[str, str] = {}
    version, absent["installed_version"] = _installed(host)
    cache, absent["cache"] = _cache(host, options)
    memory_bytes = _memory_total(host)
    absent["memory_total_bytes"] = "/proc/meminfo does not say"
    mounts = tuple(_repository(host, settings, options, name) for name in wanted)
    values = {"installed_version": version, "cache": cache, "memory_total_bytes": memory_bytes}
    return CvmfsMountFacts(
        mount_path=root,
        asked_at=host.now(),
        autofs=_is_autofs(host, root),
        fuse_device=host.exists("/dev/fuse"),
        repositories=mounts,
        others=_others(host, root, wanted),
        installed_version=version,
        cache=cache,
        memory_total_bytes=memory_bytes,
        absent={name: absent[name] for name, value in values.items() if value is None},
    )


def _repository(host: Host, settings: Settings, options: Options, name: str) -> RepositoryMount:
    root = f"{settings.cvmfs.mount_path}/{name}"
    state, error, entries = _listed(host, root)
    if state != "readable":
        return RepositoryMount(
            repository=name,
            state=state,
            error=error.text if error else None,
            errno_name=error.errno_name if error else None,
        )
    said = attributes.read(host, root)
    test_path = settings.cvmfs.test_paths.get(name)
    test_file = read_file(host, root, test_path) if test_path else None
    samples = sample(host, root)
    proxy, kind = attributes.proxy_in_use(said.texts.get("proxy"), options, settings.cvmfs.proxies)
    last = said.numbers.get("timestamp_last_ioerr")
    uptime = said.numbers.get("uptime")
    return RepositoryMount(
        repository=name,
        state=state,
        entries=entries,
        test_file=test_file,
        samples=samples,
        has_attributes=said.exist,
        unreadable=said.unreadable,
        version=said.texts.get("version") or None,
        revision=said.numbers.get("revision"),
        root_hash=said.texts.get("root_hash") or None,
        host=attributes.server_in_use(said.texts.get("host")),
        proxy=proxy,
        proxy_kind=kind,
        io_errors=said.numbers.get("nioerr"),
        io_errors_after=attributes.number(host, root, "nioerr"),
        last_io_error_age_s=max(0.0, host.now().timestamp() - last) if last else None,
        cleanups_24h=said.numbers.get("ncleanup24"),
        catalogs=said.numbers.get("nclg"),
        fds_used=said.numbers.get("usedfd"),
        fds_limit=said.numbers.get("maxfd"),
        inode_max=said.numbers.get("inode_max"),
        uptime_s=None if uptime is None else float(uptime * MINUTE_S),
        client_memory_bytes=attributes.client_memory_bytes(host, said.numbers.get("pid")),
    )


def _listed(host: Host, root: str) -> tuple[MountState, HostError | None, int | None]:
    try:
        names = host.list_dir(root)
    except HostError as error:
        return ("absent" if error.is_absent else "failed"), error, None
    return ("readable" if names else "empty"), None, len(names)


def _is_autofs(host: Host, root: str) -> bool:
    try:
        return any(mount.mount_point == root and mount.type == "autofs" for mount in read_mounts(host))
    except HostError:
        return False


def _others(host: Host, root: str, wanted: tuple[str, ...]) -> tuple[str, ...]:
    names = host.list_dir_or_empty(root)
    return tuple(name for name in names if name not in wanted and _REPOSITORY.match(name[:256]))[:64]


def _installed(host: Host) -> tuple[str | None, str]:
    """Version of the installed client, or why it is not known."""
    program = host.which(attributes.CLIENT)
    if program is None:
        return None, f"{attributes.CLIENT} is not installed here"
    try:
        answer = host.run([program, "--version"], timeout_s=3.0, limit_bytes=8192)
    except HostError as error:
        return None, error.text
    match = _VERSION.search(answer.stdout + answer.stderr)
    return (match[1], "") if match else (None, f"{attributes.CLIENT} --version does not name a version")


def _cache(host: Host, options: Options) -> tuple[CacheFacts | None, str]:
    """The cache as it is configured, or why it is not known."""
    if not options.values:
        problem = next(iter(options.problems), "CVMFS is not configured on this node (/etc/cvmfs)")
        return None, problem
    alien = options.get("CVMFS_ALIEN_CACHE")
    base = alien or options.get("CVMFS_CACHE_DIR") or options.get("CVMFS_CACHE_BASE") or DEFAULT_CACHE
    text = options.get("CVMFS_QUOTA_LIMIT")
    known = text is None or re.fullmatch(r"-?\d{1,12}", text) is not None
    quota = DEFAULT_QUOTA if text is None else int(text) if known else 0
    unlimited = bool(alien) or (known and quota < 0)
    try:
        space = host.space(base)
    except HostError:
        space = None
    return CacheFacts(
        base_path=base,
        quota_bytes=None if unlimited or not known else quota * QUOTA_UNIT_BYTES,
        quota_is_default=text is None,
        unlimited=unlimited,
        total_bytes=None if space is None else space.total_bytes,
        available_bytes=None if space is None else space.available_bytes,
    ), ""


def _memory_total(host: Host) -> int | None:
    text = host.read_text_or_none("/proc/meminfo", limit_bytes=65_536) or ""
    match = re.search(r"^MemTotal:\s+(\d{1,15}) kB$", text, re.MULTILINE)
    return int(match[1]) * 1024 if match else None


PROBE = Probe(
    name="cvmfs_mount",
    title="whether mounted CVMFS repositories can be read, and how their client is doing",
    section="Software",
    facts_model=CvmfsMountFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    deadline_s=25.0,
)
