"""The catalogue of the XRootD checks: XRD-01 to XRD-08 and STO-01."""

from __future__ import annotations

from probes.spec import Bound, Check

CHECKS = (
    Check(
        id="XRD-01",
        title="XRootD reached",
        rule="OK if every door and redirector answers the hello of the protocol over each family of addresses that its "
        "name has. CRITICAL if one of the site's own doors does not, WARNING if a redirector does not or one family "
        "is dead.",
        origin="WLCG SAM, SE-xrootd connection test",
        hint="let worker nodes open connections to the named host and port (1094 by default), and see whether xrootd "
        "runs there (`xrdfs HOST:PORT query config role`)",
        why="A job opens its input through the site's door, and through the redirectors when that fails. A door whose "
        "IPv6 address is dead costs each open a time-out before the client falls back to IPv4.",
    ),
    Check(
        id="XRD-02",
        title="XRootD authentication",
        rule="OK if the login works with the credentials of this environment or none is wanted. CRITICAL if one of the "
        "site's own doors accepts none, WARNING if a redirector does.",
        origin="WLCG SAM, SE-xrootd",
        hint="look at the credential checks (CRD-01 to CRD-05) and at the server's log for the reason",
        why="XRootD's client tries each of its credentials and in the end says no more than 'No protocols left to try'. "
        "A token whose file is readable for others, for one, is left out without a word.",
    ),
    Check(
        id="XRD-03",
        title="file read",
        rule="OK if the test file is found, opened, and its first megabyte and a vector read of three chunks give the "
        "same bytes at one of the site's own doors. CRITICAL if it cannot be read at any, WARNING if at some.",
        origin="WLCG SAM, xrootd-access",
        hint="open the file by hand: `xrdcp -d1 URL /dev/null`",
        why="This is what every job does first. A door that answers pings but has lost its disks or its path mapping "
        "(LFN to PFN) fails only here.",
    ),
    Check(
        id="XRD-04",
        title="checksum",
        rule="OK if the server's checksum of the test file is that of the bytes read. CRITICAL if it differs. SKIPPED "
        "if the server gives none or the file is larger than xrootd.max_file_bytes.",
        origin="WLCG SAM, SE-xrootd",
        hint="compare with the catalogue's checksum; if the server's is old delete its stored one (extended attribute "
        "XrdCks.adler32), else take the disk out",
        why="Transfers and jobs trust the checksum. Where it does not fit the bytes, either the disk corrupts data or a "
        "file was replaced behind the server's back.",
    ),
    Check(
        id="XRD-05",
        title="federation",
        rule="OK if every redirector finds the test file. WARNING if one does not, CRITICAL if none does.",
        origin="practice of CMS transfer operators: xrdmapc, xrdfs locate",
        hint="see which servers subscribe (`xrdmapc --list all HOST:PORT`); for the site's own, all.manager in cmsd's "
        "configuration",
        why="Jobs that run where their data are not, and those whose local copy fails, find them through the regional "
        "and the global redirector.",
    ),
    Check(
        id="XRD-06",
        title="fall-back read",
        rule="OK if the federation's test file is read through a redirector, tried in their order. WARNING if through none.",
        origin="WLCG SAM, xrootd-fallback",
        hint="let worker nodes open connections to storage elsewhere (1094 and the ports of data servers), not only to "
        "the redirectors",
        why="The redirector only says where a file is; the data come from a server of another site. A firewall that lets "
        "only the redirectors through breaks every fall-back after the redirection.",
    ),
    Check(
        id="XRD-07",
        title="read speed",
        rule="Rate of the sequential read at the site's own door, time to first byte and rate of a sparse vector read. "
        "WARNING below 1 MB/s.",
        origin="CMS computing operations: a job reads some 1 MB/s a core",
        hint="see whether other nodes are as slow; then load and network of the data server that is named",
        why="A job that waits for its input keeps a core idle. A TTree is read in small pieces all over the file, which "
        "is where latency shows that a sequential copy hides.",
        bounds=(
            Bound(name="warn_below_bytes_per_s", default=1_000_000, origin="CMS computing operations table"),
            Bound(
                name="least_bytes", default=262_144, origin="sitecap policy: less says nothing about a rate"
            ),
        ),
    ),
    Check(
        id="XRD-08",
        title="XRootD TLS",
        rule="OK if the site's own doors offer TLS with a certificate for their name by a trusted authority. WARNING if "
        "TLS is not offered or the certificate ends within a week, CRITICAL if it is not verified or has expired.",
        origin="WLCG: tokens travel over TLS only",
        hint="have the host certificate issued anew with the door's name in subjectAltName (xrd.tls)",
        why="A token is only sent over TLS. The client looks at subjectAltName alone; an alias of a door that is not "
        "in it fails with a message about the host name, and a node without authorities with one about resources.",
        bounds=(
            Bound(
                name="warn_within_s",
                default=7 * 86_400,
                origin="sitecap policy: a week to get a new certificate",
            ),
        ),
    ),
    Check(
        id="STO-01",
        title="stage-out",
        rule="Only if xrootd.write_url is set. OK if a small file is written there, has the right checksum, is read back "
        "and deleted. CRITICAL otherwise.",
        origin="WLCG SAM, SE-xrootd write test",
        hint="look at the server's permissions for this path and at the scope of the token (storage.create, "
        "storage.modify)",
        why="A job that cannot stage its output out has computed for nothing.",
    ),
)
