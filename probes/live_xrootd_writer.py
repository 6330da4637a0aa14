"""The write test, in the process of `probes.live_xrootd_worker`: what it makes it also deletes."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from probes.live_xrootd_worker import Session


class Writer:
    """STO-01: write a small file, compare its checksum, read it back, delete it."""

    def __init__(self, session: Session, content: bytes) -> None:
        self._session = session
        self._content = content

    def run(self) -> None:
        """All steps; what was made is deleted whatever happens."""
        session, flags = self._session, self._session.flags
        began = time.perf_counter()
        file = session.client.File()
        status, _ = file.open(session.url, flags.OpenFlags.NEW | flags.OpenFlags.MAKEPATH)
        if not session.step("create", began, status):
            return
        try:
            self._fill(file)
        finally:
            began = time.perf_counter()
            status, _ = session.system.rm(session.job["path"])
            session.step("delete", began, status)

    def _fill(self, file: Any) -> None:  # noqa: ANN401
        session = self._session
        began = time.perf_counter()
        status, _ = file.write(self._content, 0)
        closed, _ = file.close()
        if not session.step("write", began, status if not status.ok else closed, bytes=len(self._content)):
            return
        began = time.perf_counter()
        again = session.client.File()
        status, _ = again.open(session.url, session.flags.OpenFlags.READ)
        data = b""
        if status.ok:
            status, data = again.read(0, len(self._content) + 1)
            again.close()
        session.step("read back", began, status, same=bytes(data or b"") == self._content)
        session.say(step="sums", error=None, sums={"adler32": f"{zlib.adler32(self._content):08x}"})
        session.checksum()
