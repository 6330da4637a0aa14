"""The pictures of the docs, taken anew: `python docs/pictures.py`, from the repository, with Chromium and kernels.

One simulated event; and the service's pages with a made-up fleet of 400 nodes and this machine as one node beside it,
benchmarked on the spot.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser  # noqa: E402

from capacity.service.principal import Role  # noqa: E402
from tests.lab.browser import browser as chromium  # noqa: E402
from tests.lab.service import Service  # noqa: E402
from tests.lab.waiting import until  # noqa: E402

TO = ROOT / "docs" / "tutorial" / "images"
SITE = "T2_LV_Example"
WIDTH_PX = 1180
NODE_S = 120
TITLE_PX = 12
"""Left above a heading that a picture begins with."""


class Picture(NamedTuple):
    """What is on one.

    Attributes:
        name: of the file, without its ending.
        path: of the page; {node} = that of this machine, {site} = of the largest made-up site.
        heading: id of the heading it begins with; None = the top of the page.
        height_px: how much of the page.
        dark: in the dark scheme.
    """

    name: str
    path: str
    heading: str | None
    height_px: int
    dark: bool = False


PICTURES = (
    Picture("pages-overview", "/", None, 820),
    Picture("pages-largest-sites", "/", "sites", 760, dark=True),
    Picture("pages-site", "{site}", None, 860),
    Picture("pages-node", "{node}", None, 640),
    Picture("pages-derivation", "{node}", "derivation", 900),
    Picture("pages-payloads", "{node}", "payloads", 520, dark=True),
    Picture("pages-catalogue", "/catalogue?search=EPYC+7513", None, 560),
    Picture("pages-calibration", "/calibration", None, 760),
    Picture("pages-tokens", "/tokens", None, 520),
    Picture("plan", "/plan", None, 1700),
)


def filled(service: Service) -> None:
    """Put the fleet and this machine in."""
    subprocess.run(
        [sys.executable, "-m", "capacity", "demo", "--nodes", "400", "--database", service.database_url],
        check=True,
        cwd=ROOT,
    )
    service.start()
    agent = [sys.executable, "-m", "agent"]
    profile = service.directory / "profile.json"
    # A wrong kernel is a result (exit 1), not a failure.
    subprocess.run(
        [*agent, "bench", "--quick", "--json", "-o", profile, "--set", f"site_name={SITE}"],
        check=False,
        cwd=ROOT,
    )
    token = {"SITECAP_DELIVERY__URL": service.url, "BEARER_TOKEN": service.token(Role.SUBMIT)}
    subprocess.run([*agent, "submit", profile], check=True, cwd=ROOT, env={**os.environ, **token})


def taken(browser: Browser, service: Service, picture: Picture, places: dict[str, str]) -> None:
    """Take one."""
    context = browser.new_context(
        viewport={"width": WIDTH_PX, "height": picture.height_px},
        color_scheme="dark" if picture.dark else "light",
    )
    page = context.new_page()
    if picture.path == "/tokens":
        page.goto(f"{service.url}/login?next=/tokens")
        page.get_by_label("Token").fill(service.token(Role.ADMIN))
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/tokens")
    page.goto(service.url + picture.path.format(**places), wait_until="networkidle")
    top = 0.0
    if picture.heading is not None:
        box = page.locator(f"#{picture.heading}").bounding_box()
        assert box is not None, f"{picture.path} has no heading #{picture.heading}"
        top = max(box["y"] - TITLE_PX, 0.0)
    clip = {"x": 0, "y": top, "width": WIDTH_PX, "height": picture.height_px}
    page.screenshot(path=TO / f"{picture.name}.png", clip=clip, full_page=True)  # type: ignore[arg-type]
    context.close()


def event(browser: Browser, place: Path) -> None:
    """Take the event as its page first shows it."""
    page_file = place / "event.html"
    command = [sys.executable, "-m", "agent", "bench", "event", "--pile-up", "140", "-o", page_file]
    subprocess.run(command, check=True, cwd=ROOT)
    page = browser.new_page(viewport={"width": WIDTH_PX, "height": 800})
    page.goto(page_file.as_uri())
    page.screenshot(path=TO / "event.png")
    page.close()
    print("event")


def main() -> None:
    """Take all."""
    with tempfile.TemporaryDirectory() as place, chromium() as browser:
        event(browser, Path(place))
        service = Service(Path(place))
        try:
            filled(service)
            page = browser.new_page()
            page.goto(service.url)
            site = page.locator("main a[href^='/sites/T']").first.get_attribute("href") or ""

            def ours() -> str | None:
                page.goto(f"{service.url}/sites/{SITE}")
                found = page.locator(f"main a[href^='/sites/{SITE}/nodes/']")
                return found.first.get_attribute("href") if found.count() else None

            places = {"site": site, "node": until("this machine's node", ours, limit_s=NODE_S) or ""}
            for picture in PICTURES:
                taken(browser, service, picture, places)
                print(picture.name)
        finally:
            service.kill()


if __name__ == "__main__":
    main()
