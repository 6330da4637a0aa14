"""Who says which site this is. Part of the context probe.

Sources: the agent's configuration; GLIDEIN_CMSSite of the pilot; the attribute `name` of the element `site`
of SITECONF's site-local-config.xml, where WMCore looks for it.
"""

from __future__ import annotations

from typing import Final
from xml.parsers import expat

from probes.errors import HostError
from probes.host import KIB, Host
from probes.settings import Settings
from profiles.facts.context import SiteName, SiteNameSource

DEFAULT_SITECONF: Final = "/cvmfs/cms.cern.ch/SITECONF/local"
SITECONF_FILE: Final = "JobConfig/site-local-config.xml"
SITECONF_LIMIT_BYTES: Final = 256 * KIB
CVMFS_TIMEOUT_S: Final = 2.0
NAME_LIMIT: Final = 64
"""Characters of a site name read at most, as in CRIC."""


class _RefusedError(Exception):
    """A document type or an entity: this file has no business with either."""


def names(host: Host, settings: Settings) -> tuple[SiteName, ...]:
    """What each source that speaks calls this site."""
    found = [
        (settings.site_name, SiteNameSource.CONFIGURATION),
        (_variable(host, "GLIDEIN_CMSSite"), SiteNameSource.GLIDEIN),
        (_siteconf(host), SiteNameSource.SITECONF),
    ]
    return tuple(
        SiteName(name=_clean(name), source=source) for name, source in found if name and _clean(name)
    )


def site_of(xml: bytes) -> str | None:
    """The name of the first element `site`, None if there is none or the text is not plain XML."""
    found: list[str] = []
    parser = expat.ParserCreate()

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "site" and attributes.get("name"):
            found.append(attributes["name"])

    def refuse(*_: object) -> None:
        raise _RefusedError

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(xml, True)  # noqa: FBT003 - positional in expat
    except (expat.ExpatError, _RefusedError, ValueError):
        return None
    return found[0] if found else None


def _siteconf(host: Host) -> str | None:
    for directory in (_variable(host, "SITECONFIG_PATH"), DEFAULT_SITECONF):
        if directory is None or not directory.startswith("/"):
            continue
        path = f"{directory.rstrip('/')}/{SITECONF_FILE}"
        try:
            if _answers(host, path):
                return site_of(host.read_bytes(path, limit_bytes=SITECONF_LIMIT_BYTES))
        except HostError:
            continue
    return None


def _answers(host: Host, path: str) -> bool:
    """False if a file on CVMFS does not answer: found out by a child, so that a hang does not cost this probe."""
    if not path.startswith("/cvmfs/"):
        return True
    if not host.exists("/cvmfs"):
        return False
    try:
        host.run(["ls", "-L", path], timeout_s=CVMFS_TIMEOUT_S)
    except HostError as error:
        return error.errno_name != "ETIMEDOUT"
    return True


def _variable(host: Host, name: str) -> str | None:
    try:
        return (host.env(name) or "").strip() or None
    except HostError:
        return None


def _clean(name: str) -> str:
    text = name.encode("utf-8", "replace").decode().strip()
    return "".join(letter for letter in text if letter.isprintable())[:NAME_LIMIT]
