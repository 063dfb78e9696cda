//! The enumerations of the header. Their numbers never change. They travel as `int32_t`: an enum of C is never the type
//! of a parameter or field, because a host may put any number there.
//!
//! The constants bear their C names, so that header and source read alike.
#![allow(non_camel_case_types, missing_docs)]

/// What a function returns.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_status_e {
    SIPDLG_OK = 0,
    /// nothing to give; not an error
    SIPDLG_NONE = 1,
    /// NULL, a number out of range, an unknown enumeration value
    SIPDLG_ERR_ARGUMENT = -1,
    /// the object has ended
    SIPDLG_ERR_STALE = -2,
    /// not a token of this kind, or never one
    SIPDLG_ERR_KIND = -3,
    /// a protocol rule forbids it now; nothing was sent
    SIPDLG_ERR_STATE = -4,
    /// a URI, header, message or text form that does not parse
    SIPDLG_ERR_SYNTAX = -5,
    /// a header that only the library writes, or one that may stand once given twice; see sipdlg_request_options_t
    SIPDLG_ERR_HEADER = -6,
    /// `size` is impossible, or an unknown tail is not zero
    SIPDLG_ERR_STRUCT = -7,
    /// the buffer is too small; `needed` tells
    SIPDLG_ERR_BUFFER = -8,
    /// a configured limit is reached
    SIPDLG_ERR_LIMIT = -9,
    /// the agent is already being driven (nested or from another thread)
    SIPDLG_ERR_BUSY = -10,
    /// this build or this platform lacks it
    SIPDLG_ERR_UNSUPPORTED = -11,
    /// the operating system refused; sipdlg_last_error() ends with its errno: "(os error 98)"
    SIPDLG_ERR_SYSTEM = -12,
    /// no transport was added that can reach the target
    SIPDLG_ERR_NO_TRANSPORT = -13,
    /// snapshot or recording: checksum, version or content
    SIPDLG_ERR_CORRUPT = -14,
    /// the agent belongs to the parent process
    SIPDLG_ERR_FORKED = -15,
    SIPDLG_ERR_NO_MEMORY = -16,
    /// the agent caught a defect of its own and does nothing any more
    SIPDLG_ERR_DEFUNCT = -17,
}

/// SessionState of SIP.js. Initial is seen only between sipdlg_session_new() and the first response.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_session_state_e {
    SIPDLG_SESSION_INITIAL = 0,
    SIPDLG_SESSION_EARLY = 1,
    SIPDLG_SESSION_ACK_WAIT = 2,
    SIPDLG_SESSION_CONFIRMED = 3,
    SIPDLG_SESSION_TERMINATED = 4,
}

/// SignalingState of SIP.js (RFC 3264, RFC 6337 §2.2).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_signaling_state_e {
    SIPDLG_SIGNALING_INITIAL = 0,
    SIPDLG_SIGNALING_HAVE_LOCAL_OFFER = 1,
    SIPDLG_SIGNALING_HAVE_REMOTE_OFFER = 2,
    SIPDLG_SIGNALING_STABLE = 3,
    SIPDLG_SIGNALING_CLOSED = 4,
}

/// How far a request of ours is.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_outgoing_state_e {
    SIPDLG_OUTGOING_RESOLVING = 0,
    SIPDLG_OUTGOING_CALLING = 1,
    SIPDLG_OUTGOING_PROCEEDING = 2,
    SIPDLG_OUTGOING_WAITING_RETRY = 3,
    SIPDLG_OUTGOING_COMPLETED = 4,
}

/// Transports.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_transport_e {
    SIPDLG_TRANSPORT_ANY = 0,
    SIPDLG_TRANSPORT_UDP = 1,
    SIPDLG_TRANSPORT_TCP = 2,
    SIPDLG_TRANSPORT_TLS = 3,
    SIPDLG_TRANSPORT_WS = 4,
    SIPDLG_TRANSPORT_WSS = 5,
}

