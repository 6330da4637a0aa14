"""Ask the host door questions and print its answers: JSON in, JSON out.

Arguments: the questions; then optionally "record" or "replay" and a directory.
"""

import json
import sys
from pathlib import Path

from probes import recording, replay
from probes.errors import HostError
from probes.host import Door
from probes.live import LiveDoor

BY = "ask_door"


def answers(door: Door, questions: list[tuple[str, list[object]]]) -> list[object]:
    return [answer(door, kind, args) for kind, args in questions]


def answer(door: Door, kind: str, args: list[object]) -> object:
    try:
        got = door.ask(kind, args)  # type: ignore[arg-type]
    except HostError as error:
        return {"error": error.errno_name}
    return got.decode() if isinstance(got, bytes) else got


def main(questions: str, mode: str = "live", directory: str = "") -> None:
    asked = json.loads(questions)
    folder = Path(directory)
    if mode == "record":
        recording.begin(folder)
        door = recording.RecordingDoor(LiveDoor(), folder, BY, None)
        print(json.dumps(answers(door, asked)))
        door.close()
        recording.finish(folder, agent_version="0", created_at="2026-01-01T00:00:00Z", redacted=False)
    elif mode == "replay":
        print(json.dumps(answers(replay.ReplayDoor(replay.Recording(folder), BY), asked)))
    else:
        print(json.dumps(answers(LiveDoor(), asked)))


if __name__ == "__main__":
    main(*sys.argv[1:])
