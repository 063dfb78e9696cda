/**
 * sipdlg: a SIP session-dialog engine. The whole C API.
 *
 * Generated: do not edit.
 *
 * THE CONTRACT (true of every function unless its comment says otherwise)
 *
 * Time:     An agent reads the system's clocks when a function is called, unless its configuration
 *           says "manual clock"; then time is what sipdlg_agent_set_time() last said.
 * Status:   0 is SIPDLG_OK, 1 is SIPDLG_NONE ("there is nothing to give", not an error), negative is an error.
 *           Functions that return int32_t give a value >= 0 or a negative status.
 *           Out-parameters are written on SIPDLG_OK only (one exception: `needed`, see Text). Any may be NULL.
 *           Every function may return the usual errors: ERR_ARGUMENT, ERR_STALE, ERR_KIND, ERR_STRUCT,
 *           ERR_DEFUNCT, ERR_FORKED, ERR_NO_MEMORY. "Errors:" in a comment lists only what comes on top.
 * Tokens:   sipdlg_agent_t, _session_t, _incoming_t, _outgoing_t are numbers; 0 is none. The library ends objects
 *           by itself. A token is good until its object's last callback has returned (TERMINATED for a session;
 *           see "Life" at incoming and outgoing); afterwards ERR_STALE, for ever. During TERMINATED all
 *           properties can still be read and every act gives ERR_STATE.
 * Threads:  Every function may be called from any thread, without registration, and from every callback.
 *           One agent's callbacks never overlap and run only inside sipdlg_agent_dispatch(),
 *           sipdlg_agent_run_once(), or on the delivery thread of sipdlg_agent_start().
 * Driving:  Two choices. Network: the host's (receive, handle_timeout, poll_transmit), run_once, or start. Events: callbacks
 *           (dispatch, run_once, the delivery thread) or poll_event; the latter goes with the host's network or with start.
 * Free:     After sipdlg_agent_free() has returned, no callback of that agent runs (from inside
 *           a callback: once that callback has returned).
 * Fork:     After fork() the child gets ERR_FORKED for every inherited agent; sipdlg_agent_free() of one only frees memory.
 * Memory:   What goes in is copied before the call returns. What comes out is borrowed (an event and all it
 *           points to: until its callback returns, or until the next sipdlg_agent_poll_event()) or copied into the
 *           host's buffer. Nothing is ever handed out for free(). The host frees agents, configurations and
 *           the messages that it retained or parsed.
 * No memory: while an agent lives, 1 MiB is kept back (16 times message_bytes, twice the largest table, where that is
 *           more; never touched). Where malloc() fails, the call under way ends well out of that, and from then on every
 *           function but sipdlg_agent_stop() and those that free does nothing and gives ERR_NO_MEMORY, until there is
 *           enough again; threads of the library wait. abort() is for what needs more than that at once.
 * Text in:  NUL-terminated, any bytes; CR, LF where a line must not end: ERR_SYNTAX. NULL = default.
 * Text out: (char *buffer, size_t capacity, size_t *needed) as snprintf: at most capacity - 1 bytes and a NUL;
 *           `needed` gets the length without NUL, also when it did not fit (ERR_BUFFER). NULL and 0 ask the length.
 * Structs:  Those that begin with `size` may grow; set it by the _INIT macro or `.size = sizeof x`. An older
 *           shorter one is zero-filled, a longer one with a non-zero tail is ERR_STRUCT; of those that
 *           the library fills only `size` must be set, and only so much is written. The others never change.
 * Unload:   dlclose() is safe when every agent is freed; the library's code stays mapped until the process ends.
 * Version:  0.1 lacks more than one worker: what asks for it fails, ERR_UNSUPPORTED. Of snapshots, recordings and ladders only numbers and types
 *           are there. What this header says of all these is how they will be; their events never come.
 * Booleans: int32_t, 0 or 1. Enumerations (enum sipdlg_*_e) travel as int32_t; unknown values are ERR_ARGUMENT.
 */

#ifndef SIPDLG_H
#define SIPDLG_H

#include <stddef.h>
#include <stdint.h>

#define SIPDLG_VERSION_MAJOR 0
#define SIPDLG_VERSION_MINOR 1
#define SIPDLG_VERSION_PATCH 0
/** Changes only when a program must be compiled again. Compare with sipdlg_abi_version(). */
#define SIPDLG_ABI_VERSION 0

/* Every field is named, because a shorter list is a warning in C++ and a designated one no C++11. */
#define SIPDLG_REQUEST_OPTIONS_INIT \
    { sizeof(sipdlg_request_options_t), 0, 0, NULL, { NULL, 0, NULL, NULL }, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, \
      NULL, 0, NULL, NULL }

#define SIPDLG_RESPONSE_OPTIONS_INIT \
    { sizeof(sipdlg_response_options_t), 0, 0, NULL, { NULL, 0, NULL, NULL }, NULL, NULL, NULL, NULL }

#define SIPDLG_TLS_INIT \
    { sizeof(sipdlg_tls_t), NULL, NULL, NULL, 0, 0, 0, 0 }

#define SIPDLG_REGISTER_INIT \
    { sizeof(sipdlg_register_t), 0, 0, 0, 0, NULL }

#define SIPDLG_DELEGATE_INIT \
    { sizeof(sipdlg_delegate_t), NULL, \
      NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, \
      NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, \
      NULL }

/** What a function returns. */
typedef enum sipdlg_status_e {
    SIPDLG_OK = 0,
    /** nothing to give; not an error */
    SIPDLG_NONE = 1,
    /** NULL, a number out of range, an unknown enumeration value */
    SIPDLG_ERR_ARGUMENT = -1,
    /** the object has ended */
    SIPDLG_ERR_STALE = -2,
    /** not a token of this kind, or never one */
    SIPDLG_ERR_KIND = -3,
    /** a protocol rule forbids it now; nothing was sent */
    SIPDLG_ERR_STATE = -4,
    /** a URI, header, message or text form that does not parse */
    SIPDLG_ERR_SYNTAX = -5,
    /** a header that only the library writes, or one that may stand once given twice; see sipdlg_request_options_t */
    SIPDLG_ERR_HEADER = -6,
    /** `size` is impossible, or an unknown tail is not zero */
    SIPDLG_ERR_STRUCT = -7,
    /** the buffer is too small; `needed` tells */
    SIPDLG_ERR_BUFFER = -8,
    /** a configured limit is reached */
    SIPDLG_ERR_LIMIT = -9,
    /** the agent is already being driven (nested or from another thread) */
    SIPDLG_ERR_BUSY = -10,
    /** this build or this platform lacks it */
    SIPDLG_ERR_UNSUPPORTED = -11,
    /** the operating system refused; sipdlg_last_error() ends with its errno: "(os error 98)" */
    SIPDLG_ERR_SYSTEM = -12,
    /** no transport was added that can reach the target */
    SIPDLG_ERR_NO_TRANSPORT = -13,
    /** snapshot or recording: checksum, version or content */
    SIPDLG_ERR_CORRUPT = -14,
    /** the agent belongs to the parent process */
    SIPDLG_ERR_FORKED = -15,
    SIPDLG_ERR_NO_MEMORY = -16,
    /** the agent caught a defect of its own and does nothing any more */
    SIPDLG_ERR_DEFUNCT = -17,
} sipdlg_status_e;

/** SessionState of SIP.js. Initial is seen only between sipdlg_session_new() and the first response. */
typedef enum sipdlg_session_state_e {
    SIPDLG_SESSION_INITIAL = 0,
    SIPDLG_SESSION_EARLY = 1,
    SIPDLG_SESSION_ACK_WAIT = 2,
    SIPDLG_SESSION_CONFIRMED = 3,
    SIPDLG_SESSION_TERMINATED = 4,
} sipdlg_session_state_e;

/** SignalingState of SIP.js (RFC 3264, RFC 6337 §2.2). */
typedef enum sipdlg_signaling_state_e {
    SIPDLG_SIGNALING_INITIAL = 0,
    SIPDLG_SIGNALING_HAVE_LOCAL_OFFER = 1,
    SIPDLG_SIGNALING_HAVE_REMOTE_OFFER = 2,
    SIPDLG_SIGNALING_STABLE = 3,
    SIPDLG_SIGNALING_CLOSED = 4,
} sipdlg_signaling_state_e;

/** How far a request of ours is. */
typedef enum sipdlg_outgoing_state_e {
    SIPDLG_OUTGOING_RESOLVING = 0,
    SIPDLG_OUTGOING_CALLING = 1,
    SIPDLG_OUTGOING_PROCEEDING = 2,
    SIPDLG_OUTGOING_WAITING_RETRY = 3,
    SIPDLG_OUTGOING_COMPLETED = 4,
} sipdlg_outgoing_state_e;

/** Transports. */
typedef enum sipdlg_transport_e {
    SIPDLG_TRANSPORT_ANY = 0,
    SIPDLG_TRANSPORT_UDP = 1,
    SIPDLG_TRANSPORT_TCP = 2,
    SIPDLG_TRANSPORT_TLS = 3,
    SIPDLG_TRANSPORT_WS = 4,
    SIPDLG_TRANSPORT_WSS = 5,
} sipdlg_transport_e;

/**
 * Kinds of events. Kind X and the delegate's function on_x are the same thing (REJECT and on_reject).
 * "Default" is what happens when no function is found and what sipdlg_event_default() does.
 * Columns: [incoming] [outgoing] [session] = tokens that are set.
 * 1 to 15: requests from the peer; answer now or later through event->incoming, where it is not 0 (not an ACK, nor a
 * NOTIFY that never came). 20 to 25: the fate of our request;
 * final ones are the last of a non-INVITE outgoing (of a REFER: NOTIFYs follow). 30 to 34: the session
 * itself. 40 and 41: the agent.
 *
 * How a session ends: what caused it, STATE (TERMINATED, CLOSED), TERMINATED.
 *   the peer's BYE, early too                    BYE, STATE, TERMINATED
 *   the peer's CANCEL                            CANCEL, STATE, TERMINATED
 *   our INVITE is refused, also after CANCEL     REJECT or REDIRECT, then of each early dialog STATE, TERMINATED
 *   a 199 to our INVITE                          PROGRESS, STATE, TERMINATED (REJECTED; status_code: the cause that its
 *                                                Reason has for SIP, else 199)
 *   our request fails so that the dialog is gone REJECT, STATE, TERMINATED
 *   no ACK came                                  ACK_TIMEOUT, STATE, TERMINATED
 *   the ACK or a 2xx lacks the answer            ACK or ACCEPT, STATE, TERMINATED
 *   a first 2xx names no way to send requests    ACCEPT, STATE, TERMINATED
 *   sipdlg_session_bye()                         STATE, ACCEPT or REJECT of the BYE, TERMINATED
 *   all else: hang-up, rejection, dispose, PRACK,
 *   time-outs, challenge, next target of a name,
 *   lost fork, Replaces                          STATE, TERMINATED
 * TERMINATED waits for the answer to the BYE, ours or the peer's, and for the ACK of a 2xx, or the PRACK of a 199, that
 * goes on being repeated. The fate of other requests that were under way is told after STATE; what comes after TERMINATED has
 * session 0.
 */
typedef enum sipdlg_event_kind_e {
    /** [incoming, replaces] a new call. Default 486. */
    SIPDLG_EVENT_INVITE = 1,
    /**
     * [incoming, session] RFC 3261 §14.2. Default 488 with Warning; to one that repeats the peer's description byte for
     * byte, as a refresh does (RFC 4028 §7.4), 200 with ours as it was.
     */
    SIPDLG_EVENT_REINVITE = 2,
    /** [incoming, session] RFC 3311. Default 488 with an offer, 200 without. */
    SIPDLG_EVENT_UPDATE = 3,
    /**
     * [incoming, session] its RAck has matched. Default 200, with an offer 488. With the quirk PRACK_UNASKED also
     * one that acknowledges nothing; default 481.
     */
    SIPDLG_EVENT_PRACK = 4,
    /** [incoming, session] default 200; STATE and, once it is answered, TERMINATED follow in any case. */
    SIPDLG_EVENT_BYE = 5,
    /**
     * [incoming, session] RFC 6086: of a listed package, or without Info-Package. Default 469 with Recv-Info, but 200
     * where it has neither Info-Package nor body. Unlisted packages are answered 469 before.
     */
    SIPDLG_EVENT_INFO = 6,
    /** [incoming, session or 0] default 200. */
    SIPDLG_EVENT_MESSAGE = 7,
    /**
     * [incoming, session or 0, outgoing: our REFER] status_code: of the sipfrag, 0 none. Default: unknown event 489, no
     * subscription 481 (RFC 6665 §4.1.3), else 200. Flag LAST: the last event of our REFER, whose token ends with it
     * (or with the REFER's final response, if that comes later). LAST with incoming 0 and message NULL: it ended
     * without a NOTIFY, and there is nothing to answer: none came in time, or its dialog is gone (DIALOG_GONE).
     */
    SIPDLG_EVENT_NOTIFY = 8,
    /** [incoming, session or 0] malformed ones are answered 400 before. Default 603 (RFC 5057 §5.6). */
    SIPDLG_EVENT_REFER = 9,
    /**
     * [incoming, session or 0] default 489, of the package refer 403 (RFC 3515 §2.4.4). One that refreshes or ends the
     * subscription of an accepted REFER does not come here: the library answers it.
     */
    SIPDLG_EVENT_SUBSCRIBE = 10,
    /** [incoming] default 405. */
    SIPDLG_EVENT_REGISTER = 11,
    /**
     * [incoming, session or 0] default in a dialog 200, outside what an INVITE would get; with Allow, Accept,
     * Supported.
     */
    SIPDLG_EVENT_OPTIONS = 12,
    /**
     * [incoming, session or 0] a method that is in Allow without a function of its own. Default 405; an unknown
     * method is 501 at once.
     */
    SIPDLG_EVENT_REQUEST = 13,
    /**
     * [session] the ACK of our 2xx. Nothing to answer. reason NO_ANSWER_IN_2XX: it lacks the answer to our offer,
     * which is as if never made.
     */
    SIPDLG_EVENT_ACK = 14,
    /** [incoming, session or 0] INVITE or re-INVITE cancelled; 200 and 487 are already sent. */
    SIPDLG_EVENT_CANCEL = 15,
    /** [outgoing, session or 0] 100. */
    SIPDLG_EVENT_TRYING = 20,
    /**
     * [outgoing, session] 101-199; session: the early dialog of this To tag, 0 without tag. A 199 to an INVITE ends that
     * one (RFC 6228): STATE and TERMINATED follow, without BYE, and the INVITE goes on; its PRACK is the library's. An
     * unreliable one of no dialog is dropped.
     */
    SIPDLG_EVENT_PROGRESS = 21,
    /**
     * [outgoing, session] 2xx. Default of a 2xx with an offer: ACK, then BYE. reason NO_ANSWER_IN_2XX: that of a
     * re-INVITE lacks the answer to our offer, or brings an offer while another is open: that is as if never made. A
     * first 2xx whose Contact or Record-Route no request can be sent to: the library sends ACK and BYE where requests
     * went before (TERMINATED says REFUSED_BY_RULE).
     */
    SIPDLG_EVENT_ACCEPT = 22,
    /** [outgoing, session or 0] 3xx. Nothing is followed by itself. */
    SIPDLG_EVENT_REDIRECT = 23,
    /**
     * [outgoing, session or 0] 4xx-6xx, received or made here (flag LOCAL: 408 no answer, 487 see
     * sipdlg_outgoing_cancel(), 491 a later description of ours was sent while it waited for a refresh, or it could not
     * go when its way was found or its turn at the next target came, 503 not sent; or with its response a retry that a
     * newer one has replaced).
     */
    SIPDLG_EVENT_REJECT = 24,
    /**
     * [outgoing] 401/407 that the configured credentials cannot answer; text: realm. Default REJECT. Answer:
     * sipdlg_outgoing_authenticate().
     */
    SIPDLG_EVENT_CHALLENGE = 25,
    /**
     * [session] state or signaling_state changed; the first one is the birth. With reason REFRESHED: the answer to a
     * refresh of ours is another than before (sipdlg_session_answer()).
     */
    SIPDLG_EVENT_STATE = 30,
    /** [session] no ACK for 64*T1 (RFC 3261 §13.3.1.4). Default BYE. */
    SIPDLG_EVENT_ACK_TIMEOUT = 31,
    /**
     * [outgoing, session] a re-INVITE or UPDATE will be sent again in delay_us: after 491, 500 or 503, or because it may
     * not go now (sipdlg_session_invite(), sipdlg_session_update()) though credentials, a 422 or the next target would
     * have it; flag LOCAL: nothing has refused it. sipdlg_outgoing_cancel() stops it. With the flag NEEDS_BODY
     * it is sent only with a new body, sipdlg_outgoing_retry(), for a later description of ours was sent while it
     * waited (RFC 3264 §8); delay_us is then the time for that, after which REJECT with the response it had follows.
     * Default with the flag: that REJECT at once; without it nothing.
     */
    SIPDLG_EVENT_GLARE_RETRY = 32,
    /** [session] the last event of a session, exactly once; see above. reason, status_code, message: why. */
    SIPDLG_EVENT_TERMINATED = 33,
    /**
     * [session] our re-INVITE failed after descriptions were exchanged inside it (by reliable responses, PRACK or UPDATE):
     * ours is what it was before (RFC 3261 §14.1), the peer may use the later one. Send a re-INVITE or UPDATE with what
     * was before (RFC 6141 §3.4), or have it sent by sipdlg_config_set_resync(). Comes after REJECT; where a retry or a newer
     * change was to come, when that has not repaired it. Default nothing.
     */
    SIPDLG_EVENT_RESYNC = 34,
    /**
     * [outgoing or 0] text is a host name, never an address; query, transport, port, secure. Answer by
     * sipdlg_agent_resolved(). Other requests of the same dialog, and those of the library's own, may wait for the same answer.
     * Default with the library's sockets: RFC 3263 with NAPTR, SRV, A and AAAA, of what these sockets reach, answered after 30 s
     * at the latest; see sipdlg_config_set_resolver(). Else no target.
     */
    SIPDLG_EVENT_RESOLVE = 40,
    /** [incoming, or session, or neither] a response or an ACK could not be sent. */
    SIPDLG_EVENT_TRANSPORT_ERROR = 41,
    /**
     * [session] the link that carried its dialog is gone: sipdlg_agent_link_closed(); query: the link. [none] one by which a
     * registrar has our Contact: REGISTER again. Default nothing.
     */
    SIPDLG_EVENT_LINK_LOST = 42,
} sipdlg_event_kind_e;

