"""The outlook as one HTML file that needs nothing else: plots where matplotlib is installed, tables, inputs, sources."""

from __future__ import annotations

from html import escape

import numpy as np

from computing_model.errors import ModelError
from computing_model.outlook import Outlook
from computing_model.render.plots import plots_of
from computing_model.render.table import UNITS, columns_of, ending

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}
table{border-collapse:collapse;font-size:.85rem;margin:1rem 0}
th,td{padding:.15rem .6rem;text-align:right;border-bottom:1px solid #ccc}
th:first-child,td:first-child{text-align:left}
.short{color:#a00;font-weight:600}
figure{margin:1rem 0}svg{max-width:100%;height:auto;background:#fff}code{font-size:.85em;overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}.short{color:#ff8a80}th,td{border-color:#444}}
"""


def html_of(outlook: Outlook) -> str:
    """A whole page."""
    try:
        plots = dict(plots_of(outlook))
        without = ""
    except ModelError as error:
        plots, without = {}, f"<p>{escape(str(error))}</p>"
    parts = [
        "<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<title>CMS needs and what there is</title>", f"<style>{_STYLE}</style></head><body><main>",
        "<h1>CMS needs and what there is: a planning study</h1>", without,
    ]  # fmt: skip
    for resource, title in UNITS.items():
        parts.append(f"<h2>{escape(title[0].upper() + title[1:])}</h2>")
        parts += [
            f"<p>{escape(one.title)}: {escape(ending(outlook, one, resource))}.</p>"
            for one in outlook.scenarios
        ]
        parts += [
            f'<figure role="img" aria-label="{escape(kind)} of {escape(title)} by year">{_inline(plots[f"{kind}-{resource}"])}</figure>'
            for kind in ("need", "gap")
            if f"{kind}-{resource}" in plots
        ]
        parts.append(_table(outlook, resource))
    parts.append(_inputs(outlook))
    parts.append("</main></body></html>\n")
    return "\n".join(part for part in parts if part)


def _inline(svg: str) -> str:
    return svg[svg.index("<svg") :]


def _table(outlook: Outlook, resource: str) -> str:
    columns = columns_of(outlook, resource)
    offer = outlook.flat(resource)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name, _ in columns)
    rows = []
    for index, year in enumerate(outlook.years):
        cells = []
        for number, (_, values) in enumerate(columns):
            value = float(values[index])
            short = offer is not None and number < len(outlook.scenarios) and value > float(offer[index])
            mark = ' class="short"' if short else ""
            cells.append(
                f"<td{mark}>{'-' if np.isnan(value) else f'{value:,.0f}'}{' !' if short else ''}</td>"
            )
        rows.append(f'<tr><th scope="row">{year}</th>{"".join(cells)}</tr>')
    return (
        f'<table><thead><tr><th scope="col">year</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        "<p>! more than the flat budget with its expected growth</p>"
    )


def _inputs(outlook: Outlook) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.title)}</td><td>{escape(' < '.join(one.loaded.layers))}</td><td><code>{one.digest}</code></td></tr>"
        for one in outlook.scenarios
    )
    sources = "".join(
        f"<tr><td><code>{escape(key)}</code></td><td>{entry.status}</td><td>{escape(entry.source)}</td></tr>"
        for key, entry in sorted(outlook.scenarios[0].loaded.parameters.provenance.items())
    )
    return (
        "<h2>Inputs</h2><table><thead><tr><th>scenario</th><th>layers</th><th>SHA-256</th></tr></thead>"
        f"<tbody>{rows}</tbody></table><table><thead><tr><th>input</th><th>status</th><th>source</th></tr></thead>"
        f"<tbody>{sources}</tbody></table>"
    )
