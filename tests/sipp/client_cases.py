"""call_client, which calls SIPp or a peer that is played by hand."""
import re
import time

from calls import UAS_BEGIN, UAS_END, UAS_REINVITE, against_client, case, counters, every, explained, first, one_dialog, right_credentials, scenario_file, SDP
from harness import Peer, briefs, check, free_port, same
import scenario as s


@case
def client_calls_sipp_uas(run):
    port = free_port()
    sipp = run.sipp("-sn", "uas", "-m", 20, port=port)
    time.sleep(0.3)
    client = run.start("call_client", "--to", f"sip:service@127.0.0.1:{port}", "--calls", 20, "--rate", 20, "--quiet")
    same(counters(run.finish(client))["completed"], 20, "completed")
    trace = run.finish_sipp(sipp, calls=20)
    for call_id in sorted({message.get("Call-ID") for message in trace}):
        call = [message for message in trace if message.get("Call-ID") == call_id]
        same(briefs(call), ["< INVITE", "> 180 INVITE", "> 200 INVITE", "< ACK", "< BYE", "> 200 BYE"], "trace")
        one_dialog(call)
        invite, ack, bye = call[0], call[3], call[4]
        check("m=audio" in invite.body and not ack.body and not bye.body, "bodies")
        same((ack.cseq(), bye.cseq()), (invite.cseq(), invite.cseq() + 1), "CSeq of ACK and BYE")
        branches = [message.get("Via").split("branch=")[1].split(";")[0] for message in (invite, ack, bye)]
        same(len(set(branches)), 3, "branches")
        check(all(branch.startswith("z9hG4bK") for branch in branches), f"branches {branches}")
        for message in (invite, ack, bye):
            same(message.get("Max-Forwards"), "70", "Max-Forwards")
            check(message.start.startswith(message.method() + " sip:"), message.start)
        check("sip:" in invite.get("Contact") and "INVITE" in invite.get("Allow"), "Contact and Allow of the INVITE")


@case
def client_gives_a_late_offer(run):
    trace, _ = against_client(run, "late_offer_uas", UAS_BEGIN + UAS_END, "--late-offer")
    same(briefs(trace), ["< INVITE", "> 180 INVITE", "> 200 INVITE", "< ACK", "< BYE", "> 200 BYE"], "trace")
    check(not first(trace, "< INVITE").body, "a body in the INVITE")
    check("m=audio" in first(trace, "< ACK").body, "no answer in the ACK")
    same(first(trace, "< ACK").get("Content-Type"), "application/sdp", "Content-Type")


@case
def client_leaves_at_once_after_a_fork(run):
    """Another place rang too and says nothing more: its early dialog gets a BYE, and the program does not wait for its end."""
    other = s.response("180 Ringing").replace(";tag=[pid]s[call_number]", ";tag=other")
    begun = time.monotonic()
    trace, words = against_client(run, "fork", UAS_BEGIN[:2] + [other] + UAS_BEGIN[2:] + UAS_END * 2)
    check(time.monotonic() - begun < 15, "it waits for a dialog that was left (64*T1 is 32 s)")
    same(sorted(message.tag("To") == "other" for message in every(trace, "< BYE")), [False, True], "one BYE in each dialog")
    same(counters(words)["completed"], 1, "completed")


@case
def client_lets_a_fork_go_by_199(run):
    """RFC 6228: another place rang and is busy; a proxy says so by 199, and no BYE goes there."""
    def other(text):
        return text.replace(";tag=[pid]s[call_number]", ";tag=other")
    gone = other(s.response("199 Early Dialog Terminated", headers=['Reason: SIP;cause=486;text="Busy Here"']))
    trace, words = against_client(run, "fork_199", UAS_BEGIN[:2] + [other(s.response("180 Ringing")), gone] + UAS_BEGIN[2:] + UAS_END)
    check("199" in first(trace, "< INVITE").get("Supported").replace(" ", "").split(","), "199 in Supported")
    same([message.tag("To") == "other" for message in every(trace, "< BYE")], [False], "one BYE, in the dialog that answered")
    same(counters(words)["completed"], 1, "completed")


