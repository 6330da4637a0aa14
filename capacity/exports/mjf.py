"""Machine/Job Features of a node (HSF-TN-2016-02): one file a key, plain value.

`hs06` is of the whole machine, so it is only there if the whole machine was seen. The note knows no key for HS23: its
number is written as HS06, 1:1 by WLCG policy. Readers ignore keys that they do not know, such as `sitecap_provisional`.
"""

from __future__ import annotations

from capacity.exports.model import rounded
from capacity.fleet.model import NodeState


def files(node: NodeState) -> dict[str, str]:
    """Path below the directory that MACHINEFEATURES and JOBFEATURES lie in → content."""
    found: dict[str, str] = {}
    estimate = node.estimate
    if estimate is not None and estimate.hs23_node is not None and estimate.node_cores is not None:
        found["machinefeatures/total_cpu"] = f"{estimate.node_cores}\n"
        found["machinefeatures/hs06"] = f"{rounded(estimate.hs23_node)}\n"
        found["machinefeatures/sitecap_provisional"] = f"{str(estimate.provisional).lower()}\n"
    only = node.slots[0] if len(node.slots) == 1 else None
    # Job features are those of a slot: with several of them there is no telling whose these would be.
    if only is not None and only.evidence.cores_granted is not None:
        cores = only.evidence.cores_granted
        found["jobfeatures/allocated_cpu"] = f"{cores:g}\n"
        if estimate is not None:
            found["jobfeatures/hs06_job"] = f"{rounded(estimate.hs23_per_core * cores)}\n"
            found["jobfeatures/sitecap_provisional"] = f"{str(estimate.provisional).lower()}\n"
    return found
