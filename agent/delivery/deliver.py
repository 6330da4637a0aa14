"""What the pilot, the daemon and `agent submit` call."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent.delivery.drain import Delivered, Drain
from agent.delivery.errors import DeliveryError
from agent.delivery.names import name_of, one_line
from agent.delivery.places import leave_file, spool_of
from agent.delivery.sender import Sender
from agent.delivery.settings import DeliverySettings
from agent.delivery.store import Memory, Store
from profiles.profile import CapabilityProfile
from profiles.reading import write_profile

__all__ = ["Delivered", "check", "deliver", "drain", "hand_in"]

_log = logging.getLogger("agent.delivery")


def deliver(settings: DeliverySettings, *, until_s: float | None, stop: Callable[[], bool]) -> Delivered:
    """Hand in all that waits in the spool.

    Args:
        settings: with a URL.
        until_s: on the clock of `time.monotonic`, when it must end; None = when the spool is empty.
        stop: whether the caller wants to end; asked ten times a second, also while an answer is awaited.

    Raises:
        DeliveryError: the settings cannot be used, or the spool cannot be read.
    """
    return drain(spool_of(settings), settings, until_s, stop)


def hand_in(
    profile: CapabilityProfile,
    settings: DeliverySettings,
    *,
    until_s: float | None,
    stop: Callable[[], bool],
) -> Delivered:
    """Keep a profile in the spool, then hand in all that waits there.

    Where nothing is to be sent (no URL) the profile is left as a file. Where no spool can be written, it is sent from
    memory, and left as a file if that fails. It is lost only if this raises.

    Args:
        profile: to hand in.
        settings: how.
        until_s: on the clock of `time.monotonic`, when it must end; None = when the spool is empty.
        stop: whether the caller wants to end.

    Raises:
        DeliveryError: the profile could neither be sent nor kept; or it is in the spool, and the settings are wrong.
    """
    text = write_profile(profile).encode()
    if settings.url is None:
        path = leave_file(text, profile.id, settings)
        reason = f"delivery.url is not set, so nothing is sent: the profile is in {path}; hand it in by `agent submit {path}`"
        return Delivered(0, 0, 0, 1, reason)
    document = one_line(text)
    try:
        spool_of(settings).put(document)
    except DeliveryError as error:
        _log.warning("%s; sending the profile from memory", error)
        return _from_memory(document, settings, until_s, stop, trouble=str(error))
    return deliver(settings, until_s=until_s, stop=stop)


def check(settings: DeliverySettings) -> None:
    """See whether there is somebody to hand in to.

    Raises:
        DeliveryError: no URL is set.
    """
    if settings.url is None:
        raise DeliveryError(
            "delivery.url is not set: name the service, e.g. SITECAP_DELIVERY__URL=https://capacity.example.org"
        )


def _from_memory(
    document: bytes,
    settings: DeliverySettings,
    until_s: float | None,
    stop: Callable[[], bool],
    trouble: str,
) -> Delivered:
    name = name_of(document)
    try:
        found = drain(Memory({name: document}), settings, until_s, stop)
    except DeliveryError as error:
        found = Delivered(0, 0, 0, 1, str(error))
    if not (found.left or found.set_aside):
        return found
    path = leave_file(document + b"\n", name.id, settings)
    return found._replace(
        reason=f"{found.reason or 'the service does not take it'}; {trouble}; the profile is in {path}: hand it in by `agent submit {path}`"
    )


def drain(
    store: Store, settings: DeliverySettings, until_s: float | None, stop: Callable[[], bool]
) -> Delivered:
    """Hand in all that waits in a store; see `deliver`.

    Raises:
        DeliveryError: the settings cannot be used, or the store cannot be read.
    """
    check(settings)
    sender = Sender(settings, until_s, stop)
    try:
        return Drain(settings, store, sender, until_s, stop).run()
    finally:
        sender.close()
