"""A run-time compiler of NVIDIA's or AMD's: two libraries of one shape, whose functions differ in their prefix."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from payloads.backends.device_code import INCLUDE_DIRECTORIES, DeviceCode, DeviceCompilerError


@dataclass(frozen=True)
class RuntimeCompiler:
    """A loaded compiler.

    Attributes:
        library: that it lives in.
        prefix: of its functions.
        name: for sentences.
    """

    library: ctypes.CDLL
    prefix: str
    name: str

    def compile(
        self, kernel: str, source: bytes, architecture: str, options: Sequence[str], product: str
    ) -> DeviceCode:
        """Compile the device code of a kernel.

        Args:
            kernel: its name.
            source: the text.
            architecture: for which; its option is among the options.
            options: beside where headers are.
            product: what is taken of the result, as the compiler's functions call it: ``CUBIN``, ``PTX``, ``Code``.

        Raises:
            DeviceCompilerError: it refuses the source.
        """
        program = ctypes.c_void_p()
        error = self._call("CreateProgram")(
            ctypes.byref(program), source, f"{kernel}.cu".encode(), 0, None, None
        )
        if error:
            raise DeviceCompilerError(f"{self.name} cannot start on {kernel}: error {error}")
        whole = [*options, *(f"-I{folder}" for folder in INCLUDE_DIRECTORIES)]
        raw = (ctypes.c_char_p * len(whole))(*(option.encode() for option in whole))
        try:
            error = self._call("CompileProgram")(program, len(whole), raw)
            log = self._text(program, "ProgramLog").rstrip(b"\0 \n").decode(errors="replace").strip()
            if error:
                raise DeviceCompilerError(
                    f"{self.name} does not compile {kernel} for {architecture}: {log[:2000]}"
                )
            return DeviceCode(kernel, architecture, self._text(program, product), log, self.version)
        finally:
            self._call("DestroyProgram")(ctypes.byref(program))

    @property
    def version(self) -> str:
        """Its name with the version that it gives itself: ``NVRTC 12.9``."""
        major, minor = ctypes.c_int(), ctypes.c_int()
        error = self._call("Version")(ctypes.byref(major), ctypes.byref(minor))
        return self.name if error else f"{self.name} {major.value}.{minor.value}"

    def _text(self, program: ctypes.c_void_p, what: str) -> bytes:
        length = ctypes.c_size_t()
        self._call(f"Get{what}Size")(program, ctypes.byref(length))
        buffer = ctypes.create_string_buffer(length.value + 1)
        self._call(f"Get{what}")(program, buffer)
        return buffer.raw[: length.value]

    def _call(self, name: str) -> Callable[..., int]:
        function: Callable[..., int] = self.library[f"{self.prefix}{name}"]
        return function
