"""Changes of a call: UPDATE (RFC 3311), what our programs do at a set time, and the answers that they give to an offer."""
import re
import time

from calls import UAS_BEGIN, UAS_END, UAS_REINVITE, ack_of_rejection, against_client, against_server, case, counters, every, first, \
    one_dialog, scenario_file
from harness import briefs, check, free_port, same, without_100
import scenario as s

VIDEO = "m=video 6002 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
BYE = [s.recv_request("BYE"), s.response_in_dialog("200 OK")]
UAS_UPDATE = [s.recv_request("UPDATE"), s.response_in_dialog("200 OK", body=s.sdp(version=2))]


def direction(message):
    return [line for line in message.body.split("\n") if line in ("a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive")]


def media(message):
    return [line for line in message.body.split("\n") if line.startswith("m=")]


# ---------------------------------------------------------------- UPDATE


@case
def server_takes_an_update(run):
    """RFC 6337 pattern 6, and one that only says that the call lives."""
    trace, words = against_server(run, "update", s.placed_call() + [
        s.request("UPDATE", 2, body=s.sdp("sendonly", 2)), s.recv(200), s.request("UPDATE", 3), s.recv(200),
        s.request("BYE", 4), s.recv(200)])
    one_dialog(trace)
    answered, alive = every(trace, "< 200 UPDATE")
    same((direction(answered), alive.body), (["a=recvonly"], ""), "bodies")
    for ok in (answered, alive):
        check("<sip:" in ok.get("Contact") and "UPDATE" in ok.get("Allow"), "Contact and Allow (RFC 3311 section 5.2)")
    check("UPDATE" in first(trace, "< 200 INVITE").get("Allow"), "Allow of the 200")
    same(counters(words)["errors"], 0, "errors")


@case
def server_takes_an_update_in_an_early_dialog(run):
    """After the reliable answer and its PRACK (RFC 3311 section 5.1)."""
    trace, words = against_server(run, "early_update", [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp(), headers=["Supported: 100rel"]), s.recv(100, optional=True),
        s.recv_reliable(183), s.prack(2), s.recv(200), s.request("UPDATE", 3, body=s.sdp("sendonly", 2)), s.recv(200),
        s.recv(200, rrs=True), s.request("ACK", 1), s.request("BYE", 4), s.recv(200)], "--reliable", "--answer-delay-ms", 800)
    same(briefs(without_100(trace)), ["> INVITE", "< 183 INVITE", "> PRACK", "< 200 PRACK", "> UPDATE", "< 200 UPDATE", "< 200 INVITE",
                                      "> ACK", "> BYE", "< 200 BYE"], "trace")
    same(direction(first(trace, "< 200 UPDATE")), ["a=recvonly"], "the answer")
    same(counters(words)["errors"], 0, "errors")


@case
def server_refuses_an_early_offer(run):
    """No exchange is complete: 500 with Retry-After (RFC 3311 section 5.2)."""
    trace, _ = against_server(run, "too_early_update", [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp()), s.recv(100, optional=True), s.recv(180, rrs=True),
        s.request("UPDATE", 2, body=s.sdp("sendonly", 2)), s.recv(500), s.recv(200, rrs=True), s.request("ACK", 1),
        s.request("BYE", 3), s.recv(200)], "--answer-delay-ms", 500)
    check(1 <= int(first(trace, "< 500 UPDATE").get("Retry-After")) <= 10, "Retry-After")


@case
def server_knows_no_dialog_of_an_update(run):
    steps = [s.request("UPDATE", 7, in_dialog=False, body=s.sdp()), s.recv(481)]
    trace, _ = against_server(run, "stray_update", steps)
    same(briefs(trace), ["> UPDATE", "< 481 UPDATE"], "trace")


