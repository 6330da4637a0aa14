"""Real XRootD 5.5 servers on loopback: stand-alone, a redirector with data servers, TLS with tokens, GSI with VOMS.

xrootd refuses to run as root, so each server runs as `nobody` in a directory of its own, as our own child. A file is a real
ROOT file: a TTree like NanoAOD's, so that the positions of its baskets are those that a job asks for.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path

from tests.lab import LabUnavailableError, need_commands, need_root
from tests.lab.authority import Authority
from tests.lab.links import Namespace
from tests.lab.private import private_directory
from tests.lab.rootfile import RootFile, write_nano
from tests.lab.tokens import Issuer
from tests.lab.waiting import HungError, until

NOBODY = 65534
START_S = 30
STOP_S = 10
LFN = "/store/test/nano.root"
"""Of the real ROOT file that every data server of the lab has."""


COMMON = """\
all.export /store
oss.localroot {data}
all.adminpath {directory}/admin
all.pidpath {directory}/admin
xrd.port {port}
xrootd.chksum max 2 adler32
all.sitename T2_XX_Lab
"""

CLUSTER = """\
all.export /store
all.adminpath {directory}/admin
all.pidpath {directory}/admin
all.manager localhost:{manager_port}
all.role {role}
cms.delay startup 1 servers 1 lookup 1
cms.allow host *
xrootd.chksum max 2 adler32
xrd.port {port}
"""
"""Of a redirector or a data server; `cms.delay` shortens the manager's wait for servers from 90 s to what a test can bear."""


