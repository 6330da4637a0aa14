"""Podman and Docker by their common API: create a container, wait for its end, read its output, remove it."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.engine import EngineError
from profiles.reading import MAX_PROFILE_BYTES

CALL_TIMEOUT_S = 20.0
"""For one call of the API; an engine that does not answer for so long is taken to hang."""

REMOVAL_S = 20.0
"""How long a container is asked to go."""

UNANSWERED_S = 2.0
"""An engine that was not heard to the end of its creating may bring the container into being after it was asked to remove it."""

POLL_S = 0.05
MAX_COMPLAINT_BYTES = 16 * 1024
ENDED = ("exited", "stopped", "dead")


def addresses(engine: str, env: Mapping[str, str]) -> list[str]:
    """Where the engine's socket may be, best first, as the engine's own command line looks for it.

    Raises:
        EngineError: a variable names an engine on another machine, which could not mount our files.
    """
    if engine == "docker":
        named, usual = ["DOCKER_HOST"], ["/var/run/docker.sock"]
    else:
        named, usual = ["CONTAINER_HOST"], ["/run/podman/podman.sock"]
        if env.get("XDG_RUNTIME_DIR"):
            usual.insert(0, f"{env['XDG_RUNTIME_DIR']}/podman/podman.sock")
    found = []
    for name in named:
        if address := env.get(name):
            if not address.startswith("unix://"):
                raise EngineError(
                    f"{name} is {address}, which is not a socket of this machine (unix:///…): the agent is "
                    f"mounted from here into the container; unset {name} or run the agent on that machine"
                )
            # Named on purpose: to go on with another engine would show the wrong machine.
            return [address]
    found += [f"unix://{path}" for path in usual]
    if engine == "podman" and env.get("DOCKER_HOST", "").startswith("unix://"):
        found.append(env["DOCKER_HOST"])
    return found


def run(
    engine: str,
    image: str,
    argv: Sequence[str],
    mounts: Sequence[tuple[str, str]],
    env: Mapping[str, str],
    timeout_s: float,
) -> tuple[int, bytes, str]:
    """Exit status, standard output and standard error of `argv` in a fresh container, which is removed.

    Args:
        engine: "docker" or "podman".
        image: name or id of an image that the engine has.
        argv: the command; the image's own entry point is not used.
        mounts: (source, target), mounted read-only, in order.
        env: variables added to the image's.
        timeout_s: bound on the time between start and end.

    Raises:
        EngineError: the extra is not installed, the engine is not reachable or refuses, the image is
            missing, or the time is over.
    """
    try:
        import docker  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise EngineError(
            "asking a container engine needs the Python package docker: pip install 'sitecap[docker]'"
        ) from error
    client = _connected(docker, engine)
    try:
        with _sentences(docker, engine, image):
            return _run(client, docker, image, argv, mounts, env, timeout_s)
    finally:
        client.close()


def _connected(docker: Any, engine: str) -> Any:  # noqa: ANN401 - a package without types
    tried = addresses(engine, os.environ)
    for address in tried:
        try:
            client = docker.DockerClient(base_url=address, timeout=CALL_TIMEOUT_S)
        except (docker.errors.DockerException, OSError):
            continue
        try:
            components = {str(part.get("Name")) for part in client.version().get("Components") or ()}
        except (docker.errors.DockerException, OSError):
            components = set()
        if components and (engine == "docker" or "Podman Engine" in components):
            return client
        client.close()
    start = (
        "systemctl start docker"
        if engine == "docker"
        else "systemctl --user start podman.socket (root: without --user)"
    )
    raise EngineError(
        f"{engine} does not answer at {' or '.join(tried)}: {start}, and check that you may use the socket"
    )


@contextlib.contextmanager
def _sentences(docker: Any, engine: str, image: str) -> Iterator[None]:  # noqa: ANN401
    try:
        yield
    except docker.errors.ImageNotFound as error:
        raise EngineError(
            f"the image {image} is not on this machine; pull it first: {engine} pull {image}"
        ) from error
    except docker.errors.APIError as error:
        said = " ".join(str(error.explanation or error).split())[:300]
        raise EngineError(f"{engine} refuses to run {image}: {said}") from error
    except (docker.errors.DockerException, OSError) as error:
        raise EngineError(f"{engine} stopped answering while it ran {image}: {str(error)[:300]}") from error


def _run(
    client: Any,  # noqa: ANN401
    docker: Any,  # noqa: ANN401
    image: str,
    argv: Sequence[str],
    mounts: Sequence[tuple[str, str]],
    env: Mapping[str, str],
    timeout_s: float,
) -> tuple[int, bytes, str]:
    found = client.images.get(image)
    # The name is ours before the container exists, so that it can be removed even if we are
    # interrupted while the engine is creating it.
    name = f"sitecap-probe-{uuid.uuid4().hex[:16]}"
    gone_for_s = UNANSWERED_S
    try:
        container = client.containers.create(
            found.id,
            name=name,
            entrypoint=[argv[0]],
            command=list(argv[1:]),
            environment=dict(env),
            mounts=[
                docker.types.Mount(target=target, source=source, type="bind", read_only=True)
                for source, target in mounts
            ],
            # The node's own network, as most sites run pilots; a bridge would show the engine's instead.
            network_mode="host",
            # With SELinux the mounted files carry the labels of this machine, which a container may not read.
            security_opt=["label=disable"],
            log_config=docker.types.LogConfig(type="json-file", config={"max-size": "16m"}),
            labels={"io.sitecap": "probe"},
        )
        gone_for_s = 0.0
        container.start()
        code = _ended(container, image, timeout_s)
        output = _bounded(container.logs(stdout=True, stderr=False, stream=True), MAX_PROFILE_BYTES + 1)
        complaint = _bounded(container.logs(stdout=False, stderr=True, stream=True), MAX_COMPLAINT_BYTES)
        return code, output, complaint.decode("utf-8", "replace")
    except docker.errors.APIError:
        gone_for_s = 0.0  # the engine has answered
        raise
    finally:
        _remove(client, docker, name, gone_for_s)


def _ended(container: Any, image: str, timeout_s: float) -> int:  # noqa: ANN401
    """Wait for the end by asking: a call that waits cannot be told from an engine that hangs."""
    deadline = time.monotonic() + timeout_s
    while True:
        container.reload()
        if container.status in ENDED:
            return int(container.attrs["State"]["ExitCode"])
        if time.monotonic() > deadline:
            raise EngineError(late(image, timeout_s))
        time.sleep(POLL_S)


def late(image: str, timeout_s: float) -> str:
    """The sentence for a container that outstayed its time."""
    return (
        f"the agent did not end in {image} within {timeout_s:g} s and was killed; give it longer by --timeout"
    )


def _bounded(stream: Any, limit_bytes: int) -> bytes:  # noqa: ANN401
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in stream:
            pieces.append(piece)
            size += len(piece)
            if size >= limit_bytes:
                break
    finally:
        stream.close()
    return b"".join(pieces)[:limit_bytes]


def _remove(client: Any, docker: Any, name: str, gone_for_s: float) -> None:  # noqa: ANN401
    """Kill and remove by name, and see that it is gone for so long; that it is not there (any more) is fine.

    An engine refuses while it is still cleaning up after the container's end itself (podman does that in a process of its
    own), so it is asked again for some time.
    """
    deadline = time.monotonic() + REMOVAL_S
    gone_since: float | None = None
    while time.monotonic() < deadline:
        try:
            client.api.remove_container(name, force=True, v=True)
            gone_since = None
            client.api.inspect_container(name)
        except docker.errors.NotFound:
            gone_since = gone_since or time.monotonic()
            if time.monotonic() - gone_since >= gone_for_s:
                return
        except (docker.errors.DockerException, OSError):
            gone_since = None
        time.sleep(POLL_S)
