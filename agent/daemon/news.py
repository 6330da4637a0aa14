"""What is told to whom, as work for errands: profiles to the service, labels and Events to Kubernetes, a feature file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from agent.config import Config
from agent.daemon.cluster import Cluster, ClusterError, place_of
from agent.daemon.errand import Say
from agent.daemon.event import event
from agent.daemon.outlet import News
from agent.delivery.deliver import deliver, drain
from agent.delivery.errors import DeliveryError
from agent.delivery.names import name_of, one_line
from agent.delivery.places import spool_of
from agent.delivery.settings import DeliverySettings
from agent.delivery.store import Memory
from agent.render import nfd
from profiles.checks import CheckResult

DELIVERY_S = 120.0
"""Of one errand to the service; what is left then is for the next."""

GRACE_S = 60.0
"""Beyond the time that an errand gives itself, before it is killed."""

SPOOL_S = 5.0
"""To keep profiles on the disk when the daemon ends."""

FILE_S = 30.0
NAME_PREFIX = "sitecap-"
"""Of the NodeFeature object, so that it is never NFD's own."""


def profiles(settings: DeliverySettings, documents: Sequence[tuple[str, bytes]]) -> News:
    """Keep documents (id, text) in the spool, then hand in all that is there."""

    def work(say: Say) -> None:
        until_s = time.monotonic() + DELIVERY_S
        try:
            for name in _keep(settings, documents):
                say({"kept": name})
        except DeliveryError as error:
            # A disk that takes nothing is no reason to be silent.
            say({"reason": str(error)})
            _from_memory(settings, documents, until_s, say)
            return
        try:
            done = deliver(settings, until_s=until_s, stop=lambda: False)
        except DeliveryError as error:
            say({"reason": str(error)})
            return
        counts = {"delivered": done.delivered, "duplicates": done.duplicates, "set_aside": done.set_aside}
        say(
            {
                **counts,
                "left": done.left,
                "reason": (done.reason or "not all was taken") if done.left else None,
            }
        )

    return News(work, DELIVERY_S + settings.answer_s + GRACE_S)


def spooled(settings: DeliverySettings, documents: Sequence[tuple[str, bytes]]) -> News:
    """Only keep documents in the spool."""

    def work(say: Say) -> None:
        try:
            for name in _keep(settings, documents):
                say({"kept": name})
        except DeliveryError as error:
            say({"reason": str(error)})

    return News(work, SPOOL_S)


def _from_memory(
    settings: DeliverySettings, documents: Sequence[tuple[str, bytes]], until_s: float, say: Say
) -> None:
    lines = {name: one_line(document) for name, document in documents}
    store = Memory({name_of(line): line for line in lines.values()})
    try:
        done = drain(store, settings, until_s, lambda: False)
    except DeliveryError as error:
        say({"reason": str(error)})
        return
    waiting = {name.id for name in store.waiting()}
    for name in lines:
        if name not in waiting:
            say({"kept": name})
    say({"delivered": done.delivered, "duplicates": done.duplicates, "set_aside": done.set_aside})


def _keep(settings: DeliverySettings, documents: Sequence[tuple[str, bytes]]) -> Iterator[str]:
    spool = spool_of(settings)
    for name, document in documents:
        spool.put(document)
        yield name


def node_feature(
    config: Config,
    labels: Mapping[str, str],
    statuses: Mapping[str, str],
    environment: Mapping[str, str] = os.environ,
) -> News:
    """Keep the NodeFeature object of this node as it is now."""
    settings = config.daemon.cluster

    def work(say: Say) -> None:
        try:
            place = place_of(settings, config.kubernetes, environment)
            document = nfd.node_feature(
                labels,
                statuses,
                name=f"{NAME_PREFIX}{place.node}",
                namespace=place.namespace,
                node=place.node,
                owner=place.owner(),
            )
            say({"object": Cluster(place, settings.timeout_s).put_node_feature(document)})
        except ClusterError as error:
            say({"reason": str(error)})

    return News(work, 9 * settings.timeout_s + GRACE_S)


def pod_event(
    config: Config,
    turned: Sequence[CheckResult],
    at: datetime,
    environment: Mapping[str, str] = os.environ,
) -> News:
    """An Event on our own pod about verdicts that turned."""
    settings = config.daemon.cluster

    def work(say: Say) -> None:
        try:
            place = place_of(settings, config.kubernetes, environment)
            owner = place.owner()
            if owner is None:
                names = f"{settings.pod_name_env} and {settings.pod_uid_env}"
                say({"reason": f"the pod is not told: set {names} by the downward API"})
                return
            document = event(turned, at, pod=owner, namespace=place.namespace, node=place.node)
            Cluster(place, settings.timeout_s).post_event(document)
        except ClusterError as error:
            say({"reason": str(error)})

    return News(work, 3 * settings.timeout_s + GRACE_S)


def feature_file(path: Path, labels: Mapping[str, str], expires_at: datetime) -> News:
    """Write NFD's feature file; it appears whole or not at all."""
    text = nfd.feature_file(labels, expires_at)

    def work(say: Say) -> None:
        # NFD leaves files alone whose name begins with a dot.
        new = path.with_name(f".{path.name}.new")
        try:
            new.write_text(text, "utf-8")
            new.chmod(0o644)
            new.replace(path)
        except OSError as error:
            say({"reason": f"{path}: {error.strerror}"})

    return News(work, FILE_S)
