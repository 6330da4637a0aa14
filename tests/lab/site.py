"""A small healthy site on loopback: squids, Stratum-1s, Frontier, XRootD door and federation, WebDAV, SITECONF, CVMFS mount.

Everything that a job of CMS needs from a site, with real servers wherever there are any, and the agent's configuration
that points at it. What is healthy here must be green, and what the benchmarks measure is this.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.engines import to_toml
from tests.lab import davserver, squid, xrootd
from tests.lab.cvmfs_mount import ATTRIBUTES, Tree, mounted
from tests.lab.frontier import Frontier
from tests.lab.stratum1 import FILES, Repository, Stratum1
from tests.lab.xrootd import LFN, Cluster, Server, XrootdLab

CVMFS_CONFIGURATION = """\
CVMFS_HTTP_PROXY="{proxies}"
CVMFS_QUOTA_LIMIT=25000
CVMFS_CACHE_BASE={cache}
"""

NAME = "T2_XX_Lab"
REPOSITORY = "lab.example.org"
SITE_LOCAL_CONFIG = """\
<site-local-config>
  <site name="{name}">
    <data-access><catalog volume="Disk" protocol="XRootD"/></data-access>
    <stage-out><method volume="Disk" protocol="XRootD" command="gfal2"/></stage-out>
    <calib-data>
      <frontier-connect>
        <load balance="proxies"/>
        <proxy url="{proxies[0]}"/>
        <proxy url="{proxies[1]}"/>
        <server url="{frontier}"/>
      </frontier-connect>
    </calib-data>
  </site>
