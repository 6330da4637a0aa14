"""The three requests to the Kubernetes API that the daemon needs: get, create, update; one object at a time.

The official client takes 44 MB of memory; these are JSON over HTTPS with a bearer token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.daemon.settings import ClusterSettings
from probes.settings import KubernetesSettings

FEATURES = "apis/nfd.k8s-sigs.io/v1alpha1"
EVENTS = "api/v1"
ATTEMPTS = 3
"""An object that somebody changed between reading and writing is read and written again."""

MAX_ANSWER_BYTES = 1024 * 1024
MAX_TOKEN_BYTES = 64 * 1024
MAX_LABEL = 63


class ClusterError(Exception):
    """The API server cannot be used; one sentence."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the daemon runs in the cluster.

    Attributes:
        url: of the API server, without a slash at the end.
        token_file: bearer token.
        ca_file: authorities that signed for the API server.
        namespace: of the pod.
        node: its name.
        pod: name of the pod; None = not told.
        pod_uid: likewise.
    """

    url: str
    token_file: Path
    ca_file: Path
    namespace: str
    node: str
    pod: str | None
    pod_uid: str | None

    def owner(self) -> dict[str, Any] | None:
        """Reference to the pod, so that the garbage collector removes what it made when it is gone."""
        if self.pod is None or self.pod_uid is None:
            return None
        return {"apiVersion": "v1", "kind": "Pod", "name": self.pod, "uid": self.pod_uid}


def place_of(
    settings: ClusterSettings, downward: KubernetesSettings, environment: Mapping[str, str]
) -> Place:
    """Where we are, by settings, downward API and service account.

    Raises:
        ClusterError: something is not told; the text says what to set.
    """
    account = Path(settings.service_account_path)
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT", "443")
    url = settings.api_url
    if url is None:
        if not host:
            raise ClusterError("no API server is known: run inside a pod, or set daemon.cluster.api_url")
        url = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    node = environment.get(downward.node_name_env)
    if not node:
        raise ClusterError(f"the node's name is not told: set {downward.node_name_env} by the downward API")
    if len(node) > MAX_LABEL:
        raise ClusterError(f"the node's name has {len(node)} characters: NFD takes at most {MAX_LABEL}")
    return Place(
        url=url.rstrip("/"),
        token_file=Path(settings.token_file or account / "token"),
        ca_file=Path(settings.ca_file or account / "ca.crt"),
        namespace=settings.namespace or _namespace(account),
        node=node,
        pod=environment.get(settings.pod_name_env) or None,
        pod_uid=environment.get(settings.pod_uid_env) or None,
    )


def _namespace(account: Path) -> str:
    try:
        return (account / "namespace").read_text("utf-8")[:MAX_LABEL].strip()
    except OSError as error:
        raise ClusterError(
            f"{account}/namespace: {error.strerror}: mount the service account's token, or set daemon.cluster.namespace"
        ) from error


class Cluster:
    """A connection to the API server.

    Args:
        place: where it is.
        timeout_s: of one request.

    Raises:
        ClusterError: the file of authorities cannot be used.
    """

    def __init__(self, place: Place, timeout_s: float) -> None:
        import ssl  # noqa: PLC0415 - only the child that asks needs it

        import urllib3  # noqa: PLC0415

        self._place = place
        try:
            context = ssl.create_default_context(cafile=str(place.ca_file))
        except (OSError, ssl.SSLError) as error:
            raise ClusterError(f"{place.ca_file}: cannot be used as authorities: {error}") from error
        self._error = urllib3.exceptions.HTTPError
        self._pool = urllib3.PoolManager(
            ssl_context=context,
            timeout=urllib3.Timeout(total=timeout_s),
            retries=False,
        )

    def put_node_feature(self, document: Mapping[str, Any]) -> str:
        """Create the object, or update it where it differs; "created", "updated" or "unchanged".

        Raises:
            ClusterError: it is refused, or the server cannot be reached.
        """
        name = document["metadata"]["name"]
        path = f"{FEATURES}/namespaces/{self._place.namespace}/nodefeatures"
        status, body = 0, dict[str, Any]()
        for _ in range(ATTEMPTS):
            status, body = self._ask("GET", f"{path}/{name}", None)
            if status == 404:
                status, body = self._ask("POST", path, document)
                if status in (200, 201, 202):
                    return "created"
            elif status == 200:
                if _same(body, document):
                    return "unchanged"
                metadata = {
                    **document["metadata"],
                    "resourceVersion": body.get("metadata", {}).get("resourceVersion"),
                }
                status, body = self._ask("PUT", f"{path}/{name}", {**document, "metadata": metadata})
                if status in (200, 201):
                    return "updated"
            if status != 409:
                break
        raise ClusterError(f"NodeFeature {name}: {_said(status, body)}")

    def post_event(self, document: Mapping[str, Any]) -> None:
        """Create an Event.

        Raises:
            ClusterError: it is refused, or the server cannot be reached.
        """
        status, body = self._ask("POST", f"{EVENTS}/namespaces/{self._place.namespace}/events", document)
        if status not in (200, 201, 202):
            raise ClusterError(f"Event: {_said(status, body)}")

    def _ask(self, method: str, path: str, document: Mapping[str, Any] | None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._token()}", "Accept": "application/json"}
        if document is not None:
            headers["Content-Type"] = "application/json"
        try:
            answer = self._pool.request(
                method,
                f"{self._place.url}/{path}",
                body=None if document is None else json.dumps(document).encode(),
                headers=headers,
                redirect=False,
                preload_content=False,
            )
            try:
                body = answer.read(MAX_ANSWER_BYTES, decode_content=True)
            finally:
                answer.release_conn()
        except self._error as error:
            raise ClusterError(f"{self._place.url} cannot be asked: {error}") from error
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = {}
        return answer.status, found if isinstance(found, dict) else {}

    def _token(self) -> str:
        """Read anew each time: the kubelet renews it."""
        path = self._place.token_file
        try:
            with path.open("rb") as file:
                token = file.read(MAX_TOKEN_BYTES).decode("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ClusterError(f"{path}: cannot be read as a token: {error}") from error
        if not token:
            raise ClusterError(f"{path}: the token is empty")
        return token


def _same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    metadata, ours = found.get("metadata", {}), wanted["metadata"]
    labels = metadata.get("labels") or {}
    # The server adds defaults to an owner and drops maps that are empty.
    owners = {owner.get("uid") for owner in metadata.get("ownerReferences") or ()}
    wanted_owners = {owner["uid"] for owner in ours.get("ownerReferences", ())}
    spec, own = found.get("spec") or {}, wanted["spec"]
    attributes = (spec.get("features") or {}).get("attributes")
    return bool(
        ours["labels"].items() <= labels.items()
        and owners == wanted_owners
        and spec.get("labels") == own["labels"]
        and attributes == own["features"]["attributes"]
    )


def _said(status: int, body: Mapping[str, Any]) -> str:
    message = str(body.get("message") or "no reason given")[:500]
    return f"the API server answered {status}: {message}"
