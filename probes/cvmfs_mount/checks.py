"""The catalogue of the checks of mounted CVMFS: CVM-01 to CVM-13."""

from __future__ import annotations

from probes.spec import Bound, Check

CHECK_CVMFS = "check_cvmfs (Nagios probe of the CVMFS developers)"

CHECKS = (
    Check(
        id="CVM-01",
        title="readable",
        rule="OK if the root directory of each mounted repository lists names and the configured file in it is read "
        "whole. CRITICAL if one is there and cannot be read, or hangs. SKIPPED if nothing is mounted.",
        origin="cvmfs_config probe; cvmfs#3512, #3628",
        hint="`cvmfs_config probe`, then `cvmfs_config killall` and `cvmfs_config reload`; see /var/log/messages for cvmfs2, "
        "and umount -l a mount point whose transport endpoint is not connected",
        why="All software of the experiments comes from CVMFS. A mount that hangs stops each job in its first line, in a "
        "state in which even the batch system cannot kill it.",
        critical_on_hang=True,
    ),
    Check(
        id="CVM-02",
        title="client version",
        rule="WARNING if a running client is of another version than the installed package.",
        origin=CHECK_CVMFS,
        hint="`cvmfs_config reload` loads the installed version without unmounting",
        why="After an update the old client goes on until it is reloaded. Its bugs stay, although the package says "
        "otherwise.",
    ),
    Check(
        id="CVM-03",
        title="revision",
        rule="Mounted revision against the newest one that was verified over HTTP (probe cvmfs). OK if equal or newer, or if "
        "the newest was published less than twice its TTL and the slack ago. WARNING if it is older than that, CRITICAL "
        "above 24 h, or if the same revision has another root catalog.",
        origin="WLCG SAM (twice the TTL); cvmfs#3637 against comparing bare revisions",
        hint="`cvmfs_talk -i REPOSITORY remount sync`; if it stays, the Stratum-1 in use is stale or the squid keeps an old "
        "manifest: `cvmfs_talk -i REPOSITORY host switch`",
        why="A job that needs a release of yesterday does not find it, on this node only. A client stays on a stale "
        "Stratum-1 without a word.",
        bounds=(
            Bound(
                name="slack_s", default=3600.0, origin="sitecap policy: snapshots of Stratum-1s run hourly"
            ),
            Bound(name="critical_above_s", default=86_400.0, origin="WLCG SAM; cvmfs-servermon"),
        ),
    ),
    Check(
        id="CVM-04",
        title="I/O errors",
        rule="WARNING if a client has counted I/O errors, or the last one is younger than 4 h. CRITICAL if the count grew "
        "while the probe read.",
        origin=f"{CHECK_CVMFS}; OSG pilot (14 400 s)",
        hint="`cvmfs_talk -i REPOSITORY internal affairs`; look at the disk of the cache, then at squid and Stratum-1 "
        "(checks SQD and CVH); `cvmfs_talk reset error counters` once it is mended",
        why="An I/O error of CVMFS is a crash in a job: a library that cannot be loaded, a Python module that is not there.",
        bounds=(Bound(name="recent_s", default=14_400.0, origin="OSG pilot"),),
    ),
    Check(
        id="CVM-05",
        title="cache partition",
        rule="WARNING if the file system of the cache is more than 95 % full, is smaller than the quota, or the client had "
        "to clean up more than 24 times in a day.",
        origin=f"{CHECK_CVMFS}; cvmfs#3832, #3454; CVMFS documentation: partition at least quota + 20 % + 1 GB",
        hint="give the cache a partition of its own, and at most 70 % of it as CVMFS_QUOTA_LIMIT",
        why="When the partition is full before the quota is reached, the client cannot clean up: reads fail with an I/O "
        "error. Many cleanups mean that jobs push one another's software out of the cache.",
        bounds=(
            Bound(name="warn_above_full", default=0.95, origin=CHECK_CVMFS),
            Bound(name="warn_above_cleanups_per_day", default=24, origin=CHECK_CVMFS),
        ),
    ),
    Check(
        id="CVM-06",
        title="cache size",
        rule="CVMFS_QUOTA_LIMIT: WARNING below 10 GB; 20 GB are recommended for CMS alone, 40 GB where experiments share.",
        origin="CMS on CVMFS (CernVMFS4cms); cvmfs#4260",
        hint="raise CVMFS_QUOTA_LIMIT in /etc/cvmfs/default.local; where it is not set it is 4000 MB",
        why="One CMSSW release has some GB. With the default of 4 GB two different jobs on a node fetch their software again "
        "and again.",
        bounds=(
            Bound(name="warn_below_bytes", default=10_000_000_000, origin="CMS on CVMFS"),
            Bound(name="recommended_bytes", default=20_000_000_000, origin="CMS on CVMFS"),
        ),
    ),
    Check(
        id="CVM-07",
        title="file descriptors",
        rule="WARNING if a client uses more than 80 % of its file descriptors.",
        origin=CHECK_CVMFS,
        hint="raise CVMFS_NFILES in /etc/cvmfs/default.local and reload",
        why="A client without free descriptors answers with an I/O error to every open.",
        bounds=(Bound(name="warn_above_used", default=0.8, origin=CHECK_CVMFS),),
    ),
    Check(
        id="CVM-08",
        title="client memory",
        rule="WARNING if the process of a client has more than 50 MB and more than 1 % of the node's memory.",
        origin=CHECK_CVMFS,
        hint="`cvmfs_talk -i REPOSITORY internal affairs` shows what it holds; a reload gives it back",
        why="The clients' memory is nobody's slot: jobs get less than the node promises.",
        bounds=(
            Bound(name="warn_above_bytes", default=50_000_000, origin=CHECK_CVMFS),
            Bound(name="warn_above_share", default=0.01, origin=CHECK_CVMFS),
        ),
    ),
    Check(
        id="CVM-09",
        title="catalogs",
        rule="WARNING if ten times the loaded catalogs is more than the limit of file descriptors.",
        origin=CHECK_CVMFS,
        hint="raise CVMFS_NFILES, or remount: something walks through the whole repository (a virus scanner, updatedb, find)",
        why="Each loaded catalog holds a file open. updatedb that walks over /cvmfs loads them all.",
        bounds=(Bound(name="descriptors_per_catalog", default=10, origin=CHECK_CVMFS),),
    ),
    Check(
        id="CVM-10",
        title="inodes",
        rule="WARNING if the client has given out inode numbers above 2³¹ − 1.",
        origin=CHECK_CVMFS,
        hint="remount the repository when the node is drained; `cvmfs_config reload` keeps the numbers",
        why="32-bit programs fail on such a file with EOVERFLOW, “value too large for defined data type”.",
        bounds=(Bound(name="warn_above", default=2**31 - 1, origin=CHECK_CVMFS),),
    ),
    Check(
        id="CVM-11",
        title="integrity",
        rule="Ten files picked at random are read whole. CRITICAL if one fails, or gives another number of bytes than its "
        "size says.",
        origin="CMS pilot start-up test (PSST)",
        hint="`cvmfs_fsck` on the cache of this repository; if it finds damage, look at the disk and wipe the cache "
        "(`cvmfs_config wipecache`)",
        why="A damaged object in the cache breaks the same program in every job of this node, and on no other node.",
    ),
    Check(
        id="CVM-12",
        title="kind of mount",
        rule="Information: whether the mounts carry the client's attributes. A re-export (NFS, CSI driver) has none.",
        origin="OSG pilot (revision 0 for re-exports)",
        hint="nothing to do",
        why="Without the attributes nothing can be said here about revision, errors and proxies of the client; they must be "
        "looked at where the client runs.",
    ),
    Check(
        id="CVM-13",
        title="repositories",
        rule="CRITICAL if the first of cvmfs.repositories is not mounted, WARNING if another is not. Of "
        "singularity.opensciencegrid.org and unpacked.cern.ch one is enough.",
        origin="WLCG SAM (wn_cvmfs), CMS facilities documentation",
        hint="mount it: CVMFS_REPOSITORIES in /etc/cvmfs/default.local, or bind /cvmfs into the container with its propagation "
        "(rslave)",
        why="Without cms.cern.ch there is no CMSSW, no SITECONF and no environment: the job ends in its first line. The "
        "others hold container images and grid clients.",
    ),
)
