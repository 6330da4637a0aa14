"""Verdicts about containers: pure functions from facts to check results."""

from __future__ import annotations

import re
from collections.abc import Sequence

from probes.judging import Judging
from profiles.checks import CheckResult
from profiles.facts.container import ContainerFacts, PilotRuntime
from profiles.facts.context import ContextFacts

GB = 1_000_000_000
INSIDE = "we are inside an Apptainer container: a payload starts no further one"
NO_RUNTIME = "no Apptainer or Singularity works here"


def usable_runtime(
    runtimes: Sequence[PilotRuntime], *, user_namespaces: bool | None, no_new_privs: bool | None
) -> PilotRuntime | None:
    """The first runtime that answers and has a way to start: a user namespace or a set-user-id starter."""
    for runtime in runtimes:
        if runtime.version and (user_namespaces or (runtime.setuid and not no_new_privs)):
            return runtime
    return None


def judge(facts: ContainerFacts, judging: Judging) -> list[CheckResult]:
    """One verdict for each of CNT-01 to CNT-08."""
    context = judging.facts_of("context", ContextFacts)
    around = context.runtime if context is not None else None
    usable = usable_runtime(
        facts.pilot_runtimes, user_namespaces=facts.user_namespaces_work, no_new_privs=facts.no_new_privs
    )
    return [
        _user_namespaces(facts, judging, usable, around),
        _net_namespaces(facts, judging, around),
        _runtime(facts, judging, usable, around),
        _image(facts, judging),
        _sif(facts, judging, usable),
        _mode(facts, judging),
        _privileges(facts, judging),
        _cache(facts, judging, usable),
    ]


def _user_namespaces(
    facts: ContainerFacts, judging: Judging, usable: PilotRuntime | None, around: str | None
) -> CheckResult:
    evidence = [
        f"{name} = {int(value)}"
        for name, value in (
            ("user.max_user_namespaces", facts.max_user_namespaces),
            ("kernel.unprivileged_userns_clone", facts.unprivileged_userns_clone),
            ("kernel.apparmor_restrict_unprivileged_userns", facts.apparmor_restricts_userns),
        )
        if value is not None
    ]
    works = facts.user_namespaces_work
    if works is None:
        return judging.unknown(
            "CNT-01", f"not tried: {_why(facts, 'user_namespaces_work')}", evidence=evidence
        )
    if not works:
        summary = f"user namespaces do not work: {facts.user_namespaces_problem}"
        if around == "apptainer":
            return judging.skip("CNT-01", f"{summary}; {INSIDE}")
        if usable is not None:
            summary += f"; {usable.path} works by its set-user-id starter"
            return judging.warn("CNT-01", summary, value=False, evidence=evidence)
        return judging.critical("CNT-01", summary, value=False, evidence=evidence)
    if facts.unprivileged_userns_clone is False and _is_administrator(facts):
        summary = (
            "user namespaces work for root, but kernel.unprivileged_userns_clone = 0 forbids them to users"
        )
        return judging.warn("CNT-01", summary, value=True, evidence=evidence)
    if facts.apparmor_restricts_userns:
        summary = (
            "user namespaces work, but AppArmor leaves them without capabilities unless a profile allows them"
        )
        return judging.warn("CNT-01", summary, value=True, evidence=evidence)
    return judging.ok("CNT-01", "user namespaces work (tried)", value=True, evidence=evidence)


def _net_namespaces(facts: ContainerFacts, judging: Judging, around: str | None) -> CheckResult:
    limit = facts.max_net_namespaces
    if limit is None:
        return judging.unknown("CNT-02", f"unknown limit: {_why(facts, 'max_net_namespaces')}")
    evidence = [f"/proc/sys/user/max_net_namespaces: {limit}"]
    if limit == 0:
        return judging.ok("CNT-02", "users cannot make network namespaces", value=0, evidence=evidence)
    if facts.user_namespaces_work is False:
        return judging.ok(
            "CNT-02", "without user namespaces users make no network namespaces", evidence=evidence
        )
    needed_by = [engine.name for engine in facts.engines]
    if around not in (None, "none"):
        needed_by.append(f"the {around} container around us")
    if needed_by:
        summary = f"users can make network namespaces; needed by {', '.join(needed_by[:3])}"
        return judging.ok("CNT-02", summary, value=limit, evidence=evidence)
    summary = "users can make network namespaces, and no container engine here needs them"
    return judging.warn("CNT-02", summary, value=limit, evidence=evidence)


