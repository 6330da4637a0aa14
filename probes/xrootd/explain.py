"""Why a door turned us away: the class of the fault, and for those that clients leave unexplained, the credentials.

'No protocols left to try' is all that XRootD's client says when it has no credential that a server accepts. What it
means is found in the facts of the `credentials` probe: a token file that others may read is left out silently, an
expired token is sent and refused, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass

from probes.judging import Judging
from probes.xrootd import credential_clues
from probes.xrootd.faults import SAID
from profiles.facts.credentials import CredentialsFacts
from profiles.facts.routes import Step
from profiles.facts.xrootd import XrootdDoor


@dataclass(frozen=True)
class Cause:
    """What is wrong, in one clause; what mends it; what it was seen by."""

    text: str
    hint: str | None = None
    evidence: tuple[str, ...] = ()


HINTS = {
    "dns": "look at the spelling in the configuration and at /etc/resolv.conf",
    "refused": "see whether xrootd runs on the server and listens on this port",
    "unreachable": "look at the routes of this node (`ip route`, `ip -6 route`)",
    "timeout": "a firewall drops the packets, or the server is overloaded: let worker nodes out to this host and port",
    "silent": "xrootd on this server hangs, or a firewall or proxy in between takes connections in its place: restart it, "
    "or exempt the port from inspection",
    "not-xrootd": "something else listens on this port: correct the port in the configuration",
    "closed": "look at the server's log: it drops connections of this node (host rules, connection limit)",
    "tls-not-offered": "use root:// for this server, or give it a host certificate (xrd.tls)",
    "redirect-loop": "two managers redirect to each other: see all.manager and the static redirections (xrootd.redirect) of "
    "the servers in the chain",
    "not-found": "the servers that have it do not subscribe to this redirector (all.manager, cmsd), or the file is gone",
    "overloaded": "try again later; if it stays so the site needs more doors",
    "short": "the file is truncated on the server: restore it",
    "wrong-data": "the data server's disk or a cache in between corrupts data: take it out",
    "died": "run the client by hand: `xrdcp -d2 URL /dev/null`",
    "io": "look at the log of the data server",
}
"""What mends a fault, by its class."""

INSTALL_CA = (
    "install the grid's authorities (ca-policy-egi-core, osg-ca-certs) into /etc/grid-security/certificates, or set "
    "X509_CERT_DIR to a copy, e.g. /cvmfs/grid.cern.ch/etc/grid-security/certificates"
)


NOT_HERE = (
    "see whether the test file is still at the site (siteconf.test_lfn names another one) and whether storage.json makes "
    "the right path of its name; on the server oss.localroot and the name-to-name plug-in"
)


def cause_of(door: XrootdDoor, step: Step | None, judging: Judging) -> Cause:
    """Why this step broke."""
    if step is None or step.fault is None:
        return Cause("nothing broke")
    kind, detail = step.fault, step.detail or ""
    seen = (f"{door.target}: {step.name}: {detail}",)
    if kind == "tls-not-offered":
        return Cause(SAID[kind], HINTS[kind], seen)
    if kind == "tls" or kind.startswith("tls-"):
        clue = next(credential_clues.of_missing_proxy(judging, door), None)
        if kind == "tls" and clue is not None:
            return Cause(f"{SAID[kind]}: {clue.text}", clue.hint, seen)
        return certificate_cause(door, kind, detail)
    if kind in ("no-credential-accepted", "denied"):
        return _credential(door, step, judging, seen)
    if kind == "not-found" and door.kind == "local":
        return Cause(f"the file is not there: {door.path}", NOT_HERE, seen)
    text = SAID.get(kind, detail or kind)
    if (
        kind in ("redirect-loop", "wrong-data", "short", "checksum", "io", "connect", "died", "timeout")
        and detail
    ):
        text = f"{text}: {detail}"
    if kind == "not-found":
        text = f"{text} {door.path}"
    return Cause(text, HINTS.get(kind), seen)


def certificate_cause(door: XrootdDoor, kind: str | None = None, detail: str | None = None) -> Cause:
    """What is wrong with TLS; the certificate, where it was seen, says it better than a client's sentence."""
    shown = door.certificate
    if shown is not None and not shown.verified and shown.fault is not None:
        kind, detail = shown.fault, shown.detail
    kind = kind or "tls"
    where = shown.authorities if shown is not None else "X509_CERT_DIR or /etc/grid-security/certificates"
    seen = (f"{door.target}: TLS: {detail or 'no detail'}",)
    if kind == "tls-no-ca":
        text = f"{SAID[kind]} ({where})"
        return Cause(text, INSTALL_CA, seen)
    if kind == "tls-untrusted":
        signer = f", signed by {shown.issuer}" if shown is not None and shown.issuer else ""
        return Cause(
            f"{SAID[kind]}{signer}",
            f"{INSTALL_CA}; or have the server's certificate signed by one of them",
            seen,
        )
    if kind == "tls-host-name":
        names = ", ".join(shown.names) if shown is not None and shown.names else "no DNS name"
        host = door.target.rpartition(":")[0]
        return Cause(
            f"its certificate is for {names}, not for {host}",
            f"have the host certificate issued anew with {host} in subjectAltName, or use a name that is in it",
            seen,
        )
    if kind == "tls-expired":
        return Cause(SAID[kind], "renew the host certificate of the server", seen)
    return Cause(
        f"{SAID['tls']}: {detail or 'no detail'}", "look at the server's log for the TLS error", seen
    )


def _credential(door: XrootdDoor, step: Step, judging: Judging, seen: tuple[str, ...]) -> Cause:
    wanted = door.server.auth if door.server is not None and door.server.auth else ()
    offers = f"it wants one of {', '.join(wanted)}" if wanted else ""
    kind = step.fault or ""
    clues = credential_clues.clues(judging, door, kind)
    evidence = (*seen, *(clue.text for clue in clues))
    said = SAID[kind]
    if clues:
        return Cause(f"{said}: {clues[0].text}", clues[0].hint, evidence)
    if kind == "denied":
        return Cause(
            f"{said} {door.path}",
            "the credential is valid, so compare its scope or groups with the server's permissions for this path "
            "(scitokens.cfg, authdb)",
            evidence,
        )
    if judging.facts_of("credentials", CredentialsFacts) is not None:
        hint = "the credentials look right from here: the server's log says why it refuses them (issuer, mapping, clock)"
        return Cause(f"{said}; {offers}" if offers else said, hint, evidence)
    return Cause(
        f"{said}; {offers}" if offers else said,
        "run `agent probe credentials xrootd` together, so that the credentials are looked at too",
        evidence,
    )
