"""A forked child ends nothing of its parent's, and hangs on nothing."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

HEAD = """
import asyncio, gc, multiprocessing, os, select, sys, threading, time, warnings
import sipdlg
from sipdlg import EventKind
warnings.simplefilter("error", ResourceWarning)

def started():
    agent = sipdlg.Agent()
    agent.listen("udp:127.0.0.1:0")
    agent.start()
    return agent

def address(agent):
    return agent.local_addresses()[0].removeprefix("udp:")

def ask(agent, other, method="OPTIONS"):
    "A request from one to the other; the event at the other."
    target = "sip:bob@" + address(other)
    agent.invite(target) if method == "INVITE" else agent.request(method, target)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        for event in other.poll_events():
            if event.kind.name == method:
                return event
        select.select([other.event_fd()], [], [], 0.05)
    raise AssertionError("nothing came")

def in_child(work):
    "Forks; the child's exit code, 99 when it hangs."
    child = os.fork()
    if child == 0:
        try:
            work()
            gc.collect()
        except BaseException as error:
            print("child:", repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return 99

def refused(call):
    try:
        call()
    except sipdlg.ForkedError:
        return
    raise AssertionError("not refused")

alice, bob = started(), started()
event = ask(alice, bob)
"""


def run(program: str) -> str:
    source = HEAD + textwrap.dedent(program)
    # A process of its own: this one has threads of other tests, and newer Pythons warn of fork() then.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


def test_what_a_child_does_with_inherited_objects() -> None:
    run(
        """
        session = ask(alice, bob, "INVITE").incoming.progress()
        ours = alice.request("MESSAGE", "sip:bob@" + address(bob), body="x")
        def work():
            assert "of another process" in repr(alice) and "of another process" in repr(event.incoming)
            for call in (alice.poll_event, alice.stats, bob.poll_event, alice.stop, event.default, event.incoming.accept):
                refused(call)
            refused(lambda: asyncio.run(anext(alice.events())))
            assert bytes(event.message).startswith(b"OPTIONS")
            with alice, event.message, event.incoming, ours, session:
                pass
            alice.close()
            assert alice.closed and repr(alice).endswith("closed>")

        assert in_child(work) == 0
        event.incoming.accept()
        assert session.state is sipdlg.SessionState.EARLY
        assert ask(alice, bob).kind is EventKind.OPTIONS
        alice.close(), bob.close()
        """
    )


def test_a_child_that_forgets_them_says_nothing_and_ends_nothing() -> None:
    run(
        """
        def work():
            global alice, bob, event
            del alice, bob, event

        assert in_child(work) == 0
        # sys.exit and the end of the interpreter in the child
        child = os.fork()
        if child == 0:
            sys.exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert ask(alice, bob).kind is EventKind.OPTIONS
        alice.close(), bob.close()
        """
    )


def test_a_child_that_was_forked_while_another_thread_polls() -> None:
    """Whatever lock that thread holds, it holds for ever in the child."""
    run(
        """
        stop = threading.Event()
        def poll():
            while not stop.is_set():
                for event in alice.poll_events():
                    event.default()
        threads = [threading.Thread(target=poll) for _ in range(2)]
        for thread in threads:
            thread.start()
        sys.setswitchinterval(1e-6)
        def work():
            refused(alice.poll_event)
            alice.close()
        codes = {in_child(work) for _ in range(15)}
        with alice._lock:
            codes.add(in_child(work))
        stop.set()
        for thread in threads:
            thread.join()
        assert codes == {0}, codes
        alice.close(), bob.close()
        """
    )


def test_a_child_leaves_the_parents_loop_alone() -> None:
    """Its registrations are shared: what the child takes out, the parent misses."""
    run(
        """
        async def parent():
            async def read():
                async for event in bob.events():
                    if event.kind is EventKind.OPTIONS:
                        return event
            def work():
                wait = bob._waiting
                bob.close()
                for thing in (wait, *gc.get_objects()):
                    if type(thing).__name__ == "Wait":
                        thing.end()
            reader = asyncio.create_task(read())
            await asyncio.sleep(0.05)
            assert in_child(work) == 0
            alice.request("OPTIONS", "sip:bob@" + address(bob))
            await asyncio.wait_for(reader, 5)

        asyncio.run(parent())
        alice.close(), bob.close()
        """
    )


def test_a_child_makes_agents_of_its_own() -> None:
    run(
        """
        def work():
            mine, other = started(), started()
            assert ask(mine, other).kind is EventKind.OPTIONS
            mine.close(), other.close()

        assert in_child(work) == 0
        assert ask(alice, bob).kind is EventKind.OPTIONS
        alice.close(), bob.close()
        """
    )


def test_multiprocessing_by_fork() -> None:
    run(
        """
        def work(agent, session, event, message):
            try:
                agent.stats()
            except sipdlg.ForkedError:
                message.close()
                sys.exit(5)

        process = multiprocessing.get_context("fork").Process(target=work, args=(alice, event.incoming, event, event.message))
        process.start()
        process.join(20)
        assert process.exitcode == 5, process.exitcode
        assert bytes(event.message).startswith(b"OPTIONS")
        event.incoming.accept()
        assert ask(alice, bob).kind is EventKind.OPTIONS
        alice.close(), bob.close()
        """
    )


@pytest.mark.parametrize("held", ["module", "cycle", "daemon", "task", "thread-local"])
def test_the_interpreter_ends_with_agents_alive(held: str) -> None:
    """Nothing is printed but a ResourceWarning where those are asked for, and nothing hangs."""
    program = """
        warnings.simplefilter("ignore", ResourceWarning)
        session = alice.request("OPTIONS", "sip:bob@" + address(bob))
        kept = [alice, bob, session, event, event.message]
        """ + {
        "module": "sys.modules['held'] = kept",
        "cycle": "kept.append(kept); del alice, bob, event",
        "daemon": """
        def poll():
            while True:
                for event in alice.poll_events():
                    event.default()
        for _ in range(3):
            threading.Thread(target=poll, daemon=True).start()
        time.sleep(0.05)""",
        "task": """
        loop = asyncio.new_event_loop()
        async def read():
            async for event in bob.events():
                pass
        task = loop.create_task(read())
        loop.run_until_complete(asyncio.sleep(0.05))
        task._log_destroy_pending = False""",
        "thread-local": "local = threading.local(); local.kept = kept; sys.modules['json'] = local",
    }[held]
    run(program)
