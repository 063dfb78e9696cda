"""call_server, called by SIPp or by a peer that is played by hand."""
import re
import signal
import time

from calls import ack_of_rejection, against_server, case, counters, every, explained, first, one_dialog, scenario_file, SDP
from harness import Case, Peer, briefs, check, same, without_100
import scenario as s


@case
def sipp_uac_calls_server(run):
    server, port = run.server("--quiet")
    trace = run.finish_sipp(run.sipp("-sn", "uac", f"127.0.0.1:{port}", "-m", 20, "-r", 20), calls=20)
    for call_id in sorted({message.get("Call-ID") for message in trace}):
        call = without_100([message for message in trace if message.get("Call-ID") == call_id])
        same(briefs(call), ["> INVITE", "< 180 INVITE", "< 200 INVITE", "> ACK", "> BYE", "< 200 BYE"], "trace")
        one_dialog(call)
        invite, ringing, ok = call[:3]
        for answer in (ringing, ok):
            same(answer.get("Via"), invite.get("Via"), "Via")
            same(answer.get("From"), invite.get("From"), "From")
            check("<sip:" in answer.get("Contact"), "Contact")
        check("INVITE" in ok.get("Allow"), "Allow in the 200")
        same(ok.get("Content-Type"), "application/sdp", "Content-Type")
        check("m=audio" in ok.body and not ringing.body, "bodies")
    words = counters(run.stop(server))
    same((words["calls"], words["confirmed"], words["errors"]), (20, 20, 0), "counters")


@case
def server_takes_a_late_offer(run):
    trace, words = against_server(run, "late_offer", [
        s.request("INVITE", 1, in_dialog=False), s.recv(100, optional=True), s.recv(180), s.recv(200, rrs=True),
        s.request("ACK", 1, body=s.sdp()), s.request("BYE", 2), s.recv(200)])
    same(briefs(without_100(trace)), ["> INVITE", "< 180 INVITE", "< 200 INVITE", "> ACK", "> BYE", "< 200 BYE"], "trace")
    check("a=sendrecv" in first(trace, "< 200 INVITE").body, "the 200 has no offer")
    same(counters(words)["confirmed"], 1, "confirmed")


def server_is_acknowledged(run, name, offer, answer):
    """call_server --reliable: its 183, repeated until the PRACK; the 200 has no description."""
    trace, words = against_server(run, name, [
        s.request("INVITE", 1, in_dialog=False, body=offer, headers=["Supported: 100rel"]), s.recv(100, optional=True),
        s.recv_reliable(183), s.pause(1200), s.prack(2, body=answer), s.recv(200), s.recv(200, rrs=True), s.request("ACK", 1),
        s.request("BYE", 3), s.recv(200)], "--reliable", "--answer-delay-ms", 2500)
    same(briefs(without_100(trace)), ["> INVITE", "< 183 INVITE", "< 183 INVITE", "> PRACK", "< 200 PRACK", "< 200 INVITE", "> ACK",
                                      "> BYE", "< 200 BYE"], "trace")
    one_dialog(trace)
    progress, again = every(trace, "< 183 INVITE")
    same(progress.text, again.text, "the repeated 183")
    same(progress.get("Require"), "100rel", "Require")
    check(0 < int(progress.get("RSeq")) < 2 ** 31, "RSeq (RFC 3262 section 3)")
    check("m=audio" in progress.body and not first(trace, "< 200 INVITE").body, "bodies")
    words = counters(words)
    same((words["confirmed"], words["errors"]), (1, 0), "counters")
    return progress


@case
def server_answers_in_a_reliable_183(run):
    """RFC 6337 pattern 3."""
    progress = server_is_acknowledged(run, "reliable_uac", s.sdp("sendonly"), None)
    check("a=recvonly" in progress.body, "the 183 does not answer the offer")


@case
def server_offers_in_a_reliable_183(run):
    """RFC 6337 pattern 4: the answer is in the PRACK."""
    server_is_acknowledged(run, "reliable_late_offer_uac", None, s.sdp())