</site-local-config>
"""


@dataclass(frozen=True)
class Site:
    """The site while it runs.

    Attributes:
        directory: of the node: SITECONF, mount, configuration, token.
        configuration: file for `agent probe --config`.
        environment: variables that a job at this site has.
        inside: what a command line begins with to see the node's own /etc/cvmfs.
        door: XRootD with TLS and tokens.
        federation: redirector and data servers.
    """

    directory: Path
    configuration: Path
    environment: Mapping[str, str]
    inside: tuple[str, ...]
    squids: tuple[squid.Squid, squid.Squid]
    stratum_ones: tuple[Stratum1, Stratum1]
    frontier: Frontier
    lab: XrootdLab
    door: Server
    federation: Cluster
    webdav: davserver.DavServer


@contextlib.contextmanager
def running(directory: Path) -> Iterator[Site]:
    """The site; `directory` is private to the caller and must exist.

    Raises:
        LabUnavailableError: a component is not installed, or this is not root.
    """
    with contextlib.ExitStack() as held:
        repository = Repository(name=REPOSITORY)
        stratum_ones = (
            held.enter_context(Stratum1(repository).serving()),
            held.enter_context(Stratum1(repository).serving()),
        )
        squids = (
            held.enter_context(squid.running(name="squid1.lab")),
            held.enter_context(squid.running(name="squid2.lab")),
        )
        frontier = held.enter_context(Frontier().serving())
        lab = held.enter_context(xrootd.running())
        door = held.enter_context(lab.with_tokens())
        federation = held.enter_context(lab.cluster())
        webdav = held.enter_context(
            davserver.serving(
                authority=lab.authority, host=lab.authority.host(["localhost"]), issuer=lab.issuer
            )
        )
        lab.put(webdav.directory / "data")
        _mount(held, directory, repository, stratum_ones[0], squids[0])
        _siteconf(directory / "SITECONF", squids, frontier, door, webdav)
        configuration = directory / "agent.toml"
        configuration.write_text(
            to_toml(_settings(directory, repository, stratum_ones, squids, federation, webdav, lab))
        )
        yield Site(
            directory, configuration, _environment(directory, lab), _configured(directory, squids), squids, stratum_ones,
            frontier, lab, door, federation, webdav,
        )  # fmt: skip


def _mount(
    held: contextlib.ExitStack,
    directory: Path,
    repository: Repository,
    stratum_one: Stratum1,
    proxy: squid.Squid,
) -> None:
    point = directory / "cvmfs" / REPOSITORY
    point.mkdir(parents=True)
    attributes = {
        **ATTRIBUTES,
        "revision": str(repository.revision),
        "root_hash": Path(repository.root_path).parent.name + Path(repository.root_path).name.rstrip("C"),
        "host": f"{_named(stratum_one.url)}/cvmfs/{REPOSITORY}",
        "proxy": _named(proxy.url),
    }
    held.enter_context(mounted(point, Tree(dict(FILES), attributes)))


def _siteconf(
    directory: Path,
    squids: tuple[squid.Squid, squid.Squid],
    frontier: Frontier,
    door: Server,
    webdav: davserver.DavServer,
) -> None:
    (directory / "JobConfig").mkdir(parents=True)
    text = SITE_LOCAL_CONFIG.format(
        name=NAME, proxies=[_named(one.url) for one in squids], frontier=_named(frontier.url)
    )
    (directory / "JobConfig/site-local-config.xml").write_text(text)
    protocols = [
        {"protocol": "XRootD", "access": "site-ro", "prefix": f"{door.url}/"},
        {"protocol": "WebDAV", "access": "global-rw", "prefix": webdav.url("", scheme="davs")},
    ]
    volume = {"site": NAME, "volume": "Disk", "protocols": protocols, "type": "DISK", "rse": NAME}
    (directory / "storage.json").write_text(json.dumps([volume]))


def _settings(
    directory: Path,
    repository: Repository,
    stratum_ones: tuple[Stratum1, Stratum1],
    squids: tuple[squid.Squid, squid.Squid],
    federation: Cluster,
    webdav: davserver.DavServer,
    lab: XrootdLab,
) -> dict[str, Any]:
    server = stratum_ones[0]
    return {
        "site_name": NAME,
        "network": {
            "endpoints": [
                {"name": "stratum-1", "host": "127.0.0.1", "port": server.port, "http_path": f"/cvmfs/{REPOSITORY}/.cvmfspublished"},
                {"name": "door", "host": "localhost", "port": webdav.port, "tls": True},
            ],
            "ca_path": str(lab.authority.certificates),
        },
        "siteconf": {"path": str(directory / "SITECONF"), "test_lfn": LFN},
        "cvmfs": {
            "mount_path": str(directory / "cvmfs"),
            "repositories": [REPOSITORY],
            "http_repositories": [REPOSITORY],
            "stratum_ones": [_named(one.url) for one in stratum_ones],
            "proxies": "|".join(_named(one.url) for one in squids),
            "keys_path": str(repository.keys.write(directory / "keys")),
            "test_paths": {REPOSITORY: "/sw/el9/big.bin"},
        },
        "xrootd": {"redirectors": [federation.redirector.url], "federation_lfn": LFN},
        "webdav": {"ca_path": str(lab.authority.certificates)},
    }  # fmt: skip


def _named(url: str) -> str:
    """A URL with a name: addresses are hidden in facts, and a reader of the table wants to tell servers apart."""
    return url.replace("//127.0.0.1:", "//localhost:")


def _configured(directory: Path, squids: tuple[squid.Squid, squid.Squid]) -> tuple[str, ...]:
    """A mount namespace in which /etc has a configuration of CVMFS, as on a node with the client."""
    upper, work = directory / "etc", directory / "work"
    (upper / "cvmfs").mkdir(parents=True)
    work.mkdir()
    (directory / "cache").mkdir()
    text = CVMFS_CONFIGURATION.format(
        proxies="|".join(_named(one.url) for one in squids), cache=directory / "cache"
    )
    (upper / "cvmfs/default.local").write_text(text)
    overlay = f"mount -t overlay overlay -o lowerdir=/etc,upperdir={upper},workdir={work} /etc"
    return ("unshare", "--mount", "sh", "-c", f'{overlay} && exec "$@"', "sh")


def _environment(directory: Path, lab: XrootdLab) -> dict[str, str]:
    token = directory / "token"
    token.touch(0o600)
    token.write_text(lab.issuer.token())
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "XDG_RUNTIME_DIR": str(_private(directory / "run")),
        "BEARER_TOKEN_FILE": str(token),
        "X509_CERT_DIR": str(lab.authority.certificates),
    }


def _private(path: Path) -> Path:
    path.mkdir(mode=0o700)
    return path