/** Methods, in events. */
typedef enum sipdlg_method_e {
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
} sipdlg_method_e;

/** Bits of sipdlg_event_t.flags. */
typedef enum sipdlg_event_flag_e {
    /**
     * status_code was made here (time-out 408, cancelled 487, overtaken 491, transport 503), message is NULL; or REJECT of a
     * retry that a newer request has replaced, with the response it had
     */
    SIPDLG_EVENT_LOCAL = 1,
    /** PROGRESS that wants a PRACK (RFC 3262) */
    SIPDLG_EVENT_RELIABLE = 2,
    /** ... and the library leaves it to the host (manual, or it carries an offer) */
    SIPDLG_EVENT_NEEDS_PRACK = 4,
    /** ACCEPT whose ACK is left to the host (manual, or it carries an offer) */
    SIPDLG_EVENT_NEEDS_ACK = 8,
    /** INVITE whose Replaces says early-only; already checked */
    SIPDLG_EVENT_EARLY_ONLY = 16,
    /** GLARE_RETRY: only with a new body, sipdlg_outgoing_retry() */
    SIPDLG_EVENT_NEEDS_BODY = 32,
    /** NOTIFY: the subscription of our REFER ends with it */
    SIPDLG_EVENT_LAST = 64,
} sipdlg_event_flag_e;

/**
 * Why the library did something by itself: in events, in sipdlg_explain_entry_t (sipdlg_session_explain()), and by name
 * in lines of the log. Up to 13 why a session ended, as TERMINATED says; "also": acts that end none. From 20 on acts that
 * end none; "end": what also ends one.
 */
typedef enum sipdlg_reason_e {
    /** nothing to tell */
    SIPDLG_REASON_NONE = 0,
    /** the host's hang-up or BYE */
    SIPDLG_REASON_LOCAL_HANGUP = 1,
    /** the peer's BYE */
    SIPDLG_REASON_REMOTE_BYE = 2,
    /**
     * a final response other than 2xx to the INVITE, by whichever side; a 199; the next target of a name was tried, or a
     * 422 answered by another INVITE
     */
    SIPDLG_REASON_REJECTED = 3,
    /**
     * CANCEL, ours or the peer's. Also: our INVITE's Expires passed, or no final response followed a CANCEL (RFC 3261
     * §9.1)
     */
    SIPDLG_REASON_CANCELLED = 4,
    /** no ACK to our 2xx in 64*T1 (RFC 3261 §13.3.1.4), then BYE. Also: the 2xx is repeated no more */
    SIPDLG_REASON_ACK_TIMEOUT = 5,
    /** no refresh in time (RFC 4028 §10) */
    SIPDLG_REASON_SESSION_EXPIRED = 6,
    /** 408, 481 or no answer in the dialog, RFC 5057 */
    SIPDLG_REASON_DIALOG_GONE = 7,
    /** another fork was first. Also: a 2xx of a fork without session was answered by ACK and BYE (in the session that was) */
    SIPDLG_REASON_FORK_LOST = 8,
    /** another call took its place (RFC 3891) */
    SIPDLG_REASON_REPLACED = 9,
    /** sipdlg_session_dispose(), sipdlg_outgoing_dispose() */
    SIPDLG_REASON_DISPOSED = 10,
    /** the host did not answer the INVITE in time, or in the time of its Expires. Also: an UPDATE with an offer (504) */
    SIPDLG_REASON_ANSWER_TIMEOUT = 11,
    /**
     * no PRACK to our reliable response in 64*T1 (RFC 3262 §3). Also: of a re-INVITE, which is refused for it (504); a
     * PRACK that the library sent was refused, and does not go out again
     */
    SIPDLG_REASON_PRACK_TIMEOUT = 12,
    /** the first 2xx, ACK or PRACK that had to bring the answer to our offer did not. Also: a later one */
    SIPDLG_REASON_NO_ANSWER_IN_2XX = 13,
    /**
     * a re-INVITE or UPDATE of ours waits to be sent again: 491, or 500 or 503 with Retry-After, or it may not go now (RFC
     * 3261 §14.1)
     */
    SIPDLG_REASON_GLARE_RETRY = 20,
    /** 401 or 407: sent again with credentials. End: of an early dialog of the INVITE that is sent again */
    SIPDLG_REASON_AUTHENTICATED = 21,
    /** a refresh of ours was accepted, or not: status_code (RFC 4028) */
    SIPDLG_REASON_REFRESHED = 22,
    /**
     * a message of the peer's was refused, dropped or taken in part, or a limit reached: each that has a counter in
     * sipdlg_stats_t. End: a first 2xx that names no way to send requests
     */
    SIPDLG_REASON_REFUSED_BY_RULE = 23,
    /**
     * the default of an event (enum sipdlg_event_kind_e), but 200 to BYE, PRACK and OPTIONS. End: 486 to an INVITE; BYE
     * after a 2xx with an offer
     */
    SIPDLG_REASON_DEFAULT_ANSWER = 24,
    /**
     * a request of ours went on to the next target (RFC 3263 §4.3), was not answered (408) or not sent (503); a response
     * or an ACK could not be sent
     */
    SIPDLG_REASON_TRANSPORT = 25,
    /**
     * sent again after 422 with the interval that it wants (RFC 4028 §7.3), or the description of before after a failed
     * re-INVITE (sipdlg_config_set_resync())
     */
    SIPDLG_REASON_SENT_AGAIN = 26,
} sipdlg_reason_e;

/** What to do with a mechanism. */
typedef enum sipdlg_policy_e {
    SIPDLG_OFF = 0,
    SIPDLG_SUPPORTED = 1,
    SIPDLG_REQUIRED = 2,
} sipdlg_policy_e;

/**
 * What the certificate of a TLS server has to say. A URI's name is looked for in its URIs (`sip:` and no user) and DNS names,
 * an address among its addresses; never in the subject's common name (RFC 5922 §7).
 */
typedef enum sipdlg_tls_verify_e {
    /** the name that was asked for, word for word (RFC 5922 §7.2) */
    SIPDLG_TLS_VERIFY_NAME = 0,
    /** the same, and "*." in it may stand for one label, as some providers have it */
    SIPDLG_TLS_VERIFY_WILDCARD = 1,
    /** nothing: INSECURE, anybody may be there; for tests */
    SIPDLG_TLS_VERIFY_NOTHING = 2,
} sipdlg_tls_verify_e;

/**
 * Who refreshes the session (RFC 4028). ANY, as a wish: the peer may choose; where it leaves that to us, who refreshed
 * so far goes on, and at first the peer does.
 */
typedef enum sipdlg_refresher_e {
    SIPDLG_REFRESHER_ANY = 0,
    SIPDLG_REFRESHER_LOCAL = 1,
    SIPDLG_REFRESHER_REMOTE = 2,
} sipdlg_refresher_e;

/** What to do with a second 2xx. */
typedef enum sipdlg_fork_policy_e {
    SIPDLG_FORK_FIRST = 0,
    SIPDLG_FORK_ALL = 1,
} sipdlg_fork_policy_e;

/** How much is logged. */
typedef enum sipdlg_log_level_e {
    SIPDLG_LOG_OFF = 0,
    SIPDLG_LOG_ERROR = 1,
    SIPDLG_LOG_WARN = 2,
    SIPDLG_LOG_INFO = 3,
    SIPDLG_LOG_DEBUG = 4,
} sipdlg_log_level_e;

/** What a failed request in a dialog ends (RFC 5057 §5). */
typedef enum sipdlg_effect_e {
    SIPDLG_EFFECT_TRANSACTION = 0,
    SIPDLG_EFFECT_USAGE = 1,
    SIPDLG_EFFECT_DIALOG = 2,
} sipdlg_effect_e;

/** What the credentials of a request are worth. */
typedef enum sipdlg_digest_e {
    /** right, and not used before */
    SIPDLG_DIGEST_GOOD = 0,
    /** right, but the nonce is too old, or was used with this nc */
    SIPDLG_DIGEST_STALE = 1,
    /** of another user, for no nonce of this agent, realm and algorithm, without the secret, or broken */
    SIPDLG_DIGEST_WRONG = 2,
    /** none for this realm */
    SIPDLG_DIGEST_MISSING = 3,
} sipdlg_digest_e;

/** Forms of a ladder. */
typedef enum sipdlg_ladder_format_e {
    SIPDLG_LADDER_TEXT = 0,
    SIPDLG_LADDER_SVG = 1,
} sipdlg_ladder_format_e;

/**
 * Deviations that are tolerated and counted; bits of sipdlg_config_set_tolerance(). On by default: those that
 * excuse the peer; off: PRACK_UNASKED and REQUESTS_IN_EARLY, which change what the host sees, and MADDR_ELSEWHERE.
 * docs/quirks.md says which products need which.
 */
typedef enum sipdlg_quirk_e {
    SIPDLG_QUIRK_1XX_WITHOUT_CONTACT = 1,
    SIPDLG_QUIRK_1XX_WITHOUT_TAG = 2,
    SIPDLG_QUIRK_TAG_CHANGED_BY_2XX = 4,
    SIPDLG_QUIRK_PRACK_UNASKED = 8,
    /** INFO, MESSAGE, NOTIFY, REFER of ours in an early dialog */
    SIPDLG_QUIRK_REQUESTS_IN_EARLY = 16,
    /**
     * an unescaped `#` in the user of a URI that the peer sent; passed on as it came. In a URI of the host's, also one
     * that it hands back, it is ERR_SYNTAX: it is written %23 there, which is the same user (RFC 3261 §19.1.4)
     */
    SIPDLG_QUIRK_HASH_IN_USER = 32,
    /** a display name in From or To with `&`, `,`, `(` or `)` and without quotes; left out of requests of ours */
    SIPDLG_QUIRK_UNQUOTED_NAME = 64,
    /**
     * a response to a request of ours with two tags in To (the first counts), another From or none (ours counts), a
     * second Via below ours, a line without colon, nothing between two `;` in To, Max-Forwards twice (neither counts), or
     * the same Call-ID or CSeq twice. Its getters show what counts, sipdlg_message_bytes() what came
     */
    SIPDLG_QUIRK_BROKEN_RESPONSE = 128,
    /**
     * a response goes to any address in `maddr` of the top Via, as RFC 3261 §18.2.2 says it MUST. Without it we depart
     * from that: only to the address that the request came from, or a multicast address of ours (`local` of its flow or
     * of a transport); else to the source, counted in stats.maddr_ignored. For anybody could name a third party there,
     * and our answers, longer and repeated, would fall on it (amplification by reflection). A name is never followed
     */
    SIPDLG_QUIRK_MADDR_ELSEWHERE = 256,
    /** a NOTIFY of a REFER that says "terminated" with a provisional response; the final one is waited for */
    SIPDLG_QUIRK_EARLY_TERMINATED = 512,
} sipdlg_quirk_e;

/** Bits of sipdlg_request_options_t.flags. */
typedef enum sipdlg_request_flag_e {
    /** INVITE: the host calls sipdlg_session_ack() for every 2xx */
    SIPDLG_REQUEST_MANUAL_ACK = 1,
    /** INVITE: the host calls sipdlg_session_prack() */
    SIPDLG_REQUEST_MANUAL_PRACK = 2,
    /** 491, 500 + Retry-After, 422: hand it up; also what would wait for its turn (GLARE_RETRY) */
    SIPDLG_REQUEST_NO_RETRY = 4,
    /** 401, 407: hand it up */
    SIPDLG_REQUEST_NO_AUTH = 8,
} sipdlg_request_flag_e;

/** What a REGISTER asks for. */
typedef enum sipdlg_register_asks_e {
    /** our Contact is bound to the AOR, or stays so */
    SIPDLG_REGISTER_BIND = 0,
    /** its binding ends */
    SIPDLG_REGISTER_UNBIND = 1,
    /** all that is bound is asked for, and nothing changed (no Contact) */
    SIPDLG_REGISTER_QUERY = 2,
} sipdlg_register_asks_e;

/** Bits of sipdlg_response_options_t.flags. */
typedef enum sipdlg_response_flag_e {
    /** 101-199 to INVITE by RFC 3262; by itself when the peer requires it */
    SIPDLG_RESPONSE_RELIABLE = 1,
} sipdlg_response_flag_e;

/** What an entry of a trace is; bits of sipdlg_config_set_trace_ring(). */
typedef enum sipdlg_trace_kind_e {
    SIPDLG_TRACE_MESSAGE = 1,
    /** of the log */
    SIPDLG_TRACE_LINE = 2,
} sipdlg_trace_kind_e;

/** Which way a message went. */
typedef enum sipdlg_direction_e {
    SIPDLG_DIRECTION_NONE = 0,
    SIPDLG_DIRECTION_IN = 1,
    SIPDLG_DIRECTION_OUT = 2,
} sipdlg_direction_e;

/** What a trace or capture leaves out; bits of sipdlg_config_set_redact(). */
typedef enum sipdlg_redact_e {
    /**
     * Authorization, Proxy-Authorization but for realm, username, uri, nonce, algorithm, qop, nc, opaque; response, cnonce,
     * rspauth wherever they stand; passwords of URIs
     */
    SIPDLG_REDACT_CREDENTIALS = 1,
    /** keys of SDES (a=crypto), k=, a=key-mgmt, a=ice-pwd */
    SIPDLG_REDACT_KEYS = 2,
    /** users of URIs, display names, username, Identity, the person in o=, e= and p= */
    SIPDLG_REDACT_IDENTITIES = 4,
} sipdlg_redact_e;

/** Settings of an agent. Made by sipdlg_config_new(). */
typedef struct sipdlg_config_t sipdlg_config_t;

/** A parsed, immutable message. Borrowed, or kept by sipdlg_message_retain(). */
typedef struct sipdlg_message_t sipdlg_message_t;

/** enum sipdlg_status_e. */
typedef int32_t sipdlg_status_t;

/** IP address and port. Never changes layout. All zero: none. */
typedef struct sipdlg_endpoint_t {
    /** network order; an IPv4 address stands in the first four bytes */
    uint8_t ip[16];
    /** IPv6 scope id, else 0 */
    uint32_t scope;
    /** host order */
    uint16_t port;
    /** 0 none, 4, 6 */
    uint16_t family;
} sipdlg_endpoint_t;

/**
 * Receives log lines: at WARN one for each message that the library drops or refuses by itself (time, `!!`, flow, method
 * or status, Call-ID, what was done, header and rule with its section, name of the reason: enum sipdlg_reason_e), of each
 * kind (counter) ten at once and ten a second, the next saying how many were left out; at INFO the same of what else it
 * does by itself (see sipdlg_session_explain()); at DEBUG one more per message sent or received (time, arrow, flow, start
 * line: ladders come from these). No line has a body, credentials or the password of a URI; control characters are
 * escaped, and at WARN and INFO what a peer wrote is cut. On whichever thread is inside the library; must not call the
 * library. An exception to "Threads", as sipdlg_trace_t.
 */
typedef void (*sipdlg_log_t)(void *user, int32_t level, const char *line);

/**
 * Certificates, see sipdlg_config_set_tls(). A text that has "-----BEGIN " is PEM itself, any other the path of a file with
 * PEM, read once.
 */
