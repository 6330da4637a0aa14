"""What a recording is: its files, its version, and when two questions are the same.

A recording is a directory:

* `recording.json` - version, when, by which agent, whether redacted, which probes;
* `answers.jsonl` - one question and its answer a line: {"ask", "args", "by", "answer" | "error"}; the content of a
  file is {"text": …} or {"base64": …};
* `root/` - optional, in recordings made by hand: a file tree that answers file questions which have no line.
"""

from __future__ import annotations

import json

from probes.answers import Json

RECORDING_VERSION = "1.0"
MANIFEST = "recording.json"
ANSWERS = "answers.jsonl"
TREE = "root"
NOT_A_PROBE = "agent"
"""Name under which the agent itself asks."""

_IDENTIFYING_ARGS = {
    "file": 1, "run": 1, "try_threads": 0, "try_write": 1, "resolve": 1, "connect": 2, "tls": 3, "http": 3, "fetch": 7,
    "drain": 4,
}  # fmt: skip
"""How many leading arguments make two questions the same; the rest are time-outs and size bounds."""


def key_of(kind: str, args: list[Json]) -> str:
    """Alike for two questions that are the same."""
    count = _IDENTIFYING_ARGS.get(kind, len(args))
    return json.dumps([kind, *args[:count]], sort_keys=True)
