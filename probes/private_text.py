"""Keeps the name of the user out of the profile: a path may hold it, and a profile leaves the site.

A library for probes, not a probe.
"""

from __future__ import annotations

import re

from probes.errors import HostError
from probes.host import Host

PLACEHOLDER = "$USER"
SHARED_ACCOUNTS = frozenset({"root", "nobody", "condor", "slurm"})
"""Accounts of the system, which name nobody."""


class PrivateText:
    """Replaces the login name where it is a component of a path.

    Args:
        host: asked once for the login name ($USER, $LOGNAME).
    """

    def __init__(self, host: Host) -> None:
        names = {_variable(host, "USER"), _variable(host, "LOGNAME")} - {None} - SHARED_ACCOUNTS
        alternatives = "|".join(re.escape(name) for name in sorted(name for name in names if name))
        self._pattern = re.compile(rf"(?<=/)(?:{alternatives})(?![\w.-])") if alternatives else None

    def hide(self, text: str) -> str:
        """The same text, valid Unicode of at most 4096 characters, without the login name in its paths."""
        clean = text.encode("utf-8", "replace").decode()[:4096]
        return clean if self._pattern is None else self._pattern.sub(lambda _: PLACEHOLDER, clean)[:4096]


def _variable(host: Host, name: str) -> str | None:
    try:
        return (host.env(name) or "").strip() or None
    except HostError:
        return None
