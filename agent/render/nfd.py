"""Profile → labels for Kubernetes' Node Feature Discovery (NFD): a feature file or a NodeFeature object.

Few, stable words that a scheduler can choose by; no names of hosts, no versions that churn. Feature files are those of
NFD's local source: `name=value` lines below an expiry, so that what nobody renews vanishes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from agent.render.exit_maps import overall
from profiles.node_facts import NodeFacts
from profiles.profile import MAJOR, CapabilityProfile

PREFIX = "cms.cern.ch"
VALID_FOR = timedelta(days=1)
"""How long a file written by hand or by cron is believed."""

API_VERSION = "nfd.k8s-sigs.io/v1alpha1"
NODE_LABEL = "nfd.node.kubernetes.io/node-name"
MAX_VALUE = 63
"""Characters of a label's value, and of its name (Kubernetes, "Labels and Selectors")."""

_NOT_IN_VALUES = re.compile(r"[^A-Za-z0-9_.-]+")
_ENDS = "-_."


def labels(profile: CapabilityProfile) -> dict[str, str]:
    """Labels by their whole name; what is not known has none."""
    found: dict[str, str | None] = {
        "profile-schema": str(MAJOR),
        "status": str(overall(profile)).lower(),
        "microarch": _microarch(profile.facts),
        **_cvmfs(profile.facts),
        "gpu-mig": _mig(profile.facts),
    }
    worded = {name: label_value(value) for name, value in found.items() if value is not None}
    return {f"{PREFIX}/{name}": value for name, value in worded.items() if value}


def label_value(text: str) -> str:
    """A text as the value of a label: letters, digits, `-_.` within, at most 63 of them."""
    return _NOT_IN_VALUES.sub("_", text).strip(_ENDS)[:MAX_VALUE].rstrip(_ENDS)


def render(profile: CapabilityProfile) -> str:
    """A feature file that is believed for a day."""
    return feature_file(labels(profile), profile.created_at + VALID_FOR)


def feature_file(named: Mapping[str, str], expires_at: datetime) -> str:
    """The text of a feature file, with its final newline."""
    expiry = f"# +expiry-time={expires_at:%Y-%m-%dT%H:%M:%SZ}"
    return "\n".join([expiry, *(f"{name}={value}" for name, value in sorted(named.items()))]) + "\n"


def node_feature(
    named: Mapping[str, str],
    statuses: Mapping[str, str],
    *,
    name: str,
    namespace: str,
    node: str,
    owner: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The NodeFeature object.

    Args:
        named: labels by name.
        statuses: of the checks, as attributes that rules of NFD can match.
        name: of the object.
        namespace: it is put into.
        node: whose labels these are.
        owner: reference to the pod, with which the object goes; None = it stays.
    """
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "labels": {NODE_LABEL: node}}
    if owner is not None:
        metadata["ownerReferences"] = [dict(owner)]
    elements = {check.lower(): status for check, status in sorted(statuses.items())}
    return {
        "apiVersion": API_VERSION,
        "kind": "NodeFeature",
        "metadata": metadata,
        "spec": {
            "labels": dict(sorted(named.items())),
            "features": {
                "flags": {},
                "attributes": {"sitecap.checks": {"elements": elements}},
                "instances": {},
            },
        },
    }


def _microarch(facts: NodeFacts) -> str | None:
    cpu = facts.cpu
    if cpu is None:
        return None
    return f"x86-64-v{cpu.x86_64_level}" if cpu.x86_64_level else cpu.archspec_name


def _cvmfs(facts: NodeFacts) -> dict[str, str | None]:
    mounts = None if facts.cvmfs_mount is None else facts.cvmfs_mount.repositories
    return {
        f"cvmfs-{label_value(mount.repository.split('.')[0])}"[:MAX_VALUE]: (
            "ok" if mount.state == "readable" else mount.state
        )
        for mount in mounts or ()
    }


def _mig(facts: NodeFacts) -> str | None:
    nvml = None if facts.gpu is None else facts.gpu.nvml
    known = [
        gpu.mig_enabled for gpu in (nvml.devices if nvml is not None else ()) if gpu.mig_enabled is not None
    ]
    return None if not known else str(any(known)).lower()
