"""The token that the service is shown, looked for anew before each attempt: something else renews it meanwhile."""

from __future__ import annotations

from typing import NamedTuple

from agent.delivery.settings import DeliverySettings
from probes.errors import HostError
from probes.live_credentials import Found, Place, find_token, read, token_text
from probes.live_token import audiences


class BearerError(Exception):
    """There is a token that cannot be used; the text says why, without any of it."""


class Bearer(NamedTuple):
    """A token, which must not get into any text, and where it is from."""

    text: str | None
    """None = no token is found."""
    source: str

    def hidden_in(self, sentence: str) -> str:
        """The sentence without the token, should a server have repeated it."""
        return sentence.replace(self.text, "[token]") if self.text else sentence


def bearer(settings: DeliverySettings) -> Bearer:
    """The token that is there now.

    Raises:
        BearerError: its file cannot be read, it is malformed, or it is not made for this service.
    """
    try:
        found = _find(settings)
    except HostError as error:
        raise BearerError(f"token: {error.text}") from None
    if found is None or not found.value:
        return Bearer(None, "no token is found (delivery.token_file, else WLCG discovery)")
    text = token_text(found.value)
    if text is None:
        raise BearerError(f"the token of {found.source} has characters that RFC 6750 does not allow")
    if settings.audience:
        made_for = audiences(found.value)
        # None: an API token of the service has no claims.
        if made_for is not None and not {*settings.audience, *_ANYBODY} & set(made_for):
            raise BearerError(
                f"the token of {found.source} is made for others ({', '.join(made_for) or 'nobody'}) and is not sent: "
                f"get one with the audience {' or '.join(settings.audience)}"
            )
    return Bearer(text, found.source)


_ANYBODY = ("https://wlcg.cern.ch/jwt/v1/any", "ANY")
"""WLCG Common JWT Profile and SciTokens, claim aud."""


def _find(settings: DeliverySettings) -> Found | None:
    if settings.token_file is None:
        return find_token()
    return read(Place("delivery.token_file", settings.token_file, named=True))
