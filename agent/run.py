"""The one sequence that every mode shares: open the door, run the probes, judge, put the profile together."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import agent
from agent.config import Config
from agent.identity import node_identity, profile_id
from probes.errors import RecordingError
from probes.fact_cache import FactCache, digest_of
from probes.host import Door, Host
from probes.live import LiveDoor
from probes.lock import NodeLock, state_directory
from probes.recording import RecordingDoor, begin, finish
from probes.recording_layout import NOT_A_PROBE
from probes.redact import Redactor
from probes.registry import BUILTIN
from probes.replay import Recording, ReplayDoor
from probes.runner import Outcome, Runner
from probes.spec import Probe
from profiles.facts.batch import BatchFacts
from profiles.facts.context import ContextFacts
from profiles.facts.cores import CoresFacts
from profiles.node_facts import NodeFacts
from profiles.profile import AgentInfo, CapabilityProfile, ProbeRun, RunLimits, Scope, SiteInfo


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to look at and how.

    Attributes:
        probes: in the order of the registry.
        config: checked.
        root: directory that acts as "/" for files.
        record: directory for a recording, None = none.
        replay: recording to look at instead of this machine.
        redact: whether the recording hides identities.
    """

    probes: Sequence[Probe]
    config: Config
    root: str = "/"
    record: Path | None = None
    replay: Path | None = None
    redact: bool = True


class Look(NamedTuple):
    """A finished run."""

    profile: CapabilityProfile
    interrupted_by: str | None
    out_of_budget: bool
    recording_failure: str | None


def look(
    request: Request,
    *,
    on_start: Callable[[Runner], None] = lambda _: None,
    on_finish: Callable[[ProbeRun], None] = lambda _: None,
    on_wait: Callable[[list[str]], None] = lambda _: None,
) -> Look:
    """Probe the node once.

    Args:
        request: what to do.
        on_start: is given the runner before it starts, to be able to interrupt it from a signal handler.
        on_finish: called after each probe.
        on_wait: called with the names still running, every two seconds.

    Raises:
        RecordingError: the recording cannot be begun, or the one to replay cannot be read.
        LockError: another run holds the node.
    """
    recording = None if request.replay is None else Recording(request.replay)
    chosen = [probe for probe in request.probes if not _left_out(probe, request.config, recording)]
    if recording is not None and not chosen:
        held = ", ".join(sorted(recording.probes or ()))
        raise RecordingError(f"{request.replay} holds none of the probes asked for; it holds: {held}")
    open_door = _door_opener(request, recording)
    state = state_directory()
    began = time.monotonic()
    runner = Runner(
        open_door,
        request.config,
        budget_s=request.config.budget_s,
        state=state,
        on_finish=on_finish,
        on_wait=on_wait,
        cache=_cache(request, state),
        jitter_s=0.0 if _of_its_own(request) else request.config.traffic.jitter_s,
    )
    on_start(runner)
    lock = nullcontext() if state is None else NodeLock(state, request.config.lock_wait_s)
    with lock:
        outcome = runner.run(chosen)
    door = open_door(NOT_A_PROBE)
    profile = assemble(request, outcome, Host(door), time.monotonic() - began)
    failure = outcome.recording_failure
    if isinstance(door, RecordingDoor) and request.record is not None:
        door.close()
        failure = failure or door.failure
        try:
            finish(
                request.record,
                agent_version=agent.__version__,
                created_at=profile.created_at.isoformat(),
                redacted=request.redact,
                probes=[probe.name for probe in chosen],
            )
        except RecordingError:
            # The verdicts are there; a full disk must not cost them.
            failure = failure or f"the recording in {request.record} cannot be finished"
    return Look(profile, outcome.interrupted_by, outcome.out_of_budget, failure)


def _of_its_own(request: Request) -> bool:
    """Whether this run neither waits for its turn nor uses other runs' facts: a recording must hold all the answers."""
    return request.record is not None or request.replay is not None or request.root != "/"


