"""A self-made CVMFS repository: signed, with nested catalogs and chunked files, as a Stratum-1 holds it.

Everything is made from the published formats (CVMFS technical report and documentation): catalogs are SQLite files of
schema 2.5, objects are compressed and named after the hash of what is stored, the manifest is signed by the key of a
certificate, and the whitelist that names the certificate is signed by a master key.
"""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.x509.oid import NameOID

SCHEMA = """
CREATE TABLE catalog (md5path_1 INTEGER, md5path_2 INTEGER, parent_1 INTEGER, parent_2 INTEGER, hardlinks INTEGER,
  hash BLOB, size INTEGER, mode INTEGER, mtime INTEGER, mtimens INTEGER, flags INTEGER, name TEXT, symlink TEXT,
  uid INTEGER, gid INTEGER, xattr BLOB, CONSTRAINT pk_catalog PRIMARY KEY (md5path_1, md5path_2));
CREATE TABLE chunks (md5path_1 INTEGER, md5path_2 INTEGER, offset INTEGER, size INTEGER, hash BLOB,
  CONSTRAINT pk_chunks PRIMARY KEY (md5path_1, md5path_2, offset, size));
CREATE TABLE nested_catalogs (path TEXT, sha1 TEXT, size INTEGER, CONSTRAINT pk_nested_catalogs PRIMARY KEY (path));
CREATE TABLE bind_mountpoints (path TEXT, sha1 TEXT, size INTEGER, CONSTRAINT pk_bind PRIMARY KEY (path));
CREATE TABLE properties (key TEXT, value TEXT, CONSTRAINT pk_properties PRIMARY KEY (key));
CREATE TABLE statistics (counter TEXT, value INTEGER, CONSTRAINT pk_statistics PRIMARY KEY (counter));
"""

DIRECTORY, NESTED, FILE, LINK, NESTED_ROOT, CHUNKED = 1, 2, 4, 8, 32, 64
SUFFIXES = {"sha1": "", "rmd160": "-rmd160", "shake128": "-shake128"}
FLAG_OF_ALGORITHM = {"sha1": 0, "rmd160": 1 << 8, "shake128": 2 << 8}

FILES: dict[str, bytes] = {
    "/cmsset_default.sh": b"# what every job sources\nexport CMS_PATH=/cvmfs/lab\n",
    "/sw/env.sh": b"export SW=1\n" * 50,
    "/sw/el9/big.bin": bytes(range(256)) * 1024,
}
"""One file in the root catalog, one in a nested one, and a chunked one two levels down."""

_serials = itertools.count(1000)


