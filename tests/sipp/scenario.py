"""SIPp scenarios, put together from their steps. Each function gives the XML of one step; `write` makes the file."""

SDP = """v=0
o=sipp 1 {version} IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 6000 RTP/AVP 0
a={direction}
"""


def sdp(direction="sendrecv", version=1):
    return SDP.format(direction=direction, version=version)


def _send(text, retrans, body, content_type):
    lines = text.strip("\n").split("\n")
    if body:
        lines.append(f"Content-Type: {content_type}")
    lines += ["Content-Length: [len]", "", body.strip("\n") + "\n" if body else ""]
    attribute = ' retrans="500"' if retrans else ""
    return f"<send{attribute}><![CDATA[\n" + "\n".join(lines) + "\n]]></send>"


def request(method, cseq, *, in_dialog=True, cseq_method=None, body=None, content_type="application/sdp", branch="[branch]",
            retrans=None, headers=()):
    """A request of the caller (SIPp's role uac), or with [next_url] in a dialog."""
    uri = "[next_url]" if in_dialog else "sip:bob@[remote_ip]:[remote_port]"
    tag = "[peer_tag_param]" if in_dialog else ""
    more = "".join(f"\n{line}" for line in headers)
    routes = "\n[routes]" if in_dialog else ""
    text = f"""{method} {uri} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}{routes}
Max-Forwards: 70
From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:bob@[remote_ip]:[remote_port]>{tag}
Call-ID: [call_id]
CSeq: {cseq} {cseq_method or method}
Contact: <sip:sipp@[local_ip]:[local_port]>{more}"""
    if retrans is None:
        retrans = method != "ACK"
    return _send(text, retrans, body, content_type)


def response(status, *, body=None, contact=True, retrans=False, headers=()):
    """A response of the called side (role uas) to the request received last."""
    text = f"""SIP/2.0 {status}
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]s[call_number]
[last_Call-ID:]
[last_CSeq:]"""
    if contact:
        text += "\nContact: <sip:[local_ip]:[local_port]>"
    text += "".join(f"\n{line}" for line in headers)
    return _send(text, retrans, body, "application/sdp")


def response_in_dialog(status, *, body=None, headers=()):
    """The same where the request has a To tag already."""
    return response(status, body=body, headers=headers).replace("[last_To:];tag=[pid]s[call_number]", "[last_To:]")


def request_of_callee(method, cseq, *, body=None):
    """A request by the called side: what was To is From now. Needs `keep_addresses` on the INVITE."""
    contact = "\nContact: <sip:[local_ip]:[local_port]>" if method == "INVITE" else ""
    return _send(f"""{method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: [$to];tag=[pid]s[call_number]
To: [$from]
Call-ID: [call_id]
CSeq: {cseq} {method}{contact}""", method != "ACK", body, "application/sdp")


def recv_request(method, *, rrs=False, keep_addresses=False, optional=False):
    inner = ""
    if keep_addresses:
        inner = ('<action><ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>'
                 '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/></action>')
    return f'<recv request="{method}"{_flags(rrs, optional)}>{inner}</recv>'


def verify(method, user, password, place, *, in_dialog):
    """The request `method` with an Authorization that SIPp itself finds right (MD5 only); else it says 403. `place`: a name of its own."""
    refuse = response_in_dialog("403 Forbidden") if in_dialog else response("403 Forbidden")
    return (f'<recv request="{method}" rrs="true"><action>'
            f'<verifyauth assign_to="{place}" username="{user}" password="{password}"/></action></recv>'
            f'<nop test="{place}" next="{place}_good"/>{refuse}<label id="{place}_good"/>')


def recv_invite():
    """The INVITE, kept for `response_to_invite`."""
    kept = "".join(f'<ereg regexp=".*" search_in="hdr" header="{name}:" assign_to="{name.lower()}"/>'
                   for name in ("Via", "From", "To", "CSeq"))
    return f'<recv request="INVITE" rrs="true"><action>{kept}</action></recv>'


def response_to_invite(status, *, body=None, headers=()):
    """A response to the INVITE that `recv_invite` kept, while other requests have come since."""
    text = response(status, body=body, retrans=status.startswith("200"), headers=headers).replace("[last_Record-Route:]\n", "")
    for name in ("Via", "From", "To", "CSeq"):
        text = text.replace(f"[last_{name}:]", f"{name}: [${name.lower()}]")
    return text


def reliable(rseq):
    """Header lines of a reliable provisional response (RFC 3262)."""
    return ["Require: 100rel", f"RSeq: {rseq}"]


def recv_reliable(status):
    """A reliable provisional response; its RSeq is kept for `prack`."""
    return (f'<recv response="{status}" rrs="true"><action>'
            '<ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" assign_to="rseq"/></action></recv>')


def prack(cseq, *, body=None):
    """PRACK of the INVITE's response that `recv_reliable` took."""
    return request("PRACK", cseq, body=body, headers=["RAck: [$rseq] 1 INVITE"])


def recv(status, *, rrs=False, optional=False):
    return f'<recv response="{status}"{_flags(rrs, optional)}></recv>'


def _flags(rrs, optional):
    return (' rrs="true"' if rrs else "") + (' optional="true"' if optional else "")


def pause(ms):
    return f'<pause milliseconds="{ms}"/>'


def write(path, name, steps):
    with open(path, "w", encoding="ascii") as file:
        file.write('<?xml version="1.0" encoding="ISO-8859-1" ?>\n')
        file.write(f'<scenario name="{name}">\n' + "\n".join(steps) + "\n</scenario>\n")


def placed_call():
    """INVITE up to the ACK, by SIPp as caller."""
    return [request("INVITE", 1, in_dialog=False, body=sdp()), recv(100, optional=True), recv(180), recv(200, rrs=True),
            request("ACK", 1)]
