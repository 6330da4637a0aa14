"""Outlook → text, one pure function a format."""

from __future__ import annotations

from collections.abc import Callable

from computing_model.outlook import Outlook
from computing_model.render.columns import csv_of
from computing_model.render.document import json_of
from computing_model.render.markdown import markdown_of
from computing_model.render.report import html_of
from computing_model.render.table import text_of

FORMATS: dict[str, Callable[[Outlook], str]] = {
    "table": text_of,
    "csv": csv_of,
    "json": json_of,
    "markdown": markdown_of,
    "html": html_of,
}
