"""What needs a library that is not installed says so in one sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = """
import sys

class Hidden:
    def find_spec(self, name, *_):
        if name == "prometheus_client":
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Hidden())
from agent.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("arguments", "what"),
    [(["daemon"], "the daemon"), (["probe", "limits", "--format", "prometheus"], "the format prometheus")],
)
def test_without_prometheus_client_one_sentence_says_how_to_get_it(arguments: list[str], what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments], capture_output=True, text=True, check=False
    )
    sentence = f"{what} needs prometheus-client, which is not installed here: pip install 'sitecap[daemon]'"
    assert (done.returncode, done.stderr) == (3, f"agent: {sentence}\n")
