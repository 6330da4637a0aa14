"""Pictures of a profile's kernels, drawn in children; what cannot be drawn is a reason on the page, not an error."""

from __future__ import annotations

from agent.bench_pictures import pictures
from payloads.catalogue import read_kernel
from tests.unit.agent.bench_examples import profile, result
from tests.unit.payloads.conftest import COMMAND, HERE

TOY = read_kernel(HERE / "toy")
VERSION = str(TOY.manifest.version)


def test_one_event_of_each_kernel_is_drawn() -> None:
    found = pictures(profile(result("toy", version=VERSION)), [TOY], "x86_64_v3", COMMAND)["toy"]
    assert (found.svg or "").startswith("<svg")
    assert found.reason is None


def test_another_version_of_the_kernel_is_said() -> None:
    found = pictures(profile(result("toy", version="99")), [TOY], "x86_64_v3", COMMAND)["toy"]
    assert found.svg is not None
    assert f"Drawn by version {VERSION} of the kernel; what was measured was 99." in (found.reason or "")


def test_what_cannot_be_drawn_has_a_reason() -> None:
    asked = profile(result("toy", version=VERSION), result("clue"))
    found = pictures(asked, [TOY], "x86_64_v3", ("/nonexistent/python",))
    assert found["clue"].reason == "this installation does not have the kernel"
    assert found["toy"].svg is None
    assert "no process could be started" in (found["toy"].reason or "")