@case
def server_takes_reinvite_info_options(run):
    trace, _ = against_server(run, "reinvite", s.placed_call() + [
        s.request("INVITE", 2, body=s.sdp("sendonly", 2)), s.recv(100, optional=True), s.recv(200, rrs=True), s.request("ACK", 2),
        s.request("INFO", 3, body="Signal=5", content_type="application/dtmf-relay"), s.recv(200),
        s.request("OPTIONS", 4), s.recv(200),
        s.request("INVITE", 5, body=s.sdp("sendrecv", 3)), s.recv(100, optional=True), s.recv(200, rrs=True), s.request("ACK", 5),
        s.request("BYE", 6), s.recv(200)])
    one_dialog(trace)
    answers = every(trace, "< 200 INVITE")
    directions = [line for answer in answers for line in answer.body.split("\n") if line.startswith("a=") and "rtpmap" not in line]
    same(directions, ["a=sendrecv", "a=recvonly", "a=sendrecv"], "directions of the answers")
    versions = [line.split()[2] for answer in answers for line in answer.body.split("\n") if line.startswith("o=")]
    same(versions, ["0", "1", "2"], "versions of the answers (RFC 3264 section 8)")
    check("INVITE" in first(trace, "< 200 OPTIONS").get("Allow"), "Allow in the 200 to OPTIONS")


@case
def server_says_what_it_did_by_itself(run):
    """--explain: what was refused by rule, by default, and why the call ended, in this order and with its section."""
    _, words = against_server(run, "explain", s.placed_call() + [
        s.request("INFO", 2, headers=["Info-Package: foo"]), s.recv(469),
        s.request("SUBSCRIBE", 3, headers=["Event: presence"]), s.recv(489),
        s.request("OPTIONS", 4), s.recv(200),
        s.request("INFO", 2, headers=["Info-Package: bar"]), s.recv(500),
        s.request("BYE", 5), s.recv(200)], "--explain")
    same(explained(words), [("23", "469", "RFC 6086 4.2.2"), ("24", "489", "RFC 3261 8.2"), ("23", "500", "RFC 3261 12.2.2"),
                            ("2", "0", "RFC 3261 15.1.2")], "what it says that it did")
    _, words = against_server(run, "no_explain", s.placed_call() + [s.request("BYE", 2), s.recv(200)])
    check("explain" not in words, words)


def cancelled_by_sipp(run, name, option, ringing):
    steps = [s.request("INVITE", 1, in_dialog=False, body=s.sdp(), branch="z9hG4bK-[call_id]"),
             s.recv(100, optional=ringing), *([s.recv(180)] if ringing else []), s.pause(100),
             s.request("CANCEL", 1, in_dialog=False, branch="z9hG4bK-[call_id]"),
             s.recv(200), s.recv(487), ack_of_rejection()]
    trace, words = against_server(run, name, steps, option, 5000)
    middle = ["< 180 INVITE"] if ringing else []
    same(briefs(without_100(trace)), ["> INVITE", *middle, "> CANCEL", "< 200 CANCEL", "< 487 INVITE", "> ACK"], "trace")
    check(first(trace, "< 487 INVITE").tag("To"), "To tag of the 487")
    if ringing:
        same(first(trace, "< 487 INVITE").tag("To"), first(trace, "< 180 INVITE").tag("To"), "To tag of the 487")
    same((counters(words)["calls"], counters(words)["confirmed"]), (1, 0), "counters")


@case
def server_is_cancelled_before_18x(run):
    cancelled_by_sipp(run, "cancel_before", "--ring-ms", ringing=False)


@case
def server_is_cancelled_after_18x(run):
    cancelled_by_sipp(run, "cancel_after", "--answer-delay-ms", ringing=True)