def _cache(request: Request, state: Path | None) -> FactCache | None:
    cache_s = request.config.traffic.cache_s
    if state is None or cache_s == 0 or _of_its_own(request):
        return None
    return FactCache(state, digest_of(request.config, agent.__version__, os.environ), cache_s)


def _left_out(probe: Probe, config: Config, recording: Recording | None) -> bool:
    """What a recording does not hold has no verdict.

    Probes from outside that use the network have no way of their own to respect the no-outbound profile.
    """
    if recording is not None and recording.probes is not None and probe.name not in recording.probes:
        return True
    return probe.uses_network and probe.name not in BUILTIN and config.site_profile == "no-outbound"


def _door_opener(request: Request, recording: Recording | None) -> Callable[[str], Door]:
    if recording is not None:
        return lambda by: ReplayDoor(recording, by)
    live = LiveDoor(request.root)
    if request.record is None:
        return lambda _: live
    directory = request.record
    begin(directory)
    redactor = _redactor(live) if request.redact else None
    return lambda by: RecordingDoor(live, directory, by, redactor)


def _redactor(live: LiveDoor) -> Redactor:
    node = os.uname().nodename
    domain = node.partition(".")[2]
    labelled = ((node, "host"), (node.split(".")[0], "host"), (domain, "domain"))
    names = {word: label for word, label in labelled if word and word != "localhost"}
    for variable in ("USER", "LOGNAME", "SUDO_USER"):
        user = live.ask("env", [variable])
        if user and user != "root":
            names[str(user)] = "user"
    return Redactor(names, secrets.token_bytes(32))


def assemble(request: Request, outcome: Outcome, host: Host, duration_s: float) -> CapabilityProfile:
    """The profile of what a run gave.

    Args:
        request: what was asked.
        outcome: facts, how each probe ended, verdicts.
        host: the door, for the clock and the names of the node.
        duration_s: wall time that the run took.
    """
    config = request.config
    own = {name: facts for name, facts in outcome.facts.items() if name in BUILTIN}
    others = {
        name: facts.model_dump(mode="json") for name, facts in outcome.facts.items() if name not in BUILTIN
    }
    context = own.get("context")
    batch = own.get("batch")
    unfinished = [run for run in outcome.runs if run.outcome != "finished"]
    reason = None
    if outcome.interrupted_by:
        reason = f"interrupted by {outcome.interrupted_by}"
    elif outcome.out_of_budget:
        reason = f"the budget of {config.budget_s:g} s was used up"
    elif unfinished:
        reason = "; ".join(f"{run.name}: {run.outcome}" for run in unfinished)
    now = host.now()
    return CapabilityProfile(
        id=profile_id(now),
        created_at=now,
        agent=AgentInfo(version=agent.__version__),
        site=_site(config, context if isinstance(context, ContextFacts) else None),
        node=node_identity(
            host,
            batch if isinstance(batch, BatchFacts) else None,
            in_container=isinstance(context, ContextFacts) and context.runtime not in (None, "none"),
            identify=config.identify,
        ),
        scope=_scope(own.get("cores")),
        facts=NodeFacts.model_validate({**own, "extensions": others}),
        checks=tuple(outcome.checks),
        limits=RunLimits(
            budget_s=config.budget_s,
            duration_s=duration_s,
            partial=reason is not None,
            reason=reason,
            probes=tuple(outcome.runs),
        ),
    )


def _site(config: Config, context: ContextFacts | None) -> SiteInfo | None:
    candidates = [(config.site_name, "configuration")]
    if context is not None:
        candidates += [(name.name, name.source) for name in context.site_names]
    for name, source in candidates:
        if name:
            try:
                return SiteInfo(name=name, source=source)
            except ValueError:
                continue  # CTX-02 says what is wrong with it
    return None


def _scope(cores: object) -> Scope:
    if not isinstance(cores, CoresFacts):
        return Scope(kind="node", cores_granted=None, cores_present=None)
    granted, present = cores.effective_cores, cores.host_cpus
    slot = granted is not None and present is not None and granted < present
    return Scope(kind="slot" if slot else "node", cores_granted=granted or None, cores_present=present)
