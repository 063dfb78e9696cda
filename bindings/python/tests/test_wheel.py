"""What the wheel brings: version, licences, a library without what only a debugger reads."""

from __future__ import annotations

import importlib.metadata
import subprocess
import tomllib
from pathlib import Path

import sipdlg

ROOT = Path(__file__).parents[3]
CRATE = tomllib.loads((ROOT / "Cargo.toml").read_text())
FILES = importlib.metadata.files("sipdlg") or []


def licence(name: str) -> str:
    (found,) = (file for file in FILES if file.parent.name == "licenses" and file.name == name)
    return found.read_text()


def test_one_version() -> None:
    version = CRATE["package"]["version"]
    assert sipdlg.__version__ == sipdlg.version() == importlib.metadata.version("sipdlg") == version
    assert version not in (ROOT / "bindings/python/pyproject.toml").read_text()


def test_the_librarys_licence() -> None:
    assert licence("LICENSE") == (ROOT / "LICENSE").read_text()
    assert importlib.metadata.metadata("sipdlg")["License-Expression"] == "MIT"


def test_the_licences_of_what_is_linked() -> None:
    text = licence("LICENSES-linked.txt")
    chapters = {chapter.split()[0]: chapter for chapter in text.split("==== ")[1:]}
    assert set(CRATE["dependencies"]) - {"cbindgen"} <= set(chapters)
    assert "proptest" not in chapters and "cbindgen" not in chapters and "sipdlg" not in chapters
    for name, chapter in chapters.items():
        assert "ermission" in chapter and len(chapter) > 500, name


def test_the_library_is_stripped() -> None:
    library = Path(sipdlg.__file__).with_name("libsipdlg.so")
    assert library.stat().st_size < 4_200_000
    sections = subprocess.run(["readelf", "-SW", library], check=True, capture_output=True, text=True).stdout
    assert ".dynsym" in sections and ".symtab" not in sections and ".debug" not in sections
