"""The part of the host door that leads to other hosts: names, sockets, HTTP, and what may be told of credentials."""

from __future__ import annotations

import base64
from typing import Literal

from probes.answers import ConnectTrial, Drained, Fetched, HttpAnswer, Json, Resolution, TlsTrial
from probes.credential_answers import (
    AuthoritiesSeen,
    ProxySeen,
    TokenSeen,
    authorities_seen,
    proxy_seen,
    token_seen,
)
from probes.door import KIB, MIB, Door


class RemoteQuestions:
    """Questions about other hosts, and about what this process could show them; part of `probes.host.Host`."""

    _door: Door

    # -- sockets -----------------------------------------------------------------------------------------

    def resolve(self, name: str, *, timeout_s: float = 5.0) -> Resolution:
        """Addresses of a name, both families."""
        v4, v6, error, duration_s = self._door.ask("resolve", [name, timeout_s])
        return Resolution(tuple(v4), tuple(v6), error, duration_s)

    def connect(self, address: str, port: int, *, timeout_s: float = 5.0) -> ConnectTrial:
        """Open and close one TCP connection to a numeric address."""
        return ConnectTrial(*self._door.ask("connect", [address, port, timeout_s]))

    def tls(
        self, name: str, address: str, port: int, *, ca_path: str | None = None, timeout_s: float = 5.0
    ) -> TlsTrial:
        """Shake hands by TLS with `address`, expecting a certificate for `name`.

        `ca_path`: file or directory of authorities; None = those of the system.
        """
        return TlsTrial(*self._door.ask("tls", [name, address, port, ca_path, timeout_s]))

    def http_get(
        self,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        proxy: str | None = None,
        ca_path: str | None = None,
        timeout_s: float = 5.0,
        limit_bytes: int = 64 * KIB,
        head: bool = False,
    ) -> HttpAnswer:
        """One GET (or HEAD) without redirects. Proxies of the environment are not used, only `proxy`."""
        wanted: dict[str, Json] = dict(headers or {})
        return HttpAnswer(
            *self._door.ask("http", [url, wanted, proxy, ca_path, timeout_s, limit_bytes, head])
        )

    def fetch(  # noqa: PLR0913 - one parameter a property of the request
        self,
        url: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        proxy: str | None = None,
        ca_path: str | None = None,
        credential: Literal["token", "x509"] | None = None,
        content: str | None = None,
        connect_timeout_s: float = 5.0,
        timeout_s: float = 10.0,
        limit_bytes: int = MIB,
    ) -> Fetched:
        """One HTTP exchange with its content, without redirects; proxies of the environment are not used.

        Args:
            url: http or https.
            method: GET, HEAD, OPTIONS, PROPFIND, PUT or DELETE.
            headers: of the request; never a secret, because the question is recorded.
            proxy: "http://host:port", None = direct.
            ca_path: file or directory of authorities; None = those of the system.
            credential: sent by the machine side of the door: a token by WLCG discovery, or the X.509 proxy in TLS.
            content: body of the request.
            connect_timeout_s: bound on look-up and TCP connection.
            timeout_s: bound on the whole exchange.
            limit_bytes: bound on the body; what is beyond is not read.

        Raises:
            HostError: the URL or proxy is none, there is no such credential or authority. A server that does not
                answer is not an error but an answer.
        """
        wanted: dict[str, Json] = dict(headers or {})
        answer = list(
            self._door.ask(
                "fetch",
                [
                    method, url, wanted, proxy, ca_path, credential,
                    content, connect_timeout_s, timeout_s, limit_bytes,
                ],
            )
        )  # fmt: skip
        answer[2] = base64.b64decode(answer[2])
        return Fetched(*answer)

    def drain(
        self,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        ca_path: str | None = None,
        credential: Literal["token", "x509"] | None = None,
        connect_timeout_s: float = 5.0,
        timeout_s: float = 10.0,
        limit_bytes: int = MIB,
        checksum: bool = False,
    ) -> Drained:
        """GET up to `limit_bytes` of an object, of which only length, times and, if asked for, adler32 come back.

        Parameters and errors are those of `fetch`.
        """
        wanted: dict[str, Json] = dict(headers or {})
        return Drained(
            *self._door.ask(
                "drain",
                [url, wanted, ca_path, credential, connect_timeout_s, timeout_s, limit_bytes, checksum],
            )
        )

    # -- credentials: what may be told of them, never they themselves --------------------------------------

    def token(self) -> TokenSeen | None:
        """The bearer token by WLCG discovery, without its signature; None if there is none.

        Raises:
            HostError: ENOTSUP while another root is looked at, because the environment is this process's.
        """
        answer = self._door.ask("token", [])
        return None if answer is None else token_seen(answer)

    def proxy(self) -> ProxySeen | None:
        """The X.509 proxy, without key and names; None if there is none.

        Raises:
            HostError: ENOTSUP while another root is looked at.
        """
        answer = self._door.ask("x509", [])
        return None if answer is None else proxy_seen(answer)

    def authorities(self, path: str) -> AuthoritiesSeen:
        """What a hashed directory of authorities holds, or a file of them; HostError if it cannot be read."""
        return authorities_seen(self._door.ask("authorities", [path]))