@case
def client_follows_the_identity_of_the_called(run):
    """RFC 4916: another From in the called side's UPDATE is To of what follows."""
    # SIPp wants every variable used.
    update = s.request_of_callee("UPDATE", 1).replace("From: [$to];tag", "Subject: [$to]\nFrom: <sip:desk@example.com>;tag")
    begin = [s.recv_request("INVITE", rrs=True, keep_addresses=True)] + UAS_BEGIN[1:]
    trace, words = against_client(run, "identity", begin + [update, s.recv(200)] + UAS_END, "--duration-ms", 1000)
    check("sip:desk@example.com" not in first(trace, "< INVITE").get("To"), "To of the INVITE")
    check(first(trace, "< BYE").get("To").startswith("<sip:desk@example.com>"), "To of the BYE")
    same(counters(words)["completed"], 1, "completed")


@case
def client_holds_resumes_sends_info(run):
    trace, _ = against_client(run, "reinvite_uas", UAS_BEGIN + UAS_REINVITE + UAS_REINVITE
                              + [s.recv_request("INFO"), s.response_in_dialog("200 OK")] + UAS_END, "--hold", "--info")
    one_dialog(trace)
    invites = every(trace, "< INVITE")
    same([message.cseq() for message in invites], list(range(invites[0].cseq(), invites[0].cseq() + 3)), "CSeq of the INVITEs")
    same([message.cseq() for message in every(trace, "< ACK")], [message.cseq() for message in invites], "CSeq of the ACKs")
    same(["sendonly" in message.body for message in invites], [False, True, False], "hold")
    versions = [line.split()[2] for message in invites for line in message.body.split("\n") if line.startswith("o=")]
    same(versions, ["0", "1", "2"], "versions of the offers (RFC 3264 section 8)")
    same(first(trace, "< INFO").get("Content-Type"), "application/dtmf-relay", "Content-Type of the INFO")


@case
def client_cancels_its_reinvite(run):
    """CANCEL only after a provisional response; after the 487 the call goes on with the next number."""
    trace, words = against_client(run, "cancelled_reinvite", UAS_BEGIN + [
        s.recv_request("INVITE"), s.pause(300), s.response_in_dialog("100 Trying"), s.recv_request("CANCEL"), s.response_in_dialog("200 OK"),
        s.response_in_dialog("487 Request Terminated").replace("[last_CSeq:]", "CSeq: 2 INVITE"), s.recv_request("ACK")] + UAS_REINVITE + UAS_END, "--hold", "--cancel-hold")
    same(briefs(trace)[4:], ["< INVITE", "> 100 INVITE", "< CANCEL", "> 200 CANCEL", "> 487 INVITE", "< ACK",
                             "< INVITE", "> 200 INVITE", "< ACK", "< BYE", "> 200 BYE"], "trace")
    invites, cancel = every(trace, "< INVITE"), first(trace, "< CANCEL")
    same((cancel.cseq(), cancel.get("Via"), cancel.get("To")), (invites[1].cseq(), invites[1].get("Via"), invites[1].get("To")), "CANCEL")
    same([message.cseq() for message in invites + [first(trace, "< BYE")]], [1, 2, 3, 4], "CSeq numbers")
    same(counters(words)["completed"], 1, "completed")


@case
def client_tries_again_after_491(run):
    """RFC 3261 section 14.1: the owner of the Call-ID waits 2.1 to 4 s, then sends a new request with the same offer."""
    trace, words = against_client(run, "glare", UAS_BEGIN + [
        s.recv_request("INVITE"), s.response_in_dialog("491 Request Pending"), s.recv_request("ACK")] + UAS_REINVITE + UAS_REINVITE + UAS_END,
        "--hold", "--explain")
    same(explained(words), [("20", "491", "RFC 3261 14.1"), ("1", "0", "RFC 3261 15")], "what it says that it did")
    same(briefs(trace)[4:], ["< INVITE", "> 491 INVITE", "< ACK", "< INVITE", "> 200 INVITE", "< ACK",
                             "< INVITE", "> 200 INVITE", "< ACK", "< BYE", "> 200 BYE"], "trace")
    invites = every(trace, "< INVITE")
    waited = invites[2].at - first(trace, "> 491 INVITE").at
    check(2.05 <= waited <= 4.3, f"waited {waited:.2f} s")
    same([message.cseq() for message in invites], [1, 2, 3, 4], "CSeq numbers")
    same(invites[2].body, invites[1].body, "the offer of the second attempt")
    check(invites[1].get("Via") != invites[2].get("Via"), "the same branch")
    one_dialog(trace)
    same(counters(words)["completed"], 1, "completed")