/// Kinds of events. Kind X and the delegate's function on_x are the same thing (REJECT and on_reject).
/// "Default" is what happens when no function is found and what sipdlg_event_default() does.
/// Columns: [incoming] [outgoing] [session] = tokens that are set.
/// 1 to 15: requests from the peer; answer now or later through event->incoming, where it is not 0 (not an ACK, nor a
/// NOTIFY that never came). 20 to 25: the fate of our request;
/// final ones are the last of a non-INVITE outgoing (of a REFER: NOTIFYs follow). 30 to 34: the session
/// itself. 40 and 41: the agent.
///
/// How a session ends: what caused it, STATE (TERMINATED, CLOSED), TERMINATED.
///   the peer's BYE, early too                    BYE, STATE, TERMINATED
///   the peer's CANCEL                            CANCEL, STATE, TERMINATED
///   our INVITE is refused, also after CANCEL     REJECT or REDIRECT, then of each early dialog STATE, TERMINATED
///   a 199 to our INVITE                          PROGRESS, STATE, TERMINATED (REJECTED; status_code: the cause that its
///                                                Reason has for SIP, else 199)
///   our request fails so that the dialog is gone REJECT, STATE, TERMINATED
///   no ACK came                                  ACK_TIMEOUT, STATE, TERMINATED
///   the ACK or a 2xx lacks the answer            ACK or ACCEPT, STATE, TERMINATED
///   a first 2xx names no way to send requests    ACCEPT, STATE, TERMINATED
///   sipdlg_session_bye()                         STATE, ACCEPT or REJECT of the BYE, TERMINATED
///   all else: hang-up, rejection, dispose, PRACK,
///   time-outs, challenge, next target of a name,
///   lost fork, Replaces                          STATE, TERMINATED
/// TERMINATED waits for the answer to the BYE, ours or the peer's, and for the ACK of a 2xx, or the PRACK of a 199, that
/// goes on being repeated. The fate of other requests that were under way is told after STATE; what comes after TERMINATED has
/// session 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_event_kind_e {
    /// [incoming, replaces] a new call. Default 486.
    SIPDLG_EVENT_INVITE = 1,
    /// [incoming, session] RFC 3261 §14.2. Default 488 with Warning; to one that repeats the peer's description byte for
    /// byte, as a refresh does (RFC 4028 §7.4), 200 with ours as it was.
    SIPDLG_EVENT_REINVITE = 2,
    /// [incoming, session] RFC 3311. Default 488 with an offer, 200 without.
    SIPDLG_EVENT_UPDATE = 3,
    /// [incoming, session] its RAck has matched. Default 200, with an offer 488. With the quirk PRACK_UNASKED also
    /// one that acknowledges nothing; default 481.
    SIPDLG_EVENT_PRACK = 4,
    /// [incoming, session] default 200; STATE and, once it is answered, TERMINATED follow in any case.
    SIPDLG_EVENT_BYE = 5,
    /// [incoming, session] RFC 6086: of a listed package, or without Info-Package. Default 469 with Recv-Info, but 200
    /// where it has neither Info-Package nor body. Unlisted packages are answered 469 before.
    SIPDLG_EVENT_INFO = 6,
    /// [incoming, session or 0] default 200.
    SIPDLG_EVENT_MESSAGE = 7,
    /// [incoming, session or 0, outgoing: our REFER] status_code: of the sipfrag, 0 none. Default: unknown event 489, no
    /// subscription 481 (RFC 6665 §4.1.3), else 200. Flag LAST: the last event of our REFER, whose token ends with it
    /// (or with the REFER's final response, if that comes later). LAST with incoming 0 and message NULL: it ended
    /// without a NOTIFY, and there is nothing to answer: none came in time, or its dialog is gone (DIALOG_GONE).
    SIPDLG_EVENT_NOTIFY = 8,
    /// [incoming, session or 0] malformed ones are answered 400 before. Default 603 (RFC 5057 §5.6).
    SIPDLG_EVENT_REFER = 9,
    /// [incoming, session or 0] default 489, of the package refer 403 (RFC 3515 §2.4.4). One that refreshes or ends the
    /// subscription of an accepted REFER does not come here: the library answers it.
    SIPDLG_EVENT_SUBSCRIBE = 10,
    /// [incoming] default 405.
    SIPDLG_EVENT_REGISTER = 11,
    /// [incoming, session or 0] default in a dialog 200, outside what an INVITE would get; with Allow, Accept,
    /// Supported.
    SIPDLG_EVENT_OPTIONS = 12,
    /// [incoming, session or 0] a method that is in Allow without a function of its own. Default 405; an unknown
    /// method is 501 at once.
    SIPDLG_EVENT_REQUEST = 13,
    /// [session] the ACK of our 2xx. Nothing to answer. reason NO_ANSWER_IN_2XX: it lacks the answer to our offer,
    /// which is as if never made.
    SIPDLG_EVENT_ACK = 14,
    /// [incoming, session or 0] INVITE or re-INVITE cancelled; 200 and 487 are already sent.
    SIPDLG_EVENT_CANCEL = 15,
    /// [outgoing, session or 0] 100.
    SIPDLG_EVENT_TRYING = 20,
    /// [outgoing, session] 101-199; session: the early dialog of this To tag, 0 without tag. A 199 to an INVITE ends that
    /// one (RFC 6228): STATE and TERMINATED follow, without BYE, and the INVITE goes on; its PRACK is the library's. An
    /// unreliable one of no dialog is dropped.
    SIPDLG_EVENT_PROGRESS = 21,
    /// [outgoing, session] 2xx. Default of a 2xx with an offer: ACK, then BYE. reason NO_ANSWER_IN_2XX: that of a
    /// re-INVITE lacks the answer to our offer, or brings an offer while another is open: that is as if never made. A
    /// first 2xx whose Contact or Record-Route no request can be sent to: the library sends ACK and BYE where requests
    /// went before (TERMINATED says REFUSED_BY_RULE).
    SIPDLG_EVENT_ACCEPT = 22,
    /// [outgoing, session or 0] 3xx. Nothing is followed by itself.
    SIPDLG_EVENT_REDIRECT = 23,
    /// [outgoing, session or 0] 4xx-6xx, received or made here (flag LOCAL: 408 no answer, 487 see
    /// sipdlg_outgoing_cancel(), 491 a later description of ours was sent while it waited for a refresh, or it could not
    /// go when its way was found or its turn at the next target came, 503 not sent; or with its response a retry that a
    /// newer one has replaced).
    SIPDLG_EVENT_REJECT = 24,
    /// [outgoing] 401/407 that the configured credentials cannot answer; text: realm. Default REJECT. Answer:
    /// sipdlg_outgoing_authenticate().
    SIPDLG_EVENT_CHALLENGE = 25,
    /// [session] state or signaling_state changed; the first one is the birth. With reason REFRESHED: the answer to a
    /// refresh of ours is another than before (sipdlg_session_answer()).
    SIPDLG_EVENT_STATE = 30,
    /// [session] no ACK for 64*T1 (RFC 3261 §13.3.1.4). Default BYE.
    SIPDLG_EVENT_ACK_TIMEOUT = 31,
    /// [outgoing, session] a re-INVITE or UPDATE will be sent again in delay_us: after 491, 500 or 503, or because it may
    /// not go now (sipdlg_session_invite(), sipdlg_session_update()) though credentials, a 422 or the next target would
    /// have it; flag LOCAL: nothing has refused it. sipdlg_outgoing_cancel() stops it. With the flag NEEDS_BODY
    /// it is sent only with a new body, sipdlg_outgoing_retry(), for a later description of ours was sent while it
    /// waited (RFC 3264 §8); delay_us is then the time for that, after which REJECT with the response it had follows.
    /// Default with the flag: that REJECT at once; without it nothing.
    SIPDLG_EVENT_GLARE_RETRY = 32,
    /// [session] the last event of a session, exactly once; see above. reason, status_code, message: why.
    SIPDLG_EVENT_TERMINATED = 33,
    /// [session] our re-INVITE failed after descriptions were exchanged inside it (by reliable responses, PRACK or UPDATE):
    /// ours is what it was before (RFC 3261 §14.1), the peer may use the later one. Send a re-INVITE or UPDATE with what
    /// was before (RFC 6141 §3.4), or have it sent by sipdlg_config_set_resync(). Comes after REJECT; where a retry or a newer
    /// change was to come, when that has not repaired it. Default nothing.
    SIPDLG_EVENT_RESYNC = 34,
    /// [outgoing or 0] text is a host name, never an address; query, transport, port, secure. Answer by
    /// sipdlg_agent_resolved(). Other requests of the same dialog, and those of the library's own, may wait for the same answer.
    /// Default with the library's sockets: RFC 3263 with NAPTR, SRV, A and AAAA, of what these sockets reach, answered after 30 s
    /// at the latest; see sipdlg_config_set_resolver(). Else no target.
    SIPDLG_EVENT_RESOLVE = 40,
    /// [incoming, or session, or neither] a response or an ACK could not be sent.
    SIPDLG_EVENT_TRANSPORT_ERROR = 41,
    /// [session] the link that carried its dialog is gone: sipdlg_agent_link_closed(); query: the link. [none] one by which a
    /// registrar has our Contact: REGISTER again. Default nothing.
    SIPDLG_EVENT_LINK_LOST = 42,
}

