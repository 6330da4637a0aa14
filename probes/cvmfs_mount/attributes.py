"""What a CVMFS client says of itself: the extended attributes of a repository's root directory.

A site may protect some of them (CVMFS_XATTR_PRIVILEGED_GIDS), and a re-export by NFS or a CSI driver has none; neither
is an error. Names and units: CVMFS documentation, "Client debugging information", extended attributes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from probes.cvmfs_config import Options
from probes.errors import HostError
from probes.host import Host
from probes.proxies import AUTO, DIRECT, WLCG_BACKUPS, normal, parse_groups, place, shown
from profiles.facts.cvmfs_mount import ProxyKind

TEXTS = ("version", "root_hash", "host", "proxy")
NUMBERS = (
    "revision", "nioerr", "timestamp_last_ioerr", "ncleanup24", "nclg", "usedfd", "maxfd", "inode_max", "uptime", "pid",
)  # fmt: skip

CLIENT = "cvmfs2"
"""Name of the client's process."""

KIB = 1024

_NUMBER = re.compile(r"^[0-9]{1,18}\Z")
_RESIDENT = re.compile(r"^VmRSS:\s+(\d{1,12}) kB$", re.MULTILINE)


@dataclass
class Attributes:
    """The attributes of one mount.

    Attributes:
        texts, numbers: by name without "user.".
        unreadable: name = why it has no value.
    """

    texts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def exist(self) -> bool:
        """Whether this is a client's own mount: at least one attribute has a value."""
        return bool(self.texts or self.numbers)


def read(host: Host, root: str) -> Attributes:
    """All attributes of the root directory of a repository; never raises."""
    found = Attributes()
    for name in (*TEXTS, *NUMBERS):
        try:
            value = host.xattr(root, f"user.{name}").strip("\0\n ")
        except HostError as error:
            found.unreadable[name] = error.errno_name
            continue
        if name in TEXTS:
            found.texts[name] = "".join(letter for letter in value[:512] if letter.isprintable())
        elif _NUMBER.match(value):
            found.numbers[name] = int(value)
        else:
            found.unreadable[name] = f"not a number: {value[:32]!r}"
    return found


def number(host: Host, root: str, name: str) -> int | None:
    """One number again, None if it cannot be read."""
    try:
        value = host.xattr(root, f"user.{name}").strip("\0\n ")
    except HostError:
        return None
    return int(value) if _NUMBER.match(value) else None


def proxy_in_use(
    text: str | None, options: Options, chosen: str | None
) -> tuple[str | None, ProxyKind | None]:
    """The proxy in use as it is shown, and where it comes from.

    Args:
        text: the attribute user.proxy.
        options: the client's configuration.
        chosen: proxies configured for sitecap, in the same grammar; they replace those of the client.
    """
    if not text:
        return None, None
    try:
        proxy = normal(text)
    except ValueError:
        return None, None
    if proxy in (DIRECT, AUTO):
        return "direct", "direct"
    name = shown(proxy)
    site = _members(chosen if chosen is not None else options.get("CVMFS_HTTP_PROXY"))
    if name.rpartition(":")[0] in WLCG_BACKUPS:
        return name, "fallback"
    if proxy in site:
        return name, "site"
    return name, "fallback" if proxy in _members(options.get("CVMFS_FALLBACK_PROXY")) else "other"


def server_in_use(text: str | None) -> str | None:
    """The Stratum-1 in use as "host:port"."""
    found = place(text) if text else "none"
    return None if found == "none" else found


def client_memory_bytes(host: Host, pid: int | None) -> int | None:
    """Resident memory of the client's process, None if it is not seen (another PID namespace, hidepid)."""
    if pid is None:
        return None
    comm = host.read_text_or_none(f"/proc/{pid}/comm", limit_bytes=64)
    # In a container the same number may belong to another process.
    if comm is None or comm.strip() != CLIENT:
        return None
    match = _RESIDENT.search(host.read_text_or_none(f"/proc/{pid}/status", limit_bytes=8192) or "")
    return int(match[1]) * KIB if match else None


def _members(text: str | None) -> set[str]:
    groups, _ = parse_groups(text or "")
    return {member for group in groups for member in group}
