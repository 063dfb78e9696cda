"""One loader: what SIPDLG_LIBRARY names and nothing else, the bundled library, the system's; another ABI is refused."""

from __future__ import annotations

import ctypes.util
import shutil
import subprocess
import sys
from pathlib import Path

import sipdlg
from sipdlg._loader import lib

PACKAGE = Path(sipdlg.__file__).parent


def load(package: Path = PACKAGE, **environment: str) -> str:
    """In a process of its own: the library's path, or the last line of the error."""
    program = "import sipdlg._loader; print(sipdlg._loader.lib._name)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(package.parent), **environment}, capture_output=True, text=True
    )
    return (done.stderr if done.returncode else done.stdout).strip().splitlines()[-1]


def test_another_abi_is_refused(tmp_path: Path) -> None:
    source, library = tmp_path / "other.c", tmp_path / "other.so"
    source.write_text("unsigned sipdlg_abi_version(void) { return 7; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    assert "ABI version 7, this package needs 0" in load(SIPDLG_LIBRARY=str(library))
    source.write_text("unsigned sipdlg_abi_version(void) { return 0; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    assert "lacks a function" in load(SIPDLG_LIBRARY=str(library))


def test_the_variable_is_obeyed_before_the_bundled_library(tmp_path: Path) -> None:
    copy = tmp_path / "mine.so"
    shutil.copy(lib._name, copy)
    assert load(SIPDLG_LIBRARY=str(copy)) == str(copy)
    assert "cannot load /nowhere/libsipdlg.so" in load(SIPDLG_LIBRARY="/nowhere/libsipdlg.so")


def test_the_bundled_library_comes_before_the_systems(tmp_path: Path) -> None:
    (tmp_path / "libsipdlg.so.0").write_text("no library")
    assert load(LD_LIBRARY_PATH=str(tmp_path)) == str(PACKAGE / "libsipdlg.so")


def test_without_a_bundled_library_the_systems_serves(tmp_path: Path) -> None:
    package, system = tmp_path / "package" / "sipdlg", tmp_path / "lib"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    system.mkdir()
    if ctypes.util.find_library("sipdlg") is None:  # else one is installed here
        assert "cannot load libsipdlg.so.0" in load(package)
    shutil.copy(lib._name, system / "libsipdlg.so.0")
    assert load(package, LD_LIBRARY_PATH=str(system)) == "libsipdlg.so.0"
