"""Plots of an outlook in the look that readers of CMS's public plots know; titled as a planning study, never as CMS Public.

matplotlib is needed (extra `analysis`); mplhep's CMS style is used where it is installed.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from computing_model.calendar import calendar_of
from computing_model.errors import ModelError
from computing_model.outlook import Outlook, Scenario
from computing_model.render.table import UNITS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from computing_model.budget import Band
    from computing_model.numbers import Array
    from computing_model.sensitivity import Tornado
    from computing_model.uncertainty import Bands

TITLE = "Planning study, sitecap"
_MARKS = (
    ("s", "-", "#1f3fbf"),
    ("o", "--", "#3f7fdf"),
    ("^", "-.", "#00a0b0"),
    ("D", ":", "#a05000"),
    ("v", "-", "#606060"),
)
_COLOURS = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70")
"""The colours that CMS takes for stacks (M. Petroff, arXiv:2107.02270)."""


def write(outlook: Outlook, folder: Path) -> list[Path]:
    """All plots as SVG files of a folder, which is made.

    Raises:
        ModelError: matplotlib is not installed.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in plots_of(outlook):
        path = folder / f"{name}.svg"
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def plots_of(outlook: Outlook) -> Iterator[tuple[str, str]]:
    """Name and SVG text of each plot: needs over the band, gaps, and stacks of each scenario.

    Raises:
        ModelError: matplotlib is not installed.
    """
    for resource in UNITS:
        yield f"need-{resource}", svg_of(partial(need, outlook=outlook, resource=resource))
        if outlook.flat(resource) is not None:
            yield f"gap-{resource}", svg_of(partial(gap, outlook=outlook, resource=resource))
    for number, scenario in enumerate(outlook.scenarios, start=1):
        for name, parts, unit in (
            ("cpu-by-step", scenario.cpu_by_step, "Total CPU [kHS06-years]"),
            ("disk-by-tier", scenario.disk_by_tier, "Total disk [PB]"),
            ("tape-by-tier", scenario.tape_by_tier, "Total tape [PB]"),
        ):
            draw = partial(stack, outlook=outlook, scenario=scenario, parts=parts, label=unit)
            yield f"{name}-{number}", svg_of(draw)


def tornado_svg(found: Tornado) -> str:
    """A tornado as SVG text.

    Raises:
        ModelError: matplotlib is not installed.
    """
    return svg_of(partial(tornado, found=found))


def bands_svg(found: Bands) -> str:
    """Bands of all resources, one below the other, as SVG text.

    Raises:
        ModelError: matplotlib is not installed.
    """
    return svg_of(*(partial(bands, found=found, resource=resource) for resource in UNITS), size_in=(10, 16))


def svg_of(*draw: Callable[[Axes], None], size_in: tuple[float, float] = (10, 6)) -> str:
    """One figure as SVG text, the same bytes for the same figures.

    Args:
        draw: what each part draws, from the top.
        size_in: width and height, inches.

    Raises:
        ModelError: matplotlib is not installed.
    """
    with _style() as figure_of:
        figure = figure_of(figsize=size_in, layout="constrained")
        for place, part in enumerate(draw, start=1):
            part(figure.add_subplot(len(draw), 1, place))
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": "sitecap"})
    return out.getvalue()


def need(axes: Axes, outlook: Outlook, resource: str) -> None:
    """Need against year, a line a scenario, over the grey band of the flat budget."""
    band: Band | None = dict(zip(UNITS, outlook.supply, strict=True))[resource]
    years = np.array(outlook.years)
    if band is not None:
        axes.fill_between(years, band.low, band.high, color="0.85", zorder=0)
        growths = outlook.scenarios[0].loaded.parameters.budget
        for edge, growth in ((band.low, growths.growth_low), (band.high, growths.growth_high)):
            axes.plot(years, edge, "k--", linewidth=2.5, zorder=1, label=f"flat budget, {growth:+.0%} a year")
    for scenario, (mark, line, colour) in zip(outlook.scenarios, _cycle(len(outlook.scenarios)), strict=True):
        axes.plot(
            years, scenario.need(resource), marker=mark, linestyle=line, color=colour, label=scenario.title
        )
    if resource == "cpu_khs06_years":
        _there(axes, outlook)
    _frame(
        axes,
        outlook,
        {
            "cpu_khs06_years": "Total CPU [kHS06-years]",
            "disk_pb": "Total disk [PB]",
            "tape_pb": "Total tape [PB]",
        }[resource],
    )


def _there(axes: Axes, outlook: Outlook) -> None:
    if outlook.pledges_khs06:
        axes.plot(list(outlook.pledges_khs06), list(outlook.pledges_khs06.values()), "k*", label="pledged")
    if outlook.projected is not None:
        axes.plot(
            outlook.years,
            outlook.projected.nominal_khs06,
            color="#2ca02c",
            label="measured fleet, same money",
        )
        axes.plot(
            outlook.years,
            outlook.projected.usable_khs06,
            color="#2ca02c",
            linestyle=":",
            label="of it usable",
        )


