"""The part of the page of `agent bench` that shows kernels on GPUs: a table a GPU, never added to that of the CPUs."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from agent.render import bench_device_text
from agent.render.bench_svg import Bar, bar_chart
from agent.render.plain import one_line
from profiles.payload_result import PayloadResult

HEAD = (
    "Kernel",
    "Physics",
    "End to end, events/s",
    "Kernels only",
    "Host's CPUs busy",
    "Worth, in loaded CPUs",
    "Events per joule",
)


def table(results: Sequence[PayloadResult], rows: Sequence[Sequence[str]]) -> str:
    """The kernels of one GPU.

    Args:
        results: of this GPU.
        rows: of each the kernel, verdict and rate, as HTML.
    """
    body = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in (*row, *_figures(result))) + "</tr>\n"
        for result, row in zip(results, rows, strict=True)
    )
    head = "".join(f"<th>{escape(word)}</th>" for word in HEAD)
    caption = _text(bench_device_text.heading(results[0]))
    return f"<table><caption>{caption}</caption><tr>{head}</tr>\n{body}</table>\n"


def _figures(result: PayloadResult) -> tuple[str, ...]:
    # the cells of the screen but for rate and verdict
    return tuple(_text(cell) for cell in bench_device_text.cells(result, "", "")[1:-1])


def together(results: tuple[PayloadResult, ...]) -> str:
    """What several GPUs do at the same time."""
    return "".join(f"<p>{_text(sentence)}</p>\n" for sentence in bench_device_text.together(results))


def bars(result: PayloadResult) -> str:
    """Events/s of one kernel on one GPU in each way that it was measured, and of the node's CPUs, with 68 % intervals."""
    run = result.device_run
    if run is None:
        return ""
    cpus = run.cpus
    ways = (
        ("kernels only", "best", run.kernel_only),
        ("end to end", "best", run.host_idle),
        ("host's CPUs busy", "best", run.host_busy),
        ("beside other GPUs", "best", None if run.together is None else run.together.own),
        (f"{cpus.copies} loaded CPUs" if cpus else "", "base", cpus),
    )
    rows = [
        Bar(name, kind, rate.events_per_s, rate.low, rate.high)
        for name, kind, rate in ways
        if rate is not None
    ]
    return bar_chart(f"Events per second of {result.kernel} on {run.place}", rows)


def details(result: PayloadResult) -> str:
    """Code, conditions, entries and what is missing."""
    told = list(bench_device_text.details(result))
    if not told:
        return ""
    rows = "".join(f"<tr><th>{_text(word)}</th><td>{_text(text)}</td></tr>\n" for word, text in told)
    return f"<details><summary>Code and conditions</summary><table>{rows}</table></details>\n"


def _text(text: str) -> str:
    return escape(one_line(text), quote=True)
