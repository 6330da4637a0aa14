"""Helm's own engine (helm-python-sdk), in a process of its own.

The engine is Go: its runtime takes signals and gigabytes of address space, which tests that fork or bound memory in this
process would feel. So `python -m tests.lab.helm` answers questions, a JSON object a line, and this process only asks.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHARTS = ROOT / "charts"
RELEASE, NAMESPACE = "demo", "cms"
NEEDED = {"sitecap-agent": {"site": "T2_LV_Example"}, "sitecap-capacity": {}}
"""Values without which a chart refuses; a test may give others, or None for none."""


class RefusedError(Exception):
    """Helm refused the values; the message is what the admin reads."""


class Helm:
    """The engine, as long as its process runs."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.lab.helm"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def render(
        self, chart: str, values: Mapping[str, Any] | None = None, namespace: str = NAMESPACE
    ) -> dict[str, str]:
        """Template → text, without those that came out empty.

        Raises:
            RefusedError: the schema or a template refuses the values.
        """
        found = self._ask(
            {"chart": chart, "values": {**NEEDED[chart], **(values or {})}, "namespace": namespace}
        )
        return {
            name.partition("/templates/")[2]: text for name, text in sorted(found.items()) if text.strip()
        }

    def manifests(
        self, chart: str, values: Mapping[str, Any] | None = None, namespace: str = NAMESPACE
    ) -> list[dict[str, Any]]:
        """The Kubernetes objects.

        Raises:
            RefusedError: the schema or a template refuses the values.
        """
        texts = self.render(chart, values, namespace)
        texts.pop("NOTES.txt")
        return [document for text in texts.values() for document in yaml.safe_load_all(text) if document]

    def lint(self, chart: str, values: Mapping[str, Any] | None = None) -> list[str]:
        """What `helm lint --strict` complains about."""
        found = self._ask({"chart": chart, "values": {**NEEDED[chart], **(values or {})}, "lint": True})
        return list(found["errors"])

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        assert pipe_in is not None
        assert pipe_out is not None
        pipe_in.write(json.dumps(question) + "\n")
        pipe_in.flush()
        answer: dict[str, Any] = json.loads(pipe_out.readline())
        if "refused" in answer:
            raise RefusedError(answer["refused"])
        return answer["found"]  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def helm() -> Iterator[Helm]:
    """Helm's engine."""
    if importlib.util.find_spec("helm_python") is None:
        pytest.skip("helm-python-sdk is not installed: it has wheels for x86-64 only")
    engine = Helm()
    yield engine
    engine.close()


def pods(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Name of the workload → its pod template."""
    return {
        one["metadata"]["name"]: one["spec"]["template"]
        for one in manifests
        if "template" in one.get("spec", {})
    }


def _answer(question: Mapping[str, Any]) -> dict[str, Any]:
    import helm_python

    folder, values = CHARTS / question["chart"], question["values"]
    try:
        if question.get("lint"):
            return {"found": helm_python.lint(folder, values, strict=True, namespace=NAMESPACE)}
        with helm_python.Chart.load(folder) as chart:
            return {"found": chart.render(values, name=RELEASE, namespace=question["namespace"])}
    except helm_python.HelmError as error:
        return {"refused": str(error)}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)
