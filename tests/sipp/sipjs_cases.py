"""SIP.js in Node over WSS: calls call_server, and is called by the connection that its REGISTER has opened."""
import os
import shutil
import subprocess
import sys
import threading

from connection_cases import papers
from calls import case, counters
from harness import check, same

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
installing, installed = threading.Lock(), []


def phone(run, mode, port, *options):
    with installing:
        if not installed:
            subprocess.run([os.path.join(ROOT, "tests", "sipjs", "install")], check=True, timeout=300, stdin=subprocess.DEVNULL)
            installed.append(True)
    return run.start(shutil.which("node"), os.path.join(ROOT, "target", "sipjs", "phone.mjs"), mode, f"wss://localhost:{port}/sip?x=1",
                     run.path("authority.pem"), *options, name="phone")


def in_order(words, wanted, what):
    at = 0
    for line in wanted:
        at = words.find(line + "\n", at)
        check(at >= 0, f"{what}: {line!r} is missing, or comes too early, in\n{words}")


CALLING = ["connected", "INVITE 200", "INFO 200", "MESSAGE 200", "re-INVITE sendonly 200", "re-INVITE sendrecv 200"]


def called(run, hangup, by_server):
    papers(run)
    server = run.start("call_server", "--listen", "udp:127.0.0.1:0", "--listen", "wss:127.0.0.1:0", "--tls-certificate",
                       run.path("server.pem"), "--tls-key", run.path("server.key"), *by_server)
    words = run.finish(phone(run, "call", run.listening(server, "wss"), *hangup), 90)
    in_order(words, CALLING + ["terminated", "stopped"], "the phone")
    counted = counters(run.stop(server))
    same([counted[name] for name in ("calls", "confirmed", "errors")], [1, 1, 0], "counters of the server")
    return words


@case
def sipjs_calls_over_wss(run):
    check("BYE 200" in called(run, [], []), "its BYE")


@case
def sipjs_calls_over_wss_and_is_hung_up_on(run):
    check("BYE 200" not in called(run, ["--wait-bye"], ["--bye-ms", "1500"]), "no BYE of its own")


def called_by_registration(run, phone_options, registrar_options):
    papers(run)
    registrar = run.start(sys.executable, os.path.join(ROOT, "tests", "sipjs", "registrar.py"), run.path("server.pem"),
                          run.path("server.key"), *registrar_options, name="registrar")
    sipjs = phone(run, "wait", run.listening(registrar, "wss"), *phone_options)
    words = run.finish(sipjs, 90)
    in_order(words, ["registered", "established", "INFO came", "MESSAGE came: Grüße", "re-INVITE came: sendonly",
                     "re-INVITE came: sendrecv"], "the phone")
    in_order(words, ["terminated", "unregistered", "stopped"], "the phone")
    seen = run.finish(registrar)
    in_order(seen, ["registered by /sip?x=1 of https://phone.example, session=1", "INVITE 200", "INFO 200", "MESSAGE 200",
                    "INVITE 200", "INVITE 200", "TERMINATED", "unregistered"], "the registrar")
    return words


@case
def sipjs_is_called_by_its_registration(run):
    called_by_registration(run, [], [])


@case
def sipjs_is_called_and_hangs_up(run):
    words = called_by_registration(run, ["--hangup"], ["--wait-bye"])
    in_order(words, ["re-INVITE sendonly 200", "re-INVITE sendrecv 200", "BYE 200"], "the phone")
