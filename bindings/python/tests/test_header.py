"""Every number, struct and prototype in Python against include/sipdlg.h, both ways."""

from __future__ import annotations

import ctypes as C
import enum
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from sipdlg import _ffi

HEADER = (Path(__file__).parents[3] / "include" / "sipdlg.h").read_text()
SOURCE = inspect.getsource(_ffi)
CODE = re.sub(r"/\*.*?\*/|//[^\n]*", "", HEADER, flags=re.S)
ENUMS: dict[str, dict[str, int]] = {
    tag: {name: int(value) for name, value in re.findall(r"(SIPDLG_\w+) = (-?\d+)", body)}
    for tag, body in re.findall(r"typedef enum sipdlg_(\w+)_e \{(.*?)\}", CODE, re.S)
}
STRUCTS: dict[str, list[str]] = {
    name: [" ".join(field.split()) for field in body.split(";") if field.strip()]
    for name, body in re.findall(r"typedef struct (sipdlg_\w+_t) \{(.*?)\}", CODE, re.S)
}
PROTOTYPES: dict[str, tuple[str, list[str], str]] = {
    name: (
        result,
        [] if " ".join(arguments.split()) == "void" else arguments.split(","),
        f"{result}{name}({arguments})",
    )
    for result, name, arguments in re.findall(r"^((?:const )?\w+ \*?)(sipdlg_\w+)\(([^;]*)\);", CODE, re.M)
}
TOKENS = {"sipdlg_agent_t", "sipdlg_session_t", "sipdlg_incoming_t", "sipdlg_outgoing_t"}
FUNCTION_POINTERS = set(re.findall(r"typedef void \(\*(\w+)\)", CODE))
OPAQUE = {"void", "sipdlg_config_t", "sipdlg_message_t"}
NUMBERS: dict[str, Any] = {
    "int32_t": C.c_int32,
    "uint8_t": C.c_uint8,
    "uint16_t": C.c_uint16,
    "uint32_t": C.c_uint32,
    "uint64_t": C.c_uint64,
    "size_t": C.c_size_t,
    "sipdlg_status_t": C.c_int32,
    **dict.fromkeys(TOKENS, C.c_uint64),
}


PREFIXES = {
    "status": "SIPDLG_",
    "policy": "SIPDLG_",
    "session_state": "SIPDLG_SESSION_",
    "signaling_state": "SIPDLG_SIGNALING_",
    "outgoing_state": "SIPDLG_OUTGOING_",
    "event_kind": "SIPDLG_EVENT_",
    "event_flag": "SIPDLG_EVENT_",
    "fork_policy": "SIPDLG_FORK_",
    "log_level": "SIPDLG_LOG_",
    "ladder_format": "SIPDLG_LADDER_",
    "request_flag": "SIPDLG_REQUEST_",
    "register_asks": "SIPDLG_REGISTER_",
    "response_flag": "SIPDLG_RESPONSE_",
    "trace_kind": "SIPDLG_TRACE_",
    "tls_verify": "SIPDLG_TLS_VERIFY_",
}


def class_name(c_name: str) -> str:
    return "".join(word.capitalize() for word in re.sub(r"^sipdlg_|_[te]$", "", c_name).split("_"))


def ctypes_of(declaration: str) -> Any:
    """What ctypes calls a C type: char pointers are strings, pointers to what nobody looks into are numbers."""
    base = re.sub(r"\bconst\b|\*", " ", declaration).split()[0]
    stars = declaration.count("*")
    found: Any
    if base in FUNCTION_POINTERS:
        return C.c_void_p
    if stars and base == "char":
        found, stars = C.c_char_p, stars - 1
    elif stars and base in OPAQUE:
        found, stars = C.c_void_p, stars - 1
    elif base == "void":
        return None
    else:
        found = NUMBERS.get(base) or getattr(_ffi, class_name(base))
    for _ in range(stars):
        found = C.POINTER(found)
    return found


def split(declaration: str) -> tuple[str, str, int]:
    """Type, name, length of an array or 0."""
    match = re.fullmatch(r"(.*?)(\w+)(?:\[(\d+)\])?", " ".join(declaration.split()))
    assert match, declaration
    return match[1], match[2], int(match[3] or 0)


class Recorder:
    """Stands in for the library and keeps what is declared."""

    def __init__(self) -> None:
        self.functions: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return self.functions.setdefault(name, type("Function", (), {})())


RECORDER = Recorder()
_ffi.declare(RECORDER)  # type: ignore[arg-type]
DECLARED = dict(RECORDER.functions)


