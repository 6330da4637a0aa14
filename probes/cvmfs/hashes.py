"""Content hashes of CVMFS: forty hexadecimal digits and a suffix for the algorithm."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from probes.cvmfs.faults import FaultError

_TEXT = re.compile(rb"([0-9a-f]{40})(-rmd160|-shake128)?")
_SUFFIXES = {"sha1": "", "rmd160": "-rmd160", "shake128": "-shake128"}
_ALGORITHMS = {suffix: algorithm for algorithm, suffix in _SUFFIXES.items()}

DIGEST_BYTES = 20
"""All three algorithms give 160 bits; SHAKE-128 is cut to that (CVMFS, cvmfs/crypto/hash.h)."""


class ContentHash(NamedTuple):
    """Hash of an object as it is stored, which is compressed."""

    digest: str
    """Forty lower-case hexadecimal digits."""
    algorithm: str
    """sha1, rmd160 or shake128."""

    @classmethod
    def parse(cls, text: bytes) -> ContentHash:
        """From manifests and catalogs.

        Raises:
            ValueError: it is no hash.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text[:64].decode('ascii', 'replace')!r} is not a hash")
        return cls(match[1].decode(), _ALGORITHMS[(match[2] or b"").decode()])

    def __str__(self) -> str:
        return self.digest + _SUFFIXES[self.algorithm]

    def path(self, kind: str) -> str:
        """Path below the repository; `kind`: "" file, P piece of a file, C catalog, X certificate."""
        return f"data/{self.digest[:2]}/{self.digest[2:]}{_SUFFIXES[self.algorithm]}{kind}"

    def check(self, content: bytes, what: str) -> None:
        """Compare with what arrived.

        Raises:
            FaultError: bad-hash, or unsupported-hash where this Python lacks the algorithm.
        """
        found = digest(self.algorithm, content)
        if found != self.digest:
            raise FaultError(
                "bad-hash",
                f"{what} ({len(content)} bytes) has the {self.algorithm} hash {found}, not {self.digest}",
            )


def digest(algorithm: str, content: bytes) -> str:
    """Forty hexadecimal digits.

    Raises:
        FaultError: unsupported-hash, OpenSSL of this Python is built without RIPEMD-160.
    """
    if algorithm == "shake128":
        return hashlib.shake_128(content).hexdigest(DIGEST_BYTES)
    if algorithm == "sha1":
        return hashlib.sha1(content, usedforsecurity=False).hexdigest()
    try:
        return hashlib.new("ripemd160", content, usedforsecurity=False).hexdigest()
    except ValueError as error:
        raise FaultError("unsupported-hash", "this Python cannot compute RIPEMD-160") from error
