"""What the cases share: SIPp calls one of our programs, or is called by it, by the steps of a scenario."""
import hashlib
import re
import time

from harness import briefs, check, free_port, same
import scenario as s

CASES = []
SDP = s.sdp().replace("[local_ip]", "127.0.0.1")


def case(function):
    CASES.append(function)
    return function


def scenario_file(run, name, steps):
    path = run.path(name + ".xml")
    s.write(path, name, steps)
    return path


def against_server(run, name, steps, *options, seconds=60):
    """SIPp calls call_server once, by these steps. Gives SIPp's trace and the server's last words."""
    server, port = run.server("--quiet", *options)
    sipp = run.sipp(f"127.0.0.1:{port}", "-sf", scenario_file(run, name, steps), "-m", 1)
    trace = run.finish_sipp(sipp, seconds)
    return trace, run.stop(server)


def against_client(run, name, steps, *options, seconds=60, status=0):
    """call_client calls SIPp once, which answers by these steps."""
    port = free_port()
    sipp = run.sipp("-sf", scenario_file(run, name, steps), "-m", 1, port=port)
    time.sleep(0.3)
    client = run.start("call_client", "--to", f"sip:bob@127.0.0.1:{port}", *options)
    words = run.finish(client, seconds, status)
    return run.finish_sipp(sipp, seconds), words


def explained(words):
    """Reason, status and section of what our programs say with --explain."""
    return re.findall(r"^explain \S+ \d+\.\d{6} reason (\d+), status (\d+): [^(]+ \((RFC \d+ [^)]+)\)$", words, flags=re.M)


def counters(words):
    """The last line of our programs, 'calls 1, confirmed 1, ...', as a dictionary."""
    line = [line for line in words.split("\n") if line.startswith("calls ")][-1]
    fields = [part.rsplit(" ", 1) for part in line.split(", ")]
    return {name.strip(): int(value) for name, value in fields}


def first(trace, brief):
    found = [message for message in trace if message.brief() == brief]
    check(found, f"no {brief!r} in {briefs(trace)}")
    return found[0]


def every(trace, brief):
    return [message for message in trace if message.brief() == brief]


def one_dialog(trace):
    """One Call-ID; tags never change; CSeq of each side's requests rises by one (ACK and CANCEL repeat the INVITE's)."""
    same(len({message.get("Call-ID") for message in trace}), 1, "Call-IDs")
    callers = {message.tag("From") for message in trace if message.start.startswith("INVITE") or message.method() == "INVITE"}
    same(len(callers), 1, "tags of the caller")
    callees = {message.tag("To") for message in trace if message.status() > 100 and message.method() in ("INVITE", "INFO")}
    same(len(callees), 1, "tags of the called side")
    for sent in (True, False):
        numbers = []
        for message in trace:
            if message.sent == sent and not message.status() and message.method() not in ("ACK", "CANCEL"):
                if not numbers or numbers[-1] != message.cseq():
                    numbers.append(message.cseq())
        same(numbers, list(range(numbers[0], numbers[0] + len(numbers))) if numbers else [], "CSeq numbers")


def ack_of_rejection():
    """The ACK of a final response other than 2xx to the INVITE with this branch."""
    return s.request("ACK", 1, in_dialog=False, branch="z9hG4bK-[call_id]").replace(
        "[remote_port]>\nCall-ID", "[remote_port]>[peer_tag_param]\nCall-ID")


def right_credentials(message, header, nonce, count, algorithm):
    """Recomputes the response (RFC 7616 section 3.4.1): user alice, password wonderland, qop auth."""
    line = message.get(header)
    fields = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', line)}
    def hashed(*parts):
        return hashlib.new(algorithm.lower().replace("-", "").replace("sha512256", "sha512_256"), ":".join(parts).encode()).hexdigest()
    same((fields["nonce"], fields["nc"], fields["algorithm"]), (nonce, count, algorithm), "nonce, nc, algorithm")
    same(fields["uri"], message.start.split()[1], "uri")
    first, second = hashed("alice", fields["realm"], "wonderland"), hashed(message.method(), fields["uri"])
    same(fields["response"], hashed(first, nonce, count, fields["cnonce"], "auth", second), f"response by {algorithm}")


UAS_BEGIN = [s.recv_request("INVITE", rrs=True), s.response("180 Ringing"), s.response("200 OK", body=s.sdp(), retrans=True),
             s.recv_request("ACK")]
UAS_END = [s.recv_request("BYE"), s.response_in_dialog("200 OK")]
UAS_REINVITE = [s.recv_request("INVITE"), s.response_in_dialog("200 OK", body=s.sdp()), s.recv_request("ACK")]
