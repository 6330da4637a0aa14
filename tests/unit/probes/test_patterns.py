"""The matcher of rules against Python's own, and against what would hang it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.sitelocal.pattern_program import PatternError
from probes.sitelocal.patterns import Budget, compile_pattern

PLENTY = 1_000_000

CHARACTERS = st.sampled_from(
    ["a", "b", "/", ".", "[ab]", "[^a]", "[a-c/]", r"\.", r"\w", r"\d", r"[\w.-]", r"[^\d/]"]
)
REPEATED = st.tuples(
    CHARACTERS, st.sampled_from(["", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,}", "{0,2}", "{1,3}?"])
).map("".join)


def _either(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(inner, min_size=1, max_size=3).map("|".join)


def _group(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(["(", "(?:"]), _either(inner), st.just(")")).map("".join)


SEQUENCES = st.recursive(
    st.lists(REPEATED, max_size=4).map("".join),
    lambda inner: st.lists(inner | _group(inner), max_size=3).map("".join),
    max_leaves=8,
)
LOOPS = st.recursive(
    SEQUENCES,
    lambda inner: st.tuples(_group(inner), st.sampled_from(["*", "+", "?", "{0,2}"])).map("".join),
    max_leaves=3,
)
NAMES = st.text("abc/.1", max_size=7)


@given(_either(SEQUENCES), NAMES)
def test_it_finds_the_groups_that_python_finds(pattern: str, name: str) -> None:
    wanted = re.fullmatch(pattern, name)
    if re.compile(pattern).groups > 9:
        return
    found = compile_pattern(pattern).full_match(name, Budget(PLENTY))
    assert found == (None if wanted is None else wanted.groups())


@given(_either(LOOPS), NAMES)
def test_with_loops_of_groups_it_matches_where_python_matches(pattern: str, name: str) -> None:
    if re.compile(pattern).groups > 9:
        return
    found = compile_pattern(pattern).full_match(name, Budget(PLENTY))
    assert (found is None) == (re.fullmatch(pattern, name) is None)


@given(st.text(max_size=30) | st.text(r"ab()[]{}*+?.|^$\-,123d", max_size=20), NAMES)
def test_any_text_is_a_pattern_or_refused_in_one_sentence(pattern: str, name: str) -> None:
    refusal = ""
    try:
        compile_pattern(pattern).full_match(name, Budget(PLENTY))
    except PatternError as error:
        refusal = str(error)
    assert refusal.isprintable()


@pytest.mark.parametrize(
    "pattern", ["(x+x+)+y", "(x*)*y", "(x|x)*y", "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)y", "(x?){30}x{30}y"]
)
def test_what_hangs_a_backtracking_matcher_takes_few_steps(pattern: str) -> None:
    # 2^1000 ways lead through the first one; each place of the pattern is visited once a character.
    assert compile_pattern(pattern).full_match("x" * 1000, Budget(200 * 1000)) is None


def test_the_budget_ends_the_work() -> None:
    with pytest.raises(PatternError, match="more than a job would wait for"):
        compile_pattern("(x*)*y").full_match("x" * 1000, Budget(1000))


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("a" * 1025, "1025 characters"),
        ("(" * 40 + ")" * 40, "nested too deeply"),
        ("((a{255}){255}){255}", "too long"),
        ("a{256}", "at most 255"),
        ("a{3,2}", "not backwards"),
        ("a**", "repeats a repetition"),
        ("*a", "repeats nothing"),
        ("(?=a)", "look-around"),
        (r"(a)\1", "not supported"),
        ("[b-a]", "backward range"),
        ("[]", "empty class"),
        ("[a", "not closed"),
        ("(a", "not closed"),
        ("a)", ") too many"),
        ("a\\", "ends in the middle"),
        ("()" * 10, "more than 9 groups"),
    ],
)
def test_what_is_not_supported_is_named(pattern: str, said: str) -> None:
    with pytest.raises(PatternError, match=re.escape(said)):
        compile_pattern(pattern)