@case
def server_repeats_200_and_ends_without_ack(run):
    """RFC 3261 section 13.3.1.4: T1, doubling up to T2, for 64*T1; then BYE."""
    trace, words = against_server(run, "lost_ack", [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp()), s.recv(100, optional=True), s.recv(180), s.recv(200, rrs=True),
        s.recv_request("BYE"), s.response_in_dialog("200 OK")], seconds=60)
    repeats = every(trace, "< 200 INVITE")
    same({message.text for message in repeats}, {repeats[0].text}, "repeated 200s")
    times = [round(message.at - repeats[0].at, 1) for message in repeats]
    wanted = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    same(len(times), len(wanted), f"number of 200s ({times})")
    check(all(abs(seen - at) <= 0.3 for seen, at in zip(times, wanted)), f"times of the 200s: {times}")
    bye = first(trace, "< BYE")
    check(abs(bye.at - repeats[0].at - 32) <= 0.5, f"BYE after {bye.at - repeats[0].at:.1f} s")
    same(bye.tag("From"), repeats[0].tag("To"), "From tag of the BYE")
    same(counters(words)["retransmissions sent"], 10, "retransmissions")


@case
def server_stops_repeating_at_the_ack(run):
    trace, words = against_server(run, "late_ack", [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp()), s.recv(100, optional=True), s.recv(180), s.recv(200, rrs=True),
        s.pause(1700), s.request("ACK", 1), s.pause(4500), s.request("BYE", 2), s.recv(200)])
    same(len(every(trace, "< 200 INVITE")), 3, "200s before the late ACK")
    same(counters(words)["confirmed"], 1, "confirmed")


@case
def server_absorbs_a_repeated_invite(run):
    """RFC 3261 section 17.2.1: the last provisional response again; RFC 6026 section 7.1: nothing after the 2xx."""
    server, port = run.server("--quiet", "--answer-delay-ms", 800)
    with Peer() as peer:
        peer.request("INVITE", 1, port, "a", body=SDP)
        ringing = peer.receive("< 180 INVITE")
        for _ in range(2):
            peer.request("INVITE", 1, port, "a", body=SDP)
            same(peer.receive("< 180 INVITE").text, ringing.text, "repeated 180")
        ok = peer.receive("< 200 INVITE")
        peer.request("INVITE", 1, port, "a", body=SDP)
        peer.silence(0.2)
        peer.request("ACK", 1, port, "b", to_tag=ok.tag("To"))
        peer.silence(1.5)
        peer.request("BYE", 2, port, "c", to_tag=ok.tag("To"))
        bye = peer.receive("< 200 BYE")
        peer.request("BYE", 2, port, "c", to_tag=ok.tag("To"))
        same(peer.receive("< 200 BYE").text, bye.text, "repeated 200 of the BYE")
    words = counters(run.stop(server))
    same((words["calls"], words["confirmed"], words["retransmissions received"]), (1, 1, 4), "counters")


@case
def server_knows_no_such_dialog(run):
    for method in ("BYE", "INFO", "CANCEL"):
        with Case(run.programs) as inner:
            steps = [s.request(method, 7, in_dialog=False).replace("[remote_port]>\nCall-ID", "[remote_port]>;tag=none\nCall-ID"),
                     s.recv(481)]
            trace, words = against_server(inner, method.lower(), steps)
            same(briefs(trace), [f"> {method}", f"< 481 {method}"], "trace")
            same(counters(words)["calls"], 0, "calls")


@case
def server_rejects(run):
    trace, words = against_server(run, "reject", [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp(), branch="z9hG4bK-[call_id]"), s.recv(100, optional=True), s.recv(486),
        ack_of_rejection()], "--reject", 486)
    same(briefs(without_100(trace)), ["> INVITE", "< 486 INVITE", "> ACK"], "trace")
    same(counters(words)["confirmed"], 0, "confirmed")


def redirected(run, name, status, *contacts):
    options = [word for contact in contacts for word in ("--contact", contact)]
    trace, words = against_server(run, name, [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp(), branch="z9hG4bK-[call_id]"), s.recv(100, optional=True), s.recv(status),
        ack_of_rejection()], "--reject", status, *options)
    same(briefs(without_100(trace)), ["> INVITE", f"< {status} INVITE", "> ACK"], "trace")
    same((counters(words)["confirmed"], counters(words)["errors"]), (0, 0), "counters")
    return first(trace, f"< {status} INVITE").all("Contact")


