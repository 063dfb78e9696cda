//! The types of the header, with the layouts that are the contract. Reading and writing them: `convert`.
#![allow(non_camel_case_types, missing_docs)]

use std::ffi::{c_char, c_void};

/// enum sipdlg_status_e.
pub type sipdlg_status_t = i32;
/// Token of an agent; 0 is none.
pub type sipdlg_agent_t = u64;
/// Token of a session; 0 is none.
pub type sipdlg_session_t = u64;
/// Token of a request of the peer; 0 is none.
pub type sipdlg_incoming_t = u64;
/// Token of a request of ours; 0 is none.
pub type sipdlg_outgoing_t = u64;

/// A parsed, immutable message. Borrowed, or kept by sipdlg_message_retain().
// Only ever behind a pointer, which is that of an `Arc<Message>`.
pub struct sipdlg_message_t {
    _opaque: [u8; 0],
}

/// Borrowed bytes; not NUL-terminated; data is NULL when there are none. Never changes layout.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_str_t {
    pub data: *const c_char,
    pub len: usize,
}

/// A body to send. Never changes layout.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_body_t {
    /// NULL: no body
    pub data: *const c_void,
    pub len: usize,
    /// NULL: application/sdp
    pub content_type: *const c_char,
    /// NULL: "session" for application/sdp, else "render" (RFC 3261 §20.11)
    pub disposition: *const c_char,
}

/// A body received or kept. Never changes layout.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_body_view_t {
    pub content: sipdlg_str_t,
    pub content_type: sipdlg_str_t,
    /// inferred when the message had none
    pub disposition: sipdlg_str_t,
}

/// IP address and port. Never changes layout. All zero: none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_endpoint_t {
    /// network order; an IPv4 address stands in the first four bytes
    pub ip: [u8; 16],
    /// IPv6 scope id, else 0
    pub scope: u32,
    /// host order
    pub port: u16,
    /// 0 none, 4, 6
    pub family: u16,
}

/// Certificates, see sipdlg_config_set_tls(). A text that has "-----BEGIN " is PEM itself, any other the path of a file with
/// PEM, read once.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_tls_t {
    pub size: usize,
    /// our chain, our own certificate first; NULL: none, then connections are only opened
    pub certificates: *const c_char,
    /// its private key, not encrypted (PKCS #8, PKCS #1, SEC 1)
    pub key: *const c_char,
    /// whom we trust; NULL: whom the system trusts
    pub authorities: *const c_char,
    /// enum sipdlg_tls_verify_e: of those that we connect to
    pub verify: i32,
    /// enum sipdlg_policy_e: whether those that connect to us show a certificate of `authorities`, and must
    pub clients: i32,
    /// 1: not TLS 1.2
    pub only_tls13: i32,
    /// 0
    pub reserved: i32,
}

/// The way a message came or must go. Never changes layout.
/// `link` is the host's own number for a socket or connection (a file descriptor, an index); the library only
/// compares and repeats it. On a message to send, link 0 means "any socket of this transport; for TCP, TLS, WS:
/// use the connection to `remote` or open one". A response goes back on the flow of its request: same link, and
/// `remote` by RFC 3261 §18.2.2 and RFC 3581 (received, rport; maddr as SIPDLG_QUIRK_MADDR_ELSEWHERE says); of a
/// connection that was closed (sipdlg_agent_link_closed()) link 0, and `remote` is where the request came from with the
/// port of its Via.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_flow_t {
    /// enum sipdlg_transport_e
    pub transport: i32,
    /// 0
    pub reserved: u32,
    pub link: u64,
    pub local: sipdlg_endpoint_t,
    pub remote: sipdlg_endpoint_t,
}

/// Called with a pointer that the host gave, when the last object that holds it has let it go. Runs where callbacks
/// run, and inside sipdlg_agent_poll_event() and sipdlg_agent_free().
pub type sipdlg_release_t = Option<unsafe extern "C" fn(user: *mut c_void)>;

