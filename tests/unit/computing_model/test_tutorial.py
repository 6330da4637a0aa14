"""The tutorial's Python, run in its order as in a notebook."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TUTORIAL = Path(__file__).parents[3] / "docs/tutorial/plan-for-run-4.md"


def test_every_block_runs_and_says_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 7
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(TUTORIAL), "exec"), names)
    said = capsys.readouterr().out
    assert "Baseline             21,093 kHS06·years in 2029" in said
    assert "flag: reco.sped: there is no such key; did you mean 'speedup'?" in said
    assert "what matters most: Reconstruction code and core libraries" in said


def test_the_console_of_the_tutorial_and_the_how_to_is_understood(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from capacity.cli.plan import plan

    how_to = TUTORIAL.parents[1] / "how-to/plan.md"
    mine = tmp_path / "mine.toml"
    (toml,) = re.findall(r"```toml\n(.*?)```", how_to.read_text("utf-8"), re.DOTALL)
    mine.write_text(toml)
    calls = re.findall(
        r"^\$ capacity plan ?(.*?)(?: *#.*)?$",
        TUTORIAL.read_text("utf-8") + how_to.read_text("utf-8"),
        re.MULTILINE,
    )
    assert len(calls) >= 11
    for call in calls:
        words = [
            word.replace("mine.toml", str(mine)).replace("mine.csv", str(tmp_path / "mine.csv"))
            for word in call.split()
        ]
        words = [word.replace("plan.html", str(tmp_path / "plan.html")) for word in words]
        questions = ("compare", "solve", "tornado", "bands")
        done = CliRunner().invoke(plan, words if words and words[0] in questions else ["--no-fleet", *words])
        assert done.exit_code == 0, (call, done.output)
