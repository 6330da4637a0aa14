"""Manifest (.cvmfspublished) and whitelist (.cvmfswhitelist): parsed as bytes, because both end in a binary signature.

Format: lines of a letter and a value, a line "--", the hash of all before it in text, a newline, the signature up to the
end (CVMFS technical report; client sources cvmfs/manifest.cc, cvmfs/whitelist.cc). Parsing believes nothing: what is
signed by whom is `probes.cvmfs.chain`'s question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from probes.cvmfs.faults import FaultError
from probes.cvmfs.hashes import ContentHash

MAX_MANIFEST_BYTES = 65_536
MAX_WHITELIST_BYTES = 262_144
ROOT_PATH_MD5 = b"d41d8cd98f00b204e9800998ecf8427e"
"""MD5 of the empty string, which is the path of a repository's root."""

_SEPARATOR = b"\n--\n"
_FINGERPRINT = re.compile(rb"(?:[0-9A-F]{2}:){19}[0-9A-F]{2}")
_TITLE = re.compile(rb"<title>([^<]{1,80})", re.IGNORECASE)
_MAX_DIGITS = 15


@dataclass(frozen=True)
class Signed:
    """A text with a hash and a signature."""

    body: bytes
    """Up to and including the newline before the separator: what the hash is of."""
    printed: bytes
    """The hash as it stands there: what the signature is of."""
    signature: bytes


@dataclass(frozen=True)
class Manifest:
    """What a repository is at one moment.

    Attributes:
        name: N, the repository.
        root_catalog: C.
        catalog_bytes: B, size of the root catalog before compression; None in old manifests.
        certificate: X.
        revision: S.
        published_s: T, seconds since 1970, UTC.
        ttl_s: D, how long a client may keep it.
    """

    name: str
    root_catalog: ContentHash
    catalog_bytes: int | None
    certificate: ContentHash
    revision: int
    published_s: int
    ttl_s: int
    signed: Signed


@dataclass(frozen=True)
class Whitelist:
    """Which certificates may sign a repository, and until when.

    Attributes:
        name: N, the repository.
        expires_s: seconds since 1970, UTC, cut to the hour as the client does (cvmfs/whitelist.cc).
        fingerprints: SHA-1 of certificates, "AA:BB:…".
    """

    name: str
    expires_s: int
    fingerprints: frozenset[str]
    signed: Signed


def parse_manifest(content: bytes, repository: str) -> Manifest:
    """Take a manifest apart and compare its own hash.

    Raises:
        FaultError: not-a-manifest, bad-hash, wrong-name.
    """
    signed = _split(content, "not-a-manifest", "manifest")
    values = {line[:1]: line[1:] for line in reversed(signed.body.split(b"\n")) if line}
    try:
        root_catalog = ContentHash.parse(values[b"C"])
        certificate = ContentHash.parse(values[b"X"])
        name = values[b"N"].decode("ascii")
        revision, published_s = _number(values[b"S"]), _number(values[b"T"])
        ttl_s = _number(values.get(b"D", b"240"))
        catalog_bytes = _number(values[b"B"]) if b"B" in values else None
    except KeyError as error:
        raise FaultError("not-a-manifest", f"the manifest has no line {error.args[0].decode()}") from error
    except ValueError as error:
        raise FaultError("not-a-manifest", f"the manifest has a broken line: {error}") from error
    _check_hash(signed, "manifest")
    if name != repository:
        raise FaultError("wrong-name", f"the manifest is that of {name[:64]!r}, not of {repository}")
    if values.get(b"R", ROOT_PATH_MD5) != ROOT_PATH_MD5:
        raise FaultError("wrong-name", "the manifest is that of a directory inside a repository (its line R)")
    return Manifest(name, root_catalog, catalog_bytes, certificate, revision, published_s, ttl_s, signed)


def parse_whitelist(content: bytes, repository: str) -> Whitelist:
    """Take a whitelist apart and compare its own hash.

    Raises:
        FaultError: not-a-whitelist, bad-hash, wrong-name.
    """
    signed = _split(content, "not-a-whitelist", "whitelist")
    lines = signed.body.split(b"\n")
    names = [line[1:] for line in lines if line.startswith(b"N")]
    expiries = [line[1:] for line in lines if re.fullmatch(rb"E\d{14}", line)]
    if not names or not expiries:
        raise FaultError("not-a-whitelist", "the whitelist has no line N, or no line E with 14 digits")
    try:
        # Minutes and seconds are not looked at by the client either.
        expires = datetime.strptime(expiries[0][:10].decode(), "%Y%m%d%H").replace(tzinfo=UTC)
    except ValueError as error:
        raise FaultError("not-a-whitelist", f"the whitelist's expiry is no date: {error}") from error
    _check_hash(signed, "whitelist")
    name = names[0].decode("ascii", "replace")
    if name != repository:
        raise FaultError("wrong-name", f"the whitelist is that of {name[:64]!r}, not of {repository}")
    return Whitelist(
        name,
        int(expires.timestamp()),
        frozenset(match[0].decode() for line in lines if (match := _FINGERPRINT.match(line))),
        signed,
    )


def fingerprints(text: bytes) -> frozenset[str]:
    """The fingerprints that lines of a blacklist begin with."""
    found = (_FINGERPRINT.match(line) for line in text.splitlines())
    return frozenset(match[0].decode() for match in found if match)


def is_html(content: bytes) -> bool:
    """Whether a body looks like a page rather than an object."""
    return content.lstrip()[:1] == b"<"


def described(content: bytes) -> str:
    """What arrived instead of what was asked for, in a few words."""
    if not content:
        return "an empty answer"
    if is_html(content):
        title = _TITLE.search(content[:4096])
        named = f' with the title "{title[1].decode("utf-8", "replace").strip()}"' if title else ""
        return f"an HTML page{named}"
    return f"{len(content)} bytes that begin with {content[:16]!r}"


def _split(content: bytes, fault: str, what: str) -> Signed:
    body, separator, tail = content.partition(_SEPARATOR)
    printed, newline, signature = tail.partition(b"\n")
    if not separator or not newline:
        raise FaultError(fault, f"instead of a {what} came {described(content)}")
    return Signed(body + b"\n", printed, signature)


def _check_hash(signed: Signed, what: str) -> None:
    try:
        printed = ContentHash.parse(signed.printed)
    except ValueError as error:
        raise FaultError("bad-hash", f"the {what} has no hash below its line --: {error}") from error
    printed.check(signed.body, f"the text of the {what}")


def _number(text: bytes) -> int:
    if not text.isdigit() or len(text) > _MAX_DIGITS:
        raise ValueError(f"{text[:32].decode('ascii', 'replace')!r} is not a number")
    return int(text)