@case
def server_updates(run):
    trace, words = against_server(run, "server_updates", s.placed_call() + UAS_UPDATE + [s.request("BYE", 2), s.recv(200)],
                                  "--update-ms", 100)
    update = first(trace, "< UPDATE")
    check("m=audio" in update.body and "<sip:" in update.get("Contact") and "UPDATE" in update.get("Allow"), "the UPDATE")
    same(counters(words)["errors"], 0, "errors")


@case
def client_updates(run):
    trace, words = against_client(run, "client_updates", UAS_BEGIN + UAS_UPDATE + UAS_END, "--update-ms", 100)
    same(briefs(trace)[4:6], ["< UPDATE", "> 200 UPDATE"], "trace")
    one_dialog(trace)
    same(counters(words)["completed"], 1, "completed")


@case
def client_tries_an_update_again(run):
    """491: again after 2.1 to 4 s, for it owns the Call-ID (RFC 3311 section 5.1, RFC 3261 section 14.1)."""
    trace, words = against_client(run, "update_glare", UAS_BEGIN + [
        s.recv_request("UPDATE"), s.response_in_dialog("491 Request Pending")] + UAS_UPDATE + UAS_END, "--update-ms", 0)
    refused, again = every(trace, "< UPDATE")
    check(2.0 <= again.at - refused.at <= 4.3, f"after {again.at - refused.at:.1f} s")
    same((again.cseq(), again.body), (refused.cseq() + 1, refused.body), "the one after")
    same(counters(words)["completed"], 1, "completed")


@case
def client_updates_nobody_who_does_not_allow_it(run):
    answer = s.response("200 OK", body=s.sdp(), retrans=True, headers=["Allow: INVITE, ACK, BYE"])
    trace, _ = against_client(run, "no_update", UAS_BEGIN[:2] + [answer] + UAS_BEGIN[3:] + UAS_END, "--update-ms", 50, status=1)
    check("< UPDATE" not in briefs(trace), "an UPDATE")


# ---------------------------------------------------------------- at a set time


@case
def client_does_all_at_its_time(run):
    """Counted from the confirmation; BYE when all is done."""
    trace, words = against_client(run, "all_timed", UAS_BEGIN + UAS_UPDATE + UAS_REINVITE + [
        s.recv_request("MESSAGE"), s.response_in_dialog("200 OK")] + UAS_END,
        "--update-ms", 200, "--reinvite-ms", 500, "--message-ms", 800)
    ack = first(trace, "< ACK")
    for brief, due in (("< UPDATE", 0.2), ("< MESSAGE", 0.8), ("< BYE", 0.8)):
        check(abs(first(trace, brief).at - ack.at - due) < 0.25, f"{brief} after {first(trace, brief).at - ack.at:.2f} s")
    versions = [re.search(r"o=- 1 (\d+)", message.body).group(1) for message in trace
                if not message.sent and message.start.split()[0] in ("INVITE", "UPDATE")]
    same(versions, ["0", "1", "2"], "versions of the offers (RFC 3264 section 8)")
    same(counters(words)["completed"], 1, "completed")


@case
def server_does_all_at_its_time(run):
    trace, words = against_server(run, "server_timed", s.placed_call() + UAS_UPDATE + [
        s.recv_request("INVITE"), s.response_in_dialog("200 OK", body=s.sdp(version=3)), s.recv_request("ACK"),
        s.recv_request("MESSAGE"), s.response_in_dialog("200 OK")] + BYE,
        "--update-ms", 100, "--reinvite-ms", 400, "--message-ms", 700, "--bye-ms", 1000)
    check(abs(first(trace, "< BYE").at - first(trace, "> ACK").at - 1.0) < 0.25, "the time of the BYE")
    same(counters(words)["errors"], 0, "errors")


@case
def client_hangs_up_at_its_time(run):
    trace, words = against_client(run, "bye_timed", UAS_BEGIN + UAS_END, "--bye-ms", 600)
    check(abs(first(trace, "< BYE").at - first(trace, "< ACK").at - 0.6) < 0.25, "the time of the BYE")
    same(counters(words)["completed"], 1, "completed")


