"""Each broken chain, catalog and piece of a file has its own diagnosis."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from profiles.checks import Status
from tests.integration.cvmfs_http.asking import CHUNKED, ENDS_BY_TIME, HOUR, SLOW_S, Outcome
from tests.lab.cvmfs_repository import Repository, now_utc
from tests.lab.stratum1 import Fault, Stratum1

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("cvmfs-http")]


def catalog_of(repository: Repository, *statements: str) -> Repository:
    """The same repository with a root catalog on which somebody ran SQL; everything is signed and fits its hash."""
    database = sqlite3.connect(":memory:")
    database.deserialize(repository.root_catalog())
    database.executescript(";".join(statements))
    changed = database.serialize()
    database.close()
    return repository.with_root_catalog(changed)


# Name of the fault → the repository that is served, and what breaks on the way.
BROKEN_CHAINS: dict[str, tuple[Callable[[Repository], Repository], dict[str, Fault], tuple[str, str]]] = {
    "signature byte flipped": (
        lambda good: good,
        {".cvmfspublished": Fault.FLIPPED},
        ("signature", "bad-signature"),
    ),
    "wrong repository name": (
        lambda good: replace(good, manifest_name="other.example.org"),
        {},
        ("manifest", "wrong-name"),
    ),
    "whitelist of another repository": (
        lambda good: replace(good, whitelist_name="other.example.org"),
        {},
        ("whitelist", "wrong-name"),
    ),
    "whitelist expired": (
        lambda good: replace(good, expires_at=now_utc() - 2 * HOUR),
        {},
        ("whitelist", "whitelist-expired"),
    ),
    "fingerprint removed": (
        lambda good: replace(good, fingerprints=()),
        {},
        ("whitelist", "not-whitelisted"),
    ),
    "whitelist byte flipped": (
        lambda good: good,
        {".cvmfswhitelist": Fault.FLIPPED},
        ("whitelist", "whitelist-signature"),
    ),
    "HTML with status 200": (lambda good: good, {"*": Fault.HTML}, ("manifest", "not-a-manifest")),
    "503 of the Stratum-1": (lambda good: good, {"*": Fault.UNAVAILABLE}, ("manifest", "http-status")),
    "drip-feed": (lambda good: good, {".cvmfspublished": Fault.DRIP}, ("manifest", "too-slow")),
    "takes the request and says nothing": (
        lambda good: good,
        {"*": Fault.SLOW_HEADER},
        ("manifest", "timeout"),
    ),
    "reset in mid-manifest": (lambda good: good, {".cvmfspublished": Fault.RESET}, ("manifest", "reset")),
    "truncated manifest": (
        lambda good: good,
        {".cvmfspublished": Fault.TRUNCATED},
        ("manifest", "truncated"),
    ),
    "manifest without end": (
        lambda good: good,
        {".cvmfspublished": Fault.ENDLESS},
        ("manifest", "too-large"),
    ),
    "reset in mid-certificate": (lambda good: good, {"X": Fault.RESET}, ("certificate", "reset")),
    "wrong certificate": (lambda good: good, {"X": Fault.OTHER_CONTENT}, ("certificate", "bad-hash")),
}


@pytest.mark.parametrize("name", BROKEN_CHAINS)
def test_each_broken_chain_has_its_own_diagnosis(
    name: str, server: Stratum1, ask: Callable[..., Outcome]
) -> None:
    change, faults, expected = BROKEN_CHAINS[name]
    server.repositories = [change(Repository())]
    server.faults.update(faults)
    slow = any(fault in ENDS_BY_TIME for fault in faults.values())

    outcome = ask(server.url, timeout_s=SLOW_S if slow else 30)

    assert outcome.broken() == expected
    assert outcome.status("CVH-01") is Status.CRITICAL
    assert expected[1] in outcome.results["CVH-01"].summary
    assert f"broken at {expected[0]}: {expected[1]}" in outcome.evidence("CVH-01")
    assert outcome.results["CVH-01"].hint
    assert outcome.status("CVH-05") is Status.SKIPPED


def _bomb(good: Repository) -> Repository:
    return replace(good, root_object=zlib.compress(bytes(30_000_000), 9))


BROKEN_CATALOGS: dict[str, tuple[Callable[[Repository], Repository], Fault | None, str]] = {
    "reset in mid-object": (lambda good: good, Fault.RESET, "reset"),
    "drip-fed object": (lambda good: good, Fault.DRIP, "too-slow"),
    "truncated object": (lambda good: good, Fault.TRUNCATED, "truncated"),
    "object stored short": (lambda good: good, Fault.SHORT, "truncated"),
    "wrong content": (lambda good: good, Fault.OTHER_CONTENT, "bad-hash"),
    "HTML instead of an object": (lambda good: good, Fault.HTML, "bad-hash"),
    "404 catalog": (lambda good: good, Fault.NOT_FOUND, "http-status"),
    "zlib bomb": (_bomb, None, "bomb"),
    "not SQLite": (lambda good: good.with_root_catalog(b"something else" * 100), None, "bad-catalog"),
    "hostile schema": (
        lambda good: catalog_of(
            good,
            "ALTER TABLE catalog RENAME TO real",
            "CREATE VIEW catalog AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x AS md5path_1, "
            "x AS md5path_2, x AS hash, x AS size, x AS flags, x AS symlink FROM c",
        ),
        None,
        "bad-catalog",
    ),
    "catalog of another revision": (
        lambda good: catalog_of(good, "UPDATE properties SET value = '7' WHERE key = 'revision'"),
        None,
        "bad-catalog",
    ),
}


@pytest.mark.parametrize("name", BROKEN_CATALOGS)
def test_each_broken_catalog_has_its_own_diagnosis(
    name: str, server: Stratum1, ask: Callable[..., Outcome]
) -> None:
    change, fault, expected = BROKEN_CATALOGS[name]
    repository = change(Repository())
    server.repositories = [repository]
    if fault is not None:
        server.faults[repository.root_path] = fault

    outcome = ask(server.url, timeout_s=SLOW_S if fault in ENDS_BY_TIME else 30)

    assert outcome.broken() == ("catalog", expected)
    assert outcome.status("CVH-01") is Status.OK  # the manifest is as good as ever
    assert outcome.status("CVH-05") is Status.CRITICAL
    assert expected in outcome.evidence("CVH-05")


@pytest.mark.parametrize("fault", [Fault.OTHER_CONTENT, Fault.RESET, Fault.NOT_FOUND])
def test_a_piece_of_a_chunked_file_is_checked_too(
    fault: Fault, server: Stratum1, ask: Callable[..., Outcome]
) -> None:
    server.faults[Repository().chunks_of(CHUNKED)[1]] = fault

    outcome = ask(server.url)

    expected = {Fault.OTHER_CONTENT: "bad-hash", Fault.RESET: "reset", Fault.NOT_FOUND: "http-status"}[fault]
    assert outcome.broken() == ("file", expected)
    assert outcome.status("CVH-05") is Status.CRITICAL
