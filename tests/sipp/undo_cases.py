"""What tests/api/changes does, for which the call programs have no option: 199 (RFC 6228), who answered (RFC 4916), and changes
that fail after something of them was executed (RFC 6141)."""
import time

from calls import UAS_BEGIN, UAS_END, case, every, first, scenario_file
from change_cases import direction
from harness import briefs, check, free_port, same, without_100
import scenario as s

PROGRAM = "../tests-api/changes"
LONG = ["Supported: 100rel, 199, from-change", "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE"]
RINGS_TWICE = [s.request("INVITE", 1, in_dialog=False, body=s.sdp(), headers=LONG), s.recv(100, optional=True),
               s.recv(180), s.recv(180), s.recv(199), s.recv(200, rrs=True), s.request("ACK", 1)]
ANSWERED_UPDATE = [s.recv_request("UPDATE"), s.response_in_dialog("200 OK", body=s.sdp(version=9))]


def calls_it(run, name, steps):
    """SIPp calls the program; SIPp's trace and what the program said."""
    port = free_port()
    host = run.start(PROGRAM, f"udp:127.0.0.1:{port}", name="changes")
    time.sleep(0.3)
    sipp = run.sipp(f"127.0.0.1:{port}", "-sf", scenario_file(run, name, steps), "-m", 1)
    return run.finish_sipp(sipp), run.stop(host)


def is_called_by_it(run, name, steps):
    port = free_port()
    sipp = run.sipp("-sf", scenario_file(run, name, steps), "-m", 1, port=port)
    time.sleep(0.3)
    host = run.start(PROGRAM, "udp:127.0.0.1:0", f"sip:bob@127.0.0.1:{port}", name="changes")
    return run.finish_sipp(sipp), run.stop(host)


@case
def one_of_two_rings_ends_and_the_other_says_who_it_is(run):
    trace, words = calls_it(run, "rings_twice", RINGS_TWICE + [s.recv_request("UPDATE"), s.response_in_dialog("200 OK"),
                                                               s.request("BYE", 2), s.recv(200)])
    desk, hall = (message.tag("To") for message in every(trace, "< 180 INVITE"))
    gone, answer, update = first(trace, "< 199 INVITE"), first(trace, "< 200 INVITE"), first(trace, "< UPDATE")
    same((gone.tag("To"), gone.get("Reason"), gone.body), (desk, 'SIP;cause=486;text="Busy Here"', ""), "the 199 (RFC 6228 section 5)")
    same((answer.tag("To"), update.tag("From")), (hall, hall), "who answered")
    check(update.get("From").startswith("<sip:hall@example.com>"), "From of the UPDATE (RFC 4916 section 4.4.1)")
    check("from-change" in answer.get("Supported"), "Supported")
    same(words, "", "what it said")


@case
def the_peers_change_cannot_be_refused_once_it_is_executed(run):
    """RFC 6141 section 3.3: 200, and what is not wanted is undone by UPDATE after the ACK."""
    trace, words = calls_it(run, "executed", RINGS_TWICE + [s.recv_request("UPDATE"), s.response_in_dialog("200 OK"),
        s.request("INVITE", 2, body=s.sdp("sendonly", 2), headers=LONG), s.recv(100, optional=True), s.recv_reliable(183),
        s.prack(3).replace("RAck: [$rseq] 1", "RAck: [$rseq] 2"), s.recv(200), s.recv(200, rrs=True), s.request("ACK", 2)]
        + ANSWERED_UPDATE + [s.request("BYE", 4), s.recv(200)])
    tail = briefs(without_100(trace))[8:]
    same(tail, ["> INVITE", "< 183 INVITE", "> PRACK", "< 200 PRACK", "< 200 INVITE", "> ACK", "< UPDATE", "> 200 UPDATE",
                "> BYE", "< 200 BYE"], "trace")
    same([direction(message) for message in (first(trace, "< 183 INVITE"), every(trace, "< UPDATE")[1])], [["a=recvonly"], []], "descriptions")
    check("reject:" in words and "3.3" in words and "to be undone after the ACK" in words, words)


@case
def our_change_that_fails_after_its_answer_is_undone(run):
    """RFC 6141 section 3.4: the library itself sends what was before."""
    answer = s.response("200 OK", body=s.sdp(), retrans=True, headers=["Allow: INVITE, ACK, BYE, PRACK, UPDATE"])
    early = s.response_in_dialog("183 Session Progress", body=s.sdp("recvonly", 2), headers=s.reliable(77))
    refusal = s.response_to_invite("488 Not Acceptable Here").replace(";tag=[pid]s[call_number]", "")
    trace, words = is_called_by_it(run, "undone", UAS_BEGIN[:2] + [answer] + UAS_BEGIN[3:] + [
        s.recv_invite(), early, s.recv_request("PRACK"), s.response_in_dialog("200 OK"), refusal, s.recv_request("ACK")]
        + ANSWERED_UPDATE)
    hold, undo = every(trace, "< INVITE")[1], first(trace, "< UPDATE")
    same((direction(hold), direction(undo)), (["a=sendonly"], []), "the hold and what undoes it")
    same(words, "refused: 488\nresync\n", "what it said")
