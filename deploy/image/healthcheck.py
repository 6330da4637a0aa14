"""Exit 0 when the service in this container answers ``/healthz``, else 1: the image's HEALTHCHECK."""

from __future__ import annotations

import os
import ssl
import sys
import urllib.request
from http import HTTPStatus

from capacity.config import load

ANSWER_S = 3.0


def main() -> int:
    """Ask the address that the service listens on by its configuration."""
    server = load({}, os.environ).config.server
    scheme = "https" if server.tls_certificate else "http"
    # It is asked whether it lives, by the way inside the container: whose certificate it has is the clients' question.
    context = ssl._create_unverified_context() if server.tls_certificate else None  # noqa: S323, SLF001
    try:
        with urllib.request.urlopen(  # noqa: S310 - one of the two schemes above
            f"{scheme}://127.0.0.1:{server.port}/healthz", timeout=ANSWER_S, context=context
        ) as answer:
            return 0 if answer.status == HTTPStatus.OK else 1
    except OSError as error:
        sys.stderr.write(f"healthcheck: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
