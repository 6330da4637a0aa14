"""One attempt: documents and a token out, their fates back."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from agent.delivery.bearer import BearerError, bearer
from agent.delivery.cuttable import CutError, Cuttable
from agent.delivery.retry import retry_after_s
from agent.delivery.settings import DeliverySettings
from agent.delivery.store import Held
from agent.delivery.transport import Transport, TransportError
from agent.delivery.verdicts import Answer, Judged, judge

_GZIP_LEVEL = 1
"""JSON shrinks to an eighth already; level 6 takes four times as long for a tenth less."""


class Attempt(NamedTuple):
    """What came of an attempt."""

    judged: Judged
    retry_after_s: float | None = None


class Sender:
    """Hands documents to the service, one request at a time.

    Args:
        settings: with a URL.
        until_s: on the clock of `time.monotonic`, when all must be over; None = never.
        stop: whether the caller wants to end.

    Raises:
        DeliveryError: the settings cannot be used.
    """

    def __init__(self, settings: DeliverySettings, until_s: float | None, stop: Callable[[], bool]) -> None:
        self._settings = settings
        self._until_s = until_s
        self._stop = stop
        self._transport = Transport(settings)
        self._cuttable: Cuttable[Answer] = Cuttable()

    def send(self, documents: Sequence[Held]) -> Attempt:
        """Send documents in one request: one as JSON and not compressed, several as lines with gzip.

        So a document for which the lines were refused gets its own verdict, and something on the way that spoils gzip
        costs speed only.
        """
        try:
            token = bearer(self._settings)
        except BearerError as error:
            return Attempt(Judged(refused=True, reason=str(error)))
        headers = {"Authorization": f"Bearer {token.text}"} if token.text else {}
        if len(documents) == 1:
            body = documents[0].document
            headers["Content-Type"] = "application/json"
        else:
            body = gzip.compress(b"\n".join(held.document for held in documents), _GZIP_LEVEL, mtime=0)
            headers |= {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        try:
            answer = self._post(body, headers)
        except (TransportError, CutError) as error:
            return Attempt(Judged(reason=token.hidden_in(str(error))))
        judged = judge(answer, [held.name.id for held in documents])
        if judged.reason is not None:
            about = f" (token: {token.source})" if judged.refused else ""
            judged = replace(judged, reason=token.hidden_in(judged.reason) + about)
        if judged.fates is not None:
            judged = replace(judged, fates=[(fate, token.hidden_in(text)) for fate, text in judged.fates])
        wait_s = retry_after_s(answer.headers, max_s=self._settings.retry_after_max_s, now=datetime.now(UTC))
        return Attempt(judged, wait_s)

    def close(self) -> None:
        """End the connection."""
        self._transport.close()

    def _post(self, body: bytes, headers: dict[str, str]) -> Answer:
        limit_s = self._settings.answer_s
        if self._until_s is not None:
            limit_s = max(0.001, min(limit_s, self._until_s - time.monotonic()))
        return self._cuttable.run(
            lambda: self._transport.post(body, headers, limit_s=limit_s),
            limit_s=limit_s,
            stop=self._stop,
            cut=self._transport.cut,
        )