typedef struct sipdlg_tls_t {
    size_t size;
    /** our chain, our own certificate first; NULL: none, then connections are only opened */
    const char *certificates;
    /** its private key, not encrypted (PKCS #8, PKCS #1, SEC 1) */
    const char *key;
    /** whom we trust; NULL: whom the system trusts */
    const char *authorities;
    /** enum sipdlg_tls_verify_e: of those that we connect to */
    int32_t verify;
    /** enum sipdlg_policy_e: whether those that connect to us show a certificate of `authorities`, and must */
    int32_t clients;
    /** 1: not TLS 1.2 */
    int32_t only_tls13;
    /** 0 */
    int32_t reserved;
} sipdlg_tls_t;

/** Token of an agent; 0 is none. */
typedef uint64_t sipdlg_agent_t;

/** Token of a session; 0 is none. */
typedef uint64_t sipdlg_session_t;

/** Token of a request of the peer; 0 is none. */
typedef uint64_t sipdlg_incoming_t;

/** Token of a request of ours; 0 is none. */
typedef uint64_t sipdlg_outgoing_t;

/** Borrowed bytes; not NUL-terminated; data is NULL when there are none. Never changes layout. */
typedef struct sipdlg_str_t {
    const char *data;
    size_t len;
} sipdlg_str_t;

/** What happened. Borrowed: see Memory. Tokens that do not apply are 0, pointers NULL, numbers 0. */
typedef struct sipdlg_event_t {
    size_t size;
    /** enum sipdlg_event_kind_e */
    int32_t kind;
    /** bits of enum sipdlg_event_flag_e */
    uint32_t flags;
    /**
     * one counter with sipdlg_transmit_t.id: the order in which all of it arose. Rises, unless more than 64 events wait:
     * then new requests of peers out of dialogs wait for all others, but for each ninth event; the order within one
     * session stays
     */
    uint64_t id;
    sipdlg_agent_t agent;
    sipdlg_session_t session;
    /** the request to answer */
    sipdlg_incoming_t incoming;
    /** our request that this is about */
    sipdlg_outgoing_t outgoing;
    /** INVITE with Replaces (RFC 3891): the session that accept() will end with BYE or CANCEL */
    sipdlg_session_t replaces;
    /** user pointer of the request, else of the session, else NULL */
    void *user;
    /** the request, or the response; NULL when there is none */
    const sipdlg_message_t *message;
    /** enum sipdlg_method_e of `incoming` or `outgoing` */
    int32_t method;
    /** SIP status of a response, also a local one; of the sipfrag for NOTIFY */
    int32_t status_code;
    /** enum sipdlg_reason_e */
    int32_t reason;
    /** of `session` after the event */
    int32_t session_state;
    int32_t signaling_state;
    /** RESOLVE: asked for by the URI, or TRANSPORT_ANY */
    int32_t transport;
    /** GLARE_RETRY */
    uint64_t delay_us;
    /** RESOLVE: number for sipdlg_agent_resolved(); LINK_LOST: the link */
    uint64_t query;
    /**
     * RESOLVE: host; CHALLENGE: realm; BYE, CANCEL, REDIRECT, REJECT, PROGRESS of a 199, TERMINATED: value of the
     * Reason header (RFC 3326) of `message`, of several one list
     */
    sipdlg_str_t text;
    uint32_t reserved;
    /** RESOLVE: of the URI, 0 none */
    uint16_t port;
    /** RESOLVE: 1 for sips */
    uint16_t secure;
} sipdlg_event_t;

/** `user` is the delegate's own. */
typedef void (*sipdlg_callback_t)(void *user, const sipdlg_event_t *event);

/**
 * Functions for events, each or NULL. Where an event looks for its function:
 *   the fate of a request of ours (TRYING to CHALLENGE, GLARE_RETRY): only in the delegate given to that request, so
 *     that the 200 of an INFO is never taken for that of the INVITE;
 *   all else: in its incoming request, then its session, then its agent; the first found is called.
 * None: the default is done.
 * A session starts with the delegate of its INVITE. User pointers: a session starts with that of its INVITE, a request
 * in a dialog with that of its session (unless options give one). Such sharing is counted: the release function runs
 * once, when the last that holds the pointer has ended or got another.
 * The look-up happens when the event is delivered, so what one callback sets is there for the next event.
 */
typedef struct sipdlg_delegate_t {
    size_t size;
    void *user;
    sipdlg_callback_t on_invite;
    sipdlg_callback_t on_reinvite;
    sipdlg_callback_t on_update;
    sipdlg_callback_t on_prack;
    sipdlg_callback_t on_bye;
    sipdlg_callback_t on_info;
    sipdlg_callback_t on_message;
    sipdlg_callback_t on_notify;
    sipdlg_callback_t on_refer;
    sipdlg_callback_t on_subscribe;
    sipdlg_callback_t on_register;
    sipdlg_callback_t on_options;
    sipdlg_callback_t on_request;
    sipdlg_callback_t on_ack;
    sipdlg_callback_t on_cancel;
    sipdlg_callback_t on_trying;
    sipdlg_callback_t on_progress;
    sipdlg_callback_t on_accept;
    sipdlg_callback_t on_redirect;
    sipdlg_callback_t on_reject;
    sipdlg_callback_t on_challenge;
    sipdlg_callback_t on_state;
    sipdlg_callback_t on_ack_timeout;
    sipdlg_callback_t on_glare_retry;
    sipdlg_callback_t on_terminated;
    sipdlg_callback_t on_resolve;
    sipdlg_callback_t on_transport_error;
    sipdlg_callback_t on_resync;
    sipdlg_callback_t on_link_lost;
} sipdlg_delegate_t;

/**
 * Called with a pointer that the host gave, when the last object that holds it has let it go. Runs where callbacks
 * run, and inside sipdlg_agent_poll_event() and sipdlg_agent_free().
 */
typedef void (*sipdlg_release_t)(void *user);

/**
 * The way a message came or must go. Never changes layout.
 * `link` is the host's own number for a socket or connection (a file descriptor, an index); the library only
 * compares and repeats it. On a message to send, link 0 means "any socket of this transport; for TCP, TLS, WS:
 * use the connection to `remote` or open one". A response goes back on the flow of its request: same link, and
 * `remote` by RFC 3261 §18.2.2 and RFC 3581 (received, rport; maddr as SIPDLG_QUIRK_MADDR_ELSEWHERE says); of a
 * connection that was closed (sipdlg_agent_link_closed()) link 0, and `remote` is where the request came from with the
 * port of its Via.
 */
typedef struct sipdlg_flow_t {
    /** enum sipdlg_transport_e */
    int32_t transport;
    /** 0 */
    uint32_t reserved;
    uint64_t link;
    sipdlg_endpoint_t local;
    sipdlg_endpoint_t remote;
} sipdlg_flow_t;

/**
 * A message to put on the wire. Without bytes (len 0; only where sipdlg_agent_keep_alive() was called) nothing is to be sent:
 * close the connection of the flow, then sipdlg_agent_link_closed().
 */
typedef struct sipdlg_transmit_t {
    size_t size;
    /** for sipdlg_agent_transmit_failed(); see sipdlg_event_t.id */
    uint64_t id;
    /** borrowed until the next sipdlg_agent_poll_transmit() of this agent */
    const void *data;
    size_t len;
    /** where to; see sipdlg_flow_t */
    sipdlg_flow_t flow;
    /**
     * of a request: the name in its URI or top Route that was asked for, whatever address it led to: TLS server name
     * and what the certificate must have (RFC 5922), WS Host. Empty (data NULL): the URI has an address only, or it is
     * a response. Borrowed as long as `data`
     */
    sipdlg_str_t host;
} sipdlg_transmit_t;

/** A body to send. Never changes layout. */
typedef struct sipdlg_body_t {
    /** NULL: no body */
    const void *data;
    size_t len;
    /** NULL: application/sdp */
    const char *content_type;
    /** NULL: "session" for application/sdp, else "render" (RFC 3261 §20.11) */
    const char *disposition;
} sipdlg_body_t;

/** Digest credentials, see sipdlg_config_add_credentials(). Never changes layout. */
typedef struct sipdlg_credentials_t {
    /** NULL: any; ERR_ARGUMENT with is_ha1 */
    const char *realm;
    const char *user;
    /** a password, or with is_ha1 the hex HA1 of `algorithm` */
    const char *secret;
    /** "MD5", "SHA-256", "SHA-512-256"; NULL: MD5 */
    const char *algorithm;
    int32_t is_ha1;
    /** 0 */
    int32_t reserved;
} sipdlg_credentials_t;

/** Session timers (RFC 4028), see sipdlg_config_set_session_timer(). Never changes layout. */
typedef struct sipdlg_session_timer_t {
    /** enum sipdlg_policy_e */
    int32_t policy;
    /** 0: none is asked for, and with REQUIRED 1800 */
    uint32_t interval_s;
    /** 0: 90 */
    uint32_t min_se_s;
    /** enum sipdlg_refresher_e */
    int32_t refresher;
} sipdlg_session_timer_t;

/**
 * How a request differs from the usual. NULL or all zero (but size) is a plain one.
 *
 * headers: "Name: value" strings, NULL at the end. What the host gives
 *   Via, CSeq, Content-Length, Content-Type, Content-Disposition, Record-Route, From, To, Call-ID, and in a dialog
 *     Route: refused, ERR_HEADER (out of a dialog use the fields below and sipdlg_config_set_route_set);
 *   RSeq, RAck: accepted where they are what the library may write (RSeq: free for the first reliable response to an
 *     INVITE, then one higher each; RAck: of the response that is acknowledged), else ERR_HEADER;
 *   Contact, Max-Forwards, User-Agent, Server, Allow, Accept, Warning, Retry-After, Recv-Info, Session-Expires,
 *     Min-SE, Refer-To, Event, Subscription-State: stands instead of the library's own;
 *   Supported, Require: united with the library's own;
 *   anything else: added in the given order.
 * One that may stand once and is given twice is refused, ERR_HEADER; so is a second Contact where a dialog is made or
 * its target moved. All of this holds for CANCEL, for a BYE that waits for its ACK and for what is sent again as well.
 */
typedef struct sipdlg_request_options_t {
    size_t size;
    /** bits of enum sipdlg_request_flag_e */
    uint32_t flags;
    /** INVITE: Expires, and CANCEL by ourselves then; 0 none */
    uint32_t expires_ms;
    const char *const *headers;
    sipdlg_body_t body;
    /** out of a dialog: name-addr or URI, no tag. Default the AOR */
    const char *from;
    /** out of a dialog: the same. Default the target's scheme, user, host and `user` parameter */
    const char *to;
    /** out of a dialog. Default a new one */
    const char *call_id;
    /** send exactly there, resolve nothing; remote none: only choose the socket */
    const sipdlg_flow_t *flow;
    /** of this request, and for an INVITE of its sessions */
    const sipdlg_delegate_t *delegate;
    /** likewise */
    void *user;
    /** called once when all that hold `user` have ended; never when this call fails */
    sipdlg_release_t release;
    /**
     * INVITE: the REFER that asked for it. It is accepted (200) if not answered, its Referred-By and Replaces are
     * honoured, and NOTIFYs with the progress go out (RFC 3515, 3892)
     */
    sipdlg_incoming_t refer;
    /**
     * for challenges to this request; an INVITE's sessions have them for all that follows, and in a dialog they are
     * its session's from then on, instead of those for the same realms. A realm for which there is one here gets none
     * of the configuration's. NULL none
     */
    const sipdlg_credentials_t *credentials;
    size_t credentials_count;
    /** INVITE, re-INVITE, UPDATE: instead of the configuration's, for the call from then on. NULL: that */
    const sipdlg_session_timer_t *session_timer;
    /** value of a Reason header (RFC 3326), `Q.850;cause=16`, one or a list of them; NULL none */
    const char *reason;
} sipdlg_request_options_t;

/** How a response differs from the usual. headers as above. */
typedef struct sipdlg_response_options_t {
    size_t size;
    /** bits of enum sipdlg_response_flag_e */
    uint32_t flags;
    /** 0 */
    uint32_t reserved;
    const char *const *headers;
    sipdlg_body_t body;
    /** default by the code */
    const char *reason_phrase;
    /** first tagged response of a request only; another tag makes another early dialog. Default random */
    const char *to_tag;
    /** 2xx to INVITE, re-INVITE, UPDATE: as in a request. What arrives before is measured by what held until then */
    const sipdlg_session_timer_t *session_timer;
    /** value of a Reason header (RFC 3326, of a 199 RFC 6228); NULL none */
    const char *reason;
} sipdlg_response_options_t;

/**
 * Counters since the start, and what lives now. What the library dropped, refused or passed over by itself is counted
 * once in one of dropped_, refused_, answered_limit, maddr_ignored and ignored_challenges, and told at WARN
 * (sipdlg_log_t).
 */
typedef struct sipdlg_stats_t {
    size_t size;
    /** living now */
    uint64_t sessions;
    uint64_t incoming;
    uint64_t outgoing;
    uint64_t transactions;
    uint64_t timers;
    /** held for all of them, their tables, queues and half messages, to within 2 % and 1 kB; see sipdlg_config_set_memory() */
    uint64_t bytes;
    uint64_t messages_received;
    uint64_t messages_sent;
    uint64_t retransmissions_received;
    uint64_t retransmissions_sent;
    /** messages that could not be read, nor answered */
    uint64_t dropped_malformed;
    /** messages too long to be answered or for a stream, responses of too many forks */
    uint64_t dropped_limit;
    /** requests answered 503, 513 or 500 beyond a limit */
    uint64_t answered_limit;
    uint64_t calls_placed;
    uint64_t calls_received;
    uint64_t calls_confirmed;
    uint64_t longest_callback_us;
    /** by bit number of enum sipdlg_quirk_e */
    uint64_t quirks[32];
    /** requests that were not answered where `maddr` says; see SIPDLG_QUIRK_MADDR_ELSEWHERE */
    uint64_t maddr_ignored;
    /** requests answered 400 or 505: broken */
    uint64_t refused_malformed;
    /** 405, 501 */
    uint64_t refused_method;
    /** 416, 480: the URI's scheme */
    uint64_t refused_scheme;
    /** 420, 421, 422 */
    uint64_t refused_extension;
    /** 415, 469: a body, or the package of an INFO */
    uint64_t refused_content;
    /** 482: came on two ways */
    uint64_t refused_merged;
    /** 481: of a dialog, transaction or subscription that is not here */
    uint64_t refused_unknown;
    /** 500: CSeq not higher than that of the request before */
    uint64_t refused_order;
    /** 486, 488, 491, 500, 603: forbidden by what is under way in the dialog */
    uint64_t refused_state;
    /** 503: sipdlg_config_set_memory(); in answered_limit too */
    uint64_t refused_memory;
    /** refused by their default (see the kinds of events), or because the host took too long */
    uint64_t refused_default;
    /** responses: to no request of ours, with two Vias, out of order, or no dialog could be made of them */
    uint64_t dropped_response;
    /** ACKs of nothing */
    uint64_t dropped_ack;
    /** connections not read on, since a Content-Length was no number */
    uint64_t dropped_stream;
    /** challenges passed over: broken, or weaker than sipdlg_config_set_digest_minimum() wants */
    uint64_t ignored_challenges;
    /** 503: as many sessions as there may be; in answered_limit too, as the next three */
    uint64_t refused_sessions;
    /** 503: the soft limit of calls, sipdlg_config_set_admission() */
    uint64_t refused_calls;
    /** 503: as many requests without final response as there may be */
    uint64_t refused_unanswered;
    /** 503: more requests a second than one address may send */
    uint64_t refused_rate;
    /** requests out of dialogs on sockets of the library that the agent was too far behind to take */
    uint64_t dropped_behind;
    /** entries of a trace that nobody saw, since its ring was full or its function took too long */
    uint64_t trace_lost;
    /** messages that could not be written into a pcap file or sent as HEP3 */
    uint64_t capture_lost;
    /** connections of the library's sockets, sipdlg_config_set_connections() */
    uint64_t connections;
    /** those of peers that were not taken, there being too many */
    uint64_t connections_refused;
    /** messages that a socket or connection did not take, so much waiting for it already */
    uint64_t transmits_full;
} sipdlg_stats_t;

/** View of From, To, Contact, Route, Refer-To, P-Asserted-Identity, ... Never changes layout. */
typedef struct sipdlg_name_addr_t {
    sipdlg_str_t display_name;
    sipdlg_str_t uri;
    sipdlg_str_t scheme;
    sipdlg_str_t user;
    sipdlg_str_t host;
    /** from the first `;` */
    sipdlg_str_t uri_parameters;
    /** without the `?` */
    sipdlg_str_t uri_headers;
    /** of the header, from the first `;` */
    sipdlg_str_t parameters;
    sipdlg_str_t tag;
    /** 0 none */
    uint32_t port;
    uint32_t reserved;
} sipdlg_name_addr_t;

