"""Containers: user namespaces proven by trying, runtimes that a pilot would find, what the process may do."""

from __future__ import annotations

from typing import Final, TypeVar

from probes import container_runtimes
from probes.capabilities import names_of
from probes.container_checks import CHECKS
from probes.container_judge import judge, usable_runtime
from probes.errors import HostError
from probes.host import Host
from probes.settings import Settings
from probes.spec import Probe
from profiles.facts.container import ContainerFacts, Engine, NamespaceMode, SeccompMode

ENGINES: Final = ("podman", "docker", "nerdctl", "containerd", "runc", "crun", "enroot", "shifter", "ch-run")
FUSE: Final = "/dev/fuse"
SMALL_FILE_BYTES: Final = 64 * 1024
MAX_SYSCTL: Final = 2**31 - 1
ALL_USERS: Final = 2**32 - 1
"""Count in /proc/self/uid_map of the initial namespace: every user number but the invalid one."""

T = TypeVar("T")


class _Reader:
    """Reads small kernel files, and keeps the reason for each that says nothing."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.absent: dict[str, str] = {}

    def give_up(self, field: str, reason: str) -> None:
        """Remember why a field is null."""
        self.absent[field] = reason[:500]

    def text(self, field: str, path: str) -> str | None:
        """The file's text."""
        try:
            return self.host.read_text(path, limit_bytes=SMALL_FILE_BYTES)
        except HostError as error:
            self.give_up(field, str(error))
            return None

    def sysctl(self, field: str, name: str) -> int | None:
        """A sysctl that is a small number."""
        path = f"/proc/sys/{name.replace('.', '/')}"
        text = self.text(field, path)
        if text is None:
            return None
        digits = text.strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 10 and int(digits) <= MAX_SYSCTL):
            self.give_up(field, f"{path} is not a number: {digits[:40]!r}")
            return None
        return int(digits)

    def switch(self, field: str, name: str) -> bool | None:
        """A sysctl that is 0 or not."""
        value = self.sysctl(field, name)
        return None if value is None else value != 0


def gather(host: Host, settings: Settings) -> ContainerFacts:
    """Read /proc, try a user namespace, look for runtimes; start one only if an image exists."""
    reader = _Reader(host)
    works, problem = _user_namespaces(reader)
    status = _status(reader)
    uid_map = _uid_map(reader)
    runtimes = container_runtimes.find(host)
    no_new_privs = _no_new_privs(reader, status)
    usable = usable_runtime(runtimes, user_namespaces=works, no_new_privs=no_new_privs)
    trial = None
    if usable is None:
        reader.give_up("image_trial", "no Apptainer or Singularity that could run it")
    else:
        trial = container_runtimes.try_image(host, usable, settings.container.test_images)
        if trial is None:
            reader.give_up("image_trial", "none of the test images is on this node")
    fuse_opens, fuse_problem = _fuse(reader)
    cache_path, cache_bytes = _cache(reader)
    return ContainerFacts(
        user_namespaces_work=works,
        user_namespaces_problem=problem,
        max_user_namespaces=reader.sysctl("max_user_namespaces", "user.max_user_namespaces"),
        max_net_namespaces=reader.sysctl("max_net_namespaces", "user.max_net_namespaces"),
        unprivileged_userns_clone=reader.switch(
            "unprivileged_userns_clone", "kernel.unprivileged_userns_clone"
        ),
        apparmor_restricts_userns=reader.switch(
            "apparmor_restricts_userns", "kernel.apparmor_restrict_unprivileged_userns"
        ),
        pilot_runtimes=runtimes[:16],
        engines=tuple(Engine(name=name, path=path) for name in ENGINES if (path := host.which(name))),
        image_trial=trial,
        fuse_device_opens=fuse_opens,
        fuse_problem=fuse_problem,
        squashfuse_path=_squashfuse(reader),
        kernel_release=_kernel(reader),
        mode=_mode(reader, uid_map),
        uid_map=tuple(uid_map),
        no_new_privs=no_new_privs,
        seccomp=_seccomp(reader, status),
        effective_capabilities=_capabilities(reader, status),
        cache_path=cache_path,
        cache_available_bytes=cache_bytes,
        absent=reader.absent,
    )


def _user_namespaces(reader: _Reader) -> tuple[bool | None, str | None]:
    try:
        trial = reader.host.try_user_namespace()
    except HostError as error:
        reader.give_up("user_namespaces_work", str(error))
        reader.give_up("user_namespaces_problem", "not tried")
        return None, None
    if trial.works:
        reader.give_up("user_namespaces_problem", "they work")
        return True, None
    return False, trial.detail or trial.errno_name or "the kernel gave no reason"


def _fuse(reader: _Reader) -> tuple[bool | None, str | None]:
    try:
        trial = reader.host.try_open(FUSE, write=True)
    except HostError as error:
        reader.give_up("fuse_device_opens", str(error))
        reader.give_up("fuse_problem", "not tried")
        return None, None
    if trial.works:
        reader.give_up("fuse_problem", "it can be opened")
        return True, None
    return False, f"{FUSE}: {trial.detail or trial.errno_name or 'cannot be opened'}"