/// Receives log lines: at WARN one for each message that the library drops or refuses by itself (time, `!!`, flow, method
/// or status, Call-ID, what was done, header and rule with its section, name of the reason: enum sipdlg_reason_e), of each
/// kind (counter) ten at once and ten a second, the next saying how many were left out; at INFO the same of what else it
/// does by itself (see sipdlg_session_explain()); at DEBUG one more per message sent or received (time, arrow, flow, start
/// line: ladders come from these). No line has a body, credentials or the password of a URI; control characters are
/// escaped, and at WARN and INFO what a peer wrote is cut. On whichever thread is inside the library; must not call the
/// library. An exception to "Threads", as sipdlg_trace_t.
pub type sipdlg_log_t = Option<unsafe extern "C" fn(user: *mut c_void, level: i32, line: *const c_char)>;

/// Takes one message of a trace: sipdlg_config_set_trace(). On whichever thread is inside the library, also one that had
/// nothing to do with the message; one at a time, in order, nothing locked; must not call the library. The entry is borrowed
/// until it returns. As the log an exception to "Threads". None comes after sipdlg_agent_free() has returned, but one that
/// runs on another thread while the agent is freed inside a callback.
pub type sipdlg_trace_t = Option<unsafe extern "C" fn(user: *mut c_void, entry: *const sipdlg_trace_entry_t)>;

/// What happened. Borrowed: see Memory. Tokens that do not apply are 0, pointers NULL, numbers 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_event_t {
    pub size: usize,
    /// enum sipdlg_event_kind_e
    pub kind: i32,
    /// bits of enum sipdlg_event_flag_e
    pub flags: u32,
    /// one counter with sipdlg_transmit_t.id: the order in which all of it arose. Rises, unless more than 64 events wait:
    /// then new requests of peers out of dialogs wait for all others, but for each ninth event; the order within one
    /// session stays
    pub id: u64,
    pub agent: sipdlg_agent_t,
    pub session: sipdlg_session_t,
    /// the request to answer
    pub incoming: sipdlg_incoming_t,
    /// our request that this is about
    pub outgoing: sipdlg_outgoing_t,
    /// INVITE with Replaces (RFC 3891): the session that accept() will end with BYE or CANCEL
    pub replaces: sipdlg_session_t,
    /// user pointer of the request, else of the session, else NULL
    pub user: *mut c_void,
    /// the request, or the response; NULL when there is none
    pub message: *const sipdlg_message_t,
    /// enum sipdlg_method_e of `incoming` or `outgoing`
    pub method: i32,
    /// SIP status of a response, also a local one; of the sipfrag for NOTIFY
    pub status_code: i32,
    /// enum sipdlg_reason_e
    pub reason: i32,
    /// of `session` after the event
    pub session_state: i32,
    pub signaling_state: i32,
    /// RESOLVE: asked for by the URI, or TRANSPORT_ANY
    pub transport: i32,
    /// GLARE_RETRY
    pub delay_us: u64,
    /// RESOLVE: number for sipdlg_agent_resolved(); LINK_LOST: the link
    pub query: u64,
    /// RESOLVE: host; CHALLENGE: realm; BYE, CANCEL, REDIRECT, REJECT, PROGRESS of a 199, TERMINATED: value of the
    /// Reason header (RFC 3326) of `message`, of several one list
    pub text: sipdlg_str_t,
    pub reserved: u32,
    /// RESOLVE: of the URI, 0 none
    pub port: u16,
    /// RESOLVE: 1 for sips
    pub secure: u16,
}

/// `user` is the delegate's own.
pub type sipdlg_callback_t = Option<unsafe extern "C" fn(user: *mut c_void, event: *const sipdlg_event_t)>;

