"""The catalogue of the squid checks: SQD-01 to SQD-05."""

from __future__ import annotations

from probes.spec import Bound, Check

CHECKS = (
    Check(
        id="SQD-01",
        title="proxies",
        rule="OK if a CVMFS manifest comes through every configured proxy. WARNING if not through one, CRITICAL if "
        "through none. SKIPPED if none is configured.",
        origin="WLCG SAM (squid), CMS pilot start-up test (PSST), fail-over of the CVMFS client; cvmfsexec#69",
        hint="look at the squid (`systemctl status squid`, cache.log) and at the firewall between this node and its port",
        why="CVMFS and Frontier fetch everything through the site's squids. A node that cannot use them waits for a "
        "time-out at each start, and then goes to backup proxies or directly to servers at CERN, which are made for "
        "sites and not for nodes.",
    ),
    Check(
        id="SQD-02",
        title="caching",
        rule="OK if the second of two equal GETs comes from the cache of every proxy that answers (X-Cache: HIT, or an "
        "Age). WARNING if one shows no sign of it. How long it took is no sign.",
        origin="sitecap policy",
        hint="in squid.conf look for `cache deny`, give cache_mem and a cache_dir, maximum_object_size 1024 MB, "
        "collapsed_forwarding on (WLCG squid guidance)",
        why="A squid that does not keep what it fetched sends every request of every core on to the servers. The site "
        "works until many jobs start together; then the link or the Stratum-1 is the bottleneck.",
    ),
    Check(
        id="SQD-03",
        title="number of proxies",
        rule="WARNING below two proxies of the site's own.",
        origin="WLCG squid guidance",
        hint="run a second squid on another machine and name both in CVMFS_HTTP_PROXY (with | between them) and in "
        "frontier-connect of SITECONF",
        why="With one squid, its reboot stops all jobs of the site or sends them past the site's caches.",
        bounds=(Bound(name="warn_below", default=2, origin="WLCG squid guidance"),),
    ),
    Check(
        id="SQD-04",
        title="Frontier",
        rule="`SELECT 1 FROM DUAL` through each proxy and directly, its reply verified. OK through the proxies that are "
        "tried first; WARNING if only through a later one of the site's; CRITICAL if only through a backup proxy or "
        "directly, or not at all.",
        origin="WLCG SAM (frontier: fail-over is a warning, direct an error), CMS pilot start-up test (PSST)",
        hint="check the proxies of frontier-connect in site-local-config.xml, and that the squid's access list lets this "
        "node through to the Frontier servers (port 8000)",
        why="CMSSW reads detector conditions through Frontier before the first event. Without a proxy of the site it asks "
        "the central servers itself; they are protected against that, and the job fails with a database error.",
    ),
    Check(
        id="SQD-05",
        title="proxy in use",
        rule="WARNING if a mounted CVMFS repository goes directly or through a backup proxy although the site has "
        "proxies. SKIPPED if nothing is mounted.",
        origin="attribute user.proxy of the CVMFS client; cvmfs#3440, #3648, #3961",
        hint="correct CVMFS_HTTP_PROXY in /etc/cvmfs/default.local (`cvmfs_config showconfig`), look at the load of the "
        "squid, then `cvmfs_talk -i REPOSITORY proxy switch` or `cvmfs_config reload`",
        why="The client changes to the next proxy silently and stays there for minutes. Jobs run, but past the site's "
        "cache: it is noticed only when the wide-area link is full.",
    ),
)
