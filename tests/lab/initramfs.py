"""Writes initramfs images: the "newc" cpio archive that the Linux kernel unpacks into its first root.

Format: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

_TRAILER = "TRAILER!!!"
_ALIGNMENT_BYTES = 4


class Initramfs:
    """An archive that is written entry by entry; everything in it belongs to root."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def add(self, name: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        """Add one entry; ``mode`` as in stat(2), ``content`` is a link's target or a file's bytes."""
        path = name.encode() + b"\0"
        # Inode 0 with one link: the kernel then looks for no hard links.
        fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(path), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._padded(header + path)
        self._padded(content)

    def add_tree(self, root: Path) -> None:
        """Add all that is below a directory; where the archive has a path already, this one wins."""
        for folder, folders, files in os.walk(root):
            for name in sorted(folders + files):
                path = Path(folder, name)
                mode = path.lstat().st_mode
                if stat.S_ISLNK(mode):
                    content = os.fsencode(path.readlink())
                else:
                    content = path.read_bytes() if stat.S_ISREG(mode) else b""
                self.add(str(path.relative_to(root)), mode, content)

    def close(self) -> None:
        """Write the end mark."""
        self.add(_TRAILER, 0)

    def _padded(self, data: bytes) -> None:
        self._out.write(data + bytes(-len(data) % _ALIGNMENT_BYTES))
