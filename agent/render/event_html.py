"""One event → one self-contained HTML page: a view that can be turned, and the table of times. Pure.

It loads nothing. The one script is ours and allowed by its hash; it only draws on its canvas. Without it the page shows the
picture.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files

from agent.bench_event import EventChoice, Step
from agent.render import event_svg
from agent.render.event_text import NOTES, heading
from agent.render.html_style import STYLE

_MORE = """
canvas{width:100%;height:32rem;border:1px solid var(--line);border-radius:4px;touch-action:none;cursor:grab;display:block}
body{max-width:80rem}#layers{display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;margin:.5rem 0}#layers label{white-space:nowrap}
.mark{display:inline-block;width:1.2em;height:.6em;margin:0 .4em 0 .2em;border-radius:2px}
button{font:inherit;padding:.2rem .8rem;margin-right:.4rem}td.number,th.number{text-align:right}img{max-width:100%}
"""


def render(choice: EventChoice, steps: Sequence[Step]) -> str:
    """The page, with a final newline."""
    script = files("agent.render").joinpath("event_view.js").read_text("utf-8")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"
    layers = [layer for step in steps for layer in step.layers]
    # "<" cannot end the element that it stands in.
    event = json.dumps({"layers": layers}, separators=(",", ":")).replace("<", "\\u003c")
    picture = b64encode(event_svg.render(choice, steps).encode()).decode()
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>sitecap: one event</title>\n<style>{STYLE}{_MORE}</style>\n</head>\n<body>\n"
        f"<h1>One bunch crossing through {len(steps)} kernels</h1>\n"
        f'<p class="dim">{escape(heading(choice))}. Drag to turn, with Shift to move, wheel or + and − to zoom.</p>\n'
        '<p><button type="button" data-view="turned">From aside</button>'
        '<button type="button" data-view="across">Along the beam: x, y</button>'
        '<button type="button" data-view="along">Across the beam: z, y</button></p>\n'
        '<canvas id="view" tabindex="0" role="img" aria-label="The event in three dimensions"></canvas>\n'
        '<div id="layers"></div>\n'
        f'<noscript><img alt="The event across and along the beam" src="data:image/svg+xml;base64,{picture}"></noscript>\n'
        f"<h2>Time</h2>\n{_table(steps)}"
        + "".join(f'<p class="dim">{escape(note)}</p>\n' for note in NOTES)
        + f'<script type="application/json" id="event">{event}</script>\n<script>{script}</script>\n</body>\n</html>\n'
    )


def _table(steps: Sequence[Step]) -> str:
    total_s = sum(step.seconds for step in steps)
    head = "".join(
        f"<th{kind}>{word}</th>"
        for word, kind in (
            ("Kernel", ""),
            ("What it does", ""),
            ("Takes the result of", ""),
            ("ms", ' class="number"'),
            ("Share", ' class="number"'),
            ("CMS", ' class="number"'),
        )
    )
    rows = "".join(
        f"<tr><td>{escape(step.kernel)}</td><td>{escape(step.title)}</td><td>{escape(step.after or 'the detector')}</td>"
        f'<td class="number">{step.seconds * 1e3:.2f}</td><td class="number">{step.seconds / total_s:.1%}</td>'
        f'<td class="number">{"–" if step.published_share is None else format(step.published_share, ".0%")}</td></tr>\n'
        for step in steps
    )
    return f"<table><tr>{head}</tr>\n{rows}</table>\n"
