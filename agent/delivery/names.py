"""Names of documents in the spool: they sort by age, and tell whether the document is whole."""

from __future__ import annotations

import hashlib
import json
import re
from typing import NamedTuple

from agent.delivery.errors import SpoolError

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_NAME = re.compile(rf"({_ID.pattern})\.([0-9a-f]{{32}})\.json")


class Name(NamedTuple):
    """Name of a document: in order of the ids, which begin with the millisecond of their making (RFC 9562 §5.7).

    Attributes:
        id: of the profile.
        digest: the first 128 bits of the SHA-256 of the document, in hexadecimal.
    """

    id: str
    digest: str

    @property
    def file(self) -> str:
        """As it is called in the spool."""
        return f"{self.id}.{self.digest}.json"

    @property
    def reason_file(self) -> str:
        """Beside a document that was set aside."""
        return f"{self.id}.{self.digest}.reason.json"

    def fits(self, document: bytes) -> bool:
        """Whether the document is what was put under this name, bit for bit."""
        return _digest(document) == self.digest


def one_line(document: bytes) -> bytes:
    """The same JSON document on one line, so that many can be sent one a line.

    A line break in JSON stands between two tokens, never inside a string (RFC 8259 §7). Whatever has handed in the same
    file gives the same bytes, by which the service tells a duplicate from a conflict.
    """
    return b"".join(line.strip() for line in document.splitlines())


def name_of(document: bytes) -> Name:
    """The name of a document on one line.

    Raises:
        SpoolError: it is no JSON object with the id of a profile.
    """
    try:
        value = json.loads(document)
    except (ValueError, RecursionError):
        raise SpoolError("the document is not JSON: it is no profile, or was cut off") from None
    found = value.get("id") if isinstance(value, dict) else None
    if not (isinstance(found, str) and _ID.fullmatch(found)):
        raise SpoolError(
            "the document has no id of a profile (a UUID of version 7): write it with `agent probe`"
        )
    return Name(found, _digest(document))


def parse(file: str) -> Name | None:
    """The name that a file in the spool has; None if it is not a document's."""
    found = _NAME.fullmatch(file)
    return Name(found[1], found[2]) if found else None


def _digest(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()[:32]
