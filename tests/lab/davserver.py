"""Real WebDAV doors: xrootd with XrdHttp on loopback, plain or with TLS and WLCG tokens.

xrootd refuses to run as root, so each runs as an unprivileged user in a directory of its own. The public key of the
tests' token issuer is put into the key cache of the server's token library, so that nobody has to publish it over HTTPS.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lab import LabUnavailableError, need_commands, need_root
from tests.lab.authority import Authority, Files
from tests.lab.links import Namespace
from tests.lab.private import private_directory
from tests.lab.tokens import ANY_AUDIENCE, Issuer
from tests.lab.waiting import HungError, until
from tests.lab.xrootd import NOBODY, START_S, STOP_S, free_ports, give_away, seed_key_cache

FILE = "/store/test/file.bin"
FILE_BYTES = 1_500_000
"""More than the range that the probe asks for, less than what it reads whole, and enough to tell a rate."""

PLAIN = """\
all.export /store
all.adminpath {directory}/admin
all.pidpath {directory}/run
oss.localroot {directory}/data
xrd.port {root_port}
xrd.protocol http:{port} libXrdHttp.so
xrootd.chksum max 2 adler32
xrootd.async off
"""

SECURE = """\
xrd.tls {certificate} {key}
xrd.tlsca certdir {authorities}
ofs.authorize 1
"""

BY_PROXY = """\
http.secxtractor libXrdVoms.so
acc.authdb {directory}/authdb
"""

BY_TOKEN = """\
ofs.authlib libXrdAccSciTokens.so config={directory}/scitokens.cfg
http.header2cgi Authorization authz
"""

AUTHDB = """\
g /cms /store rl
"""
"""Members of the group may look up and read (XRootD, "Authentication & Access Control", authdb)."""

TOKENS = """\
[Global]
audience = {audience}
[Issuer lab]
issuer = {issuer}
base_path = /
map_subject = False
"""


@dataclass(frozen=True)
class DavServer:
    """A running door.

    Attributes:
        port: TCP port of HTTP, on all addresses.
        directory: with its configuration and log.
        content: of the file FILE.
    """

    port: int
    directory: Path
    content: bytes

    def url(self, path: str = FILE, *, scheme: str = "http", host: str = "localhost") -> str:
        """URL of a file at this door."""
        return f"{scheme}://{host}:{self.port}{path}"


@contextlib.contextmanager
def serving(
    *,
    authority: Authority | None = None,
    host: Files | None = None,
    issuer: Issuer | None = None,
    voms: Path | None = None,
    inside: Namespace | None = None,
) -> Iterator[DavServer]:
    """A door with FILE in it; with TLS if it has an authority and a certificate, else plain and open.

    Args:
        authority: whose certificates it believes.
        host: its own certificate and key; they are copied, because the key must belong to its user.
        issuer: whose tokens it takes.
        voms: directory of the VOMS servers whose members of /cms it takes, instead of tokens.
        inside: network namespace to run in, None = that of the tests.

    Raises:
        LabUnavailableError: not root, or xrootd is not installed.
    """
    need_root()
    need_commands("xrootd", "setpriv", "openssl")
    with contextlib.ExitStack() as held:
        directory = held.enter_context(private_directory("dav"))
        content = os.urandom(FILE_BYTES)
        _fill(directory, content)
        port, root_port = free_ports(2)
        text = PLAIN.format(directory=directory, port=port, root_port=root_port)
        if authority is not None and host is not None:
            text += _secure(directory, authority, host)
        if issuer is not None:
            text += _by_token(directory, issuer)
        if voms is not None:
            text += _by_proxy(directory, voms)
        (directory / "xrootd.cfg").write_text(text)
        give_away(directory)
        held.enter_context(_running(directory, port, inside))
        yield DavServer(port, directory, content)


def _fill(directory: Path, content: bytes) -> None:
    for name in ("admin", "run", "cache", "data"):
        (directory / name).mkdir()
    file = directory / "data" / FILE.lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_bytes(content)


def _secure(directory: Path, authority: Authority, host: Files) -> str:
    certificate, key = directory / "host.pem", directory / "host.key"
    certificate.write_bytes(host[0].read_bytes())
    key.write_bytes(host[1].read_bytes())
    key.chmod(0o400)
    authorities = directory / "certificates"
    shutil.copytree(authority.certificates, authorities)
    return SECURE.format(certificate=certificate, key=key, authorities=authorities)


def _by_token(directory: Path, issuer: Issuer) -> str:
    (directory / "scitokens.cfg").write_text(TOKENS.format(audience=ANY_AUDIENCE, issuer=issuer.url))
    seed_key_cache(directory / "cache", issuer)
    return BY_TOKEN.format(directory=directory)


def _by_proxy(directory: Path, voms: Path) -> str:
    (directory / "authdb").write_text(AUTHDB)
    shutil.copytree(voms, directory / "vomsdir")
    return BY_PROXY.format(directory=directory)


@contextlib.contextmanager
def _running(directory: Path, port: int, inside: Namespace | None) -> Iterator[None]:
    log = directory / "xrootd.log"
    argv = [
        *("setpriv", "--pdeathsig=KILL", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
        *("xrootd", "-n", "dav", "-c", str(directory / "xrootd.cfg"), "-l", str(log)),
        # Beside the file with its number it leaves its environment, in /tmp where no such file is named.
        *("-s", str(directory / "xrootd.pid")),
    ]

    def up() -> bool:
        answers = _answers(port) if inside is None else inside.call(lambda: _answers(port))
        return answers or process.poll() is not None

    process = subprocess.Popen(
        argv if inside is None else inside.command(*argv),
        cwd=directory / "run",
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "XDG_CACHE_HOME": str(directory / "cache"),
            "X509_CERT_DIR": str(directory / "certificates"),
            "X509_VOMS_DIR": str(directory / "vomsdir"),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        try:
            until("WebDAV door", up, limit_s=START_S, logs=log.parent)
        except HungError as error:
            raise LabUnavailableError(f"xrootd does not start: {error}") from error
        if process.poll() is not None:
            tail = next(directory.rglob("*.log"), log)
            raise LabUnavailableError(f"xrootd ended at once: {tail.read_text(errors='replace')[-2000:]}")
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
