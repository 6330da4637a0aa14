"""XRD-07: how fast the site's own door gives data, with the size of what was read."""

from __future__ import annotations

from collections.abc import Sequence

from probes.judging import Judging
from profiles.checks import CheckResult
from profiles.facts.xrootd import Transfer, XrootdDoor


def speed(local: Sequence[XrootdDoor], judging: Judging) -> CheckResult:
    """Of the door that read most; the others are in the evidence."""
    measured = [(door, door.sequential) for door in local if door.sequential is not None]
    if not measured:
        return judging.skip("XRD-07", "no file was read in sequence at a door of the site's own")
    evidence = [line for door in local for line in _lines(door)]
    door, best = max(measured, key=lambda pair: pair[1].read_bytes)
    if best.read_bytes < judging.number("XRD-07", "least_bytes"):
        reason = f"the file has only {best.read_bytes} bytes: too few to measure a rate"
        return judging.unknown(
            "XRD-07", reason, evidence=evidence, hint="set siteconf.test_lfn to a larger file"
        )
    rate = best.read_bytes / best.duration_s
    text = f"{door.target}: {_rate(best)} in sequence"
    if door.sparse is not None:
        text += f", {_rate(door.sparse)} sparse"
    if door.first_byte_s is not None:
        text += f", first byte after {1e3 * door.first_byte_s:.3g} ms"
    if door.client == "xrdfs":
        text += " (by xrdcp, its start included)"
    more = {"value": round(rate), "unit": "B/s", "evidence": evidence}
    if rate < judging.number("XRD-07", "warn_below_bytes_per_s"):
        return judging.warn("XRD-07", text, **more)
    return judging.ok("XRD-07", text, **more)


def _rate(one: Transfer) -> str:
    return f"{one.read_bytes / one.duration_s / 1e6:.3g} MB/s"


def _lines(door: XrootdDoor) -> list[str]:
    lines = []
    if door.sequential is not None:
        lines.append(
            f"{door.target}: {door.sequential.read_bytes} bytes in sequence in {door.sequential.duration_s:.3g} s"
        )
    if door.sparse is not None:
        lines.append(
            f"{door.target}: {door.sparse.read_bytes} bytes in {door.sparse.requests} spread chunks in "
            f"{door.sparse.duration_s:.3g} s"
        )
    if door.first_byte_s is not None and door.first_byte_warm_s is not None:
        lines.append(
            f"{door.target}: first byte after {1e3 * door.first_byte_s:.3g} ms with a new connection, "
            f"{1e3 * door.first_byte_warm_s:.3g} ms on an open one"
        )
    lines += [
        f"{door.target}: {family.family.value} connect {1e3 * family.connect_s:.3g} ms"
        + (f", ping {1e3 * family.ping_s:.3g} ms" if family.ping_s is not None else "")
        for family in door.families
        if family.works and family.connect_s is not None
    ]
    return lines
