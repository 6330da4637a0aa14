"""What the runner has done in children before it measures: variants loaded, events made, physics verified.

Kernels are prepared side by side, each as a chain of children: events and reference, then one child a variant.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from dataclasses import replace as changed
from typing import Any

from payloads.catalogue import Kernel
from payloads.children import Child, ChildError, Group, Stop
from payloads.errors import PayloadError
from payloads.outcome import EventsOutcome
from payloads.plan import Options
from payloads.verify import Verdict, judge

DESCRIBE_S = 20.0
"""For loading compiled modules, from a slow network file system as well."""


class StoppedError(PayloadError):
    """The run ended before this could be done."""


@dataclass
class Verified:
    """One variant of one kernel: its verdict, or why there is none."""

    verdict: Verdict | None = None
    digest: str | None = None
    stages: dict[str, float] = field(default_factory=dict)
    reason: str | None = None


@dataclass
class Prepared:
    """One kernel, ready to be measured, or why it is not."""

    kernel: Kernel
    events: EventsOutcome | None = None
    directory: str | None = None
    variants: dict[str, Verified] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    reason: str | None = None
    failed: bool = False


def request_of(kernel: Kernel, options: Options) -> dict[str, Any]:
    """What every task about a kernel needs to know."""
    manifest = kernel.manifest
    singles = {} if manifest.singles is None else {"singles": manifest.singles.model_dump()}
    return {
        "backend": "cpu",
        "kernel": kernel.name,
        "folder": str(kernel.folder),
        "sources": kernel.sources_digest,
        "settings": dict(manifest.settings),
        "lanes": 0,
        "events": {"section": manifest.section, **manifest.events.model_dump()},
        "reference": {"section": manifest.section, **manifest.reference.model_dump(exclude={"tolerance"})},
        "places": [str(place) for place in options.places],
        "cache_max_bytes": options.cache_max_bytes,
        **singles,
    }


def one_task(
    request: Mapping[str, Any], name: str, options: Options, end: float, stop: Stop
) -> dict[str, Any]:
    """One task in a child of its own.

    Raises:
        StoppedError: the run ended, or the time for it.
        ChildError: it failed; the text says how.
    """
    with Group(options.command) as group:
        child = group.start(name, request)
        answer = _ask(group, child, end, stop)
    if "error" in answer:
        raise ChildError(str(answer["error"]))
    return answer


def _ask(group: Group, child: Child, end: float, stop: Stop) -> dict[str, Any]:
    answer = group.ask([child], end, stop)[child]
    if isinstance(answer, ChildError):
        if stop():
            raise StoppedError("the run was interrupted before it was ready")
        if time.monotonic() >= end:
            raise StoppedError("it was not ready within the time of the run")
        raise answer
    return answer


def describe(
    names: Sequence[str], options: Options, end: float, stop: Stop
) -> dict[str, dict[str, Any] | PayloadError]:
    """Load each variant in a child: what it is, or why it cannot be used."""

    def one(name: str) -> dict[str, Any] | PayloadError:
        request = {"task": "describe", "variant": name}
        own_end = time.monotonic() + DESCRIBE_S
        try:
            return one_task(request, f"loading {name}", options, min(end, own_end), stop)
        except StoppedError as error:
            if stop() or own_end > end:
                return error
            return ChildError(f"it was not loaded within {DESCRIBE_S:g} s")
        except PayloadError as error:
            return error

    with ThreadPoolExecutor(max(1, min(len(names), 8))) as pool:
        return dict(zip(names, pool.map(one, names), strict=True))


Told = Callable[[str, str], None]
"""Is given a kernel's name and what is being done for it."""


def prepare_all(
    kernels: Sequence[tuple[Kernel, Sequence[str]]], options: Options, end: float, stop: Stop, told: Told
) -> list[Prepared]:
    """Prepare kernels, as many at a time as there are processors; each with the variants that it is measured with."""
    if not kernels:
        return []
    at_once = max(1, min(len(kernels), len(options.cpus), 8))
    threads = max(1, min(len(options.cpus) // at_once, 32))
    lock = threading.Lock()

    def tell(kernel: str, what: str) -> None:
        with lock:
            told(kernel, what)

    with ThreadPoolExecutor(at_once) as pool:
        futures: list[Future[Prepared]] = [
            pool.submit(_prepare, kernel, variants, options, threads, end, stop, tell)
            for kernel, variants in kernels
        ]
        return [future.result() for future in futures]


def _prepare(
    kernel: Kernel,
    variants: Sequence[str],
    options: Options,
    threads: int,
    end: float,
    stop: Stop,
    told: Told,
) -> Prepared:
    found = Prepared(kernel)
    request = request_of(kernel, options)
    try:
        told(kernel.name, "events and reference")
        answer = one_task(
            {**request, "task": "prepare", "threads": threads}, f"preparing {kernel.name}", options, end, stop
        )
    except StoppedError as error:
        found.reason = str(error)
        return found
    except PayloadError as error:
        found.reason, found.failed = str(error), True
        return found
    found.directory = answer["directory"]
    found.said = list(answer["said"])
    found.events = EventsOutcome(
        digest=answer["digest"],
        size_bytes=answer["size_bytes"],
        origin=answer["origin"],
        simulation_version=answer["simulation_version"],
    )
    for variant in variants:
        told(kernel.name, f"physics of {variant}")
        found.variants[variant] = _verify(
            {**request, "variant": variant, "events_directory": found.directory}, kernel, options, end, stop
        )
    return found


def _verify(request: dict[str, Any], kernel: Kernel, options: Options, end: float, stop: Stop) -> Verified:
    name = f"verifying {kernel.name} in {request['variant']}"
    try:
        answer = one_task({**request, "task": "verify"}, name, options, end, stop)
    except StoppedError:
        return Verified()
    except PayloadError as error:
        return Verified(reason=str(error))
    verdict = judge(kernel.manifest.physics, answer["metrics"], answer["differences"])
    return Verified(verdict, answer["digest"], answer["stages"])


def bits_agree(verified: Mapping[str, Verified]) -> None:
    """Variants must agree bit by bit: where they do not, those that differ from the first right one are wrong."""
    right = [(name, one) for name, one in verified.items() if one.verdict is not None and one.verdict.right]
    if not right:
        return
    first, yardstick = right[0]
    for _, one in right[1:]:
        if one.digest != yardstick.digest and one.verdict is not None:
            reason = f"computed other bits ({one.digest}) than {first} ({yardstick.digest})"
            one.verdict = changed(one.verdict, right=False, reason=reason)