/** View of a Via. Never changes layout. */
typedef struct sipdlg_via_t {
    sipdlg_str_t transport;
    sipdlg_str_t host;
    sipdlg_str_t branch;
    sipdlg_str_t received;
    /** 0 none */
    uint32_t port;
    /** 0 none */
    uint32_t rport;
} sipdlg_via_t;

/** A body received or kept. Never changes layout. */
typedef struct sipdlg_body_view_t {
    sipdlg_str_t content;
    sipdlg_str_t content_type;
    /** inferred when the message had none */
    sipdlg_str_t disposition;
} sipdlg_body_view_t;

/** What a REGISTER asks for. */
typedef struct sipdlg_register_t {
    size_t size;
    /** enum sipdlg_register_asks_e */
    int32_t asks;
    /** for how long; 0: as the registrar has it */
    uint32_t expires_s;
    /** its number: of those with one Call-ID each has a higher one (RFC 3261 §10.2), see sipdlg_registered_t.next_cseq; 0: 1 */
    uint32_t cseq;
    /**
     * which flow of the instance it is, for a registrar that sends requests back by the connection (RFC 5626 §4.2); with it
     * goes Supported: path, outbound. 0: none
     */
    uint32_t reg_id;
    /** URN of the device (sipdlg_instance_new()), for +sip.instance; NULL none */
    const char *instance;
} sipdlg_register_t;

/** What came of a REGISTER. */
typedef struct sipdlg_registered_t {
    size_t size;
    /**
     * of a 2xx: for how long the Contact of this request is bound, among all that are listed; 0: it is not. Same flow
     * of an instance, else same URI
     */
    uint32_t expires_s;
    /** when to register again: at half of it, of more than 1200 s 600 before its end */
    uint32_t refresh_s;
    /** of a 423: what to ask for at least */
    uint32_t min_expires_s;
    /** Retry-After; 0 none */
    uint32_t retry_after_s;
    /** of a 2xx: Flow-Timer (RFC 5626 §4.4); 0 none */
    uint32_t flow_timer_s;
    /** the number of the next REGISTER with this Call-ID */
    uint32_t next_cseq;
    /** of a 2xx: how many Contacts are bound */
    uint32_t bindings;
    /** of a 2xx: 1 the registrar sends requests back by the flow (RFC 5626 §6) */
    int32_t outbound;
} sipdlg_registered_t;

/**
 * The state of a dialog as text (RFC 3261 §12), for takeover from another product. Required: call_id, local_tag,
 * local_uri, remote_uri, remote_target.
 */
typedef struct sipdlg_dialog_state_t {
    size_t size;
    const char *call_id;
    const char *local_tag;
    /** NULL or "": the peer has none (RFC 2543) */
    const char *remote_tag;
    /** URI or name-addr without tag, as the next */
    const char *local_uri;
    const char *remote_uri;
    /** URI */
    const char *remote_target;
    /** a Route header value, first hop first; NULL none */
    const char *route_set;
    /** of our last request (the next has one more), below 2^31 */
    uint32_t local_sequence_number;
    /** of the peer's last request (a later one must have more), below 2^31 */
    uint32_t remote_sequence_number;
    /** 0: empty, nothing was sent; 0 is a number */
    int32_t has_local_sequence_number;
    /** 0: empty, the peer sent nothing */
    int32_t has_remote_sequence_number;
    int32_t secure;
    /** early needs `caller` */
    int32_t early;
    /** we sent the INVITE */
    int32_t caller;
    int32_t reserved;
    /** of the last exchange; data NULL none */
    sipdlg_body_t offer;
    sipdlg_body_t answer;
} sipdlg_dialog_state_t;

/** One thing that the library did by itself; see sipdlg_session_explain(). */
typedef struct sipdlg_explain_entry_t {
    size_t size;
    /** when */
    uint64_t unix_us;
    /** enum sipdlg_reason_e, which says what makes each */
    int32_t reason;
    /** sent, received or made here, 0 none */
    int32_t status_code;
    /** "RFC 3261 14.2". Static */
    sipdlg_str_t rfc;
    /** one sentence. Static */
    sipdlg_str_t text;
} sipdlg_explain_entry_t;

/** A message that passed, or a line of the log. Borrowed. */
typedef struct sipdlg_trace_entry_t {
    size_t size;
    /** rises by one with each entry of the agent, lost ones too */
    uint64_t id;
    /** right before this one */
    uint64_t lost;
    uint64_t unix_us;
    /** enum sipdlg_trace_kind_e */
    int32_t kind;
    /** enum sipdlg_direction_e */
    int32_t direction;
    /** of a line: enum sipdlg_log_level_e */
    int32_t level;
    int32_t reserved;
    /** of a message */
    sipdlg_flow_t flow;
    /** the message, or the line */
    sipdlg_str_t data;
} sipdlg_trace_entry_t;

/**
 * Takes one message of a trace: sipdlg_config_set_trace(). On whichever thread is inside the library, also one that had
 * nothing to do with the message; one at a time, in order, nothing locked; must not call the library. The entry is borrowed
 * until it returns. As the log an exception to "Threads". None comes after sipdlg_agent_free() has returned, but one that
 * runs on another thread while the agent is freed inside a callback.
 */
typedef void (*sipdlg_trace_t)(void *user, const sipdlg_trace_entry_t *entry);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/* ================================================================ library */

/** "0.1.0". Static. */
const char *sipdlg_version(void);

/** SIPDLG_ABI_VERSION of the library; refuse to run when it differs from the header's. */
uint32_t sipdlg_abi_version(void);

/** The name and meaning of a status, "SIPDLG_ERR_STATE: a protocol rule forbids it now". Static, total, never NULL. */
const char *sipdlg_status_text(sipdlg_status_t status);

/** The calling thread's last failure in words: the argument, the RFC section. For people only. Text out. */
sipdlg_status_t sipdlg_last_error(char *buffer, size_t capacity, size_t *needed);

/**
 * What a response to a request in a dialog ends by RFC 5057 §5: enum sipdlg_effect_e. status_code 0: no response, a
 * time-out (a failed transport counts as 503, RFC 3261 §8.1.3.1). For 3xx it says DIALOG, as the table does; an
 * agent lets a 3xx end nothing unless sipdlg_config_set_effect() says so. Errors: ERR_ARGUMENT method NULL or
 * status_code neither 0 nor 300-699.
 */
int32_t sipdlg_effect_of(const char *method, int32_t status_code);

/** "192.0.2.1:5060", "[2001:db8::1%2]:5060" to an endpoint. No port: 0. Errors: ERR_SYNTAX. */
sipdlg_status_t sipdlg_endpoint_parse(const char *text, sipdlg_endpoint_t *out);

/** The reverse. Text out. */
sipdlg_status_t sipdlg_endpoint_text(const sipdlg_endpoint_t *endpoint,
                                     char *buffer,
                                     size_t capacity,
                                     size_t *needed);

/** From a struct sockaddr_in or _in6. Errors: ERR_ARGUMENT another family, or too short. */
sipdlg_status_t sipdlg_endpoint_from_sockaddr(const void *sockaddr, size_t len, sipdlg_endpoint_t *out);

/**
 * To a struct sockaddr_in or _in6 of the host (a sockaddr_storage is enough); `len` gets its length. Errors:
 * ERR_BUFFER.
 */
sipdlg_status_t sipdlg_endpoint_to_sockaddr(const sipdlg_endpoint_t *endpoint,
                                            void *sockaddr,
                                            size_t capacity,
                                            size_t *len);

/* ================================================================ config
 * A configuration is used by one thread at a time, may make many agents, and may be freed at once afterwards:
 * sipdlg_agent_new() copies it. Setters return SIPDLG_OK, ERR_ARGUMENT or ERR_SYNTAX.
 */

/** New, with every default. NULL only without memory. Free it with sipdlg_config_free(). */
sipdlg_config_t *sipdlg_config_new(void);

/** NULL is allowed. */
void sipdlg_config_free(sipdlg_config_t *config);

/**
 * Identity: From of what we send, `"Alice" <sip:alice@example.com>` or a URI. Default sip:anonymous@anonymous.invalid
 * (RFC 3261 §8.1.1.3). Errors: ERR_SYNTAX, also parameters behind the address (the tag is made for each dialog).
 */
sipdlg_status_t sipdlg_config_set_aor(sipdlg_config_t *config, const char *name_addr);

/**
 * Contact (name-addr or URI), sent as it is. Default: user of the AOR at the address of the transport in use; a SIPS
 * URI only where Request-URI or route are (RFC 3261 §8.1.1.8, §12.1.1), over TLS and WSS too (RFC 5630 §5.1.1.2).
 */
sipdlg_status_t sipdlg_config_set_contact(sipdlg_config_t *config, const char *name_addr);

/** User-Agent and Server. Default "sipdlg/VERSION"; "" sends none. */
sipdlg_status_t sipdlg_config_set_user_agent(sipdlg_config_t *config, const char *value);

/**
 * Option tags for Supported, comma separated, beyond those that the settings imply: 100rel
 * (sipdlg_config_set_reliable()), timer (sipdlg_config_set_session_timer()), from-change
 * (sipdlg_config_set_connected_identity()), replaces and 199 where Allow has INVITE, norefersub where it has REFER.
 * Default none. A request that requires one of all these is taken, any other gets 420.
 */
sipdlg_status_t sipdlg_config_set_supported(sipdlg_config_t *config, const char *tags);

/**
 * Methods in Allow, comma separated. Others are answered 405. Default: INVITE ACK CANCEL BYE PRACK UPDATE INFO
 * MESSAGE NOTIFY REFER OPTIONS.
 */
sipdlg_status_t sipdlg_config_set_allow(sipdlg_config_t *config, const char *methods);

/** Preloaded routes (an outbound proxy), a Route header value: "<sip:proxy;lr>, <...>". Default none (RFC 3261 §8.1.2). */
sipdlg_status_t sipdlg_config_set_route_set(sipdlg_config_t *config, const char *routes);

/** T1, T2, T4 of RFC 3261 §17 in milliseconds; 0 keeps one. Default 500, 4000, 5000. Errors: ERR_ARGUMENT T1 > T2. */
sipdlg_status_t sipdlg_config_set_timers(sipdlg_config_t *config,
                                         uint32_t t1_ms,
                                         uint32_t t2_ms,
                                         uint32_t t4_ms);

/**
 * Time the host may take to answer an INVITE (then 480; Expires may shorten it) and any other request (then its
 * default) in milliseconds; 0 keeps one. Default 180000, 16000.
 */
sipdlg_status_t sipdlg_config_set_answer_timeouts(sipdlg_config_t *config,
                                                  uint32_t invite_ms,
                                                  uint32_t other_ms);

/**
 * Upper bounds; 0 keeps one. Default 65535 bytes, 100000, 4194303. Beyond: 513, 503, or dropped and counted; what
 * the host wants sent: ERR_LIMIT. An INVITE has its place among the sessions from its event on. Over UDP a call of the
 * peer's and its BYE are two transactions of 32 s (RFC 6026, RFC 3261 timer J): n of them carry n/64 calls a second.
 * Of one message 256 header lines, 64 Routes and Record-Routes, 128 Vias, 64 parameters of a value and 32 parts of a
 * body are read; a request with more gets 513, a response with more Record-Routes counts as one without good Contact.
 * Errors: ERR_ARGUMENT message_bytes not 1300 to 16777216, sessions or transactions above 4194303.
 */
sipdlg_status_t sipdlg_config_set_limits(sipdlg_config_t *config,
                                         uint32_t message_bytes,
                                         uint32_t sessions,
                                         uint32_t transactions);

/**
 * Bytes held, in all and for the calls and requests of one IP address (of IPv6: of one /64); 0 keeps one. Default 1 GiB,
 * and no bound for one address: a trunk is one. total_bytes is what sipdlg_stats_t.bytes says; what the host retains
 * (messages, user data) is its own. Beyond either: 503 with Retry-After to new requests, without any state; dialogs
 * that stand go on, with a quarter more for their requests; their BYE, CANCEL and ACK of at most 4096 bytes are always
 * taken. The host's own calls are not refused; of these only the first dialog is sure to be taken. Half messages in streams
 * on which no call goes get a quarter together, then ERR_LIMIT (sipdlg_agent_receive()).
 * Errors: ERR_ARGUMENT below 65536.
 */
sipdlg_status_t sipdlg_config_set_memory(sipdlg_config_t *config,
                                         uint64_t total_bytes,
                                         uint64_t per_address_bytes);

/**
 * What peers may begin while there would still be room; 0: no limit, which is the default of all four. Beyond: 503 with a
 * Retry-After of 5 to 15 s, drawn for each request and the same for its repeats, and no state; each has its counter in
 * sipdlg_stats_t. calls: sessions (INVITEs that wait for an answer count) beyond which no INVITE of a peer's is taken; the
 * host's own calls and their forks go on up to the limit of sipdlg_config_set_limits(). unanswered: requests out of dialogs
 * without final response beyond which none is handed up; calls that ring are such, so let it be more than may ring at
 * once. address_requests: those that one IP address (of IPv6: one /64) may send in a second; address_burst: at once, 0:
 * as many as in a second. A trunk or proxy is one address, and may send nothing at all until its Retry-After is over (RFC
 * 3261 §21.5.4). Never refused here: what comes in a dialog that is here, ACK, the CANCEL of a request that is here, an
 * INVITE with Replaces of a call that lives, of which no other waits for its answer.
 * Errors: ERR_ARGUMENT calls or unanswered above 4194303, address_requests or address_burst above 1000000; a burst without
 * address_requests.
 */
sipdlg_status_t sipdlg_config_set_admission(sipdlg_config_t *config,
                                            uint32_t calls,
                                            uint32_t unanswered,
                                            uint32_t address_requests,
                                            uint32_t address_burst);

/**
 * RFC 3262. policy: enum sipdlg_policy_e; manual_prack 1: the host sends every PRACK. Default SUPPORTED, 0.
 * SUPPORTED: our INVITEs say that they support 100rel; 101-199 of ours are reliable where the peer requires it, or
 * supports it and SIPDLG_RESPONSE_RELIABLE asks. REQUIRED: our INVITEs require it; 101-199 of ours are reliable; an
 * INVITE that does not support it is answered 421. OFF, and where Allow lacks PRACK: one that requires it is answered
 * 420. A reliable response of the peer gets its PRACK under any policy.
 */
sipdlg_status_t sipdlg_config_set_reliable(sipdlg_config_t *config, int32_t policy, int32_t manual_prack);

/**
 * Session timers (RFC 4028). policy: enum sipdlg_policy_e; interval_s: what is asked for, 0 nothing (REQUIRED: 1800);
 * min_se_s: the least that a peer may ask for, 0: 90; refresher: enum sipdlg_refresher_e, the wish. Default SUPPORTED, 0,
 * 0, ANY: a peer that asks for a timer gets it.
 * SUPPORTED: our requests say that they support it; where a timer runs, the library refreshes at half the interval, by
 * UPDATE where the peer allows it, else by re-INVITE with our description as it was. The host hears nothing of that but a
 * STATE with reason REFRESHED where the peer's description is another then; a re-INVITE or UPDATE of its own that comes
 * meanwhile waits for it (WAITING_RETRY). Where it is the peer that is to refresh and it does not, BYE follows at the interval
 * less the smaller of 32 s and a third, with Reason `SIP;cause=408;text="Session expired"`; TERMINATED with SESSION_EXPIRED. 422 to ours is
 * answered by asking for more, three times at most, unless NO_RETRY or the host wrote Session-Expires itself; an INVITE
 * or UPDATE of the peer's that asks for less than min_se_s gets 422. Its re-INVITE that repeats its description byte for
 * byte gets by default 200 with ours. REQUIRED: ours require it, and a new INVITE without it gets 421. OFF: nothing of
 * all this; Session-Expires means nothing.
 * Errors: ERR_ARGUMENT min_se_s neither 0 nor at least 90, interval_s neither 0 nor at least min_se_s (90 where that is 0).
 */
sipdlg_status_t sipdlg_config_set_session_timer(sipdlg_config_t *config,
                                                int32_t policy,
                                                uint32_t interval_s,
                                                uint32_t min_se_s,
                                                int32_t refresher);

/**
 * What to do with a second 2xx: enum sipdlg_fork_policy_e. Default FORK_FIRST: it is ACKed, then ended with BYE.
 * FORK_ALL: another ACCEPT event.
 */
sipdlg_status_t sipdlg_config_set_fork_policy(sipdlg_config_t *config, int32_t policy);

/**
 * After RESYNC the library itself sends our description of before, by UPDATE where the peer's Allow lists it, else by
 * re-INVITE (RFC 6141 §3.4), as soon as it may; the host hears nothing of that request, but RESYNC once more where it is
 * refused, or cannot go for long: then it is the host's. Default 0: it is the host's.
 */