@case
def client_changes_one_after_another(run):
    """Due at one time: an offer at a time (RFC 3264 section 4)."""
    trace, words = against_client(run, "one_after_another", UAS_BEGIN + [s.recv_request("UPDATE"), s.pause(300)] + UAS_UPDATE[1:]
                                  + UAS_REINVITE + UAS_END, "--update-ms", 100, "--reinvite-ms", 100)
    one_dialog(trace)
    same(counters(words)["completed"], 1, "completed")


@case
def client_changes_what_waits(run):
    """A newer UPDATE takes the place of the re-INVITE that got 491."""
    trace, words = against_client(run, "newer", UAS_BEGIN + [
        s.recv_request("INVITE"), s.response_in_dialog("491 Request Pending"), s.recv_request("ACK")] + UAS_UPDATE + UAS_END,
        "--reinvite-ms", 0, "--update-ms", 400)
    same(len([brief for brief in briefs(trace) if brief == "< INVITE"]), 2, "INVITEs")
    same(counters(words)["completed"], 1, "completed")


@case
def a_transfer_by_the_programs(run):
    """The client refers the server to a third, which calls it and tells how that went (RFC 3515)."""
    third, third_port = run.server("--quiet", "--no-ring")
    server, port = run.server("--quiet", "--accept-refer")
    client = run.start("call_client", "--to", f"sip:bob@127.0.0.1:{port}", "--refer-ms", 50, "--refer-to", f"sip:carol@127.0.0.1:{third_port}")
    same(counters(run.finish(client))["completed"], 1, "completed")
    words = counters(run.stop(server))
    same((words["calls"], words["confirmed"], words["errors"]), (1, 2, 0), "the server, which was called and has called")
    same(counters(run.stop(third))["confirmed"], 1, "the third")


@case
def a_transfer_is_declined_by_default(run):
    server, port = run.server("--quiet")
    client = run.start("call_client", "--to", f"sip:bob@127.0.0.1:{port}", "--refer-ms", 0, "--refer-to", "sip:carol@127.0.0.1:9")
    check("603" in run.finish(client, status=1), "no 603")
    run.stop(server)


@case
def client_takes_the_place_of_a_call(run):
    value = "12345@192.0.2.1;to-tag=a;from-tag=b"
    trace, _ = against_client(run, "replaces", UAS_BEGIN + UAS_END, "--replaces", value)
    same(first(trace, "< INVITE").get("Replaces"), value, "Replaces")


@case
def server_cannot_call_what_is_no_sip_uri(run):
    """It is the sender's doing: 416, and no error of the server's."""
    trace, words = against_server(run, "refer_tel", s.placed_call() + [
        s.request("REFER", 2, headers=["Refer-To: <tel:+1>"]), s.recv(416), s.request("REFER", 3, headers=["Refer-To: <sips:x@127.0.0.1>"]),
        s.recv(416), s.request("BYE", 4), s.recv(200)], "--accept-refer")
    same((counters(words)["errors"], len(every(trace, "< NOTIFY"))), (0, 0), "errors, NOTIFYs")


@case
def server_takes_no_notify_of_nothing(run):
    """RFC 6665 section 4.1.3."""
    against_server(run, "stray_notify", s.placed_call() + [
        s.request("NOTIFY", 2, headers=["Event: foo", "Subscription-State: active"]), s.recv(489),
        s.request("NOTIFY", 3, headers=["Event: refer", "Subscription-State: active"], body="SIP/2.0 200 OK",
                  content_type="message/sipfrag"), s.recv(481), s.request("BYE", 4), s.recv(200)])


# ---------------------------------------------------------------- SIGTERM, giving up


