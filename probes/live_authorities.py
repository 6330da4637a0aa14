"""What a directory of certification authorities holds: how many, and whether their revocation lists are current.

A hashed directory (openssl-rehash(1)): HASH.N is a certificate, HASH.rN a list of revoked certificates. Of a list only the
beginning is read: nextUpdate stands before the revoked certificates (RFC 5280 §5.1), of which there may be megabytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime

from probes.answers import Json
from probes.errors import HostError

MAX_NAMES = 20_000
MAX_FILES = 2_000
"""IGTF has some 100 authorities, each under two hashes."""

HEAD_BYTES = 16_384
"""Of a revocation list; the names before nextUpdate take some 200 bytes."""

MAX_BUNDLE_BYTES = 4 * 1024 * 1024
SHOWN = 16

_NAME = re.compile(r"[0-9a-f]{8}\.(r?)[0-9]{1,2}")
_PEM_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_PEM_TRUSTED = b"-----BEGIN TRUSTED CERTIFICATE-----"
_PEM_CRL = b"-----BEGIN X509 CRL-----"
_SEQUENCE, _INTEGER, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0x02, 0x17, 0x18


def look(at: Callable[[str], str], path: str) -> Json:
    """Fields of `probes.credential_answers.AuthoritiesSeen`.

    Args:
        at: maps a path of the machine looked at to one that can be opened.
        path: directory or file of authorities.

    Raises:
        HostError: EINVAL, neither a directory nor a file.
        OSError: it cannot be read.
    """
    mode = os.stat(at(path)).st_mode  # noqa: PTH116
    if stat.S_ISDIR(mode):
        return _Directory(at, path).answer()
    if not stat.S_ISREG(mode):
        raise HostError("EINVAL", f"{path}: neither a directory nor a file of authorities")
    content, whole = _head(at(path), MAX_BUNDLE_BYTES)
    found = content.count(_PEM_CERTIFICATE) + content.count(_PEM_TRUSTED)
    return [found, 0, [], [], 0, None, whole]


class _Directory:
    """Counts while it goes through the names."""

    def __init__(self, at: Callable[[str], str], path: str) -> None:
        self._at = at
        self._path = path
        self._now = time.time()
        self._seen: set[tuple[bool, bytes]] = set()
        self._certificates = self._lists = self._lapsed_count = 0
        self._unreadable: list[Json] = []
        self._lapsed: list[Json] = []
        self._soonest: float | None = None

    def answer(self) -> Json:
        """Look at the hashed names in their order."""
        names, complete = self._names()
        for name in names:
            try:
                self._one(name, is_list=".r" in name)
            except (OSError, HostError, ValueError):
                if len(self._unreadable) < SHOWN:
                    self._unreadable.append(name)
        return [
            self._certificates,
            self._lists,
            self._unreadable,
            self._lapsed,
            self._lapsed_count,
            self._soonest,
            complete,
        ]

    def _names(self) -> tuple[list[str], bool]:
        found: list[str] = []
        with os.scandir(self._at(self._path)) as entries:
            for number, entry in enumerate(entries):
                if number >= MAX_NAMES or len(found) >= MAX_FILES:
                    return sorted(found), False
                if _NAME.fullmatch(entry.name):
                    found.append(entry.name)
        return sorted(found), True

    def _one(self, name: str, *, is_list: bool) -> None:
        content, _ = _head(self._at(f"{self._path}/{name}"), HEAD_BYTES)
        digest = is_list, hashlib.sha256(content).digest()
        if digest in self._seen:
            return  # the same under its other hash, a link or a copy
        self._seen.add(digest)
        if not is_list:
            if not (content[:1] == b"\x30" or _PEM_CERTIFICATE in content or _PEM_TRUSTED in content):
                raise ValueError("no certificate")
            self._certificates += 1
            return
        next_update = _next_update(_der(content))
        self._lists += 1
        if next_update is None:
            return
        if next_update < self._now:
            self._lapsed_count += 1
            if len(self._lapsed) < SHOWN:
                self._lapsed.append(name)
        else:
            self._soonest = min(self._soonest or next_update, next_update)


def _head(path: str, limit_bytes: int) -> tuple[bytes, bool]:
    """The first bytes of a regular file, and whether they are all of it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a regular file")
        content = stream.read(limit_bytes + 1)
    return content[:limit_bytes], len(content) <= limit_bytes


def _der(content: bytes) -> bytes:
    """The beginning of a list in DER, from PEM or as it is."""
    if content[:1] == b"\x30":
        return content
    _, marker, rest = content.partition(_PEM_CRL)
    if not marker:
        raise ValueError("no list of revoked certificates")
    text = b"".join(rest.partition(b"-----")[0].split())
    try:
        return base64.b64decode(text[: len(text) // 4 * 4], validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _next_update(der: bytes) -> float | None:
    """NextUpdate of a CertificateList, seconds since 1970; None if it has none.

    Raises:
        ValueError: this is no CertificateList.
    """
    at = _open(der, 0, _SEQUENCE)
    at = _open(der, at, _SEQUENCE)
    if der[at : at + 1] == bytes([_INTEGER]):
        at = _skip(der, at)
    at = _skip(der, _skip(der, at))  # signature, issuer
    _moment(der, at)  # thisUpdate
    at = _skip(der, at)
    return _moment(der, at) if der[at : at + 1] in (b"\x17", b"\x18") else None


def _length(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins and ends."""
    if at + 2 > len(der):
        raise ValueError("cut short")
    length, begin = der[at + 1], at + 2
    if length >= 0x80:
        octets = length & 0x7F
        length = int.from_bytes(der[begin : begin + octets], "big")
        begin += octets
    return begin, begin + length


def _open(der: bytes, at: int, tag: int) -> int:
    if der[at : at + 1] != bytes([tag]):
        raise ValueError("no list of revoked certificates")
    return _length(der, at)[0]


def _skip(der: bytes, at: int) -> int:
    return _length(der, at)[1]


def _moment(der: bytes, at: int) -> float:
    begin, end = _length(der, at)
    if der[at] not in (_UTC_TIME, _GENERALIZED_TIME) or end > len(der):
        raise ValueError("a date is missing")
    text = der[begin:end].decode("ascii")
    if der[at] == _UTC_TIME:
        # Two digits of the year: 50 and above are of the last century (RFC 5280 §4.1.2.5.1).
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
