"""The bytes of the XRootD protocol: what is sent is what the specification says, and nothing that comes can break it."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import xrootd_wire as wire

PARSERS: list[Callable[[bytes], object]] = [
    wire.header,
    wire.hello_reply,
    wire.protocol_reply,
    wire.login_reply,
    wire.error_reply,
    wire.redirect_reply,
    wire.wait_reply,
    wire.awaited_reply,
    wire.stat_reply,
    wire.locate_reply,
    lambda body: wire.config_reply(body, ("version", "role")),
]


@pytest.mark.parametrize("parse", PARSERS)
@given(body=st.binary(max_size=200))
def test_whatever_comes_is_understood_or_refused(parse: Callable[[bytes], object], body: bytes) -> None:
    with contextlib.suppress(wire.WireError):
        parse(body)


def test_the_hello_is_five_numbers() -> None:
    assert wire.HELLO.hex() == "00000000000000000000000000000004000007dc"


@given(path=st.text(max_size=100))
def test_a_request_has_24_bytes_and_its_data(path: str) -> None:
    message = wire.stat(7, path)
    stream, code, length = *struct.unpack(">HH", message[:4]), *struct.unpack(">i", message[20:24])
    assert (stream, code) == (7, 3017)
    assert len(message) == 24 + length
    assert message[24:] == path.encode("utf-8", "surrogateescape")


def test_the_login_has_process_user_and_abilities() -> None:
    message = wire.login(2, 4711, "someone-with-a-long-name")
    assert struct.unpack(">HHi8s", message[:16]) == (2, 3007, 4711, b"someone-")
    assert len(message) == 24


def test_tls_is_offered_and_asked_for() -> None:
    able, wanted, never = wire.protocol(1), wire.protocol(1, want_tls=True), wire.protocol(1, able_tls=False)
    assert [message[8] for message in (able, wanted, never)] == [0x02, 0x06, 0x00]


def test_what_a_server_demands() -> None:
    reply = wire.protocol_reply(struct.pack(">II", 0x511, 0x80000000 | 0x40000000 | 0x04000000 | 0x2 | 0x100))
    assert reply.version == "5.1.1"
    assert reply.roles == ("manager", "meta")
    assert (reply.tls_offered, reply.tls_now, reply.tls_demands) == (True, True, ("login",))
    old = wire.protocol_reply(struct.pack(">I", 0x310))
    assert (old.version, old.tls_offered, old.roles) == ("3.1.0", False, ())


def test_what_the_login_wants() -> None:
    body = bytes(16) + b"&P=ztn,0:4096:&P=gsi,v:10600,c:ssl,ca:0d2a.0\0"
    assert wire.login_reply(body) == ("ztn", "gsi")
    assert wire.login_reply(bytes(16)) == ()


@pytest.mark.parametrize(
    ("port", "text", "expected"),
    [
        (1095, b"ds1.example\0", ("ds1.example", 1095)),
        (1095, b"ds1.example?cms.cache=1?token", ("ds1.example", 1095)),
        (1095, b"[2001:db8::1]", ("2001:db8::1", 1095)),
        (-1, b"root://user@ds1.example:1096//store/x", ("ds1.example", 1096)),
        (-1, b"root://ds1.example//store/x", ("ds1.example", 1094)),
    ],
)
def test_where_a_redirection_leads(port: int, text: bytes, expected: tuple[str, int]) -> None:
    assert wire.redirect_reply(struct.pack(">i", port) + text) == expected


@pytest.mark.parametrize("text", [b"", b"?only-opaque", b"two words"])
def test_a_redirection_to_nowhere_is_refused(text: bytes) -> None:
    with pytest.raises(wire.WireError, match="redirect"):
        wire.redirect_reply(struct.pack(">i", 1094) + text)


@pytest.mark.parametrize("length", [-1, wire.MAX_REPLY_BYTES + 1, 2**31 - 1])
def test_a_reply_of_absurd_length_is_refused(length: int) -> None:
    with pytest.raises(wire.WireError, match="announces"):
        wire.header(struct.pack(">HHi", 1, 0, length))


def test_size_of_a_file() -> None:
    assert wire.stat_reply(b"1234 6652987 48 1795375279\0").size_bytes == 6_652_987
    for wrong in (b"", b"1 2", b"1 x 3 4", b"1 -5 3 4"):
        with pytest.raises(wire.WireError, match="kXR_stat"):
            wire.stat_reply(wrong)


def test_who_has_a_file() -> None:
    found = wire.locate_reply(b"Sr[::1]:1094 sw[::2]:1095 Mrmanager.example:1094 nonsense\0")
    assert [(one.kind, one.writable, one.target) for one in found] == [
        ("server", False, "[::1]:1094"),
        ("server pending", True, "[::2]:1095"),
        ("manager", False, "manager.example:1094"),
    ]


def test_a_key_that_the_server_does_not_know_is_left_out() -> None:
    keys = ("version", "role", "sitename")
    assert wire.config_reply(b"v5.5.3\nserver\nsitename\n", keys) == {"version": "v5.5.3", "role": "server"}


def test_an_awaited_reply_is_taken_out_of_its_attention() -> None:
    inner = struct.pack(">HHi", 5, 0, 3) + b"yes"
    found = wire.awaited_reply(struct.pack(">ii", 5008, 0) + inner)
    assert found == (wire.ReplyHeader(5, 0, 3), b"yes")
    assert wire.awaited_reply(struct.pack(">i", 5002)) is None
    with pytest.raises(wire.WireError, match="shorter"):
        wire.awaited_reply(struct.pack(">ii", 5008, 0) + inner[:-1])
