"""Nodes that are much slower or faster than their likes: same CPU model, same number of logical CPUs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from capacity.hs06.model import Finding

LEAST_NODES = 5
"""Below this a median says nothing about what is usual."""

LIMIT = 3.5
"""Modified z-score from which a value is an outlier (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993)."""

SMALLEST_SCALE = 0.02
"""Spread that identical nodes are allowed anyway, of the logarithm: repeats of HS23 spread by 0.7 % in the median and
2.5 % at the 90th percentile in the HEPiX table; it keeps a group of equal values from making outliers of noise."""

_MAD_TO_SIGMA = 1.4826  # for a normal distribution


class LikeNode(NamedTuple):
    """What nodes are compared by."""

    site: str
    node_id: str
    cpu_key: str
    logical_cpus: int
    hs23_per_core: float


class Outlier(NamedTuple):
    """A node that stands out.

    Attributes:
        node: which.
        ratio: its score to the median of its likes.
        score: modified z-score of the logarithm.
        likes: how many nodes it was compared with, itself included.
    """

    node: LikeNode
    ratio: float
    score: float
    likes: int


def outliers(nodes: Iterable[LikeNode]) -> list[Outlier]:
    """Nodes far from the median of their likes, the farthest first.

    Median and median absolute deviation are not moved by the very nodes that are looked for.
    """
    groups: dict[tuple[str, int], list[LikeNode]] = defaultdict(list)
    for node in nodes:
        if node.hs23_per_core > 0:
            groups[node.cpu_key, node.logical_cpus].append(node)
    found: list[Outlier] = []
    for likes in groups.values():
        if len(likes) < LEAST_NODES:
            continue
        logs = [math.log(node.hs23_per_core) for node in likes]
        middle = median(logs)
        scale = max(_MAD_TO_SIGMA * median(abs(value - middle) for value in logs), SMALLEST_SCALE)
        for node, value in zip(likes, logs, strict=True):
            score = (value - middle) / scale
            if abs(score) > LIMIT:
                found.append(Outlier(node, math.exp(value - middle), score, len(likes)))
    return sorted(found, key=lambda one: (-abs(one.score), one.node))


def finding(outlier: Outlier) -> Finding:
    """An outlier as a sentence for the node's page."""
    slow = outlier.ratio < 1
    return Finding(
        code="outlier-slow" if slow else "outlier-fast",
        level="warning" if slow else "notice",
        says=f"{abs(outlier.ratio - 1):.0%} {'slower' if slow else 'faster'} than the median of {outlier.likes} nodes "
        f"with {outlier.node.cpu_key}, {outlier.node.logical_cpus} logical CPUs",
        hint="look for a power-saving governor, a hot or capped processor, missing memory modules, other load"
        if slow
        else "compare memory population and BIOS settings: the others may be held back",
    )
