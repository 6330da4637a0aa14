"""Runs inside a lab machine: takes commands from the console and answers there, one after the other.

A request is one line of JSON. An answer is a line with MARK, then the answer (JSON, compressed, base64) in
lines, then MARK with its checksum: the host can tell it from what the kernel prints on the same console.
"""

import base64
import json
import os
import subprocess
import termios
import tty
import zlib
from typing import Any

MARK = "@@sitecap-lab@@"
CGROUPS = "/sys/fs/cgroup"


def main() -> None:
    console = os.open("/dev/console", os.O_RDWR | os.O_NOCTTY)
    # Raw: no echo of the requests, and no limit of 4096 bytes to a line.
    tty.setraw(console, termios.TCSANOW)
    answer(console, {"release": os.uname().release})
    with os.fdopen(console, "rb", closefd=False) as requests:
        for line in requests:
            request = json.loads(line)
            if request is None:
                return
            answer(console, serve(request))


def answer(console: int, content: dict[str, object]) -> None:
    packed = base64.encodebytes(zlib.compress(json.dumps(content).encode(), 1)).decode()
    text = f"\n{MARK} begin\n{packed}{MARK} end {zlib.crc32(packed.encode())}\n".encode()
    while text:
        text = text[os.write(console, text) :]


def serve(request: dict[str, Any]) -> dict[str, object]:
    setup = subprocess.run(["sh", "-ec", request["setup"]], capture_output=True, check=False)
    if setup.returncode != 0:
        said = (setup.stdout + setup.stderr).decode("utf-8", "replace")
        return {"setup_failed": f"exit {setup.returncode}: {said}"}
    try:
        done = subprocess.run(
            request["argv"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            cwd="/tmp",
            env=request["env"],
            timeout=request["timeout_s"],
            start_new_session=True,
            preexec_fn=lambda: become(request["uid"], request["cgroup"]),
        )
    except subprocess.TimeoutExpired:
        return {"timed_out": True}
    return {
        "returncode": done.returncode,
        "stdout": done.stdout.decode("utf-8", "surrogateescape"),
        "stderr": done.stderr.decode("utf-8", "surrogateescape"),
        "files": collect(request["collect"]) if request["collect"] else {},
    }


def become(uid: int, cgroup: str) -> None:
    """Enter the cgroup as root would put a job there, then be an ordinary user."""
    with open(f"{CGROUPS}/{cgroup}/cgroup.procs", "w") as procs:
        procs.write("0")
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def collect(top: str) -> dict[str, str]:
    """Regular files below a directory, by relative path, as base64."""
    files = {}
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as stream:
                    files[os.path.relpath(path, top)] = base64.b64encode(stream.read()).decode()
    return files


if __name__ == "__main__":
    main()