def _squashfuse(reader: _Reader) -> str | None:
    for name in ("squashfuse_ll", "squashfuse"):
        path = reader.host.which(name)
        if path:
            return path
    # Apptainer's own packages bring a copy that is not on PATH.
    for path in (
        "/usr/libexec/apptainer/bin/squashfuse_ll",
        "/usr/local/libexec/apptainer/bin/squashfuse_ll",
    ):
        if reader.host.exists(path):
            return path
    reader.give_up("squashfuse_path", "neither on PATH nor beside Apptainer")
    return None


def _kernel(reader: _Reader) -> str | None:
    try:
        return reader.host.system_name().release[:200]
    except HostError as error:
        reader.give_up("kernel_release", str(error))
        return None


def _uid_map(reader: _Reader) -> list[str]:
    text = reader.text("mode", "/proc/self/uid_map")
    return [] if text is None else [" ".join(line.split())[:64] for line in text.splitlines()[:340]]


def _mode(reader: _Reader, uid_map: list[str]) -> NamespaceMode | None:
    """Count the user numbers that are mapped, whatever blanks the kernel puts between the columns."""
    if "mode" in reader.absent:
        return None
    mapped = 0
    for line in uid_map:
        parts = line.split()
        if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
            reader.give_up("mode", f"/proc/self/uid_map has a line that is not three numbers: {line!r}")
            return None
        mapped += int(parts[2])
    if not mapped:
        reader.give_up("mode", "/proc/self/uid_map is empty: nobody has set up this user namespace")
        return None
    if mapped >= ALL_USERS:
        return NamespaceMode.PRIVILEGED
    return NamespaceMode.UNPRIVILEGED if mapped == 1 else NamespaceMode.FAKEROOT


def _status(reader: _Reader) -> dict[str, str]:
    text = reader.text("no_new_privs", "/proc/self/status") or ""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, colon, value in pairs if colon}


def _chosen(reader: _Reader, field: str, status: dict[str, str], name: str, values: dict[str, T]) -> T | None:
    said = status.get(name)
    if said in values:
        return values[said]
    reader.give_up(
        field,
        f"/proc/self/status has no {name}"
        if said is None
        else f"{name} in /proc/self/status is {said[:40]!r}",
    )
    return None


def _no_new_privs(reader: _Reader, status: dict[str, str]) -> bool | None:
    return _chosen(reader, "no_new_privs", status, "NoNewPrivs", {"0": False, "1": True})


def _seccomp(reader: _Reader, status: dict[str, str]) -> SeccompMode | None:
    modes = {"0": SeccompMode.DISABLED, "1": SeccompMode.STRICT, "2": SeccompMode.FILTER}
    return _chosen(reader, "seccomp", status, "Seccomp", modes)


def _capabilities(reader: _Reader, status: dict[str, str]) -> tuple[str, ...] | None:
    said = status.get("CapEff", "")
    try:
        bits = int(said, 16) if len(said) == 16 else -1
    except ValueError:
        bits = -1
    if bits < 0:
        reader.give_up("effective_capabilities", f"CapEff in /proc/self/status is {said[:40]!r}")
        return None
    return names_of(bits)


def _cache(reader: _Reader) -> tuple[str | None, int | None]:
    """Where Apptainer unpacks (its variables, else below the home), and what is free there."""
    host = reader.host
    path = host.env("APPTAINER_CACHEDIR") or host.env("SINGULARITY_CACHEDIR")
    home = host.env("HOME")
    if not path and home:
        path = f"{home.rstrip('/')}/.apptainer/cache"
    if not path or not path.startswith("/") or len(path) >= 4096:
        for field in ("cache_path", "cache_available_bytes"):
            reader.give_up(field, "neither APPTAINER_CACHEDIR nor HOME names a directory")
        return None, None
    folder = path
    while folder and not host.exists(folder):
        folder = folder.rpartition("/")[0]
    # The profile names no user, so neither does a path below the home directory.
    shown = f"~{path[len(home.rstrip('/')) :]}" if home and path.startswith(f"{home.rstrip('/')}/") else path
    try:
        return shown, host.space(folder or "/").available_bytes
    except HostError as error:
        reader.give_up("cache_available_bytes", error.errno_name)
        return shown, None


def summarise(facts: ContainerFacts) -> str:
    """User namespaces and the first runtime, at most 60 characters."""
    words = {True: "user namespaces work", False: "no user namespaces", None: "user namespaces unknown"}
    versions = [runtime for runtime in facts.pilot_runtimes if runtime.version]
    names = [engine.name for engine in facts.engines]
    if versions:
        runtime = f"{versions[0].path.rsplit('/', 1)[-1]} {versions[0].version}"
    else:
        runtime = ", ".join(names[:2]) or "no container runtime"
    return f"{words[facts.user_namespaces_work]}, {runtime}"[:60]


PROBE = Probe(
    name="container",
    title="user namespaces, container runtimes, privileges",
    section="Environment",
    facts_model=ContainerFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    # Several runtimes, each asked for its version, and one image started from a CVMFS that may be cold.
    deadline_s=10.0,
)
