"""The Frontier protocol, healthy, damaged and hostile; and whose fault an answer through a proxy is."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.answers import Fetched
from probes.proxy_answers import from_cache, own_error
from probes.squid.frontier import (
    MAX_BLOB_BYTES,
    FrontierError,
    Reply,
    check_one,
    parse,
    query_of,
    query_url,
)

PUBLISHED = b"""<?xml version="1.0" encoding="US-ASCII"?>
<!DOCTYPE frontier SYSTEM "http://frontier.fnal.gov/frontier.dtd">
<frontier version="3.42" xmlversion="1.0">
 <transaction payloads="1">
  <payload type="frontier_file" version="1" encoding="BLOB">
   <data>BgAAAM9jaGFubmVsLHR2LHRyLGRhdGFfdHlwZSx1cGxvYWRfdGltZSxzdGFydF90aW1lLHN0b3Bf
dGltZSxydW5fdHlwZSxzb2Z0d2FyZV92ZXJzaW9uLGJ1ZmZlcixhY19jb3VwbGUKMCwyMzMwMC4w
LDE3MDAwNjc0MDYuOTcyODkwMSxucDAyX2NvbGRib3gsMTcwMDA2NzQwNi45NzI4NjQ2LDE3MDAw
Njc4MDMuMCxOb25lLFRFU1QsZmQtdjQuMi4wLWM2LE5vbmUsTm9uZQoH</data>
   <quality error="0" md5="3437dff6878ab524247531f6742ee8f9" records="1" full_size="213"/>
  </payload>
 </transaction>
</frontier>
"""
"""The reply of a real servlet, as DUNE's documentation of its Frontier server prints it (public)."""


def text_field(value: bytes) -> bytes:
    return b"\x06" + len(value).to_bytes(4, "big") + value


GOOD = text_field(b"1") + text_field(b"NUMBER") + b"\x07" + text_field(b"1") + b"\x07"


def reply(
    blob: bytes = GOOD, *, quality: str = "", packed: bytes | None = None, encoding: str = "BLOBzip"
) -> bytes:
    data = zlib.compress(blob) if packed is None else packed
    md5 = hashlib.md5(data).hexdigest()
    said = quality or f'error="0" md5="{md5}" records="1" full_size="{len(blob)}"'
    return (
        f'<?xml version="1.0"?><frontier version="3"><transaction payloads="1"><keepalive/>'
        f'<payload type="frontier_request" version="1" encoding="{encoding}">'
        f"<data>{base64.b64encode(data).decode()}</data><quality {said}/></payload></transaction></frontier>"
    ).encode()


def fault_of(content: bytes) -> tuple[str, str]:
    with pytest.raises(FrontierError) as caught:
        check_one(parse(content))
    return caught.value.fault, caught.value.text


def test_the_reply_of_a_real_servlet_is_understood() -> None:
    found = parse(PUBLISHED)
    assert len(found.columns) == 1
    assert str(found.columns[0]).startswith("b'channel,tv,tr,data_type,upload_time")
    assert found.rows == ()


def test_the_query_of_a_url_is_the_query() -> None:
    url = query_url("http://frontier.example.org:8000/FrontierProd/", "SELECT 'ÿ?>~' FROM DUAL" * 20)
    start = "http://frontier.example.org:8000/FrontierProd/Frontier/type=frontier_request:1:DEFAULT&encoding=BLOBzip&p1="
    assert url.startswith(start)
    assert not set("+/=") & set(url.removeprefix(start))
    assert query_of(url.removeprefix(start)) == "SELECT 'ÿ?>~' FROM DUAL" * 20


def test_the_published_encoding_of_a_query_is_decoded() -> None:
    packed = base64.b64encode(zlib.compress(b"SELECT 1 FROM DUAL", 9)).decode()
    assert query_url("http://f/x").endswith(packed.replace("+", ".").replace("/", "-").replace("=", "_"))


