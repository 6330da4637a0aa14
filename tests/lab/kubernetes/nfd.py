"""The part of node-feature-discovery that makes node labels of what the agent writes, for a cluster without it.

nfd-master itself can be had from no package registry. This does what its documentation says of labels: the name of the node is
that of an object's label `nfd.node.kubernetes.io/node-name`, labels of all its objects are joined, those that no object gives any
more are taken away, and which were set is kept in an annotation. What a label may be called is for the API server to say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.lab.kubernetes.cluster import Cluster

NODE_NAME = "nfd.node.kubernetes.io/node-name"
SET_BY_US = "nfd.node.kubernetes.io/feature-labels"
EXPIRY = "# +expiry-time="


def label_node(cluster: Cluster, node: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Label a node by the NodeFeature objects of all namespaces, as nfd-master does when one changes; its labels.

    Args:
        cluster: it is in.
        node: its name.
        more: labels of feature files, which nfd-worker would put into an object of its own.

    Raises:
        AssertionError: the API server refuses a label.
    """
    wanted = dict(more or {})
    for feature in cluster.get("nodefeatures", "--all-namespaces")["items"]:
        if feature["metadata"].get("labels", {}).get(NODE_NAME) == node:
            wanted |= feature["spec"]["labels"]
    before = cluster.get("node", node)["metadata"].get("annotations", {}).get(SET_BY_US, "")
    gone = {name: None for name in before.split(",") if name and name not in wanted}
    patch: dict[str, Any] = {
        "metadata": {"labels": {**gone, **wanted}, "annotations": {SET_BY_US: ",".join(sorted(wanted))}}
    }
    cluster.kubectl("patch", "node", node, "--type=merge", f"--patch={json.dumps(patch)}")
    labels: dict[str, str] = cluster.get("node", node)["metadata"]["labels"]
    return labels


def labels_of_file(text: str, now: datetime) -> dict[str, str]:
    """What nfd-worker takes from a feature file: `name=value` lines below an expiry that is not over."""
    labels: dict[str, str] = {}
    valid = True
    for line in text.splitlines():
        if line.startswith(EXPIRY):
            until = datetime.strptime(line.removeprefix(EXPIRY), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            valid = now < until
        elif valid and line.strip() and not line.startswith("#"):
            name, _, value = line.partition("=")
            labels[name] = value or "true"
    return labels
