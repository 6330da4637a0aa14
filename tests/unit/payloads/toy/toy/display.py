"""Of the toy kernel."""

from __future__ import annotations

from typing import Any


def picture(event: Any, result: Any) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>{result["sum"][0]:g}</text></svg>'
    )
