"""What can go wrong at the host door, as exceptions that carry one clear sentence."""

from __future__ import annotations

import errno


class HostError(Exception):
    """The machine did not answer a question.

    Attributes:
        errno_name: symbolic errno such as "EACCES", or a word of our own: "ETOOLARGE" (more than the asked
            limit), "ENOTRECORDED" (a replayed recording has no answer), "ETIMEDOUT", "EBADANSWER".
        text: one sentence without the code.
    """

    def __init__(self, errno_name: str, text: str) -> None:
        super().__init__(f"{text} ({errno_name})")
        self.errno_name = errno_name
        self.text = text

    @classmethod
    def of(cls, error: OSError, about: str) -> HostError:
        """Turn an OSError into the host's own error, naming what was asked."""
        name = errno.errorcode.get(error.errno or 0, "EIO")
        return cls(name, f"{about}: {error.strerror or type(error).__name__}")

    @property
    def is_absent(self) -> bool:
        """True if the thing asked for does not exist, as opposed to being refused or broken."""
        return self.errno_name in {"ENOENT", "ENOTDIR", "ENOTRECORDED"}

    @property
    def is_refused(self) -> bool:
        """True if permission was refused."""
        return self.errno_name in {"EACCES", "EPERM"}


class RecordingError(Exception):
    """A recording cannot be written, or a replay directory is not a recording; the text says what to do."""
