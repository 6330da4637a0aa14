"""`agent bench event` as a user meets it: table, page and picture of one event; what cannot be done is one sentence."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from agent.bench_event import EventChoice, Step
from agent.render import event_html, event_svg, event_text

CHOICE = EventChoice(20.0, 3, 0)


def agent(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    program = f"{code}\nfrom agent.cli import main\nmain()"
    return subprocess.run(
        [sys.executable, "-c", program, "bench", "event", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("event") / "event.html"
    done = agent("--pile-up", "20", "--seed", "3", "-o", str(path))
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    return path.read_text()


def a_step(name: str = "clue", after: str | None = None, published: float | None = 0.05) -> Step:
    return Step(name, "Layer <clusters>", after, 0.002, published, ())


def test_the_table_says_what_each_kernel_takes_and_what_cms_publishes() -> None:
    done = agent("--pile-up", "20")
    assert done.returncode == 0, done.stderr
    assert "pile-up 20" in done.stdout
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("vertexing"))
    assert re.fullmatch(r"vertexing +pixeltrack +\d+\.\d\d +\d+\.\d% +-", line)
    shares = [float(share) for share in re.findall(r"(\d+\.\d)%", done.stdout)]
    assert sum(shares) == pytest.approx(100, abs=0.5)


def test_shares_are_of_the_sum() -> None:
    text = event_text.render(CHOICE, [a_step(), a_step("vertexing", "pixeltrack", None)])
    assert "clue       detector          2.00   50.0%     5%" in text
    assert "all                          4.00" in text


def test_the_page_loads_nothing_and_runs_only_its_own_script(page: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'")
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy[1]
    assert not re.search(r'(?:src|href)="(?!data:)', page)


def test_the_page_holds_the_event(page: str) -> None:
    (text,) = re.findall(r'<script type="application/json" id="event">(.*?)</script>', page, re.DOTALL)
    names = [layer["name"] for layer in json.loads(text)["layers"]]
    assert {"pixel hits", "primary vertices", "layer clusters"} <= set(names)
    assert len(names) == len(set(names))


def test_words_of_a_kernel_are_no_markup() -> None:
    hostile = a_step()._replace(
        layers=(
            {
                "name": "</script><b>",
                "colour": '#000"/><b>',
                "width": 1.0,
                "unit_cm": 1.0,
                "places": base64.b64encode(b"\1\0" * 3).decode(),
                "ends": None,
                "sizes": None,
                "there": 1,
            },
        )
    )
    page = event_html.render(CHOICE, [hostile])
    assert "<b>" not in page
    assert page.count("</script>") == 2
    assert "Layer &lt;clusters&gt;" in page
    ET.fromstring(event_svg.render(CHOICE, [hostile]))


def test_the_picture_is_svg_with_every_layer(tmp_path: Path) -> None:
    path = tmp_path / "event.svg"
    done = agent("--pile-up", "20", "-o", str(path))
    assert done.returncode == 0, done.stderr
    words = "".join(ET.fromstring(path.read_text()).itertext())
    for name in ("pixel hits", "primary vertices", "layer clusters", "tracks above 0.9 GeV"):
        assert name in words
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["--pile-up", "1000"], "1000"), (["--seed", "-1"], "-1"), (["--format", "png"], "png")],
)
def test_wrong_usage_ends_with_2(arguments: list[str], sentence: str) -> None:
    done = agent(*arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_without_compiled_kernels_one_sentence_says_how_to_get_them() -> None:
    done = agent(code="from payloads import compiled; compiled.variants = lambda: ()")
    assert done.returncode == 3
    assert done.stderr.startswith("agent: ")
    assert done.stderr.count("\n") == 1
    assert "kernels" in done.stderr


def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    done = agent("-o", str(tmp_path / "missing" / "event.html"))
    assert done.returncode == 3
    assert "cannot write" in done.stderr
