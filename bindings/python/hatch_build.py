"""Builds the library with cargo and puts it into the wheel, which is then one for any Python 3 on this platform; with it
the licences of all that is linked into the library."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = "libsipdlg.dylib" if sys.platform == "darwin" else "libsipdlg.so"
CARGO = os.environ.get("CARGO", "cargo")


class LibraryHook(BuildHookInterface[Any]):
    """Called by hatchling, see pyproject.toml."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # the loader finds the library by SIPDLG_LIBRARY or in the system
        root = Path(self.root).parents[1]
        if not (root / "Cargo.toml").is_file():
            raise RuntimeError("the package is built inside the repository, next to the library's sources")
        subprocess.run([CARGO, "build", "--release", "--locked"], cwd=root, check=True)
        library = root / os.environ.get("CARGO_TARGET_DIR", "target") / "release" / NAME
        self._made = Path(tempfile.mkdtemp(prefix="sipdlg-wheel-"))
        licences = self._made / "LICENSES-linked.txt"
        licences.write_text("\n\n".join(linked_licences(root)), encoding="utf-8")
        places = {stripped(library, self._made): f"sipdlg/{NAME}"}
        for path in (licences, *rust_notices()):
            places[path] = f"sipdlg-{self.metadata.version}.dist-info/licenses/{path.name}"
        build_data["force_include"].update({str(path): place for path, place in places.items()})
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            shutil.rmtree(self._made)


def stripped(library: Path, folder: Path) -> Path:
    """The library without what only a debugger reads: a seventh of its size."""
    copy = folder / NAME
    shutil.copy(library, copy)
    subprocess.run(["strip", "-x" if sys.platform == "darwin" else "--strip-unneeded", copy], check=True)
    return copy


def linked_licences(root: Path) -> Iterator[str]:
    """The licence texts of the crates that are linked, as their sources have them."""
    rustc = subprocess.run(["rustc", "-vV"], cwd=root, check=True, capture_output=True, text=True).stdout
    host = next(line.removeprefix("host: ") for line in rustc.splitlines() if line.startswith("host: "))
    command = [CARGO, "metadata", "--locked", "--format-version", "1", "--filter-platform", host]
    told = json.loads(subprocess.run(command, cwd=root, check=True, capture_output=True).stdout)
    nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
    packages = {package["id"]: package for package in told["packages"]}
    found: set[str] = set()
    waiting = [told["resolve"]["root"]]
    while waiting:
        for needed in nodes[waiting.pop()]["deps"]:
            kind = {name for target in packages[needed["pkg"]]["targets"] for name in target["kind"]}
            linked = any(how["kind"] is None for how in needed["dep_kinds"]) and "proc-macro" not in kind
            if linked and needed["pkg"] not in found:
                found.add(needed["pkg"])
                waiting.append(needed["pkg"])
    for package in sorted((packages[id] for id in found), key=lambda package: str(package["name"])):
        yield f"==== {package['name']} {package['version']}: {package['license']}"
        texts = texts_of(Path(package["manifest_path"]).parent)
        if not texts:
            raise RuntimeError(f"{package['name']} brings no licence text")
        yield from (path.read_text(encoding="utf-8").strip() for path in texts)


def texts_of(folder: Path) -> list[Path]:
    """Of several licences to choose from MIT, as the library itself; and the notices."""
    texts = sorted(path for path in folder.iterdir() if path.name.upper().startswith(("LICEN", "COPYING")))
    chosen = [path for path in texts if path.name.upper().startswith("LICENSE-MIT")] or texts
    notices = ("COPYRIGHT", "NOTICE", "LICENSE-THIRD-PARTY")
    found = sorted(path for path in folder.iterdir() if path.name.upper().startswith(notices))
    return list(dict.fromkeys([*chosen, *found]))


def rust_notices() -> list[Path]:
    """Those of Rust's standard library, where the toolchain brings them."""
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], check=True, capture_output=True, text=True).stdout.strip()
    notices = Path(sysroot) / "share" / "doc" / "rust" / "COPYRIGHT-library.html"
    return [notices] if notices.is_file() else []
