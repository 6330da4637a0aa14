"""Node topology → one inline SVG: packages, NUMA nodes, last-level caches, cores with their threads, GPUs.

Every hardware thread is a bar, every core a column of bars; bars that the job may use are filled. Numbers are
in tool tips and captions, not in the bars, so that 384 or 768 threads stay readable. Lengths are in user units
(pixels at 1:1).
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from agent.render.plain import one_line
from agent.render.topology import CacheGroup, Core, Gpu, NumaNode, Package, Topology

WIDTH = 960
_BAR_WIDTH = 14
_BAR_HEIGHT = 7
_GAP = 3
_PAD = 8
_LINE = 15
_LETTER = 6.6
"""Mean width of a letter at 11 px; captions are cut to fit their box by it."""

_CORES_IN_A_ROW = 16

STYLE = """
.sitecap-topology{font:11px system-ui,sans-serif;fill:var(--ink,#1a1a1a)}
.sitecap-topology rect.package{fill:var(--box,#f4f5f7);stroke:var(--line,#8a8f98)}
.sitecap-topology rect.numa{fill:var(--page,#fff);stroke:var(--line,#8a8f98)}
.sitecap-topology rect.cache{fill:none;stroke:var(--line,#8a8f98);stroke-dasharray:3 2}
.sitecap-topology rect.yes{fill:var(--granted,#1f77b4)}
.sitecap-topology rect.no{fill:none;stroke:var(--line,#8a8f98);stroke-width:.8}
.sitecap-topology rect.any{fill:var(--perhaps,#9bbfdc)}
.sitecap-topology .dim{fill:var(--dim,#5a5f68)}
"""


@dataclass(frozen=True)
class _Box:
    width: float
    height: float
    body: str


def draw(topology: Topology) -> str:
    """The SVG element. Its only text from the node is escaped; it loads nothing and runs nothing."""
    inner = WIDTH - 2
    boxes = [_package(package, inner) for package in topology.packages]
    if topology.gpus:
        boxes.append(_flow([_gpu(gpu) for gpu in topology.gpus], inner))
    stack = _flow(boxes, inner)
    title = escape(one_line(topology.caption, 300))
    return (
        f'<svg class="sitecap-topology" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}" '
        f'viewBox="-1 -1 {WIDTH} {stack.height + 2:g}" width="100%">'
        f"<title>{title}</title><style>{STYLE}</style>{stack.body}</svg>"
    )


def _package(package: Package, room: float) -> _Box:
    return _framed(
        "package", package.label, [_numa(node, room - 2 * _PAD) for node in package.nodes], room, full=True
    )


def _numa(node: NumaNode, room: float) -> _Box:
    return _framed("numa", node.label, [_cache(group) for group in node.groups], room)


def _cache(group: CacheGroup) -> _Box:
    cores = [_core(core) for core in group.cores]
    row = _CORES_IN_A_ROW * (_BAR_WIDTH + _GAP)
    return _framed("cache", group.label, cores, row + 2 * _PAD)


def _core(core: Core) -> _Box:
    bars = []
    for place, thread in enumerate(core.threads):
        kind = {True: "yes", False: "no", None: "any"}[thread.granted]
        tip = escape(one_line(f"{core.label}, {thread.label}"))
        bars.append(
            f'<rect class="{kind}" y="{place * (_BAR_HEIGHT + 1)}" width="{_BAR_WIDTH}" '
            f'height="{_BAR_HEIGHT}" rx="1">'
            f"<title>{tip}</title></rect>"
        )
    return _Box(_BAR_WIDTH, len(core.threads) * (_BAR_HEIGHT + 1), "".join(bars))


def _gpu(gpu: Gpu) -> _Box:
    width = max(len(gpu.label), *(len(line) for line in gpu.details), 12) * _LETTER + 2 * _PAD
    width = min(width, WIDTH - 4)
    lines = "".join(
        f'<text class="dim" x="{_PAD}" y="{_PAD + 10 + (place + 1) * _LINE}">{_fitting(line, width)}</text>'
        for place, line in enumerate(gpu.details)
    )
    height = 2 * _PAD + _LINE * (1 + len(gpu.details))
    return _Box(
        width,
        height,
        f'<rect class="package" width="{width:g}" height="{height}" rx="4"/>'
        f'<text x="{_PAD}" y="{_PAD + 10}">{_fitting(gpu.label, width)}</text>{lines}',
    )


def _framed(kind: str, label: str, children: list[_Box], room: float, *, full: bool = False) -> _Box:
    inside = _flow(children, room - 2 * _PAD)
    wanted = max(inside.width, min(len(label) * _LETTER, room - 2 * _PAD)) + 2 * _PAD
    width = room if full else min(wanted, room)
    height = inside.height + 2 * _PAD + _LINE
    return _Box(
        width,
        height,
        f'<rect class="{kind}" width="{width:g}" height="{height:g}" rx="4"/>'
        f'<text x="{_PAD}" y="{_PAD + 9}">{_fitting(label, width)}</text>'
        f'<g transform="translate({_PAD} {_PAD + _LINE})">{inside.body}</g>',
    )


def _flow(children: list[_Box], room: float) -> _Box:
    """Children from left to right, a new row where the room ends."""
    x = y = row_height = widest = 0.0
    placed = []
    for child in children:
        if x and x + child.width > room + 0.5:
            x, y, row_height = 0.0, y + row_height + _GAP, 0.0
        placed.append(f'<g transform="translate({x:g} {y:g})">{child.body}</g>')
        widest = max(widest, x + child.width)
        row_height = max(row_height, child.height)
        x += child.width + _GAP
    return _Box(widest, y + row_height, "".join(placed))


def _fitting(text: str, width: float) -> str:
    return escape(one_line(text, max(int((width - 2 * _PAD) / _LETTER), 4)))
