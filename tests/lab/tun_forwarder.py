"""A wire between two network namespaces: packets of two TUN devices are handed over late, lost, or dropped.

Runs as a process of its own, on the standard library alone: ``tun_forwarder.py NAMESPACE_A NAMESPACE_B DEVICE``.
It prints ``up`` when both devices are there, then takes one command a line and answers ``ok`` to each:

``delay SECONDS``
    how long each packet is held, in either direction;
``lose COUNT``
    lose one packet in so many, never two in a row, so that a test of it has no luck in it; ``lose 0`` = none;
``carry BYTES``
    hand over so many more bytes of packets (both directions together), then drop everything silently; ``carry -1``
    = without end. ``carry 0`` is a black hole.

It ends with its standard input; the devices vanish with it, and what was sent over them becomes unreachable.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import select
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
"""ioctl(2) request, from <linux/if_tun.h>."""
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
IFREQ = struct.Struct("16sH22x")
MAX_HELD = 20_000
"""Packets on the wire at a time; beyond it, they are dropped as by a full queue."""
STDIN = 0


class Wire:
    """Packets under way between two file descriptors of TUN devices."""

    def __init__(self, ends: tuple[int, int]) -> None:
        self.peer = {ends[0]: ends[1], ends[1]: ends[0]}
        self.delay_s = 0.0
        self.lost_one_in = 0
        self.carry_bytes: int | None = None
        self._held: list[tuple[float, int, int, bytes]] = []
        self._number = 0

    def take(self, end: int) -> None:
        """Read what one end has to send."""
        for _ in range(64):
            try:
                packet = os.read(end, 65_536)
            except BlockingIOError:
                return
            self._number += 1  # also keeps the order of packets that are due at the same time
            lost = self.lost_one_in and self._number % self.lost_one_in == 0
            if lost or not self._carried(packet) or len(self._held) >= MAX_HELD:
                continue
            heapq.heappush(
                self._held, (time.monotonic() + self.delay_s, self._number, self.peer[end], packet)
            )

    def _carried(self, packet: bytes) -> bool:
        if self.carry_bytes is None:
            return True
        self.carry_bytes = max(0, self.carry_bytes - len(packet))
        return self.carry_bytes > 0

    def hand_over(self) -> float | None:
        """Write the packets that are due; seconds until the next is, None if there is none."""
        while self._held:
            wait_s = self._held[0][0] - time.monotonic()
            if wait_s > 0:
                return wait_s
            _, _, end, packet = heapq.heappop(self._held)
            try:
                os.write(end, packet)
            except OSError:
                continue  # the device is down or its queue full: lost, as on any wire
        return None

    def obey(self, line: str) -> None:
        """Carry out one command."""
        word, _, value = line.partition(" ")
        if word == "delay":
            self.delay_s = float(value)
        elif word == "lose":
            self.lost_one_in = int(value)
        elif word == "carry":
            self.carry_bytes = None if int(value) < 0 else int(value)
            if self.carry_bytes == 0:
                self._held.clear()
        else:
            raise ValueError(f"unknown command {line!r}")


def device(namespace: str, name: str) -> int:
    """Make a TUN device in a namespace; its file descriptor stays usable from here."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        _enter(libc, there)
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tun, TUNSETIFF, IFREQ.pack(name.encode(), IFF_TUN | IFF_NO_PI))
        return tun
    finally:
        _enter(libc, home)
        os.close(there)
        os.close(home)


def _enter(libc: ctypes.CDLL, namespace: int) -> None:
    if libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def main(first: str, second: str, name: str) -> None:
    """Forward until standard input ends."""
    ends = (device(first, name), device(second, name))
    wire = Wire(ends)
    print("up", flush=True)
    pending = b""
    while True:
        ready, _, _ = select.select([*ends, STDIN], [], [], wire.hand_over())
        if STDIN in ready:
            said = os.read(STDIN, 4096)
            if not said:
                return
            *lines, pending = (pending + said).split(b"\n")
            for line in lines:
                wire.obey(line.decode())
                print("ok", flush=True)
        for end in ready:
            if end != STDIN:
                wire.take(end)


if __name__ == "__main__":
    main(*sys.argv[1:4])