def stopped_while_it_waits(run, name, *options):
    server, port = run.server("--quiet", *options)
    sipp = run.sipp(f"127.0.0.1:{port}", "-sf", scenario_file(run, name, [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp(), branch="z9hG4bK-[call_id]"), s.recv(100, optional=True), s.recv(480),
        ack_of_rejection()]), "-m", 1)
    time.sleep(0.6)
    same(counters(run.stop(server))["errors"], 0, "errors")
    same(briefs(run.finish_sipp(sipp, 10))[-1], "> ACK", "the end")


@case
def server_rejects_what_waits_when_it_is_stopped(run):
    stopped_while_it_waits(run, "stopped_before_ring", "--ring-ms", 9000)
    stopped_while_it_waits(run, "stopped_before_answer", "--no-ring", "--answer-delay-ms", 9000)


CANCELLED = [s.recv_request("CANCEL"), s.response_in_dialog("200 OK"), s.response_to_invite("487 Request Terminated").replace(
    "To: [$to]", "To: [$to];tag=[pid]s[call_number]"), s.recv_request("ACK")]


@case
def client_cancels_what_has_no_dialog_when_it_is_stopped(run):
    port = free_port()
    sipp = run.sipp("-sf", scenario_file(run, "stopped", [
        s.recv_invite(), s.response("100 Trying").replace(";tag=[pid]s[call_number]", "")] + CANCELLED), "-m", 1, port=port)
    time.sleep(0.3)
    client = run.start("call_client", "--to", f"sip:bob@127.0.0.1:{port}")
    time.sleep(0.6)
    client.terminate()
    run.finish(client, 10, status=1)
    same([brief for brief in briefs(run.finish_sipp(sipp, 10)) if brief != "< INVITE"],
         ["> 100 INVITE", "< CANCEL", "> 200 CANCEL", "> 487 INVITE", "< ACK"], "trace")


@case
def server_cancels_the_call_of_a_refer_when_it_is_stopped(run):
    port = free_port()
    target = run.sipp("-sf", scenario_file(run, "target", [
        s.recv_invite(), s.response("100 Trying").replace(";tag=[pid]s[call_number]", "")] + CANCELLED), "-m", 1, port=port, name="target")
    server, server_port = run.server("--quiet", "--accept-refer")
    client = run.start("call_client", "--to", f"sip:bob@127.0.0.1:{server_port}", "--refer-ms", 0, "--refer-to",
                       f"sip:carol@127.0.0.1:{port}", "--bye-ms", 300)
    run.finish(client, 10)
    same(counters(run.stop(server, 10))["errors"], 0, "errors")
    same(briefs(run.finish_sipp(target, 10))[-1], "< ACK", "the end")


@case
def client_that_is_stopped_has_not_heard_a_bye(run):
    port = free_port()
    sipp = run.sipp("-sf", scenario_file(run, "stopped_call", UAS_BEGIN + UAS_END), "-m", 1, port=port)
    time.sleep(0.3)
    client = run.start("call_client", "--to", f"sip:bob@127.0.0.1:{port}", "--peer-hangs-up")
    time.sleep(0.6)
    client.terminate()
    same(counters(run.finish(client, 10, status=1))["completed"], 0, "completed")
    run.finish_sipp(sipp, 10)


@case
def client_cancels_where_nothing_of_a_reliable_offer_is_left(run):
    """The answer in the PRACK first, then CANCEL; the next call goes its way meanwhile."""
    ring = s.response("183 Session Progress", body=offer(VIDEO), headers=s.reliable(1))
    trace, _ = against_client(run, "nothing_left", [
        s.recv_invite(), ring, s.recv_request("PRACK"), s.response_in_dialog("200 OK")] + CANCELLED,
        "--late-offer", "--answer-by-offer", "--bye-ms", 5000, status=1)
    same(media(first(trace, "< PRACK")), ["m=video 0 RTP/AVP 96"], "the answer")