@case
def server_redirects(run):
    contacts = redirected(run, "redirect", 302, "sip:carol@192.0.2.3", "<sip:carol@192.0.2.4;transport=tcp>;q=0.5")
    same(", ".join(contacts), "sip:carol@192.0.2.3, <sip:carol@192.0.2.4;transport=tcp>;q=0.5", "Contact")


@case
def server_redirects_nowhere(run):
    same(redirected(run, "redirect_nowhere", 380), [], "Contact")


@case
def server_answers_though_its_contact_is_none(run):
    server, port = run.server("--quiet", "--reject", 302, "--contact", "nonsense")
    with Peer() as peer:
        peer.request("INVITE", 1, port, "a", body=SDP)
        refused = peer.receive("< 500 INVITE")
        peer.request("ACK", 1, port, "a", to_tag=refused.tag("To"))
    server.terminate()
    same(counters(run.finish(server, status=1))["errors"], 1, "errors")


@case
def server_says_what_is_no_redirection(run):
    wrong = [["--contact", "sip:a@b"], ["--reject", 486, "--contact", "sip:a@b"], ["--reject", 299], ["--reject", 700],
             ["--reject", 302] + 17 * ["--contact", "sip:a@b"]]
    for number, arguments in enumerate(wrong):
        run.finish(run.start("call_server", *arguments, name=f"wrong{number}"), status=2)


def due_before_the_ack(run, name, *options, ringing):
    """The caller cancels; the answer comes due before the ACK of the 487: nothing to answer, and no error."""
    _, words = against_server(run, name, [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp(), branch="z9hG4bK-[call_id]"),
        s.recv(100, optional=ringing), *([s.recv(180)] if ringing else []),
        s.request("CANCEL", 1, in_dialog=False, branch="z9hG4bK-[call_id]"),
        s.recv(200), s.recv(487), s.pause(400), ack_of_rejection(), s.pause(200)], *options)
    same((counters(words)["calls"], counters(words)["confirmed"], counters(words)["errors"]), (1, 0, 0), "counters")


@case
def server_was_to_ring_before_the_ack_of_a_487(run):
    due_before_the_ack(run, "due_ring", "--ring-ms", 250, ringing=False)


@case
def server_was_to_answer_before_the_ack_of_a_487(run):
    due_before_the_ack(run, "due_answer", "--answer-delay-ms", 250, ringing=True)
    with Case(run.programs) as inner:
        due_before_the_ack(inner, "due_answer_reliable", "--reliable", "--answer-delay-ms", 250, ringing=True)


@case
def server_was_to_change_the_call_before_the_ack_of_a_487(run):
    """A re-INVITE that is cancelled, and one whose call ends."""
    branch = "z9hG4bK-re-[call_id]"
    trace, words = against_server(run, "due_change", s.placed_call() + [
        s.request("INVITE", 2, body=s.sdp("sendonly", 2), branch=branch), s.recv(100), s.request("CANCEL", 2, branch=branch),
        s.recv(200), s.recv(487), s.pause(400), s.request("ACK", 2, branch=branch),
        s.request("INVITE", 3, body=s.sdp("sendonly", 3)), s.recv(100), s.recv(200, rrs=True), s.request("ACK", 3),
        s.request("INVITE", 4, body=s.sdp("sendrecv", 4), branch=branch + "4"), s.recv(100), s.request("BYE", 5),
        s.recv(487), s.recv(200), s.pause(400), s.request("ACK", 4, branch=branch + "4"), s.pause(200)], "--reinvite-delay-ms", 250)
    version = [line for line in every(trace, "< 200 INVITE")[1].body.split("\n") if line.startswith("o=")][0].split()[2]
    same(version, "1", "version of the answer: the cancelled one made none")
    same((counters(words)["confirmed"], counters(words)["errors"]), (1, 0), "counters")


