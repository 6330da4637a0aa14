"""The proxies that a job of this node goes through, in the order in which a CVMFS client would try them.

A library of the probes that ask over HTTP, not a probe. The grammar is that of CVMFS_HTTP_PROXY: `|` between proxies
that share the load, `;` between groups of which the next is tried when the one before is down, `DIRECT` for none,
`auto` for what WPAD says (CVMFS documentation, "Network settings" and "Network path selection").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from probes.answers import Fetched
from probes.cvmfs_config import Options, read_options
from probes.errors import HostError
from probes.host import Host
from probes.network_steps import is_address, side_by_side, without_addresses
from probes.settings import Settings
from probes.sitelocal import Frontier, read_site
from probes.wpad import LIMIT_BYTES, MAX_PROXIES, is_program, proxies_in

DIRECT = "DIRECT"
AUTO = "auto"
SQUID_PORT = 3128
"""Port of a proxy that is configured without one."""

WLCG_BACKUPS = (
    "cvmfsbproxy.cern.ch",
    "cvmfsbproxy.fnal.gov",
    "cmsbpfrontier.cern.ch",
    "cmsbproxy.fnal.gov",
)
"""Backup proxies that WLCG and CMS run: never a site's own, wherever they are configured (WLCG squid operations)."""

WPAD_TIMEOUT_S = 3.0
MAX_WPAD_URLS = 4

_PROXY = re.compile(
    r"^(?:http://)?(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?)(?::(?P<port>\d{1,5}))?/?$"
)

Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ProxyChoice:
    """Proxies in groups.

    Attributes:
        groups: the first is used while one of it works; each member is "http://host:port" or "DIRECT". Never empty.
        origin: where they are configured, for people.
        problems: one sentence each for what was found and could not be used.
        backups: those of `groups` that are meant for when the site's own are down (CVMFS_FALLBACK_PROXY, SITECONF's
            backupproxy).
    """

    groups: Groups
    origin: str
    problems: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()

    @property
    def routes(self) -> tuple[str, ...]:
        """Each member once, in order."""
        return tuple(dict.fromkeys(member for group in self.groups for member in group))

    @property
    def proxies(self) -> tuple[str, ...]:
        """Each proxy once, in order, without DIRECT."""
        return tuple(member for member in self.routes if member != DIRECT)


def proxy_groups(host: Host, settings: Settings) -> ProxyChoice:
    """Find the proxies: configured for sitecap, else CVMFS's own configuration, else SITECONF's, else DIRECT.

    Never raises: what cannot be read or understood is among the problems. SITECONF, which may lie in a CVMFS mount
    that hangs, is read only when it is needed.
    """
    if settings.cvmfs.proxies is not None:
        return _chosen(host, settings.cvmfs.proxies, "cvmfs.proxies", settings.squid.wpad_urls)
    options = read_options(host, settings.cvmfs.repositories[0])
    text, origin = _configured(options)
    if text is not None:
        urls = tuple(filter(None, (options.get("CVMFS_PAC_URLS") or "").split(";")))
        backup = options.get("CVMFS_FALLBACK_PROXY")
        found = _chosen(host, text, origin, urls or settings.squid.wpad_urls, backup)
        return ProxyChoice(found.groups, origin, (*options.problems, *found.problems), found.backups)
    found = _of_site(host, settings)
    return ProxyChoice(found.groups, found.origin, (*options.problems, *found.problems), found.backups)


def parse_groups(text: str) -> tuple[Groups, tuple[str, ...]]:
    """Groups of a text in the grammar of CVMFS_HTTP_PROXY, and one sentence for each member that is none.

    A member is "http://host:port", "DIRECT" or "auto".
    """
    groups: list[tuple[str, ...]] = []
    problems: list[str] = []
    count = 0
    for part in text.split(";"):
        members: list[str] = []
        for written in filter(None, (member.strip() for member in part.split("|"))):
            try:
                member = normal(written)
            except ValueError as error:
                problems.append(str(error))
                continue
            count += 1
            if count > MAX_PROXIES:
                return tuple([*groups, tuple(members)] if members else groups), (
                    *problems,
                    f"only the first {MAX_PROXIES} proxies are used",
                )
            members.append(member)
        if members:
            groups.append(tuple(dict.fromkeys(members)))
    return tuple(groups), tuple(problems)


def normal(written: str) -> str:
    """A proxy as "http://host:port", or DIRECT, or "auto".

    Raises:
        ValueError: it is none; the text says so without repeating a password.
    """
    if written.upper() == DIRECT:
        return DIRECT
    if written.lower() == AUTO:
        return AUTO
    match = _PROXY.match(written)
    port = int(match["port"] or SQUID_PORT) if match else 0
    if match is None or not 0 < port < 65_536:
        told = "a proxy with a user name" if "@" in written else f"{without_addresses(written[:128])!r}"
        raise ValueError(f"{told} is not a proxy: write http://host:port, DIRECT or auto")
    return f"http://{match['host']}:{port}"


def shown(proxy: str) -> str:
    """A proxy as people see it: "host:port" or "direct"; an address is not shown."""
    if proxy == DIRECT:
        return "direct"
    name, _, port = proxy.removeprefix("http://").rpartition(":")
    return f"(address):{port}" if is_address(name.strip("[]")) else f"{name}:{port}"


