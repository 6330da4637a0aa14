"""The quick way to read a profile and the careful one give the same verdict on everything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.plain import MAX_DEPTH, is_plain
from profiles.profile import CapabilityProfile
from profiles.reading import ProfileError, _carefully, read_profile

EXAMPLES = Path(__file__).parent / "examples"
DOCUMENTS = {path.stem: path.read_bytes() for path in sorted(EXAMPLES.glob("*/*.json"))}
FULL = DOCUMENTS["full"]


def _verdict(read: Any, document: bytes) -> CapabilityProfile | str:
    try:
        profile = read(document)
    except ProfileError as error:
        return str(error)
    assert isinstance(profile, CapabilityProfile)
    return profile


def _with_later_field(value: str) -> bytes:
    return b'{"of_later": ' + value.encode() + b"," + DOCUMENTS["minimal"].lstrip()[1:]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_both_ways_agree_on_the_examples(name: str) -> None:
    assert _verdict(read_profile, DOCUMENTS[name]) == _verdict(_carefully, DOCUMENTS[name])


def test_an_ordinary_profile_is_plain() -> None:
    assert is_plain(FULL)
    assert is_plain(json.dumps(json.loads(FULL), separators=(",", ":")).encode())


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "-Infinity",
        '"NaN"',
        "1e400",
        "[-1.5E+400]",
        "1e-400",
        "1e0000000005",
        "9" * 5000,
        '"0e1234"',
        '"%s"' % ("9" * 300),
        '"ab 1e999"',
        "[" * 31 + "]" * 31,
        "[" * 32 + "]" * 32,
        '{"a":' * 31 + "1" + "}" * 31,
        '{"a":' * 32 + "1" + "}" * 32,
        '{"a":[' * 16 + "]}" * 16,
        '["]",' * 40 + '"' + "[" * 40 + '"' + "]" * 40,
        '"\\\\"',
        '"\\"[[["',
        '"\\\\\\"' + "[" * 40 + '"',
        '"\\ud800"',
        '"\\u0000"',
        '"\t"',
        "01",
        "1.",
        "truE",
        '"\\x"',
        '{"a": 1, "a": 2}',
        '{"": [{}, [], "", {"": ""}]}',
        "1e99",
        "7" * 199,
    ],
)
def test_both_ways_agree_on_what_a_newer_version_may_have_added(value: str) -> None:
    document = _with_later_field(value)

    assert _verdict(read_profile, document) == _verdict(_carefully, document)


@pytest.mark.parametrize(
    "version", ['"schema_version": "2.0", ', '"schema_version": 7, ', '"schema_version": "1.0", ']
)
@pytest.mark.parametrize("last", [True, False])
def test_both_ways_agree_on_a_key_that_is_there_twice(version: str, *, last: bool) -> None:
    text = FULL.strip()
    document = (
        text[:-1] + b"," + version.rstrip(", ").encode() + b"}"
        if last
        else b"{" + version.encode() + text[1:]
    )

    assert _verdict(read_profile, document) == _verdict(_carefully, document)


@pytest.mark.parametrize("junk", [b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x00", b"\\", b'"', b"\x1b"])
def test_both_ways_agree_on_bytes_that_are_no_text(junk: bytes) -> None:
    for place in (0, 1, FULL.index(b'"source"') + 3, FULL.index(b"facts") + 2, len(FULL)):
        document = FULL[:place] + junk + FULL[place:]

        assert _verdict(read_profile, document) == _verdict(_carefully, document)


@given(
    place=st.integers(0, len(FULL)),
    taken=st.integers(0, 30),
    put=st.binary(max_size=4)
    | st.text(alphabet='[]{}":,\\e+-.0123456789NIatun \n', max_size=12).map(str.encode),
)
def test_both_ways_agree_on_damaged_profiles(place: int, taken: int, put: bytes) -> None:
    document = FULL[:place] + put + FULL[place + taken :]

    assert _verdict(read_profile, document) == _verdict(_carefully, document)


@given(
    value=st.recursive(
        st.none() | st.floats() | st.text() | st.integers(),
        lambda of: st.lists(of) | st.dictionaries(st.text(), of),
    )
)
def test_both_ways_agree_on_any_json(value: Any) -> None:
    document = _with_later_field(json.dumps(value))

    assert _verdict(read_profile, document) == _verdict(_carefully, document)


@given(depth=st.integers(MAX_DEPTH - 3, MAX_DEPTH + 3), shape=st.sampled_from(["[]", "{}"]))
def test_plain_is_never_deeper_than_the_bound(depth: int, shape: str) -> None:
    opening = '{"[":' if shape == "{}" else "["

    assert is_plain((('{"a":' if shape == "{}" else "[") * depth + "1" + shape[1] * depth).encode()) == (
        depth <= MAX_DEPTH
    )
    assert not is_plain((opening * 40 + "1" + shape[1] * 40).encode())


def test_a_hostile_digest_is_looked_at_a_bounded_number_of_times() -> None:
    assert not is_plain(b'{"a": "' + b"a0e0000" * 200_000 + b'"}')
