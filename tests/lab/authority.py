"""A certificate authority of the tests' own, as grid software wants it, and the credentials that it signs.

The directory of authorities has what `openssl rehash` and an IGTF package put there: the certificate under its subject
hash, new and old (GSI of XRootD and VOMS look for either), the list of revoked certificates, and the signing policy.
Every certificate has a SubjectKeyIdentifier, without which `voms-proxy-fake` does not sign.
"""

from __future__ import annotations

import ipaddress
import os
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.lab import need_commands

Files = tuple[Path, Path]
"""Certificate and private key, PEM."""

PROXY_CERT_INFO = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.14")
"""RFC 3820 §3.8."""

INHERIT_ALL = bytes.fromhex("300c300a06082b06010505071501")
"""ProxyCertInfo with the policy language id-ppl-inheritAll, no bound on further proxies (RFC 3820 §3.8.2)."""

SKEW = timedelta(days=1)
"""Certificates are valid from a day ago: a lab that turns a clock back still finds them valid."""


class Authority:
    """A new authority below `directory`.

    Attributes:
        certificates: its hashed directory (for X509_CERT_DIR), readable by every user.
        pem: its certificate in one file.
        crl: paths of its list of revoked certificates, under both hashes.
    """

    def __init__(
        self, directory: Path, *, name: str = "Lab CA", crl_for: timedelta = timedelta(days=10)
    ) -> None:
        need_commands("openssl")
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.certificates = directory / "certificates"
        self.certificates.mkdir()
        self.name = _name(name)
        self._key = _key()
        self._certificate = self._sign_itself()
        self.pem = directory / "ca.pem"
        self._write(self.pem, self._certificate.public_bytes(serialization.Encoding.PEM), 0o644)
        self.hashes = tuple(_hash(self.pem, option) for option in ("-hash", "-subject_hash_old"))
        for one in self.hashes:
            (self.certificates / f"{one}.0").write_bytes(self.pem.read_bytes())
            (self.certificates / f"{one}.signing_policy").write_text(
                f"access_id_CA X509 '/DC=ch/DC=lab/CN={name}'\n"
                "pos_rights globus CA:sign\n"
                "cond_subjects globus '\"/DC=ch/DC=lab/*\"'\n"
            )
        self.crl = tuple(self.certificates / f"{one}.r0" for one in self.hashes)
        self.issue_crl(crl_for)
        directory.chmod(0o755)
        self.certificates.chmod(0o755)

    def issue_crl(self, valid_for: timedelta) -> None:
        """Write the list of revoked certificates anew; a negative `valid_for` gives one that has lapsed."""
        now = datetime.now(UTC)
        next_update = now + valid_for
        crl = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(min(now, next_update) - SKEW)
            .next_update(next_update)
            .sign(self._key, hashes.SHA256())
        )
        for path in self.crl:
            self._write(path, crl.public_bytes(serialization.Encoding.PEM), 0o644)

    def host(
        self,
        names: Sequence[str],
        *,
        valid_for: timedelta = timedelta(days=20),
        file_name: str | None = None,
        owner: int | None = None,
    ) -> Files:
        """A server's certificate for DNS names and addresses; the first is its common name.

        Args:
            names: in subjectAltName.
            valid_for: negative = it has expired.
            file_name: stem of the two files, unset = the first name.
            owner: uid that owns the key, because xrootd refuses to run as root and to read a key of others.
        """
        alternatives: list[x509.GeneralName] = [_alternative(name) for name in names]
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        files = self._issue(
            names[0],
            valid_for,
            file_name or names[0].replace(":", "_"),
            (usage, x509.SubjectAlternativeName(alternatives)),
        )
        if owner is not None:
            for path in files:
                os.chown(path, owner, -1)
        return files

    def user(self, common_name: str = "Alice", *, valid_for: timedelta = timedelta(days=20)) -> Files:
        """A person's certificate."""
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        return self._issue(common_name, valid_for, f"user-{common_name}", (usage,))

    def proxy(
        self,
        user: Files,
        *,
        valid_for: timedelta = timedelta(hours=24),
        begins_in: timedelta = timedelta(minutes=-5),
        mode: int = 0o600,
        file_name: str = "proxy.pem",
    ) -> Path:
        """An RFC 3820 proxy without VOMS attributes: its certificate, its key, the certificates that signed it.

        With a proxy for `user` (the same file twice), it is a delegated one.
        """
        chain = _pem("CERTIFICATE", user[0])
        certificate = x509.load_pem_x509_certificate(chain[0])
        signer = serialization.load_pem_private_key(_pem("RSA PRIVATE KEY", user[1])[0], None)
        assert isinstance(signer, rsa.RSAPrivateKey)
        key, now = _key(), datetime.now(UTC)
        serial = x509.random_serial_number() >> 96
        subject = x509.Name([*certificate.subject, x509.NameAttribute(NameOID.COMMON_NAME, str(serial))])
        proxy = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(certificate.subject)
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(now + min(begins_in, valid_for - timedelta(hours=1)))
            .not_valid_after(now + valid_for)
            .add_extension(_key_usage(certificate_authority=False), critical=True)
            .add_extension(x509.UnrecognizedExtension(PROXY_CERT_INFO, INHERIT_ALL), critical=True)
            .sign(signer, hashes.SHA256())
        )
        pem = proxy.public_bytes(serialization.Encoding.PEM) + _key_pem(key) + b"".join(chain)
        return self._write(self.directory / file_name, pem, mode)

    def voms_proxy(
        self,
        user: Files,
        host: Files,
        *,
        voms: str = "cms",
        fqans: Sequence[str] = ("/cms/Role=NULL/Capability=NULL",),
        hours: int = 24,
        attribute_hours: int | None = None,
        form: str = "-rfc",
        mode: int = 0o600,
        file_name: str = "voms-proxy.pem",
    ) -> Path:
        """A real VOMS proxy, made by `voms-proxy-fake` without a VOMS server.

        Args:
            user: whose proxy.
            host: certificate and key of the pretended VOMS server, which signs the attributes.
            voms: virtual organisation.
            fqans: groups and roles, the primary one first.
            hours: lifetime of the proxy.
            attribute_hours: lifetime of the VOMS attributes; unset = that of the proxy.
            form: -rfc (RFC 3820), -proxyver=3 (its draft) or -proxyver=2 (Globus Toolkit 2).
            mode: of the file.
            file_name: in the authority's directory.
        """
        need_commands("voms-proxy-fake")
        path = self.directory / file_name
        asked: list[str] = []
        for fqan in fqans:
            asked += ["-fqan", fqan]
        done = subprocess.run(
            [
                "voms-proxy-fake", "-voms", voms, *asked, "-cert", str(user[0]), "-key", str(user[1]),
                "-hostcert", str(host[0]), "-hostkey", str(host[1]), "-certdir", str(self.certificates),
                "-out", str(path), form, "-hours", str(hours), "-vomslife", str(attribute_hours or hours),
                "-uri", "voms.lab:15000", "-quiet", "-bits", "2048",
            ],
            capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "HOME": str(self.directory)},
        )  # fmt: skip
        if done.returncode != 0 or not path.exists():
            raise RuntimeError(f"voms-proxy-fake: exit {done.returncode}: {done.stdout}{done.stderr}")
        path.chmod(mode)
        return path

    def lsc(self, directory: Path, host: Files, voms: str = "cms") -> Path:
        """Write the file that makes a server trust the pretended VOMS server `host`; for X509_VOMS_DIR."""
        subject = x509.load_pem_x509_certificate(host[0].read_bytes()).subject
        folder = directory / voms
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "voms.lab.lsc"
        return self._write(path, f"{_slashed(subject)}\n{_slashed(self.name)}\n".encode(), 0o644)

    def _sign_itself(self) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(self.name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - SKEW)
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_key_usage(certificate_authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _issue(
        self,
        common_name: str,
        valid_for: timedelta,
        file_name: str,
        extensions: Sequence[x509.ExtensionType],
    ) -> Files:
        key, now = _key(), datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(now, now + valid_for) - SKEW)
            .not_valid_after(now + valid_for)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(certificate_authority=False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return (
            self._write(
                self.directory / f"{file_name}.cert.pem",
                certificate.public_bytes(serialization.Encoding.PEM),
                0o644,
            ),
            self._write(self.directory / f"{file_name}.key.pem", _key_pem(key), 0o400),
        )

    @staticmethod
    def _write(path: Path, content: bytes, mode: int) -> Path:
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        return path


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2048)


def _key_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _pem(kind: str, path: Path) -> list[bytes]:
    """The blocks of a kind in a file."""
    pattern = f"-----BEGIN {kind}-----[^-]+-----END {kind}-----\n".encode()
    return re.findall(pattern, path.read_bytes())


def _key_usage(*, certificate_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not certificate_authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificate_authority,
        crl_sign=certificate_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "ch"),
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "lab"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _slashed(name: x509.Name) -> str:
    """A name as Globus writes it: /DC=ch/DC=lab/CN=…"""
    return "".join(f"/{attribute.rfc4514_attribute_name}={attribute.value!s}" for attribute in name)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _hash(certificate: Path, option: str) -> str:
    return subprocess.run(
        ["openssl", "x509", "-noout", option, "-in", str(certificate)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()
