"""Which finding of a node is told where there is room for one, and which is not worth anybody's time."""

from __future__ import annotations

import pytest

from capacity.fleet import attention
from capacity.hs06 import findings
from capacity.hs06.model import CpuDescription, Finding, Method

MILD = Finding(code="part-of-node", says="a")
BAD = Finding(code="slow-for-model", level="problem", says="b")
SO_SO = Finding(code="throttled", level="warning", says="c")


def test_the_worst_is_the_most_severe_and_the_first_of_equals() -> None:
    assert attention.worst((MILD, BAD, SO_SO)) is BAD
    assert attention.worst((SO_SO, Finding(code="other", level="warning", says="d"))) is SO_SO
    assert attention.worst(()) is None


@pytest.mark.parametrize(("finding", "alarming"), [(None, False), (MILD, False), (SO_SO, True), (BAD, True)])
def test_from_a_warning_on_somebody_should_look(finding: Finding | None, alarming: bool) -> None:
    assert (attention.severity(finding) >= attention.ALARMING) is alarming


def test_a_virtual_machine_as_such_is_no_alarm_but_an_architecture_without_scores_is() -> None:
    cpu = CpuDescription(virtualised=True, arch="ppc64le")
    known = findings.of_processor(cpu, None, Method.FAMILY, calibrated=True)
    unknown = findings.of_processor(cpu, None, Method.FAMILY, calibrated=False)
    assert attention.severity(attention.worst(known)) < attention.ALARMING
    assert attention.severity(attention.worst(unknown)) >= attention.ALARMING