@given(st.text(max_size=60))
def test_what_is_no_query_is_refused(parameter: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        query_of(parameter + "!")


@pytest.mark.parametrize("encoding", ["BLOBzip", "BLOBzip5"])
def test_a_good_reply_gives_its_rows(encoding: str) -> None:
    found = parse(reply(encoding=encoding))
    assert found == Reply((b"1", b"NUMBER"), ((b"1",),))
    check_one(found)
    check_one(parse(reply(GOOD, packed=GOOD, encoding="BLOB")))


def test_every_type_of_field_is_read() -> None:
    blob = (
        text_field(b"C")
        + b"\x07"
        + b"\x00\x05"
        + b"\x01\x00\x00\x00\x01"
        + b"\x02"
        + (7).to_bytes(8, "big")
        + b"\x03\x3f\x80\x00\x00"
        + b"\x04\x3f\xf0\x00\x00\x00\x00\x00\x00"
        + b"\x05"
        + (1000).to_bytes(8, "big")
        + b"\x86"
        + b"\x07"
    )
    assert parse(reply(blob)).rows == ((5, 1, 7, 1.0, 1.0, 1000, None),)


@pytest.mark.parametrize(
    ("content", "fault", "text"),
    [
        (b"", "not-frontier", "is not Frontier's XML"),
        (b"<html>log in</html>", "not-frontier", "is not Frontier's XML"),
        (b"<frontier><transaction>", "not-frontier", "not XML"),
        (b"<frontier></frontier>", "not-frontier", "no <transaction>"),
        (b"<frontier><transaction><payload/></transaction></frontier>", "not-frontier", "no <quality>"),
        (reply(quality='error="1" message="ORA-12541"'), "frontier-error", "error 1: ORA-12541"),
        (
            b'<frontier><transaction><quality error="1" message="no servlet"/></transaction></frontier>',
            "frontier-error",
            "no servlet",
        ),
        (
            b'<frontier><transaction><global_error msg="database down"/></transaction></frontier>',
            "frontier-error",
            "database down",
        ),
        (reply(quality='error="0" md5="x"'), "not-frontier", "no MD5"),
        (reply(quality=f'error="0" md5="{"0" * 32}"'), "bad-payload", "the MD5 of the payload is not"),
        (reply(encoding="XML"), "not-frontier", "encoding 'XML'"),
        (reply(packed=b"not zlib"), "bad-payload", "cannot be decompressed"),
        (reply(packed=zlib.compress(GOOD)[:-6]), "bad-payload", "cut short"),
        (reply(packed=zlib.compress(bytes(2 * MAX_BLOB_BYTES))), "bad-payload", "more than the bound"),
        (reply(packed=zlib.compress(GOOD + GOOD)), "bad-payload", "bytes after decompression instead of"),
        (reply(b""), "bad-payload", "no records"),
        (reply(GOOD[:-1]), "bad-payload", "the last record has no end"),
        (reply(b"\x09"), "bad-payload", "field type 9"),
        (reply(b"\x06\x00\x00"), "bad-payload", "cut short"),
        (reply(b"\x06\x7f\xff\xff\xff1"), "bad-payload", "a text of 2147483647 bytes"),
        (reply(b"\x06\xff\xff\xff\xff1"), "bad-payload", "a text of -1 bytes"),
        (reply(text_field(b"1") + b"\x07"), "wrong-answer", "gave 0 rows, not 1"),
        (reply(GOOD.replace(b"\x011\x07", b"\x012\x07")), "wrong-answer", "gave 1 row, not 1"),
        (reply().replace(b"<data>", b"<data>&amp;!"), "bad-payload", "not base64"),
    ],
)
def test_a_bad_reply_has_its_own_sentence(content: bytes, fault: str, text: str) -> None:
    found = fault_of(content)
    assert (found[0], text in found[1]) == (fault, True), found


@pytest.mark.parametrize(
    "entity",
    [
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
    ],
)
def test_entities_are_refused(entity: str) -> None:
    hostile = f'<!DOCTYPE frontier [{entity}]><frontier><transaction><quality error="&b;"/></transaction></frontier>'
    fault, text = fault_of(hostile.encode())
    assert fault == "not-frontier"
    assert "EntitiesForbidden" in text or "not XML" in text


def test_a_deep_reply_is_refused_or_read() -> None:
    deep = b"<frontier>" + b"<a>" * 20_000
    assert fault_of(deep)[0] == "not-frontier"


@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_a_fault(content: bytes) -> None:
    for hostile in (content, b"<frontier>" + content, reply(content)):
        with contextlib.suppress(FrontierError):
            assert isinstance(parse(hostile), Reply)


def test_control_characters_of_a_server_do_not_reach_the_screen() -> None:
    said = reply(quality='error="1" message="a&#9;b&#155;31mred"')
    assert "\x9b" not in fault_of(said)[1]


# -- whose fault --------------------------------------------------------------------------------------------------


def answer(status: int, **headers: str) -> Fetched:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fetched(status, fields, b"", 0, 0, True, "body", None, None, 0.1, 0.1)


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (answer(403, x_squid_error="ERR_ACCESS_DENIED 0", server="squid/5.7"), "acl-denied"),
        (answer(403, server="squid"), "acl-denied"),
        (answer(403, via="1.1 squid.lab (squid/5.7)", server="Apache"), None),
        (answer(407), "proxy-auth"),
        (answer(407, x_squid_error="ERR_CACHE_ACCESS_DENIED 0"), "proxy-auth"),
        (answer(503, x_squid_error="ERR_CONNECT_FAIL 111"), "proxy-error"),
        (answer(503, server="squid/5.7"), "proxy-error"),
        (answer(502, proxy_status="cdn; error=connection_refused"), "proxy-error"),
        (answer(504, x_squid_error="ERR_DNS_FAIL 0"), "proxy-error"),
        (answer(503, server="Apache"), None),
        (answer(404, server="Apache"), None),
        (answer(200, server="squid/5.7"), None),
    ],
)
def test_an_error_is_the_proxys_own_or_the_servers(found: Fetched, fault: str | None) -> None:
    own = own_error(found)
    assert (own.fault if own else None) == fault


def test_a_hostile_error_name_is_not_repeated() -> None:
    own = own_error(answer(503, x_squid_error="<script>\x1b[31m", server="squid"))
    assert own is not None
    assert own.detail == "503 from the proxy itself"


@pytest.mark.parametrize(
    ("headers", "cached"),
    [
        ({"x_cache": "HIT from squid.lab", "age": "0"}, True),
        ({"x_cache": "MISS from squid.lab"}, False),
        ({"x_cache": "HIT from upstream, MISS from squid.lab", "age": "60"}, False),
        ({"age": "3"}, True),
        ({}, False),
    ],
)
def test_the_nearest_cache_counts(headers: dict[str, Any], cached: bool) -> None:
    assert from_cache(answer(200, **headers)) is cached
