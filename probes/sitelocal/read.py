"""Finding and reading SITECONF through the host door.

Where: the setting, `SITECONFIG_PATH`, else `SITECONF/local` below the mount of cms.cern.ch (WMCore, CMSSW
SiteLocalConfigService). Which storage.json: the site's own lies in the same directory, or one level up for a sub-site;
another site's in the directory of that name beside this one (CMSSW `storageDescriptionPath`).
"""

from __future__ import annotations

import hashlib
import re

from probes.errors import HostError
from probes.hanging import PATIENCE_S, hangs
from probes.host import Host
from probes.settings import Settings
from probes.sitelocal import config_xml, storage
from probes.sitelocal.model import LocalConfig, Problem, ProblemKind, StorageFile
from probes.sitelocal.site import Site

VARIABLE = "SITECONFIG_PATH"
CONFIG = "JobConfig/site-local-config.xml"
STORAGE = "storage.json"

MAX_SITES = 8
"""Other sites whose storage.json is read: a data-access names the federations of one or two."""

_DIRECTORY_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def read_site(host: Host, settings: Settings) -> Site:
    """SITECONF as a job of this node sees it. Never raises; see `Site.problems`."""
    directory, origin = _directory(host, settings)
    if hangs(host, directory):
        text = f"no answer within {PATIENCE_S:g} s ({origin}): the mount hangs, see CVM-01"
        return Site(origin=origin, problems=(Problem(kind="refused", where=directory, text=text),))
    problems: list[Problem] = []
    hashes: dict[str, str] = {}
    config = _config(host, f"{directory}/{CONFIG}", problems, hashes)
    if config is None and problems[-1].kind == "missing" and not _is_directory(host, directory):
        text = f"there is no such directory ({origin})"
        return Site(origin=origin, problems=(Problem(kind="missing", where=directory, text=text),))
    files: dict[str, StorageFile] = {}
    for site, path in _storage_paths(directory, config, problems).items():
        own = hashes if site == (config.name if config else None) else {}
        found = _storage(host, path, problems, own)
        if found is not None:
            files[site] = found
    return Site(
        directory=directory,
        origin=origin,
        config=config,
        storage=files,
        sha256=hashes,
        problems=tuple(problems),
    )


def _directory(host: Host, settings: Settings) -> tuple[str, str]:
    if settings.siteconf.path is not None:
        return settings.siteconf.path, "the setting siteconf.path"
    try:
        named = (host.env(VARIABLE) or "").strip()
    except HostError:
        named = ""
    if named:
        return named, VARIABLE
    return f"{settings.cvmfs.mount_path}/cms.cern.ch/SITECONF/local", "the default"


def _is_directory(host: Host, path: str) -> bool:
    try:
        return host.stat(path).kind == "directory"
    except HostError:
        return False


def _config(host: Host, path: str, problems: list[Problem], hashes: dict[str, str]) -> LocalConfig | None:
    content = _content(host, path, config_xml.MAX_BYTES, problems)
    if content is None:
        return None
    hashes[path.rpartition("/")[2]] = hashlib.sha256(content).hexdigest()
    try:
        config, complaints = config_xml.parse(content)
    except config_xml.RefusedError as error:
        problems.append(Problem(kind="refused", where=path, text=str(error)))
        return None
    except ValueError as error:
        problems.append(Problem(kind="unparsable", where=path, text=str(error)))
        return None
    problems += [Problem(kind="incomplete", where=path, text=text) for text in complaints]
    return config


def _storage_paths(directory: str, config: LocalConfig | None, problems: list[Problem]) -> dict[str, str]:
    """Site → path of its storage.json; "" stands for the own site where its name is not known."""
    up = "/.." if config is not None and config.subsite else ""
    own = (config.name if config is not None else None) or ""
    paths = {own: f"{directory}{up}/{STORAGE}"}
    if config is None:
        return paths
    others = [entry.site for entry in config.data_access] + [method.site for method in config.stage_out]
    for site in dict.fromkeys(others):
        if site in paths:
            continue
        if not _DIRECTORY_NAME.fullmatch(site):
            text = f"{site[:64]!r} is not the name of a site, so its storage is not looked for"
            problems.append(Problem(kind="incomplete", where=f"{directory}/{CONFIG}", text=text))
        elif len(paths) > MAX_SITES:
            text = f"it names more than {MAX_SITES} other sites; the storage of {site} is not read"
            problems.append(Problem(kind="incomplete", where=f"{directory}/{CONFIG}", text=text))
        else:
            paths[site] = f"{directory}{up}/../{site}/{STORAGE}"
    return paths


def _storage(host: Host, path: str, problems: list[Problem], hashes: dict[str, str]) -> StorageFile | None:
    content = _content(host, path, storage.MAX_BYTES, problems)
    if content is None:
        return None
    hashes[path.rpartition("/")[2]] = hashlib.sha256(content).hexdigest()
    try:
        entries, complaints = storage.parse(content)
    except ValueError as error:
        problems.append(Problem(kind="unparsable", where=path, text=str(error)))
        return None
    problems += [Problem(kind="incomplete", where=path, text=text) for text in complaints]
    return StorageFile(path=path, entries=entries)


def _content(host: Host, path: str, limit_bytes: int, problems: list[Problem]) -> bytes | None:
    try:
        return host.read_bytes(path, limit_bytes=limit_bytes)
    except HostError as error:
        kind: ProblemKind = "missing" if error.is_absent else "refused"
        text = "there is no such file" if error.is_absent else error.text.removeprefix(f"{path}: ")
        problems.append(Problem(kind=kind, where=path, text=text))
        return None
