"""`python -I -m payloads.worker`: one task in a process of its own, asked for by a line of JSON.

Tasks: `driver`: list a driver's devices, `describe` a compiled variant, `prepare` events and reference of a kernel, `verify` a variant of it, `copy`: measure
one pinned copy, `device`: verify and measure on a device, `picture`: draw one event of a kernel, `event`: one event through all kernels. Whatever goes wrong is said in one line `{"error": …}`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from payloads import device_measuring, measuring, preparing, whole_event
from payloads.backends import devices
from payloads.channel import Channel
from payloads.errors import PayloadError

_PR_SET_PDEATHSIG = 1
"""prctl(2) option, from <linux/prctl.h>."""

Request = Mapping[str, Any]

TASKS: Mapping[str, Callable[[Request, Channel], None]] = {
    "driver": lambda request, channel: channel.send(devices.ask_driver(request)),
    "describe": lambda request, channel: channel.send(preparing.describe(request)),
    "prepare": lambda request, channel: channel.send(preparing.prepare(request)),
    "verify": lambda request, channel: channel.send(preparing.verify(request)),
    "picture": lambda request, channel: channel.send(preparing.picture(request)),
    "event": lambda request, channel: channel.send(whole_event.whole_event(request)),
    "device": device_measuring.measure,
    "copy": measuring.copy,
}


def main() -> int:
    """Do the task of the first line."""
    channel = Channel()
    request = channel.receive()
    if request is None:
        return 0
    _bind_to(request["parent"])
    try:
        _bound(request)
        TASKS[request["task"]](request, channel)
    except BrokenPipeError:
        return 0
    except MemoryError:
        return _failed(channel, _no_memory(request))
    except (PayloadError, ValueError) as error:
        return _failed(channel, str(error))
    except Exception as error:
        return _failed(channel, f"{type(error).__name__}: {error}")
    return 0


def _failed(channel: Channel, sentence: str) -> int:
    with contextlib.suppress(OSError):
        channel.send({"error": " ".join(sentence.split())[:1000]})
    return 1


def _bind_to(parent: int) -> None:
    """If whoever asked is killed outright, this process goes with it; and it is not interrupted by the keyboard."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _bound(request: Request) -> None:
    """Pin to a processor and bound private memory, before anything is allocated: pages come from the near node."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    cpu = request.get("cpu")
    if cpu is not None:
        try:
            os.sched_setaffinity(0, {cpu})
        except OSError as error:
            raise PayloadError(f"a copy cannot be pinned to CPU {cpu}: {error.strerror}") from error
    wanted = request.get("memory_bytes")
    if wanted is not None:
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limits = [bound for bound in (wanted, soft, hard) if bound != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_DATA, (min(limits), hard))


def _no_memory(request: Request) -> str:
    bound = request.get("memory_bytes")
    if bound is None:
        return "the machine gave no more memory"
    return f"it needs more than the {bound / 1024**2:.0f} MiB that a copy may use"


if __name__ == "__main__":
    sys.exit(main())
