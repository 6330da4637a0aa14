"""The catalogue of the network checks: CTX-03 and NET-01 to NET-06."""

from __future__ import annotations

from probes.spec import Bound, Check

NOT_RESOLVED_HINT = (
    "no name could be resolved: resolver or no outbound; if this site has no outbound connectivity set "
    "site_profile = no-outbound"
)
NOTHING_REACHED_HINT = (
    "open outbound TCP for worker nodes (NAT is fine); if this site has no outbound connectivity set "
    "site_profile = no-outbound"
)

CHECKS = (
    Check(
        id="CTX-03",
        title="clock skew",
        rule="Median difference between this clock and the Date of the configured HTTP and HTTPS endpoints. OK up "
        "to 5 s, WARNING above, CRITICAL above 60 s.",
        origin="CMS pilot start-up test (PSST) allows 60 s; RFC 7523 §3 lets a verifier of tokens allow some skew",
        hint="start chronyd (`systemctl enable --now chronyd`) and look at `chronyc tracking`; in a virtual machine "
        "or container the host's clock",
        why="Tokens and proxies say from when until when they are valid. A node whose clock is off by more than a "
        "minute finds fresh ones not valid yet or lives on with expired ones: stage-out and pilots fail with "
        "messages that never mention the clock.",
        bounds=(
            Bound(name="warn_above_s", default=5.0, origin="CMS pilot start-up test (its message)"),
            Bound(
                name="critical_above_s", default=60.0, origin="CMS pilot start-up test; usual slack of tokens"
            ),
        ),
    ),
    Check(
        id="NET-01",
        title="DNS",
        rule="OK if all configured names resolve within 1 s. WARNING if one is slower or does not resolve, CRITICAL "
        "if that of an essential endpoint does not or none does.",
        origin="sitecap policy",
        hint="look at /etc/resolv.conf and ask each nameserver (`getent ahosts NAME`); a caching resolver on the "
        "node or site cures slow answers",
        why="Each file open, Frontier query and CVMFS fail-over starts with a look-up. A dead first nameserver "
        "adds 5 s to each of them; none at all stops the job.",
        bounds=(Bound(name="warn_above_s", default=1.0, origin="sitecap policy"),),
    ),
    Check(
        id="NET-02",
        title="outbound TCP",
        rule="OK if every configured endpoint takes a connection over IPv4 or IPv6. WARNING if one does not, "
        "CRITICAL if an essential one or none does.",
        origin="WLCG SAM and OSG port tests",
        hint="let worker nodes open connections to the named host and port (NAT is fine, inbound is not needed)",
        why="A job talks to the central services, to XRootD redirectors (1094), to CVMFS Stratum-1 servers when "
        "the site's caches fail. A blocked port shows only when the job has already run for hours and wants to "
        "read or write.",
    ),
    Check(
        id="NET-03",
        title="IP families",
        rule="OK if endpoints are reached over IPv4 and IPv6. WARNING if over one only although names have addresses "
        "of the other, CRITICAL if over neither. SKIPPED if no name has an IPv6 address.",
        origin="WLCG: worker nodes dual-stack by 30 June 2024 (HEPiX IPv6 working group)",
        hint="give worker nodes an IPv6 address and default route (`ip -6 route`); no inbound connection is needed",
        why="Storage that speaks IPv6 only exists already. A node without IPv6 cannot read from it, and one with "
        "an IPv6 address but no route waits for a time-out before each fall-back to IPv4.",
    ),
    Check(
        id="NET-04",
        title="interception",
        rule="OK if every certificate is verified by the configured, grid or system authorities and no object that "
        "is never HTML comes as HTML. WARNING otherwise. SKIPPED if no endpoint speaks TLS or HTTP.",
        origin="cvmfs/cvmfs#4445 (inspecting firewall)",
        hint="exempt grid traffic from TLS inspection and captive portals; if the issuer is one of your own, put "
        "it among the authorities (X509_CERT_DIR, or network.ca_path)",
        why="A box that opens TLS sees proxies and tokens, and clients that verify refuse to talk through it. A "
        "portal that answers with its log-in page makes CVMFS believe that a repository is damaged.",
    ),
    Check(
        id="NET-05",
        title="NAT",
        rule="Information: kind of the local addresses, and the kernel's TCP keep-alive.",
        origin="OSG; HTCondor CCB (heartbeat of 120 s by default)",
        hint="nothing to do",
        why="Behind NAT a connection that is silent for some minutes is forgotten on the way. HTCondor sends a "
        "heartbeat every 120 s for that reason; other services rely on the kernel's keep-alive, which by default "
        "starts after two hours.",
    ),
    Check(
        id="NET-06",
        title="throughput",
        rule="Rate of one download of at most 8 MiB. Through the site's proxy WARNING below 1 MB/s for each core; "
        "without a proxy below 1 MB/s in all. WARNING if it fails or comes as HTML. SKIPPED if "
        "network.throughput_url is not set.",
        origin="CMS computing operations: LAN capacity per core",
        hint="look at the load of the squid and at the link of this node (`ethtool`, `ip -s link`), and whether all "
        "nodes of the rack are slow",
        why="CMSSW and its conditions come through the site's squid. When all cores of a node start at once and "
        "it delivers less, the first event is late by many minutes on every core.",
        bounds=(
            Bound(
                name="warn_below_bytes_per_s_per_core",
                default=1_000_000,
                origin="CMS computing operations table",
            ),
            Bound(
                name="least_bytes", default=262_144, origin="sitecap policy: less says nothing about a rate"
            ),
        ),
    ),
)
