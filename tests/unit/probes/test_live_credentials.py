"""The machine side: attribute certificates and revocation lists from bytes that nobody has checked."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probes import live_authorities, live_voms
from probes.credential_answers import AuthoritiesSeen
from probes.errors import HostError
from probes.host import Host
from probes.live import LiveDoor

SEQUENCE, SET, OID, OCTETS, TIME, INTEGER = 0x30, 0x31, 0x06, 0x04, 0x18, 0x02
FQANS = bytes.fromhex("2b06010401be45646404")


def der(tag: int, *parts: bytes) -> bytes:
    """One element of DER."""
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 0x80 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def attribute_certificate(
    *fqans: str,
    uri: str | None = "cms://voms.example:15000",
    begin: str = "20260101000000Z",
    end: str = "20260102000000Z",
) -> bytes:
    """The value of a VOMS extension."""
    authority = der(0xA0, der(0x86, uri.encode())) if uri is not None else b""
    values = der(SEQUENCE, authority, der(SEQUENCE, *(der(OCTETS, fqan.encode()) for fqan in fqans)))
    info = der(
        SEQUENCE,
        der(INTEGER, b"\x01"),
        der(SEQUENCE),
        der(0xA0),
        der(SEQUENCE),
        der(INTEGER, b"\x07"),
        der(SEQUENCE, der(TIME, begin.encode()), der(TIME, end.encode())),
        der(
            SEQUENCE,
            der(SEQUENCE, der(OID, b"\x2a\x03"), der(SET)),
            der(SEQUENCE, der(OID, FQANS), der(SET, values)),
        ),
        der(SEQUENCE),
    )
    return der(SEQUENCE, der(SEQUENCE, der(SEQUENCE, info, der(SEQUENCE), der(0x03, b"\x00"))))


GOOD = attribute_certificate("/cms/Role=NULL/Capability=NULL", "/cms/Role=production/Capability=NULL")


def test_groups_roles_and_dates_are_read() -> None:
    (found,) = live_voms.attributes(GOOD)
    assert found.vo == "cms"
    assert found.fqans == ("/cms/Role=NULL/Capability=NULL", "/cms/Role=production/Capability=NULL")
    assert found.not_before_at == datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert found.expires_at == datetime(2026, 1, 2, tzinfo=UTC).timestamp()


def test_without_an_authority_the_first_group_names_the_organisation() -> None:
    (found,) = live_voms.attributes(attribute_certificate("/atlas/lcg1", uri=None))
    assert found.vo == "atlas"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "something else"),
        (b"\x30\x84\x7f\xff\xff\xff", "impossible length"),
        (b"\x30\x80", "impossible length"),
        (b"\x30\x10\x00", "cut short"),
        (GOOD[:-9], "cut short"),
        (b"\x1f\x81\x00", "not DER"),
        (der(SEQUENCE, der(SEQUENCE, der(SEQUENCE, der(SEQUENCE, der(INTEGER, b"\x01"))))), "lacks fields"),
        (attribute_certificate("/cms", end="tomorrow"), "date that is none"),
        (b"\x30" * (live_voms.MAX_BYTES + 1), "more than the"),
        (der(SEQUENCE, der(SEQUENCE, *([b"\x05\x00"] * 600))), "not DER"),
    ],
)
def test_what_is_no_attribute_certificate_is_one_clause(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        live_voms.attributes(content)


@given(st.data())
def test_a_damaged_attribute_certificate_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(GOOD)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    found: tuple[object, ...] = ()
    try:
        found = live_voms.attributes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    except ValueError as error:
        assert type(error) is ValueError  # noqa: PT017 - not one of its children, such as a failed decoding
    assert len(found) <= live_voms.MAX_CERTIFICATES


# -- revocation lists ------------------------------------------------------------------------------------------

KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority")])


def revocation_list(next_update: datetime, revoked: int = 0) -> x509.CertificateRevocationList:
    builder = x509.CertificateRevocationListBuilder().issuer_name(NAME).next_update(next_update)
    builder = builder.last_update(next_update - timedelta(days=30))
    for serial in range(1, revoked + 1):
        one = (
            x509.RevokedCertificateBuilder()
            .serial_number(serial)
            .revocation_date(next_update - timedelta(days=40))
        )
        builder = builder.add_revoked_certificate(one.build())
    return builder.sign(KEY, hashes.SHA256())


def looked(directory: Path) -> AuthoritiesSeen:
    return Host(LiveDoor()).authorities(str(directory))


@pytest.mark.parametrize("form", [serialization.Encoding.PEM, serialization.Encoding.DER])
@pytest.mark.parametrize("year", [2049, 2051])  # UTCTime and GeneralizedTime
def test_only_the_head_of_a_long_list_is_read(
    tmp_path: Path, form: serialization.Encoding, year: int
) -> None:
    when = datetime(year, 1, 1, tzinfo=UTC)
    content = revocation_list(when, revoked=2000).public_bytes(form)
    assert len(content) > 2 * live_authorities.HEAD_BYTES
    (tmp_path / "0123abcd.r0").write_bytes(content)
    found = looked(tmp_path)
    assert (found.revocation_lists, found.soonest_update_at, found.unreadable) == (1, when.timestamp(), ())


def test_lapsed_lists_are_counted_once_for_both_hashes(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    old = revocation_list(now - timedelta(days=2)).public_bytes(serialization.Encoding.PEM)
    (tmp_path / "0123abcd.r0").write_bytes(old)
    (tmp_path / "89abcdef.r0").write_bytes(old)
    (tmp_path / "00000000.r0").write_bytes(
        revocation_list(now + timedelta(days=2)).public_bytes(serialization.Encoding.PEM)
    )
    found = looked(tmp_path)
    assert (found.revocation_lists, found.lapsed_count, found.lapsed) == (2, 1, ("0123abcd.r0",))


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", b"-----BEGIN X509 CRL-----\n!!!\n-----END X509 CRL-----\n", b"\x30\x03\x30\x01\x02"],
)
def test_what_is_no_list_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "0123abcd.r0").write_bytes(content)
    (tmp_path / "0123abcd.0").write_bytes(content)
    found = looked(tmp_path)
    assert "0123abcd.r0" in found.unreadable
    assert found.revocation_lists == 0


def test_a_pipe_among_the_authorities_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "0123abcd.0")
    assert looked(tmp_path).unreadable == ("0123abcd.0",)


def test_more_files_than_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_authorities, "MAX_FILES", 3)
    for number in range(5):
        (tmp_path / f"0000000{number}.0").write_bytes(b"\x30" + bytes([number]))
    found = looked(tmp_path)
    assert (found.certificates, found.complete) == (3, False)


def test_a_device_is_no_place_of_authorities() -> None:
    with pytest.raises(HostError, match="neither a directory nor a file"):
        Host(LiveDoor()).authorities("/dev/null")


GOOD_LIST = revocation_list(datetime(2040, 1, 1, tzinfo=UTC)).public_bytes(serialization.Encoding.DER)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_list_is_read_or_named(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(GOOD_LIST)
    for place in data.draw(st.lists(st.integers(0, 90), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    (tmp_path / "0123abcd.r0").write_bytes(content[: data.draw(st.integers(0, len(content)))])
    found = looked(tmp_path)
    assert found.revocation_lists + len(found.unreadable) == 1