@dataclass
class Server:
    """A running xrootd (or cmsd).

    Attributes:
        port: that it listens on.
        directory: with its configuration, its log and, unless it is a manager, its data.
    """

    port: int
    directory: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def url(self) -> str:
        """As settings name it, without a path."""
        return f"root://localhost:{self.port}"

    @property
    def data(self) -> Path:
        """What /store of the server lies below."""
        return self.directory / "data"

    def local(self, lfn: str = LFN) -> Path:
        """The server's own copy of a file."""
        return self.data / lfn.lstrip("/")

    def log(self) -> str:
        """What it has logged."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.directory.glob("**/*.log")))

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(STOP_S)


@dataclass(frozen=True)
class Cluster:
    """A redirector and its data servers; the ROOT file is on the second only."""

    redirector: Server
    servers: tuple[Server, Server]


@dataclass
class XrootdLab:
    """What the servers have in common: a directory that `nobody` may read, an authority, an issuer, the ROOT file."""

    directory: Path
    nano: RootFile
    stack: contextlib.ExitStack = field(repr=False)

    @cached_property
    def authority(self) -> Authority:
        """Signs host and user certificates."""
        return Authority(self.directory / "authority")

    @cached_property
    def issuer(self) -> Issuer:
        """Signs tokens."""
        return Issuer()

    @contextlib.contextmanager
    def serving(
        self, name: str, *lines: str, env: Mapping[str, str] | None = None, inside: Namespace | None = None
    ) -> Iterator[Server]:
        """A stand-alone server with the ROOT file, `inside` a namespace; `lines` are added to its configuration."""
        directory = self._directory(name)
        port = free_ports(1)[0]
        server_data = directory / "data"
        text = COMMON.format(data=server_data, directory=directory, port=port)
        self.put(server_data)
        text += "".join(f"{line}\n" for line in lines)
        with self._daemon("xrootd", directory, port, text, env, inside=inside) as server:
            yield server

    def put(self, data: Path, lfn: str = LFN) -> None:
        """Copy the ROOT file to where a server finds it."""
        target = data / lfn.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.nano.path, target)
        give_away(data)

    @contextlib.contextmanager
    def cluster(self, *, http: bool = False) -> Iterator[Cluster]:
        """A redirector, its cmsd, and two data servers with theirs, usable; `http`: they speak it too, on the same ports."""
        manager_port, *ports = free_ports(6)
        with contextlib.ExitStack() as stack:
            servers = []
            for index, role in enumerate(("manager", "server", "server")):
                directory = self._directory(
                    f"{role}-{index}"
                )  # a part of paths of sockets, which end at 107 bytes
                data = directory / "data"
                data.mkdir()
                if index == 2:
                    self.put(data)
                give_away(data)
                for program in ("xrootd", "cmsd"):
                    port = manager_port if (index, program) == (0, "cmsd") else ports.pop()
                    text = CLUSTER.format(
                        directory=directory, manager_port=manager_port, role=role, port=port
                    )
                    text += f"oss.localroot {data}\n" if index else ""
                    if http and program == "xrootd":
                        text += f"xrd.protocol http:{port} libXrdHttp.so\n"
                    # A data server's cmsd takes no connections before its xrootd has told it to.
                    awaited = program == "xrootd" or index == 0
                    daemon = self._daemon(program, directory, port, text, None, awaited=awaited)
                    server = stack.enter_context(daemon)
                    if program == "xrootd":
                        servers.append(server)
            cluster = Cluster(servers[0], (servers[1], servers[2]))
            _await_file(cluster.redirector)
            yield cluster

    @contextlib.contextmanager
    def with_tokens(self, *, names: tuple[str, ...] = ("localhost", "127.0.0.1")) -> Iterator[Server]:
        """A server that demands TLS and a WLCG token by scitokens; its certificate is for `names`."""
        directory = self._directory("tokens")
        certificate, key = self._host(names, directory)
        configuration = directory / "scitokens.cfg"
        configuration.write_text(
            f"[Global]\naudience = https://wlcg.cern.ch/jwt/v1/any, https://localhost\n"
            f"[Issuer lab]\nissuer = {self.issuer.url}\nbase_path = /\nmap_subject = False\n"
        )
        cache = directory / "cache"
        cache.mkdir()
        seed_key_cache(cache, self.issuer)
        give_away(cache)
        lines = (
            f"xrd.tls {certificate} {key}",
            f"xrd.tlsca certdir {self.authority.certificates}",
            "xrootd.tls capable all",
            "xrootd.seclib libXrdSec.so",
            "sec.protocol ztn",
            "ofs.authorize 1",
            f"ofs.authlib libXrdAccSciTokens.so config={configuration}",
        )
        with self.serving("tokens", *lines, env={"XDG_CACHE_HOME": str(cache)}) as server:
            yield server

    @contextlib.contextmanager
    def with_tls(
        self, *names: str, demanded: bool = True, valid_for: timedelta = timedelta(days=20)
    ) -> Iterator[Server]:
        """A server that offers or demands TLS with a certificate for `names`, and wants no credential."""
        certificate, key = self._host(names, self._directory("tls"), valid_for)
        lines = (
            f"xrd.tls {certificate} {key}",
            f"xrd.tlsca certdir {self.authority.certificates}",
            "xrootd.tls all" if demanded else "xrootd.tls capable none",
        )
        with self.serving("tls", *lines) as server:
            yield server

    @contextlib.contextmanager
    def with_gsi(self) -> Iterator[Server]:
        """A server that wants an X.509 proxy with VOMS attributes of cms."""
        directory = self._directory("gsi")
        host = self._host(("localhost", "127.0.0.1"), directory)
        self.authority.lsc(directory / "vomsdir", self.voms_host)
        authdb = directory / "authdb"
        authdb.write_text("g /cms / rl\n")
        give_away(directory)
        voms = "-crl:0 -gmapopt:10 -vomsat:1 -vomsfun:libXrdSecgsiVOMS.so"
        lines = (
            "xrootd.seclib libXrdSec.so",
            f"sec.protocol gsi -certdir:{self.authority.certificates} -cert:{host[0]} -key:{host[1]} {voms}",
            f"acc.authdb {authdb}",
            "ofs.authorize 1",
        )
        env = {
            "X509_VOMS_DIR": str(directory / "vomsdir"),
            "X509_CERT_DIR": str(self.authority.certificates),
        }
        with self.serving("gsi", *lines, env=env) as server:
            yield server

    @cached_property
    def voms_host(self) -> tuple[Path, Path]:
        """Certificate and key of the pretended VOMS server."""
        return self.authority.host(["voms.lab"])

    def _host(
        self, names: tuple[str, ...], directory: Path, valid_for: timedelta = timedelta(days=20)
    ) -> tuple[Path, Path]:
        """A host certificate named after the server's directory, its key the server's own."""
        return self.authority.host(names, valid_for=valid_for, file_name=directory.name, owner=NOBODY)

    def _directory(self, name: str) -> Path:
        path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.directory))
        path.chmod(0o755)
        (path / "admin").mkdir()
        give_away(path)
        return path

    @contextlib.contextmanager
    def _daemon(
        self,
        program: str,
        directory: Path,
        port: int,
        text: str,
        env: Mapping[str, str] | None,
        *,
        awaited: bool = True,
        inside: Namespace | None = None,
    ) -> Iterator[Server]:
        """One daemon as `nobody`, from when it takes connections until it is killed."""
        need_commands("setpriv", program)
        configuration = directory / f"{program}.cfg"
        configuration.write_text(text)
        log = directory / f"{program}.log"
        whom = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=KILL"]
        # Beside the file with its number a daemon leaves its environment, in /tmp where no such file is named.
        number = directory / "admin" / f"{program}.pid"
        argv = ["setpriv", *whom, program, "-n", directory.name, "-c", str(configuration), "-s", str(number)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                argv if inside is None else inside.command(*argv),
                cwd=directory,
                env={"PATH": os.environ["PATH"], "HOME": str(directory), **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        server = Server(port, directory, process)
        try:
            try:
                if awaited:
                    look = partial(_listens, server)
                    asked = look if inside is None else partial(inside.call, look)
                    until(f"{program} on {port}", asked, limit_s=START_S, logs=directory)
            except HungError as error:
                raise LabUnavailableError(str(error)) from error
            yield server
        finally:
            server.stop()


def give_away(path: Path) -> None:
    """Let `nobody` own a directory and all in it."""
    os.chown(path, NOBODY, NOBODY)
    for folder, names, files in os.walk(path):
        for name in (*names, *files):
            os.chown(Path(folder, name), NOBODY, NOBODY, follow_symlinks=False)


def free_ports(count: int) -> list[int]:
    """Different ports of loopback that nobody listens on right now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def seed_key_cache(directory: Path, issuer: Issuer) -> None:
    """Put an issuer's public key into a key cache of libscitokens, so that no issuer has to be asked over HTTPS.

    In a process of its own, because the library reads XDG_CACHE_HOME once.
    """
    library = ctypes.util.find_library("SciTokens") or "libSciTokens.so.0"
    code = (
        "import ctypes, json, sys; job = json.load(sys.stdin); lib = ctypes.CDLL(job['library']);"
        "error = ctypes.c_char_p();"
        "done = lib.scitoken_store_public_ec_key(job['issuer'].encode(), job['kid'].encode(), job['pem'].encode(),"
        " ctypes.byref(error));"
        "sys.exit(0 if done == 0 else str(error.value))"
    )
    job = {"library": library, "issuer": issuer.url, "kid": issuer.key_id, "pem": issuer.public_pem()}
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(job),
        env={**os.environ, "XDG_CACHE_HOME": str(directory)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise LabUnavailableError(
            f"the key cache of libscitokens cannot be seeded: {done.stderr.strip()[-300:]}"
        )


def _listens(server: Server) -> bool:
    if server.process.poll() is not None:
        raise LabUnavailableError(f"a server did not start: {server.log()[-800:]}")
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
        return True
    return False


def _await_file(redirector: Server) -> None:
    """Until the redirector knows who has the file."""
    need_commands("xrdfs")
    env = {**os.environ, "XRD_CONNECTIONWINDOW": "3", "XRD_REQUESTTIMEOUT": "5", "XRD_TIMEOUTRESOLUTION": "1"}

    def found() -> bool:
        done = subprocess.run(
            ["xrdfs", redirector.url, "locate", "-h", LFN],
            env=env,
            capture_output=True,
            timeout=30,
            check=False,
        )
        return done.returncode == 0 and b"Server" in done.stdout

    try:
        until("file at the redirector", found, limit_s=START_S, logs=redirector.directory)
    except HungError as error:
        raise LabUnavailableError(str(error)) from error


@contextlib.contextmanager
def running() -> Iterator[XrootdLab]:
    """The lab without any server yet; all that it made is gone at the end.

    Raises:
        LabUnavailableError: not root, or XRootD is not installed.
    """
    need_root()
    need_commands("setpriv", "xrootd", "cmsd", "openssl")
    with private_directory("xrootd") as directory, contextlib.ExitStack() as stack:
        directory.chmod(0o755)
        yield XrootdLab(directory, write_nano(directory / "nano.root"), stack)
