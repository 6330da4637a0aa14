"""schemathesis asks everything that the OpenAPI document describes, and what it does not: no answer is a 5xx."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import status_code_conformance

from capacity.service.principal import Role
from tests.integration.capacity.conftest import Serve
from tests.lab.service import Service
from tests.unit.capacity.documents import SITE, node, profile

pytestmark = pytest.mark.lab

EXAMPLES = int(os.environ.get("SITECAP_SCHEMATHESIS_EXAMPLES", "12"))
"""Requests for each route; more by the environment."""


@pytest.fixture
def described(serve: Serve) -> tuple[Service, Any, str]:
    service = serve(settings={"LIMITS__FAILED_LOGINS_PER_MIN": "100000"})
    token = service.token(Role.ADMIN)
    body = profile(node_id=node(1))
    service.ask(
        "POST", "/api/v1/profiles", service.token(Role.SUBMIT, SITE), body, Content_Type="application/json"
    )
    document = service.ask("GET", "/api/v1/openapi.json").json()
    return service, schemathesis.openapi.from_dict(document), token


def test_no_request_makes_a_server_error(described: tuple[Service, Any, str]) -> None:
    service, schema, token = described
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @_given(operation)
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            headers = {"Authorization": f"Bearer {token}"}
            response = case.call(base_url=service.url, headers=headers, timeout=60)
            case.validate_response(response, checks=[not_a_server_error, status_code_conformance])

        ask()
    assert asked > 100
    assert service.ask("GET", "/readyz").status == 200
    assert "internal error" not in service.log


def _given(operation: Any) -> Any:
    from hypothesis import given

    return given(case=operation.as_strategy())