@case
def client_takes_no_part_of_a_replaces(run):
    port = free_port()
    sipp = run.sipp("-sf", scenario_file(run, "long_replaces", UAS_BEGIN + UAS_END), "-m", 1, port=port)
    time.sleep(0.3)
    value = "x" * 900 + ";to-tag=a;from-tag=b"
    run.finish(run.start("call_client", "--to", f"sip:bob@127.0.0.1:{port}", "--replaces", value))
    same(first(run.finish_sipp(sipp), "< INVITE").get("Replaces"), value, "Replaces")
    run.finish(run.start("call_client", "--to", f"sip:bob@127.0.0.1:{port}", "--replaces", value * 2), status=2)


# ---------------------------------------------------------------- how the server rings


def rings(run, name, *options, provisional, headers=()):
    trace, words = against_server(run, name, [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp("sendonly"), headers=headers), s.recv(100, optional=True), *provisional,
        s.recv(200, rrs=True), s.request("ACK", 1), s.request("BYE", 9), s.recv(200)], *options)
    same(counters(words)["errors"], 0, "errors")
    return trace


@case
def server_rings_with_its_description(run):
    """183, unreliable: a preview that the 200 repeats (RFC 3261 section 13.2.1)."""
    trace = rings(run, "ring_183", "--ring-code", 183, provisional=[s.recv(183)])
    shown, ok = first(trace, "< 183 INVITE"), first(trace, "< 200 INVITE")
    check("RSeq:" not in shown.text, "RSeq")
    same((direction(shown), shown.body), (["a=recvonly"], ok.body), "descriptions")


@case
def server_rings_reliably_without_description(run):
    trace = rings(run, "ring_180", "--ring-code", 180, "--reliable", headers=["Supported: 100rel"],
                  provisional=[s.recv_reliable(180), s.prack(2), s.recv(200)])
    same((first(trace, "< 180 INVITE").body, direction(first(trace, "< 200 INVITE"))), ("", ["a=recvonly"]), "descriptions")


@case
def server_does_not_ring(run):
    trace = rings(run, "no_ring", "--no-ring", provisional=[])
    same(briefs(without_100(trace))[:3], ["> INVITE", "< 200 INVITE", "> ACK"], "trace")


# ---------------------------------------------------------------- answers by the offer


def offer(*lines):
    return s.sdp().split("m=audio")[0] + "".join(lines)


@case
def server_answers_by_the_offer(run):
    """RFC 3264 section 6: a line for each of the offer's, port 0 for what it does not know; the re-INVITE likewise."""
    audio = "m=audio 6000 RTP/AVP 18 8 101\na=rtpmap:101 telephone-event/8000\na=sendonly\n"
    trace, words = against_server(run, "by_offer", [
        s.request("INVITE", 1, in_dialog=False, body=offer(VIDEO, audio)), s.recv(100, optional=True), s.recv(180), s.recv(200, rrs=True),
        s.request("ACK", 1), s.request("INVITE", 2, body=offer("m=audio 6000 RTP/AVP 0\n", VIDEO)), s.recv(100, optional=True),
        s.recv(200, rrs=True), s.request("ACK", 2), s.request("UPDATE", 3, body=offer(VIDEO)), s.recv(488),
        s.request("BYE", 4), s.recv(200)], "--answer-by-offer")
    answer, change = every(trace, "< 200 INVITE")
    same(media(answer), ["m=video 0 RTP/AVP 96", "m=audio 4000 RTP/AVP 8 101"], "the answer")
    same((direction(answer), media(change)), (["a=recvonly"], ["m=audio 4000 RTP/AVP 0", "m=video 0 RTP/AVP 96"]), "the second")
    same(counters(words)["errors"], 0, "errors")