/// Functions for events, each or NULL. Where an event looks for its function:
///   the fate of a request of ours (TRYING to CHALLENGE, GLARE_RETRY): only in the delegate given to that request, so
///     that the 200 of an INFO is never taken for that of the INVITE;
///   all else: in its incoming request, then its session, then its agent; the first found is called.
/// None: the default is done.
/// A session starts with the delegate of its INVITE. User pointers: a session starts with that of its INVITE, a request
/// in a dialog with that of its session (unless options give one). Such sharing is counted: the release function runs
/// once, when the last that holds the pointer has ended or got another.
/// The look-up happens when the event is delivered, so what one callback sets is there for the next event.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_delegate_t {
    pub size: usize,
    pub user: *mut c_void,
    pub on_invite: sipdlg_callback_t,
    pub on_reinvite: sipdlg_callback_t,
    pub on_update: sipdlg_callback_t,
    pub on_prack: sipdlg_callback_t,
    pub on_bye: sipdlg_callback_t,
    pub on_info: sipdlg_callback_t,
    pub on_message: sipdlg_callback_t,
    pub on_notify: sipdlg_callback_t,
    pub on_refer: sipdlg_callback_t,
    pub on_subscribe: sipdlg_callback_t,
    pub on_register: sipdlg_callback_t,
    pub on_options: sipdlg_callback_t,
    pub on_request: sipdlg_callback_t,
    pub on_ack: sipdlg_callback_t,
    pub on_cancel: sipdlg_callback_t,
    pub on_trying: sipdlg_callback_t,
    pub on_progress: sipdlg_callback_t,
    pub on_accept: sipdlg_callback_t,
    pub on_redirect: sipdlg_callback_t,
    pub on_reject: sipdlg_callback_t,
    pub on_challenge: sipdlg_callback_t,
    pub on_state: sipdlg_callback_t,
    pub on_ack_timeout: sipdlg_callback_t,
    pub on_glare_retry: sipdlg_callback_t,
    pub on_terminated: sipdlg_callback_t,
    pub on_resolve: sipdlg_callback_t,
    pub on_transport_error: sipdlg_callback_t,
    pub on_resync: sipdlg_callback_t,
    pub on_link_lost: sipdlg_callback_t,
}

/// Digest credentials, see sipdlg_config_add_credentials(). Never changes layout.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sipdlg_credentials_t {
    /// NULL: any; ERR_ARGUMENT with is_ha1
    pub realm: *const c_char,
    pub user: *const c_char,
    /// a password, or with is_ha1 the hex HA1 of `algorithm`
    pub secret: *const c_char,
    /// "MD5", "SHA-256", "SHA-512-256"; NULL: MD5
    pub algorithm: *const c_char,
    pub is_ha1: i32,
    /// 0
    pub reserved: i32,
}

/// Session timers (RFC 4028), see sipdlg_config_set_session_timer(). Never changes layout.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_session_timer_t {
    /// enum sipdlg_policy_e
    pub policy: i32,
    /// 0: none is asked for, and with REQUIRED 1800
    pub interval_s: u32,
    /// 0: 90
    pub min_se_s: u32,
    /// enum sipdlg_refresher_e
    pub refresher: i32,
}

