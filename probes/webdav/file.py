"""What a door does with the file: properties, ranges, a read to the end, a checksum."""

from __future__ import annotations

from probes.answers import Fetched
from probes.errors import HostError
from probes.network_steps import seconds, without_addresses
from probes.webdav import content
from probes.webdav.asking import Asking, BrokenError, NotTriedError, Sent, whole
from probes.webdav.faults import refused
from profiles.facts.webdav import CredentialKind, CredentialTry

RANGE_BYTES = 65_536
PART_BYTES = 16


class File:
    """The steps about the file; each returns its duration in seconds, if it has one, or raises."""

    def __init__(self, ask: Asking) -> None:
        self._ask = ask
        self._sent: Sent = None
        self._head = b""

    def propfind(self) -> float | None:
        """Properties of the file (RFC 4918 §9.1), with the first credential that the door takes."""
        answer = self._let_in()
        if answer.status != 207:
            if answer.status in (200, 405, 501):
                raise BrokenError("not-webdav", f"status {answer.status} to PROPFIND: not a WebDAV door")
            raise BrokenError(*refused(answer.status or 0))
        if not answer.complete and answer.body_bytes >= content.MAX_PROPFIND_BYTES:
            limit = content.MAX_PROPFIND_BYTES
            raise BrokenError(
                "hostile-xml", f"its answer to PROPFIND with Depth 0 is longer than {limit} bytes"
            )
        try:
            found = content.properties(answer.body)
        except content.HostileError as error:
            raise BrokenError("hostile-xml", f"its answer to PROPFIND is refused: {error}") from error
        except ValueError as error:
            raise BrokenError("not-webdav", f"its answer to PROPFIND: {error}") from error
        if found.directory:
            raise BrokenError("not-a-file", "it is a directory: the URL must be that of a file")
        if found.size_bytes is None:
            raise BrokenError("not-webdav", "its answer to PROPFIND has no getcontentlength")
        self._ask.seen |= {"size_bytes": found.size_bytes, "modified": without_addresses(found.modified)}
        return seconds(answer.duration_s)

    def _let_in(self) -> Fetched:
        """The answer to PROPFIND with the first credential that the door takes, else the last refusal."""
        headers = {"Depth": "0", "Content-Type": "application/xml"}
        # A token over plain HTTP would be anybody's (RFC 6750 §5.3).
        order: tuple[Sent, ...] = ("token", "x509", None) if self._ask.place.secure else (None,)
        refusal: Fetched | None = None
        for sent in order:
            name: CredentialKind = sent or "none"
            if sent is None and refusal is not None:
                break  # without any credential the door would say the same, or wrongly let us in
            try:
                answer = self._ask.fetch(
                    "PROPFIND",
                    sent,
                    headers=headers,
                    body=content.PROPFIND,
                    limit_bytes=content.MAX_PROPFIND_BYTES,
                )
            except HostError as error:
                self._note(name, reason=without_addresses(error.text))
                continue
            if sent == "x509" and answer.status is None and answer.stage == "resolve":
                # The file is there, but TLS cannot load it.
                self._note(name, reason=without_addresses(answer.error))
                continue
            whole(answer)
            self._note(name, status=answer.status)
            if answer.status not in (401, 403):
                self._sent = sent
                self._ask.seen["credential"] = name
                return answer
            refusal = answer
        if refusal is None:
            raise BrokenError("host", "no question could be asked")
        return refusal

    def _note(self, name: CredentialKind, *, status: int | None = None, reason: str | None = None) -> None:
        if status is not None and not 100 <= status <= 999:
            status, reason = None, "its status is no HTTP status"  # only a recording can say so
        earlier = self._ask.seen.get("tried", ())
        self._ask.seen["tried"] = (*earlier, CredentialTry(credential=name, status=status, reason=reason))

    def range(self) -> float | None:
        """The first bytes (RFC 9110 §14)."""
        size = int(self._ask.seen["size_bytes"])
        if size == 0:
            raise NotTriedError("the file is empty")
        wanted = min(size, RANGE_BYTES)
        answer = whole(
            self._ask.fetch(
                "GET", self._sent, headers={"Range": f"bytes=0-{wanted - 1}"}, limit_bytes=wanted + 1
            )
        )
        if answer.status == 200:
            raise BrokenError("no-range", "status 200 to a ranged GET: it serves whole files only")
        if answer.status != 206:
            raise BrokenError(*refused(answer.status or 0))
        field = answer.headers.get("content-range")
        if content.content_range(field) not in ((0, wanted - 1, size), (0, wanted - 1, None)):
            said = without_addresses(field) or "nothing"
            raise BrokenError(
                "wrong-range", f"Content-Range says {said!r:.80} for bytes 0-{wanted - 1} of {size}"
            )
        if answer.body_bytes != wanted:
            raise BrokenError("truncated", f"{answer.body_bytes} bytes came where {wanted} were asked for")
        self._head = answer.body
        return seconds(answer.duration_s)

    def multi_range(self) -> float | None:
        """Two ranges in one question, as a vector read of a job; their bytes compared with those of the single range."""
        middle = len(self._head) // 2
        if middle < 2 * PART_BYTES:
            raise NotTriedError(f"the file has only {len(self._head)} bytes")
        asked = [(0, PART_BYTES - 1), (middle, middle + PART_BYTES - 1)]
        field = "bytes=" + ",".join(f"{first}-{last}" for first, last in asked)
        answer = whole(
            self._ask.fetch("GET", self._sent, headers={"Range": field}, limit_bytes=2 * RANGE_BYTES)
        )
        found = content.parts(answer.headers.get("content-type", ""), answer.body)
        if answer.status != 206 or found is None:
            raise BrokenError(
                "no-multi-range", f"status {answer.status} to a GET of two ranges, and not in parts"
            )
        for first, last in asked:
            if found.get((first, last)) != self._head[first : last + 1]:
                raise BrokenError(
                    "wrong-content", f"bytes {first}-{last} differ from those of the single range"
                )
        return seconds(answer.duration_s)

    def read(self) -> float | None:
        """Read on, for the rate: a small file to its end, of a large one the beginning."""
        size = int(self._ask.seen["size_bytes"])
        to_the_end = size <= self._ask.wanted.max_file_bytes
        wanted = size if to_the_end else min(size, self._ask.wanted.read_bytes)
        if wanted == 0:
            raise NotTriedError("nothing is to be read: the file is empty, or webdav.read_bytes is 0")
        headers = {} if to_the_end else {"Range": f"bytes=0-{wanted - 1}"}
        answer = self._ask.drain(self._sent, headers=headers, limit_bytes=wanted + 1, checksum=to_the_end)
        if answer.status is not None and answer.status not in (200, 206):
            raise BrokenError(*refused(answer.status))
        self._ask.seen |= {
            "read_bytes": max(0, answer.body_bytes),
            "read_s": seconds(answer.duration_s),
            "first_byte_s": seconds(answer.first_byte_s),
        }
        whole(answer)
        if answer.body_bytes != wanted:
            raise BrokenError("truncated", f"{answer.body_bytes} of {wanted} bytes came")
        if to_the_end:
            self._ask.seen["read_adler32"] = answer.adler32
        return seconds(answer.duration_s)

    def digest(self) -> float | None:
        """Ask for the checksum (RFC 3230), and compare it with that of the bytes read."""
        answer = whole(self._ask.fetch("HEAD", self._sent, headers={"Want-Digest": "adler32"}))
        if answer.status != 200:
            raise BrokenError(*refused(answer.status or 0))
        given = content.adler32(answer.headers.get("digest"))
        if given is None:
            raise BrokenError("no-digest", "no adler32 in answer to Want-Digest")
        self._ask.seen["digest_adler32"] = given
        read = self._ask.seen.get("read_adler32")
        if read is not None and read != given:
            raise BrokenError("wrong-digest", f"it says adler32 {given}, the bytes read have {read}")
        return seconds(answer.duration_s)
