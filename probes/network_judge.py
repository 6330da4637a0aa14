"""What the network facts mean: CTX-03 and NET-01 to NET-06. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from probes.judging import Judging
from probes.network_checks import NOT_RESOLVED_HINT, NOTHING_REACHED_HINT
from profiles.checks import CheckResult
from profiles.facts.cores import CoresFacts
from profiles.facts.network import EndpointFacts, Family, FetchFacts, NetworkFacts

ENDPOINT_CHECKS = ("NET-01", "NET-02", "NET-03", "NET-04", "NET-05")


def judge(facts: NetworkFacts, judging: Judging) -> Sequence[CheckResult]:
    """One verdict for each check of the catalogue; all SKIPPED if nothing was tried."""
    if facts.endpoints is None:
        reason = facts.absent.get("endpoints", "nothing was tried")
        return [judging.skip(check, reason) for check in ("CTX-03", *ENDPOINT_CHECKS, "NET-06")]
    if not facts.endpoints:
        reason = "network.endpoints is empty"
        skipped = [judging.skip(check, reason) for check in ("CTX-03", *ENDPOINT_CHECKS)]
        return [*skipped, _throughput(facts, judging)]
    return [
        _clock(facts, judging),
        _dns(facts.endpoints, judging),
        _outbound(facts.endpoints, judging),
        _families(facts.endpoints, judging),
        _interception(facts.endpoints, judging),
        _nat(facts, judging),
        _throughput(facts, judging),
    ]


def summarise(facts: NetworkFacts) -> str:
    """How many endpoints are reached, over which families, and the clock."""
    if facts.endpoints is None:
        return "not tried"
    reached = sum(_reached(endpoint) for endpoint in facts.endpoints)
    families = [family.value for family in Family if _over(facts.endpoints, family)]
    parts = [f"{reached} of {len(facts.endpoints)} endpoints", " + ".join(families)]
    if facts.clock_skew_s is not None:
        parts.append(f"clock {facts.clock_skew_s:+.3g} s")
    return ", ".join(part for part in parts if part)


def _reached(endpoint: EndpointFacts) -> bool:
    return any(attempt.works for attempt in endpoint.attempts)


def _over(endpoints: Sequence[EndpointFacts], family: Family) -> bool:
    return any(
        attempt.works for endpoint in endpoints for attempt in endpoint.attempts if attempt.family is family
    )


def _named(endpoints: Sequence[EndpointFacts]) -> str:
    shown = ", ".join(endpoint.name for endpoint in endpoints[:4])
    return shown + (f" and {len(endpoints) - 4} more" if len(endpoints) > 4 else "")


def _clock(facts: NetworkFacts, judging: Judging) -> CheckResult:
    skew_s = facts.clock_skew_s
    if skew_s is None:
        reason = facts.absent.get("clock_skew_s", "no clock to compare with")
        return judging.unknown(
            "CTX-03", reason, hint="name an endpoint with tls = true that is reached from here"
        )
    evidence = [
        f"{endpoint.name} ({endpoint.target}): {endpoint.http.clock_skew_s:+.2f} s by its Date"
        for endpoint in facts.endpoints or ()
        if endpoint.http is not None and endpoint.http.clock_skew_s is not None
    ]
    side = "ahead of" if skew_s > 0 else "behind"
    summary = (
        f"clock is {abs(skew_s):.3g} s {side} {len(evidence)} endpoint{'s' if len(evidence) > 1 else ''}"
    )
    if facts.clock_uncertainty_s is not None:
        summary += f" (± {facts.clock_uncertainty_s:.2g} s)"
    verdict = judging.ok
    if abs(skew_s) > judging.number("CTX-03", "critical_above_s"):
        verdict = judging.critical
    elif abs(skew_s) > judging.number("CTX-03", "warn_above_s"):
        verdict = judging.warn
    return verdict("CTX-03", summary, value=round(skew_s, 2), unit="s", evidence=evidence)


def _dns(endpoints: Sequence[EndpointFacts], judging: Judging) -> CheckResult:
    named = [endpoint for endpoint in endpoints if endpoint.resolve_s is not None or endpoint.resolve_error]
    if not named:
        return judging.skip("NET-01", "all endpoints are given by address")
    slowest = max(named, key=lambda endpoint: endpoint.resolve_s or 0.0)
    slowest_s = slowest.resolve_s or 0.0
    evidence = [
        f"{endpoint.target}: {endpoint.resolve_error or f'{endpoint.resolve_s:.3f} s'}" for endpoint in named
    ]
    more = {"value": round(slowest_s, 4), "unit": "s", "evidence": evidence}
    failed = [endpoint for endpoint in named if endpoint.resolve_error]
    if len(failed) == len(named):
        return judging.critical("NET-01", "no name could be resolved", hint=NOT_RESOLVED_HINT, **more)
    if failed:
        verdict = judging.critical if any(endpoint.essential for endpoint in failed) else judging.warn
        return verdict("NET-01", f"cannot resolve {_named(failed)}", **more)
    if slowest_s > judging.number("NET-01", "warn_above_s"):
        return judging.warn("NET-01", f"looking {slowest.name} up took {slowest_s:.2g} s", **more)
    return judging.ok("NET-01", f"{len(named)} names resolved, the slowest in {slowest_s:.2g} s", **more)


def _outbound(endpoints: Sequence[EndpointFacts], judging: Judging) -> CheckResult:
    failed = [endpoint for endpoint in endpoints if not _reached(endpoint)]
    reached = len(endpoints) - len(failed)
    more = {"value": reached, "unit": "1", "evidence": [_story(endpoint) for endpoint in endpoints]}
    if not failed:
        return judging.ok("NET-02", f"all {reached} endpoints take connections", **more)
    if not reached:
        unresolved = all(endpoint.resolve_error for endpoint in endpoints)
        hint = NOT_RESOLVED_HINT if unresolved else NOTHING_REACHED_HINT
        return judging.critical("NET-02", f"none of {len(endpoints)} endpoints is reached", hint=hint, **more)
    verdict = judging.critical if any(endpoint.essential for endpoint in failed) else judging.warn
    return verdict("NET-02", f"{len(failed)} of {len(endpoints)} not reached: {_named(failed)}", **more)


def _story(endpoint: EndpointFacts) -> str:
    if endpoint.resolve_error:
        said = endpoint.resolve_error
    else:
        said = "; ".join(
            f"{attempt.family.value} "
            + (
                "connected"
                if attempt.works
                else f"{attempt.detail or 'failed'} ({attempt.errno_name or 'no code'})"
            )
            for attempt in endpoint.attempts
        )
    return f"{endpoint.name} ({endpoint.target}): {said}"


def _families(endpoints: Sequence[EndpointFacts], judging: Judging) -> CheckResult:
    if all(endpoint.resolve_error for endpoint in endpoints):
        return judging.unknown(
            "NET-03", "no name could be resolved, so no address was tried", hint=NOT_RESOLVED_HINT
        )
    known = {attempt.family for endpoint in endpoints for attempt in endpoint.attempts}
    reached = [family for family in Family if _over(endpoints, family)]
    evidence = [_story(endpoint) for endpoint in endpoints]
    if not reached:
        tried = " and ".join(family.value for family in Family if family in known)
        return judging.critical("NET-03", f"no endpoint is reached over {tried}", evidence=evidence)
    if len(reached) == len(Family):
        return judging.ok("NET-03", "endpoints are reached over IPv4 and IPv6", evidence=evidence)
    missing = next(family for family in Family if family not in reached)
    if missing in known:
        return judging.warn(
            "NET-03",
            f"no endpoint is reached over {missing.value}, only over {reached[0].value}",
            evidence=evidence,
        )
    if missing is Family.IPV6:
        return judging.skip("NET-03", "no name has an IPv6 address here, so IPv6 was not tried; IPv4 works")
    return judging.ok(
        "NET-03", "endpoints are reached over IPv6; no name has an IPv4 address", evidence=evidence
    )


def _interception(endpoints: Sequence[EndpointFacts], judging: Judging) -> CheckResult:
    suspicions = [text for endpoint in endpoints for text in _suspicions(endpoint)]
    seen = [endpoint for endpoint in endpoints if endpoint.tls is not None or endpoint.http is not None]
    evidence = [text for endpoint in seen for text in _met(endpoint)]
    if suspicions:
        return judging.warn(
            "NET-04", suspicions[0], value=len(suspicions), unit="1", evidence=[*suspicions, *evidence]
        )
    unusable = [endpoint.tls_error for endpoint in endpoints if endpoint.tls_error]
    if unusable:
        return judging.unknown(
            "NET-04", f"certificates could not be verified: {unusable[0]}", evidence=evidence
        )
    if not seen:
        return judging.skip("NET-04", "no endpoint that speaks TLS or HTTP was reached")
    verified = sum(endpoint.tls is not None for endpoint in seen)
    return judging.ok(
        "NET-04",
        f"{verified} of {verified} certificates verified, no HTML in place of data",
        value=0,
        unit="1",
        evidence=evidence,
    )


def _suspicions(endpoint: EndpointFacts) -> list[str]:
    found: list[str] = []
    tls, http = endpoint.tls, endpoint.http
    if tls is not None and not tls.works:
        found.append(f"{endpoint.name} takes connections but not TLS: {tls.detail or 'no reason given'}")
    elif tls is not None and not tls.verified:
        signer = f", signed by {tls.issuer}" if tls.issuer else ""
        found.append(
            f"{endpoint.name} shows a certificate that is not verified{signer}: {tls.detail or 'unknown'}"
        )
    if http is not None and (http.html_unexpected or http.status == 511):
        found.append(f"{endpoint.name} answers with an HTML page (status {http.status}) in place of data")
    return found


def _met(endpoint: EndpointFacts) -> list[str]:
    lines: list[str] = []
    if endpoint.tls is not None and endpoint.tls.verified:
        issuer = endpoint.tls.issuer or "an unnamed authority"
        lines.append(f"{endpoint.name} ({endpoint.target}): {endpoint.tls.protocol}, signed by {issuer}")
    if endpoint.http is not None:
        lines += [f"{endpoint.name} ({endpoint.target}): {field}" for field in endpoint.http.intermediaries]
    return lines


def _nat(facts: NetworkFacts, judging: Judging) -> CheckResult:
    kinds = [("IPv4", facts.ipv4_local_kind), ("IPv6", facts.ipv6_local_kind)]
    known = [f"{family} {kind}" for family, kind in kinds if kind is not None]
    if not known:
        return judging.skip("NET-05", "no connection succeeded, so no local address was used")
    behind = " (translated on the way out)" if facts.ipv4_local_kind == "private" else ""
    keepalive = facts.tcp_keepalive_s
    evidence = [] if keepalive is None else [f"net.ipv4.tcp_keepalive_time: {keepalive:.0f} s"]
    return judging.ok("NET-05", f"local addresses: {', '.join(known)}{behind}", evidence=evidence)


def _throughput(facts: NetworkFacts, judging: Judging) -> CheckResult:
    if not facts.fetches:
        return judging.skip("NET-06", facts.absent.get("fetches", "nothing was fetched"))
    evidence = [_fetched(fetch) for fetch in facts.fetches]
    broken = [fetch for fetch in facts.fetches if _fault(fetch)]
    if broken:
        return judging.warn(
            "NET-06", f"download failed, {broken[0].via}: {_fault(broken[0])}", evidence=evidence
        )
    main = facts.fetches[0]  # through the proxy if there is one
    if main.body_bytes < judging.number("NET-06", "least_bytes"):
        reason = f"the object has only {main.body_bytes} bytes: too few to measure a rate"
        return judging.unknown(
            "NET-06", reason, evidence=evidence, hint="set network.throughput_url to one of 8 MB"
        )
    rate = _rate(main) or 0.0
    cores = judging.facts_of("cores", CoresFacts) if main.via == "proxy" else None
    share = max(1.0, cores.effective_cores or 1.0) if cores is not None else 1.0
    wanted = judging.number("NET-06", "warn_below_bytes_per_s_per_core") * share
    summary = f"{rate / 1e6:.3g} MB/s {'through the proxy' if main.via == 'proxy' else 'without a proxy'}"
    if rate < wanted:
        summary += f", wanted {wanted / 1e6:.3g} MB/s for {share:g} core{'s' if share > 1 else ''}"
        return judging.warn("NET-06", summary, value=round(rate), unit="B/s", evidence=evidence)
    return judging.ok("NET-06", summary, value=round(rate), unit="B/s", evidence=evidence)


def _rate(fetch: FetchFacts) -> float | None:
    return fetch.body_bytes / fetch.duration_s if fetch.duration_s else None


def _fault(fetch: FetchFacts) -> str | None:
    if fetch.status is None:
        return fetch.error or "no answer"
    if fetch.status != 200:
        return f"status {fetch.status}"
    return "an HTML page in place of the object" if fetch.html else None


def _fetched(fetch: FetchFacts) -> str:
    fault = _fault(fetch)
    rate = _rate(fetch)
    said = fault if fault or rate is None else f"{fetch.body_bytes} bytes, {rate / 1e6:.3g} MB/s"
    return f"{fetch.via}: {said or 'no duration'}"
