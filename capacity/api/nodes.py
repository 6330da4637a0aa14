"""Nodes and their estimates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from capacity.api.answers import READ_ERRORS, errors
from capacity.api.guard import service_of
from capacity.api.parameters import AFTER, SITE, WORD, AfterQuery, NodePath, SitePath, SiteQuery, parse_after
from capacity.errors import NotFoundError
from capacity.fleet.model import NodeState
from capacity.hs06.model import Estimate, Method
from capacity.service.policy import Policy, needs
from capacity.service.refresh import refresh_node
from capacity.store import nodes
from capacity.store.nodes import NodeFilter

router = APIRouter(prefix="/api/v1", tags=["nodes"], responses=READ_ERRORS)

Sort = Literal[
    "site", "last_seen_at", "cpu_key", "hs23_per_core", "hs23_granted", "granted_cores", "findings"
]


class NodeQuery(BaseModel):
    """Which nodes, in which order."""

    model_config = ConfigDict(extra="forbid")

    site: Annotated[str, Field(pattern=SITE)] | None = Field(default=None, description="CMS site name")
    cpu_key: Annotated[str, Field(pattern=WORD)] | None = Field(
        default=None, description="normalised CPU model"
    )
    method: Method | None = Field(default=None, description="rung with the greatest weight")
    usable: bool | None = Field(default=None, description="passes all gates")
    with_findings: bool | None = Field(default=None, description="has findings")
    sort: Sort = "site"
    after: Annotated[str, Field(pattern=AFTER)] | None = Field(
        default=None, description="`next` of the page before: site/node id"
    )
    limit: int = Field(default=100, ge=1, le=1000, description="most entries")


class NodeEntry(BaseModel):
    """A node as a line of a list; scores are HS23."""

    model_config = ConfigDict(from_attributes=True)

    site: str
    node_id: str
    hostname: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    profiles: int
    pending_since: datetime | None = Field(description="has profiles that its figures do not know yet")
    cpu_key: str | None
    arch: str | None
    logical_cpus: int | None
    granted_cores: float | None
    hs23_per_core: float | None = Field(description="per logical CPU")
    hs23_granted: float | None = Field(description="of the granted cores")
    sigma: float | None = Field(description="of the natural logarithm of the score")
    method: str | None
    provisional: bool | None
    calibration_version: str | None
    usable: bool | None
    unusable_reason: str | None
    findings: int
    gpus: dict[str, int] | None


class Nodes(BaseModel):
    """A page of nodes."""

    nodes: list[NodeEntry]
    next: str | None = Field(description="value of `after` for the next page; null = this is the last")


class EstimateEntry(BaseModel):
    """The estimate of one node, with its whole derivation."""

    site: str
    node_id: str
    granted_cores: float | None
    hs23_granted: float | None
    estimate: Estimate


class Estimates(BaseModel):
    """A page of estimates."""

    estimates: list[EstimateEntry]
    next: str | None = Field(description="value of `after` for the next page; null = this is the last")


class PastEntry(BaseModel):
    """What a node was said to be worth from a moment on; scores are HS23."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    profile_id: str | None
    method: str
    hs23_per_core: float
    sigma: float
    hs23_granted: float | None
    granted_cores: float | None
    catalogue_version: str
    calibration_version: str | None


class History(BaseModel):
    """What a node was said to be worth, latest first; one entry for each change."""

    estimates: list[PastEntry]


@router.get("/nodes")
@needs(Policy.READ)
def list_nodes(request: Request, query: Annotated[NodeQuery, Query()]) -> Nodes:
    """Nodes as lines of a list."""
    which = NodeFilter(
        site=query.site,
        cpu_key=query.cpu_key,
        method=query.method.value if query.method is not None else None,
        usable=query.usable,
        with_findings=query.with_findings,
    )
    with service_of(request).database.reading() as session:
        found = nodes.summaries(session, which, query.sort, parse_after(query.after), query.limit)
    last = f"{found[-1].site}/{found[-1].node_id}" if len(found) == query.limit else None
    return Nodes(nodes=[NodeEntry.model_validate(one) for one in found], next=last)


@router.get("/nodes/{site}/{node_id}", responses=errors(404))
@needs(Policy.READ)
def get_node(request: Request, site: SitePath, node_id: NodePath) -> NodeState:
    """Everything that is known of a node: slots, merged evidence, estimate with its derivation, gates, findings."""
    service = service_of(request)
    with service.database.reading() as session:
        summary = nodes.summary(session, site, node_id)
        found = nodes.state(session, site, node_id)
    if summary is not None and summary.pending_since is not None:
        estimator = service.estimators.current()
        found = refresh_node(service.database, estimator, datetime.now(UTC), site, node_id, service.fleet)
    if found is None:
        raise NotFoundError(f"no node {node_id} was seen at {site}")
    return found


@router.get("/nodes/{site}/{node_id}/estimates")
@needs(Policy.READ)
def get_history(
    request: Request, site: SitePath, node_id: NodePath, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> History:
    """What a node was said to be worth, when, and by which calibration."""
    with service_of(request).database.reading() as session:
        found = nodes.estimate_history(session, site, node_id, limit)
    return History(estimates=[PastEntry.model_validate(one) for one in found])


@router.get("/estimates")
@needs(Policy.READ)
def list_estimates(
    request: Request,
    site: SiteQuery = None,
    after: AfterQuery = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Estimates:
    """Estimates with ladder, steps and versions, in order of site and node."""
    with service_of(request).database.reading() as session:
        found = nodes.states_in_order(session, site, parse_after(after), limit)
    entries = [
        EstimateEntry(
            site=state.site,
            node_id=state.node_id,
            granted_cores=state.granted_cores,
            hs23_granted=state.hs23_granted,
            estimate=state.estimate,
        )
        for state in found
        if state.estimate is not None
    ]
    last = f"{found[-1].site}/{found[-1].node_id}" if len(found) == limit else None
    return Estimates(estimates=entries, next=last)
