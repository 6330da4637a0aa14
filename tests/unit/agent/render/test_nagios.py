"""The plug-in output, read back by the rules of the Monitoring Plugins Development Guidelines."""

from __future__ import annotations

import re

from agent.render import nagios
from profiles.checks import Status
from tests.unit.agent.render.made import bound, check, hostile, make

PERFORMANCE = re.compile(r"'[^'=|]+'=-?[0-9.]+(s|%|B|KB|MB|TB|c)?;([0-9.]+:?)?;([0-9.]+:?)?;[0-9.]*;[0-9.]*")


def test_a_healthy_node_is_one_line() -> None:
    assert nagios.render(make(check("MEM-01"), check("MEM-02"))) == "SITECAP OK - 2 ok\n"


def test_bounds_become_ranges_in_the_direction_of_the_check() -> None:
    less_is_bad = check(
        "MEM-02",
        Status.WARNING,
        "1.5 GB per core",
        value=1_500_000_000,
        unit="B/core",
        thresholds=(bound("warn_below_bytes_per_core", 2e9), bound("critical_below_bytes_per_core", 1e9)),
        hint="configure slots with 2 GB per core",
    )
    more_is_bad = check("NET-01", value=0.25, unit="s", thresholds=(bound("warn_above_s", 1.0),))
    assert nagios.render(make(less_is_bad, more_is_bad)) == (
        "SITECAP WARNING - MEM-02 1.5 GB per core | "
        "'MEM-02'=1500000000B;2000000000:;1000000000:;0; 'NET-01'=0.25s;1;;0;\n"
        "MEM-02 WARNING: 1.5 GB per core\n"
        "MEM-02 fix: configure slots with 2 GB per core\n"
    )


def test_a_bound_per_core_is_not_put_beside_a_value_of_the_whole_node() -> None:
    load = check("CTX-05", value=3.2, unit="1", thresholds=(bound("warn_above_per_cpu", 1.0),))
    assert "'CTX-05'=3.2;;;;" in nagios.render(make(load))


def test_several_problems_are_named_worst_first() -> None:
    found = make(
        check("CPU-04", Status.WARNING), check("DSK-01", Status.CRITICAL), check("GPU-01", Status.SKIPPED)
    )
    assert nagios.render(found).splitlines()[0] == "SITECAP CRITICAL - 1 critical, 1 warning: DSK-01 CPU-04"


def test_the_first_line_stays_short_however_much_is_wrong() -> None:
    found = make(*(check(f"MEM-{n:02}", Status.WARNING, "x" * 300, value=n) for n in range(1, 90)))
    first, *long_text = nagios.render(found).splitlines()
    text, _, performance = first.partition(" | ")
    assert len(text) <= nagios.WIDTH
    assert text == "SITECAP WARNING - 89 warning: MEM-01 MEM-02 MEM-03 MEM-04 MEM-05 MEM-06 +83"
    assert len(PERFORMANCE.findall(performance)) == 89
    assert len(long_text) == nagios.MAX_LONG_LINES + 1


def test_values_that_are_no_numbers_are_not_performance_data() -> None:
    found = make(
        check("CPU-04", value="x86-64-v3"), check("CNT-01", value=True), check("CTX-05", value=float("inf"))
    )
    assert "|" not in nagios.render(found)


def test_a_partial_profile_says_so_and_is_unknown() -> None:
    assert nagios.render(make(check("MEM-01"), partial="time was up")) == (
        "SITECAP UNKNOWN - time was up\nincomplete: time was up\n"
    )


def test_hostile_text_forges_neither_lines_nor_performance_data() -> None:
    text = nagios.render(hostile())
    first, *rest = text.splitlines()
    assert first.count("|") == 1
    assert all(PERFORMANCE.fullmatch(item) for item in first.partition(" | ")[2].split(" "))
    assert "|" not in "".join(rest)
    assert len(rest) == 1 + 3 * 2
    assert "\x1b" not in text
    assert "\u202e" not in text
