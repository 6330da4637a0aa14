"""Redaction: what identifies is gone, what was gone comes back on the way in, and the shape of an address stays."""

from __future__ import annotations

import ipaddress
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.answers import Json
from probes.redact import Redactor

NAMES = {"wn042.example.org": "host", "wn042": "host", "example.org": "domain", "jdoe": "user"}
V4 = st.builds(str, st.ip_addresses(v=4))
V6 = st.builds(str, st.ip_addresses(v=6))
MACS = st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":"))
UUIDS = (
    st.uuids().map(str) | st.uuids().map(lambda value: str(value).upper()) | st.uuids().map(lambda v: v.hex)
)
WORDS = st.sampled_from([*NAMES, "host", "user", "domain", "lo", "MHz"])
TEXTS = st.lists(V4 | V6 | MACS | UUIDS | WORDS | st.text(max_size=6), max_size=8).flatmap(
    lambda parts: st.lists(
        st.sampled_from([" ", ",", "=", "/", "@", "\n", ": ", "<", "-"]),
        min_size=len(parts),
        max_size=len(parts),
    ).map(lambda gaps: "".join(part + gap for part, gap in zip(parts, gaps, strict=True)))
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def _redactor(names: dict[str, str] | None = None, key: bytes = b"k" * 32) -> Redactor:
    return Redactor(NAMES if names is None else names, key)


@given(value=JSON)
def test_restore_undoes_hide(value: Json) -> None:
    redactor = _redactor()

    assert redactor.restore(redactor.hide(value)) == value


@given(value=JSON)
def test_hidden_stays_as_it_is_when_hidden_again(value: Json) -> None:
    redactor = _redactor()
    hidden = redactor.hide(value)

    assert redactor.hide(hidden) == hidden


@given(text=TEXTS)
def test_two_processes_of_a_run_agree(text: str) -> None:
    assert _redactor().hide(text) == _redactor().hide(text)


@pytest.mark.parametrize("names", [{"host": "host", "wn042": "host"}, {"user": "user", "jdoe": "user"}])
def test_a_name_that_is_a_label_of_ours_is_hidden_once(names: dict[str, str]) -> None:
    redactor = _redactor(names)
    text = " ".join(names)

    hidden = str(redactor.hide(text))

    assert hidden != text
    assert redactor.restore(hidden) == text


@pytest.mark.parametrize(
    "identity",
    [
        "192.0.2.17",
        "137.138.1.2",
        "10.0.0.1",
        "2001:1458:d00::17",
        "fe80::5054:ff:fe12:3456",
        "52:54:00:12:34:56",
        "4c4c4544-0042-4810-8051-b4c04f4b4b32",
        "4C4C4544-0042-4810-8051-B4C04F4B4B32",
        "0123456789abcdef0123456789abcdef",
        "wn042.example.org",
        "wn042",
        "example.org",
        "jdoe",
    ],
)
@pytest.mark.parametrize(
    "frame",
    ["{}", "<{}>", "addr={},", "inet {}/24 scope", "/home/{}/x", "user@{}", "GPU-{}", "{}\n", "[{}]:80"],
)
def test_an_identity_is_gone_in_every_surrounding(identity: str, frame: str) -> None:
    text = frame.format(identity)
    redactor = _redactor()

    hidden = str(redactor.hide({text: [text]}))

    assert identity not in hidden
    assert redactor.restore(redactor.hide(text)) == text


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1", "0.0.0.0/0", "::1", "255.255.255.0", "224.0.0.1", "00:00:00:00:00:00", "12:30:45", "5.10.0-13",
     "std::vector", "ff02::1", "wn0421", "Linux 6.1.0"],
)  # fmt: skip
def test_what_identifies_nobody_stays(text: str) -> None:
    assert _redactor().hide(text) == text


@given(address=st.ip_addresses(v=4))
def test_private_ipv4_stays_private_and_public_does_not_become_it(address: ipaddress.IPv4Address) -> None:
    hidden = ipaddress.IPv4Address(str(_redactor().hide(str(address))))
    if hidden == address:
        return
    ten = ipaddress.IPv4Network("10.0.0.0/8")
    assert (hidden in ten) == (not address.is_global)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.168.7.9", "10.0.0.0/8"),
        ("100.64.0.9", "10.0.0.0/8"),
        ("137.138.0.9", "198.18.0.0/15"),
        ("fd12:3456::1", "fc00::/7"),
        ("fe80::1", "fe80::/10"),
        ("2001:1458::1", "2001:db8::/32"),
    ],
)
def test_a_pseudonym_is_of_the_same_kind(address: str, network: str) -> None:
    hidden = ipaddress.ip_address(str(_redactor().hide(address)))

    assert str(hidden) != address
    assert hidden in ipaddress.ip_network(network)


def test_many_addresses_get_as_many_pseudonyms() -> None:
    redactor = _redactor()
    # 131 072 pseudonyms for public addresses: by the birthday bound, 1 200 addresses meet several times.
    addresses = [str(ipaddress.IPv4Address(0x89_8A_00_01 + number)) for number in range(1200)]

    hidden = [str(redactor.hide(address)) for address in addresses]

    assert len(set(hidden)) == len(addresses)
    assert [redactor.restore(one) for one in hidden] == addresses


def test_an_address_that_begins_like_another_s_pseudonym_is_left_alone() -> None:
    redactor = _redactor()
    pseudonym = str(redactor.hide("192.168.1.1"))

    assert redactor.restore(f"{pseudonym}9") == f"{pseudonym}9"
    assert redactor.restore(f"{pseudonym}/24") == "192.168.1.1/24"


def test_another_run_gives_other_pseudonyms() -> None:
    text = f"wn042.example.org 137.138.1.2 {uuid.UUID(int=7 << 64)}"

    first, second = (str(_redactor(key=key).hide(text)).split() for key in (b"a" * 32, b"b" * 32))

    assert [one for one, other in zip(first, second, strict=True) if one == other] == []


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("BEARER_TOKEN", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("MYSQL_PASSWORD", True),
        ("api_key", True),
        ("BEARER_TOKEN_FILE", False),
        ("_CONDOR_JOB_AD", False),
        ("X509_USER_PROXY", False),
    ],
)
def test_secrets_are_known_by_their_names(name: str, secret: bool) -> None:
    assert Redactor.is_secret_name(name) is secret
