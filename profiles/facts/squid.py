"""Facts of the squid probe: the site's proxies, what came through each, and Frontier."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from profiles.base import Count, Facts, Model, Seconds, Text
from profiles.facts.routes import Route, Step

ProxyRole = Literal["site", "backup"]
"""site: the site's own; backup: meant for when those are down, run by somebody else."""


class ProxyFacts(Model):
    """One configured proxy."""

    name: Text = Field(description="host:port, as in the route's via; an address is not kept")
    role: ProxyRole
    group: Count = Field(
        description="from 1: a group is used when all before are down; its members share the load"
    )
    for_frontier: bool = Field(description="whether Frontier clients of this site are told to use it")
    origin: Text = Field(description="where it is configured")
    first_s: Seconds | None = Field(default=None, description="duration of the first GET of the manifest")
    second_s: Seconds | None = Field(default=None, description="duration of the second, identical GET")


class SquidFacts(Facts):
    """The way to software and conditions through the site's proxies.

    Each route has the steps resolve, connect, manifest (of a CVMFS repository), cache (the same again) and frontier. The
    last route, via "direct", is the same without a proxy, to tell a proxy's fault from a server's.
    """

    proxies: tuple[ProxyFacts, ...] | None = Field(
        max_length=32, description="in the order in which clients try them"
    )
    routes: tuple[Route, ...] = Field(default=(), max_length=33, description="one a proxy, then direct")
    origin: Text | None = Field(description="where the proxies are configured")
    servers: tuple[Text, ...] | None = Field(
        default=None, max_length=16, description="Frontier servers that were to be asked, host:port"
    )
    problems: tuple[Text, ...] = Field(
        default=(), max_length=32, description="what is configured and could not be used"
    )

    def step(self, via: str, name: str) -> Step | None:
        """A step of the route via a proxy, by its column."""
        route = next((route for route in self.routes if route.via == via), None)
        return next((step for step in route.steps if step.name == name), None) if route else None