def gap(axes: Axes, outlook: Outlook, resource: str) -> None:
    """Flat budget less need: bars below zero are what is missing."""
    width = 0.8 / len(outlook.scenarios)
    for number, scenario in enumerate(outlook.scenarios):
        found = outlook.gap(scenario, resource)
        if found is not None:
            places = np.array(outlook.years) + (number - (len(outlook.scenarios) - 1) / 2) * width
            axes.bar(places, found, width, color=_COLOURS[number % len(_COLOURS)], label=scenario.title)
    axes.axhline(0, color="black", linewidth=1)
    unit = UNITS[resource].partition(", ")
    _frame(axes, outlook, f"Flat budget less need, {unit[0]} [{unit[2]}]", from_zero=False)


def stack(axes: Axes, outlook: Outlook, scenario: Scenario, parts: Mapping[str, Array], label: str) -> None:
    """One scenario's need as stacked bars."""
    below = np.zeros(len(outlook.years))
    for number, (name, values) in enumerate(parts.items()):
        axes.bar(outlook.years, values, 0.8, below, color=_COLOURS[number % len(_COLOURS)], label=name)
        below = below + values
    _frame(axes, outlook, label, scenario.title)


def tornado(axes: Axes, found: Tornado) -> None:
    """One bar an assumption that matters, the widest on top."""
    swings = [swing for swing in reversed(found.swings) if swing.low != swing.high]
    names = [swing.name for swing in swings]
    for place, swing in enumerate(swings):
        axes.barh(place, swing.low - found.middle, left=found.middle, color=_COLOURS[0])
        axes.barh(place, swing.high - found.middle, left=found.middle, color=_COLOURS[1])
    axes.axvline(found.middle, color="black", linewidth=1)
    axes.set_yticks(range(len(names)), names, fontsize="xx-small")
    axes.set_xlabel(f"{UNITS[found.resource]}, {found.year}", fontsize="small")
    axes.set_title(f"{TITLE}: low end (blue), high end (orange)", loc="left", fontsize="small")


def bands(axes: Axes, found: Bands, resource: str) -> None:
    """Median, 68 % and 95 % bands of a need."""
    rows = found.quantiles[resource]
    axes.fill_between(found.years, rows[0], rows[4], color=_COLOURS[1], alpha=0.6, label="95 %")
    axes.fill_between(found.years, rows[1], rows[3], color="#2ca02c", alpha=0.6, label="68 %")
    axes.plot(found.years, rows[2], color="black", label="median")
    _whole_years(axes)
    axes.set_ylabel(UNITS[resource], fontsize="small")
    axes.set_title(f"{TITLE}: {found.samples} samples", loc="left", fontsize="small")
    axes.legend(fontsize="x-small")


def _frame(axes: Axes, outlook: Outlook, label: str, title: str = "", *, from_zero: bool = True) -> None:
    axes.set_ylabel(label, fontsize="small")
    axes.set_xlabel("Year", fontsize="small")
    axes.set_xlim(outlook.years[0] - 0.6, outlook.years[-1] + 0.6)
    axes.tick_params(labelsize="x-small")
    _whole_years(axes)
    if from_zero:
        axes.set_ylim(bottom=0)
    axes.set_title(f"{TITLE}{': ' if title else ''}{title}", loc="left", fontsize="small")
    _runs(axes, outlook)
    axes.legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(0, 0.96))


def _whole_years(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - an extra

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _runs(axes: Axes, outlook: Outlook) -> None:
    """Grey bars with the names of the runs along the upper edge."""
    run_of = calendar_of(outlook.scenarios[0].loaded.parameters).run_of
    shown = {year: run for year, run in run_of.items() if outlook.years[0] <= year <= outlook.years[-1]}
    for run in dict.fromkeys(shown.values()):
        years = [year for year, one in shown.items() if one == run]
        low, high = min(years) - 0.45, max(years) + 0.45
        axes.axvspan(low, high, ymin=0.965, ymax=1.0, color="0.6", zorder=3)
        name = run.replace("run", "Run ")
        axes.text((low + high) / 2, 0.982, name, transform=axes.get_xaxis_transform(), ha="center", va="center",
                  fontsize="xx-small", zorder=4)  # fmt: skip


def _cycle(number: int) -> list[tuple[str, str, str]]:
    return [_MARKS[index % len(_MARKS)] for index in range(number)]


@contextmanager
def _style() -> Iterator[Callable[..., Figure]]:
    try:
        import matplotlib as mpl  # noqa: PLC0415 - an extra
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        raise ModelError("plots need matplotlib: install sitecap with the extra 'analysis'") from None
    settings: Any = {"svg.hashsalt": "sitecap", "svg.fonttype": "path", "font.size": 16}
    try:
        from mplhep.styles import CMS  # noqa: PLC0415 - an extra

        # Its fonts are downloaded or bundled by mplhep; what is not there falls back to matplotlib's own.
        settings = {**CMS, **settings, "font.family": "sans-serif", "figure.figsize": (10, 6)}
    except ImportError:
        pass
    with mpl.rc_context(settings):
        yield Figure
