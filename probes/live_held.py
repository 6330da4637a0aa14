"""What a server hands out in the query of a redirection stays on this side of the host door.

Storage redirects a reader to the server that has the file, with a one-time capability or the reader's own token in the
query of the new URL (dCache, XrdHttp). The caller gets a name for it instead, and may ask with that name.
"""

from __future__ import annotations

import itertools

MAX_HELD = 1024

_numbers = itertools.count(1)
_held: dict[str, str] = {}


def hold(location: str) -> str:
    """A Location whose query, if it has one, is replaced by a name."""
    head, mark, query = location.partition("?")
    if not mark or len(_held) >= MAX_HELD:
        return head
    name = f"held-{next(_numbers)}"
    _held[name] = query
    return f"{head}?{name}"


def release(url: str) -> str:
    """The URL as the server gave it, if its query is a name that `hold` made up."""
    head, mark, query = url.partition("?")
    return f"{head}?{_held.get(query, query)}" if mark else url
