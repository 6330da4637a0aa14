"""Who signed what: manifest → certificate → whitelist → master key. Pure: bytes in, verdict out.

The order and the rules are those of the client (cvmfs/manifest_fetch.cc, cvmfs/signature.cc, cvmfs/whitelist.cc): the dates of
the certificate are not looked at, only the whitelist decides. The master key signs the printed hash without DigestInfo
(PKCS#1 v1.5, block type 1), the certificate's key signs it with SHA-1. `cryptography` brings its own OpenSSL, so a system
policy that forbids SHA-1 signatures (EL9) does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from probes.cvmfs.faults import FaultError
from probes.cvmfs.keys import Blacklist
from probes.cvmfs.objects import checked, inflated
from probes.cvmfs.signed import Manifest, Signed, Whitelist, parse_manifest, parse_whitelist

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

MAX_CERTIFICATE_BYTES = 65_536


@dataclass(frozen=True)
class Certificate:
    """The certificate that signs manifests."""

    fingerprint: str
    """SHA-1 of its DER form, "AA:BB:…"."""
    key: RSAPublicKey


@dataclass(frozen=True)
class Verified:
    """A chain without a gap."""

    manifest: Manifest
    whitelist: Whitelist
    master_key: str
    """Name of the key that signed the whitelist."""


def verify_chain(
    manifest: bytes,
    certificate: bytes,
    whitelist: bytes,
    *,
    repository: str,
    keys: Mapping[str, RSAPublicKey],
    now_s: float,
    blacklist: Blacklist | None = None,
) -> Verified:
    """Verify one repository from the three files as a server has them.

    Args:
        manifest: .cvmfspublished.
        certificate: the object that the manifest's line X names, compressed as it is stored.
        whitelist: .cvmfswhitelist.
        repository: its name.
        keys: master keys, name → key.
        now_s: seconds since 1970, UTC.
        blacklist: what this node refuses.

    Raises:
        FaultError: of the first thing that is wrong.
    """
    parsed = parse_manifest(manifest, repository)
    signer = load_certificate(certificate, parsed)
    verify_manifest(parsed, signer)
    listed = parse_whitelist(whitelist, repository)
    master_key = verify_whitelist(listed, keys)
    check_listed(parsed, signer, listed, now_s, blacklist or Blacklist())
    return Verified(parsed, listed, master_key)


def load_certificate(content: bytes, manifest: Manifest) -> Certificate:
    """Open the certificate's object.

    Raises:
        FaultError: bad-hash, truncated, bomb, bad-object, not-a-certificate.
    """
    from cryptography import x509  # noqa: PLC0415
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415

    pem = inflated(
        checked(content, manifest.certificate, "the certificate"), MAX_CERTIFICATE_BYTES, "the certificate"
    )
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise FaultError(
            "not-a-certificate", f"the certificate cannot be read: {str(error)[:200]}"
        ) from error
    if not isinstance(key, RSAPublicKey):
        raise FaultError("not-a-certificate", "the certificate holds no RSA key")
    return Certificate(certificate.fingerprint(hashes.SHA1()).hex(":").upper(), key)  # noqa: S303


def verify_manifest(manifest: Manifest, signer: Certificate) -> None:
    """Compare the manifest's signature with the key of the certificate.

    Raises:
        FaultError: bad-signature.
    """
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415

    signed = manifest.signed
    try:
        signer.key.verify(signed.signature, signed.printed, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    except (InvalidSignature, ValueError) as error:
        raise FaultError(
            "bad-signature",
            f"the manifest is not signed by the certificate that it names ({signer.fingerprint[:11]}…)",
        ) from error


def verify_whitelist(whitelist: Whitelist, keys: Mapping[str, RSAPublicKey]) -> str:
    """Name of the master key that signed it.

    Raises:
        FaultError: whitelist-signature, or no-master-key if there is none to try.
    """
    if not keys:
        raise FaultError(
            "no-master-key", f"no master key for {whitelist.name}: put it below cvmfs.keys_path on this node"
        )
    for name, key in keys.items():
        if _signed_by(whitelist.signed, key):
            return name
    raise FaultError("whitelist-signature", f"none of the {len(keys)} master keys has signed the whitelist")


def check_listed(
    manifest: Manifest, signer: Certificate, whitelist: Whitelist, now_s: float, blacklist: Blacklist
) -> None:
    """Whether whitelist and blacklist let the certificate sign this manifest now.

    Raises:
        FaultError: whitelist-expired, not-whitelisted, blacklisted.
    """
    if now_s > whitelist.expires_s:
        raise FaultError(
            "whitelist-expired",
            f"the whitelist was valid until {utc(whitelist.expires_s)}; now it is {utc(now_s)} here",
        )
    if signer.fingerprint not in whitelist.fingerprints:
        raise FaultError(
            "not-whitelisted",
            f"the certificate {signer.fingerprint[:11]}… is not among the {len(whitelist.fingerprints)} of the whitelist",
        )
    if signer.fingerprint in blacklist.fingerprints:
        raise FaultError(
            "blacklisted",
            f"the certificate {signer.fingerprint[:11]}… is in this node's /etc/cvmfs/blacklist",
        )
    least = blacklist.least_revision(manifest.name)
    if manifest.revision < least:
        raise FaultError(
            "blacklisted",
            f"revision {manifest.revision} is below {least}, the lowest that this node's /etc/cvmfs/blacklist takes",
        )


def utc(seconds: float) -> str:
    """A moment for people: "2026-11-22 19:30 UTC"; out of range: the number itself."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f} s since 1970"


def _signed_by(signed: Signed, key: RSAPublicKey) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415

    try:
        return key.recover_data_from_signature(signed.signature, padding.PKCS1v15(), None) == signed.printed
    except (InvalidSignature, ValueError):
        return False