def client_cancels(run, name, status):
    port = free_port()
    # the transaction of the INVITE ends with 487; CANCEL has one of its own: keep the INVITE's CSeq and tag for the 487
    steps = [s.recv_request("INVITE"), s.response(status, contact=False), s.recv_request("CANCEL"),
             s.response("200 OK", contact=False),
             s.response("487 Request Terminated", contact=False, retrans=True).replace("[last_CSeq:]", "CSeq: 1 INVITE"),
             s.recv_request("ACK")]
    if status.startswith("100"):
        steps[1] = steps[1].replace("[last_To:];tag=[pid]s[call_number]", "[last_To:]")
    sipp = run.sipp("-sf", scenario_file(run, name, steps), "-m", 1, port=port)
    time.sleep(0.3)
    client = run.start("call_client", "--to", f"sip:bob@127.0.0.1:{port}", "--cancel-ms", 300)
    words = run.finish(client)
    trace = run.finish_sipp(sipp)
    same(counters(words)["completed"], 1, "completed")
    first_status = status.split()[0]
    same(briefs(trace), ["< INVITE", f"> {first_status} INVITE", "< CANCEL", "> 200 CANCEL", "> 487 INVITE", "< ACK"], "trace")
    invite, cancel, ack = first(trace, "< INVITE"), first(trace, "< CANCEL"), first(trace, "< ACK")
    for message in (cancel, ack):
        same(message.get("Via"), invite.get("Via"), "Via")
        same(message.start.split()[1], invite.start.split()[1], "Request-URI")
        same(message.cseq(), invite.cseq(), "CSeq")
    same(cancel.get("To"), invite.get("To"), "To of the CANCEL (RFC 3261 section 9.1)")


@case
def client_cancels_before_18x(run):
    client_cancels(run, "cancel_before_uas", "100 Trying")


@case
def client_cancels_after_18x(run):
    client_cancels(run, "cancel_after_uas", "180 Ringing")


@case
def client_acknowledges_each_repeated_200(run):
    with Peer() as peer:
        client = run.start("call_client", "--to", f"sip:bob@127.0.0.1:{peer.port}", "--duration-ms", 1000)
        invite = peer.receive("< INVITE")
        peer.reply(invite, "180 Ringing", tag="peer")
        peer.reply(invite, "200 OK", SDP, tag="peer")
        ack = peer.receive("< ACK")
        for _ in range(2):
            peer.silence(0.2)
            peer.reply(invite, "200 OK", SDP, tag="peer")
            same(peer.receive("< ACK").text, ack.text, "repeated ACK")
        same(ack.cseq(), invite.cseq(), "CSeq of the ACK")
        peer.reply(peer.receive("< BYE"), "200 OK")
        same(counters(run.finish(client))["completed"], 1, "completed")


@case
def client_ends_the_second_fork(run):
    """Two 2xx with different tags: each is ACKed, the second is ended with BYE (RFC 3261 section 13.2.2.4)."""
    with Peer() as peer:
        client = run.start("call_client", "--to", f"sip:bob@127.0.0.1:{peer.port}", "--duration-ms", 1000)
        invite = peer.receive("< INVITE")
        peer.reply(invite, "200 OK", SDP, tag="one")
        same(peer.receive("< ACK").tag("To"), "one", "To tag of the ACK")
        peer.reply(invite, "200 OK", SDP, tag="two")
        same(peer.receive("< ACK").tag("To"), "two", "To tag of the second ACK")
        bye = peer.receive("< BYE")
        same(bye.tag("To"), "two", "To tag of the first BYE")
        peer.reply(bye, "200 OK")
        bye = peer.receive("< BYE")
        same(bye.tag("To"), "one", "To tag of the last BYE")
        peer.reply(bye, "200 OK")
        same(counters(run.finish(client))["completed"], 1, "completed")


@case
def client_repeats_its_invite(run):
    """RFC 3261 section 17.1.1.2: timer A, 500 ms; a 1xx stops it."""
    trace, _ = against_client(run, "slow_uas", [
        s.recv_request("INVITE"), s.pause(1200), s.response("180 Ringing"), s.pause(1500), s.response("200 OK", body=s.sdp(), retrans=True),
        s.recv_request("ACK")] + UAS_END)
    invites = every(trace, "< INVITE")
    same(len(invites), 2, "INVITEs")
    same(invites[0].text, invites[1].text, "repeated INVITE")
    check(abs(invites[1].at - invites[0].at - 0.5) <= 0.2, f"repeated after {invites[1].at - invites[0].at:.2f} s")