/// Methods, in events.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_method_e {
    SIPDLG_METHOD_NONE = 0,
    SIPDLG_METHOD_INVITE = 1,
    SIPDLG_METHOD_ACK = 2,
    SIPDLG_METHOD_BYE = 3,
    SIPDLG_METHOD_CANCEL = 4,
    SIPDLG_METHOD_UPDATE = 5,
    SIPDLG_METHOD_PRACK = 6,
    SIPDLG_METHOD_INFO = 7,
    SIPDLG_METHOD_MESSAGE = 8,
    SIPDLG_METHOD_NOTIFY = 9,
    SIPDLG_METHOD_REFER = 10,
    SIPDLG_METHOD_SUBSCRIBE = 11,
    SIPDLG_METHOD_REGISTER = 12,
    SIPDLG_METHOD_OPTIONS = 13,
    SIPDLG_METHOD_PUBLISH = 14,
    SIPDLG_METHOD_OTHER = 15,
}

/// Bits of sipdlg_event_t.flags.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_event_flag_e {
    /// status_code was made here (time-out 408, cancelled 487, overtaken 491, transport 503), message is NULL; or REJECT of a
    /// retry that a newer request has replaced, with the response it had
    SIPDLG_EVENT_LOCAL = 1,
    /// PROGRESS that wants a PRACK (RFC 3262)
    SIPDLG_EVENT_RELIABLE = 2,
    /// ... and the library leaves it to the host (manual, or it carries an offer)
    SIPDLG_EVENT_NEEDS_PRACK = 4,
    /// ACCEPT whose ACK is left to the host (manual, or it carries an offer)
    SIPDLG_EVENT_NEEDS_ACK = 8,
    /// INVITE whose Replaces says early-only; already checked
    SIPDLG_EVENT_EARLY_ONLY = 16,
    /// GLARE_RETRY: only with a new body, sipdlg_outgoing_retry()
    SIPDLG_EVENT_NEEDS_BODY = 32,
    /// NOTIFY: the subscription of our REFER ends with it
    SIPDLG_EVENT_LAST = 64,
}

