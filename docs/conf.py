"""Sphinx configuration: MyST pages, furo, nothing fetched while building."""

from importlib import metadata

project = "sitecap"
author = "The sitecap developers"
copyright = "2026, The sitecap developers"  # noqa: A001 - the name that Sphinx reads
release = version = metadata.version("sitecap")

extensions = ["myst_parser", "sphinx_click"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"sitecap {release}"
nitpicky = True