sipdlg_status_t sipdlg_config_set_resync(sipdlg_config_t *config,
                                         int32_t on);

/**
 * Retry of a re-INVITE or UPDATE after 491, or 500 or 503 with a Retry-After of at most 32 s (RFC 3261 §14.1), or where it
 * may not go out with credentials, for 422, to the next target, or when its name was found, at most 16 times; see
 * GLARE_RETRY. 0: REJECT with the response it had, else a local 491. Default 1. Per request: SIPDLG_REQUEST_NO_RETRY.
 */
sipdlg_status_t sipdlg_config_set_glare_retry(sipdlg_config_t *config,
                                              int32_t on);

/**
 * RFC 4916. 1: Supported has from-change, and a caller whose Supported has it is told by UPDATE who answered, once the
 * ACK is here, where the AOR is another URI than the one that it called and its Allow lists UPDATE; no event tells of
 * that UPDATE, until whose answer sipdlg_session_update() gives ERR_STATE. Then From of our requests is the AOR.
 * Default 0. Either way another From in a re-INVITE or UPDATE of the peer's is its identity from our 2xx on
 * (sipdlg_session_remote_uri(), To of our requests).
 */
sipdlg_status_t sipdlg_config_set_connected_identity(sipdlg_config_t *config, int32_t on);

/**
 * RFC 5630 §5.1.2: whether requests out of a dialog to SIPS URIs are taken, enum sipdlg_policy_e. Default SUPPORTED:
 * as those to SIP URIs. OFF: to a SIPS URI 480 with Warning 380. REQUIRED: to a SIP URI 480 with Warning 381. Requests
 * in dialogs are never refused for that.
 */
sipdlg_status_t sipdlg_config_set_sips(sipdlg_config_t *config, int32_t policy);

/**
 * Digest credentials for a realm (NULL: any); the secret is a password, or with is_ha1 the hex HA1 of `algorithm`
 * ("MD5", "SHA-256", "SHA-512-256"; NULL: MD5), which is for one realm. May be called for several realms. RFC 7616, RFC
 * 8760. A realm's former ones are replaced. Of several challenges of a realm the topmost is answered for which there
 * are some, by qop auth, by auth-int where nothing else is offered; one with a parameter twice is passed over. A proxy
 * is told unasked what it asked for before (RFC 3261 §22.3), as long as requests go to the address and port that asked.
 * Secrets are in no log and wiped when freed. See options.credentials. Errors: ERR_ARGUMENT, also is_ha1 without realm;
 * ERR_SYNTAX.
 */
sipdlg_status_t sipdlg_config_add_credentials(sipdlg_config_t *config,
                                              const char *realm,
                                              const char *user,
                                              const char *secret,
                                              int32_t is_ha1,
                                              const char *algorithm);

/**
 * The weakest algorithm whose challenges are answered ("MD5", "SHA-256", "SHA-512-256", the strongest last); weaker
 * ones count as not there, so that a list of challenges from which somebody took the strong ones ends with REJECT, 401
 * or 407. Default NULL: any.
 */
sipdlg_status_t sipdlg_config_set_digest_minimum(sipdlg_config_t *config, const char *algorithm);

/**
 * RFC 6086: packages for Recv-Info, comma separated; "": an empty Recv-Info. Default NULL: packages are not supported,
 * no Recv-Info is sent.
 */
sipdlg_status_t sipdlg_config_set_info_packages(sipdlg_config_t *config, const char *packages);

/**
 * Bits of enum sipdlg_quirk_e that are tolerated. Default: all but PRACK_UNASKED, REQUESTS_IN_EARLY
 * and MADDR_ELSEWHERE.
 */
sipdlg_status_t sipdlg_config_set_tolerance(sipdlg_config_t *config, uint32_t quirks);

/**
 * Overrides sipdlg_effect_of() for one (method, status). effect: enum sipdlg_effect_e. status_code 0: no response, be
 * it a time-out or a failed transport; without it the former goes as 408, the latter as 503. A 3xx ends nothing unless
 * this says so. Errors: ERR_ARGUMENT status_code neither 0 nor 300-699; ERR_SYNTAX method is no token.
 */
sipdlg_status_t sipdlg_config_set_effect(sipdlg_config_t *config,
                                         const char *method,
                                         int32_t status_code,
                                         int32_t effect);

/**
 * Seed of tags, branches and random waits. Default: from the operating system. The same seed and inputs give the same
 * bytes.
 */
sipdlg_status_t sipdlg_config_set_seed(sipdlg_config_t *config, uint64_t seed);

/** 1: time is what sipdlg_agent_set_time() says (tests, replay). Default 0. Not with run_once or start. */
sipdlg_status_t sipdlg_config_set_manual_clock(sipdlg_config_t *config, int32_t on);

/** Log lines up to a level (enum sipdlg_log_level_e). Default none. `user` must outlive the agents. */
sipdlg_status_t sipdlg_config_set_log(sipdlg_config_t *config, int32_t level, sipdlg_log_t log, void *user);

/**
 * Connections of the library's sockets; 0 keeps a default. connections: at a time, 10000; beyond, the oldest that has not
 * brought one whole message goes for a newcomer or for a request of ours; where there is none, the newcomer is not taken and
 * the request gets a local 503. address_connections: those that one IP address, or network of IPv6 (64 bits), may have made, 0
 * any number (a proxy is one address). idle_s: when its peer has been silent for so long, one that no call and no request needs
 * is closed; default 900, -1 never. connect_ms: in which a peer has to answer, and to agree on TLS and WebSocket, before the
 * next target is tried; default 5000. Whoever comes and has not brought a whole message after 32 s goes; at a WebSocket, where
 * pages wait for calls: has not upgraded, or answers no ping. What a connection does not take waits: at most 1 MiB or 4096
 * messages, of all connections 64 MiB together; beyond, a request goes to the next target or gets a local 503.
 * Errors: ERR_ARGUMENT connections above 1048576, idle_s below -1.
 */
sipdlg_status_t sipdlg_config_set_connections(sipdlg_config_t *config,
                                              uint32_t connections,
                                              uint32_t address_connections,
                                              int32_t idle_s,
                                              uint32_t connect_ms);

/**
 * What becomes of calls whose link is lost. wait_ms: so long a request of ours in such a dialog waits for another one (a
 * message of the peer on a connection, sipdlg_agent_move_link(), sipdlg_session_set_flow()) before it gets its local 503,
 * where its target cannot be reached otherwise: a host `*.invalid`, or an address that takes no connection. Default 0: none
 * waits. by_name: whether a client with such a host (RFC 7118) takes its dialogs with it when it comes back with any
 * request, whose Contact (user and host), or where that names nobody else whose Via names it: at once those whose link is
 * lost, others when the host gives the request a 2xx; never from TLS or WSS to the clear. Default 1. For either the name is
 * what a stranger would have to guess: clients draw it at random. Errors: ERR_ARGUMENT wait_ms above 3600000.
 */
sipdlg_status_t sipdlg_config_set_reconnect(sipdlg_config_t *config,
                                            uint32_t wait_ms,
                                            int32_t by_name);

/**
 * most: requests of ours with more bytes go by TCP where they would go by UDP, if there is a TCP transport (RFC 3261
 * §18.1.1); back by UDP when no connection is to be had there, which is then not tried again for ten minutes. Not where the
 * URI has transport=udp, or a flow was given or learned. Default 1300; 0: none does. Errors: ERR_ARGUMENT below 548, above
 * 65535.
 */
sipdlg_status_t sipdlg_config_set_datagram_bytes(sipdlg_config_t *config,
                                                 uint32_t most);

/**
 * NAT over UDP; connections need nothing. own: our Contact, unless it was given, says where we are seen: `received` and
 * `rport` (RFC 3581) of the last response to a REGISTER that came to the socket, before there is one of any response. Who
 * has registered does so again when sipdlg_agent_seen_at() changes. peers: requests in a dialog go where its last message
 * came from, whatever its Contact says, while that is the next hop. Default 0, 0.
 */
sipdlg_status_t sipdlg_config_set_nat(sipdlg_config_t *config,
                                      int32_t own,
                                      int32_t peers);

/**
 * Packets of the library's sockets, of UDP and of connections; NULL and 0 leave it to the system. interface: the name of the
 * network interface that all of them come and go by ("eth0"); an address to listen on is chosen in sipdlg_agent_listen().
 * dscp: 1 to 63, as routers know it (RFC 2474; 40 for signalling, RFC 4594). priority: 1 to 6 in the queues of this host
 * (SO_PRIORITY). What the system does not grant is ERR_SYSTEM of sipdlg_agent_listen(), whose text names it.
 * Errors: ERR_ARGUMENT.
 */
sipdlg_status_t sipdlg_config_set_sockets(sipdlg_config_t *config,
                                          const char *interface,
                                          uint32_t dscp,
                                          uint32_t priority);

/**
 * Keeps each connection that the library opens alive, as sipdlg_agent_keep_alive() does one: the seconds; 0, and default:
 * none but those of which a registrar says so. For peers that answer (RFC 5626, RFC 6223), for one that does not is taken for
 * dead. What is kept alive is never idle. Errors: ERR_ARGUMENT above 86400.
 */
sipdlg_status_t sipdlg_config_set_keep_alive(sipdlg_config_t *config,
                                             uint32_t every_s);

/**
 * 1: our Contact in dialogs, where the host has not set one, says `ob`: a registrar's or proxy's edge sends what comes in them
 * by the flow that it came by (RFC 5626 §4.3), for those who are reached by no other. Default 0.
 * Errors: ERR_ARGUMENT.
 */
sipdlg_status_t sipdlg_config_set_outbound(sipdlg_config_t *config,
                                           int32_t on);

/**
 * Certificates for TLS of the library's sockets. NULL, and default: none, so that connections are only opened; whom the system
 * trusts; VERIFY_NAME. Errors: ERR_SYNTAX what is no PEM; ERR_SYSTEM a file that cannot be read; ERR_ARGUMENT a key that is
 * not the certificate's or one without the other, no authority that can be used, `clients` without certificates;
 * ERR_UNSUPPORTED.
 */
sipdlg_status_t sipdlg_config_set_tls(sipdlg_config_t *config,
                                      const sipdlg_tls_t *tls);

/**
 * Name servers that the library's sockets have the names of RESOLVE from: "127.0.0.1:5353,[::1]:53", 1 to 8, the port 53 where
 * none is given. NULL, and default: those of /etc/resolv.conf with its search list (for names without a dot), timeout and
 * attempts, read again when it changes. A name in /etc/hosts has its addresses there and no records; nobody is asked for
 * localhost and what ends in .invalid. Answers are kept by their TTL. Errors: ERR_SYNTAX.
 */
sipdlg_status_t sipdlg_config_set_resolver(sipdlg_config_t *config,
                                           const char *addresses);

/**
 * WebSockets of the library's sockets (RFC 7118). path and headers ("Name: value" strings, NULL at the end; Origin, Cookie,
 * Authorization) are those of the request that opens one of ours; default "/" and none. ping_s: how often a peer is asked
 * whether it is there (RFC 6455 §5.5.2), of either side's making; one that has been silent until it would be asked again is
 * lost. 0 keeps the default of 25, -1 never: then who comes and brings no message goes as over TCP.
 * Errors: ERR_SYNTAX, also a header that the library writes itself; ERR_UNSUPPORTED.
 */
sipdlg_status_t sipdlg_config_set_websocket(sipdlg_config_t *config,
                                            const char *path,
                                            const char *const *headers,
                                            int32_t ping_s);

/* ================================================================ event */

/**
 * Does the default of an event, as if no function had been found. For hosts that poll, and from a callback that
 * declines. Nothing happens when the request was answered meanwhile. Errors: ERR_STATE done already.
 */
sipdlg_status_t sipdlg_event_default(const sipdlg_event_t *event);

/* ================================================================ agent
 * Where the host owns sockets and loop: any number of receive(), handle_timeout() and other calls; then drain
 * poll_event() or dispatch(), and poll_transmit(), until both have nothing; then ask next_timeout(). The outputs are
 * the same as if drained after each call.
 */

/** A new agent. `config` NULL: all defaults. No socket, no thread. Free it with sipdlg_agent_free(). */
sipdlg_status_t sipdlg_agent_new(const sipdlg_config_t *config, sipdlg_agent_t *out);

/**
 * Ends the agent at once: nothing is sent, sessions give no TERMINATED, release functions run. Waits for a running
 * callback of another thread; from inside a callback of ANY agent it never waits and takes effect when that callback
 * returns. To be polite first see sipdlg_agent_next_session() and sipdlg_session_hangup().
 */
sipdlg_status_t sipdlg_agent_free(sipdlg_agent_t agent);

/** Copies the delegate; NULL removes it. */
sipdlg_status_t sipdlg_agent_set_delegate(sipdlg_agent_t agent, const sipdlg_delegate_t *delegate);

/** Replaces the user pointer; the former one is released. */
sipdlg_status_t sipdlg_agent_set_user(sipdlg_agent_t agent, void *user, sipdlg_release_t release);

/** The user pointer, or NULL. */
void *sipdlg_agent_user(sipdlg_agent_t agent);

/**
 * Says that the host has a socket: transport, local and link of `flow`; remote is ignored. At least one is needed.
 * sent_by: host[:port] for Via and Contact when it is not the local address (NAT). For all but UDP: a listener or, with
 * port 0, "can connect"; WS and WSS without sent_by then have a random name .invalid (RFC 7118 §5). WSS serves sip URIs
 * with transport=ws where there is no WS; TLS and WSS serve those with tcp and ws of a dialog whose messages came so.
 * Errors: ERR_STATE this transport and local is there already.
 */
sipdlg_status_t sipdlg_agent_add_transport(sipdlg_agent_t agent,
                                           const sipdlg_flow_t *flow,
                                           const char *sent_by);

/**
 * Says that a socket or connection is gone (by link). Streams: its half message is dropped; requests in flight on it
 * go to the next target of their name (see sipdlg_agent_resolved()), or by the connection that their dialog has since, or
 * get a local 503. LINK_LOST tells each living session whose dialog's messages came on it last, or whose
 * sipdlg_session_set_flow() names it. That ends no call by itself: requests go by their URIs, until a message of the peer's
 * comes on another connection or the host names one (sipdlg_agent_move_link(), sipdlg_session_set_flow()). Of several that
 * wait for one session the last is told. SIPDLG_NONE: not known.
 */
sipdlg_status_t sipdlg_agent_link_closed(sipdlg_agent_t agent,
                                         uint64_t link);

/**
 * Where peers see the socket that `flow` goes by (transport, and link, local or remote): sipdlg_config_set_nat(). SIPDLG_NONE:
 * at its own address, as far as anybody has said. Errors: ERR_NO_TRANSPORT.
 */
sipdlg_status_t sipdlg_agent_seen_at(sipdlg_agent_t agent,
                                     const sipdlg_flow_t *flow,
                                     sipdlg_endpoint_t *out);

/**
 * Moves all dialogs of one link to another flow, for a client that comes back on a new connection: those whose messages
 * came on it last, or whose sipdlg_session_set_flow() names it, also when it is closed already. `count`: how many. A number
 * that the host uses anew is that of two connections here, so move before. A peer's message in a dialog does the same for
 * that one by itself. Errors: ERR_ARGUMENT link 0, `to` without remote; ERR_NO_TRANSPORT.
 */
sipdlg_status_t sipdlg_agent_move_link(sipdlg_agent_t agent,
                                       uint64_t link,
                                       const sipdlg_flow_t *to,
                                       size_t *count);

/**
 * Bytes from the network. UDP, WS, WSS: one call is one message. TCP, TLS: any piece of the stream of flow->link,
 * which must not be 0; the library finds the messages (RFC 3261 §18.3). Keep-alives are answered on all but UDP (RFC
 * 5626 §4.4.1, RFC 7118 §6). Peer's errors are not errors here. A host with more datagrams than it can hand over does
 * well, as the library's sockets do, to begin with responses and requests with a tag in To, which belong to calls, and
 * to keep the order among all others (INVITE and its CANCEL), of which it may drop some.
 * Errors: ERR_LIMIT the stream holds a message beyond the limit or half messages fill their part, ERR_SYNTAX one of unknown length (no good
 * Content-Length): close the connection; until link_closed nothing more is read from it after the latter.
 */
sipdlg_status_t sipdlg_agent_receive(sipdlg_agent_t agent,
                                     const sipdlg_flow_t *flow,
                                     const void *data,
                                     size_t len);

/** Carries out all timers that are due. Early or late calls do no harm. */
sipdlg_status_t sipdlg_agent_handle_timeout(sipdlg_agent_t agent);

/**
 * Microseconds from now until handle_timeout() is due; 0 when it is, or when events or transmits wait; UINT64_MAX when
 * no timer runs.
 */
sipdlg_status_t sipdlg_agent_next_timeout(sipdlg_agent_t agent, uint64_t *delay_us);

