"""site-local-config.xml, parsed as hostile input: no doctype, no entities, no references to elsewhere, bounded.

Elements: CMSSW FWCore/Services SiteLocalConfigService (`site@name`, `subsite@name`, `data-access/catalog`, the older
`event-data/catalog@url`, `calib-data/frontier-connect` or `local-connect`) and WMCore SiteLocalConfig (`stage-out/method`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.sitelocal.model import DataAccess, Frontier, LocalConfig, StageOut

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES = 256 * 1024
"""Those of CMS sites have some 5 kB."""

MAX_ITEMS = 32
"""Of one kind; a site has a handful of catalogues, proxies and servers."""

MAX_CHARS = 1024


class RefusedError(ValueError):
    """The document has what a site's configuration never needs and an attacker does."""


def parse(content: bytes) -> tuple[LocalConfig, tuple[str, ...]]:
    """The configuration, and one clause for each thing in it that is missing or senseless.

    Args:
        content: of the file, at most `MAX_BYTES`.

    Raises:
        RefusedError: it has a document type or entities.
        ValueError: it is not XML, or describes no site; the text is one clause.
    """
    root = _root(content)
    complaints: list[str] = []
    if root.tag != "site-local-config":
        raise ValueError(f"its root element is <{root.tag[:64]}>, not <site-local-config>")
    sites = root.findall("site")
    if not sites:
        raise ValueError("it has no <site> element")
    if len(sites) > 1:
        complaints.append(f"it has {len(sites)} <site> elements; the first is taken")
    site = sites[0]
    name = _value(site, "name")
    if name is None:
        complaints.append("<site> has no name")
    subsite = site.find("subsite")
    if subsite is not None and len(subsite):
        complaints.append("<subsite> has elements in it, which CMSSW refuses")
    access, methods = _data_access(site, name, complaints), _stage_out(site, name, complaints)
    event_data = tuple(_urls(site.findall("event-data/catalog"), "event-data", complaints))
    if not access and not event_data:
        complaints.append("it has neither <data-access> nor <event-data> with a <catalog>")
    if not methods and site.find("local-stage-out") is None:
        complaints.append("it has no <stage-out> with a <method>")
    frontier, local_connect = _calib_data(site, complaints)
    config = LocalConfig(
        name=name,
        subsite=None if subsite is None else _value(subsite, "name"),
        data_access=access,
        event_data=event_data,
        stage_out=methods,
        frontier=frontier,
        local_connect=local_connect,
    )
    return config, tuple(complaints)


def _root(content: bytes) -> Element:
    # Loaded here: most runs of the agent end without any XML.
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415 - only the type of the error

    from defusedxml import DefusedXmlException  # noqa: PLC0415
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415

    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise RefusedError(
            f"it declares a document type or entities ({type(error).__name__}), which SITECONF never needs: "
            "remove the <!DOCTYPE …>"
        ) from None
    except ParseError as error:
        raise ValueError(f"is not XML: {error}") from None
    except (ValueError, LookupError) as error:
        raise ValueError(f"is not XML that can be read: {str(error)[:128]}") from None
    return root


def _data_access(site: Element, name: str | None, complaints: list[str]) -> tuple[DataAccess, ...]:
    found: list[DataAccess] = []
    for catalog in _some(site.findall("data-access/catalog"), "data-access", complaints):
        where, volume, protocol = _place(catalog, name)
        if where is None or volume is None or protocol is None:
            complaints.append("a <catalog> of <data-access> lacks site, volume or protocol")
            continue
        found.append(DataAccess(site=where, volume=volume, protocol=protocol))
    return tuple(found)


def _stage_out(site: Element, name: str | None, complaints: list[str]) -> tuple[StageOut, ...]:
    found: list[StageOut] = []
    for method in _some(site.findall("stage-out/method"), "stage-out", complaints):
        where, volume, protocol = _place(method, name)
        if where is None or volume is None or protocol is None:
            complaints.append("a <method> of <stage-out> lacks site, volume or protocol")
            continue
        command = _value(method, "command")
        found.append(StageOut(site=where, volume=volume, protocol=protocol, command=command))
    return tuple(found)


def _place(element: Element, name: str | None) -> tuple[str | None, str | None, str | None]:
    return _value(element, "site") or name, _value(element, "volume"), _value(element, "protocol")


def _calib_data(site: Element, complaints: list[str]) -> tuple[Frontier | None, bool]:
    connect = site.find("calib-data/frontier-connect")
    local = site.find("calib-data/local-connect") is not None
    if connect is None:
        if not local:
            complaints.append("it has no <calib-data> with <frontier-connect>")
        return None, local
    if local:
        complaints.append("it has both <frontier-connect> and <local-connect>, which CMSSW refuses")
    servers = _urls(connect.findall("server"), "server", complaints)
    if not servers:
        complaints.append("<frontier-connect> has no <server>")
    return (
        Frontier(
            proxies=_urls(connect.findall("proxy"), "proxy", complaints),
            backup_proxies=_urls(connect.findall("backupproxy"), "backupproxy", complaints),
            proxyconfigs=_urls(connect.findall("proxyconfig"), "proxyconfig", complaints),
            servers=servers,
            balance_proxies=any(load.get("balance") == "proxies" for load in connect.findall("load")),
        ),
        local,
    )


def _urls(elements: list[Element], what: str, complaints: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for element in _some(elements, what, complaints):
        url = _value(element, "url")
        if url is None:
            complaints.append(f"a <{element.tag}> of <{what}> has no url")
        else:
            found.append(url)
    return tuple(found)


def _some(elements: list[Element], what: str, complaints: list[str]) -> list[Element]:
    if len(elements) > MAX_ITEMS:
        complaints.append(f"<{what}> has {len(elements)} entries, of which {MAX_ITEMS} are read")
    return elements[:MAX_ITEMS]


def _value(element: Element, name: str) -> str | None:
    """An attribute, None if it is missing, empty, or longer than a name or URL is."""
    value = (element.get(name) or "").strip()
    return value if value and len(value) <= MAX_CHARS and value.isprintable() else None
