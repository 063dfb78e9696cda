"""Plays a script through the package `sipdlg`: each step is a call, a message from the peer, or time that passes.

What a message means is the library's business; here are only names: of steps, of callbacks, of properties.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress

from application import Application, Dialog, body
from script import Json, ScriptError, Text, build, substitute

import sipdlg
from sipdlg import Message, StaleError

ANSWERS = ("progress", "accept", "reject", "redirect", "trying")
IN_DIALOG = ("bye", "info", "message", "notify", "refer", "prack", "invite")


def play(script: Json, text: str) -> Json:
    """The recording of a script; `text` is its file, which tells given values from random ones."""
    with Player(script, text) as player:
        steps = [player.step(number, step) for number, step in enumerate(script["steps"])]
    implementation = f"sipdlg {sipdlg.version()}"
    return {"scenario": script["name"], "topic": script.get("topic"), "implementation": implementation, "steps": steps}


class Player(Application):
    """The steps of a script."""

    def step(self, number: int, step: Json) -> Json:
        started = self.now_ms
        self.label = None
        record: Json = {"i": number, "step": title(step)}
        try:
            returned = self._act(step)
            if returned is not None:
                record["returned"] = returned
        except (sipdlg.SipdlgError, ScriptError) as error:
            record["error"] = str(error)
        self.drain()
        try:
            self._remember(step)
        except ScriptError as error:
            record.setdefault("error", str(error))
        taken = self.recorder.take()
        times = {"t_start": started, "t_end": self.now_ms}
        live = [dialog for dialog in self.dialogs.values() if not dialog.ended]
        return record | times | taken | {"core_dialogs": len(live), "dialogs": self.properties()}

    def _act(self, step: Json) -> object:
        if "recv" in step:
            data = build(step["recv"], self.labels)
            self._label(step, data)
            self.request_delegate = step.get("request_delegate", {}) is not None
            self.receive(data)
        elif "advance_ms" in step:
            self.advance(step["advance_ms"])
        elif "transport" in step:
            self.transport_works = step["transport"] == "ok"
        elif step.get("do") in ANSWERS:
            if step["request"] not in self.incoming:
                raise ScriptError(f"no request {step['request']} was delivered")
            self.answer(self.incoming[step["request"]], step | {"headers": self._headers(step)})
        elif step.get("do") in IN_DIALOG:
            self._request(step)
        else:
            return self._other(step)
        return None

    def _other(self, step: Json) -> object:
        act = getattr(self, f"_do_{step.get('do')}", None)
        if act is None:
            raise ScriptError(f"unknown step {step}")
        return act(step)

    def _label(self, step: Json, data: bytes) -> None:
        self.label = step.get("as")
        if self.label:
            self.labels[self.label] = Text.split(data)

    def _remember(self, step: Json) -> None:
        """Labels for messages that were sent."""
        sent = self.recorder.sent
        if "do" in step and "as" in step:
            for message in sent:
                if message.is_response if step["do"] in ANSWERS else is_request(message, step["do"].upper()):
                    self.labels[step["as"]] = message
                    break
        for label, which in step.get("capture", {}).items():
            for message in sent:
                if is_request(message, which["method"]) if "method" in which else message.status == which["status"]:
                    self.labels[label] = message
                    break
            else:
                raise ScriptError(f"nothing was sent to be called {label}")

    def _headers(self, step: Json) -> list[str]:
        return [substitute(line, self.labels) for line in step.get("headers") or []]

    def _dialog(self, step: Json) -> Dialog:
        if step["dialog"] not in self.dialogs:
            raise ScriptError(f"there is no dialog {step['dialog']}")
        return self.dialogs[step["dialog"]]

    # ---- requests

    def _request(self, step: Json) -> None:
        headers = self._headers(step)
        # A PRACK by the response has no delegate in SIP.js.
        delegate = None if step.get("via") == "response" else step.get("delegate", {})
        if step["do"] == "invite" and "dialog" not in step:
            self.invite(step, headers, delegate)
        else:
            self.request(self._dialog(step).session, step, headers, delegate)

    def _do_ack(self, step: Json) -> None:
        self.ack(self._dialog(step).session, self._headers(step), step.get("body"))

    def _do_cancel(self, step: Json) -> None:
        if step["request"] not in self.outgoing:
            raise ScriptError(f"no request {step['request']} was sent")
        with ended_is_done():
            self.outgoing[step["request"]].cancel(step.get("reason"), headers=self._headers(step))

    # ---- the life of objects

    def _do_dispose(self, step: Json) -> None:
        with ended_is_done():
            if step.get("core"):
                self.dispose_all()
            elif "dialog" in step:
                self._dialog(step).session.dispose()
            elif step["request"] in self.outgoing:
                self.outgoing[step["request"]].dispose()
            elif step["request"] in self.incoming:
                self.incoming[step["request"]].dispose()
            else:
                raise ScriptError(f"there is no request {step['request']}")

    def _do_confirm(self, step: Json) -> None:
        self._dialog(step).session.confirm()

    def _do_reconfirm(self, step: Json) -> None:
        self._dialog(step).session.reconfirm()

    def _do_get(self, step: Json) -> None:
        pass

    def _do_set_delegate(self, step: Json) -> None:
        self.set_delegate(self._dialog(step), step.get("delegate"))

    def _do_resolve_ack(self, step: Json) -> None:
        if not self.promises:
            raise ScriptError("no promise of onAck waits")
        self.promises.pop(0).ack_processed()

    _do_reject_ack = _do_resolve_ack

    # ---- methods beside the messages

    def _do_reliable_sequence_guard(self, step: Json) -> bool:
        with Message.parse(build(step["message"], self.labels)) as response:
            return self._dialog(step).session.reliable_sequence_guard(response)

    def _do_receive_request(self, step: Json) -> None:
        data = build(step["message"], self.labels)
        self._label(step, data)
        self._dialog(step).session.receive_request(data)

    def _do_signaling_state_rollback(self, step: Json) -> None:
        self._dialog(step).session.signaling_state_rollback()

    def _do_signaling_state_transition(self, step: Json) -> None:
        session = self._dialog(step).session
        if step["with"] == "incoming":
            with Message.parse(build(step["message"], self.labels)) as message:
                session.signaling_state_transition(message.body, True)
        else:
            session.signaling_state_transition(body(step["body"]) if step.get("body") else None, False)


def ended_is_done() -> AbstractContextManager[None]:
    """What is to be cancelled or disposed may have ended: in SIP.js, which keeps objects for ever, nothing is left to do then."""
    return suppress(StaleError)


def is_request(message: Text, method: str) -> bool:
    return not message.is_response and message.method == method


def title(step: Json) -> str:
    if "say" in step or "do" in step:
        return str(step.get("say") or step["do"])
    if "recv" in step:
        return f"recv {step['recv']['start']}"
    return f"advance {step['advance_ms']}" if "advance_ms" in step else f"transport {step.get('transport')}"