@case
def client_is_hung_up(run):
    trace, _ = against_client(run, "peer_bye", [
        s.recv_request("INVITE", rrs=True, keep_addresses=True)] + UAS_BEGIN[1:] + [
            s.pause(200), s.request_of_callee("BYE", 1), s.recv(200)], "--peer-hangs-up")
    same(briefs(trace)[-2:], ["> BYE", "< 200 BYE"], "the end")


@case
def client_is_held_and_taken_back(run):
    """The peer's re-INVITEs, the last one without offer: then the 200 has it."""
    bodies = [(s.sdp("sendonly", 2), None), (s.sdp("sendrecv", 3), None), (None, s.sdp("sendrecv", 4))]
    changes = []
    for cseq, (offer, answer) in enumerate(bodies, 1):
        changes += [s.request_of_callee("INVITE", cseq, body=offer), s.recv(100, optional=True), s.recv(200, rrs=True),
                    s.request_of_callee("ACK", cseq, body=answer), s.pause(100)]
    trace, words = against_client(run, "held", [
        s.recv_request("INVITE", rrs=True, keep_addresses=True)] + UAS_BEGIN[1:] + changes + [
            s.request_of_callee("BYE", 4), s.recv(200)], "--peer-hangs-up")
    answers = [message.body.split("\n") for message in trace if message.brief() == "< 200 INVITE"]
    directions = [line for answer in answers for line in answer if line.startswith("a=") and "rtpmap" not in line]
    same(directions, ["a=recvonly", "a=sendrecv", "a=sendrecv"], "directions of the answers (RFC 3264 section 8.4)")
    versions = [line.split()[2] for answer in answers for line in answer if line.startswith("o=")]
    same(versions, ["1", "2", "3"], "versions of the answers (RFC 3264 section 8)")
    same(counters(words)["completed"], 1, "completed")


@case
def client_is_rejected(run):
    trace, words = against_client(run, "busy", [
        s.recv_request("INVITE"), s.response("486 Busy Here", contact=False, retrans=True), s.recv_request("ACK")], status=1)
    same(briefs(trace), ["< INVITE", "> 486 INVITE", "< ACK"], "trace")
    invite, ack = first(trace, "< INVITE"), first(trace, "< ACK")
    same(ack.get("Via"), invite.get("Via"), "Via of the ACK (RFC 3261 section 17.1.1.3)")
    check(ack.tag("To"), "To tag of the ACK")
    same(counters(words)["completed"], 0, "completed")


def client_acknowledges(run, name, steps, *options):
    """One reliable 183 with a description, its PRACK, a 200 without one."""
    trace, words = against_client(run, name, [s.recv_invite(), *steps, s.recv_request("PRACK"), s.response_in_dialog("200 OK"),
                                              s.response_to_invite("200 OK"), s.recv_request("ACK")] + UAS_END, *options)
    same(briefs(trace)[-6:], ["< PRACK", "> 200 PRACK", "> 200 INVITE", "< ACK", "< BYE", "> 200 BYE"], "the end")
    one_dialog(trace)
    pracks, ack = every(trace, "< PRACK"), first(trace, "< ACK")
    same(ack.cseq(), first(trace, "< INVITE").cseq(), "CSeq of the ACK")
    same({prack.tag("To") for prack in pracks}, {first(trace, "> 183 INVITE").tag("To")}, "To tags of the PRACKs")
    check(not ack.body, "a body in the ACK")
    same(counters(words)["completed"], 1, "completed")
    return first(trace, "< INVITE"), pracks


@case
def client_acknowledges_a_reliable_183(run):
    """RFC 3262, RFC 6337 pattern 3: the answer is in the reliable response, which is repeated; one PRACK."""
    def progress(response):
        return response("183 Session Progress", body=s.sdp(), headers=s.reliable(4711))
    invite, pracks = client_acknowledges(run, "prack_uas", [
        progress(s.response), s.recv_request("PRACK"), s.response_in_dialog("200 OK"), progress(s.response_to_invite), s.pause(200),
        s.response_to_invite("180 Ringing", headers=s.reliable(4712))])
    check("m=audio" in invite.body, "no offer in the INVITE")
    same([prack.get("RAck") for prack in pracks], ["4711 1 INVITE", "4712 1 INVITE"], "RAck")
    check(not any(prack.body for prack in pracks), "a body in a PRACK")


