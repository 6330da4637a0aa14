"""What a route asks of whoever calls it. Declared beside the route, enforced at one place before any route runs.

A route that declares nothing is for admins only, so a forgotten declaration closes a door instead of opening it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from capacity.service.principal import Role

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
_ATTRIBUTE = "__capacity_policy__"


class Policy(StrEnum):
    """Who may call a route."""

    ANYBODY = "anybody"
    """No credential is looked at: health, login, style sheets."""
    READ = "read"
    """Role read or admin; anybody where `auth.public_read` holds."""
    SUBMIT = "submit"
    """Role submit or admin."""
    ADMIN = "admin"
    """Role admin."""

    @property
    def role(self) -> Role | None:
        """The role that it asks for; None = no role."""
        return None if self is Policy.ANYBODY else Role(self.value)


def needs(policy: Policy) -> Callable[[Endpoint], Endpoint]:
    """Declare the policy of an endpoint; stands directly above its `def`, below the router's decorator."""

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _ATTRIBUTE, policy)
        return endpoint

    return declare


def policy_of(endpoint: object) -> Policy:
    """The declared policy; admin if there is none."""
    found = getattr(endpoint, _ATTRIBUTE, Policy.ADMIN)
    assert isinstance(found, Policy)
    return found


def is_declared(endpoint: object) -> bool:
    """Whether the endpoint says what it needs."""
    return hasattr(endpoint, _ATTRIBUTE)