def test_the_header_was_understood() -> None:
    exported = set((Path(__file__).parents[3] / "tests" / "abi" / "symbols.txt").read_text().split())
    assert set(PROTOTYPES) == exported
    assert len(ENUMS) == HEADER.count("typedef enum ")
    assert len(STRUCTS) == len(re.findall(r"typedef struct \w+ \{", HEADER))


def test_versions() -> None:
    defined = dict(re.findall(r"#define (SIPDLG_\w+) (\d+)", HEADER))
    assert tuple(int(defined[f"SIPDLG_VERSION_{part}"]) for part in ("MAJOR", "MINOR", "PATCH")) == _ffi.VERSION
    assert int(defined["SIPDLG_ABI_VERSION"]) == _ffi.ABI_VERSION


@pytest.mark.parametrize("tag", ENUMS)
def test_numbers(tag: str) -> None:
    python: type[enum.IntEnum] = getattr(_ffi, class_name(tag))
    prefix = PREFIXES.get(tag, f"SIPDLG_{tag.upper()}_")
    expected = {re.sub(r"^(?=\d)", "RESPONSE_", name.removeprefix(prefix)): value for name, value in ENUMS[tag].items()}
    assert all(name.startswith(prefix) for name in ENUMS[tag])
    assert {name: member.value for name, member in python.__members__.items()} == expected


@pytest.mark.parametrize("name", STRUCTS)
def test_structs(name: str) -> None:
    python: Any = getattr(_ffi, class_name(name))
    fields: list[tuple[str, Any]] = []
    for declaration in STRUCTS[name]:
        c_type, field, length = split(declaration)
        found = ctypes_of(c_type)
        fields.append(("from_" if field == "from" else field, found * length if length else found))
    assert [(field, found) for field, found in python._fields_] == fields
    again = type("Again", (C.Structure,), {"_fields_": fields})
    assert C.sizeof(python) == C.sizeof(again)
    assert [getattr(python, field).offset for field, _ in fields] == [
        getattr(again, field).offset for field, _ in fields
    ]


def test_offsets_are_those_of_the_contract() -> None:
    """tests/abi/layout.c is compiled against the header by the project's own tests."""
    layout = (Path(__file__).parents[3] / "tests/abi/layout.c").read_text()
    sizes = re.findall(r"^SIZE\((sipdlg_\w+_t), (\d+)\)", layout, re.M)
    offsets = re.findall(r"^FIELD\((sipdlg_\w+_t), (\w+), (\d+)\)", layout, re.M)
    assert {name for name, _ in sizes} == set(STRUCTS)
    for name, size in sizes:
        assert C.sizeof(getattr(_ffi, class_name(name))) == int(size), name
    for name, field, offset in offsets:
        python = getattr(_ffi, class_name(name))
        assert getattr(python, "from_" if field == "from" else field).offset == int(offset), (name, field)


@pytest.mark.parametrize("name", PROTOTYPES)
def test_prototypes(name: str) -> None:
    result, arguments, text = PROTOTYPES[name]
    assert name in DECLARED, "missing in _ffi.py"
    python = DECLARED[name]
    assert python.argtypes == [ctypes_of(split(argument)[0]) for argument in arguments]
    assert python.restype == ctypes_of(result)
    comments = re.search(rf"((?:^    #[^\n]*\n)+)    dll\.{name}\.argtypes", SOURCE, re.M)
    assert comments, "no prototype above argtypes"
    assert re.sub(r"[\s#;]+", "", comments[1]) == re.sub(r"\s+", "", text)


def test_nothing_that_the_header_lacks() -> None:
    assert set(DECLARED) == set(PROTOTYPES)
    classes = {
        name for name, found in vars(_ffi).items() if inspect.isclass(found) and found.__module__ == _ffi.__name__
    }
    assert classes == {class_name(name) for name in (*ENUMS, *STRUCTS)}


def test_each_function_has_its_method() -> None:
    """All but those that take C callbacks, hold C pointers, or deliver to delegates."""
    package = Path(_ffi.__file__).parent
    used = set(re.findall(r"lib\.(sipdlg_\w+)", "".join(path.read_text() for path in package.glob("*.py"))))
    left_out = {name for name in PROTOTYPES if re.search(r"_set_delegate$|_set_user$|_user$|_set_log$|_set_trace$", name)}
    left_out |= {"sipdlg_agent_dispatch", "sipdlg_agent_run_once"}
    left_out |= {f"sipdlg_endpoint_{way}_sockaddr" for way in ("from", "to")}
    assert used | left_out == set(PROTOTYPES) and not used & left_out
