"""One verdict for each check of a probe, whatever became of its facts and whatever its judge does. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from probes.fork import describe
from probes.judging import Judging
from probes.settings import Settings
from probes.spec import Probe
from profiles.base import Facts
from profiles.checks import CheckResult, Status
from profiles.profile import ProbeRun


def verdicts(
    probe: Probe, run: ProbeRun, facts: Mapping[str, Facts], settings: Settings
) -> list[CheckResult]:
    """The verdicts of one probe, in the order of its catalogue.

    Args:
        probe: whose checks are judged.
        run: how gathering its facts went.
        facts: of all probes that gave any; a judge may look at the others'.
        settings: thresholds, and the checks that the site leaves out.
    """
    judging = Judging(probe, settings, facts)
    own = facts.get(probe.name)
    if own is None:
        return [_without_facts(check.id, judging, probe, run) for check in probe.checks]
    try:
        results = _one_each(list(probe.judge(own, judging)), judging, probe)
    except Exception as error:
        reason = f"the verdict could not be reached: {describe(error)}"
        results = [judging.unknown(check.id, reason) for check in probe.checks]
    final = []
    for result in results:
        why = settings.skip_checks.get(result.id)
        left = judging.skip(result.id, f"left out by the site configuration: {why}") if why else result
        final.append(left.model_copy(update={"duration_s": run.duration_s}))
    return final


def _one_each(results: list[CheckResult], judging: Judging, probe: Probe) -> list[CheckResult]:
    final = []
    for check in probe.checks:
        given = [result for result in results if result.id == check.id]
        wrong = f"probe {probe.name} gave {len(given)} verdicts for this check instead of one"
        final.append(given[0] if len(given) == 1 else judging.unknown(check.id, wrong))
    return final


def _without_facts(check_id: str, judging: Judging, probe: Probe, run: ProbeRun) -> CheckResult:
    check = next(check for check in probe.checks if check.id == check_id)
    reason = f"probe {probe.name}: {run.outcome}: {run.reason}"
    if run.outcome in ("timeout", "stuck") and check.critical_on_hang:
        return judging.critical(check_id, f"hangs: {run.reason}", reason=reason)
    return judging.result(check_id, Status.UNKNOWN, reason, reason=reason)
