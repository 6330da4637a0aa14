"""Profiles that somebody else wrote: good ones are taken, bad ones are refused by one sentence that names the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.profile import CapabilityProfile
from profiles.reading import MAX_DEPTH, MAX_PROFILE_BYTES, ProfileError, read_profile, write_profile

EXAMPLES = Path(__file__).parent / "examples"
GOOD = sorted((EXAMPLES / "good").glob("*.json"))
SAYS = {
    "a_list": "is a JSON list, not an object",
    "bytes_as_text": "facts.memory.host_bytes: ",
    "bytes_beyond_64_bits": "facts.memory.host_bytes: ",
    "check_id_free_text": "checks.0.id: ",
    "check_twice": "CPU-01 is there twice",
    "cut_off": "it may have been cut off",
    "empty": "it may have been cut off",
    "id_not_uuid7": "id: ",
    "infinite_budget": "1e999 is not a number of JSON",
    "negative_bytes": "facts.memory.host_bytes: ",
    "negative_duration": "limits.duration_s: ",
    "no_cores_granted": "scope.cores_granted: ",
    "no_node": "node: ",
    "no_version": "no schema_version",
    "node_named_not_hashed": "node.id: ",
    "not_a_number": "NaN is not a number of JSON",
    "not_utf8": "not UTF-8 text: invalid continuation byte at byte 138",
    "null_without_reason": "facts.memory: host_bytes is null without a reason: say why in absent.host_bytes",
    "outcome_of_our_own": "limits.probes.0.outcome: ",
    "partial_without_reason": "limits.partial is true without limits.reason",
    "percent_over_100": "facts.memory.pressure_some_percent: ",
    "site_not_a_cms_name": "site.name: ",
    "skipped_without_reason": "checks.0: CPU-01 is SKIPPED without a reason",
    "status_of_our_own": "checks.0.status: ",
    "summary_too_long": "checks.0.summary: ",
    "time_without_zone": "created_at: ",
    "too_many_checks": "checks: ",
    "two_documents": "Extra data: line 2",
    "unknown_runtime": "facts.context.runtime: ",
    "unknown_without_reason": "checks.0: CPU-01 is UNKNOWN without a reason",
    "version_is_a_number": "no schema_version",
    "version_is_not_major_minor": "schema_version: ",
    "wrong_major": "schema_version '2.0', this program reads 1.x",
    "zero_throughput": "payloads.0.events_per_s: ",
    "role_of_our_own": "payloads.0.variants.0.role",
    "negative_sample": "payloads.0.variants.0.series.0.samples.1",
}
"""Defect (name of the example) → what the refusal has to say."""


def _minimal(**changes: Any) -> bytes:
    value = json.loads((EXAMPLES / "good/minimal.json").read_bytes())
    return json.dumps({**value, **changes}).encode()


def _refusal(document: bytes) -> str:
    with pytest.raises(ProfileError) as caught:
        read_profile(document)
    return str(caught.value)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_profile_is_read_and_written_and_read_again(path: Path) -> None:
    profile = read_profile(path.read_bytes())

    assert read_profile(write_profile(profile).encode()) == profile


def test_every_bad_example_has_its_sentence() -> None:
    assert {path.stem for path in (EXAMPLES / "bad").iterdir()} == set(SAYS)


@pytest.mark.parametrize("defect", SAYS)
def test_a_bad_profile_is_refused_by_one_sentence(defect: str) -> None:
    said = _refusal((EXAMPLES / f"bad/{defect}.json").read_bytes())

    assert SAYS[defect] in said
    assert "\n" not in said
    assert "Value error" not in said
    assert len(said) < 400


def test_fields_of_a_newer_minor_are_passed_over() -> None:
    profile = read_profile((EXAMPLES / "good/newer_minor.json").read_bytes())

    assert profile.schema_version == "1.7"
    assert "of_1_7" not in write_profile(profile)


def test_a_partial_profile_keeps_what_was_found_and_why_the_rest_is_missing() -> None:
    profile = read_profile((EXAMPLES / "good/partial.json").read_bytes())

    assert profile.limits.partial
    assert profile.limits.reason == "disk: stuck"
    assert [run.outcome for run in profile.limits.probes] == ["finished", "stuck"]


def test_too_deep_is_refused_before_it_is_parsed() -> None:
    assert f"deeper than {MAX_DEPTH} levels" in _refusal(b"[" * 100_000)
    assert f"deeper than {MAX_DEPTH} levels" in _refusal(b'{"a":' * 100_000)
    assert read_profile(_minimal(of_later=json.loads("[" * 31 + "]" * 31))).schema_version == "1.0"
    assert "deeper" in _refusal(_minimal(of_later=json.loads("[" * 32 + "]" * 32)))


def test_brackets_in_text_do_not_count() -> None:
    text = '[{"' * 200 + "\\"

    assert read_profile(_minimal(agent={"version": text})).agent.version == text


def test_too_large_is_refused_before_it_is_parsed() -> None:
    assert read_profile(_minimal().ljust(MAX_PROFILE_BYTES)).schema_version == "1.0"
    assert f"{MAX_PROFILE_BYTES + 1} bytes, more than" in _refusal(_minimal().ljust(MAX_PROFILE_BYTES + 1))


def test_a_profile_too_large_to_be_read_is_not_written() -> None:
    full = read_profile((EXAMPLES / "good/full.json").read_bytes())
    checks = tuple(
        full.checks[0].model_copy(update={"id": f"T{number // 100}X-{number % 100:02d}", "hint": "x" * 4096})
        for number in range(512)
    )

    with pytest.raises(ProfileError, match="would be larger than"):
        write_profile(full.model_copy(update={"checks": checks}))


@pytest.mark.parametrize("number", ["9" * 5000, "1e400", "-Infinity"])
def test_numbers_beyond_all_bounds_are_refused(number: str) -> None:
    document = _minimal().replace(b"60.0", number.encode())

    assert len(_refusal(document)) < 400


def test_half_a_character_is_refused() -> None:
    assert "\n" not in _refusal(_minimal().replace(b"0.1.0", b"\\ud800"))


def test_a_hostile_key_in_a_message_is_short_and_printable() -> None:
    said = _refusal(_minimal(facts={"extensions": {"\x1b[2J\n" + "x" * 100_000: 3}}))

    assert said.isprintable()
    assert len(said) < 400


@given(document=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_garbage_is_refused_and_never_a_traceback(document: bytes) -> None:
    _refusal(document)


@given(data=st.data())
def test_a_full_profile_with_one_value_replaced_is_read_or_refused(data: st.DataObject) -> None:
    value: Any = json.loads((EXAMPLES / "good/full.json").read_bytes())
    place = value
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        inner = place[key]
        if isinstance(inner, dict | list) and inner and data.draw(st.booleans()):
            place = inner
            continue
        break
    place[key] = data.draw(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([]))
    try:
        profile = read_profile(json.dumps(value).encode())
    except ProfileError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right
        return
    assert isinstance(profile, CapabilityProfile)
    assert read_profile(write_profile(profile).encode()) == profile
