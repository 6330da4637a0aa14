"""CRD-01 and CRD-02: the X.509 proxy and its VOMS attributes. Pure."""

from __future__ import annotations

from probes.credentials.words import CLOCK_HINT, clock_story, open_to_others, span
from probes.judging import Judging
from profiles.checks import CheckResult
from profiles.facts.credentials import CredentialsFacts, ProxyFacts, VomsFacts


def judge_proxy(facts: CredentialsFacts, judging: Judging) -> CheckResult:
    """CRD-01: what it is, whose it is, how long it lasts."""
    proxy = facts.proxy
    if proxy is None:
        return judging.skip("CRD-01", facts.absent.get("proxy", "there is no proxy"))
    evidence = [f"{proxy.file.path} ({proxy.source}), mode {proxy.file.mode or 'unknown'}"]
    fault = proxy.problem or _fault(proxy)
    if fault is not None or proxy.expires_in_s is None:
        return judging.critical(
            "CRD-01", f"no usable X.509 proxy: {fault or 'it has no dates'}", evidence=evidence
        )
    more = {"value": proxy.expires_in_s, "unit": "s", "evidence": evidence}
    if proxy.expires_in_s <= 0:
        return judging.critical("CRD-01", f"the X.509 proxy expired {span(-proxy.expires_in_s)} ago", **more)
    early_s = proxy.valid_in_s or 0.0
    if early_s > judging.number("CRD-01", "skew_s"):
        more["evidence"] = evidence + clock_story(judging)
        text = f"the X.509 proxy is not valid before {span(early_s)} from now: this clock is behind, by as much or more"
        return judging.critical("CRD-01", text, hint=CLOCK_HINT, **more)
    if open_to_others(proxy.file):
        text = (
            f"the X.509 proxy is open to others (mode {proxy.file.mode}): its key is no secret, and Globus clients "
            "refuse it"
        )
        return judging.critical("CRD-01", text, hint=f"chmod 600 {proxy.file.path}", **more)
    if proxy.file.own is False:
        return judging.warn("CRD-01", "the X.509 proxy belongs to another user", **more)
    left = f"X.509 proxy valid for {span(proxy.expires_in_s)}"
    if proxy.expires_in_s < judging.number("CRD-01", "warn_below_s"):
        return judging.warn("CRD-01", f"{left} only", **more)
    return judging.ok("CRD-01", f"{left}, {proxy.key_bits} bits", **more)


def _fault(proxy: ProxyFacts) -> str | None:
    if proxy.kind == "other":
        return "it is of a form before RFC 3820, which OpenSSL no longer takes"
    if proxy.kind == "none":
        return "the file holds a certificate that is no proxy"
    if proxy.key_fits is None:
        return "the file holds no readable private key"
    if not proxy.key_fits:
        return "its private key belongs to another certificate"
    return None


def judge_attributes(facts: CredentialsFacts, judging: Judging) -> CheckResult:
    """CRD-02: group, role and lifetime."""
    proxy = facts.proxy
    if proxy is None or proxy.problem is not None:
        return judging.skip("CRD-02", "there is no proxy that could have VOMS attributes (CRD-01)")
    wanted = judging.settings.credentials.voms
    evidence = [_story(one) for one in proxy.voms]
    if proxy.voms_problem is not None:
        return judging.warn("CRD-02", f"VOMS attributes cannot be read: {proxy.voms_problem}")
    if not proxy.voms:
        return judging.warn(
            "CRD-02", f"the proxy has no VOMS attributes, so nothing says that it is of {wanted}"
        )
    ours = [one for one in proxy.voms if one.vo == wanted]
    if not ours:
        names = ", ".join(sorted({one.vo or "an unnamed VO" for one in proxy.voms}))
        return judging.warn("CRD-02", f"VOMS attributes are of {names}, not of {wanted}", evidence=evidence)
    best = max(ours, key=lambda one: one.expires_in_s)
    more = {"value": best.expires_in_s, "unit": "s", "evidence": evidence}
    if best.expires_in_s <= 0:
        return judging.warn(
            "CRD-02", f"the VOMS attributes expired {span(-best.expires_in_s)} ago, before the proxy", **more
        )
    if best.valid_in_s > judging.number("CRD-02", "skew_s"):
        text = (
            f"the VOMS attributes are not valid before {span(best.valid_in_s)} from now: this clock is behind"
        )
        return judging.warn("CRD-02", text, hint=CLOCK_HINT, **more)
    if not best.fqans:
        return judging.warn("CRD-02", f"the VOMS attributes of {wanted} name no group", **more)
    left = f"{best.fqans[0]} for {span(best.expires_in_s)}"
    if best.expires_in_s < judging.number("CRD-02", "warn_below_s"):
        return judging.warn("CRD-02", f"{left} only", **more)
    return judging.ok("CRD-02", left, **more)


def _story(one: VomsFacts) -> str:
    groups = ", ".join(one.fqans[:8]) or "no group"
    return f"VO {one.vo or 'unnamed'}: {groups}; {span(one.expires_in_s)} left"