/// How a request differs from the usual. NULL or all zero (but size) is a plain one.
///
/// headers: "Name: value" strings, NULL at the end. What the host gives
///   Via, CSeq, Content-Length, Content-Type, Content-Disposition, Record-Route, From, To, Call-ID, and in a dialog
///     Route: refused, ERR_HEADER (out of a dialog use the fields below and sipdlg_config_set_route_set);
///   RSeq, RAck: accepted where they are what the library may write (RSeq: free for the first reliable response to an
///     INVITE, then one higher each; RAck: of the response that is acknowledged), else ERR_HEADER;
///   Contact, Max-Forwards, User-Agent, Server, Allow, Accept, Warning, Retry-After, Recv-Info, Session-Expires,
///     Min-SE, Refer-To, Event, Subscription-State: stands instead of the library's own;
///   Supported, Require: united with the library's own;
///   anything else: added in the given order.
/// One that may stand once and is given twice is refused, ERR_HEADER; so is a second Contact where a dialog is made or
/// its target moved. All of this holds for CANCEL, for a BYE that waits for its ACK and for what is sent again as well.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_request_options_t {
    pub size: usize,
    /// bits of enum sipdlg_request_flag_e
    pub flags: u32,
    /// INVITE: Expires, and CANCEL by ourselves then; 0 none
    pub expires_ms: u32,
    pub headers: *const *const c_char,
    pub body: sipdlg_body_t,
    /// out of a dialog: name-addr or URI, no tag. Default the AOR
    pub from: *const c_char,
    /// out of a dialog: the same. Default the target's scheme, user, host and `user` parameter
    pub to: *const c_char,
    /// out of a dialog. Default a new one
    pub call_id: *const c_char,
    /// send exactly there, resolve nothing; remote none: only choose the socket
    pub flow: *const sipdlg_flow_t,
    /// of this request, and for an INVITE of its sessions
    pub delegate: *const sipdlg_delegate_t,
    /// likewise
    pub user: *mut c_void,
    /// called once when all that hold `user` have ended; never when this call fails
    pub release: sipdlg_release_t,
    /// INVITE: the REFER that asked for it. It is accepted (200) if not answered, its Referred-By and Replaces are
    /// honoured, and NOTIFYs with the progress go out (RFC 3515, 3892)
    pub refer: sipdlg_incoming_t,
    /// for challenges to this request; an INVITE's sessions have them for all that follows, and in a dialog they are
    /// its session's from then on, instead of those for the same realms. A realm for which there is one here gets none
    /// of the configuration's. NULL none
    pub credentials: *const sipdlg_credentials_t,
    pub credentials_count: usize,
    /// INVITE, re-INVITE, UPDATE: instead of the configuration's, for the call from then on. NULL: that
    pub session_timer: *const sipdlg_session_timer_t,
    /// value of a Reason header (RFC 3326), `Q.850;cause=16`, one or a list of them; NULL none
    pub reason: *const c_char,
}

/// What a REGISTER asks for.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_register_t {
    pub size: usize,
    /// enum sipdlg_register_asks_e
    pub asks: i32,
    /// for how long; 0: as the registrar has it
    pub expires_s: u32,
    /// its number: of those with one Call-ID each has a higher one (RFC 3261 §10.2), see sipdlg_registered_t.next_cseq; 0: 1
    pub cseq: u32,
    /// which flow of the instance it is, for a registrar that sends requests back by the connection (RFC 5626 §4.2); with it
    /// goes Supported: path, outbound. 0: none
    pub reg_id: u32,
    /// URN of the device (sipdlg_instance_new()), for +sip.instance; NULL none
    pub instance: *const c_char,
}

/// What came of a REGISTER.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_registered_t {
    pub size: usize,
    /// of a 2xx: for how long the Contact of this request is bound, among all that are listed; 0: it is not. Same flow
    /// of an instance, else same URI
    pub expires_s: u32,
    /// when to register again: at half of it, of more than 1200 s 600 before its end
    pub refresh_s: u32,
    /// of a 423: what to ask for at least
    pub min_expires_s: u32,
    /// Retry-After; 0 none
    pub retry_after_s: u32,
    /// of a 2xx: Flow-Timer (RFC 5626 §4.4); 0 none
    pub flow_timer_s: u32,
    /// the number of the next REGISTER with this Call-ID
    pub next_cseq: u32,
    /// of a 2xx: how many Contacts are bound
    pub bindings: u32,
    /// of a 2xx: 1 the registrar sends requests back by the flow (RFC 5626 §6)
    pub outbound: i32,
}

/// How a response differs from the usual. headers as above.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_response_options_t {
    pub size: usize,
    /// bits of enum sipdlg_response_flag_e
    pub flags: u32,
    /// 0
    pub reserved: u32,
    pub headers: *const *const c_char,
    pub body: sipdlg_body_t,
    /// default by the code
    pub reason_phrase: *const c_char,
    /// first tagged response of a request only; another tag makes another early dialog. Default random
    pub to_tag: *const c_char,
    /// 2xx to INVITE, re-INVITE, UPDATE: as in a request. What arrives before is measured by what held until then
    pub session_timer: *const sipdlg_session_timer_t,
    /// value of a Reason header (RFC 3326, of a 199 RFC 6228); NULL none
    pub reason: *const c_char,
}

