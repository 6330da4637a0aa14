"""All routers of the API, in the order in which paths are tried; receiving profiles comes first, see `capacity.app`."""

from __future__ import annotations

from capacity.api import operations, profiles, tokens

ROUTERS = (profiles.router, tokens.router, operations.router)
