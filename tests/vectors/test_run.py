"""The runner itself: what its comparison sees, and that an assertion which SIP.js satisfies is refused."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from compare import differences
from deviations import Deviation, DeviationError, judge, load
from record import Recorder, Symbols
from script import Json, ScriptError, Text, build, substitute

HERE = Path(__file__).parent


def recording(name: str) -> Json:
    loaded: Json = json.loads((HERE / "expected" / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def changed(name: str, change: Any) -> list[str]:
    """The differences that a change of a recording makes."""
    got = recording(name)
    change(got["steps"])
    return list(differences(recording(name), got))


# ---- comparison


def test_a_recording_equals_itself() -> None:
    for file in (HERE / "expected").glob("*.json"):
        assert not list(differences(recording(file.stem), recording(file.stem))), file.name


def test_renamed_tags_are_equal() -> None:
    text = json.dumps(recording("accept-202"))
    assert "<tag-1>" in text
    renamed = json.loads(text.replace("<tag-1>", "<tag-7>").replace("<branch-1>", "<branch-4>"))
    assert not list(differences(recording("accept-202"), renamed))


def test_two_tags_are_not_one() -> None:
    text = json.dumps(recording("uas-cancel-after-2xx"))
    assert "<tag-2>" in text
    merged = json.loads(text.replace("<tag-2>", "<tag-1>"))
    assert list(differences(recording("uas-cancel-after-2xx"), merged))


def test_a_missing_message_differs() -> None:
    (line,) = changed("accept-202", lambda steps: steps[1]["out"].pop())
    assert line.startswith("step 1 (accept) messages sent: ")


def test_a_changed_status_differs() -> None:
    def change(steps: list[Json]) -> None:
        steps[1]["out"][0]["start"] = "SIP/2.0 200 OK"

    (line,) = changed("accept-202", change)
    assert "message 0 start" in line


def test_reason_phrase_and_user_agent_do_not_count() -> None:
    def change(steps: list[Json]) -> None:
        message = steps[1]["out"][0]
        message["start"] = "SIP/2.0 202 Yes"
        message["headers"]["User-Agent"] = ["another"]

    assert not changed("accept-202", change)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("message 0 time", lambda step: step["out"][0].update(t=1)),
        ("message 0 body", lambda step: step["out"][0].update(body="x")),
        ("message 0 contact", lambda step: step["out"][0]["headers"].pop("Contact")),
        ("message 0 x-new", lambda step: step["out"][0]["headers"].update({"X-New": ["1"]})),
        ("callbacks", lambda step: step["callbacks"].append({"n": 1, "t": 0, "name": "onAck", "dialog": "d1"})),
        ("error", lambda step: step.update(error="refused")),
        ("returned", lambda step: step.update(returned=True)),
        ("dialog d1 sessionState", lambda step: step["dialogs"]["d1"].update(sessionState="Confirmed")),
        ("dialog d1 localTag", lambda step: step["dialogs"]["d1"].update(localTag="other")),
        ("dialog d2", lambda step: step["dialogs"].update(d2={})),
    ],
)
def test_each_part_of_a_step_counts(what: str, change: Any) -> None:
    (line,) = changed("accept-202", lambda steps: change(steps[1]))
    assert line.startswith(f"step 1 (accept) {what}: ")


def test_a_property_that_is_not_reported_is_not_compared() -> None:
    assert not changed("accept-202", lambda steps: steps[1]["dialogs"]["d1"].pop("secure"))


def test_a_step_that_is_left_out_is_not_compared() -> None:
    got = recording("accept-202")
    got["steps"][1]["out"].clear()
    assert not list(differences(recording("accept-202"), got, {1}))


# ---- deviations


def deviation(assertion: str) -> Deviation:
    return Deviation("uac-cancel-twice", "RFC 3261 9.1", "one CANCEL", assertion, frozenset())


def ours() -> Json:
    got = recording("uac-cancel-twice")
    assert got["steps"][3]["out"], "SIP.js sends a second CANCEL"
    got["steps"][3]["out"].clear()
    return got


def test_an_assertion_is_true_of_ours_and_false_of_theirs() -> None:
    assert judge(deviation("sent(3, 'CANCEL') == 0"), recording("uac-cancel-twice"), ours()) is None


def test_an_assertion_that_sip_js_satisfies_is_refused() -> None:
    wrong = judge(deviation("sent(3, 'CANCEL') <= 1"), recording("uac-cancel-twice"), ours())
    assert wrong and "SIP.js's own recording satisfies it" in wrong


def test_an_assertion_that_ours_does_not_satisfy_fails() -> None:
    wrong = judge(deviation("sent(3, 'CANCEL') == 0"), recording("uac-cancel-twice"), recording("uac-cancel-twice"))
    assert wrong
    wrong = judge(deviation("sent(3, 'BYE') == 1"), recording("uac-cancel-twice"), ours())
    assert wrong and "is not so" in wrong


@pytest.mark.parametrize("assertion", ["sent(3, 'CANCEL')", "sent(99) == 0", "open('x')", "sent.__class__ == 1"])
def test_an_assertion_is_about_the_recording(assertion: str) -> None:
    with pytest.raises(DeviationError):
        deviation(assertion).holds(ours())


def test_each_entry_names_a_script_a_section_and_a_reason() -> None:
    for entry in load(HERE / "deviations.toml"):
        script = json.loads((HERE / "scenarios" / f"{entry.script}.json").read_text(encoding="utf-8"))
        assert entry.section and entry.reason, entry.script
        assert all(0 <= step < len(script["steps"]) for step in entry.steps), entry.script


def test_no_entry_is_satisfied_by_sip_js() -> None:
    for entry in load(HERE / "deviations.toml"):
        assert not entry.holds(recording(entry.script)), (entry.script, entry.assertion)


# ---- scripts


def test_variables() -> None:
    sent = Text.split(b'INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/WS h;branch=z9\r\nTo: "B" <sip:b@x>;tag=7\r\nCSeq: 9 INVITE\r\n\r\n')
    labels = {"inv": sent}
    line = "${inv.method} ${inv.uri} ${inv.cseq+2} ${inv.to_tag} ${inv.to_uri} ${inv.branch} ${inv.header.CSeq}"
    assert substitute(line, labels) == "INVITE sip:b@x 11 7 sip:b@x z9 9 INVITE"
    for wrong in ("${other.via}", "${inv.rseq}", "${inv}"):
        with pytest.raises(ScriptError):
            substitute(wrong, labels)
    assert build({"start": "X", "headers": ["A: 1"], "body": "é"}, {}) == b"X\r\nA: 1\r\nContent-Length: 2\r\n\r\n\xc3\xa9"


def test_repeats_and_symbols() -> None:
    recorder = Recorder(Symbols("tag=given", None))
    message = b"SIP/2.0 200 OK\r\nFrom: <sip:a@x>;tag=given\r\nTo: <sip:b@x>;tag=made\r\nContent-Length: 0\r\n\r\n"
    recorder.message(5, 0, message, False)
    recorder.callback(4, 0, "onAck")
    recorder.message(6, 500, message, True)
    taken = recorder.take()
    first, second = taken["out"]
    assert first["headers"]["From"] == ["<sip:a@x>;tag=given"] and first["headers"]["To"] == ["<sip:b@x>;tag=<tag-1>"]
    assert (second["repeat_of"], second["transport_failed"]) == (first["id"], True)
    assert [taken["callbacks"][0]["n"], first["n"], second["n"]] == [0, 1, 2]


# ---- the program


def run(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HERE / "run.py"), "--scenarios", str(folder / "s"), "--expected", str(folder / "e"), *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_last_line_and_the_exit_status(tmp_path: Path) -> None:
    for folder in ("s", "e"):
        (tmp_path / folder).mkdir()
    script = (HERE / "scenarios" / "uac-timeout-timer-b.json").read_text(encoding="utf-8")
    (tmp_path / "s" / "uac-timeout-timer-b.json").write_text(script, encoding="utf-8")
    right = copy.deepcopy(recording("uac-timeout-timer-b"))
    (tmp_path / "e" / "uac-timeout-timer-b.json").write_text(json.dumps(right), encoding="utf-8")
    out = tmp_path / "out"
    done = run(tmp_path, "--out", str(out))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "1 passed, 0 failed"), done.stdout + done.stderr
    written = json.loads((out / "uac-timeout-timer-b.json").read_text(encoding="utf-8"))
    assert not list(differences(right, written))
    right["steps"][-1]["callbacks"].clear()
    (tmp_path / "e" / "uac-timeout-timer-b.json").write_text(json.dumps(right), encoding="utf-8")
    done = run(tmp_path, "--rfc")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "0 passed, 1 failed")
    assert "callbacks" in done.stdout
    assert run(tmp_path, "--only", "no-such-script").returncode == 1
