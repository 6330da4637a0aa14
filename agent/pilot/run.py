"""The life of a pilot: ask the slot, take the turn on this node, measure, leave files, deliver, sum up; then it is over.

This process only waits and keeps the time. Each part runs in a child (see `agent.pilot.stage`), so that none of what a
node does to a program (hanging mounts, memory that runs out, signals) costs what was found before.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from agent.config import Config
from agent.pilot import summary
from agent.pilot.duration import shown
from agent.pilot.hand_over import Handed, deliver_it, handed_of
from agent.pilot.leave import leave_files, profile_path, write_all
from agent.pilot.life import Slot
from agent.pilot.measure import BASIS, Task, look_briefly, measure_node, with_reasons
from agent.pilot.once import Turn, key_of, once
from agent.pilot.plan import ENDING_S, Times, share_out
from agent.pilot.ranks import Launch, launch_of, nodes_listed
from agent.pilot.stage import Ended, Part
from agent.pilot.timekeeper import Timekeeper
from agent.pilot.watch import Watch, ask_slot, node_name
from probes.lock import node_directory
from probes.spec import Probe
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile, write_profile

FILES_S = 5.0
"""Bound on writing the files: they are some 100 kB, but the directory may be on a server."""

LAST_S = 1.5
"""Kept of the time for leaving the profile as a file, if it cannot be delivered."""

BRIEF_S = 10.0
"""For a second, shorter look after the first one has died."""

STARTED_APART_S = 2.0
"""A mark this much older than the job's first process on this node is of an earlier start of the job."""

MAX_NODE_FILE_BYTES = 1 << 20


@dataclass
class Outcome:
    """What became of a pilot.

    Attributes:
        profile: what was found; None = nothing.
        handed: what became of it at the service; None = nothing was to be sent.
        file: where it was left; None = nowhere.
        interrupted_by: name of the signal that ended it.
        waited_for: sentence on the agent that worked on this node instead of this one.
        remarks: sentences on what went wrong and cost no more than itself.
        summary: of all nodes, at rank 0.
    """

    profile: CapabilityProfile | None = None
    handed: Handed | None = None
    file: Path | None = None
    interrupted_by: str | None = None
    waited_for: str | None = None
    remarks: list[str] = field(default_factory=list)
    summary: summary.Json | None = None


