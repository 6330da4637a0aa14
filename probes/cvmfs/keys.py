"""Whom to believe: the shipped master keys, those of this node, and the node's blacklist."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from probes.cvmfs.signed import fingerprints
from probes.errors import HostError
from probes.host import Host

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

BLACKLIST = "/etc/cvmfs/blacklist"
"""Fingerprints of certificates, and lines "<NAME N" for revisions below N (CVMFS documentation, "Blacklisting")."""

MAX_KEY_BYTES = 16_384
MAX_KEYS = 32
MIN_KEY_BITS = 2048
_REVISIONS = re.compile(r"<\s*(\S+)\s+(\d{1,15})")


@dataclass(frozen=True)
class Blacklist:
    """What this node refuses although it is signed.

    Attributes:
        fingerprints: of certificates.
        least_revisions: repository → the lowest revision that is taken.
    """

    fingerprints: frozenset[str] = frozenset()
    least_revisions: tuple[tuple[str, int], ...] = ()

    def least_revision(self, repository: str) -> int:
        """The lowest revision of a repository that is taken."""
        return max((least for name, least in self.least_revisions if name == repository), default=0)


@dataclass(frozen=True)
class MasterKeys:
    """The keys of one domain.

    Attributes:
        keys: file name → key.
        problems: one sentence for each file that could not be used.
    """

    keys: dict[str, RSAPublicKey]
    problems: tuple[str, ...]


def domain_of(repository: str) -> str:
    """cms.cern.ch → cern.ch."""
    return repository.partition(".")[2] or repository


def shipped(domain: str) -> dict[str, bytes]:
    """The PEM files that come with us for a domain, by their name; none for a domain we do not know."""
    folder = resources.files("probes").joinpath("data", "keys", domain)
    if not folder.is_dir():
        return {}
    return {
        f"shipped {entry.name}": entry.read_bytes()
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".pub")
    }


def master_keys(host: Host, keys_path: str, repository: str) -> MasterKeys:
    """Shipped keys and those of the node (`KEYS_PATH/DOMAIN/*.pub`, `KEYS_PATH/DOMAIN.pub`), for one repository."""
    domain = domain_of(repository)
    files = shipped(domain)
    for folder in (f"{keys_path}/{domain}", keys_path):
        for name in host.list_dir_or_empty(folder)[:256]:
            ours = folder != keys_path or name in (f"{domain}.pub", f"{repository}.pub")
            if not (name.endswith(".pub") and ours) or len(files) >= MAX_KEYS:
                continue
            path = f"{folder}/{name}"
            try:
                files[path] = host.read_bytes(path, limit_bytes=MAX_KEY_BYTES)
            except HostError as error:
                files[path] = b""
                if error.is_absent:
                    del files[path]
    return _loaded(files)


def read_blacklist(host: Host) -> Blacklist:
    """The node's blacklist, empty if it has none."""
    try:
        content = host.read_bytes(BLACKLIST)
    except HostError:
        return Blacklist()
    lines = content.decode("utf-8", "replace").splitlines()
    revisions = tuple(
        (match[1], int(match[2])) for line in lines if (match := _REVISIONS.match(line.strip()))
    )
    return Blacklist(fingerprints(content), revisions)


def _loaded(files: dict[str, bytes]) -> MasterKeys:
    # Loaded here, not above: it takes a while, and the agent starts without it.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    keys: dict[str, RSAPublicKey] = {}
    problems: list[str] = []
    for name, content in files.items():
        try:
            key = load_pem_public_key(content)
        except (ValueError, UnsupportedAlgorithm):
            problems.append(f"{name}: not a public key in PEM: restore it from the cvmfs-config package")
            continue
        if not isinstance(key, RSAPublicKey) or key.key_size < MIN_KEY_BITS:
            problems.append(f"{name}: not an RSA key of at least {MIN_KEY_BITS} bits: it is not believed")
            continue
        keys[name] = key
    return MasterKeys(keys, tuple(problems))
