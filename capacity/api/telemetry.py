"""A log line and metrics for each request, and the last net under it: an error nobody foresaw is a 500 with an id."""

from __future__ import annotations

import logging
import os
import secrets
from functools import lru_cache
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from capacity.api.problems import problem
from capacity.service.principal import Principal

_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30)

_log = logging.getLogger("capacity.request")


class Metrics:
    """What the service says of its own work; names follow Prometheus' conventions."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = Counter(
            "sitecap_http_requests_total",
            "Requests answered.",
            ("route", "method", "status"),
            registry=registry,
        )
        self.duration_s = Histogram(
            "sitecap_http_request_duration_seconds",
            "Time from request head to the end of the answer.",
            ("route",),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self.profiles = Counter(
            "sitecap_profiles_total", "Profiles handed in, by verdict.", ("status",), registry=registry
        )
        self.database_up = Gauge(
            "sitecap_database_up",
            "Whether the database answered the latest scrape.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.refreshed = Counter("sitecap_nodes_refreshed_total", "Nodes estimated anew.", registry=registry)
        self.refresh_failures = Counter(
            "sitecap_refresh_failures_total", "Rounds of the refresher that failed.", registry=registry
        )
        self.in_flight_bytes = Gauge(
            "sitecap_bodies_in_flight_bytes",
            "Request bodies held in memory.",
            registry=registry,
            multiprocess_mode="livesum",
        )

        self._by_route = lru_cache(maxsize=2048)(self._children)

    def answered(self, route: str, method: str, status: int, duration_s: float) -> None:
        """Count a request."""
        requests, durations_s = self._by_route(route, method, status)
        requests.inc()
        durations_s.observe(duration_s)

    def judged(self, status: str, number: int) -> None:
        """Count verdicts."""
        self.profiles.labels(status).inc(number)

    def _children(self, route: str, method: str, status: int) -> tuple[Counter, Histogram]:
        return self.requests.labels(route, method, status), self.duration_s.labels(route)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format; of all workers where there are several."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


class Telemetry:
    """Watches requests; pure ASGI, outermost of ours.

    Args:
        app: what it watches.
        metrics: where it counts.
        log_requests: whether each request is a line in the log.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, *, log_requests: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._log_requests = log_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            error_id = secrets.token_hex(6)
            _log.exception("internal error %s", error_id)
            if status:
                raise
            answer = problem(500, f"internal error {error_id}: please report it with the service's log")
            await answer(scope, receive, watched)
        finally:
            self._note(scope, status, perf_counter() - began)

    def _note(self, scope: Scope, status: int, duration_s: float) -> None:
        endpoint = scope.get("endpoint")
        # Names of functions, not paths: a metric must not grow with what clients make up.
        route = getattr(endpoint, "__name__", "none")
        self._metrics.answered(route, _known(scope["method"]), status, duration_s)
        if self._log_requests:
            principal = scope.get("state", {}).get("principal")
            client = scope.get("client")
            _log.info(
                "request",
                extra={
                    "method": scope["method"][:16],
                    "path": scope["path"][:300],
                    "route": route,
                    "status": status,
                    "duration_ms": round(1000 * duration_s, 2),
                    "client": client[0] if client else None,
                    "subject": principal.subject if isinstance(principal, Principal) else None,
                },
            )


def _known(method: str) -> str:
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"
