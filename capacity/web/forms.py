"""What a browser's form sent: bounded, of this origin, each field at most once."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from fastapi import Request

from capacity.errors import BadInputError, RefusedError

MAX_FORM_BYTES = 16 * 1024
"""A token of 8 kB, percent-encoded, and the rest."""
MAX_FIELDS = 16


def check_origin(request: Request) -> None:
    """Refuse a form that another site's page sent (Fetch Metadata, else Origin), beside the cookie's SameSite=Strict.

    Raises:
        RefusedError: it is not of this origin, or nobody says so.
    """
    fetched_from = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    same = (
        fetched_from == "same-origin"
        if fetched_from is not None
        else origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    )
    if not same:
        raise RefusedError("a form of another site was refused: open the page here and send it again")


async def form_of(request: Request) -> dict[str, str]:
    """Fields of an URL-encoded form.

    Raises:
        BadInputError: too long, too many fields, a field twice, or not such a form.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise BadInputError("send the form as application/x-www-form-urlencoded, as browsers do")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise BadInputError(f"the form has more than {MAX_FORM_BYTES} bytes")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise BadInputError("the form cannot be read: send it again from the page") from error
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise BadInputError("a field of the form is there twice: send it again from the page")
    return fields
