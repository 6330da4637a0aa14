"""What a probe and a check are: the records that the registry holds, the runner runs and `agent explain` shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from probes.host import MIB, Host
from probes.settings import Settings
from profiles.base import Facts
from profiles.checks import CheckResult, Scalar

if TYPE_CHECKING:
    from probes.judging import Judging

SectionName = Literal["Hardware", "Slot", "Environment", "Network", "Software", "Data"]


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A threshold with its default and the source of that default. A site may move it in its configuration."""

    name: str
    default: Scalar
    origin: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """An entry of the check catalogue.

    Attributes:
        id: e.g. "CPU-04".
        title: two or three words, shown in lists.
        rule: when it is OK, WARNING, CRITICAL, in one or two sentences.
        origin: who asks for it: documents, tools, incidents.
        hint: what a site admin does when it is not OK.
        why: what goes wrong for a job otherwise; the long text of `agent explain`.
        bounds: its thresholds.
        critical_on_hang: True if a hang of the question is itself the failure, so CRITICAL instead of UNKNOWN.
    """

    id: str
    title: str
    rule: str
    origin: str
    hint: str
    why: str
    bounds: tuple[Bound, ...] = ()
    critical_on_hang: bool = False


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One question about the node.

    Attributes:
        name: also its module, its command-line argument and its field in the profile's facts.
        title: what it finds out, for `agent probe --list`.
        section: heading under which the screen shows it.
        facts_model: type of what `gather` returns.
        gather: reads the machine, judges nothing; runs in a child process that may be killed.
        judge: pure; verdicts for every check of `checks` that applies, from the facts and the settings.
        summarise: pure; what the screen says on the probe's line, at most some 60 characters.
        checks: its part of the catalogue, in order.
        deadline_s: the child is killed after this time.
        memory_bytes: bound on the child's address space (soft RLIMIT_AS).
        uses_network: True if it opens connections to other hosts; left out in the no-outbound profile.
        origin: distribution that brought it; ours is "sitecap".
    """

    name: str
    title: str
    section: SectionName
    facts_model: type[Facts]
    gather: Callable[[Host, Settings], Facts]
    judge: Callable[[Any, Judging], Sequence[CheckResult]]
    summarise: Callable[[Any], str]
    checks: tuple[Check, ...]
    deadline_s: float = 5.0
    memory_bytes: int = 1024 * MIB
    uses_network: bool = False
    origin: str = "sitecap"
