"""Path resolution inside another root, as chroot(2) would do it, without being root.

`--root /host` reads a host tree that is mounted in a container. There an absolute link such as
/etc/os-release → /usr/lib/os-release has to stay inside that root, and neither `..` nor a hostile link may
lead out of it.
"""

from __future__ import annotations

import errno
import os

from probes.errors import HostError

MAX_LINKS = 40
"""Links followed before the path counts as a loop; the kernel's own bound (path_resolution(7))."""


def resolve(root: str, path: str, *, follow_last: bool = True) -> str:
    """Map `path`, absolute in the rooted machine, to a path of this machine that lies inside `root`.

    Args:
        root: directory of this machine that acts as "/"; "/" itself needs no resolution and is passed through.
        path: absolute path as the rooted machine sees it; ".." stops at the root, as the kernel does it.
        follow_last: whether a link in the last component is followed.

    Returns:
        A path that starts with `root` and, where it exists, has no unresolved link but perhaps the last.

    Raises:
        HostError: ELOOP for a symlink loop, EINVAL for a path with a NUL byte.
    """
    if "\0" in path:
        raise HostError("EINVAL", f"{path!r}: a path cannot contain a NUL byte")
    if root == "/":
        return path
    # Not pathlib: to it a leading "//" is a component of its own, which os.path.join would take for a new root.
    todo = [part for part in reversed(path.split("/")) if part]
    done: list[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part == "..":
            if done:
                done.pop()
            continue
        if part == ".":
            continue
        here = os.path.join(root, *done, part)  # noqa: PTH118 - surrogate-escaped bytes must pass untouched
        target = _link_target(here) if todo or follow_last else None
        if target is None:
            done.append(part)
            continue
        links += 1
        if links > MAX_LINKS:
            raise HostError("ELOOP", f"{path}: more than {MAX_LINKS} symbolic links, probably a loop")
        if target.startswith("/"):
            done = []
        todo.extend(piece for piece in reversed(target.split("/")) if piece)
    return os.path.join(root, *done)  # noqa: PTH118


def _link_target(path: str) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115 - pathlib would normalise the target
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOENT, errno.ENOTDIR):
            return None
        raise HostError.of(error, path) from error
