"""What the figures of the CVMFS clients mean: CVM-02 to CVM-10. Pure.

A figure that a site protects is UNKNOWN, never a failure; mounts without any attribute (CVM-12) are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from probes.judging import Judging
from profiles.checks import CheckResult
from profiles.facts.cvmfs import CvmfsFacts, NewestManifest
from profiles.facts.cvmfs_mount import CacheFacts, CvmfsMountFacts, RepositoryMount

GB = 1_000_000_000

OF_CLIENT = ("CVM-02", "CVM-03", "CVM-04", "CVM-07", "CVM-08", "CVM-09", "CVM-10")
NO_ATTRIBUTES = "the mounts carry no attributes of a CVMFS client (CVM-12)"
PROTECTED_HINT = "CVMFS_XATTR_PRIVILEGED_GIDS of the client decides who may read it; run as such a group"


def judge(
    facts: CvmfsMountFacts, mounts: Sequence[RepositoryMount], judging: Judging
) -> Sequence[CheckResult]:
    """Verdicts for CVM-02 to CVM-10, in order."""
    clients = [mount for mount in mounts if mount.has_attributes]
    refused = [mount for mount in mounts if mount.is_protected]
    if not clients and refused:
        found = {check: _protected(check, "anything of itself", refused, judging) for check in OF_CLIENT}
    elif not clients:
        reason = NO_ATTRIBUTES if mounts else "no repository can be listed"
        found = {check: judging.skip(check, reason) for check in OF_CLIENT}
    else:
        found = {
            "CVM-02": _version(facts, clients, judging),
            "CVM-03": _revision(facts, clients, judging),
            "CVM-04": _io_errors(clients, judging),
            "CVM-07": _descriptors(clients, judging),
            "CVM-08": _memory(facts, clients, judging),
            "CVM-09": _catalogs(clients, judging),
            "CVM-10": _inodes(clients, judging),
        }
    found["CVM-05"] = _partition(facts, clients, judging)
    found["CVM-06"] = _quota(facts, judging)
    return [found[check] for check in sorted(found)]


def _protected(check: str, what: str, clients: Sequence[RepositoryMount], judging: Judging) -> CheckResult:
    names = sorted({f"{name}: {why}" for mount in clients for name, why in mount.unreadable.items()})
    return judging.unknown(
        check, f"the client does not tell {what} to us", evidence=names, hint=PROTECTED_HINT
    )


def _version(facts: CvmfsMountFacts, clients: Sequence[RepositoryMount], judging: Judging) -> CheckResult:
    known = [mount for mount in clients if mount.version]
    if not known:
        return _protected("CVM-02", "its version", clients, judging)
    loaded = sorted({str(mount.version) for mount in known})
    evidence = [f"{mount.repository}: {mount.version}" for mount in known]
    if facts.installed_version is None:
        reason = facts.absent.get("installed_version", "the installed version is not known")
        told = f"client {', '.join(loaded)} runs; {reason}"
        return judging.ok("CVM-02", told, value=loaded[-1], evidence=evidence)
    evidence.append(f"installed: {facts.installed_version}")
    stale = [mount for mount in known if not _same(str(mount.version), facts.installed_version)]
    if stale:
        told = f"{stale[0].repository} runs client {stale[0].version}, installed is {facts.installed_version}"
        return judging.warn("CVM-02", told, value=stale[0].version, evidence=evidence)
    return judging.ok("CVM-02", f"client {loaded[-1]}, as installed", value=loaded[-1], evidence=evidence)


def _same(loaded: str, installed: str) -> bool:
    """Whether two versions agree in the three parts that a release has; the client adds a patch level."""
    return loaded.split(".")[:3] == installed.split(".")[:3]


def _revision(facts: CvmfsMountFacts, clients: Sequence[RepositoryMount], judging: Judging) -> CheckResult:
    http = judging.facts_of("cvmfs", CvmfsFacts)
    newest = {manifest.repository: manifest for manifest in (http.newest or ())} if http else {}
    known = [mount for mount in clients if mount.revision is not None]
    if not known:
        return _protected("CVM-03", "its revision", clients, judging)
    evidence = [f"{mount.repository}: revision {mount.revision}, {mount.root_hash}" for mount in known]
    compared = [(mount, newest[mount.repository]) for mount in known if mount.repository in newest]
    if not compared:
        told = "no manifest of these repositories was verified over HTTP in this run (probe cvmfs)"
        return judging.unknown(
            "CVM-03",
            told,
            evidence=evidence,
            hint="run `agent probe cvmfs` where the Stratum-1s or a proxy can be reached",
        )
    evidence += [
        f"{name}: newest verified revision {best.revision}, {best.root_catalog}"
        for name, best in newest.items()
    ]
    for mount, best in compared:
        if mount.revision == best.revision and mount.root_hash not in (None, best.root_catalog):
            told = f"{mount.repository}: revision {best.revision} is mounted with another root catalog than the verified one"
            hint = "do not trust this mount: `cvmfs_config wipecache`, and tell the repository's operator"
            return judging.critical("CVM-03", told, evidence=evidence, hint=hint)
    lags = [(_lag_s(facts, mount, best), mount, best) for mount, best in compared]
    lag_s, mount, best = max(lags, key=lambda lag: lag[0])
    more = {"value": round(lag_s), "unit": "s", "evidence": evidence}
    if lag_s <= 2 * best.ttl_s + judging.number("CVM-03", "slack_s"):
        old = f"{mount.repository}: revision {mount.revision}"
        told = f"{old}, as verified over HTTP" if not lag_s else f"{old}, the next is {lag_s:.0f} s old"
        return judging.ok("CVM-03", told, **more)
    told = f"{mount.repository}: revision {mount.revision} is mounted, {best.revision} was published {lag_s / 3600:.1f} h ago"
    above = lag_s > judging.number("CVM-03", "critical_above_s")
    return (judging.critical if above else judging.warn)("CVM-03", told, **more)


def _lag_s(facts: CvmfsMountFacts, mount: RepositoryMount, best: NewestManifest) -> float:
    """For how long the newest revision could have been mounted; 0 if it is, or an even newer one."""
    if mount.revision is None or mount.revision >= best.revision:
        return 0.0
    return max(1.0, facts.asked_at.timestamp() - best.published_s)


def _io_errors(clients: Sequence[RepositoryMount], judging: Judging) -> CheckResult:
    known = [mount for mount in clients if mount.io_errors is not None]
    if not known:
        return _protected("CVM-04", "its I/O errors", clients, judging)
    evidence = [_error_line(mount) for mount in known]
    counts = [(mount.io_errors_after or 0, mount) for mount in known]
    total = max(count for count, _ in counts)
    growing = [mount for mount in known if (mount.io_errors_after or 0) > (mount.io_errors or 0)]
    more = {"value": total, "unit": "1", "evidence": evidence}
    if growing:
        mount = growing[0]
        told = (
            f"{mount.repository}: {mount.io_errors} I/O errors grew to {mount.io_errors_after} while we read"
        )
        return judging.critical("CVM-04", told, **more)
    recent_s = judging.number("CVM-04", "recent_s")
    bad = [
        mount
        for mount in known
        if mount.io_errors or (mount.last_io_error_age_s is not None and mount.last_io_error_age_s < recent_s)
    ]
    if bad:
        return judging.warn("CVM-04", _error_line(bad[0]), **more)
    return judging.ok(
        "CVM-04", f"no I/O errors in {len(known)} client{'s' if len(known) > 1 else ''}", **more
    )


def _error_line(mount: RepositoryMount) -> str:
    age_s = mount.last_io_error_age_s
    when = "" if age_s is None else f", the last {age_s / 3600:.1f} h ago"
    return f"{mount.repository}: {mount.io_errors} I/O errors{when}"


def _descriptors(clients: Sequence[RepositoryMount], judging: Judging) -> CheckResult:
    bound = judging.number("CVM-07", "warn_above_used")

    def share(mount: RepositoryMount) -> float | None:
        return mount.fds_used / mount.fds_limit if mount.fds_used is not None and mount.fds_limit else None

    return _largest(
        "CVM-07",
        clients,
        judging,
        share,
        bound,
        "its file descriptors",
        lambda value: f"{value:.0%} of its descriptors",
    )


def _catalogs(clients: Sequence[RepositoryMount], judging: Judging) -> CheckResult:
    factor = judging.number("CVM-09", "descriptors_per_catalog")

    def share(mount: RepositoryMount) -> float | None:
        if mount.catalogs is None or not mount.fds_limit:
            return None
        return mount.catalogs * factor / mount.fds_limit

    return _largest(
        "CVM-09",
        clients,
        judging,
        share,
        1.0,
        "its catalogs",
        lambda value: f"catalogs for {value:.0%} of its descriptors",
    )


def _inodes(clients: Sequence[RepositoryMount], judging: Judging) -> CheckResult:
    bound = judging.number("CVM-10", "warn_above")

    def highest(mount: RepositoryMount) -> float | None:
        return None if mount.inode_max is None else float(mount.inode_max)

    return _largest(
        "CVM-10",
        clients,
        judging,
        highest,
        bound,
        "its inode numbers",
        lambda value: f"highest inode {value:.0f}",
    )


def _largest(
    check: str,
    clients: Sequence[RepositoryMount],
    judging: Judging,
    figure: Callable[[RepositoryMount], float | None],
    bound: float,
    what: str,
    told: Callable[[float], str],
) -> CheckResult:
    """WARNING if the largest of one figure of the clients is above a bound, UNKNOWN if none tells it."""
    known = [(value, mount) for mount in clients if (value := figure(mount)) is not None]
    if not known:
        return _protected(check, what, clients, judging)
    value, mount = max(known, key=lambda pair: pair[0])
    evidence = [f"{mount.repository}: {told(value)}" for value, mount in known]
    verdict = judging.warn if value > bound else judging.ok
    return verdict(
        check, f"{mount.repository}: {told(value)}", value=round(value, 4), unit="1", evidence=evidence
    )


def _memory(facts: CvmfsMountFacts, clients: Sequence[RepositoryMount], judging: Judging) -> CheckResult:
    known = [(mount.client_memory_bytes, mount) for mount in clients if mount.client_memory_bytes is not None]
    if not known or facts.memory_total_bytes is None:
        return judging.skip("CVM-08", "the client's process is not seen from here")
    used, mount = max(known, key=lambda pair: pair[0])
    share = used / facts.memory_total_bytes if facts.memory_total_bytes else 0.0
    told = f"{mount.repository}: client has {used / 1e6:.0f} MB, {share:.1%} of the node's memory"
    more = {"value": used, "unit": "B"}
    large = used > judging.number("CVM-08", "warn_above_bytes")
    if large and share > judging.number("CVM-08", "warn_above_share"):
        return judging.warn("CVM-08", told, **more)
    return judging.ok("CVM-08", told, **more)


def _partition(facts: CvmfsMountFacts, clients: Sequence[RepositoryMount], judging: Judging) -> CheckResult:
    cleaning = [(mount.cleanups_24h, mount) for mount in clients if mount.cleanups_24h is not None]
    cleanups, busiest = max(cleaning, key=lambda pair: pair[0], default=(0, None))
    evidence = [f"{mount.repository}: {count} cleanups in 24 h" for count, mount in cleaning]
    if busiest is not None and cleanups > judging.number("CVM-05", "warn_above_cleanups_per_day"):
        told = f"{busiest.repository}: the cache was cleaned up {cleanups} times in 24 h"
        return judging.warn("CVM-05", told, value=cleanups, unit="1", evidence=evidence)
    cache = facts.cache
    if cache is None or not cache.total_bytes or cache.available_bytes is None:
        reason = (
            facts.absent.get("cache") or f"{cache.base_path if cache else 'the cache'} is not seen from here"
        )
        return judging.unknown("CVM-05", reason, evidence=evidence, hint="run the probe on the node itself")
    full = 1 - cache.available_bytes / cache.total_bytes
    evidence.append(
        f"{cache.base_path}: {cache.total_bytes / GB:.4g} GB, {full:.0%} full, quota {_quota_text(cache)}"
    )
    more = {"value": round(full, 4), "unit": "1", "evidence": evidence}
    if cache.quota_bytes is not None and cache.quota_bytes > cache.total_bytes:
        told = f"the quota of {cache.quota_bytes / GB:.3g} GB is larger than the partition of {cache.total_bytes / GB:.3g} GB"
        return judging.warn("CVM-05", told, **more)
    if full > judging.number("CVM-05", "warn_above_full"):
        return judging.warn("CVM-05", f"the partition of {cache.base_path} is {full:.0%} full", **more)
    return judging.ok("CVM-05", f"the partition of {cache.base_path} is {full:.0%} full", **more)


def _quota(facts: CvmfsMountFacts, judging: Judging) -> CheckResult:
    cache = facts.cache
    if cache is None:
        reason = facts.absent.get("cache", "the cache's configuration is not known")
        return judging.unknown("CVM-06", reason, hint="run the probe on the node itself")
    if cache.unlimited:
        return judging.ok("CVM-06", f"the cache in {cache.base_path} has no quota")
    if cache.quota_bytes is None:
        return judging.unknown("CVM-06", "CVMFS_QUOTA_LIMIT is not a number")
    told = f"quota {_quota_text(cache)}"
    more = {"value": cache.quota_bytes, "unit": "B"}
    if cache.quota_bytes < judging.number("CVM-06", "warn_below_bytes"):
        return judging.warn("CVM-06", told, **more)
    recommended = judging.number("CVM-06", "recommended_bytes")
    short = f", {recommended / GB:.3g} GB are recommended" if cache.quota_bytes < recommended else ""
    return judging.ok("CVM-06", told + short, **more)


def _quota_text(cache: CacheFacts) -> str:
    if cache.quota_bytes is None:
        return "none" if cache.unlimited else "not known"
    return f"{cache.quota_bytes / GB:.3g} GB" + (" (the default)" if cache.quota_is_default else "")
