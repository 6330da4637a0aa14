"""Ask the host door questions and print its answers: JSON in (first argument), JSON out."""

import json
import sys

from probes.errors import HostError
from probes.live import LiveDoor


def answer(kind: str, args: list[object]) -> object:
    try:
        got = LiveDoor().ask(kind, args)  # type: ignore[arg-type]
    except HostError as error:
        return {"error": error.errno_name}
    return got.decode() if isinstance(got, bytes) else got


if __name__ == "__main__":
    print(json.dumps([answer(kind, args) for kind, args in json.loads(sys.argv[1])]))
