"""Plays the scripts, records what the library does, and compares with what SIP.js did.

python tests/vectors/run.py --scenarios DIR --expected DIR [--rfc] [--only NAME] [--out DIR]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from compare import differences
from play import play
from script import Json

HERE = Path(__file__).parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scenarios", type=Path, default=HERE / "scenarios", help="folder of scripts")
    parser.add_argument("--expected", type=Path, default=HERE / "expected", help="folder of SIP.js's recordings")
    parser.add_argument("--rfc", action="store_true", help="judge deviating steps by deviations.toml, or leave them out")
    parser.add_argument("--only", metavar="NAME", help="this script alone")
    parser.add_argument("--out", type=Path, help="folder to write recordings into")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    passed = failed = 0
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
    for file in sorted(given.scenarios.glob("*.json")):
        text = file.read_text(encoding="utf-8")
        script: Json = json.loads(text)
        if given.only not in (None, script["name"]):
            continue
        try:
            got = play(script, text)
        except Exception as error:
            failed += 1
            print(f"{script['name']}: not played: {type(error).__name__}: {error}")
            continue
        if given.out:
            (given.out / file.name).write_text(json.dumps(got, indent=1) + "\n", encoding="utf-8")
        expected: Json = json.loads((given.expected / file.name).read_text(encoding="utf-8"))
        skip = script.get("deviating_steps", []) if given.rfc else []
        found = list(differences(expected, got, skip))
        if found:
            failed += 1
            print("\n".join([f"{script['name']}:", *(f"  {line}" for line in found)]))
        else:
            passed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