def frontier_groups(host: Host, frontier: Frontier) -> ProxyChoice:
    """The proxies that SITECONF gives a Frontier client: its own, those by WPAD, the backups; DIRECT if there is none."""
    own, problems = _normal_all(frontier.proxies)
    backups, more = _normal_all(frontier.backup_proxies)
    groups: list[tuple[str, ...]] = [own] if frontier.balance_proxies and own else [(one,) for one in own]
    wpad: tuple[str, ...] = ()
    if frontier.proxyconfigs:
        found, wpad = discover(host, frontier.proxyconfigs)
        groups += [(one,) for one in found if one not in own]
    only_backups = tuple(one for one in backups if one not in own)
    groups += [(one,) for one in only_backups]
    return _choice(tuple(groups), "frontier-connect in SITECONF", (*problems, *more, *wpad), only_backups)


def place(url: str) -> str:
    """Server of a URL as "host:port", without an address; "none" if it names none."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return "none"
    default = 443 if parts.scheme == "https" else 80
    return f"{'(address)' if is_address(name) else name}:{port or default}" if name else "none"


def discover(host: Host, urls: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Proxies by WPAD: those of the first URL whose wpad.dat names some, and what went wrong with those before.

    All are asked side by side, because each may keep silent. The program in wpad.dat is not run, see `probes.wpad`.
    """
    wanted = tuple(dict.fromkeys(urls))[:MAX_WPAD_URLS]
    answers = side_by_side(
        {
            url: partial(
                host.fetch,
                url,
                connect_timeout_s=WPAD_TIMEOUT_S,
                timeout_s=WPAD_TIMEOUT_S,
                limit_bytes=LIMIT_BYTES,
            )
            for url in wanted
        }
    )
    problems: list[str] = []
    for url, answer in answers.items():
        found, wrong = _named_in(answer)
        problems += [without_addresses(f"WPAD: {url}: {problem}") or "" for problem in wrong]
        if found:
            return found, tuple(problems)
    return (), tuple(problems)


def _named_in(answer: Fetched | HostError) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Proxies that the answer of a WPAD server names, and what is wrong with it."""
    if isinstance(answer, HostError):
        return (), (answer.text,)
    text = answer.body.decode("utf-8", "replace")
    if answer.status is None:
        return (), (f"{answer.stage}: {answer.error or 'no answer'}",)
    if answer.status != 200:
        return (), (f"status {answer.status}",)
    if not is_program(text):
        return (), ("not a wpad.dat (no FindProxyForURL in it)",)
    found, wrong = _normal_all(proxies_in(text))
    return found, wrong if found else (*wrong, "it names no proxy")


def _configured(options: Options) -> tuple[str | None, str]:
    text = options.get("CVMFS_HTTP_PROXY")
    if text is not None:
        return text, f"CVMFS_HTTP_PROXY in {options.sources['CVMFS_HTTP_PROXY']}"
    if options.get("CVMFS_CLIENT_PROFILE") == "single":
        # What the client takes for a machine without a site's squid (CVMFS documentation, "Client profiles").
        return f"{AUTO};{DIRECT}", f"CVMFS_CLIENT_PROFILE=single in {options.sources['CVMFS_CLIENT_PROFILE']}"
    return None, ""


def _chosen(
    host: Host, text: str, origin: str, wpad_urls: tuple[str, ...], backup: str | None = None
) -> ProxyChoice:
    groups, problems = parse_groups(text)
    behind, more = parse_groups(backup or "")
    # A client told to go directly at once has no use for a fallback.
    both = [*groups, *(group for group in behind if group != (AUTO,))]
    resolved, wpad_problems = _with_wpad(host, both, wpad_urls)
    named = {member for group in groups for member in group}
    backups = tuple(member for group in behind for member in group if member not in named)
    return _choice(resolved, origin, (*problems, *more, *wpad_problems), backups)


def _with_wpad(
    host: Host, groups: Iterable[tuple[str, ...]], urls: tuple[str, ...]
) -> tuple[Groups, tuple[str, ...]]:
    """The groups with `auto` replaced by what WPAD says, each of its proxies a group of its own."""
    resolved: list[tuple[str, ...]] = []
    problems: tuple[str, ...] = ()
    asked: tuple[str, ...] | None = None
    for group in groups:
        if AUTO not in group:
            resolved.append(group)
            continue
        if asked is None:
            asked, problems = discover(host, urls)
        rest = tuple(member for member in group if member != AUTO)
        resolved += [(member,) for member in asked]
        if rest:
            resolved.append(rest)
    return tuple(resolved), problems


def _of_site(host: Host, settings: Settings) -> ProxyChoice:
    frontier = read_site(host, settings).frontier
    return (
        _choice((), "neither CVMFS's configuration nor SITECONF names a proxy", ())
        if frontier is None
        else frontier_groups(host, frontier)
    )


def _choice(
    groups: Groups, origin: str, problems: tuple[str, ...], backups: tuple[str, ...] = ()
) -> ProxyChoice:
    if not groups:
        return ProxyChoice(((DIRECT,),), f"{origin}; so directly", problems)
    return ProxyChoice(groups, origin, problems, backups)


def _normal_all(written: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found: dict[str, None] = {}
    problems: list[str] = []
    for text in written:
        try:
            member = normal(text)
        except ValueError as error:
            problems.append(str(error))
        else:
            if member != AUTO and len(found) < MAX_PROXIES:
                found[member] = None
    return tuple(found), tuple(problems)
