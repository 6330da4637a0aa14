"""SITECONF directories of the tests' own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from probes.host import Host
from probes.live import LiveDoor
from probes.settings import Settings
from probes.sitelocal import Site, read_site

SITE = "T2_XX_Test"
CATALOG = '<catalog volume="Disk" protocol="XRootD"/>'
STAGE_OUT = '<stage-out><method volume="Disk" protocol="XRootD" command="gfal2"/></stage-out>'
CALIB = (
    '<calib-data><frontier-connect><load balance="proxies"/><proxy url="http://squid.example:3128"/>'
    '<backupproxy url="http://backup.example:3128"/><proxyconfig url="http://wpad.example/wpad.dat"/>'
    '<server url="http://frontier.example:8000/FrontierInt"/></frontier-connect></calib-data>'
)


def config(
    catalogs: str = CATALOG,
    *,
    name: str = f'name="{SITE}"',
    stage_out: str = STAGE_OUT,
    calib: str = CALIB,
    more: str = "",
) -> str:
    """A site-local-config.xml."""
    access = f"<data-access>{catalogs}</data-access>" if catalogs else ""
    return f"<site-local-config><site {name}>{more}{access}{stage_out}{calib}</site></site-local-config>"


def protocol(
    name: str = "XRootD", prefix: str | None = "root://door.example:1094/", **more: Any
) -> dict[str, Any]:
    """One protocol of a volume."""
    return {"protocol": name, **({"prefix": prefix} if prefix is not None else {}), **more}


def volume(*protocols: dict[str, Any], site: str = SITE, name: str = "Disk") -> dict[str, Any]:
    """One entry of storage.json."""
    return {"site": site, "volume": name, "protocols": list(protocols or [protocol()]), "type": "DISK"}


def rules(*triples: tuple[str, ...]) -> list[dict[str, str]]:
    """Rules of (lfn, pfn) or (lfn, pfn, chain)."""
    return [dict(zip(("lfn", "pfn", "chain"), triple, strict=False)) for triple in triples]


def write(directory: Path, xml: str | bytes | None = None, storage: Any = None) -> Path:
    """A site's directory; None = the usual content, storage "" or xml b"" = no such file."""
    (directory / "JobConfig").mkdir(parents=True, exist_ok=True)
    content = config() if xml is None else xml
    if content != b"":
        (directory / "JobConfig/site-local-config.xml").write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )
    if storage != "":
        text = (
            storage
            if isinstance(storage, bytes)
            else json.dumps([volume()] if storage is None else storage).encode()
        )
        (directory / "storage.json").write_bytes(text)
    return directory


def settings(directory: Path, **more: Any) -> Settings:
    """Settings that point there."""
    return Settings.model_validate({"siteconf": {"path": str(directory), **more}})


def read(directory: Path) -> Site:
    """What the library makes of it."""
    return read_site(Host(LiveDoor()), settings(directory))
