"""Plays the scripts, records what the library does, and compares with what SIP.js did.

python tests/vectors/run.py --scenarios DIR --expected DIR [--rfc] [--only NAME] [--out DIR]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from compare import differences
from deviations import Deviation, judge, load
from play import play
from script import Json

HERE = Path(__file__).parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scenarios", type=Path, default=HERE / "scenarios", help="folder of scripts")
    parser.add_argument("--expected", type=Path, default=HERE / "expected", help="folder of SIP.js's recordings")
    parser.add_argument("--rfc", action="store_true", help="judge deviating steps by deviations.toml, or leave them out")
    parser.add_argument("--only", metavar="NAME", help="this script alone")
    parser.add_argument("--out", type=Path, help="folder to write recordings into")
    return parser.parse_args()


def verdict(expected: Json, got: Json, deviating: list[int], entries: list[Deviation]) -> Iterator[str]:
    """A line for each thing that is not as it should be. Deviating steps are not compared, entries judge them."""
    yield from differences(expected, got, {*deviating, *(step for entry in entries for step in entry.steps)})
    for entry in entries:
        if (wrong := judge(entry, expected, got)) is not None:
            yield wrong


def main() -> int:
    given = arguments()
    entries = load(HERE / "deviations.toml") if given.rfc else []
    passed = failed = used = 0
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
    for file in sorted(given.scenarios.glob("*.json")):
        text = file.read_text(encoding="utf-8")
        script: Json = json.loads(text)
        name = script["name"]
        if given.only not in (None, name):
            continue
        own = [entry for entry in entries if entry.script == name]
        deviating = script.get("deviating_steps", []) if given.rfc else []
        used += len(own)
        try:
            got = play(script, text)
            if given.out:
                (given.out / file.name).write_text(json.dumps(got, indent=1) + "\n", encoding="utf-8")
            expected: Json = json.loads((given.expected / file.name).read_text(encoding="utf-8"))
            wrong = list(verdict(expected, got, deviating, own))
        except Exception as error:
            wrong = [f"not played to its end: {type(error).__name__}: {error}"]
        passed, failed = (passed, failed + 1) if wrong else (passed + 1, failed)
        if wrong:
            print("\n".join([f"{name}:", *(f"  {line}" for line in wrong)]))
    if given.rfc:
        print(f"{used} deviations asserted, of {len(entries)} in deviations.toml")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