@case
def server_answers_an_odd_offer(run):
    """Each stream has a port of its own; the time is the offer's; a long line is no reason to refuse the rest."""
    long = "m=video 6002 RTP/AVP" + " 99" * 200
    body = offer("m=audio 6000/2 RTP/AVP 0\n", "m=audio 70000 RTP/AVP 0\n", long + "\n", "m=audio 6004 RTP/AVP 8\n").replace("t=0 0", "t=5 7")
    trace, words = against_server(run, "odd_offer", [
        s.request("INVITE", 1, in_dialog=False, body=body), s.recv(100, optional=True), s.recv(180), s.recv(200, rrs=True),
        s.request("ACK", 1), s.request("BYE", 2), s.recv(200)], "--answer-by-offer")
    answer = first(trace, "< 200 INVITE")
    same(media(answer), ["m=audio 4000 RTP/AVP 0", "m=audio 0 RTP/AVP 0", long.replace("6002", "0"), "m=audio 4002 RTP/AVP 8"], "the answer")
    check("t=5 7\n" in answer.body, "t= (RFC 3264 section 6)")
    same(counters(words)["errors"], 0, "errors")


@case
def server_refuses_an_offer_of_which_nothing_is_left(run):
    trace, words = against_server(run, "by_offer_488", [
        s.request("INVITE", 1, in_dialog=False, body=offer(VIDEO), branch="z9hG4bK-[call_id]"), s.recv(100, optional=True),
        s.recv(180, optional=True), s.recv(488), ack_of_rejection()], "--answer-by-offer")
    same((briefs(trace)[-1], counters(words)["errors"]), ("> ACK", 0), "the end")


@case
def client_answers_by_the_offer(run):
    """In the ACK, and to a re-INVITE."""
    answer = s.response("200 OK", body=offer("m=audio 6000 RTP/AVP 8\n", VIDEO), retrans=True)
    trace, words = against_client(run, "client_by_offer", [s.recv_request("INVITE", rrs=True, keep_addresses=True), answer, s.recv_request("ACK"),
        s.request_of_callee("INVITE", 1, body=offer(VIDEO, "m=audio 6000 RTP/AVP 0\n")), s.recv(100, optional=True), s.recv(200),
        s.request_of_callee("ACK", 1), s.request_of_callee("BYE", 2), s.recv(200)], "--late-offer", "--answer-by-offer", "--peer-hangs-up")
    same(media(first(trace, "< ACK")), ["m=audio 4000 RTP/AVP 8", "m=video 0 RTP/AVP 96"], "the answer in the ACK")
    same(media(first(trace, "< 200 INVITE")), ["m=video 0 RTP/AVP 96", "m=audio 4000 RTP/AVP 0"], "the answer to the re-INVITE")
    same(counters(words)["completed"], 1, "completed")


# ---------------------------------------------------------------- users


@case
def server_challenges_the_user_that_it_is_given(run):
    """--challenge alone: the realm is its own; --user and --password name one user."""
    server, port = run.server("--quiet", "--challenge", "--user", "alice", "--password", "wonderland")
    for number, (password, status) in enumerate((("wonderland", 0), ("wrong", 1))):
        client = run.start("call_client", "--to", f"sip:bob@127.0.0.1:{port}", "--user", "alice", "--password", password,
                           name=f"client{number}")
        run.finish(client, status=status)
    same(counters(run.stop(server))["confirmed"], 1, "confirmed")


@case
def server_answers_where_it_cannot_challenge(run):
    server, port = run.server("--quiet", "--challenge", "--algorithms", "ROT13")
    client = run.start("call_client", "--to", f"sip:bob@127.0.0.1:{port}")
    check("500" in run.finish(client, 10, status=1), "no 500")
    server.terminate()
    run.finish(server, 10, status=1)


@case
def programs_refuse_what_cannot_stand_together(run):
    for number, arguments in enumerate((["--refer-ms", 5], ["--session-timer", "maybe"], ["--refresher", ""], ["--update-ms", "x"],
                                        ["--min-se", 2 ** 32 + 90], ["--session-interval", 2 ** 32 + 90])):
        for program, more in (("call_server", []), ("call_client", ["--to", f"sip:a@127.0.0.1:{free_port()}"])):
            run.finish(run.start(program, *more, *arguments, name=f"{program}{number}"), status=2)
