"""The catalogue of the credential checks: CRD-01 to CRD-05."""

from __future__ import annotations

from probes.spec import Bound, Check

SKEW_BOUND = Bound(name="skew_s", default=60.0, origin="WLCG token profile: nbf is dated back by up to 60 s")

CHECKS = (
    Check(
        id="CRD-01",
        title="X.509 proxy",
        rule="OK if X509_USER_PROXY, else /tmp/x509up_u<uid>, is an RFC 3820 proxy with its key, private to this "
        "user, for 6 h or more. WARNING below that. CRITICAL if it expired, is not valid yet, is no usable proxy, "
        "is open to others, or the variable names a missing file. SKIPPED if there is none.",
        origin="SAM tests and CMS pilot start-up test (6 h); RFC 3820; Globus clients refuse a proxy that is open to "
        "others",
        hint="renew it (`voms-proxy-init -voms cms -rfc`), look at the renewal service of the pilot, `chmod 600`",
        why="A job whose proxy ends before it does has computed for nothing: stage-out is refused.",
        bounds=(
            Bound(name="warn_below_s", default=21_600.0, origin="SAM and CMS pilot start-up test: 6 h"),
            SKEW_BOUND,
        ),
    ),
    Check(
        id="CRD-02",
        title="VOMS attributes",
        rule="OK if the proxy carries a VOMS attribute certificate of the configured VO (credentials.voms) that is valid "
        "for 1 h or more. WARNING if there is none, it is another VO's, or has expired. SKIPPED without a proxy.",
        origin="storage of WLCG authorises by VOMS group and role",
        hint="make the proxy with `voms-proxy-init -voms cms`, with a VOMS lifetime (-valid) as long as the proxy's",
        why="A proxy without VOMS attributes, or with expired ones, still authenticates; then the storage maps it to "
        "nobody and refuses to read, which looks like a broken storage.",
        bounds=(Bound(name="warn_below_s", default=3600.0, origin="sitecap policy"), SKEW_BOUND),
    ),
    Check(
        id="CRD-03",
        title="bearer token",
        rule="OK if WLCG discovery finds a token that is well-formed, valid for 10 min or more, not longer-lived than "
        "6 h, not longer than 4096 bytes, made for the site's storage, and allows reading of the test file. CRITICAL if it is malformed, expired, "
        "not valid yet, or not for the configured audience. WARNING for the rest. SKIPPED if there is none.",
        origin="WLCG Bearer Token Discovery; WLCG Common JWT Profile (lifetime up to 6 h, audience, scopes); RFC 6750",
        hint="renew the token (`htgettoken`, `oidc-token`), with the audience and scopes of this site's storage",
        why="The first token that discovery finds is used even if it is bad: an expired one in BEARER_TOKEN hides a "
        "good one in a file, and XRootD then only says that no protocol is left to try.",
        bounds=(
            Bound(name="warn_below_s", default=600.0, origin="sitecap policy"),
            Bound(name="warn_lifetime_above_s", default=21_600.0, origin="WLCG token profile: 6 h at most"),
            Bound(
                name="warn_above_bytes",
                default=4096.0,
                origin="XRootD: default of -maxsz of sec.protocol ztn",
            ),
            SKEW_BOUND,
        ),
    ),
    Check(
        id="CRD-04",
        title="token file private",
        rule="OK if the token's file belongs to this user and nobody else may do anything with it. CRITICAL if group or "
        "others may, WARNING if it belongs to somebody else. SKIPPED if the token is in a variable or there is none.",
        origin="the token plug-in of XRootD's client (ztn) silently ignores such a file",
        hint="`chmod 600` the token file, and make whatever renews it do so (umask 077)",
        why="XRootD ignores the token without a word and fails with `No protocols left to try`; and whoever reads the "
        "file can act with it.",
    ),
    Check(
        id="CRD-05",
        title="authorities",
        rule="OK if X509_CERT_DIR, else /etc/grid-security/certificates, holds authorities, and no list of revoked "
        "certificates has lapsed. CRITICAL if there are none at all or X509_CERT_DIR names what cannot be read. WARNING "
        "if only the system's authorities are there, or a list has lapsed.",
        origin="IGTF distribution; XRootD then says `resource temporarily unavailable` (xrootd issue 2251)",
        hint="install ca-policy-egi-core or osg-ca-certs, or set X509_CERT_DIR to "
        "/cvmfs/grid.cern.ch/etc/grid-security/certificates; run fetch-crl daily",
        why="Without the grid's authorities no storage door can be verified, and every TLS connection to one fails.",
    ),
)
