"""Section "library": version, names of numbers."""

from __future__ import annotations

from . import _convert
from ._ffi import Effect
from ._loader import lib
from .errors import check


def version() -> str:
    """The version of the library, "0.1.0"."""
    return _convert.decode(lib.sipdlg_version())


def abi_version() -> int:
    """The ABI version of the library."""
    return int(lib.sipdlg_abi_version())


def status_text(status: int) -> str:
    """The name and meaning of a status."""
    return _convert.decode(lib.sipdlg_status_text(_convert.fits(status, "status", signed=True)))


def effect_of(method: _convert.Text, status_code: int) -> Effect:
    """What a response to a request in a dialog ends by RFC 5057 section 5; status code 0: no response."""
    return Effect(check(lib.sipdlg_effect_of(_convert.encode(method, "method"), _convert.code(status_code))))


def new_instance() -> str:
    """A new "urn:uuid:..." for `Agent.register`. A device has one for ever: keep it."""
    return _convert.text(lib.sipdlg_instance_new)