/**
 * Manual clock only: monotonic time (any origin) and Unix time, in microseconds. Monotonic time never goes back
 * (ignored), Unix time may. Calls use the time last set. Then call handle_timeout().
 * Errors: ERR_STATE no manual clock.
 */
sipdlg_status_t sipdlg_agent_set_time(sipdlg_agent_t agent, uint64_t monotonic_us, uint64_t unix_us);

/** The next message to send; SIPDLG_NONE when there is none. One thread at a time. Not with run_once or start. */
sipdlg_status_t sipdlg_agent_poll_transmit(sipdlg_agent_t agent, sipdlg_transmit_t *out);

/**
 * Says that a message could not be sent (no need for a datagram that is merely lost): next target or local 503 (RFC
 * 3261 §8.1.3.1), or TRANSPORT_ERROR. An INVITE that has a provisional response has arrived, and a refusal or challenge
 * stands whatever becomes of its ACK: nothing happens. SIPDLG_NONE: no one waits for it any more.
 */
sipdlg_status_t sipdlg_agent_transmit_failed(sipdlg_agent_t agent,
                                             uint64_t id);

/**
 * Says by which connection a request with link 0 goes, before it is written or at once after: it is lost with that link
 * (sipdlg_agent_link_closed()), and its ACK or CANCEL goes there too. SIPDLG_NONE: no request in flight waits to hear that.
 */
sipdlg_status_t sipdlg_agent_transmit_goes_by(sipdlg_agent_t agent,
                                              uint64_t id,
                                              const sipdlg_flow_t *flow);

/**
 * Answers RESOLVE, at once or later: where to, best first (RFC 3263); transport and remote of each flow count, and link
 * where it is not 0; count 0: not found. SIPDLG_NONE: no one waits any more. Unanswered for 32 s: not found.
 * A request whose target fails (sipdlg_agent_transmit_failed(), no response at all in 64*T1, 503) goes to the next one,
 * with another branch (RFC 3263 §4.3); the first 16 that a transport reaches are tried. The target that answered is
 * kept for the dialog. No further one is tried for an INVITE that was cancelled, or whose early dialogs all ended. An ACK
 * of a 2xx whose name was not found is asked for again when the 2xx is repeated; BYE follows it where the session has
 * ended meanwhile.
 */
sipdlg_status_t sipdlg_agent_resolved(sipdlg_agent_t agent,
                                      uint64_t query,
                                      const sipdlg_flow_t *targets,
                                      size_t count);

/** Delivers queued events to the delegates until none is left, those that callbacks cause included. Errors: ERR_BUSY. */
sipdlg_status_t sipdlg_agent_dispatch(sipdlg_agent_t agent);

/**
 * The next event, for hosts that want no callbacks: delegates are not looked at, and no default is done until
 * sipdlg_event_default() or the answer time-out. SIPDLG_NONE when there is none. `out->size` must be
 * set. One thread at a time.
 */
sipdlg_status_t sipdlg_agent_poll_event(sipdlg_agent_t agent, sipdlg_event_t *out);

/**
 * A file descriptor that is readable while events or transmits wait (also those made by other threads). For poll();
 * never read, write or close it. Errors: ERR_UNSUPPORTED.
 */
sipdlg_status_t sipdlg_agent_event_fd(sipdlg_agent_t agent, int32_t *fd);

/**
 * Makes a running or the next sipdlg_agent_run_once() return and the event fd readable once. May be called from a
 * signal handler.
 */
sipdlg_status_t sipdlg_agent_wake(sipdlg_agent_t agent);

/**
 * Gives memory back after a peak of calls, for hosts that drive by themselves: once, when few of its calls are left.
 * (run_once and start do so at an eighth of a peak.) Tables shrink as they empty; this gives back the last of their room
 * and the pages that the allocator keeps between what lives on (malloc_trim() where libc has it, for the whole process),
 * which takes milliseconds after a large peak.
 */
sipdlg_status_t sipdlg_agent_trim(sipdlg_agent_t agent);

/**
 * INVITE (RFC 3261 §13.2). target: URI; NULL with options->refer: its Refer-To. Headers and `method` of the URI are
 * left out (§19.1.1); To, unless options say, is its scheme, user, host and `user`. With a body that is the offer;
 * without, the 2xx or a reliable 1xx brings one (NEEDS_ACK, NEEDS_PRACK). Sessions appear in PROGRESS and ACCEPT, one
 * per To tag. ACK and PRACK are sent by the library, at once, when there is nothing for the host to put into them.
 * Errors: ERR_SYNTAX, also a `method` that is not INVITE; ERR_HEADER; ERR_LIMIT; ERR_NO_TRANSPORT; ERR_UNSUPPORTED a
 * target that is neither sip nor sips without a flow or a route; ERR_ARGUMENT no target, or
 * options->refer is no REFER; ERR_STATE that REFER was refused, is over, or asks for another method.
 */
sipdlg_status_t sipdlg_agent_invite(sipdlg_agent_t agent,
                                    const char *target,
                                    const sipdlg_request_options_t *options,
                                    sipdlg_outgoing_t *out);

/**
 * Any other request out of a dialog: "OPTIONS", "REGISTER", "MESSAGE", ... Errors: as invite; ERR_ARGUMENT for INVITE,
 * ACK, CANCEL, BYE, PRACK, UPDATE; ERR_UNSUPPORTED for SUBSCRIBE, and for REFER, which goes in a dialog
 * (sipdlg_session_refer()).
 */
sipdlg_status_t sipdlg_agent_request(sipdlg_agent_t agent,
                                     const char *method,
                                     const char *target,
                                     const sipdlg_request_options_t *options,
                                     sipdlg_outgoing_t *out);

/** Answers a request without a transaction (RFC 3261 §8.2.7). `request` must have been received, not ACK. */
sipdlg_status_t sipdlg_agent_reply_stateless(sipdlg_agent_t agent,
                                             const sipdlg_message_t *request,
                                             int32_t status_code,
                                             const sipdlg_response_options_t *options);

/**
 * The session after `previous` (0: the first), in no particular order; SIPDLG_NONE at the end. `previous` may have
 * ended; sessions may come and go meanwhile.
 */
sipdlg_status_t sipdlg_agent_next_session(sipdlg_agent_t agent, sipdlg_session_t previous, sipdlg_session_t *out);

/** Fills the part of `out` that out->size covers. */
sipdlg_status_t sipdlg_agent_stats(sipdlg_agent_t agent, sipdlg_stats_t *out);

/* ================================================================ flows */

/**
 * Keeps a flow alive (RFC 5626 §4.4): every every_s, or a little sooner (drawn anew between 80 and 100 %), CR LF CR LF goes
 * there; 0: no more. Over a connection, by its link, something has to come back within 10 s, else it is dead: requests in
 * flight on it go elsewhere, and a host with sockets of its own gets a transmit without bytes (see sipdlg_transmit_t). Over
 * UDP the bytes keep a binding of a NAT open, nothing is waited for, and there is no STUN. Ends with
 * sipdlg_agent_link_closed(). Of a connection by which a registrar answered with Flow-Timer it is done by itself.
 * Errors: ERR_ARGUMENT no remote address, a connection without link, more than 86400.
 */
sipdlg_status_t sipdlg_agent_keep_alive(sipdlg_agent_t agent,
                                        const sipdlg_flow_t *flow,
                                        uint32_t every_s);

/**
 * Says that a datagram of UDP did not arrive: what an error of ICMP quotes of it, and the address it was sent to in
 * flow->remote (for instance from recvmsg() with MSG_ERRQUEUE). The request whose branch stands there and that waits for
 * an answer from there goes to the next target or gets a local 503, as after sipdlg_agent_transmit_failed(); a quotation
 * that ends before the branch is nobody's, for anyone may have made it up. The library's sockets do so for unreachable
 * hosts, networks, protocols and ports, and parameter problems (RFC 3261 §18.4). SIPDLG_NONE: no one waits for it.
 */
sipdlg_status_t sipdlg_agent_unreachable(sipdlg_agent_t agent,
                                         const sipdlg_flow_t *flow,
                                         const void *data,
                                         size_t len);

/* ================================================================ message
 * Read-only; any thread. SIPDLG_NONE: the message has no such thing.
 */

/** Keeps a borrowed message; as many sipdlg_message_release() as retain and parse. May outlive the agent. */
sipdlg_status_t sipdlg_message_retain(const sipdlg_message_t *message);

/** NULL is allowed. */
void sipdlg_message_release(const sipdlg_message_t *message);

/**
 * Parses bytes into a message that the host must release. Errors: ERR_SYNTAX names header and rule in
 * sipdlg_last_error().
 */
sipdlg_status_t sipdlg_message_parse(const void *data, size_t len, const sipdlg_message_t **out);

/** 0 for a request, else 100-699. */
int32_t sipdlg_message_status_code(const sipdlg_message_t *message);

/** Method of a request; of a response: that of CSeq. */
sipdlg_status_t sipdlg_message_method(const sipdlg_message_t *message, sipdlg_str_t *out);

/** Request-URI. */
sipdlg_status_t sipdlg_message_uri(const sipdlg_message_t *message, sipdlg_str_t *out);

/** Reason phrase of a response. */
sipdlg_status_t sipdlg_message_reason_phrase(const sipdlg_message_t *message, sipdlg_str_t *out);

/**
 * How many values a header has (comma lists counted by value where the grammar allows lists). Any
 * case, compact or long name.
 */
int32_t sipdlg_message_header_count(const sipdlg_message_t *message, const char *name);

/** The index-th value of a header, unfolded: a line end in it is spaces. */
sipdlg_status_t sipdlg_message_header(const sipdlg_message_t *message,
                                      const char *name,
                                      uint32_t index,
                                      sipdlg_str_t *out);

/**
 * The index-th value of a header with addresses, as its parts: the display name without quotes, escapes as written.
 * Without <> parameters are the header's (RFC 3261 §20). What it tells of a Refer-To is what options->refer dials: one
 * without <> that has headers is all URI; where its `?`, `;` or `,` could be part of a user REFER was answered 400.
 * Errors: ERR_SYNTAX.
 */
sipdlg_status_t sipdlg_message_name_addr(const sipdlg_message_t *message,
                                         const char *name,
                                         uint32_t index,
                                         sipdlg_name_addr_t *out);

/** CSeq number and method. */
sipdlg_status_t sipdlg_message_cseq(const sipdlg_message_t *message,
                                    uint32_t *number,
                                    sipdlg_str_t *method);

/** The index-th Via, 0 the topmost. Errors: ERR_SYNTAX. */
sipdlg_status_t sipdlg_message_via(const sipdlg_message_t *message, uint32_t index, sipdlg_via_t *out);

/** The body, all of it. */
sipdlg_status_t sipdlg_message_body(const sipdlg_message_t *message, sipdlg_body_view_t *out);

/** The part of the body with disposition "session" (in a multipart, that part), else SIPDLG_NONE. */
sipdlg_status_t sipdlg_message_session_body(const sipdlg_message_t *message, sipdlg_body_view_t *out);

/** The bytes as they were on the wire. */
sipdlg_status_t sipdlg_message_bytes(const sipdlg_message_t *message, sipdlg_str_t *out);

/** The user name in the Digest credentials (Authorization) of a request for a realm, without quotes. Text out. */
sipdlg_status_t sipdlg_message_digest_username(const sipdlg_message_t *message,
                                               const char *realm,
                                               char *buffer,
                                               size_t capacity,
                                               size_t *needed);

/**
 * What the Digest credentials of a request for a realm are worth, when its user has this secret: enum sipdlg_digest_e.
 * The secret is a password, or with is_ha1 the hex HA1 of `algorithm` (NULL: MD5), good for that alone. `agent` is the
 * one that challenged, see sipdlg_incoming_challenge(); it answers GOOD once for a request, for it remembers what was
 * used: the nc of 65,536 nonces (of each the last 64); beyond, the oldest nonces count as too old. Without qop a nonce
 * is good once. That `uri` is the Request-URI is not asked for (RFC 3261 §22.4). Not in constant time is which users
 * there are: for one that is unknown check with any secret. Errors: ERR_ARGUMENT a response, ACK or CANCEL (RFC 3261
 * §22.1); ERR_SYNTAX.
 */
int32_t sipdlg_message_check_digest(const sipdlg_message_t *message,
                                    const char *realm,
                                    const char *user,
                                    const char *secret,
                                    int32_t is_ha1,
                                    const char *algorithm,
                                    sipdlg_agent_t agent);

/** The flow on which it was received. */
sipdlg_status_t sipdlg_message_flow(const sipdlg_message_t *message, sipdlg_flow_t *out);

/* ================================================================ registration
 * The library writes REGISTER and reads what came of it; when it goes out again, and over what, is the host's:
 * sipdlg_agent_register() with options->call_id always the same; on ACCEPT sipdlg_message_registered() says when to do so
 * again; on REJECT with 423 ask for min_expires_s; on any other wait sipdlg_agent_backoff(), and retry_after_s at least; at the
 * end SIPDLG_REGISTER_UNBIND. See examples-c/phone.c.
 */

/**
 * REGISTER (RFC 3261 §10.2). registrar: the URI of the domain, "sip:example.com". To and From are the AOR unless options say
 * otherwise. Contact is ours as in a dialog, of the way that the request goes, with what `binding` (NULL: all usual) says of
 * it, unless the host writes one; so it is in a REGISTER of sipdlg_agent_request(). A 2xx with Flow-Timer keeps its connection
 * alive (sipdlg_agent_keep_alive()). Errors: as sipdlg_agent_request(); ERR_SYNTAX instance is no URN;
 * ERR_ARGUMENT a reg_id without instance.
 */
sipdlg_status_t sipdlg_agent_register(sipdlg_agent_t agent,
                                      const char *registrar,
                                      const sipdlg_register_t *binding,
                                      const sipdlg_request_options_t *options,
                                      sipdlg_outgoing_t *out);

/**
 * What came of a REGISTER: `request` as it was sent (sipdlg_outgoing_message()), `response` its final one; NULL: there was
 * none. `out->size` must be set.
 */
sipdlg_status_t sipdlg_message_registered(const sipdlg_message_t *response,
                                          const sipdlg_message_t *request,
                                          sipdlg_registered_t *out);

/**
 * How long to wait after `failures` registrations in a row that failed, in milliseconds: drawn between a half and the whole of
 * base_s, doubled for each, and most_s at most, so that those who failed together do not come again together (RFC 5626
 * §4.5). 0: 30 and 1800 s; 90 is the base where another flow still works.
 */
sipdlg_status_t sipdlg_agent_backoff(sipdlg_agent_t agent,
                                     uint32_t failures,
                                     uint32_t base_s,
                                     uint32_t most_s,
                                     uint64_t *delay_ms);

/** A new "urn:uuid:..." (RFC 4122 §4.4) for sipdlg_register_t.instance. A device has one for ever: the host keeps it. Text out. */
sipdlg_status_t sipdlg_instance_new(char *buffer,
                                    size_t capacity,
                                    size_t *needed);

/* ================================================================ session
 * What sends a request in the dialog takes its options without from, to, call_id and refer (ERR_ARGUMENT), and besides
 * what its comment lists gives ERR_STATE when the session is over or Initial, ERR_SYNTAX, ERR_HEADER, ERR_LIMIT,
 * ERR_NO_TRANSPORT.
 */

/**
 * A session before any response: either of a live incoming INVITE (state NULL), to know its tags and to set its
 * delegate first; or of a foreign dialog (initial_request 0), confirmed or early, which takes part from
 * now on. STATE tells its birth. SIP.js: constructor(initialTransaction, core, state, delegate). delegate
 * NULL: the INVITE's, or none.
 * Of a foreign dialog the local_uri and remote_uri are URIs or name-addrs without tag; remote_tag NULL or "": the peer
 * has none (RFC 2543). The INVITE of an early one stays where it was sent: its final response does not come here, so
 * that sipdlg_session_confirm() tells of a 2xx, and an end is a BYE; an offer without answer is the one of that
 * INVITE. What the peer can (Recv-Info) is known again with its next INVITE or 2xx.
 * Errors: ERR_ARGUMENT both or none, a number or combination that cannot be; ERR_SYNTAX; ERR_LIMIT; ERR_STATE the
 * INVITE is answered, or the dialog is there already.
 */
sipdlg_status_t sipdlg_session_new(sipdlg_agent_t agent,
                                   sipdlg_incoming_t initial_request,
                                   const sipdlg_dialog_state_t *state,
                                   const sipdlg_delegate_t *delegate,
                                   sipdlg_session_t *out);

/** Copies the delegate; NULL removes it (then the agent's serves). */
sipdlg_status_t sipdlg_session_set_delegate(sipdlg_session_t session, const sipdlg_delegate_t *delegate);

/** Replaces the user pointer; this session lets go of the former one. */
sipdlg_status_t sipdlg_session_set_user(sipdlg_session_t session, void *user, sipdlg_release_t release);

