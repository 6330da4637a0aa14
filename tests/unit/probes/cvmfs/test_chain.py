"""Manifest, certificate, whitelist and master key, from bytes: what is right passes, and each wrong has its name."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.cvmfs.chain import Verified, verify_chain
from probes.cvmfs.faults import FaultError
from probes.cvmfs.hashes import ContentHash, digest
from probes.cvmfs.keys import Blacklist, domain_of, master_keys, read_blacklist
from probes.cvmfs.objects import checked, inflated
from probes.cvmfs.signed import parse_manifest, parse_whitelist
from probes.host import Host
from probes.live import LiveDoor
from tests.lab.cvmfs_repository import Keys, Repository, now_utc, shared_keys

NAME = "lab.example.org"


def _verify(
    repository: Repository, *, blacklist: Blacklist | None = None, keys: Keys | None = None
) -> Verified:
    objects = repository.objects
    return verify_chain(
        objects[".cvmfspublished"],
        objects[repository.certificate_path],
        objects[".cvmfswhitelist"],
        repository=NAME,
        keys={"master": (keys or repository.keys).master.public_key()},
        now_s=time.time(),
        blacklist=blacklist,
    )


def _fault(action: Callable[[], object]) -> FaultError:
    with pytest.raises(FaultError) as caught:
        action()
    assert "\n" not in caught.value.detail
    assert caught.value.detail
    return caught.value


@pytest.mark.parametrize("algorithm", ["sha1", "rmd160", "shake128"])
def test_a_chain_by_each_hash_algorithm(algorithm: str) -> None:
    repository = Repository(algorithm=algorithm)
    verified = _verify(repository)
    assert verified.manifest.root_catalog.path("C") == repository.root_path
    assert verified.manifest.revision == 42


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"manifest_name": "other.example.org"}, "wrong-name"),
        ({"whitelist_name": "other.example.org"}, "wrong-name"),
        ({"expires_at": now_utc() - timedelta(hours=2)}, "whitelist-expired"),
        ({"fingerprints": ()}, "not-whitelisted"),
        ({"fingerprints": (":".join(["AB"] * 20),)}, "not-whitelisted"),
    ],
)
def test_what_is_signed_and_still_wrong(change: dict[str, object], fault: str) -> None:
    assert _fault(lambda: _verify(replace(Repository(), **change))).name == fault  # type: ignore[arg-type]


def test_another_master_key_signed_the_whitelist() -> None:
    assert _fault(lambda: _verify(Repository(), keys=Keys.make())).name == "whitelist-signature"


def test_another_certificate_signed_the_manifest() -> None:
    good, forged = Repository(), Repository(keys=replace(shared_keys(), signing=Keys.make().signing))
    assert _verify(good).manifest.revision == 42
    assert _fault(lambda: _verify(forged)).name == "bad-signature"


def test_the_nodes_blacklist_refuses_certificates_and_revisions(tmp_path: Path) -> None:
    assert _fault(
        lambda: _verify(Repository(), blacklist=Blacklist(frozenset({shared_keys().fingerprint})))
    ).name == ("blacklisted")
    below = Blacklist(least_revisions=((NAME, 43),))
    assert "43" in _fault(lambda: _verify(Repository(), blacklist=below)).detail
    assert _verify(Repository(revision=43), blacklist=below).manifest.revision == 43
    assert _verify(Repository(), blacklist=Blacklist(least_revisions=(("other.org", 43),)))


def test_the_blacklist_file_is_read_with_comments_and_revisions(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "cvmfs" / "blacklist"
    path.parent.mkdir(parents=True)
    path.write_text(
        f"# why\n{shared_keys().fingerprint} # stolen\n<lab.example.org 12\n< lab.example.org 9\ngarbage\n"
    )

    found = read_blacklist(Host(LiveDoor(str(tmp_path))))

    assert found.fingerprints == {shared_keys().fingerprint}
    assert found.least_revision(NAME) == 12
    assert found.least_revision("other") == 0


def test_keys_of_the_node_beside_the_shipped_ones(tmp_path: Path) -> None:
    shared_keys().write(tmp_path, "cern.ch")
    (tmp_path / "cern.ch" / "broken.pub").write_text("no key")
    (tmp_path / "unrelated.pub").write_text("no key")

    found = master_keys(Host(LiveDoor()), str(tmp_path), "cms.cern.ch")

    assert len(found.keys) == 4
    assert len(found.problems) == 1
    assert "broken.pub" in found.problems[0]
    assert domain_of("cms.cern.ch") == "cern.ch"


GOOD = Repository()
PARTS = tuple(GOOD.objects[name] for name in (".cvmfspublished", GOOD.certificate_path, ".cvmfswhitelist"))


@given(st.data())
def test_bytes_are_verified_only_as_they_were_signed(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, 2))
    part = bytearray(PARTS[number])
    at = data.draw(st.integers(0, len(part)))
    part[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=40))
    changed = (*PARTS[:number], bytes(part), *PARTS[number + 1 :])

    def verify() -> Verified:
        keys = {"master": GOOD.keys.master.public_key()}
        return verify_chain(*changed, repository=NAME, keys=keys, now_s=time.time())

    if changed == PARTS:
        assert verify().manifest.revision == 42
    else:
        assert len(_fault(verify).detail) < 500


@given(st.binary(max_size=300))
def test_any_bytes_are_a_manifest_or_a_fault(content: bytes) -> None:
    for parse in (parse_manifest, parse_whitelist):
        with pytest.raises(FaultError):
            parse(content, NAME)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty answer"),
        (b"<html><title>Log in</title>", 'an HTML page with the title "Log in"'),
        (b"\x89PNG" * 9, "36 bytes that begin with"),
        (b"Sx\n--\n" + b"0" * 40 + b"\n", "no line"),
        (b"C" + b"0" * 40 + b"\nX" + b"1" * 40 + b"\nNa\nS-1\nT1\n--\nx\n", "not a number"),
        (b"C" + b"0" * 40 + b"\nX" + b"1" * 39 + b"\nNa\nS1\nT1\n--\nx\n", "not a hash"),
    ],
)
def test_what_came_instead_of_a_manifest_is_described(content: bytes, said: str) -> None:
    fault = _fault(lambda: parse_manifest(content, "a"))
    assert fault.name == "not-a-manifest"
    assert said in fault.detail


def test_hashes_by_their_suffix() -> None:
    # Digests of the empty string: FIPS 180-4, RIPEMD-160 and FIPS 202 test vectors.
    assert digest("sha1", b"") == "da39a3ee5e6b4b0d3255bfef95601890afd80709"
    assert digest("rmd160", b"") == "9c1185a5c5e9fc54612808977ee8f548b2258d31"
    assert digest("shake128", b"") == "7f9c2ba4e88f827d616045507605853ed73b8093"
    parsed = ContentHash.parse(b"ab" * 20 + b"-shake128")
    assert parsed.path("C") == "data/ab/" + "ab" * 19 + "-shake128C"
    for wrong in (b"ab" * 19, b"ab" * 20 + b"-md5", b"AB" * 20, b"ab" * 20 + b"\n"):
        with pytest.raises(ValueError, match="not a hash"):
            ContentHash.parse(wrong)


def test_an_object_is_unpacked_only_up_to_its_bound() -> None:
    bomb = zlib.compress(bytes(10_000_000), 9)
    assert _fault(lambda: inflated(bomb, 1_000_000, "it")).name == "bomb"
    assert len(inflated(bomb, 10_000_000, "it")) == 10_000_000
    assert _fault(lambda: inflated(b"no zlib", 10, "it")).name == "bad-object"
    assert _fault(lambda: inflated(bomb[:-10], 10_000_000, "it")).name == "bad-object"


def test_a_cut_object_is_told_from_another_one() -> None:
    whole = zlib.compress(bytes(range(256)) * 40)
    wanted = ContentHash(digest("sha1", whole), "sha1")
    assert checked(whole, wanted, "it") == whole
    assert _fault(lambda: checked(whole[:50], wanted, "it")).name == "truncated"
    assert _fault(lambda: checked(zlib.compress(b"other"), wanted, "it")).name == "bad-hash"
    assert "an HTML page" in _fault(lambda: checked(b"<html></html>", wanted, "it")).detail
    assert _fault(lambda: checked(b"", wanted, "it")).name == "bad-hash"
