"""The page, parsed back: self-contained, whole, and nothing of the node in it but text."""

from __future__ import annotations

from html.parser import HTMLParser

from agent.render import html
from profiles.checks import Status
from profiles.facts.cpu import CpuFacts
from profiles.node_facts import NodeFacts
from tests.unit.agent.render import nodes
from tests.unit.agent.render.made import HOSTILE, bound, check, hostile, make

VOID = {"meta"}
LOADING = {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use", "a"}


class Page(HTMLParser):
    """Checks that every tag is closed in order, and keeps tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_problems_facts_and_the_drawing_are_on_the_page() -> None:
    facts = nodes.node(nodes.EPYC_9654_X2, nodes.cores(8, "0-7", host=384), nodes.H100_MIG)
    found = check(
        "MEM-02",
        Status.WARNING,
        "1.5 GB per core",
        hint="configure slots",
        evidence=("/proc/meminfo",),
        thresholds=(bound("warn_below_bytes_per_core", 2e9, "CMS VO card"),),
    )
    page = Page(html.render(make(found, check("MEM-01"), facts=facts)))
    for part in (
        "1.5 GB per core",
        "configure slots",
        "/proc/meminfo",
        "CMS VO card",
        "Package 1",
        "L3 32 MiB",
        "CPU 383",
    ):
        assert part in page.text
    assert page.text.index("Problems") < page.text.index("The node") < page.text.index("Facts")


def test_nothing_is_loaded_and_nothing_runs() -> None:
    text = html.render(make(check("MEM-01"), facts=nodes.node(nodes.EPYC_9654_X2)))
    page = Page(text)
    assert not page.tags & LOADING
    assert not [
        name for name, _ in page.attributes if name.startswith("on") or name in {"src", "href", "style"}
    ]
    assert "url(" not in text
    assert "@import" not in text
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


def test_hostile_text_is_text_everywhere() -> None:
    facts = NodeFacts(cpu=CpuFacts(machine="x86_64", online_cpus=2, model_name=HOSTILE, flags=(HOSTILE,)))
    found = hostile().model_copy(update={"facts": facts})
    page = Page(html.render(found))
    assert not page.tags & LOADING
    assert page.text.count("<script>alert(1)</script>") >= 8
    assert "\x1b" not in page.text


def test_a_node_without_processor_facts_has_no_drawing() -> None:
    page = Page(
        html.render(make(check("MEM-01", Status.UNKNOWN, "timeout"), partial="memory did not finish"))
    )
    assert "svg" not in page.tags
    assert "memory did not finish" in page.text


def test_long_lists_are_cut_with_their_length() -> None:
    many = CpuFacts(machine="x86_64", online_cpus=1, flags=tuple(f"f{n}" for n in range(500)))
    page = Page(html.render(make(check("MEM-01"), facts=NodeFacts(cpu=many))))
    assert "f199 … 500 in all" in page.text
    assert "f200" not in page.text
