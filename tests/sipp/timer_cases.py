"""Session timers (RFC 4028) against SIPp, in real time: the shortest interval is 90 s, so these cases take up to a minute."""
from calls import UAS_BEGIN, UAS_END, against_client, against_server, case, counters, every, first
from harness import briefs, check, same, without_100
import scenario as s

TIMER = ["Supported: timer"]
UAS_REFRESHED = [s.recv_request("UPDATE"), s.response_in_dialog("200 OK", headers=["Session-Expires: 90;refresher=uac", "Require: timer"])]


def asked(run, name, headers, *options):
    """SIPp asks for a timer; the 200 of call_server."""
    trace, words = against_server(run, name, [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp(), headers=headers), s.recv(100, optional=True), s.recv(180), s.recv(200, rrs=True),
        s.request("ACK", 1), s.request("BYE", 2), s.recv(200)], *options)
    same(counters(words)["errors"], 0, "errors")
    return first(trace, "< 200 INVITE")


@case
def server_takes_the_timer_of_its_caller(run):
    ok = asked(run, "timer_uac", TIMER + ["Session-Expires: 1800;refresher=uac"])
    same((ok.get("Session-Expires"), ok.get("Require")), ("1800;refresher=uac", "timer"), "the 200")


@case
def server_refreshes_for_a_caller_that_cannot(run):
    """Section 9, table 2: without `timer` only the callee may."""
    ok = asked(run, "timer_none", ["Session-Expires: 1800"])
    same(ok.get("Session-Expires"), "1800;refresher=uas", "the 200")
    check("Require:" not in ok.text, "Require")


@case
def server_has_no_timer_when_it_is_off(run):
    ok = asked(run, "timer_off", TIMER + ["Session-Expires: 1800"], "--session-timer", "off")
    check("Session-Expires" not in ok.text, "Session-Expires")


@case
def server_says_how_long_it_has_to_be(run):
    trace, words = against_server(run, "timer_422", [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp(), headers=TIMER + ["Session-Expires: 100"], branch="z9hG4bK-[call_id]"),
        s.recv(100, optional=True), s.recv(422), s.request("ACK", 1, in_dialog=False, branch="z9hG4bK-[call_id]").replace(
            "[remote_port]>\nCall-ID", "[remote_port]>[peer_tag_param]\nCall-ID")], "--min-se", 180)
    same((first(trace, "< 422 INVITE").get("Min-SE"), counters(words)["calls"]), ("180", 0), "the 422")


@case
def server_wants_a_timer(run):
    trace, _ = against_server(run, "timer_421", [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp(), branch="z9hG4bK-[call_id]"),
        s.recv(100, optional=True), s.recv(421), s.request("ACK", 1, in_dialog=False, branch="z9hG4bK-[call_id]").replace(
            "[remote_port]>\nCall-ID", "[remote_port]>[peer_tag_param]\nCall-ID")], "--session-timer", "required")
    same(first(trace, "< 421 INVITE").get("Require"), "timer", "Require")


@case
def client_asks_for_longer_after_422(run):
    """Section 7.3: another CSeq, the same Call-ID."""
    refusal = s.response("422 Session Interval Too Small", headers=["Min-SE: 240"])
    trace, words = against_client(run, "client_422", [s.recv_request("INVITE"), refusal, s.recv_request("ACK")] + UAS_BEGIN + UAS_END,
                                  "--session-timer", "required", "--session-interval", 120, "--refresher", "local")
    refused, again = every(trace, "< INVITE")
    same((refused.get("Session-Expires"), refused.get("Require")), ("120;refresher=uac", "timer"), "the first INVITE")
    same((again.get("Session-Expires"), again.get("Min-SE"), again.cseq()), ("240;refresher=uac", "240", refused.cseq() + 1), "the second")
    same((again.get("Call-ID"), counters(words)["completed"]), (refused.get("Call-ID"), 1), "the call")


@case
def client_refreshes_at_half_the_interval(run):
    """Section 10: by UPDATE, for the callee allows it; the host hears nothing of it."""
    answer = s.response("200 OK", body=s.sdp(), retrans=True, headers=["Allow: INVITE, ACK, BYE, UPDATE", "Require: timer",
                                                                       "Session-Expires: 90;refresher=uac"])
    trace, words = against_client(run, "client_refresh", UAS_BEGIN[:2] + [answer] + UAS_BEGIN[3:] + UAS_REFRESHED + UAS_END,
                                  "--session-interval", 90, "--duration-ms", 47000, seconds=90)
    update = first(trace, "< UPDATE")
    check(abs(update.at - first(trace, "> 200 INVITE").at - 45) < 1, f"after {update.at - first(trace, '> 200 INVITE').at:.1f} s")
    same((update.get("Session-Expires"), update.body), ("90;refresher=uac", ""), "the UPDATE")
    same(counters(words)["completed"], 1, "completed")


@case
def client_refreshes_by_reinvite(run):
    """Section 7.4: with the description as it was, where the callee takes no UPDATE."""
    timed = ["Allow: INVITE, ACK, BYE", "Require: timer", "Session-Expires: 90;refresher=uac"]
    answer = s.response("200 OK", body=s.sdp(), retrans=True, headers=timed)
    again = [s.recv_request("INVITE"), s.response_in_dialog("200 OK", body=s.sdp(), headers=timed), s.recv_request("ACK")]
    trace, words = against_client(run, "client_reinvites", UAS_BEGIN[:2] + [answer] + UAS_BEGIN[3:] + again + UAS_END,
                                  "--session-interval", 90, "--duration-ms", 47000, seconds=90)
    invite, refresh = every(trace, "< INVITE")
    same((refresh.body, refresh.cseq(), counters(words)["completed"]), (invite.body, invite.cseq() + 1, 1), "the re-INVITE")


@case
def server_leaves_a_caller_that_does_not_refresh(run):
    """Section 10: BYE at the interval less the smaller of 32 s and a third."""
    trace, words = against_server(run, "expired", [
        s.request("INVITE", 1, in_dialog=False, body=s.sdp(), headers=TIMER + ["Session-Expires: 90;refresher=uac"]),
        s.recv(100, optional=True), s.recv(180), s.recv(200, rrs=True), s.request("ACK", 1),
        s.recv_request("BYE"), s.response_in_dialog("200 OK")], seconds=90)
    after = first(trace, "< BYE").at - first(trace, "< 200 INVITE").at
    check(abs(after - 60) < 1, f"BYE after {after:.1f} s")
    same(briefs(without_100(trace))[-2:], ["< BYE", "> 200 BYE"], "the end")
