"""Markdown, read back by a CommonMark parser with tables."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from agent.render import markdown
from profiles.checks import Status
from tests.unit.agent.render.made import HOSTILE, bound, check, hostile, make


def html(text: str) -> str:
    return MarkdownIt("commonmark").enable("table").render(text)


def test_problems_come_first_with_cause_bound_and_fix() -> None:
    text = markdown.render(
        make(
            check("MEM-01"),
            check(
                "MEM-02",
                Status.WARNING,
                "1.5 GB per core",
                hint="configure slots",
                evidence=("/proc/meminfo",),
                thresholds=(bound("warn_below_bytes_per_core", 2e9, "CMS VO card"),),
            ),
        )
    )
    page = html(text)
    for part in (
        "MEM-02 WARNING",
        "1.5 GB per core",
        "fix: configure slots",
        "2000000000.0 (CMS VO card)",
        "/proc/meminfo",
    ):
        assert part in page
    assert text.index("### Problems") < text.index("MEM-02") < text.index("### Found") < text.index("MEM-01")


def test_a_healthy_node_has_no_problems() -> None:
    assert "### Problems\n\nNone.\n" in markdown.render(make(check("MEM-01")))


def test_a_probe_that_did_not_finish_says_why() -> None:
    page = html(
        markdown.render(make(check("MEM-01", Status.UNKNOWN, "timeout"), partial="memory did not finish"))
    )
    assert "<strong>Incomplete:</strong> memory did not finish" in page
    assert "<td>timeout: killed after 5 s</td>" in page


def test_hostile_text_shows_as_itself() -> None:
    page = html(markdown.render(hostile()))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<code>f</code>" not in page
    rows = [row.count("<td>") for row in page.split("<tr>")[1:]]
    assert set(rows) <= {0, 3}, "no text may add a column"


@pytest.mark.parametrize(
    "text", ["@cms-admins", "#42", "![x](http://198.51.100.1/x.png)", "https://198.51.100.1", "*b*"]
)
def test_no_mention_no_reference_no_link(text: str) -> None:
    safe = markdown.escape(text)
    assert text not in safe
    assert html(safe) == f"<p>{text}</p>\n"


def test_escaping_keeps_one_line() -> None:
    assert "\n" not in markdown.escape(HOSTILE)
