"""Types of path and query parameters: bounded and of known characters before anything is asked with them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

SITE = r"^T[0-9]_[A-Z]{2}_[A-Za-z0-9_]{1,48}$"
NODE_ID = r"^[0-9a-f]{32}$"
AFTER = r"^T[0-9]_[A-Z]{2}_[A-Za-z0-9_]{1,48}/[0-9a-f]{32}$"
WORD = r"^[^\x00-\x1f\x7f]{1,120}$"

SitePath = Annotated[str, Path(pattern=SITE, description="CMS site name")]
NodePath = Annotated[str, Path(pattern=NODE_ID, description="pseudonym of the node")]
SiteQuery = Annotated[str | None, Query(pattern=SITE, description="only nodes of this CMS site")]
AfterQuery = Annotated[
    str | None,
    Query(pattern=AFTER, description="`next` of the page before: site/node id"),
]
VersionPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]


def parse_after(after: str | None) -> tuple[str, str] | None:
    """Site and node id of the last entry of the page before."""
    if after is None:
        return None
    site, _, node_id = after.partition("/")
    return site, node_id