/// Why the library did something by itself: in events, in sipdlg_explain_entry_t (sipdlg_session_explain()), and by name
/// in lines of the log. Up to 13 why a session ended, as TERMINATED says; "also": acts that end none. From 20 on acts that
/// end none; "end": what also ends one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_reason_e {
    /// nothing to tell
    SIPDLG_REASON_NONE = 0,
    /// the host's hang-up or BYE
    SIPDLG_REASON_LOCAL_HANGUP = 1,
    /// the peer's BYE
    SIPDLG_REASON_REMOTE_BYE = 2,
    /// a final response other than 2xx to the INVITE, by whichever side; a 199; the next target of a name was tried, or a
    /// 422 answered by another INVITE
    SIPDLG_REASON_REJECTED = 3,
    /// CANCEL, ours or the peer's. Also: our INVITE's Expires passed, or no final response followed a CANCEL (RFC 3261
    /// §9.1)
    SIPDLG_REASON_CANCELLED = 4,
    /// no ACK to our 2xx in 64*T1 (RFC 3261 §13.3.1.4), then BYE. Also: the 2xx is repeated no more
    SIPDLG_REASON_ACK_TIMEOUT = 5,
    /// no refresh in time (RFC 4028 §10)
    SIPDLG_REASON_SESSION_EXPIRED = 6,
    /// 408, 481 or no answer in the dialog, RFC 5057
    SIPDLG_REASON_DIALOG_GONE = 7,
    /// another fork was first. Also: a 2xx of a fork without session was answered by ACK and BYE (in the session that was)
    SIPDLG_REASON_FORK_LOST = 8,
    /// another call took its place (RFC 3891)
    SIPDLG_REASON_REPLACED = 9,
    /// sipdlg_session_dispose(), sipdlg_outgoing_dispose()
    SIPDLG_REASON_DISPOSED = 10,
    /// the host did not answer the INVITE in time, or in the time of its Expires. Also: an UPDATE with an offer (504)
    SIPDLG_REASON_ANSWER_TIMEOUT = 11,
    /// no PRACK to our reliable response in 64*T1 (RFC 3262 §3). Also: of a re-INVITE, which is refused for it (504); a
    /// PRACK that the library sent was refused, and does not go out again
    SIPDLG_REASON_PRACK_TIMEOUT = 12,
    /// the first 2xx, ACK or PRACK that had to bring the answer to our offer did not. Also: a later one
    SIPDLG_REASON_NO_ANSWER_IN_2XX = 13,
    /// a re-INVITE or UPDATE of ours waits to be sent again: 491, or 500 or 503 with Retry-After, or it may not go now (RFC
    /// 3261 §14.1)
    SIPDLG_REASON_GLARE_RETRY = 20,
    /// 401 or 407: sent again with credentials. End: of an early dialog of the INVITE that is sent again
    SIPDLG_REASON_AUTHENTICATED = 21,
    /// a refresh of ours was accepted, or not: status_code (RFC 4028)
    SIPDLG_REASON_REFRESHED = 22,
    /// a message of the peer's was refused, dropped or taken in part, or a limit reached: each that has a counter in
    /// sipdlg_stats_t. End: a first 2xx that names no way to send requests
    SIPDLG_REASON_REFUSED_BY_RULE = 23,
    /// the default of an event (enum sipdlg_event_kind_e), but 200 to BYE, PRACK and OPTIONS. End: 486 to an INVITE; BYE
    /// after a 2xx with an offer
    SIPDLG_REASON_DEFAULT_ANSWER = 24,
    /// a request of ours went on to the next target (RFC 3263 §4.3), was not answered (408) or not sent (503); a response
    /// or an ACK could not be sent
    SIPDLG_REASON_TRANSPORT = 25,
    /// sent again after 422 with the interval that it wants (RFC 4028 §7.3), or the description of before after a failed
    /// re-INVITE (sipdlg_config_set_resync())
    SIPDLG_REASON_SENT_AGAIN = 26,
}

