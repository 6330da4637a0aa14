"""The program that runs on a node: probe, judge, report. `import agent` loads nothing heavy."""

__version__ = "0.1.0"
