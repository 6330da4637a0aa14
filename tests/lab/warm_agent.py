"""`agent` without its start-up: each line on standard input, arguments as a JSON list, is run in a fork of a loaded agent.

What is killed is the same code as that of the command, but at moments of its work and not of its loading. Prints the process
id of each; nobody has to wait for them.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import urllib3

from agent.cli import cli
from agent.cli.loading import load_all

assert urllib3
load_all({}, None)


def run(arguments: list[str]) -> None:
    code = 0
    try:
        cli(arguments, prog_name="agent", standalone_mode=False)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        sys.stderr.write(f"crashed: {error!r}\n")
        code = 70
    sys.stderr.write(f"ended with {code}\n")
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            run(json.loads(line))
        answers.write(f"{child}\n")
        answers.flush()


if __name__ == "__main__":
    main()