/// A message to put on the wire. Without bytes (len 0; only where sipdlg_agent_keep_alive() was called) nothing is to be sent:
/// close the connection of the flow, then sipdlg_agent_link_closed().
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_transmit_t {
    pub size: usize,
    /// for sipdlg_agent_transmit_failed(); see sipdlg_event_t.id
    pub id: u64,
    /// borrowed until the next sipdlg_agent_poll_transmit() of this agent
    pub data: *const c_void,
    pub len: usize,
    /// where to; see sipdlg_flow_t
    pub flow: sipdlg_flow_t,
    /// of a request: the name in its URI or top Route that was asked for, whatever address it led to: TLS server name
    /// and what the certificate must have (RFC 5922), WS Host. Empty (data NULL): the URI has an address only, or it is
    /// a response. Borrowed as long as `data`
    pub host: sipdlg_str_t,
}

/// Counters since the start, and what lives now. What the library dropped, refused or passed over by itself is counted
/// once in one of dropped_, refused_, answered_limit, maddr_ignored and ignored_challenges, and told at WARN
/// (sipdlg_log_t).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_stats_t {
    pub size: usize,
    /// living now
    pub sessions: u64,
    pub incoming: u64,
    pub outgoing: u64,
    pub transactions: u64,
    pub timers: u64,
    /// held for all of them, their tables, queues and half messages, to within 2 % and 1 kB; see sipdlg_config_set_memory()
    pub bytes: u64,
    pub messages_received: u64,
    pub messages_sent: u64,
    pub retransmissions_received: u64,
    pub retransmissions_sent: u64,
    /// messages that could not be read, nor answered
    pub dropped_malformed: u64,
    /// messages too long to be answered or for a stream, responses of too many forks
    pub dropped_limit: u64,
    /// requests answered 503, 513 or 500 beyond a limit
    pub answered_limit: u64,
    pub calls_placed: u64,
    pub calls_received: u64,
    pub calls_confirmed: u64,
    pub longest_callback_us: u64,
    /// by bit number of enum sipdlg_quirk_e
    pub quirks: [u64; 32],
    /// requests that were not answered where `maddr` says; see SIPDLG_QUIRK_MADDR_ELSEWHERE
    pub maddr_ignored: u64,
    /// requests answered 400 or 505: broken
    pub refused_malformed: u64,
    /// 405, 501
    pub refused_method: u64,
    /// 416, 480: the URI's scheme
    pub refused_scheme: u64,
    /// 420, 421, 422
    pub refused_extension: u64,
    /// 415, 469: a body, or the package of an INFO
    pub refused_content: u64,
    /// 482: came on two ways
    pub refused_merged: u64,
    /// 481: of a dialog, transaction or subscription that is not here
    pub refused_unknown: u64,
    /// 500: CSeq not higher than that of the request before
    pub refused_order: u64,
    /// 486, 488, 491, 500, 603: forbidden by what is under way in the dialog
    pub refused_state: u64,
    /// 503: sipdlg_config_set_memory(); in answered_limit too
    pub refused_memory: u64,
    /// refused by their default (see the kinds of events), or because the host took too long
    pub refused_default: u64,
    /// responses: to no request of ours, with two Vias, out of order, or no dialog could be made of them
    pub dropped_response: u64,
    /// ACKs of nothing
    pub dropped_ack: u64,
    /// connections not read on, since a Content-Length was no number
    pub dropped_stream: u64,
    /// challenges passed over: broken, or weaker than sipdlg_config_set_digest_minimum() wants
    pub ignored_challenges: u64,
    /// 503: as many sessions as there may be; in answered_limit too, as the next three
    pub refused_sessions: u64,
    /// 503: the soft limit of calls, sipdlg_config_set_admission()
    pub refused_calls: u64,
    /// 503: as many requests without final response as there may be
    pub refused_unanswered: u64,
    /// 503: more requests a second than one address may send
    pub refused_rate: u64,
    /// requests out of dialogs on sockets of the library that the agent was too far behind to take
    pub dropped_behind: u64,
    /// entries of a trace that nobody saw, since its ring was full or its function took too long
    pub trace_lost: u64,
    /// messages that could not be written into a pcap file or sent as HEP3
    pub capture_lost: u64,
    /// connections of the library's sockets, sipdlg_config_set_connections()
    pub connections: u64,
    /// those of peers that were not taken, there being too many
    pub connections_refused: u64,
    /// messages that a socket or connection did not take, so much waiting for it already
    pub transmits_full: u64,
}

