"""The chain of signatures against what a Stratum-1 of atlas.cern.ch really served in 2015, and the keys that we ship."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from probes.cvmfs.chain import Verified, verify_chain
from probes.cvmfs.faults import FaultError
from probes.cvmfs.keys import shipped

GENUINE = Path(__file__).parent / "genuine"
JUNE_2015 = datetime(2015, 6, 10, 13, tzinfo=UTC).timestamp()


def _key(content: bytes) -> RSAPublicKey:
    key = load_pem_public_key(content)
    assert isinstance(key, RSAPublicKey)
    return key


def _verify(*, now_s: float = JUNE_2015, spoiled: str | None = None, at: int = -1) -> Verified:
    parts = {
        name: (GENUINE / name).read_bytes() for name in ("cvmfspublished", "certificate", "cvmfswhitelist")
    }
    if spoiled is not None:
        changed = bytearray(parts[spoiled])
        changed[at] ^= 1
        parts[spoiled] = bytes(changed)
    return verify_chain(
        *parts.values(),
        repository="atlas.cern.ch",
        keys={"cern.ch.pub": _key((GENUINE / "cern.ch.pub").read_bytes())},
        now_s=now_s,
    )


def test_genuine_data_are_verified_to_the_master_key_of_cern() -> None:
    verified = _verify()

    assert verified.manifest.revision == 8722
    assert verified.manifest.catalog_bytes == 75_834_368
    assert verified.manifest.published_s == datetime(2015, 6, 10, 12, 2, 30, tzinfo=UTC).timestamp()
    assert len(verified.whitelist.fingerprints) == 3
    assert verified.master_key == "cern.ch.pub"


@pytest.mark.parametrize(
    ("spoiled", "at", "fault"),
    [
        ("cvmfspublished", -1, "bad-signature"),
        ("cvmfspublished", 5, "bad-hash"),
        ("cvmfswhitelist", -1, "whitelist-signature"),
        ("cvmfswhitelist", 50, "bad-hash"),
        ("certificate", 100, "bad-hash"),
    ],
)
def test_one_flipped_bit_of_genuine_data_is_noticed(spoiled: str, at: int, fault: str) -> None:
    with pytest.raises(FaultError) as caught:
        _verify(spoiled=spoiled, at=at)
    assert caught.value.name == fault


def test_the_whitelist_expires_by_the_hour_as_for_the_client() -> None:
    # E20150704095527: the client cuts minutes and seconds off.
    expiry_s = datetime(2015, 7, 4, 9, tzinfo=UTC).timestamp()
    assert _verify(now_s=expiry_s).manifest.revision == 8722
    with pytest.raises(FaultError) as caught:
        _verify(now_s=expiry_s + 1)
    assert caught.value.name == "whitelist-expired"
    assert "2015-07-04 09:00 UTC" in caught.value.detail


@pytest.mark.parametrize(("domain", "count"), [("cern.ch", 3), ("opensciencegrid.org", 1)])
def test_shipped_master_keys_load(domain: str, count: int) -> None:
    keys = [_key(content) for content in shipped(domain).values()]
    assert [key.key_size for key in keys] == [2048] * count


def test_nothing_is_shipped_for_an_unknown_domain() -> None:
    assert shipped("example.org") == {}
    assert shipped("../..") == {}