/** The user pointer, or NULL. */
void *sipdlg_session_user(sipdlg_session_t session);

/** enum sipdlg_session_state_e. */
int32_t sipdlg_session_state(sipdlg_session_t session);

/**
 * enum sipdlg_signaling_state_e. STABLE also when an unreliable 1xx has shown the answer: it counts whatever
 * later responses say (RFC 3261 §13.2.1), but a new offer is refused until a reliable message has closed the
 * exchange (RFC 6337 §3.1.1).
 */
int32_t sipdlg_session_signaling_state(sipdlg_session_t session);

/** 1 early, 0 confirmed. */
int32_t sipdlg_session_early(sipdlg_session_t session);

/** 1 when established by sips over TLS (RFC 3261 §12.1). */
int32_t sipdlg_session_secure(sipdlg_session_t session);

/** One line of all properties, for logs. Text out. */
sipdlg_status_t sipdlg_session_state_text(sipdlg_session_t session, char *buffer, size_t capacity, size_t *needed);

/**
 * The current offer (HAVE_LOCAL_OFFER, HAVE_REMOTE_OFFER, STABLE), copied into the buffer, to which `out` then points.
 * SIPDLG_NONE: none.
 */
sipdlg_status_t sipdlg_session_offer(sipdlg_session_t session,
                                     sipdlg_body_view_t *out,
                                     char *buffer,
                                     size_t capacity,
                                     size_t *needed);

/** The current answer (STABLE only). As offer. */
sipdlg_status_t sipdlg_session_answer(sipdlg_session_t session,
                                      sipdlg_body_view_t *out,
                                      char *buffer,
                                      size_t capacity,
                                      size_t *needed);

/**
 * The session timer (RFC 4028): its interval, who refreshes (enum sipdlg_refresher_e, LOCAL or REMOTE), and how long until
 * the session expires. SIPDLG_NONE: there is none.
 */
sipdlg_status_t sipdlg_session_interval(sipdlg_session_t session,
                                        uint32_t *interval_s,
                                        int32_t *refresher,
                                        uint64_t *left_us);

/** Our re-INVITE that is pending, or SIPDLG_NONE. */
sipdlg_status_t sipdlg_session_reinvite_client(sipdlg_session_t session, sipdlg_outgoing_t *out);

/** The peer's re-INVITE that is pending (until its ACK), or SIPDLG_NONE. */
sipdlg_status_t sipdlg_session_reinvite_server(sipdlg_session_t session, sipdlg_incoming_t *out);

/** Call-ID + local tag + remote tag. Text out. */
sipdlg_status_t sipdlg_session_id(sipdlg_session_t session, char *buffer, size_t capacity, size_t *needed);

/** Text out. */
sipdlg_status_t sipdlg_session_call_id(sipdlg_session_t session, char *buffer, size_t capacity, size_t *needed);

/** Text out. */
sipdlg_status_t sipdlg_session_local_tag(sipdlg_session_t session, char *buffer, size_t capacity, size_t *needed);

/** Text out. "" when the peer (RFC 2543) has none. */
sipdlg_status_t sipdlg_session_remote_tag(sipdlg_session_t session, char *buffer, size_t capacity, size_t *needed);

/** Text out. See sipdlg_config_set_connected_identity(). */
sipdlg_status_t sipdlg_session_local_uri(sipdlg_session_t session, char *buffer, size_t capacity, size_t *needed);

/** Text out. See sipdlg_config_set_connected_identity(). */
sipdlg_status_t sipdlg_session_remote_uri(sipdlg_session_t session, char *buffer, size_t capacity, size_t *needed);

/** Text out. */
sipdlg_status_t sipdlg_session_remote_target(sipdlg_session_t session, char *buffer, size_t capacity, size_t *needed);

/** A Route header value, "" when empty. Text out. */
sipdlg_status_t sipdlg_session_route_set(sipdlg_session_t session, char *buffer, size_t capacity, size_t *needed);

/** SIPDLG_NONE: empty (RFC 3261 §12.1.1). */
sipdlg_status_t sipdlg_session_local_sequence_number(sipdlg_session_t session, uint32_t *out);

/** SIPDLG_NONE: empty. */
sipdlg_status_t sipdlg_session_remote_sequence_number(sipdlg_session_t session, uint32_t *out);

/**
 * What the library did by itself in or about the session: the `index`-th last act, 0 the newest; SIPDLG_NONE beyond. 16
 * are kept, and cost nothing before the first. An act is what a host may wonder about: a retry, a refresh, credentials,
 * the next target, a refusal or a default, what was given up, and last the end; not ACKs, PRACKs, 100s and repeats. What
 * was done for our INVITE before a session was there is its sessions' too. The rest goes to the log only
 * (sipdlg_config_set_log()): what is about no session, or about one that has gone. Readable as long as the token is,
 * during TERMINATED too.
 */
sipdlg_status_t sipdlg_session_explain(sipdlg_session_t session,
                                       uint32_t index,
                                       sipdlg_explain_entry_t *out);

/**
 * Where requests in the dialog go now, whatever their URI says: as set, or the connection that the dialog's messages came
 * on. SIPDLG_NONE: by URI, also because the link is lost.
 */
sipdlg_status_t sipdlg_session_flow(sipdlg_session_t session,
                                    sipdlg_flow_t *out);

/**
 * Where requests in the dialog go from now on, whatever their URI says (NAT, RFC 5626); NULL: by URI again, also when its
 * link is closed. By itself: while remote target is the next hop and the dialog's messages come on a connection, that
 * connection.
 */
sipdlg_status_t sipdlg_session_set_flow(sipdlg_session_t session,
                                        const sipdlg_flow_t *flow);

/**
 * Ends the call, whatever its state: CANCEL, a final rejection (status_code, 0: 603), BYE, or BYE as soon as it is
 * legal. Of an INVITE's early dialogs only the last one is ended by CANCEL, and only while the INVITE has no final
 * response; the others by BYE. Of several early dialogs of the peer's INVITE one ends alone, which a caller that knows
 * it is told by 199 with the status_code in Reason (RFC 6228; reliable where it requires that, and TERMINATED waits
 * for its PRACK); the last one is ended by the rejection. Survives 401/407, time-outs and lost transports; TERMINATED always comes: with the
 * final response to what was sent, or 64*T1 (32 s) after it when the peer is silent. A second call does nothing, also
 * during TERMINATED. options: headers (Reason, ...) and body of what is sent, or NULL.
 * Errors: ERR_ARGUMENT status_code neither 0 nor 400-699.
 */
sipdlg_status_t sipdlg_session_hangup(sipdlg_session_t session,
                                      int32_t status_code,
                                      const sipdlg_request_options_t *options);

/**
 * BYE, strictly (RFC 3261 §15.1.1). TERMINATED follows. Errors: ERR_STATE we are the callee and the dialog is early or
 * its ACK outstanding.
 */
sipdlg_status_t sipdlg_session_bye(sipdlg_session_t session,
                                   const sipdlg_request_options_t *options,
                                   sipdlg_outgoing_t *out);

/**
 * re-INVITE (RFC 3261 §14.1). Where a re-INVITE or UPDATE of ours waits to be sent again (GLARE_RETRY), this one waits
 * in its place: the former gets REJECT with flag LOCAL and the response that it had, then this one its GLARE_RETRY.
 * Errors: ERR_STATE early, or our INVITE has no final response (sipdlg_session_confirm()); the ACK of our 2xx is
 * outstanding, or one is owed (NEEDS_ACK); a re-INVITE is pending in either direction (the peer's until its ACK, also
 * when refused); a description while an offer is open; our UPDATE with an offer has no final response; one of ours waits
 * to be sent again, and this one is NO_RETRY, or sixteen have taken over that wait.
 */
sipdlg_status_t sipdlg_session_invite(sipdlg_session_t session,
                                      const sipdlg_request_options_t *options,
                                      sipdlg_outgoing_t *out);

/**
 * UPDATE (RFC 3311), in early dialogs too. A session description in it is an offer, answered in the 2xx (ACCEPT; reason
 * NO_ANSWER_IN_2XX where it is not, and the offer is as if never made). Without one it moves our Contact, or keeps the
 * session alive. Where a re-INVITE or UPDATE of ours waits to be sent again, as sipdlg_session_invite().
 * Errors: ERR_STATE no dialog yet, the ACK of our 2xx is outstanding, the peer's Allow lacks UPDATE or it has answered one
 * with 405 or 501 (where it showed no Allow this one goes out), ours has no final response; a description while an offer
 * is open or an ACK due, or while an INVITE has no final response, unless reliable responses and PRACK have completed
 * its exchange (§5.1, RFC 6337 §4.3).
 */
sipdlg_status_t sipdlg_session_update(sipdlg_session_t session,
                                      const sipdlg_request_options_t *options,
                                      sipdlg_outgoing_t *out);

/**
 * INFO (RFC 6086); an Info-Package header is checked against the peer's Recv-Info. Errors: ERR_STATE early (without
 * the quirk REQUESTS_IN_EARLY), package not wanted.
 */
sipdlg_status_t sipdlg_session_info(sipdlg_session_t session,
                                    const sipdlg_request_options_t *options,
                                    sipdlg_outgoing_t *out);

/** MESSAGE (RFC 3428 §4). Errors: ERR_STATE early (without the quirk REQUESTS_IN_EARLY). */
sipdlg_status_t sipdlg_session_message(sipdlg_session_t session,
                                       const sipdlg_request_options_t *options,
                                       sipdlg_outgoing_t *out);

/** OPTIONS in the dialog (RFC 3261 §11). */
sipdlg_status_t sipdlg_session_options(sipdlg_session_t session,
                                       const sipdlg_request_options_t *options,
                                       sipdlg_outgoing_t *out);

/**
 * NOTIFY by hand; Event and Subscription-State in the headers (RFC 6665). For a REFER see sipdlg_incoming_notify().
 * Errors: ERR_ARGUMENT one of the two is missing; ERR_SYNTAX one of them; ERR_STATE early (without the quirk
 * REQUESTS_IN_EARLY), except of a REFER; Event refer where no accepted REFER has that subscription.
 */
sipdlg_status_t sipdlg_session_notify(sipdlg_session_t session,
                                      const sipdlg_request_options_t *options,
                                      sipdlg_outgoing_t *out);

/**
 * REFER (RFC 3515). refer_to: URI or name-addr, exactly one. `replaces` not 0: attended transfer (RFC 3891, RFC 5589
 * §7): that session is put into Refer-To's Replaces, and refer_to NULL means its remote target. A Refer-To in the
 * headers stands instead of refer_to. NOTIFY events carry the same outgoing token until the subscription ends, also
 * when the session has ended; their function is looked for in the session's delegate (ended: the last that it had),
 * then the agent's, never in that of the REFER. The subscription ends by a NOTIFY that says "terminated" (with the
 * quirk EARLY_TERMINATED not by one with a provisional code and no other reason than noresource: the final one is
 * waited for, 600 s); when no NOTIFY comes in 64*T1 after the 2xx, or after the time that the last one announced
 * (`expires`, of which 86,400 s are believed at most; 3,600 s where it says none); or with its dialog. The last event
 * says so (LAST). Header "Refer-Sub: false": no subscription, when the peer agrees (RFC 4488).
 * Errors: ERR_STATE early (without the quirk REQUESTS_IN_EARLY), or `replaces` is over or an early dialog of our own
 * INVITE; ERR_ARGUMENT no refer_to, `replaces` is this session or of another agent, or refer_to has a Replaces beside
 * it; ERR_HEADER, also two Refer-To in the headers; ERR_SYNTAX, also one there beside `replaces`, a bare `@` or `;` in
 * a header of the URI, or with `replaces` a URI that is neither sip nor sips.
 */
sipdlg_status_t sipdlg_session_refer(sipdlg_session_t session,
                                     const char *refer_to,
                                     sipdlg_session_t replaces,
                                     const sipdlg_request_options_t *options,
                                     sipdlg_outgoing_t *out);

/**
 * ACK of the 2xx that waits for one (NEEDS_ACK); there is at most one. CSeq and credentials of the INVITE; repeated by
 * itself for each repeated 2xx (RFC 3261 §13.2.2.4). Not done in 64*T1: ACK, then BYE. Errors: ERR_STATE no 2xx waits;
 * its offer needs a body; a body without offer.
 */
sipdlg_status_t sipdlg_session_ack(sipdlg_session_t session, const sipdlg_request_options_t *options);

/**
 * PRACK of the oldest reliable response that waits for one (NEEDS_PRACK), of the INVITE or re-INVITE; RAck by the
 * library (RFC 3262 §4). The answer where the response brought an offer; else a new offer is allowed once the first
 * exchange is complete, and answered in the 2xx (§5). Without it the callee gives up after 64*T1. One that was refused
 * by itself (488) may be sent again. Errors: ERR_STATE none waits; its offer needs a body; a
 * body while an offer is open.
 */
sipdlg_status_t sipdlg_session_prack(sipdlg_session_t session,
                                     const sipdlg_request_options_t *options,
                                     sipdlg_outgoing_t *out);

/**
 * Forgets the session: no BYE; the peer's pending requests get 487; TERMINATED follows. Of several early dialogs of the
 * peer's INVITE one ends alone, as by sipdlg_session_hangup().
 */
sipdlg_status_t sipdlg_session_dispose(sipdlg_session_t session);

/**
 * 1: the provisional response is next in order (and is now counted), 0: to be discarded (RFC 3262 §4). What is not
 * reliable is always 1. For stacks that use this alone: the library has counted what its events tell of.
 */
int32_t sipdlg_session_reliable_sequence_guard(sipdlg_session_t session, const sipdlg_message_t *response);

/**
 * 1: after each ACK event, with a body or without, a re-INVITE of the peer is answered 500 + Retry-After until
 * sipdlg_session_ack_processed() (RFC 6337 §4.3). 0, the default: at once; it also lets go of one that waits. (SIP.js:
 * onAck returns a promise.) Errors: ERR_STATE the session is over.
 */
sipdlg_status_t sipdlg_session_set_defer_ack(sipdlg_session_t session, int32_t on);

/** See sipdlg_session_set_defer_ack(). SIPDLG_NONE: nothing waits. Errors: ERR_STATE the session is over. */
sipdlg_status_t sipdlg_session_ack_processed(sipdlg_session_t session);

/**
 * SIP.js compatibility: the caller's early session becomes confirmed by hand, without a message, for hosts that saw
 * the 2xx elsewhere. Nothing when confirmed. The INVITE goes on: its 2xx is acknowledged and brings the answer as
 * ever, a final response other than 2xx ends the session, and until then no re-INVITE goes either way
 * (RFC 3261 §14.1). Where we are callee there is nothing to do by hand: sipdlg_incoming_accept() sends the 2xx and
 * repeats it until its ACK. An early dialog that was taken over (sipdlg_session_new()) has no INVITE here: this is its
 * only way to Confirmed. Errors: ERR_STATE we are callee and no 2xx was sent; the session is over.
 */
sipdlg_status_t sipdlg_session_confirm(sipdlg_session_t session);

/**
 * SIP.js compatibility (reConfirm): the 2xx of the peer's re-INVITE is repeated until its ACK.
 * sipdlg_incoming_accept() does that already, so nothing is left to do; nothing, too, without a re-INVITE.
 * Errors: ERR_STATE a re-INVITE is pending and no 2xx was sent to it; the session is over.
 */
sipdlg_status_t sipdlg_session_reconfirm(sipdlg_session_t session);

/**
 * A request that the host has matched to this dialog itself: all bytes of one message, as received on `flow`. NULL:
 * on the dialog's connection, else over UDP or WebSocket as its topmost Via says. Retransmissions are absorbed, ACK
 * and CANCEL do what they do elsewhere. A request refused by rule is answered, changes nothing but the remote
 * sequence number, and is SIPDLG_OK. Errors: ERR_SYNTAX; ERR_ARGUMENT a response, or no way back is known;
 * ERR_NO_TRANSPORT that way has no socket; ERR_LIMIT longer than a message may be; ERR_STATE Call-ID or tags are not
 * of this dialog, or TERMINATED was told.
 */
sipdlg_status_t sipdlg_session_receive_request(sipdlg_session_t session,
                                               const sipdlg_flow_t *flow,
                                               const void *data,
                                               size_t len);

/**
 * Back to the offer and answer before the open offer, or to Initial when there was none. Nothing when no offer is
 * open. An offer that an unanswered message carries stays open to the peer: the answer to it still counts when it
 * comes or goes, and no other offer is sent meanwhile. Errors: ERR_STATE the session is over.
 */
sipdlg_status_t sipdlg_session_signaling_state_rollback(sipdlg_session_t session);

/**
 * Applies a session description by hand: `received` 1 from the peer, 0 ours. Sends nothing. A body that
 * is none, or that is no session description, changes nothing. Errors: ERR_STATE not legal now
 * (RFC 3264 §4), or the session is over.
 */
