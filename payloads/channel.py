"""The worker's end of the conversation: JSON lines on what were its standard input and output."""

from __future__ import annotations

import json
import os
import select
import socket
from collections.abc import Mapping
from typing import Any


class Channel:
    """Takes file descriptors 0 and 1 over, so that nothing else that prints can disturb the conversation."""

    def __init__(self) -> None:
        self._socket = socket.socket(fileno=os.dup(0))
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, 0)
        os.close(nowhere)
        os.dup2(2, 1)
        self._received = b""

    def send(self, message: Mapping[str, Any]) -> None:
        """Say one line."""
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> dict[str, Any] | None:
        """The next line, however long it takes; None when the other end has gone."""
        while b"\n" not in self._received:
            piece = self._socket.recv(65_536)
            if not piece:
                return None
            self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        message = json.loads(line)
        assert isinstance(message, dict)
        return message

    def waiting(self) -> bool:
        """Whether there is something to receive now."""
        return b"\n" in self._received or bool(select.select([self._socket], [], [], 0)[0])
