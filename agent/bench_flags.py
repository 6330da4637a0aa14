"""Which flags of `agent bench` go together: one that would be ignored in silence is wrong usage."""

from __future__ import annotations

from collections.abc import Mapping

KERNELS = "KERNEL"
"""How kernels' names, which are no flag, stand among the flags."""

_OF_COPIES = ("--copies", "--variant")
_MEASURING = ("--quick", "--thorough", "--budget", *_OF_COPIES)
_WRITING = ("--format", "--json", "--output")

IGNORED: Mapping[str, tuple[str, ...]] = {
    "--show": _MEASURING,
    "--list": (*_MEASURING, *_WRITING),
    "--list-backends": (*_MEASURING, *_WRITING, KERNELS),
    "--device": _OF_COPIES,
    "--backend": (),
}
"""What each flag that measures nothing, or no copies on CPUs, would not look at."""

_WHY = {
    "--show": "shows what was measured earlier",
    "--list": "prints a list as text and measures nothing",
    "--list-backends": "prints a list as text and measures nothing",
    "--device": "measures on a GPU",
    "--backend": "measures on a GPU",
}


def contradiction(given: Mapping[str, object]) -> str | None:
    """Why these flags cannot be given together, in a sentence; None where they can.

    Args:
        given: what stands on the command line, flag (in its long form) to value; names of kernels as `KERNELS`.
    """
    instead = [flag for flag in IGNORED if flag in given]
    # Of the two only one says where; and on CPUs the flags of copies have their say.
    if "--backend" in instead and "--device" in instead:
        instead.remove("--backend")
    for pair in (instead, [flag for flag in ("--quick", "--thorough") if flag in given]):
        if len(pair) > 1:
            return f"{pair[0]} and {pair[1]} do not go together: give one of them"
    if "--json" in given and given.get("--format", "json") != "json":
        return f"--json and --format {given['--format']} do not go together: give one of them"
    for flag in instead:
        ignored = _OF_COPIES if flag == "--backend" and given[flag] != "cpu" else IGNORED[flag]
        useless = [other for other in given if other in ignored]
        if useless:
            return f"{flag} {_WHY[flag]}: leave {' and '.join(useless)} out"
    if "--show" in given and not given["--show"]:
        return "--show has no name: give it a profile, or last"
    return None
