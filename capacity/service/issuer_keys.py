"""Keys of a token issuer: fetched from its JWKS, bounded in size and time, kept and renewed.

Discovery and rotation follow OpenID Connect Discovery 1.0 §4 and §10.1.1 (WLCG Common JWT Profile §"Token validation"):
a key id that is not known asks for the keys again, but not more often than the settings allow, so that made-up key ids
cannot be used to make this service hammer an issuer.
"""

from __future__ import annotations

import json
import logging
import ssl
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from threading import Lock
from time import monotonic
from typing import IO, Any, Protocol, TypeGuard

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from capacity.errors import UnavailableError
from capacity.settings import AuthSettings, IssuerSettings

MAX_ANSWER_BYTES = 256 * 1024
"""Largest discovery document or key set that is read; an issuer's real ones have some kB."""

MAX_KEYS = 64
MIN_RSA_BITS = 2048
"""RFC 7518 §3.3 asks for at least so many."""

_log = logging.getLogger(__name__)


class FetchError(Exception):
    """An address did not give the JSON that was asked for; the text says which and why."""


class Fetch(Protocol):
    """How JSON is had from an https address."""

    def __call__(self, url: str, timeout_s: float, ca_file: str | None) -> Any:  # noqa: ANN401
        """The parsed answer.

        Raises:
            FetchError: not reachable, not 200, too slow, too large, not JSON.
        """


class IssuerKeys:
    """The keys of one issuer. Safe for threads.

    Args:
        issuer: whose.
        settings: ages and intervals.
        fetch: how JSON is had; replaced in tests.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        issuer: IssuerSettings,
        settings: AuthSettings,
        fetch: Fetch,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._issuer = issuer
        self._settings = settings
        self._fetch = fetch
        self._clock = clock
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._asked_at: float | None = None
        self._lock = Lock()

    def find(self, key_id: str | None) -> RSAKey | ECKey | None:
        """The key of that id; the only key if the token names none. None = the issuer has no such key.

        Raises:
            UnavailableError: there are no keys that may still be used and they cannot be fetched now.
        """
        keys = self._current()
        found = _by_id(keys, key_id)
        if found is None and self._may_ask():
            found = _by_id(self._renewed(), key_id)
        return found

    def _current(self) -> KeySet:
        age_s = self._clock() - self._fetched_at
        young = age_s < self._settings.keys_max_age_s
        usable = age_s < self._settings.keys_max_stale_s
        if self._keys is not None and usable and (young or not self._may_ask()):
            return self._keys
        return self._renewed()

    def _may_ask(self) -> bool:
        return self._asked_at is None or self._clock() - self._asked_at >= self._settings.keys_min_interval_s

    def _renewed(self) -> KeySet:
        """Fetch the keys; one thread asks, the others wait for what it gets."""
        with self._lock:
            if self._may_ask():
                self._asked_at = self._clock()
                try:
                    self._keys = self._ask()
                    self._fetched_at = self._clock()
                except FetchError as error:
                    _log.warning("keys of %s not renewed: %s", self._issuer.issuer, error)
            if self._keys is None or self._clock() - self._fetched_at >= self._settings.keys_max_stale_s:
                raise UnavailableError(
                    f"the keys of token issuer {self._issuer.issuer} cannot be fetched now: keep it and send it again",
                    retry_after_s=max(1, round(self._settings.keys_min_interval_s)),
                )
            return self._keys

    def _ask(self) -> KeySet:
        url = self._issuer.jwks_url
        if url is None:
            place = f"{self._issuer.issuer.rstrip('/')}/.well-known/openid-configuration"
            found = self._get(place)
            # A document of another issuer would let that one sign for this one (OpenID Connect Discovery §4.3).
            if not isinstance(found, dict) or found.get("issuer") != self._issuer.issuer:
                raise FetchError(f"{place} is not the document of this issuer")
            url = found.get("jwks_uri")
            if not isinstance(url, str) or not url.startswith("https://"):
                raise FetchError(f"{place} names no https address of keys")
        return _usable(self._get(url), url)

    def _get(self, url: str) -> Any:  # noqa: ANN401 - any JSON
        return self._fetch(url, self._settings.keys_timeout_s, self._issuer.ca_file)


def fetch_json(url: str, timeout_s: float, ca_file: str | None) -> Any:  # noqa: ANN401 - any JSON
    """GET an https address without following redirects; see `Fetch`.

    Raises:
        FetchError: not reachable, not 200, slower than `timeout_s`, larger than `MAX_ANSWER_BYTES`, not JSON.
    """
    ends_at = monotonic() + timeout_s
    try:
        context = ssl.create_default_context(cafile=ca_file)
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirect())
        request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 - https by the settings
        with opener.open(request, timeout=timeout_s) as answer:
            body = bytearray()
            while part := answer.read1(65536):
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise FetchError(f"{url}: more than {MAX_ANSWER_BYTES} bytes")
                if monotonic() > ends_at:
                    raise FetchError(f"{url}: slower than {timeout_s} s")
            if answer.length:
                raise FetchError(f"{url}: cut off, {answer.length} bytes are missing")
        return json.loads(body)
    except (OSError, HTTPException) as error:
        raise FetchError(f"{url}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise FetchError(f"{url}: not JSON") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """No redirect is followed: only the issuer itself is believed."""


def _usable(document: Any, url: str) -> KeySet:  # noqa: ANN401 - any JSON
    """Public signature keys of a JWKS; what cannot be used is left out (RFC 7517 §5)."""
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise FetchError(f"{url}: not a key set")
    keys = [key for entry in entries[:MAX_KEYS] if (key := _key(entry)) is not None]
    if not keys:
        raise FetchError(f"{url}: no RSA or EC key for signatures")
    return KeySet(list(keys))


def _key(entry: Any) -> RSAKey | ECKey | None:  # noqa: ANN401 - any JSON
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    kinds: dict[str, type[RSAKey | ECKey]] = {"RSA": RSAKey, "EC": ECKey}
    kind = kinds.get(str(entry.get("kty")))
    if kind is None:
        return None
    try:
        key = kind.import_key({name: value for name, value in entry.items() if isinstance(value, str)})
        if isinstance(key, RSAKey) and key.public_key.key_size < MIN_RSA_BITS:
            return None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key


def _by_id(keys: KeySet, key_id: str | None) -> RSAKey | ECKey | None:
    usable = [key for key in keys if _signs(key)]
    if key_id is None:
        return usable[0] if len(usable) == 1 else None
    return next((key for key in usable if key.kid == key_id), None)


def _signs(key: object) -> TypeGuard[RSAKey | ECKey]:
    return isinstance(key, RSAKey | ECKey)