sipdlg_status_t sipdlg_session_signaling_state_transition(sipdlg_session_t session,
                                                          const sipdlg_body_t *body,
                                                          int32_t received);

/* ================================================================ incoming
 * A request of the peer. Life: until the final response and, for an INVITE, its ACK or time-out; an accepted REFER:
 * until its subscription ends, also past its session: by a NOTIFY with a final code; after 600 s, unless the peer
 * refreshes it; by the peer's SUBSCRIBE with Expires 0; by a NOTIFY that gets 481 or no answer (RFC 6665 §4.2.2). No
 * event tells of that, ERR_STALE does. May be answered inside the callback or later. Unanswered after the answer
 * time-out: an INVITE gets 480 (487 when its Expires passed), others their default.
 */

/**
 * Copies the delegate: for CANCEL and TRANSPORT_ERROR of this request, and for the session of an INVITE. NULL removes
 * it.
 */
sipdlg_status_t sipdlg_incoming_set_delegate(sipdlg_incoming_t incoming, const sipdlg_delegate_t *delegate);

/** An INVITE's session starts with it. Replaces and lets go of the former. */
sipdlg_status_t sipdlg_incoming_set_user(sipdlg_incoming_t incoming, void *user, sipdlg_release_t release);

/** The user pointer, or NULL. */
void *sipdlg_incoming_user(sipdlg_incoming_t incoming);

/**
 * The request, for as long as the caller wants: it must release it. Errors: ERR_STATE an INVITE that has its final
 * response is not kept.
 */
sipdlg_status_t sipdlg_incoming_message(sipdlg_incoming_t incoming, const sipdlg_message_t **out);

/** The session of an in-dialog request, or the one made for an INVITE; else SIPDLG_NONE. */
sipdlg_status_t sipdlg_incoming_session(sipdlg_incoming_t incoming, sipdlg_session_t *out);

/** 100 now; by itself after 200 ms. Errors: ERR_STATE answered. */
sipdlg_status_t sipdlg_incoming_trying(sipdlg_incoming_t incoming, const sipdlg_response_options_t *options);

/**
 * 101-199 (0: 180) to an INVITE. `session` gets the early session. Reliable ones queue behind an unacknowledged one
 * (RFC 3262 §3). Errors: ERR_STATE answered or accepted, or not an INVITE (RFC 4320 §4.1); an offer in a response that
 * is not reliable (RFC 3261 §13.2.1); a description after a reliable one (RFC 6337 §3.1); a first reliable response
 * without the offer that the INVITE lacks (RFC 3262 §5); reliable where the peer does not support it or our policy is
 * OFF; to_tag in a dialog, or of one that is over; a 199 with a description, or where the INVITE's Supported lacks it
 * (RFC 6228 §5; it ends nothing here, sipdlg_session_hangup() sends one by itself). ERR_ARGUMENT status_code; ERR_HEADER; ERR_SYNTAX; ERR_LIMIT
 * sessions (only of a further to_tag: an INVITE has its place), or 16 responses queue already.
 */
sipdlg_status_t sipdlg_incoming_progress(sipdlg_incoming_t incoming,
                                         int32_t status_code,
                                         const sipdlg_response_options_t *options,
                                         sipdlg_session_t *session);

/**
 * 2xx (0: 200). `session`: of an INVITE. Without a body where an answer was given in a reliable 1xx; with one that is
 * the answer, or the offer. After an answer in an unreliable 1xx no body means that one again, as it was (RFC 3261
 * §13.2.1). Held back while a reliable 1xx with a description is unacknowledged, and sent after the answer to its
 * PRACK; meanwhile the session is early still, and ends with PRACK_TIMEOUT when no PRACK comes, with 487 when the
 * INVITE's Expires passes. To a REFER: its subscription begins, NOTIFY of "100 Trying" follows, see
 * sipdlg_incoming_notify(); none where the REFER has "Refer-Sub: false" (RFC 4488).
 * Errors: ERR_STATE answered; answer or offer missing (RFC 3261 §13.3.1.4), or given already (RFC 3262 §5); a PRACK's
 * offer without answer; Replaces with early-only, and that call was answered (RFC 3891 §3); 202 to a REFER
 * (RFC 7647 §5); a body to a MESSAGE (RFC 3428 §7). ERR_ARGUMENT status_code; ERR_HEADER; ERR_SYNTAX; ERR_LIMIT.
 */
sipdlg_status_t sipdlg_incoming_accept(sipdlg_incoming_t incoming,
                                       int32_t status_code,
                                       const sipdlg_response_options_t *options,
                                       sipdlg_session_t *session);

/** 3xx (0: 302) with contacts, URIs or name-addrs, NULL at the end (NULL: none). Errors: ERR_STATE; ERR_SYNTAX. */
sipdlg_status_t sipdlg_incoming_redirect(sipdlg_incoming_t incoming,
                                         int32_t status_code,
                                         const char *const *contacts,
                                         const sipdlg_response_options_t *options);

/** 4xx-6xx (0: 480). Errors: ERR_STATE answered. */
sipdlg_status_t sipdlg_incoming_reject(sipdlg_incoming_t incoming,
                                       int32_t status_code,
                                       const sipdlg_response_options_t *options);

/**
 * 401 with a challenge for each of the algorithms, the strongest first (RFC 7616, RFC 8760); comma separated, NULL:
 * "SHA-256, MD5". The request that the caller sends again: sipdlg_message_check_digest(). A nonce is good for this
 * agent, realm and algorithm and for 300 s; "stale=true" where the request's own is too old or used. A BYE has ended
 * its session when it is told, challenged or not. Errors: ERR_STATE answered, or a PRACK without offer, which gets 2xx
 * (RFC 3262 §3); ERR_ARGUMENT an unknown algorithm; ERR_SYNTAX.
 */
sipdlg_status_t sipdlg_incoming_challenge(sipdlg_incoming_t incoming, const char *realm, const char *algorithms);

/**
 * An accepted REFER: NOTIFY with "SIP/2.0 status_code reason" (RFC 3515 §2.4.5), reason_phrase NULL: by the code; a
 * final code ends the subscription and the token. The NOTIFY of "100 Trying" goes out with the 2xx. Not needed with
 * options.refer. Of more than 8 NOTIFYs under way only the newest waits.
 * Errors: ERR_ARGUMENT status_code not 100 to 699; ERR_STATE not a REFER with a subscription; ERR_SYNTAX; ERR_LIMIT.
 */
sipdlg_status_t sipdlg_incoming_notify(sipdlg_incoming_t incoming, int32_t status_code, const char *reason_phrase);

/** Answers with the default now. Nothing when answered. */
sipdlg_status_t sipdlg_incoming_dispose(sipdlg_incoming_t incoming);

/* ================================================================ outgoing
 * A request of ours. Life: until its final response was delivered; an INVITE: until no 2xx can come any more; a REFER:
 * until its subscription ends.
 */

/**
 * Copies the delegate; NULL removes it. Sessions that exist keep what they have. To miss nothing give
 * it in the options instead.
 */
sipdlg_status_t sipdlg_outgoing_set_delegate(sipdlg_outgoing_t outgoing, const sipdlg_delegate_t *delegate);

/** Replaces and lets go of the former. */
sipdlg_status_t sipdlg_outgoing_set_user(sipdlg_outgoing_t outgoing, void *user, sipdlg_release_t release);

/** The user pointer, or NULL. */
void *sipdlg_outgoing_user(sipdlg_outgoing_t outgoing);

/** The request as sent last; the caller must release it. SIPDLG_NONE: not sent yet (RESOLVING). */
sipdlg_status_t sipdlg_outgoing_message(sipdlg_outgoing_t outgoing, const sipdlg_message_t **out);

/** enum sipdlg_outgoing_state_e. */
int32_t sipdlg_outgoing_state(sipdlg_outgoing_t outgoing);

/**
 * INVITE, re-INVITE: CANCEL, as soon as a 1xx is there (RFC 3261 §9.1); a 2xx that crosses is ACKed and ended with BYE
 * (re-INVITE: ACKed and kept). REJECT follows: with the peer's 487; a local 487 when a 2xx crossed, nothing came in
 * 64*T1 after the CANCEL, or the INVITE had not gone out; a local 408 when no response came at all. A retry that waits
 * is dropped, that of an UPDATE as well: REJECT with the response that it had. reason: value of a Reason header (RFC 3326),
 * "SIP;cause=600", or NULL: options.reason.
 * SIPDLG_NONE: final already, nothing sent. Errors: ERR_STATE another method, an UPDATE that does not wait; ERR_HEADER;
 * ERR_SYNTAX.
 */
sipdlg_status_t sipdlg_outgoing_cancel(sipdlg_outgoing_t outgoing,
                                       const char *reason,
                                       const sipdlg_request_options_t *options);

/**
 * A new body for a re-INVITE or UPDATE that waits to be sent again (after GLARE_RETRY, with or without NEEDS_BODY). It goes
 * out with it when its wait is over, at once where that is over already. May be called again: the last body counts. It may
 * become stale in its turn (NEEDS_BODY again). All else of the request stays.
 * Errors: ERR_STATE it does not wait for that; ERR_ARGUMENT no body; ERR_SYNTAX; ERR_LIMIT.
 */
sipdlg_status_t sipdlg_outgoing_retry(sipdlg_outgoing_t outgoing,
                                      const sipdlg_body_t *body);

/**
 * Answers CHALLENGE, at once or within 32 s. NULL user: give up, REJECT. A re-INVITE or UPDATE that may not go now waits
 * (GLARE_RETRY). Errors: ERR_STATE none waits, or these credentials were refused already; or it may not go now, nor wait
 * (NO_RETRY, a PRACK whose INVITE has its final response): call again.
 */
sipdlg_status_t sipdlg_outgoing_authenticate(sipdlg_outgoing_t outgoing,
                                             const char *user,
                                             const char *password);

/** No more events of it; a 2xx that still comes to an INVITE is ACKed and ended with BYE. */
sipdlg_status_t sipdlg_outgoing_dispose(sipdlg_outgoing_t outgoing);

/* ================================================================ runtime
 * Sockets and threads of the library; ERR_UNSUPPORTED where they are not built in.
 */

/**
 * Opens a socket: "udp:127.0.0.1:5070", "tcp:[::]:0", "tls:", "ws:", "wss:" likewise. Connections to peers need one of their
 * transport and address family: one with a port to be reached at, or without ("tcp:192.0.2.1", "tcp:[::]"), from where they are
 * only opened. One connection serves all calls to a peer; see sipdlg_config_set_connections(). At a WebSocket's port who does not
 * offer the subprotocol sip is refused (400); without a port our sent-by and Contact there are a random name .invalid (RFC 7118
 * §5). Errors: ERR_SYNTAX, ERR_SYSTEM, ERR_STATE tls or wss without certificates; ERR_UNSUPPORTED.
 */
sipdlg_status_t sipdlg_agent_listen(sipdlg_agent_t agent,
                                    const char *address);

/**
 * The index-th address that is listened on, "udp:127.0.0.1:40712", as far as it was given without port "tcp:192.0.2.1";
 * SIPDLG_NONE beyond. Text out.
 */
sipdlg_status_t sipdlg_agent_local_address(sipdlg_agent_t agent,
                                           uint32_t index,
                                           char *buffer,
                                           size_t capacity,
                                           size_t *needed);

/**
 * Other certificates from now on, as sipdlg_config_set_tls(): new connections have them, what is connected stays, no call
 * ends. On an error those before remain.
 */
sipdlg_status_t sipdlg_agent_set_tls(sipdlg_agent_t agent,
                                     const sipdlg_tls_t *tls);

/**
 * Whom the certificate of the peer at a connection (`link` of sipdlg_message_flow()) names, the index-th: "sip:example.com" or
 * "example.com" (RFC 5922 §7.1). Authorities vouch for it where verify and clients ask for them. SIPDLG_NONE: beyond, or
 * it has shown none. Text out. Errors: ERR_STALE the connection is gone.
 */
sipdlg_status_t sipdlg_agent_peer_name(sipdlg_agent_t agent,
                                       uint64_t link,
                                       uint32_t index,
                                       char *buffer,
                                       size_t capacity,
                                       size_t *needed);

/**
 * A header of the request by which a peer has opened the WebSocket `link` (sipdlg_message_flow()): "Origin", "Cookie", the
 * index-th of its name; name NULL: the path with its query. Of one that we have opened: of the peer's response. SIPDLG_NONE:
 * there is none. Text out. Errors: ERR_STALE the connection is gone; ERR_SYNTAX no UTF-8.
 */
sipdlg_status_t sipdlg_agent_upgrade_header(sipdlg_agent_t agent,
                                            uint64_t link,
                                            const char *name,
                                            uint32_t index,
                                            char *buffer,
                                            size_t capacity,
                                            size_t *needed);

/**
 * Waits at most timeout_ms (-1: for ever) for network, timers or events, handles all that is there, delivers. On the
 * caller's thread. Returns early on a signal. Errors: ERR_BUSY.
 */
sipdlg_status_t sipdlg_agent_run_once(sipdlg_agent_t agent, int32_t timeout_ms);

/**
 * The same on threads of the library: `workers` for the network and, with deliver 1, one that runs the callbacks; with
 * 0 the host dispatches or polls, woken by the event fd. All signals are blocked in them. Errors: ERR_STATE started
 * already; manual clock; ERR_UNSUPPORTED more than one worker, in this version.
 */
sipdlg_status_t sipdlg_agent_start(sipdlg_agent_t agent, uint32_t workers, int32_t deliver);

/**
 * Ends the threads that run now and waits for them, whoever starts the next ones meanwhile; sessions stay. From a
 * callback it takes effect when that returns.
 */
sipdlg_status_t sipdlg_agent_stop(sipdlg_agent_t agent);

/* ================================================================ trace
 * Every message that the agent receives or sends, by a function of the host or polled. A message is shown when it comes or
 * is made, whatever becomes of it: refused, dropped, retransmitted, never sent; out of a stream or TLS by itself and in
 * plain. Not shown: keep-alives, and datagrams that were dropped unread (dropped_behind). Whoever does not ask pays nothing.
 */

/** Calls a function with each message (see sipdlg_trace_t). Default none. `user` must outlive the agents. */
sipdlg_status_t sipdlg_config_set_trace(sipdlg_config_t *config, sipdlg_trace_t trace, void *user);

/**
 * Keeps what sipdlg_agent_poll_trace() gives: `kinds` of enum sipdlg_trace_kind_e, lines up to a level (enum
 * sipdlg_log_level_e), at most so many entries (0: 1,024) and bytes (0: 1 MiB). Where there is no room the oldest are lost,
 * and counted. kinds 0, the default: nothing.
 */
sipdlg_status_t sipdlg_config_set_trace_ring(sipdlg_config_t *config,
                                             uint32_t kinds,
                                             int32_t level,
                                             uint32_t entries,
                                             uint32_t bytes);

/**
 * What traces and captures leave out (enum sipdlg_redact_e). Default CREDENTIALS and KEYS. Of a broken message rather too
 * much is left out. A header gets another text, a body as many letters, so a message stays one. IDENTITIES also counts for
 * the DEBUG lines of the log, which never have the rest.
 */
sipdlg_status_t sipdlg_config_set_redact(sipdlg_config_t *config,
                                         uint32_t redact);

/**
 * The oldest entry of the ring, borrowed until the next call of this; SIPDLG_NONE: there is none. One thread at a time, with
 * run_once and start as well. Nothing wakes a host for it: look when other things are done, or by a timer.
 * Errors: ERR_STATE the configuration asked for no ring.
 */
sipdlg_status_t sipdlg_agent_poll_trace(sipdlg_agent_t agent,
                                        sipdlg_trace_entry_t *out);

/* ================================================================ capture
 * The messages of the trace, without what sipdlg_config_set_redact() names, TLS and WebSockets in plain. Written by whichever
 * thread is inside the library, with nothing locked; what cannot be written is counted (stats.capture_lost) and harms no
 * call. ERR_UNSUPPORTED where it is not built in.
 */

/**
 * Writes every message from now on into a new pcap file, which takes the place of one that is there; NULL: no more. TCP and
 * TLS are shown as TCP, the others as UDP. No pipe. Errors: ERR_SYSTEM.
 */
sipdlg_status_t sipdlg_agent_capture_pcap(sipdlg_agent_t agent,
                                          const char *path);

/**
 * Sends every message from now on as HEP3 over UDP to "host:port", which is looked up here; NULL: no more. password NULL:
 * none; at most 255 bytes. One of more than a datagram is cut. Errors: ERR_SYNTAX, ERR_SYSTEM, ERR_ARGUMENT.
 */
sipdlg_status_t sipdlg_agent_capture_hep(sipdlg_agent_t agent,
                                         const char *address,
                                         uint32_t capture_id,
                                         const char *password);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SIPDLG_H */
