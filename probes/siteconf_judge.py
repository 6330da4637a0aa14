"""What the facts about SITECONF mean: CFG-01 to CFG-04. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from probes.judging import Judging
from profiles.checks import CheckResult
from profiles.facts.siteconf import SiteconfFacts, SiteconfProblem, StorageAccess

CONFIG = "site-local-config.xml"


def judge(facts: SiteconfFacts, judging: Judging) -> Sequence[CheckResult]:
    """One verdict for each check; without the directory, all but the first are SKIPPED."""
    if facts.directory is None:
        why = facts.absent.get("directory", "it was not found")
        missing = judging.critical("CFG-01", f"no SITECONF: {why}")
        return [
            missing,
            *(judging.skip(check, "there is no SITECONF") for check in ("CFG-02", "CFG-03", "CFG-04")),
        ]
    return [
        judging.ok("CFG-01", f"SITECONF is in {facts.directory}", evidence=[f"named by {facts.origin}"]),
        _config(facts, judging),
        _storage(facts, judging),
        _current(facts, judging),
    ]


def summarise(facts: SiteconfFacts) -> str:
    """The site, and how many of its ways to data give a name."""
    if facts.directory is None:
        return "not found"
    resolved = sum(one.pfn is not None for one in facts.data_access)
    name = "/".join(part for part in (facts.site, facts.subsite) if part) or "unnamed site"
    return f"{name[:36]}, {resolved} of {len(facts.data_access)} data-access"


def _said(problem: SiteconfProblem) -> str:
    return f"{problem.where}: {problem.text}"


def _of_config(facts: SiteconfFacts) -> list[SiteconfProblem]:
    return [one for one in facts.problems if one.where.endswith(CONFIG)]


def _config(facts: SiteconfFacts, judging: Judging) -> CheckResult:
    problems = _of_config(facts)
    evidence = [_said(one) for one in problems]
    fatal = next((one for one in problems if one.kind != "incomplete"), None)
    if fatal is not None:
        return judging.critical("CFG-02", f"{CONFIG} cannot be used: {fatal.text}", evidence=evidence)
    if problems:
        return judging.warn(
            "CFG-02", f"{CONFIG}: {'; '.join(one.text for one in problems[:3])}", evidence=evidence
        )
    name = "/".join(part for part in (facts.site, facts.subsite) if part)
    return judging.ok("CFG-02", f"{CONFIG} describes {name}")


def _storage(facts: SiteconfFacts, judging: Judging) -> CheckResult:
    if any(one.kind != "incomplete" for one in _of_config(facts)):
        return judging.skip("CFG-03", f"{CONFIG} cannot be used (CFG-02)")
    if not facts.data_access and facts.event_data_catalogs:
        return judging.skip("CFG-03", "the site uses the older event-data form, which has no storage.json")
    if not facts.data_access:
        return judging.skip("CFG-03", "there is no data-access to resolve (CFG-02)")
    # A problem may be in a file and in the entries that need it: both are evidence, the entry is the verdict.
    malformed = [one for one in facts.problems if not one.where.endswith(CONFIG)]
    evidence = [
        *(_story("data-access", one) for one in facts.data_access),
        *(_story("stage-out", one) for one in facts.stage_out),
        *(_said(one) for one in malformed),
        *(f"volume {volume} is named by neither" for volume in facts.unused_volumes),
    ]
    good = sum(one.pfn is not None for one in facts.data_access)
    more = {"value": good, "unit": "1", "evidence": evidence}
    undescribed = _problems(facts.data_access, "missing")
    if undescribed:
        text = malformed[0] if malformed and malformed[0].kind != "incomplete" else None
        why = _said(text) if text else _said(undescribed[0])
        return judging.critical("CFG-03", f"jobs end at data-access: {why}", **more)
    unresolved = _problems(facts.data_access, "unresolved")
    if not good:
        return judging.critical(
            "CFG-03", f"no physical name for {facts.test_lfn}: {_said(unresolved[0])}", **more
        )
    lesser = [
        *unresolved,
        *_problems(facts.stage_out, "missing"),
        *_problems(facts.stage_out, "unresolved"),
        *malformed,
    ]
    if lesser:
        return judging.warn("CFG-03", f"not all of it resolves: {_said(lesser[0])}", **more)
    return judging.ok("CFG-03", f"{good} data-access entries give a physical name", **more)


def _problems(places: Sequence[StorageAccess], kind: str) -> list[SiteconfProblem]:
    return [one.problem for one in places if one.problem is not None and one.problem.kind == kind]


def _story(what: str, place: StorageAccess) -> str:
    said = place.pfn or (place.problem.text if place.problem else "no name")
    return f"{what} {place.site}/{place.volume}/{place.protocol}: {said}"


def _current(facts: SiteconfFacts, judging: Judging) -> CheckResult:
    wanted = judging.settings.siteconf.central_sha256
    if not wanted:
        return judging.skip("CFG-04", "siteconf.central_sha256 names no central copy")
    different = sorted(
        name for name in wanted if name in facts.sha256 and facts.sha256[name] != wanted[name].lower()
    )
    unread = sorted(name for name in wanted if name not in facts.sha256)
    evidence = [f"{name}: sha256 {digest}" for name, digest in sorted(facts.sha256.items())]
    if different:
        return judging.warn(
            "CFG-04", f"differs from the central copy: {', '.join(different)}", evidence=evidence
        )
    if unread:
        return judging.unknown("CFG-04", f"not read, so not compared: {', '.join(unread)}", evidence=evidence)
    return judging.ok("CFG-04", "equal to the central copies", evidence=evidence)