@case
def server_ends_its_calls_on_sigterm(run):
    server, port = run.server("--quiet")
    steps = s.placed_call() + [s.recv_request("BYE"), s.response_in_dialog("200 OK")]
    sipp = run.sipp(f"127.0.0.1:{port}", "-sf", scenario_file(run, "server_bye", steps), "-m", 1)
    time.sleep(1.5)
    server.send_signal(signal.SIGTERM)
    trace = run.finish_sipp(sipp)
    same(briefs(without_100(trace))[-2:], ["< BYE", "> 200 BYE"], "the end")
    same(counters(run.finish(server))["confirmed"], 1, "confirmed")


@case
def server_has_its_reinvite_cancelled(run):
    """SIPp cancels a re-INVITE that waits for its answer: 200, 487, and the call is what it was (RFC 3261 section 14.1)."""
    branch = "z9hG4bK-re-[call_id]"
    trace, words = against_server(run, "cancel_reinvite", s.placed_call() + [
        s.request("INVITE", 2, body=s.sdp("sendonly", 2), branch=branch), s.recv(100), s.request("CANCEL", 2, branch=branch),
        s.recv(200), s.recv(487), s.request("ACK", 2, branch=branch),
        s.request("INVITE", 3, body=s.sdp("sendrecv", 3)), s.recv(100, optional=True), s.recv(200, rrs=True), s.request("ACK", 3),
        s.request("BYE", 4), s.recv(200)], "--reinvite-delay-ms", 1000)
    same(briefs(without_100(trace))[4:], ["> INVITE", "> CANCEL", "< 200 CANCEL", "< 487 INVITE", "> ACK",
                                          "> INVITE", "< 200 INVITE", "> ACK", "> BYE", "< 200 BYE"], "trace")
    dialog = first(trace, "< 200 INVITE").tag("To")
    same({first(trace, brief).tag("To") for brief in ("< 200 CANCEL", "< 487 INVITE", "< 200 BYE")}, {dialog}, "To tags")
    same([line for line in every(trace, "< 200 INVITE")[1].body.split("\n") if line.startswith("o=")][0].split()[2], "1",
         "version of the answer: the cancelled one made none")
    same((counters(words)["confirmed"], counters(words)["errors"]), (1, 0), "counters")


def server_challenges(run, name, password, steps):
    """SIPp calls, is asked for its password and answers as it can (MD5); `steps` follow its second INVITE."""
    again = s.request("INVITE", 2, in_dialog=False, body=s.sdp(), headers=[f"[authentication username=alice password={password}]"])
    refused = '<recv response="401" auth="true"/>'
    return against_server(run, name, [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp()), s.recv(100, optional=True), refused,
        s.request("ACK", 1, branch="[branch-3]"), again, s.recv(100, optional=True), *steps],
        "--challenge", "example.com", "--user", "bob:builder", "--user", "alice:wonderland", "--algorithms", "MD5")


@case
def server_challenges_its_caller(run):
    trace, words = server_challenges(run, "server_challenge", "wonderland", [
        s.recv(180), s.recv(200, rrs=True), s.request("ACK", 2), s.request("BYE", 3), s.recv(200)])
    same(briefs(without_100(trace)), ["> INVITE", "< 401 INVITE", "> ACK", "> INVITE", "< 180 INVITE", "< 200 INVITE", "> ACK", "> BYE",
                                      "< 200 BYE"], "trace")
    check("stale" not in first(trace, "< 401 INVITE").get("WWW-Authenticate"), "stale")
    words = counters(words)
    same((words["calls"], words["confirmed"], words["errors"]), (2, 1, 0), "counters")


@case
def server_refuses_a_wrong_password(run):
    trace, words = server_challenges(run, "server_refuses", "looking-glass", [s.recv(401), s.request("ACK", 2, branch="[branch-3]")])
    same(briefs(without_100(trace)), ["> INVITE", "< 401 INVITE", "> ACK"] * 2, "trace")
    check("stale" not in every(trace, "< 401 INVITE")[1].get("WWW-Authenticate"), "a wrong password is not a stale nonce")
    same(counters(words)["confirmed"], 0, "confirmed")


