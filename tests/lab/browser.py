"""Chromium, driven by Playwright; a tab notes what goes wrong in its page and what it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import LabUnavailableError

CHROMIUM = "/usr/bin/chromium"
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Visit:
    """A page in a tab, and what went wrong there."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium, as Playwright's `Browser`.

    Raises:
        LabUnavailableError: Chromium or Playwright is not here.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise LabUnavailableError("playwright is not installed; run the set-up of the Makefile") from None
    if not Path(CHROMIUM).exists():
        raise LabUnavailableError(f"{CHROMIUM} is not here; run tests/lab/install-components.sh as root")
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        try:
            yield found
        finally:
            found.close()
