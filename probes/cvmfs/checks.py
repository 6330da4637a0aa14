"""The catalogue of CVMFS over HTTP: CVH-01 to CVH-07, and what to do about each fault."""

from __future__ import annotations

from probes.spec import Bound, Check

_SERVERMON = "cvmfs-servermon (WLCG monitoring of Stratum-1s)"

CHECKS = (
    Check(
        id="CVH-01",
        title="verified manifest",
        rule="Each proxy (or direct) × Stratum-1 is taken from connection to master key. OK if every route gives a "
        "verified manifest that is not rolled back, WARNING if some do not, CRITICAL if none does for some repository.",
        origin="what a CVMFS client does before it mounts (cvmfs/manifest_fetch.cc, signature.cc, whitelist.cc)",
        hint="mend the named hop; `agent probe cvmfs --verbose` shows the table of routes",
        why="A client takes one route after the other until one works, so a broken one costs seconds on every "
        "start and shows nowhere; when the last one breaks, every job on the node fails at once. The table says "
        "which hop is broken and how, which the client's own log does not.",
    ),
    Check(
        id="CVH-02",
        title="whitelist lifetime",
        rule="OK if the signed whitelist lives for another 48 h on every route. WARNING below, or if it has expired on "
        "some routes; CRITICAL if it has on all. Says so where this node's clock is to blame.",
        origin=_SERVERMON,
        hint="tell the operator of the repository to sign the whitelist anew; a proxy that alone has an old one must "
        "be made to fetch it again",
        why="The whitelist is signed by hand, for thirty days. When it runs out, no client mounts the repository any "
        "more, wherever it is.",
        bounds=(Bound(name="warn_below_h", default=48.0, origin=_SERVERMON),),
    ),
    Check(
        id="CVH-03",
        title="Stratum-1 age",
        rule="Age of the last snapshot (.cvmfs_status.json), for each Stratum-1. WARNING if one is older than 8 h, "
        "CRITICAL if none is younger than 24 h; nine times as much while a first snapshot goes on. SKIPPED where none says.",
        origin=_SERVERMON,
        hint="not a fault of this site: tell the operator of the Stratum-1, and put another first in CVMFS_SERVER_URL "
        "until it is mended",
        why="A client stays on the Stratum-1 that it has (cvmfs/cvmfs#3412). One that copies no longer gives its "
        "nodes the software of last week, and jobs that need a new release fail there only.",
        bounds=(
            Bound(name="warn_above_h", default=8.0, origin=_SERVERMON),
            Bound(name="critical_above_h", default=24.0, origin=_SERVERMON),
            Bound(name="initial_factor", default=9.0, origin=_SERVERMON),
        ),
    ),
    Check(
        id="CVH-04",
        title="revision spread",
        rule="Information: revisions of the verified routes. WARNING if one was published more than 8 h before the newest.",
        origin="cvmfs/cvmfs#3637: numbers of revisions alone are no fault",
        hint="look at the age of that Stratum-1 (CVH-03) and at what the proxy keeps",
        why="Two jobs of one task on nodes behind different Stratum-1s see different software while the spread lasts.",
        bounds=(Bound(name="warn_above_h", default=8.0, origin="sitecap policy, as CVH-03"),),
    ),
    Check(
        id="CVH-05",
        title="objects",
        rule="Certificate, root catalog and one file are fetched along every verified route and their hashes compared. "
        "OK if all fit, WARNING if some route fails, CRITICAL if all do or if a proxy spoils what is fine without it.",
        origin="CMS pilot start-up test (PSST) reads files for the same reason",
        hint="purge the object from the named squid (`squid -k shutdown`, empty its cache_dir, start) and look at its "
        "disk; if the Stratum-1 itself is corrupt, tell its operator",
        why="A squid with a bad disk serves a damaged object to every node for days. The client notices and goes "
        "on to the next route, slowly; jobs see input/output errors that come and go.",
    ),
    Check(
        id="CVH-06",
        title="latency",
        rule="Information: time to the first byte of a small object, asked for the first and the second time; the "
        "value is the median of the second.",
        origin="sitecap policy",
        hint="nothing to do",
        why="A job opens thousands of small files. Through a squid that has them, each costs a millisecond; from "
        "a Stratum-1 on another continent, a tenth of a second.",
    ),
    Check(
        id="CVH-07",
        title="geo order",
        rule="Order of the servers by the geo API, if cvmfs.geo_order is set. OK if all Stratum-1s give the same order, "
        "WARNING if one gives none, a wrong or another one, CRITICAL if none gives any.",
        origin=_SERVERMON,
        hint="set a fixed order with CVMFS_USE_GEOAPI=no and CVMFS_SERVER_URL",
        why="The client sorts the Stratum-1s by it. Without it, a node in Asia may go to Europe for every file.",
    ),
)

HINTS = {
    "dns": "the name of the hop has no address here: look at /etc/resolv.conf and at the spelling",
    "connect": "nothing listens there, or a firewall refuses: start the service, open its port for worker nodes",
    "timeout": "a firewall drops the packets or the service hangs: look at the port from this subnet, and at its load",
    "too-slow": "the line or the disk of that hop is too slow, or a firewall inspects every packet: look at its load",
    "proxy-denied": "add this node's subnet to the ACL of the squid (squid.conf: acl … src, http_access allow)",
    "proxy-error": "the squid itself cannot reach the Stratum-1: look at its DNS, its route out and its cache.log",
    "http-status": "the Stratum-1 does not serve it: wrong repository, port or path, or a copy that is incomplete",
    "not-a-manifest": "something in between answers instead of the Stratum-1 (portal, content filter): exempt it",
    "wrong-name": "the server or a proxy mixes repositories up: look at the URL and at rewriting rules",
    "bad-hash": "the content is damaged on the server: tell its operator",
    "bad-signature": "the manifest is forged or damaged: trust nothing from that hop until it is known which",
    "corrupt-in-proxy": "purge the object from that squid (stop it, empty its cache_dir, start) and look at its disk",
    "roll-back": "an old manifest is served: purge .cvmfspublished from the proxy, or tell the Stratum-1's operator",
    "not-whitelisted": "the manifest is signed by a key that the domain has not admitted: tell the repository's operator",
    "whitelist-expired": "tell the repository's operator to sign the whitelist anew",
    "whitelist-signature": "install the current master keys (package cvmfs-config-default) or set cvmfs.keys_path",
    "no-master-key": "put the public key of the domain into cvmfs.keys_path/DOMAIN/",
    "clock": "set this node's clock: start chronyd (`systemctl enable --now chronyd`)",
    "blacklisted": "this node's /etc/cvmfs/blacklist refuses it, which somebody wanted: ask who put it there",
    "reset": "a firewall or a crashing service cuts connections: look at the logs of that hop",
    "truncated": "the hop ends answers early: look at its disk and, for a squid, at its cache.log",
    "bomb": "the object unpacks to an absurd size: trust nothing from that repository until its operator explains it",
    "bad-catalog": "the catalog is damaged or forged although it is signed: tell the repository's operator",
    "no-such-file": "name a file that the repository has in cvmfs.test_paths",
    "budget": "raise cvmfs.budget_s, or configure fewer proxies and Stratum-1s",
}
"""Class of fault → what to do."""