/// What to do with a mechanism.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_policy_e {
    SIPDLG_OFF = 0,
    SIPDLG_SUPPORTED = 1,
    SIPDLG_REQUIRED = 2,
}

/// What the certificate of a TLS server has to say. A URI's name is looked for in its URIs (`sip:` and no user) and DNS names,
/// an address among its addresses; never in the subject's common name (RFC 5922 §7).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_tls_verify_e {
    /// the name that was asked for, word for word (RFC 5922 §7.2)
    SIPDLG_TLS_VERIFY_NAME = 0,
    /// the same, and "*." in it may stand for one label, as some providers have it
    SIPDLG_TLS_VERIFY_WILDCARD = 1,
    /// nothing: INSECURE, anybody may be there; for tests
    SIPDLG_TLS_VERIFY_NOTHING = 2,
}

/// Who refreshes the session (RFC 4028). ANY, as a wish: the peer may choose; where it leaves that to us, who refreshed
/// so far goes on, and at first the peer does.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_refresher_e {
    SIPDLG_REFRESHER_ANY = 0,
    SIPDLG_REFRESHER_LOCAL = 1,
    SIPDLG_REFRESHER_REMOTE = 2,
}

/// What to do with a second 2xx.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_fork_policy_e {
    SIPDLG_FORK_FIRST = 0,
    SIPDLG_FORK_ALL = 1,
}

/// How much is logged.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_log_level_e {
    SIPDLG_LOG_OFF = 0,
    SIPDLG_LOG_ERROR = 1,
    SIPDLG_LOG_WARN = 2,
    SIPDLG_LOG_INFO = 3,
    SIPDLG_LOG_DEBUG = 4,
}

