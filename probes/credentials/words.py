"""Sentences that the judges of tokens and of proxies share."""

from __future__ import annotations

from probes.judging import Judging
from profiles.facts.credentials import CredentialFile
from profiles.facts.network import NetworkFacts

CLOCK_HINT = (
    "compare the clock (CTX-03): start chronyd and look at `chronyc tracking`; in a virtual machine or container "
    "the host's clock; if it is right, the issuer's is wrong"
)


def span(seconds: float) -> str:
    """A time span for people: "5.0 h", "12 min", "40 s"."""
    size = abs(seconds)
    if size >= 2 * 86_400:
        return f"{seconds / 86_400:.0f} d"
    if size >= 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if size >= 120 else f"{seconds:.0f} s"


def clock_story(judging: Judging) -> list[str]:
    """What the network probe says of this clock, if it ran."""
    network = judging.facts_of("network", NetworkFacts)
    if network is None or network.clock_skew_s is None:
        return []
    return [f"the endpoints of the network probe find this clock {network.clock_skew_s:+.0f} s off (CTX-03)"]


def open_to_others(file: CredentialFile) -> bool:
    """Whether group or others may do anything with it; the test of XRootD's token plug-in and of Globus."""
    return file.mode is not None and bool(int(file.mode, 8) & 0o077)