class Pilot:
    """One run.

    Args:
        probes: all that are wanted.
        config: checked.
        environment: of this process.
        began: when the process began, on the monotonic clock: the budget counts from there.
        tell: is given a sentence on each step.
    """

    def __init__(
        self,
        probes: Sequence[Probe],
        config: Config,
        environment: Mapping[str, str],
        *,
        began: float,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._probes = probes
        self._config = config
        self._settings = config.pilot
        self._environment = environment
        self._began = began
        self._tell = tell
        self._outcome = Outcome()
        self._time = Timekeeper(
            began + self._settings.budget_s, grace_s=self._settings.grace_s, margin_s=self._settings.margin_s
        )

    def interrupt(self, signal_name: str) -> None:
        """Come to an end with what there is; safe to call from a signal handler."""
        self._time.interrupt(signal_name)
        self._outcome.interrupted_by = self._outcome.interrupted_by or signal_name

    def run(self) -> Outcome:
        """Live the slot's life.

        Raises:
            TooShortError: the slot ends at once.
            LockError: the directory for the lock of this node cannot be trusted.
        """
        slot = ask_slot(self._config, ask_controller=True, lifetime_s=self._settings.lifetime_s)
        times = share_out(
            self._settings.budget_s,
            slot.life_s,
            life_source=slot.life_source,
            margin_s=self._settings.margin_s,
            probes_s=self._config.budget_s,
            spent_s=time.monotonic() - self._began,
        )
        start = time.monotonic()
        self._time.deadline = min(self._time.deadline, start + times.total_s)
        launch = launch_of(self._environment, nodes_listed(self._environment, self._node_file()))
        self._tell(f"{shown(times.total_s)} in all, by {times.limited_by}")
        with self._turn(slot, launch) as turn:
            if turn.first:
                self._work(Task(self._probes, self._config, times, start), slot, launch)
                turn.done = None if self._outcome.profile is None else self._outcome.profile.id
            else:
                done = f"made profile {turn.said}" if turn.said else "is still at work"
                self._outcome.waited_for = (
                    f"another agent of this job {done} on this node ({node_name(slot)})"
                )
        if launch.rank == 0 and self._settings.summary is not None:
            self._sum_up(Path(self._settings.summary), slot, launch)
        return self._outcome

    @contextmanager
    def _turn(self, slot: Slot, launch: Launch) -> Iterator[Turn]:
        directory = node_directory() if launch.is_parallel else None
        if directory is None:
            yield Turn(first=True)
            return
        key = key_of(_launch_key(slot, launch), node_name(slot))
        not_before = 0.0 if slot.age_s is None else time.time() - slot.age_s - STARTED_APART_S
        with once(
            directory,
            key,
            until=self._time.deadline,
            not_before=not_before,
            stop=lambda: self._time.hurry is not None,
        ) as turn:
            yield turn

    def _work(self, task: Task, slot: Slot, launch: Launch) -> None:
        watch = Watch(self._config, self._settings.watch_s, slot)
        self._time.look = watch.look
        try:
            document = self._measure(task)
            if document is not None:
                self._outcome.profile = read_profile(document)
                self._hand_over(document, slot, launch)
        finally:
            self._time.look = lambda: None
            watch.close()

    def _measure(self, task: Task) -> bytes | None:
        """The profile as a document, None if nothing could be found."""
        reserve_s = task.times.hand_over_s
        ended = self._time.measuring("measuring", lambda part: measure_node(task, part), reserve_s)
        self._remark(ended)
        if ended.messages:
            if ended.failure is None:
                return ended.messages[-1]
            profile = with_reasons(read_profile(ended.messages[-1]), [ended.failure], task.times.total_s)
            return write_profile(profile).encode()
        reasons = [ended.failure or "measuring gave nothing"]
        for names in (BASIS, ()):
            room_s = min(self._time.left_s - reserve_s, BRIEF_S)
            if self._time.hurry is not None or room_s < ENDING_S:
                return None
            brief = Task(
                [probe for probe in task.probes if probe.name in names],
                task.config,
                Times(room_s, 0.0, room_s, ""),
                time.monotonic(),
            )
            again = partial(look_briefly, brief, why=tuple(reasons))
            ended = self._time.measuring("a brief look", again, reserve_s)
            self._remark(ended)
            if ended.messages:
                return ended.messages[-1]
            reasons.append(ended.failure or "a brief look gave nothing")
        return None

    def _hand_over(self, document: bytes, slot: Slot, launch: Launch) -> None:
        profile = self._outcome.profile
        assert profile is not None
        node, delivery = node_name(slot), self._config.delivery
        if self._settings.summary is not None and launch.rank is not None:
            directory, part_of_node = Path(self._settings.summary), summary.part_of(profile, node)
            key = _launch_key(slot, launch)
            self._files("the part of the summary", lambda: summary.hand_part(directory, key, part_of_node))
        path = profile_path(self._settings.output or delivery.output_directory, slot.names, node)
        asked_for = self._settings.output is not None or delivery.url is None
        if self._files(
            "the files", lambda: leave_files(document, self._settings, path if asked_for else None)
        ):
            self._outcome.file = path if asked_for else None
        if delivery.url is None:
            return
        ended = self._time.handing(
            "delivery", lambda part: deliver_it(document, delivery, part), self._time.left_s, reserve_s=LAST_S
        )
        self._outcome.handed = handed_of(ended)
        # The spool may be on this node alone and go with the job; the job's own output comes home.
        homeless = not self._outcome.handed.delivered and self._outcome.file is None
        if homeless and self._files("the profile", lambda: write_all({path: document})):
            self._outcome.file = path

    def _files(self, name: str, work: Callable[[], list[str]]) -> bool:
        """Write files in a part of their own; whether all are there."""

        def write(part: Part) -> None:
            for sentence in work():
                part.say(sentence.encode())

        ended = self._time.handing(f"writing {name}", write, FILES_S)
        self._remark(ended)
        self._outcome.remarks += [message.decode() for message in ended.messages]
        return ended.failure is None and not ended.messages

    def _sum_up(self, directory: Path, slot: Slot, launch: Launch) -> None:
        nodes = launch.nodes or 1
        key = _launch_key(slot, launch)

        def work(part: Part) -> None:
            parts = summary.gather(
                directory, key, nodes,
                until=part.orders.deadline, stop=lambda: time.monotonic() >= part.orders.deadline,
            )  # fmt: skip
            found = summary.summarise(parts, nodes)
            part.say(json.dumps(found).encode())
            for sentence in summary.hand_summary(directory, found):
                part.fail(sentence)

        ended = self._time.handing("the summary", work, max(self._time.left_s, 0.0))
        self._remark(ended)
        self._outcome.summary = json.loads(ended.messages[0]) if ended.messages else None

    def _remark(self, ended: Ended) -> None:
        if ended.failure is not None:
            self._outcome.remarks.append(ended.failure)

    def _node_file(self) -> str | None:
        path = self._environment.get("PBS_NODEFILE")
        if not path:
            return None
        try:
            with Path(path).open("rb") as file:
                return file.read(MAX_NODE_FILE_BYTES).decode("utf-8", "replace")
        except OSError:
            return None


def _launch_key(slot: Slot, launch: Launch) -> str:
    return key_of(*slot.names, *launch.marks)