@case
def client_answers_an_offer_in_a_reliable_183(run):
    """RFC 6337 pattern 4: INVITE without offer, offer in the reliable response, answer in its PRACK."""
    invite, [prack] = client_acknowledges(run, "prack_late_offer_uas", [
        s.response("183 Session Progress", body=s.sdp("sendonly"), headers=s.reliable(1))], "--late-offer")
    check(not invite.body, "a body in the INVITE")
    same(prack.get("RAck"), "1 1 INVITE", "RAck")
    check("m=audio" in prack.body and "a=recvonly" in prack.body, "no answer in the PRACK")
    same(prack.get("Content-Type"), "application/sdp", "Content-Type")


def client_is_challenged(run, algorithm, proxy):
    """401, or by a proxy 407, to the INVITE; 401 to the BYE. SIPp verifies what it can: Authorization by MD5."""
    def challenge(header, nonce):
        return [f'{header}: Digest realm="sipp", nonce="{nonce}", algorithm={algorithm}, qop="auth", opaque="o"']

    def again(method, in_dialog):
        if algorithm != "MD5" or (proxy and not in_dialog):
            return s.recv_request(method, rrs=True)
        return s.verify(method, "alice", "wonderland", method.lower(), in_dialog=in_dialog)
    status = "407 Proxy Authentication Required" if proxy else "401 Unauthorized"
    header = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
    trace, words = against_client(run, "challenge_" + algorithm, [
        s.recv_request("INVITE"), s.response(status, contact=False, headers=challenge(header, "one")), s.recv_request("ACK"),
        again("INVITE", False), s.response("180 Ringing"), s.response("200 OK", body=s.sdp(), retrans=True), s.recv_request("ACK"),
        s.recv_request("BYE"), s.response_in_dialog("401 Unauthorized", headers=challenge("WWW-Authenticate", "two")),
        again("BYE", True), s.response_in_dialog("200 OK")], "--user", "alice", "--password", "wonderland")
    same(briefs(trace), ["< INVITE", f"> {status.split()[0]} INVITE", "< ACK", "< INVITE", "> 180 INVITE", "> 200 INVITE", "< ACK", "< BYE",
                         "> 401 BYE", "< BYE", "> 200 BYE"], "trace")
    invites, acks, byes = (every(trace, "< " + method) for method in ("INVITE", "ACK", "BYE"))
    same([message.cseq() for message in invites + acks + byes], [1, 2, 1, 2, 3, 4], "CSeq of INVITEs, ACKs, BYEs")
    name = "Proxy-Authorization" if proxy else "Authorization"
    right_credentials(invites[1], name, "one", "00000001", algorithm)
    same(acks[1].get(name), invites[1].get(name), "credentials of the ACK (RFC 3261 section 22.1)")
    if proxy:  # what it asked for goes with the call (RFC 3261 section 22.3)
        right_credentials(byes[0], name, "one", "00000002", algorithm)
        right_credentials(byes[1], name, "one", "00000003", algorithm)
    right_credentials(byes[1], "Authorization", "two", "00000001", algorithm)
    same(counters(words)["completed"], 1, "completed")


@case
def client_is_challenged_by_md5(run):
    client_is_challenged(run, "MD5", proxy=False)


@case
def client_is_challenged_by_md5_and_a_proxy(run):
    client_is_challenged(run, "MD5", proxy=True)


@case
def client_is_challenged_by_sha_256(run):
    client_is_challenged(run, "SHA-256", proxy=True)


@case
def client_is_challenged_by_sha_512_256(run):
    client_is_challenged(run, "SHA-512-256", proxy=False)


@case
def client_has_the_wrong_password(run):
    """The same credentials are not sent twice (RFC 3261 section 22.2): the second 401 is the end."""
    challenge = ['WWW-Authenticate: Digest realm="sipp", nonce="[call_number]", qop="auth"']
    refused = s.response("401 Unauthorized", contact=False, headers=challenge)
    trace, words = against_client(run, "wrong_password", [
        s.recv_request("INVITE"), refused, s.recv_request("ACK"),
        s.recv_request("INVITE"), refused.replace('nonce="[call_number]"', 'nonce="x"'), s.recv_request("ACK")],
        "--password", "looking-glass", status=1)
    same(briefs(trace), ["< INVITE", "> 401 INVITE", "< ACK"] * 2, "trace")
    same(counters(words)["completed"], 0, "completed")