@dataclass(frozen=True)
class Keys:
    """The master key of a domain, and the key with its certificate that signs manifests."""

    master: rsa.RSAPrivateKey
    signing: rsa.RSAPrivateKey
    certificate: bytes
    """PEM."""

    @classmethod
    def make(cls) -> Keys:
        """Fresh keys of 2048 bits, with a certificate for 30 days."""
        signing = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "repository of the lab")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, signing.public_key(), next(_serials))
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .sign(signing, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        return cls(rsa.generate_private_key(65537, 2048), signing, pem)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-1 of the certificate, as whitelists have it."""
        return x509.load_pem_x509_certificate(self.certificate).fingerprint(hashes.SHA1()).hex(":").upper()

    @cached_property
    def public(self) -> bytes:
        """The master key as sites have it in /etc/cvmfs/keys: PEM."""
        return self.master.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def write(self, directory: Path, domain: str = "example.org") -> Path:
        """Put the master key where `cvmfs.keys_path` = `directory` finds it."""
        path = directory / domain / f"{domain}.pub"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.public)
        return directory


@cache
def shared_keys() -> Keys:
    """Keys made once: making them is what costs most of a repository."""
    return Keys.make()


def now_utc() -> datetime:
    """This second."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Repository:
    """A repository; `objects` is what a server has to serve below its path. Use `dataclasses.replace` for a variant.

    Attributes:
        name: N of manifest and whitelist, where `manifest_name` and `whitelist_name` say nothing else.
        revision: S.
        published_at: T.
        created_at, expires_at: of the whitelist.
        snapshot_at: of .cvmfs_status.json; None = this moment.
        files: absolute path → content.
        links: absolute path → target of a symbolic link.
        nested: directories that have a catalog of their own.
        chunked: files that are stored in pieces of `chunk_bytes`.
        algorithm: sha1, rmd160 or shake128.
        fingerprints: of the whitelist; None = that of the certificate.
        root_object: what is stored as root catalog instead of the real one, already compressed.
        root_object_bytes: what the manifest says of its size; None = the size of the real one.
    """

    name: str = "lab.example.org"
    keys: Keys = field(default_factory=shared_keys)
    revision: int = 42
    published_at: datetime = field(default_factory=lambda: now_utc() - timedelta(hours=2))
    created_at: datetime = field(default_factory=lambda: now_utc() - timedelta(days=3))
    expires_at: datetime = field(default_factory=lambda: now_utc() + timedelta(days=27))
    snapshot_at: datetime | None = None
    files: Mapping[str, bytes] = field(default_factory=lambda: dict(FILES))
    links: Mapping[str, str] = field(default_factory=dict)
    nested: tuple[str, ...] = ("/sw", "/sw/el9")
    chunked: tuple[str, ...] = ("/sw/el9/big.bin",)
    chunk_bytes: int = 100_000
    ttl_s: int = 240
    algorithm: str = "sha1"
    manifest_name: str | None = None
    whitelist_name: str | None = None
    fingerprints: tuple[str, ...] | None = None
    root_object: bytes | None = None
    root_object_bytes: int | None = None

    @cached_property
    def objects(self) -> dict[str, bytes]:
        """Path below the repository's own → stored bytes."""
        store: dict[str, bytes] = {}
        root = self._store_catalog(store, "", self.revision)
        if self.root_object is not None:
            root = (self._put(store, self.root_object, "C"), self.root_object_bytes or root[1])
        certificate = self._put(store, zlib.compress(self.keys.certificate), "X")
        store[".cvmfspublished"] = self._manifest(*root, certificate)
        store[".cvmfswhitelist"] = self._whitelist()
        snapshot = (self.snapshot_at or now_utc()).strftime("%a %b %e %H:%M:%S UTC %Y")
        store[".cvmfs_status.json"] = f'{{\n  "last_snapshot": "{snapshot}"\n}}\n'.encode()
        return store

    @property
    def root_path(self) -> str:
        """Path of the root catalog's object."""
        return self._named(".cvmfspublished", b"C") + "C"

    @property
    def certificate_path(self) -> str:
        """Path of the certificate's object."""
        return self._named(".cvmfspublished", b"X") + "X"

    def object_of(self, path: str) -> str:
        """Path of the object that holds a file which is not chunked."""
        return self._object_path(self._digest(zlib.compress(self.files[path])), "")

    def chunks_of(self, path: str) -> list[str]:
        """Paths of the objects that hold a chunked file."""
        return [self._object_path(self._digest(zlib.compress(piece)), "P") for _, piece in self._pieces(path)]

    def with_root_catalog(self, content: bytes) -> Repository:
        """The same, with other bytes as root catalog; manifest and signatures are right for it."""
        return replace(self, root_object=zlib.compress(content), root_object_bytes=len(content))

    def root_catalog(self) -> bytes:
        """The root catalog, as SQLite has it."""
        return zlib.decompress(self.objects[self.root_path])

    # -- catalogs ----------------------------------------------------------------------------------------

    def _store_catalog(self, store: dict[str, bytes], root: str, revision: int) -> tuple[str, int]:
        inner = [path for path in self.nested if path != root and _mother(path, self.nested) == root]
        nested = [(path, *self._store_catalog(store, path, revision)) for path in inner]
        database = sqlite3.connect(":memory:")
        database.executescript(SCHEMA)
        for entry in self._entries(store, root, {path for path, _, _ in nested}):
            database.execute(f"INSERT INTO catalog VALUES ({','.join('?' * 16)})", entry)
        for path in (path for path in self.chunked if _mother(path, self.nested) == root):
            for offset, piece in self._pieces(path):
                row = (*split_md5(path), offset, len(piece), self._digest(zlib.compress(piece)))
                database.execute("INSERT INTO chunks VALUES (?,?,?,?,?)", row)
        database.executemany("INSERT INTO nested_catalogs VALUES (?,?,?)", nested)
        properties = {"revision": str(revision), "schema": "2.5", "schema_revision": "7"}
        if root:
            properties["root_prefix"] = root
        database.executemany("INSERT INTO properties VALUES (?,?)", properties.items())
        database.commit()
        content = database.serialize()
        database.close()
        return self._put(store, zlib.compress(content), "C"), len(content)

    def _entries(self, store: dict[str, bytes], root: str, nested: set[str]) -> Iterable[tuple[object, ...]]:
        paths = [*self.files, *self.links]
        folders = {"", *self.nested} | {
            str(up) for path in paths for up in Path(path).parents if str(up) != "/"
        }
        for folder in sorted(folders):
            if folder in nested:
                yield self._row(folder, DIRECTORY | NESTED, 0o40755)
            elif folder == root:
                yield self._row(folder, DIRECTORY | (NESTED_ROOT if root else 0), 0o40755)
            elif _mother(folder, self.nested) == root:
                yield self._row(folder, DIRECTORY, 0o40755)
        for path in self.files:
            if _mother(path, self.nested) == root:
                yield self._store_file(store, path)
        for path, target in self.links.items():
            if _mother(path, self.nested) == root:
                yield self._row(path, FILE | LINK, 0o120777, symlink=target, size=len(target))

    def _store_file(self, store: dict[str, bytes], path: str) -> tuple[object, ...]:
        content, flags = self.files[path], FILE | FLAG_OF_ALGORITHM[self.algorithm]
        if path in self.chunked:
            for _, piece in self._pieces(path):
                self._put(store, zlib.compress(piece), "P")
            return self._row(path, flags | CHUNKED, 0o100644, None, len(content))
        packed = zlib.compress(content)
        self._put(store, packed, "")
        return self._row(path, flags, 0o100644, self._digest(packed), len(content))

    def _row(
        self,
        path: str,
        flags: int,
        mode: int,
        digest: bytes | None = None,
        size: int = 4096,
        symlink: str = "",
    ) -> tuple[object, ...]:
        parent = split_md5(path.rpartition("/")[0]) if path else (0, 0)
        times = (int(self.published_at.timestamp()), None)
        return (
            *split_md5(path), *parent, 1, digest, size, mode, *times, flags,
            path.rpartition("/")[2], symlink, 0, 0, None,
        )  # fmt: skip

    def _pieces(self, path: str) -> list[tuple[int, bytes]]:
        content = self.files[path]
        return [(at, content[at : at + self.chunk_bytes]) for at in range(0, len(content), self.chunk_bytes)]

    # -- names and signatures ----------------------------------------------------------------------------

    def _digest(self, content: bytes) -> bytes:
        if self.algorithm == "shake128":
            return hashlib.shake_128(content).digest(20)
        return hashlib.new({"sha1": "sha1", "rmd160": "ripemd160"}[self.algorithm], content).digest()

    def _object_path(self, digest: bytes, kind: str) -> str:
        text = digest.hex()
        return f"data/{text[:2]}/{text[2:]}{SUFFIXES[self.algorithm]}{kind}"

    def _put(self, store: dict[str, bytes], content: bytes, kind: str) -> str:
        digest = self._digest(content)
        store[self._object_path(digest, kind)] = content
        return digest.hex() + SUFFIXES[self.algorithm]

    def _named(self, file: str, letter: bytes) -> str:
        line = next(line for line in self.objects[file].split(b"\n") if line.startswith(letter))
        text = line[1:].decode()
        return f"data/{text[:2]}/{text[2:]}"

    def _manifest(self, root: str, root_bytes: int, certificate: str) -> bytes:
        body = (
            f"C{root}\nB{root_bytes}\nRd41d8cd98f00b204e9800998ecf8427e\nD{self.ttl_s}\nS{self.revision}\nGno\nAno\n"
            f"N{self.manifest_name or self.name}\nX{certificate}\nT{int(self.published_at.timestamp())}\n"
        ).encode()
        printed = (self._digest(body).hex() + SUFFIXES[self.algorithm]).encode()
        signature = self.keys.signing.sign(printed, padding.PKCS1v15(), hashes.SHA1())
        return body + b"--\n" + printed + b"\n" + signature

    def _whitelist(self) -> bytes:
        stamps = f"{self.created_at:%Y%m%d%H%M%S}\nE{self.expires_at:%Y%m%d%H%M%S}\n"
        prints = (self.keys.fingerprint,) if self.fingerprints is None else self.fingerprints
        lines = "".join(f"{text} # signs the lab's manifests\n" for text in prints)
        body = f"{stamps}N{self.whitelist_name or self.name}\n{lines}".encode()
        printed = (self._digest(body).hex() + SUFFIXES[self.algorithm]).encode()
        signature = self.keys.master.sign(printed, padding.PKCS1v15(), utils.NoDigestInfo())
        return body + b"--\n" + printed + b"\n" + signature


def split_md5(path: str) -> tuple[int, int]:
    """Key of a path in a catalog: its MD5 as two signed little-endian integers of 64 bits; the root is ""."""
    digest = hashlib.md5(path.encode()).digest()
    return int.from_bytes(digest[:8], "little", signed=True), int.from_bytes(
        digest[8:], "little", signed=True
    )


def _mother(path: str, nested: Iterable[str]) -> str:
    """The directory whose catalog holds an entry; for a nested root, that of the catalog above it."""
    above = [folder for folder in nested if path.startswith(f"{folder}/")]
    return max(above, key=len, default="")
