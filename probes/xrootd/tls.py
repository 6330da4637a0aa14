"""XRD-08: TLS at the site's own doors."""

from __future__ import annotations

from collections.abc import Sequence

from probes.judging import Judging
from probes.xrootd.explain import certificate_cause
from profiles.checks import CheckResult
from profiles.facts.xrootd import XrootdDoor


def tls(local: Sequence[XrootdDoor], judging: Judging) -> CheckResult:
    """Of the worst certificate; a door without TLS counts after a door with a bad one."""
    seen = [door for door in local if door.server is not None]
    if not seen:
        return judging.skip("XRD-08", "no door of the site's own was reached")
    evidence = [_line(door) for door in seen]
    for door in seen:
        shown = door.certificate
        if shown is not None and not shown.verified:
            cause = certificate_cause(door)
            return judging.critical(
                "XRD-08",
                f"{door.target}: {cause.text}",
                evidence=[*cause.evidence, *evidence],
                hint=cause.hint,
            )
    bare = [door for door in seen if door.server is not None and not door.server.tls_offered]
    if bare:
        return judging.warn(
            "XRD-08",
            f"{bare[0].target} does not offer TLS, so no token can be sent to it",
            evidence=evidence,
            hint="give xrootd a host certificate (xrd.tls, xrd.tlsca) and offer TLS (xrootd.tls capable all)",
        )
    left = [
        (door.certificate.expires_in_s, door.target)
        for door in seen
        if door.certificate is not None and door.certificate.expires_in_s is not None
    ]
    if left and min(left)[0] < judging.number("XRD-08", "warn_within_s"):
        left_s, target = min(left)
        return judging.warn(
            "XRD-08",
            f"{target}: its certificate ends in {left_s / 86_400:.1f} days",
            value=round(left_s),
            unit="s",
            evidence=evidence,
            hint="renew the host certificate of the server",
        )
    if not any(door.certificate for door in seen):
        return judging.unknown("XRD-08", "TLS is offered, but no certificate was seen", evidence=evidence)
    more = {"value": round(min(left)[0]), "unit": "s"} if left else {}
    return judging.ok("XRD-08", "TLS is offered with a verified certificate", evidence=evidence, **more)


def _line(door: XrootdDoor) -> str:
    shown = door.certificate
    if shown is None:
        offered = door.server is not None and door.server.tls_offered
        return f"{door.target}: TLS {'offered' if offered else 'not offered'}"
    ends = "" if shown.expires_in_s is None else f", ends in {shown.expires_in_s / 86_400:.1f} days"
    verified = "verified" if shown.verified else f"not verified ({shown.detail})"
    demands = door.server.tls_demands if door.server is not None else ()
    return (
        f"{door.target}: {verified} with {shown.authorities}, for {', '.join(shown.names) or 'no name'}{ends}, "
        f"TLS {'demanded for ' + ', '.join(demands) if demands else 'not demanded'}"
    )
