"""Charts: Vega-Lite specifications built beside the numbers, drawn as SVG on our own host."""
