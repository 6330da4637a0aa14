"""From a specification to SVG text, drawn once and kept, bounded. Nothing is fetched from anywhere."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

MAX_SPEC_BYTES = 512 * 1024
"""Largest specification that is drawn; 400 points of history need 40 kB."""


class ChartTooLargeError(ValueError):
    """A specification is larger than what is drawn; the table beside the chart has the numbers."""


def digest_of(data: object) -> str:
    """Digest of what a chart shows; equal data gives an equal picture."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def draw(spec: Mapping[str, Any]) -> str:
    """SVG text of a Vega-Lite specification.

    Raises:
        ChartTooLargeError: the specification is too large.
    """
    import vl_convert as vlc  # noqa: PLC0415 - loads a JavaScript engine, which only charts need

    text = json.dumps(spec)
    if len(text.encode()) > MAX_SPEC_BYTES:
        raise ChartTooLargeError(f"a chart of more than {MAX_SPEC_BYTES} bytes is not drawn")
    drawn: str = vlc.vegalite_to_svg(text, allowed_base_urls=[])
    return drawn


class Pictures:
    """SVG texts by digest, the least recently used make room. One picture is drawn at a time."""

    def __init__(
        self, max_bytes: int = 16 * 1024 * 1024, drawing: Callable[[Mapping[str, Any]], str] = draw
    ) -> None:
        self._max_bytes = max_bytes
        self._drawing = drawing
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self._pen = Lock()

    def get(self, digest: str, spec: Callable[[], Mapping[str, Any]]) -> str:
        """The picture with that digest; drawn from `spec()` if it is not kept.

        Raises:
            ChartTooLargeError: the specification is too large.
        """
        found = self._find(digest)
        if found is not None:
            return found
        with self._pen:
            found = self._find(digest)
            if found is None:
                found = self._drawing(spec())
                self._keep(digest, found)
        return found

    def _find(self, digest: str) -> str | None:
        with self._lock:
            if digest in self._kept:
                self._kept.move_to_end(digest)
            return self._kept.get(digest)

    def _keep(self, digest: str, picture: str) -> None:
        size = len(picture.encode())
        if size > self._max_bytes:
            return
        with self._lock:
            self._kept[digest] = picture
            self._bytes += size
            while self._bytes > self._max_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest.encode())
