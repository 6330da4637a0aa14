"""From what a request shows to the principal that asks; remembers for seconds what it has verified."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from time import monotonic, time

from capacity.service import tokens
from capacity.service.credentials import PREFIX, UnauthenticatedError, parse_api_token
from capacity.service.issuer_keys import Fetch, fetch_json
from capacity.service.policy import Policy
from capacity.service.principal import Principal, Role
from capacity.service.rates import RateBound
from capacity.service.signed_tokens import SignedTokens
from capacity.settings import Config
from capacity.store.database import Database

MAX_REMEMBERED = 10_000

VISITOR = Principal(subject="visitor", roles=frozenset({Role.READ}), sites=frozenset())
"""Who reads without a credential where `auth.public_read` holds."""


class Authenticator:
    """Tells who asks. Safe for threads.

    Args:
        database: with the API tokens.
        config: issuers, cache, bounds.
        now: seconds of the Unix epoch; the clock on which tokens expire.
        ticks: monotonic seconds.
        fetch: how an issuer's keys are had.
    """

    def __init__(
        self,
        database: Database,
        config: Config,
        now: Callable[[], float] = time,
        ticks: Callable[[], float] = monotonic,
        fetch: Fetch = fetch_json,
    ) -> None:
        self._database = database
        self._config = config
        self._now = now
        self._ticks = ticks
        self._signed = SignedTokens(config.auth, now, fetch)
        per_min = config.limits.failed_logins_per_min
        self._failures = RateBound(per_min / 60, per_min, "refused credentials from this address", ticks)
        self._known: OrderedDict[bytes, tuple[Principal, float, float]] = OrderedDict()
        self._lock = Lock()

    @property
    def visitor(self) -> Principal | None:
        """Who asks without a credential; None = nobody may."""
        return VISITOR if self._config.public_read else None

    def remembered(self, credential: str) -> Principal | None:
        """The principal if the credential was verified a moment ago; never waits."""
        with self._lock:
            found = self._known.get(_key(credential))
        if found is None:
            return None
        principal, forget_at, expires_at_s = found
        return principal if self._ticks() < forget_at and self._now() < expires_at_s else None

    def verify(self, credential: str, address: str) -> Principal:
        """Verify a credential; may ask the database or an issuer.

        Args:
            credential: API token or JWT.
            address: where the request came from, whose failures are counted.

        Raises:
            UnauthenticatedError: not valid here.
            TooOftenError: too many failures from that address.
            UnavailableError: it cannot be verified now.
        """
        self._failures.check(address)
        try:
            principal, expires_at_s = self._verified(credential)
        except UnauthenticatedError:
            self._failures.take(address)
            raise
        self._remember(credential, principal, expires_at_s)
        return principal

    def forget(self) -> None:
        """Verify everything anew: a token was revoked here."""
        with self._lock:
            self._known.clear()

    def _verified(self, credential: str) -> tuple[Principal, float]:
        if credential.startswith(f"{PREFIX}_"):
            token = parse_api_token(credential)
            if token is None:
                raise UnauthenticatedError("the token is cut off or damaged: an API token has 68 characters")
            moment = datetime.fromtimestamp(self._now(), UTC)
            principal, expires_at = tokens.verify(self._database, token, moment)
            return principal, expires_at.timestamp() if expires_at else float("inf")
        if not (credential.isascii() and credential.count(".") == 2):
            raise UnauthenticatedError("this is neither an API token (sitecap_…) nor a signed token (JWT)")
        verified = self._signed.verify(credential)
        return verified.principal, verified.expires_at_s + self._config.auth.clock_skew_s

    def _remember(self, credential: str, principal: Principal, expires_at_s: float) -> None:
        entry = (principal, self._ticks() + self._config.auth.token_cache_s, expires_at_s)
        with self._lock:
            self._known[_key(credential)] = entry
            self._known.move_to_end(_key(credential))
            if len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)


def authorise(principal: Principal | None, policy: Policy) -> None:
    """Hold a principal against a policy.

    Raises:
        UnauthenticatedError: nobody is known and the route needs somebody.
        RefusedError: the role is missing.
    """
    role = policy.role
    if role is None:
        return
    if principal is None or (principal is VISITOR and role is not Role.READ):
        raise UnauthenticatedError(
            f"this needs a token with role {role.value}: send it as `Authorization: Bearer TOKEN`"
        )
    principal.require(role)


def _key(credential: str) -> bytes:
    """Credentials themselves are not kept in memory."""
    return hashlib.sha256(credential.encode(errors="surrogatepass")).digest()
