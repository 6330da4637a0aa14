"""The catalogue of the WebDAV check: DAV-01."""

from __future__ import annotations

from probes.spec import Bound, Check

CHECKS = (
    Check(
        id="DAV-01",
        title="WebDAV door",
        rule="OK if every WebDAV door of the site answers OPTIONS with a DAV field, PROPFIND with the file's size, one "
        "range and several with the right bytes, and a checksum that is that of the bytes. WARNING if only several "
        "ranges or the checksum are missing, the reading is slow, or one family of addresses is dead. CRITICAL if a door "
        "fails. SKIPPED if the site has none.",
        origin="WLCG SAM tests of WebDAV endpoints; behaviour of XrdHttp 5.5",
        hint="run the named step by hand on the node (`curl -v --capath $X509_CERT_DIR -X OPTIONS URL`) and look at the log "
        "of the door",
        why="Jobs and transfers read over HTTPS where XRootD is blocked or slow. A door that takes the connection and "
        "then refuses the token, or serves only whole files, shows in jobs as a read error or as hours of waiting, long "
        "after the site was set to work.",
        bounds=(
            Bound(
                name="warn_below_bytes_per_s",
                default=1_000_000,
                origin="CMS computing operations: 1 MB/s for each core",
            ),
            Bound(
                name="least_bytes", default=262_144, origin="sitecap policy: less says nothing about a rate"
            ),
        ),
    ),
)
