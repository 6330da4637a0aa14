"""How payloads are shown: the screen, the page, and two runs side by side."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from agent.bench_compare import compare, render_json, render_text
from agent.render import bench_html, bench_svg, bench_text
from agent.render.bench_html import Picture
from tests.unit.agent.bench_examples import profile, result

BAD = result(
    "mkfit", None, right=False, failed=True, reason="x86_64_v3: its physics is not right, so it has no score"
)
LATE = result(
    "vertexing", None, variants=(), variant=None, reason="the budget ended before it began",
    physics={"right": False, "reason": "not judged"},
)  # fmt: skip
HOSTILE = "<script>alert(1)</script>\x1b[31m\nsecond line"


def test_the_screen_has_a_line_a_kernel_and_fits() -> None:
    text = bench_text.render(profile(result(), BAD, LATE), width=80)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    row = next(line for line in lines if " clue" in line)
    assert re.search(r"ok +clue +200 ± 0\.5 % +105 +1\.90× +1\.33× +right +61", row)
    assert re.search(r"FAIL +mkfit +– .*WRONG", text)
    assert "efficiency is 0.5" in text
    assert re.search(r"skip +vertexing", text)
    assert "the budget ended before it began" in text
    assert lines[-1] == "1 failed, 1 not measured, 1 right in 30 s. Nothing was sent."


def test_one_fault_of_several_variants_is_told_once() -> None:
    fault = "its physics is not right, so it has no score: efficiency is 0.5"
    both = [
        {"name": name, "role": role, "reason": fault}
        for name, role in (("x86_64_v3", "best"), ("x86_64_v2", "baseline"))
    ]
    whole = result(
        "mkfit", None, right=False, failed=True, variants=both, reason="x86_64_v3: its physics is not right"
    )
    text = bench_text.render(profile(whole), width=80)
    assert text.count("efficiency is 0.5") == 1
    broken = {**both[1], "reason": "the copy on CPU 1 was killed by SIGILL"}
    other = result("mkfit", failed=True, variants=[both[0], broken], variant="x86_64_v3")
    assert "also  x86_64_v2: the copy on CPU 1 was killed by SIGILL" in bench_text.render(
        profile(other), width=80
    )


def test_verbose_names_variants_stages_physics_and_events() -> None:
    text = bench_text.render(profile(), width=80, verbose=True)
    for part in (
        "8 lanes",
        "2 copies: 200 [199, 201], 3 repeats",
        "link 75%",
        "efficiency: 0.95 (0.9 to 1)",
        "pile-up 200",
    ):
        assert part in text


def test_a_profile_without_payloads_says_so() -> None:
    assert "holds no payloads" in bench_text.render(profile(bench=None, payloads=()), width=80)


def test_hostile_text_drives_neither_terminal_nor_page() -> None:
    hostile = profile(
        result(kernel=HOSTILE, title=HOSTILE, device=HOSTILE, reason=HOSTILE, remarks=[HOSTILE]),
        bench={"mode": "quick", "budget_s": 1, "duration_s": 1, "copies": 2, "left_out": [{"name": HOSTILE, "reason": HOSTILE}]},
    )  # fmt: skip
    assert "\x1b" not in bench_text.render(hostile, width=80, verbose=True)
    page = bench_html.render(hostile, {HOSTILE: Picture(f"<svg>{HOSTILE}</svg>")})
    assert "<script" not in page
    assert "\x1b" not in page


class _Balanced(HTMLParser):
    void = frozenset({"meta", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return None  # <rect/> and the like

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing() -> None:
    page = bench_html.render(
        profile(result(), BAD, LATE), {"clue": Picture("<svg/>"), "mkfit": Picture(None, "no GPU")}
    )
    parser = _Balanced()
    parser.feed(page)
    assert parser.open == []
    assert parser.loads
    assert all(place.startswith("data:image/svg+xml;base64,") for place in parser.loads)
    assert "default-src 'none'" in page
    assert "No picture: no GPU" in page
    assert "Where the time goes" in page


def test_the_charts_are_xml_and_show_the_figures() -> None:
    one = result()
    for chart in (bench_svg.bars(one), bench_svg.scaling(one), bench_svg.stages(one.variants[0])):
        ET.fromstring(chart)
    assert "200 events/s" in bench_svg.bars(one)
    assert "1.90×" in bench_svg.scaling(one)
    assert "75%" in bench_svg.stages(one.variants[0])
    assert bench_svg.scaling(LATE) == ""
    assert bench_svg.bars(LATE) == ""


def test_a_curve_of_512_copies_labels_without_crowding() -> None:
    series = [{"copies": 2**power, "events_per_s": 100.0 * 2**power, "samples": [1.0]} for power in range(10)]
    whole = result(copies=512, variants=[{"name": "x86_64_v3", "role": "best", "series": series}])
    labels = re.findall(r'text-anchor="middle">([0-9]+)<', bench_svg.scaling(whole))
    assert labels[0] == "1"
    assert labels[-1] == "512"
    assert len(labels) <= 9


# -- two runs ------------------------------------------------------------------------------------------------


def test_equal_runs_have_ratio_one_and_nothing_to_say() -> None:
    found = compare(profile(), profile())
    (row,) = found.rows
    assert row.ratio is not None
    assert row.ratio.median == 1
    assert not row.significant
    assert row.said == found.said == ()


def test_a_faster_run_is_marked_with_its_interval() -> None:
    found = compare(profile(), profile(result(rate=220.0)))
    assert found.rows[0].significant
    assert "≠ clue" in render_text(found)
    assert "1.100 ± 0.008" in render_text(found)
    document = json.loads(render_json(found))
    assert document["kernels"][0]["ratio"] == pytest.approx(1.1)


def test_other_machines_versions_and_copies_are_said() -> None:
    other = profile(
        result(device="Intel", compiler="clang 14", variant="x86_64_v4"), node="1" * 32, agent={"version": "0.2"},
        bench={"mode": "thorough", "budget_s": 54, "duration_s": 30, "copies": 4},
    )  # fmt: skip
    text = render_text(compare(profile(), other))
    for words in (
        "machines differ", "processors differ: AMD EPYC and Intel", "versions of sitecap differ", "copies differ",
        "modes differ", "compilers differ: gcc 12 and clang 14", "variants differ",
    ):  # fmt: skip
        assert words in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "2"}, "versions of the kernel differ: 1 and 2"),
        ({"event_set": {"section": "hgcal", "pile_up": 140, "seed": 7, "count": 8}}, "the event sets differ"),
    ],
)
def test_other_work_has_no_ratio(change: dict[str, object], words: str) -> None:
    (row,) = compare(profile(), profile(result(**change))).rows
    assert row.ratio is None
    assert words in row.said
    assert "no ratio: the two did not do the same work" in row.said


def test_other_bits_of_the_same_work_are_suspicious() -> None:
    other = result()
    other = other.model_copy(update={"variants": (other.variants[0].model_copy(update={"digest": "bb"}),)})
    assert any(
        "suspect a build or a machine" in text for text in compare(profile(), profile(other)).rows[0].said
    )


def test_what_one_side_does_not_know_is_no_difference() -> None:
    late = result(rate=None, variant=None, compiler=None, flags=(), variants=(), reason="the budget ended")
    for other in (profile(late), profile(bench=None, payloads=())):
        text = render_text(compare(profile(), other))
        assert "None" not in text
        assert "differ:" not in text


def test_kernels_of_one_side_only() -> None:
    found = compare(profile(result(), result("mkfit")), profile(result(), BAD))
    rows = {row.kernel: row for row in found.rows}
    assert rows["mkfit"].ratio is None
    assert "B has no throughput" in rows["mkfit"].said[0]
    assert "B holds no payloads" in compare(profile(), profile(payloads=())).said
