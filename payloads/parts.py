"""The Python modules of a kernel folder.

Each has `physics` (against truth), `reference` (definition of truth) and `display`; some have `scene` (what it adds to the
picture of a whole event) and `chain` (how it takes the result of another kernel).
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from payloads.errors import PayloadError

FOLDER = Path(__file__).parent / "kernels"
"""Where sitecap's own kernels are."""


def has_part(folder: Path, part: str) -> bool:
    """Whether a kernel folder has that module."""
    return (folder / f"{part}.py").is_file()


def load_part(folder: Path, part: str) -> ModuleType:
    """A Python module of a kernel folder.

    Raises:
        PayloadError: the folder has no such module.
    """
    path = folder / f"{part}.py"
    if not path.is_file():
        raise PayloadError(f"{folder} has no {part}.py: install sitecap again")
    if folder.parent == FOLDER:
        return importlib.import_module(f"payloads.kernels.{folder.name}.{part}")
    # a kernel from elsewhere, as tests have it
    name = f"sitecap_kernel_{folder.name}_{part}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
