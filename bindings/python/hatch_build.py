"""Builds the library with cargo and puts it into the wheel, which is then one for any Python 3 on this platform."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = "libsipdlg.dylib" if sys.platform == "darwin" else "libsipdlg.so"


class LibraryHook(BuildHookInterface[Any]):
    """Called by hatchling, see pyproject.toml."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # the loader finds the library by SIPDLG_LIBRARY or in the system
        root = Path(self.root).parents[1]
        if not (root / "Cargo.toml").is_file():
            raise RuntimeError("the package is built inside the repository, next to the library's sources")
        subprocess.run([os.environ.get("CARGO", "cargo"), "build", "--release", "--locked"], cwd=root, check=True)
        library = root / os.environ.get("CARGO_TARGET_DIR", "target") / "release" / NAME
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["force_include"][str(library)] = f"sipdlg/{NAME}"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