def _runtime(
    facts: ContainerFacts, judging: Judging, usable: PilotRuntime | None, around: str | None
) -> CheckResult:
    evidence = [_described(runtime) for runtime in facts.pilot_runtimes]
    if around == "apptainer" and usable is None:
        return judging.skip("CNT-03", INSIDE)
    if not facts.pilot_runtimes:
        summary = "no Apptainer or Singularity found: not in the pilot's variables, on PATH or in CVMFS"
        return judging.critical("CNT-03", summary)
    if usable is None:
        answering = [runtime for runtime in facts.pilot_runtimes if runtime.version]
        if not answering and all("(ENOTSUP)" in r.absent.get("version", "") for r in facts.pilot_runtimes):
            reason = f"{facts.pilot_runtimes[0].path} was not tried: no command is run in another root"
            return judging.unknown("CNT-03", reason, evidence=evidence)
        if not answering:
            return judging.critical("CNT-03", f"none works: {evidence[0]}", evidence=evidence)
        if facts.user_namespaces_work is None:
            reason = f"whether {answering[0].path} can start is unknown: user namespaces were not tried"
            return judging.unknown("CNT-03", reason, evidence=evidence)
        summary = f"{answering[0].path} has neither user namespaces nor a set-user-id starter that works"
        return judging.critical("CNT-03", summary, evidence=evidence)
    summary = f"{usable.path} {usable.version} (found by {usable.found_by})"
    if not facts.user_namespaces_work:
        return judging.warn(
            "CNT-03", f"{summary}, by set-user-id only", value=usable.version, evidence=evidence
        )
    return judging.ok("CNT-03", summary, value=usable.version, evidence=evidence)


def _image(facts: ContainerFacts, judging: Judging) -> CheckResult:
    trial = facts.image_trial
    if trial is None:
        return judging.skip("CNT-04", _why(facts, "image_trial"))
    evidence = [f"exec {trial.image} /bin/true"]
    if trial.works is None:
        return judging.unknown("CNT-04", f"{trial.image}: {trial.absent.get('works')}", evidence=evidence)
    if not trial.works:
        return judging.critical("CNT-04", f"{trial.image} does not start: {trial.detail}", evidence=evidence)
    return judging.ok("CNT-04", f"a payload runs in {trial.image}", evidence=evidence)


def _sif(facts: ContainerFacts, judging: Judging, usable: PilotRuntime | None) -> CheckResult:
    if usable is None:
        return judging.skip("CNT-05", NO_RUNTIME)
    wanted = str(judging.bound("CNT-05", "warn_below_kernel").value)
    lacking = []
    if facts.fuse_device_opens is False:
        lacking.append(facts.fuse_problem or "/dev/fuse cannot be opened")
    if facts.squashfuse_path is None:
        lacking.append("no squashfuse")
    if facts.kernel_release and _numbers(facts.kernel_release) < _numbers(wanted):
        lacking.append(f"kernel {facts.kernel_release} is older than {wanted}")
    if lacking:
        return judging.warn("CNT-05", f"SIF images are unpacked before they start: {'; '.join(lacking)}")
    if facts.fuse_device_opens is None:
        return judging.unknown("CNT-05", _why(facts, "fuse_device_opens"))
    return judging.ok("CNT-05", f"SIF images can be mounted by {facts.squashfuse_path}")


def _mode(facts: ContainerFacts, judging: Judging) -> CheckResult:
    if facts.mode is None:
        return judging.unknown("CNT-06", _why(facts, "mode"))
    return judging.ok(
        "CNT-06", f"{facts.mode} user namespace", value=str(facts.mode), evidence=facts.uid_map[:8]
    )


def _privileges(facts: ContainerFacts, judging: Judging) -> CheckResult:
    if facts.no_new_privs is None and facts.seccomp is None and facts.effective_capabilities is None:
        return judging.unknown("CNT-07", _why(facts, "no_new_privs"))
    parts = []
    if facts.no_new_privs is not None:
        parts.append("no_new_privs" if facts.no_new_privs else "new privileges possible")
    if facts.seccomp is not None:
        parts.append(f"seccomp {facts.seccomp}")
    if facts.effective_capabilities is not None:
        parts.append(f"{len(facts.effective_capabilities)} capabilities")
    if facts.fuse_device_opens is not None:
        parts.append("/dev/fuse opens" if facts.fuse_device_opens else "no /dev/fuse")
    evidence = ["/proc/self/status"]
    if facts.effective_capabilities:
        evidence.append(f"CapEff: {', '.join(facts.effective_capabilities)}")
    return judging.ok("CNT-07", ", ".join(parts), evidence=evidence)


def _cache(facts: ContainerFacts, judging: Judging, usable: PilotRuntime | None) -> CheckResult:
    if usable is None:
        return judging.skip("CNT-08", NO_RUNTIME)
    available = facts.cache_available_bytes
    if available is None:
        return judging.unknown("CNT-08", _why(facts, "cache_available_bytes"))
    summary = f"{available / GB:.1f} GB free for images at {facts.cache_path}"
    verdict = judging.warn if available < judging.number("CNT-08", "warn_below_bytes") else judging.ok
    return verdict("CNT-08", summary, value=available, unit="B")


def _is_administrator(facts: ContainerFacts) -> bool:
    return "sys_admin" in (facts.effective_capabilities or ())


def _described(runtime: PilotRuntime) -> str:
    version = runtime.version or runtime.absent.get("version", "no version")
    return f"{runtime.path} ({runtime.found_by}): {version}{', set-user-id' if runtime.setuid else ''}"


def _why(facts: ContainerFacts, field: str) -> str:
    return facts.absent.get(field) or f"{field} was not recorded"


def _numbers(release: str) -> tuple[int, ...]:
    """Leading numbers of a kernel release, for comparison: "5.14.0-427.el9" → (5, 14)."""
    return tuple(int(number) for number in re.findall(r"\d{1,6}", release)[:2])
