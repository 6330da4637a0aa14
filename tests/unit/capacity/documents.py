"""Small profiles that are right, for tests of what is done with them."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from capacity.service.principal import Principal, Role

SITE = "T2_LV_Example"
OTHER_SITE = "T1_DE_Other"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SUBMITTER = Principal("token-1", frozenset({Role.SUBMIT}), frozenset({SITE}))
OTHER_SUBMITTER = Principal("token-2", frozenset({Role.SUBMIT}), frozenset({OTHER_SITE}))
EVERYWHERE = Principal("token-3", frozenset({Role.SUBMIT}), None)


def new_id() -> str:
    """A UUID of version 7 as far as its form goes."""
    digits = list(uuid.uuid4().hex)
    digits[12], digits[16] = "7", "8"
    text = "".join(digits)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def node(number: int) -> str:
    """A node's id or boot key."""
    return f"{number:032x}"


def profile(
    *,
    id: str | None = None,  # noqa: A002 - as the field is called
    site: str | None = SITE,
    node_id: str = node(1),
    boot_key: str | None = None,
    created_at: datetime = NOW,
    **more: Any,
) -> bytes:
    """One document."""
    value: dict[str, Any] = {
        "schema_version": "1.4",
        "id": id or new_id(),
        "created_at": created_at.isoformat(),
        "agent": {"version": "0.1.0"},
        "node": {"id": node_id, "id_basis": ["machine id"], "boot_key": boot_key},
        "scope": {"kind": "node", "cores_granted": 8.0, "cores_present": 8},
        "facts": {},
        "checks": [],
        "limits": {"budget_s": 60.0, "duration_s": 1.5, "partial": False},
        **more,
    }
    if site is not None:
        value["site"] = {"name": site, "source": "test"}
    return json.dumps(value).encode()
