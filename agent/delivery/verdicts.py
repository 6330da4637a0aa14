"""What an answer of the service means for the documents of the request. Pure.

Only what the service itself says of a document is believed about the document: the same status from a proxy, a login page or
the wrong address says nothing about it, and no profile is given up for that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

MAX_CHARS = 300
"""Of a sentence that the service wrote."""

_PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: of HTTP.
        headers: names in lower case.
        body: as far as it was read; a longer one than any answer of the service is cut off, and then no JSON.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Fate(Enum):
    """What becomes of one document."""

    DELIVERED = "delivered"
    DUPLICATE = "duplicate"
    """The service had it already."""
    SET_ASIDE = "set aside"
    """It will never be taken as it is."""
    KEPT = "kept"
    """It may be taken later, or with another token."""


@dataclass(frozen=True)
class Judged:
    """The meaning of an answer.

    Attributes:
        fates: one a document with the service's sentence; None = the answer is not about single documents.
        split: the request as a whole was not taken, and smaller ones may be.
        refused: the sender was refused; another token may help.
        reason: one sentence, None if all is well.
    """

    fates: Sequence[tuple[Fate, str]] | None = None
    split: bool = False
    refused: bool = False
    reason: str | None = None


_FATES = {
    "stored": Fate.DELIVERED,
    "duplicate": Fate.DUPLICATE,
    "conflict": Fate.SET_ASIDE,
    "invalid": Fate.SET_ASIDE,
    "forbidden": Fate.KEPT,
}
_OF_ONE = {200: "duplicate", 202: "stored", 403: "forbidden", 409: "conflict", 422: "invalid"}
_ABOUT_THE_BODY = (400, 413, 422)


def judge(answer: Answer, ids: Sequence[str]) -> Judged:
    """What an answer to a request with these documents means.

    Args:
        answer: to one document as JSON, or to several as lines.
        ids: of the documents, in their order.
    """
    said = _object(answer)
    fates = _fates(answer.status, said, ids) if said is not None else None
    if fates is not None:
        return Judged(fates=fates)
    if answer.status in _ABOUT_THE_BODY and len(ids) > 1:
        return Judged(split=True, reason=_sentence(answer, said))
    # A proxy, too, may have a bound on bodies, and says so in HTML.
    if answer.status == 413 or (answer.status in _ABOUT_THE_BODY and _is_the_service(answer, said)):
        return Judged(fates=[(Fate.SET_ASIDE, _sentence(answer, said))])
    return Judged(refused=answer.status in {401, 403}, reason=_sentence(answer, said))


def _fates(status: int, said: Mapping[str, Any], ids: Sequence[str]) -> list[tuple[Fate, str]] | None:
    """A fate for each document, if the answer gives each exactly one verdict and they are about these documents."""
    if len(ids) == 1:
        verdict = said if status in {200, 202} else said.get("verdict")
        if status not in _OF_ONE or _field(verdict, "status") != _OF_ONE[status]:
            return None
        # Its index is its place among what the service took in together, also from others.
        fate = _fate(verdict, ids[0])
        return None if fate is None else [fate]
    found = said.get("verdicts") if status == 200 else None
    if not isinstance(found, list) or len(found) != len(ids):
        return None
    if [_field(verdict, "index") for verdict in found] != list(range(len(ids))):
        return None
    fates = [_fate(verdict, wanted) for verdict, wanted in zip(found, ids, strict=True)]
    return [fate for fate in fates if fate is not None] if None not in fates else None


def _fate(verdict: object, wanted: str) -> tuple[Fate, str] | None:
    if not isinstance(verdict, dict):
        return None
    status, named = verdict.get("status"), verdict.get("id")
    # Of what it could not read the service does not know the id.
    if named != wanted and not (named is None and status == "invalid"):
        return None
    fate = _FATES.get(status, Fate.KEPT) if isinstance(status, str) else Fate.KEPT
    return fate, f"the service calls it {clean(str(status))}: {clean(str(verdict.get('message')))}"


def _object(answer: Answer) -> Mapping[str, Any] | None:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {"application/json", _PROBLEM}:
        return None
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_the_service(answer: Answer, said: Mapping[str, Any] | None) -> bool:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return said is not None and kind == _PROBLEM and said.get("status") == answer.status


_ADVICE = {
    401: "give it a token that is valid there",
    403: "give it a token that may submit for this site",
    404: "delivery.url is not the address of the service",
    405: "delivery.url is not the address of the service",
    407: "the proxy wants a name and a password: set delivery.proxy",
}


def _sentence(answer: Answer, said: Mapping[str, Any] | None) -> str:
    detail = _field(said, "detail")
    status = answer.status
    if isinstance(detail, str) and detail:
        text = f"the service answered {status}: {clean(detail)}"
    elif 300 <= status < 400:
        text = (
            f"{status}, a redirection, which is not followed with a token: set delivery.url to where it leads"
        )
    elif 200 <= status < 300:
        kind = clean(answer.headers.get("content-type", "no type"))
        text = (
            f"the answer {status} is not the service's ({kind}) and acknowledges nothing: "
            "a proxy or a login page may be in between, or delivery.url is wrong"
        )
    else:
        text = f"the answer was {status}"
    return f"{text}: {_ADVICE[status]}" if status in _ADVICE else text


def _field(value: object, name: str) -> Any:  # noqa: ANN401 - any JSON
    return value.get(name) if isinstance(value, Mapping) else None


def clean(text: str) -> str:
    """Somebody else's words, fit for a log: one line, printable, bounded."""
    line = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * MAX_CHARS])
    line = " ".join(line.split())
    return line if len(line) <= MAX_CHARS else f"{line[:MAX_CHARS]}…"
