"""A verdict changes only when it was seen twice in a row, by looks that asked again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.daemon.hysteresis import Steady

OK, BAD, WORSE = "OK", "WARNING", "CRITICAL"


def after(*looks: tuple[str, str]) -> Steady:
    """Looks as (word, probes that ran)."""
    steady = Steady()
    for word, ran in looks:
        steady = steady.seen({"MEM-01": word}, ran.split())
    return steady


def test_the_first_look_is_shown_at_once() -> None:
    assert after((BAD, "memory")).shown == {"MEM-01": BAD}


def test_once_is_not_enough_and_twice_is() -> None:
    assert after((OK, "memory"), (BAD, "memory")).shown == {"MEM-01": OK}
    assert after((OK, "memory"), (BAD, "memory"), (BAD, "memory")).shown == {"MEM-01": BAD}


def test_twice_has_to_be_in_a_row() -> None:
    flapping = after(*[(OK, "memory"), (BAD, "memory")] * 10)
    assert flapping.shown == {"MEM-01": OK}
    assert after((OK, "m"), (BAD, "m"), (WORSE, "m"), (BAD, "m")).shown == {"MEM-01": OK}


def test_old_facts_judged_again_do_not_count() -> None:
    steady = after((OK, "memory"), (BAD, "memory"), (BAD, "disk"), (BAD, "disk"))
    assert steady.shown == {"MEM-01": OK}
    assert steady.to_ask() == {"memory"}
    assert steady.seen({"MEM-01": BAD}, ["memory"]).shown == {"MEM-01": BAD}


def test_a_verdict_of_several_probes_waits_for_all_of_them() -> None:
    steady = after((OK, "memory batch"), (BAD, "memory batch"), (BAD, "batch"))
    assert (steady.shown["MEM-01"], steady.to_ask()) == (OK, {"memory"})
    assert steady.seen({"MEM-01": BAD}, ["memory"]).shown["MEM-01"] == BAD


def test_a_check_that_is_gone_is_dropped() -> None:
    assert after((OK, "memory")).seen({}, ["memory"]) == Steady()


@given(st.lists(st.sampled_from([OK, BAD, WORSE]), min_size=1, max_size=40))
def test_what_is_shown_is_always_a_word_that_was_seen_twice_or_first(words: list[str]) -> None:
    steady = Steady()
    for number, word in enumerate(words):
        before = steady.shown.get("MEM-01")
        steady = steady.seen({"MEM-01": word}, ["memory"])
        shown = steady.shown["MEM-01"]
        if before is not None and shown != before:
            assert words[number - 1] == word == shown
        if number and words[number - 1] == word:
            assert shown == word
