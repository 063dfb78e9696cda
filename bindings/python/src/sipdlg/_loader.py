"""Finds the library and checks that it is the one that this package was written for."""

from __future__ import annotations

import ctypes as C
import ctypes.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from . import _ffi

_NAME = "libsipdlg.dylib" if sys.platform == "darwin" else "libsipdlg.so"


def candidates() -> Iterator[str]:
    """Where the library may be, best first. SIPDLG_LIBRARY, when set, is the only one."""
    if chosen := os.environ.get("SIPDLG_LIBRARY"):
        yield chosen
        return
    bundled = Path(__file__).with_name(_NAME)
    if bundled.is_file():
        yield str(bundled)
    yield ctypes.util.find_library("sipdlg") or f"{_NAME}.0"


def load() -> C.CDLL:
    """The library with its prototypes. Raises ImportError with the reason."""
    path = next(candidates())
    try:
        library = C.CDLL(path)
    except OSError as error:
        raise ImportError(f"sipdlg: cannot load {path}: {error}; SIPDLG_LIBRARY may name the library") from error
    try:
        library.sipdlg_abi_version.argtypes = []
        library.sipdlg_abi_version.restype = C.c_uint32
        found = library.sipdlg_abi_version()
        if found != _ffi.ABI_VERSION:
            raise ImportError(f"sipdlg: {path} has ABI version {found}, this package needs {_ffi.ABI_VERSION}")
        _ffi.declare(library)
    except AttributeError as error:
        raise ImportError(f"sipdlg: {path} lacks a function: {error}") from error
    return library


lib = load()
