"""Proxies that a wpad.dat names, collected from its text.

A library for probes, not a probe. A wpad.dat is a JavaScript program that decides by URL and by the asker's address
(Proxy Auto-Config). It is not run here: every `PROXY host:port` in one of its string literals is taken, in their order,
so all that this network could be given is tried, not only what this node would be told.
"""

from __future__ import annotations

import re

LIMIT_BYTES = 65_536
"""Bound on a wpad.dat; those of WLCG have some hundred bytes."""

MAX_PROXIES = 24
"""What a Frontier client takes at most (frontier_client, FRONTIER_MAX_PROXYN)."""

# String literals are matched whole, so that // inside of one is not taken for a comment. What is not closed is taken up to
# the end of its line or of the text, so that no character is looked at twice.
_PIECE = re.compile(
    r'"(?P<double>(?:[^"\\\n]|\\.)*+)(?:"|\n|\\?\Z)'
    r"|'(?P<single>(?:[^'\\\n]|\\.)*+)(?:'|\n|\\?\Z)"
    r"|(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))",
    re.DOTALL,
)
_ENTRY = re.compile(r"^\s*(?:(?:PROXY|HTTP)\s+(?P<proxy>\S+)|(?P<direct>DIRECT))\s*$", re.IGNORECASE)


def proxies_in(text: str) -> tuple[str, ...]:
    """Proxies named in a wpad.dat, each once: "host:port", "http://host:port" or "DIRECT", as written there."""
    found: dict[str, None] = {}
    for piece in _PIECE.finditer(text[:LIMIT_BYTES]):
        literal = piece["double"] or piece["single"] or ""
        for entry in literal.split(";"):
            match = _ENTRY.match(entry)
            if match is not None and len(found) < MAX_PROXIES:
                found[match["proxy"] or "DIRECT"] = None
    return tuple(found)


def is_program(text: str) -> bool:
    """Whether a text is a wpad.dat at all, rather than some page in its place."""
    return "FindProxyForURL" in text[:LIMIT_BYTES]
