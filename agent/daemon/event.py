"""Verdicts that turned → an Event on the daemon's own pod, for `kubectl describe pod` and `kubectl get events`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from agent.render.plain import one_line, worst_first
from profiles.checks import CheckResult

MAX_MESSAGE = 1024
"""Bytes that the API takes of a message (Kubernetes, validation of Events)."""

COMPONENT = "sitecap-agent"


def event(
    turned: Sequence[CheckResult], at: datetime, *, pod: Mapping[str, str], namespace: str, node: str
) -> dict[str, Any]:
    """The Event.

    Args:
        turned: results as they are shown now; at least one.
        at: UTC.
        pod: reference to it: apiVersion, kind, name, uid.
        namespace: of the pod.
        node: it runs on.
    """
    bad = worst_first(tuple(turned))
    good = [check for check in turned if check not in bad]
    words = "; ".join(f"{check.id} {check.status}: {check.summary}" for check in (*bad, *good))
    when = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{pod['name']}.", "namespace": namespace},
        "involvedObject": {**pod, "namespace": namespace},
        "type": "Warning" if bad else "Normal",
        "reason": "ChecksTurned" if bad else "ChecksRecovered",
        "message": one_line(words, MAX_MESSAGE).encode()[:MAX_MESSAGE].decode("utf-8", "ignore"),
        "firstTimestamp": when,
        "lastTimestamp": when,
        "count": 1,
        "source": {"component": COMPONENT, "host": node},
        "reportingComponent": COMPONENT,
        "reportingInstance": pod["name"],
    }
