"""All routers of the API, in the order in which paths are tried; receiving profiles comes first, see `capacity.app`."""

from __future__ import annotations

from capacity.api import calibrations, exchange, nodes, operations, profiles, sites, tokens

ROUTERS = (
    profiles.router,
    nodes.router,
    sites.router,
    calibrations.router,
    exchange.router,
    tokens.router,
    operations.router,
)