/// What a failed request in a dialog ends (RFC 5057 §5).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_effect_e {
    SIPDLG_EFFECT_TRANSACTION = 0,
    SIPDLG_EFFECT_USAGE = 1,
    SIPDLG_EFFECT_DIALOG = 2,
}

/// What the credentials of a request are worth.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_digest_e {
    /// right, and not used before
    SIPDLG_DIGEST_GOOD = 0,
    /// right, but the nonce is too old, or was used with this nc
    SIPDLG_DIGEST_STALE = 1,
    /// of another user, for no nonce of this agent, realm and algorithm, without the secret, or broken
    SIPDLG_DIGEST_WRONG = 2,
    /// none for this realm
    SIPDLG_DIGEST_MISSING = 3,
}

/// Forms of a ladder.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_ladder_format_e {
    SIPDLG_LADDER_TEXT = 0,
    SIPDLG_LADDER_SVG = 1,
}

/// Deviations that are tolerated and counted; bits of sipdlg_config_set_tolerance(). On by default: those that
/// excuse the peer; off: PRACK_UNASKED and REQUESTS_IN_EARLY, which change what the host sees, and MADDR_ELSEWHERE.
/// docs/quirks.md says which products need which.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_quirk_e {
    SIPDLG_QUIRK_1XX_WITHOUT_CONTACT = 1,
    SIPDLG_QUIRK_1XX_WITHOUT_TAG = 2,
    SIPDLG_QUIRK_TAG_CHANGED_BY_2XX = 4,
    SIPDLG_QUIRK_PRACK_UNASKED = 8,
    /// INFO, MESSAGE, NOTIFY, REFER of ours in an early dialog
    SIPDLG_QUIRK_REQUESTS_IN_EARLY = 16,
    /// an unescaped `#` in the user of a URI that the peer sent; passed on as it came. In a URI of the host's, also one
    /// that it hands back, it is ERR_SYNTAX: it is written %23 there, which is the same user (RFC 3261 §19.1.4)
    SIPDLG_QUIRK_HASH_IN_USER = 32,
    /// a display name in From or To with `&`, `,`, `(` or `)` and without quotes; left out of requests of ours
    SIPDLG_QUIRK_UNQUOTED_NAME = 64,
    /// a response to a request of ours with two tags in To (the first counts), another From or none (ours counts), a
    /// second Via below ours, a line without colon, nothing between two `;` in To, Max-Forwards twice (neither counts), or
    /// the same Call-ID or CSeq twice. Its getters show what counts, sipdlg_message_bytes() what came
    SIPDLG_QUIRK_BROKEN_RESPONSE = 128,
    /// a response goes to any address in `maddr` of the top Via, as RFC 3261 §18.2.2 says it MUST. Without it we depart
    /// from that: only to the address that the request came from, or a multicast address of ours (`local` of its flow or
    /// of a transport); else to the source, counted in stats.maddr_ignored. For anybody could name a third party there,
    /// and our answers, longer and repeated, would fall on it (amplification by reflection). A name is never followed
    SIPDLG_QUIRK_MADDR_ELSEWHERE = 256,
    /// a NOTIFY of a REFER that says "terminated" with a provisional response; the final one is waited for
    SIPDLG_QUIRK_EARLY_TERMINATED = 512,
}

/// Bits of sipdlg_request_options_t.flags.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_request_flag_e {
    /// INVITE: the host calls sipdlg_session_ack() for every 2xx
    SIPDLG_REQUEST_MANUAL_ACK = 1,
    /// INVITE: the host calls sipdlg_session_prack()
    SIPDLG_REQUEST_MANUAL_PRACK = 2,
    /// 491, 500 + Retry-After, 422: hand it up; also what would wait for its turn (GLARE_RETRY)
    SIPDLG_REQUEST_NO_RETRY = 4,
    /// 401, 407: hand it up
    SIPDLG_REQUEST_NO_AUTH = 8,
}

/// Bits of sipdlg_response_options_t.flags.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_response_flag_e {
    /// 101-199 to INVITE by RFC 3262; by itself when the peer requires it
    SIPDLG_RESPONSE_RELIABLE = 1,
}

#[cfg(test)]
mod tests;