/// A message that passed, or a line of the log. Borrowed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_trace_entry_t {
    pub size: usize,
    /// rises by one with each entry of the agent, lost ones too
    pub id: u64,
    /// right before this one
    pub lost: u64,
    pub unix_us: u64,
    /// enum sipdlg_trace_kind_e
    pub kind: i32,
    /// enum sipdlg_direction_e
    pub direction: i32,
    /// of a line: enum sipdlg_log_level_e
    pub level: i32,
    pub reserved: i32,
    /// of a message
    pub flow: sipdlg_flow_t,
    /// the message, or the line
    pub data: sipdlg_str_t,
}

/// View of From, To, Contact, Route, Refer-To, P-Asserted-Identity, ... Never changes layout.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_name_addr_t {
    pub display_name: sipdlg_str_t,
    pub uri: sipdlg_str_t,
    pub scheme: sipdlg_str_t,
    pub user: sipdlg_str_t,
    pub host: sipdlg_str_t,
    /// from the first `;`
    pub uri_parameters: sipdlg_str_t,
    /// without the `?`
    pub uri_headers: sipdlg_str_t,
    /// of the header, from the first `;`
    pub parameters: sipdlg_str_t,
    pub tag: sipdlg_str_t,
    /// 0 none
    pub port: u32,
    pub reserved: u32,
}

/// View of a Via. Never changes layout.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_via_t {
    pub transport: sipdlg_str_t,
    pub host: sipdlg_str_t,
    pub branch: sipdlg_str_t,
    pub received: sipdlg_str_t,
    /// 0 none
    pub port: u32,
    /// 0 none
    pub rport: u32,
}

/// The state of a dialog as text (RFC 3261 §12), for takeover from another product. Required: call_id, local_tag,
/// local_uri, remote_uri, remote_target.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_dialog_state_t {
    pub size: usize,
    pub call_id: *const c_char,
    pub local_tag: *const c_char,
    /// NULL or "": the peer has none (RFC 2543)
    pub remote_tag: *const c_char,
    /// URI or name-addr without tag, as the next
    pub local_uri: *const c_char,
    pub remote_uri: *const c_char,
    /// URI
    pub remote_target: *const c_char,
    /// a Route header value, first hop first; NULL none
    pub route_set: *const c_char,
    /// of our last request (the next has one more), below 2^31
    pub local_sequence_number: u32,
    /// of the peer's last request (a later one must have more), below 2^31
    pub remote_sequence_number: u32,
    /// 0: empty, nothing was sent; 0 is a number
    pub has_local_sequence_number: i32,
    /// 0: empty, the peer sent nothing
    pub has_remote_sequence_number: i32,
    pub secure: i32,
    /// early needs `caller`
    pub early: i32,
    /// we sent the INVITE
    pub caller: i32,
    pub reserved: i32,
    /// of the last exchange; data NULL none
    pub offer: sipdlg_body_t,
    pub answer: sipdlg_body_t,
}

/// One thing that the library did by itself; see sipdlg_session_explain().
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sipdlg_explain_entry_t {
    pub size: usize,
    /// when
    pub unix_us: u64,
    /// enum sipdlg_reason_e, which says what makes each
    pub reason: i32,
    /// sent, received or made here, 0 none
    pub status_code: i32,
    /// "RFC 3261 14.2". Static
    pub rfc: sipdlg_str_t,
    /// one sentence. Static
    pub text: sipdlg_str_t,
}
