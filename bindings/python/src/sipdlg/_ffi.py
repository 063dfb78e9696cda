"""The C API as ctypes: numbers, structs, prototypes, in the order of sipdlg.h. A test compares each with the header.

Function pointers are plain pointers here: this package hands none to the library.
"""

from __future__ import annotations

import ctypes as C

from ._number import Bits, Number

VERSION = (0, 1, 0)
ABI_VERSION = 0


class Status(Number):  # enum sipdlg_status_e
    OK = 0
    NONE = 1
    ERR_ARGUMENT = -1
    ERR_STALE = -2
    ERR_KIND = -3
    ERR_STATE = -4
    ERR_SYNTAX = -5
    ERR_HEADER = -6
    ERR_STRUCT = -7
    ERR_BUFFER = -8
    ERR_LIMIT = -9
    ERR_BUSY = -10
    ERR_UNSUPPORTED = -11
    ERR_SYSTEM = -12
    ERR_NO_TRANSPORT = -13
    ERR_CORRUPT = -14
    ERR_FORKED = -15
    ERR_NO_MEMORY = -16
    ERR_DEFUNCT = -17


class SessionState(Number):  # enum sipdlg_session_state_e
    INITIAL = 0
    EARLY = 1
    ACK_WAIT = 2
    CONFIRMED = 3
    TERMINATED = 4


class SignalingState(Number):  # enum sipdlg_signaling_state_e
    INITIAL = 0
    HAVE_LOCAL_OFFER = 1
    HAVE_REMOTE_OFFER = 2
    STABLE = 3
    CLOSED = 4


class OutgoingState(Number):  # enum sipdlg_outgoing_state_e
    RESOLVING = 0
    CALLING = 1
    PROCEEDING = 2
    WAITING_RETRY = 3
    COMPLETED = 4


class Transport(Number):  # enum sipdlg_transport_e
    ANY = 0
    UDP = 1
    TCP = 2
    TLS = 3
    WS = 4
    WSS = 5


class EventKind(Number):  # enum sipdlg_event_kind_e
    INVITE = 1
    REINVITE = 2
    UPDATE = 3
    PRACK = 4
    BYE = 5
    INFO = 6
    MESSAGE = 7
    NOTIFY = 8
    REFER = 9
    SUBSCRIBE = 10
    REGISTER = 11
    OPTIONS = 12
    REQUEST = 13
    ACK = 14
    CANCEL = 15
    TRYING = 20
    PROGRESS = 21
    ACCEPT = 22
    REDIRECT = 23
    REJECT = 24
    CHALLENGE = 25
    STATE = 30
    ACK_TIMEOUT = 31
    GLARE_RETRY = 32
    TERMINATED = 33
    RESYNC = 34
    RESOLVE = 40
    TRANSPORT_ERROR = 41
    LINK_LOST = 42


class Method(Number):  # enum sipdlg_method_e
    NONE = 0
    INVITE = 1
    ACK = 2
    BYE = 3
    CANCEL = 4
    UPDATE = 5
    PRACK = 6
    INFO = 7
    MESSAGE = 8
    NOTIFY = 9
    REFER = 10
    SUBSCRIBE = 11
    REGISTER = 12
    OPTIONS = 13
    PUBLISH = 14
    OTHER = 15


class EventFlag(Bits):  # enum sipdlg_event_flag_e
    LOCAL = 1
    RELIABLE = 2
    NEEDS_PRACK = 4
    NEEDS_ACK = 8
    EARLY_ONLY = 16
    NEEDS_BODY = 32
    LAST = 64


class Reason(Number):  # enum sipdlg_reason_e
    NONE = 0
    LOCAL_HANGUP = 1
    REMOTE_BYE = 2
    REJECTED = 3
    CANCELLED = 4
    ACK_TIMEOUT = 5
    SESSION_EXPIRED = 6
    DIALOG_GONE = 7
    FORK_LOST = 8
    REPLACED = 9
    DISPOSED = 10
    ANSWER_TIMEOUT = 11
    PRACK_TIMEOUT = 12
    NO_ANSWER_IN_2XX = 13
    GLARE_RETRY = 20
    AUTHENTICATED = 21
    REFRESHED = 22
    REFUSED_BY_RULE = 23
    DEFAULT_ANSWER = 24
    TRANSPORT = 25
    SENT_AGAIN = 26


class Policy(Number):  # enum sipdlg_policy_e
    OFF = 0
    SUPPORTED = 1
    REQUIRED = 2


class Refresher(Number):  # enum sipdlg_refresher_e
    ANY = 0
    LOCAL = 1
    REMOTE = 2


class ForkPolicy(Number):  # enum sipdlg_fork_policy_e
    FIRST = 0
    ALL = 1


class TlsVerify(Number):  # enum sipdlg_tls_verify_e
    NAME = 0
    WILDCARD = 1
    NOTHING = 2


class RegisterAsks(Number):  # enum sipdlg_register_asks_e
    BIND = 0
    UNBIND = 1
    QUERY = 2


class LogLevel(Number):  # enum sipdlg_log_level_e
    OFF = 0
    ERROR = 1
    WARN = 2
    INFO = 3
    DEBUG = 4


class Effect(Number):  # enum sipdlg_effect_e
    TRANSACTION = 0
    USAGE = 1
    DIALOG = 2


class Digest(Number):  # enum sipdlg_digest_e
    GOOD = 0
    STALE = 1
    WRONG = 2
    MISSING = 3


class LadderFormat(Number):  # enum sipdlg_ladder_format_e
    TEXT = 0
    SVG = 1


class Quirk(Bits):  # enum sipdlg_quirk_e
    RESPONSE_1XX_WITHOUT_CONTACT = 1
    RESPONSE_1XX_WITHOUT_TAG = 2
    TAG_CHANGED_BY_2XX = 4
    PRACK_UNASKED = 8
    REQUESTS_IN_EARLY = 16
    HASH_IN_USER = 32
    UNQUOTED_NAME = 64
    BROKEN_RESPONSE = 128
    MADDR_ELSEWHERE = 256
    EARLY_TERMINATED = 512


class RequestFlag(Bits):  # enum sipdlg_request_flag_e
    MANUAL_ACK = 1
    MANUAL_PRACK = 2
    NO_RETRY = 4
    NO_AUTH = 8


class ResponseFlag(Bits):  # enum sipdlg_response_flag_e
    RELIABLE = 1


class TraceKind(Bits):  # enum sipdlg_trace_kind_e
    MESSAGE = 1
    LINE = 2


class Direction(Number):  # enum sipdlg_direction_e
    NONE = 0
    IN = 1
    OUT = 2


class Redact(Bits):  # enum sipdlg_redact_e
    CREDENTIALS = 1
    KEYS = 2
    IDENTITIES = 4


class Endpoint(C.Structure):  # sipdlg_endpoint_t
    _fields_ = [
        ("ip", C.c_uint8 * 16),
        ("scope", C.c_uint32),
        ("port", C.c_uint16),
        ("family", C.c_uint16),
    ]


class Str(C.Structure):  # sipdlg_str_t
    _fields_ = [
        ("data", C.c_char_p),
        ("len", C.c_size_t),
    ]


class Event(C.Structure):  # sipdlg_event_t
    _fields_ = [
        ("size", C.c_size_t),
        ("kind", C.c_int32),
        ("flags", C.c_uint32),
        ("id", C.c_uint64),
        ("agent", C.c_uint64),
        ("session", C.c_uint64),
        ("incoming", C.c_uint64),
        ("outgoing", C.c_uint64),
        ("replaces", C.c_uint64),
        ("user", C.c_void_p),
        ("message", C.c_void_p),
        ("method", C.c_int32),
        ("status_code", C.c_int32),
        ("reason", C.c_int32),
        ("session_state", C.c_int32),
        ("signaling_state", C.c_int32),
        ("transport", C.c_int32),
        ("delay_us", C.c_uint64),
        ("query", C.c_uint64),
        ("text", Str),
        ("reserved", C.c_uint32),
        ("port", C.c_uint16),
        ("secure", C.c_uint16),
    ]


class Delegate(C.Structure):  # sipdlg_delegate_t
    _fields_ = [
        ("size", C.c_size_t),
        ("user", C.c_void_p),
        ("on_invite", C.c_void_p),
        ("on_reinvite", C.c_void_p),
        ("on_update", C.c_void_p),
        ("on_prack", C.c_void_p),
        ("on_bye", C.c_void_p),
        ("on_info", C.c_void_p),
        ("on_message", C.c_void_p),
        ("on_notify", C.c_void_p),
        ("on_refer", C.c_void_p),
        ("on_subscribe", C.c_void_p),
        ("on_register", C.c_void_p),
        ("on_options", C.c_void_p),
        ("on_request", C.c_void_p),
        ("on_ack", C.c_void_p),
        ("on_cancel", C.c_void_p),
        ("on_trying", C.c_void_p),
        ("on_progress", C.c_void_p),
        ("on_accept", C.c_void_p),
        ("on_redirect", C.c_void_p),
        ("on_reject", C.c_void_p),
        ("on_challenge", C.c_void_p),
        ("on_state", C.c_void_p),
        ("on_ack_timeout", C.c_void_p),
        ("on_glare_retry", C.c_void_p),
        ("on_terminated", C.c_void_p),
        ("on_resolve", C.c_void_p),
        ("on_transport_error", C.c_void_p),
        ("on_resync", C.c_void_p),
        ("on_link_lost", C.c_void_p),
    ]


class Flow(C.Structure):  # sipdlg_flow_t
    _fields_ = [
        ("transport", C.c_int32),
        ("reserved", C.c_uint32),
        ("link", C.c_uint64),
        ("local", Endpoint),
        ("remote", Endpoint),
    ]


class Transmit(C.Structure):  # sipdlg_transmit_t
    _fields_ = [
        ("size", C.c_size_t),
        ("id", C.c_uint64),
        ("data", C.c_void_p),
        ("len", C.c_size_t),
        ("flow", Flow),
        ("host", Str),
    ]


class Body(C.Structure):  # sipdlg_body_t
    _fields_ = [
        ("data", C.c_void_p),
        ("len", C.c_size_t),
        ("content_type", C.c_char_p),
        ("disposition", C.c_char_p),
    ]


class Credentials(C.Structure):  # sipdlg_credentials_t
    _fields_ = [
        ("realm", C.c_char_p),
        ("user", C.c_char_p),
        ("secret", C.c_char_p),
        ("algorithm", C.c_char_p),
        ("is_ha1", C.c_int32),
        ("reserved", C.c_int32),
    ]


class SessionTimer(C.Structure):  # sipdlg_session_timer_t
    _fields_ = [
        ("policy", C.c_int32),
        ("interval_s", C.c_uint32),
        ("min_se_s", C.c_uint32),
        ("refresher", C.c_int32),
    ]


class Tls(C.Structure):  # sipdlg_tls_t
    _fields_ = [
        ("size", C.c_size_t),
        ("certificates", C.c_char_p),
        ("key", C.c_char_p),
        ("authorities", C.c_char_p),
        ("verify", C.c_int32),
        ("clients", C.c_int32),
        ("only_tls13", C.c_int32),
        ("reserved", C.c_int32),
    ]


class Register(C.Structure):  # sipdlg_register_t
    _fields_ = [
        ("size", C.c_size_t),
        ("asks", C.c_int32),
        ("expires_s", C.c_uint32),
        ("cseq", C.c_uint32),
        ("reg_id", C.c_uint32),
        ("instance", C.c_char_p),
    ]


class Registered(C.Structure):  # sipdlg_registered_t
    _fields_ = [
        ("size", C.c_size_t),
        ("expires_s", C.c_uint32),
        ("refresh_s", C.c_uint32),
        ("min_expires_s", C.c_uint32),
        ("retry_after_s", C.c_uint32),
        ("flow_timer_s", C.c_uint32),
        ("next_cseq", C.c_uint32),
        ("bindings", C.c_uint32),
        ("outbound", C.c_int32),
    ]


class RequestOptions(C.Structure):  # sipdlg_request_options_t
    _fields_ = [
        ("size", C.c_size_t),
        ("flags", C.c_uint32),
        ("expires_ms", C.c_uint32),
        ("headers", C.POINTER(C.c_char_p)),
        ("body", Body),
        ("from_", C.c_char_p),
        ("to", C.c_char_p),
        ("call_id", C.c_char_p),
        ("flow", C.POINTER(Flow)),
        ("delegate", C.POINTER(Delegate)),
        ("user", C.c_void_p),
        ("release", C.c_void_p),
        ("refer", C.c_uint64),
        ("credentials", C.POINTER(Credentials)),
        ("credentials_count", C.c_size_t),
        ("session_timer", C.POINTER(SessionTimer)),
        ("reason", C.c_char_p),
    ]


class ResponseOptions(C.Structure):  # sipdlg_response_options_t
    _fields_ = [
        ("size", C.c_size_t),
        ("flags", C.c_uint32),
        ("reserved", C.c_uint32),
        ("headers", C.POINTER(C.c_char_p)),
        ("body", Body),
        ("reason_phrase", C.c_char_p),
        ("to_tag", C.c_char_p),
        ("session_timer", C.POINTER(SessionTimer)),
        ("reason", C.c_char_p),
    ]


class Stats(C.Structure):  # sipdlg_stats_t
    _fields_ = [
        ("size", C.c_size_t),
        ("sessions", C.c_uint64),
        ("incoming", C.c_uint64),
        ("outgoing", C.c_uint64),
        ("transactions", C.c_uint64),
        ("timers", C.c_uint64),
        ("bytes", C.c_uint64),
        ("messages_received", C.c_uint64),
        ("messages_sent", C.c_uint64),
        ("retransmissions_received", C.c_uint64),
        ("retransmissions_sent", C.c_uint64),
        ("dropped_malformed", C.c_uint64),
        ("dropped_limit", C.c_uint64),
        ("answered_limit", C.c_uint64),
        ("calls_placed", C.c_uint64),
        ("calls_received", C.c_uint64),
        ("calls_confirmed", C.c_uint64),
        ("longest_callback_us", C.c_uint64),
        ("quirks", C.c_uint64 * 32),
        ("maddr_ignored", C.c_uint64),
        ("refused_malformed", C.c_uint64),
        ("refused_method", C.c_uint64),
        ("refused_scheme", C.c_uint64),
        ("refused_extension", C.c_uint64),
        ("refused_content", C.c_uint64),
        ("refused_merged", C.c_uint64),
        ("refused_unknown", C.c_uint64),
        ("refused_order", C.c_uint64),
        ("refused_state", C.c_uint64),
        ("refused_memory", C.c_uint64),
        ("refused_default", C.c_uint64),
        ("dropped_response", C.c_uint64),
        ("dropped_ack", C.c_uint64),
        ("dropped_stream", C.c_uint64),
        ("ignored_challenges", C.c_uint64),
        ("refused_sessions", C.c_uint64),
        ("refused_calls", C.c_uint64),
        ("refused_unanswered", C.c_uint64),
        ("refused_rate", C.c_uint64),
        ("dropped_behind", C.c_uint64),
        ("trace_lost", C.c_uint64),
        ("capture_lost", C.c_uint64),
        ("connections", C.c_uint64),
        ("connections_refused", C.c_uint64),
        ("transmits_full", C.c_uint64),
    ]


class NameAddr(C.Structure):  # sipdlg_name_addr_t
    _fields_ = [
        ("display_name", Str),
        ("uri", Str),
        ("scheme", Str),
        ("user", Str),
        ("host", Str),
        ("uri_parameters", Str),
        ("uri_headers", Str),
        ("parameters", Str),
        ("tag", Str),
        ("port", C.c_uint32),
        ("reserved", C.c_uint32),
    ]


class Via(C.Structure):  # sipdlg_via_t
    _fields_ = [
        ("transport", Str),
        ("host", Str),
        ("branch", Str),
        ("received", Str),
        ("port", C.c_uint32),
        ("rport", C.c_uint32),
    ]


class BodyView(C.Structure):  # sipdlg_body_view_t
    _fields_ = [
        ("content", Str),
        ("content_type", Str),
        ("disposition", Str),
    ]


class DialogState(C.Structure):  # sipdlg_dialog_state_t
    _fields_ = [
        ("size", C.c_size_t),
        ("call_id", C.c_char_p),
        ("local_tag", C.c_char_p),
        ("remote_tag", C.c_char_p),
        ("local_uri", C.c_char_p),
        ("remote_uri", C.c_char_p),
        ("remote_target", C.c_char_p),
        ("route_set", C.c_char_p),
        ("local_sequence_number", C.c_uint32),
        ("remote_sequence_number", C.c_uint32),
        ("has_local_sequence_number", C.c_int32),
        ("has_remote_sequence_number", C.c_int32),
        ("secure", C.c_int32),
        ("early", C.c_int32),
        ("caller", C.c_int32),
        ("reserved", C.c_int32),
        ("offer", Body),
        ("answer", Body),
    ]


class ExplainEntry(C.Structure):  # sipdlg_explain_entry_t
    _fields_ = [
        ("size", C.c_size_t),
        ("unix_us", C.c_uint64),
        ("reason", C.c_int32),
        ("status_code", C.c_int32),
        ("rfc", Str),
        ("text", Str),
    ]


class TraceEntry(C.Structure):  # sipdlg_trace_entry_t
    _fields_ = [
        ("size", C.c_size_t),
        ("id", C.c_uint64),
        ("lost", C.c_uint64),
        ("unix_us", C.c_uint64),
        ("kind", C.c_int32),
        ("direction", C.c_int32),
        ("level", C.c_int32),
        ("reserved", C.c_int32),
        ("flow", Flow),
        ("data", Str),
    ]


def declare(dll: C.CDLL) -> None:
    """Gives every function of the library its prototype. Raises AttributeError when the library lacks one."""
    # const char *sipdlg_version(void);
    dll.sipdlg_version.argtypes = []
    dll.sipdlg_version.restype = C.c_char_p
    # uint32_t sipdlg_abi_version(void);
    dll.sipdlg_abi_version.argtypes = []
    dll.sipdlg_abi_version.restype = C.c_uint32
    # const char *sipdlg_status_text(sipdlg_status_t status);
    dll.sipdlg_status_text.argtypes = [C.c_int32]
    dll.sipdlg_status_text.restype = C.c_char_p
    # sipdlg_status_t sipdlg_last_error(char *buffer, size_t capacity, size_t *needed);
    dll.sipdlg_last_error.argtypes = [C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_last_error.restype = C.c_int32
    # int32_t sipdlg_effect_of(const char *method, int32_t status_code);
    dll.sipdlg_effect_of.argtypes = [C.c_char_p, C.c_int32]
    dll.sipdlg_effect_of.restype = C.c_int32
    # sipdlg_status_t sipdlg_endpoint_parse(const char *text, sipdlg_endpoint_t *out);
    dll.sipdlg_endpoint_parse.argtypes = [C.c_char_p, C.POINTER(Endpoint)]
    dll.sipdlg_endpoint_parse.restype = C.c_int32
    # sipdlg_status_t sipdlg_endpoint_text(const sipdlg_endpoint_t *endpoint, char *buffer, size_t capacity, size_t
    # *needed);
    dll.sipdlg_endpoint_text.argtypes = [C.POINTER(Endpoint), C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_endpoint_text.restype = C.c_int32
    # sipdlg_status_t sipdlg_endpoint_from_sockaddr(const void *sockaddr, size_t len, sipdlg_endpoint_t *out);
    dll.sipdlg_endpoint_from_sockaddr.argtypes = [C.c_void_p, C.c_size_t, C.POINTER(Endpoint)]
    dll.sipdlg_endpoint_from_sockaddr.restype = C.c_int32
    # sipdlg_status_t sipdlg_endpoint_to_sockaddr(const sipdlg_endpoint_t *endpoint, void *sockaddr, size_t capacity,
    # size_t *len);
    dll.sipdlg_endpoint_to_sockaddr.argtypes = [C.POINTER(Endpoint), C.c_void_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_endpoint_to_sockaddr.restype = C.c_int32
    # sipdlg_config_t *sipdlg_config_new(void);
    dll.sipdlg_config_new.argtypes = []
    dll.sipdlg_config_new.restype = C.c_void_p
    # void sipdlg_config_free(sipdlg_config_t *config);
    dll.sipdlg_config_free.argtypes = [C.c_void_p]
    dll.sipdlg_config_free.restype = None
    # sipdlg_status_t sipdlg_config_set_aor(sipdlg_config_t *config, const char *name_addr);
    dll.sipdlg_config_set_aor.argtypes = [C.c_void_p, C.c_char_p]
    dll.sipdlg_config_set_aor.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_contact(sipdlg_config_t *config, const char *name_addr);
    dll.sipdlg_config_set_contact.argtypes = [C.c_void_p, C.c_char_p]
    dll.sipdlg_config_set_contact.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_user_agent(sipdlg_config_t *config, const char *value);
    dll.sipdlg_config_set_user_agent.argtypes = [C.c_void_p, C.c_char_p]
    dll.sipdlg_config_set_user_agent.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_supported(sipdlg_config_t *config, const char *tags);
    dll.sipdlg_config_set_supported.argtypes = [C.c_void_p, C.c_char_p]
    dll.sipdlg_config_set_supported.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_allow(sipdlg_config_t *config, const char *methods);
    dll.sipdlg_config_set_allow.argtypes = [C.c_void_p, C.c_char_p]
    dll.sipdlg_config_set_allow.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_route_set(sipdlg_config_t *config, const char *routes);
    dll.sipdlg_config_set_route_set.argtypes = [C.c_void_p, C.c_char_p]
    dll.sipdlg_config_set_route_set.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_timers(sipdlg_config_t *config, uint32_t t1_ms, uint32_t t2_ms, uint32_t
    # t4_ms);
    dll.sipdlg_config_set_timers.argtypes = [C.c_void_p, C.c_uint32, C.c_uint32, C.c_uint32]
    dll.sipdlg_config_set_timers.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_answer_timeouts(sipdlg_config_t *config, uint32_t invite_ms, uint32_t
    # other_ms);
    dll.sipdlg_config_set_answer_timeouts.argtypes = [C.c_void_p, C.c_uint32, C.c_uint32]
    dll.sipdlg_config_set_answer_timeouts.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_limits(sipdlg_config_t *config, uint32_t message_bytes, uint32_t sessions,
    # uint32_t transactions);
    dll.sipdlg_config_set_limits.argtypes = [C.c_void_p, C.c_uint32, C.c_uint32, C.c_uint32]
    dll.sipdlg_config_set_limits.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_memory(sipdlg_config_t *config, uint64_t total_bytes, uint64_t
    # per_address_bytes);
    dll.sipdlg_config_set_memory.argtypes = [C.c_void_p, C.c_uint64, C.c_uint64]
    dll.sipdlg_config_set_memory.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_admission(sipdlg_config_t *config, uint32_t calls, uint32_t unanswered, uint32_t
    # address_requests, uint32_t address_burst);
    dll.sipdlg_config_set_admission.argtypes = [C.c_void_p, C.c_uint32, C.c_uint32, C.c_uint32, C.c_uint32]
    dll.sipdlg_config_set_admission.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_reconnect(sipdlg_config_t *config, uint32_t wait_ms, int32_t by_name);
    dll.sipdlg_config_set_reconnect.argtypes = [C.c_void_p, C.c_uint32, C.c_int32]
    dll.sipdlg_config_set_reconnect.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_datagram_bytes(sipdlg_config_t *config, uint32_t most);
    dll.sipdlg_config_set_datagram_bytes.argtypes = [C.c_void_p, C.c_uint32]
    dll.sipdlg_config_set_datagram_bytes.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_nat(sipdlg_config_t *config, int32_t own, int32_t peers);
    dll.sipdlg_config_set_nat.argtypes = [C.c_void_p, C.c_int32, C.c_int32]
    dll.sipdlg_config_set_nat.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_connections(sipdlg_config_t *config, uint32_t connections, uint32_t
    # address_connections, int32_t idle_s, uint32_t connect_ms);
    dll.sipdlg_config_set_connections.argtypes = [C.c_void_p, C.c_uint32, C.c_uint32, C.c_int32, C.c_uint32]
    dll.sipdlg_config_set_connections.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_resolver(sipdlg_config_t *config, const char *addresses);
    dll.sipdlg_config_set_resolver.argtypes = [C.c_void_p, C.c_char_p]
    dll.sipdlg_config_set_resolver.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_sockets(sipdlg_config_t *config, const char *interface, uint32_t dscp, uint32_t
    # priority);
    dll.sipdlg_config_set_sockets.argtypes = [C.c_void_p, C.c_char_p, C.c_uint32, C.c_uint32]
    dll.sipdlg_config_set_sockets.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_keep_alive(sipdlg_config_t *config, uint32_t every_s);
    dll.sipdlg_config_set_keep_alive.argtypes = [C.c_void_p, C.c_uint32]
    dll.sipdlg_config_set_keep_alive.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_outbound(sipdlg_config_t *config, int32_t on);
    dll.sipdlg_config_set_outbound.argtypes = [C.c_void_p, C.c_int32]
    dll.sipdlg_config_set_outbound.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_tls(sipdlg_config_t *config, const sipdlg_tls_t *tls);
    dll.sipdlg_config_set_tls.argtypes = [C.c_void_p, C.POINTER(Tls)]
    dll.sipdlg_config_set_tls.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_websocket(sipdlg_config_t *config, const char *path, const char *const *headers,
    # int32_t ping_s);
    dll.sipdlg_config_set_websocket.argtypes = [C.c_void_p, C.c_char_p, C.POINTER(C.c_char_p), C.c_int32]
    dll.sipdlg_config_set_websocket.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_reliable(sipdlg_config_t *config, int32_t policy, int32_t manual_prack);
    dll.sipdlg_config_set_reliable.argtypes = [C.c_void_p, C.c_int32, C.c_int32]
    dll.sipdlg_config_set_reliable.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_session_timer(sipdlg_config_t *config, int32_t policy, uint32_t interval_s,
    # uint32_t min_se_s, int32_t refresher);
    dll.sipdlg_config_set_session_timer.argtypes = [C.c_void_p, C.c_int32, C.c_uint32, C.c_uint32, C.c_int32]
    dll.sipdlg_config_set_session_timer.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_fork_policy(sipdlg_config_t *config, int32_t policy);
    dll.sipdlg_config_set_fork_policy.argtypes = [C.c_void_p, C.c_int32]
    dll.sipdlg_config_set_fork_policy.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_resync(sipdlg_config_t *config, int32_t on);
    dll.sipdlg_config_set_resync.argtypes = [C.c_void_p, C.c_int32]
    dll.sipdlg_config_set_resync.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_glare_retry(sipdlg_config_t *config, int32_t on);
    dll.sipdlg_config_set_glare_retry.argtypes = [C.c_void_p, C.c_int32]
    dll.sipdlg_config_set_glare_retry.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_connected_identity(sipdlg_config_t *config, int32_t on);
    dll.sipdlg_config_set_connected_identity.argtypes = [C.c_void_p, C.c_int32]
    dll.sipdlg_config_set_connected_identity.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_sips(sipdlg_config_t *config, int32_t policy);
    dll.sipdlg_config_set_sips.argtypes = [C.c_void_p, C.c_int32]
    dll.sipdlg_config_set_sips.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_add_credentials(sipdlg_config_t *config, const char *realm, const char *user, const
    # char *secret, int32_t is_ha1, const char *algorithm);
    dll.sipdlg_config_add_credentials.argtypes = [C.c_void_p, C.c_char_p, C.c_char_p, C.c_char_p, C.c_int32, C.c_char_p]
    dll.sipdlg_config_add_credentials.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_digest_minimum(sipdlg_config_t *config, const char *algorithm);
    dll.sipdlg_config_set_digest_minimum.argtypes = [C.c_void_p, C.c_char_p]
    dll.sipdlg_config_set_digest_minimum.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_info_packages(sipdlg_config_t *config, const char *packages);
    dll.sipdlg_config_set_info_packages.argtypes = [C.c_void_p, C.c_char_p]
    dll.sipdlg_config_set_info_packages.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_tolerance(sipdlg_config_t *config, uint32_t quirks);
    dll.sipdlg_config_set_tolerance.argtypes = [C.c_void_p, C.c_uint32]
    dll.sipdlg_config_set_tolerance.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_effect(sipdlg_config_t *config, const char *method, int32_t status_code, int32_t
    # effect);
    dll.sipdlg_config_set_effect.argtypes = [C.c_void_p, C.c_char_p, C.c_int32, C.c_int32]
    dll.sipdlg_config_set_effect.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_seed(sipdlg_config_t *config, uint64_t seed);
    dll.sipdlg_config_set_seed.argtypes = [C.c_void_p, C.c_uint64]
    dll.sipdlg_config_set_seed.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_manual_clock(sipdlg_config_t *config, int32_t on);
    dll.sipdlg_config_set_manual_clock.argtypes = [C.c_void_p, C.c_int32]
    dll.sipdlg_config_set_manual_clock.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_log(sipdlg_config_t *config, int32_t level, sipdlg_log_t log, void *user);
    dll.sipdlg_config_set_log.argtypes = [C.c_void_p, C.c_int32, C.c_void_p, C.c_void_p]
    dll.sipdlg_config_set_log.restype = C.c_int32
    # sipdlg_status_t sipdlg_event_default(const sipdlg_event_t *event);
    dll.sipdlg_event_default.argtypes = [C.POINTER(Event)]
    dll.sipdlg_event_default.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_new(const sipdlg_config_t *config, sipdlg_agent_t *out);
    dll.sipdlg_agent_new.argtypes = [C.c_void_p, C.POINTER(C.c_uint64)]
    dll.sipdlg_agent_new.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_free(sipdlg_agent_t agent);
    dll.sipdlg_agent_free.argtypes = [C.c_uint64]
    dll.sipdlg_agent_free.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_set_delegate(sipdlg_agent_t agent, const sipdlg_delegate_t *delegate);
    dll.sipdlg_agent_set_delegate.argtypes = [C.c_uint64, C.POINTER(Delegate)]
    dll.sipdlg_agent_set_delegate.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_set_user(sipdlg_agent_t agent, void *user, sipdlg_release_t release);
    dll.sipdlg_agent_set_user.argtypes = [C.c_uint64, C.c_void_p, C.c_void_p]
    dll.sipdlg_agent_set_user.restype = C.c_int32
    # void *sipdlg_agent_user(sipdlg_agent_t agent);
    dll.sipdlg_agent_user.argtypes = [C.c_uint64]
    dll.sipdlg_agent_user.restype = C.c_void_p
    # sipdlg_status_t sipdlg_agent_add_transport(sipdlg_agent_t agent, const sipdlg_flow_t *flow, const char
    # *sent_by);
    dll.sipdlg_agent_add_transport.argtypes = [C.c_uint64, C.POINTER(Flow), C.c_char_p]
    dll.sipdlg_agent_add_transport.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_link_closed(sipdlg_agent_t agent, uint64_t link);
    dll.sipdlg_agent_link_closed.argtypes = [C.c_uint64, C.c_uint64]
    dll.sipdlg_agent_link_closed.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_seen_at(sipdlg_agent_t agent, const sipdlg_flow_t *flow, sipdlg_endpoint_t *out);
    dll.sipdlg_agent_seen_at.argtypes = [C.c_uint64, C.POINTER(Flow), C.POINTER(Endpoint)]
    dll.sipdlg_agent_seen_at.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_move_link(sipdlg_agent_t agent, uint64_t link, const sipdlg_flow_t *to, size_t *count);
    dll.sipdlg_agent_move_link.argtypes = [C.c_uint64, C.c_uint64, C.POINTER(Flow), C.POINTER(C.c_size_t)]
    dll.sipdlg_agent_move_link.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_receive(sipdlg_agent_t agent, const sipdlg_flow_t *flow, const void *data, size_t
    # len);
    dll.sipdlg_agent_receive.argtypes = [C.c_uint64, C.POINTER(Flow), C.c_void_p, C.c_size_t]
    dll.sipdlg_agent_receive.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_handle_timeout(sipdlg_agent_t agent);
    dll.sipdlg_agent_handle_timeout.argtypes = [C.c_uint64]
    dll.sipdlg_agent_handle_timeout.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_next_timeout(sipdlg_agent_t agent, uint64_t *delay_us);
    dll.sipdlg_agent_next_timeout.argtypes = [C.c_uint64, C.POINTER(C.c_uint64)]
    dll.sipdlg_agent_next_timeout.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_set_time(sipdlg_agent_t agent, uint64_t monotonic_us, uint64_t unix_us);
    dll.sipdlg_agent_set_time.argtypes = [C.c_uint64, C.c_uint64, C.c_uint64]
    dll.sipdlg_agent_set_time.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_poll_transmit(sipdlg_agent_t agent, sipdlg_transmit_t *out);
    dll.sipdlg_agent_poll_transmit.argtypes = [C.c_uint64, C.POINTER(Transmit)]
    dll.sipdlg_agent_poll_transmit.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_transmit_failed(sipdlg_agent_t agent, uint64_t id);
    dll.sipdlg_agent_transmit_failed.argtypes = [C.c_uint64, C.c_uint64]
    dll.sipdlg_agent_transmit_failed.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_transmit_goes_by(sipdlg_agent_t agent, uint64_t id, const sipdlg_flow_t *flow);
    dll.sipdlg_agent_transmit_goes_by.argtypes = [C.c_uint64, C.c_uint64, C.POINTER(Flow)]
    dll.sipdlg_agent_transmit_goes_by.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_resolved(sipdlg_agent_t agent, uint64_t query, const sipdlg_flow_t *targets, size_t
    # count);
    dll.sipdlg_agent_resolved.argtypes = [C.c_uint64, C.c_uint64, C.POINTER(Flow), C.c_size_t]
    dll.sipdlg_agent_resolved.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_dispatch(sipdlg_agent_t agent);
    dll.sipdlg_agent_dispatch.argtypes = [C.c_uint64]
    dll.sipdlg_agent_dispatch.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_poll_event(sipdlg_agent_t agent, sipdlg_event_t *out);
    dll.sipdlg_agent_poll_event.argtypes = [C.c_uint64, C.POINTER(Event)]
    dll.sipdlg_agent_poll_event.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_event_fd(sipdlg_agent_t agent, int32_t *fd);
    dll.sipdlg_agent_event_fd.argtypes = [C.c_uint64, C.POINTER(C.c_int32)]
    dll.sipdlg_agent_event_fd.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_wake(sipdlg_agent_t agent);
    dll.sipdlg_agent_wake.argtypes = [C.c_uint64]
    dll.sipdlg_agent_wake.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_trim(sipdlg_agent_t agent);
    dll.sipdlg_agent_trim.argtypes = [C.c_uint64]
    dll.sipdlg_agent_trim.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_invite(sipdlg_agent_t agent, const char *target, const sipdlg_request_options_t
    # *options, sipdlg_outgoing_t *out);
    dll.sipdlg_agent_invite.argtypes = [C.c_uint64, C.c_char_p, C.POINTER(RequestOptions), C.POINTER(C.c_uint64)]
    dll.sipdlg_agent_invite.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_request(sipdlg_agent_t agent, const char *method, const char *target, const
    # sipdlg_request_options_t *options, sipdlg_outgoing_t *out);
    dll.sipdlg_agent_request.argtypes = [
        C.c_uint64,
        C.c_char_p,
        C.c_char_p,
        C.POINTER(RequestOptions),
        C.POINTER(C.c_uint64),
    ]
    dll.sipdlg_agent_request.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_register(sipdlg_agent_t agent, const char *registrar, const sipdlg_register_t *binding,
    # const sipdlg_request_options_t *options, sipdlg_outgoing_t *out);
    dll.sipdlg_agent_register.argtypes = [
        C.c_uint64,
        C.c_char_p,
        C.POINTER(Register),
        C.POINTER(RequestOptions),
        C.POINTER(C.c_uint64),
    ]
    dll.sipdlg_agent_register.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_registered(const sipdlg_message_t *response, const sipdlg_message_t *request,
    # sipdlg_registered_t *out);
    dll.sipdlg_message_registered.argtypes = [C.c_void_p, C.c_void_p, C.POINTER(Registered)]
    dll.sipdlg_message_registered.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_backoff(sipdlg_agent_t agent, uint32_t failures, uint32_t base_s, uint32_t most_s,
    # uint64_t *delay_ms);
    dll.sipdlg_agent_backoff.argtypes = [C.c_uint64, C.c_uint32, C.c_uint32, C.c_uint32, C.POINTER(C.c_uint64)]
    dll.sipdlg_agent_backoff.restype = C.c_int32
    # sipdlg_status_t sipdlg_instance_new(char *buffer, size_t capacity, size_t *needed);
    dll.sipdlg_instance_new.argtypes = [C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_instance_new.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_keep_alive(sipdlg_agent_t agent, const sipdlg_flow_t *flow, uint32_t every_s);
    dll.sipdlg_agent_keep_alive.argtypes = [C.c_uint64, C.POINTER(Flow), C.c_uint32]
    dll.sipdlg_agent_keep_alive.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_unreachable(sipdlg_agent_t agent, const sipdlg_flow_t *flow, const void *data, size_t
    # len);
    dll.sipdlg_agent_unreachable.argtypes = [C.c_uint64, C.POINTER(Flow), C.c_void_p, C.c_size_t]
    dll.sipdlg_agent_unreachable.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_reply_stateless(sipdlg_agent_t agent, const sipdlg_message_t *request, int32_t
    # status_code, const sipdlg_response_options_t *options);
    dll.sipdlg_agent_reply_stateless.argtypes = [C.c_uint64, C.c_void_p, C.c_int32, C.POINTER(ResponseOptions)]
    dll.sipdlg_agent_reply_stateless.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_next_session(sipdlg_agent_t agent, sipdlg_session_t previous, sipdlg_session_t
    # *out);
    dll.sipdlg_agent_next_session.argtypes = [C.c_uint64, C.c_uint64, C.POINTER(C.c_uint64)]
    dll.sipdlg_agent_next_session.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_stats(sipdlg_agent_t agent, sipdlg_stats_t *out);
    dll.sipdlg_agent_stats.argtypes = [C.c_uint64, C.POINTER(Stats)]
    dll.sipdlg_agent_stats.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_retain(const sipdlg_message_t *message);
    dll.sipdlg_message_retain.argtypes = [C.c_void_p]
    dll.sipdlg_message_retain.restype = C.c_int32
    # void sipdlg_message_release(const sipdlg_message_t *message);
    dll.sipdlg_message_release.argtypes = [C.c_void_p]
    dll.sipdlg_message_release.restype = None
    # sipdlg_status_t sipdlg_message_parse(const void *data, size_t len, const sipdlg_message_t **out);
    dll.sipdlg_message_parse.argtypes = [C.c_void_p, C.c_size_t, C.POINTER(C.c_void_p)]
    dll.sipdlg_message_parse.restype = C.c_int32
    # int32_t sipdlg_message_status_code(const sipdlg_message_t *message);
    dll.sipdlg_message_status_code.argtypes = [C.c_void_p]
    dll.sipdlg_message_status_code.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_method(const sipdlg_message_t *message, sipdlg_str_t *out);
    dll.sipdlg_message_method.argtypes = [C.c_void_p, C.POINTER(Str)]
    dll.sipdlg_message_method.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_uri(const sipdlg_message_t *message, sipdlg_str_t *out);
    dll.sipdlg_message_uri.argtypes = [C.c_void_p, C.POINTER(Str)]
    dll.sipdlg_message_uri.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_reason_phrase(const sipdlg_message_t *message, sipdlg_str_t *out);
    dll.sipdlg_message_reason_phrase.argtypes = [C.c_void_p, C.POINTER(Str)]
    dll.sipdlg_message_reason_phrase.restype = C.c_int32
    # int32_t sipdlg_message_header_count(const sipdlg_message_t *message, const char *name);
    dll.sipdlg_message_header_count.argtypes = [C.c_void_p, C.c_char_p]
    dll.sipdlg_message_header_count.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_header(const sipdlg_message_t *message, const char *name, uint32_t index,
    # sipdlg_str_t *out);
    dll.sipdlg_message_header.argtypes = [C.c_void_p, C.c_char_p, C.c_uint32, C.POINTER(Str)]
    dll.sipdlg_message_header.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_name_addr(const sipdlg_message_t *message, const char *name, uint32_t index,
    # sipdlg_name_addr_t *out);
    dll.sipdlg_message_name_addr.argtypes = [C.c_void_p, C.c_char_p, C.c_uint32, C.POINTER(NameAddr)]
    dll.sipdlg_message_name_addr.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_cseq(const sipdlg_message_t *message, uint32_t *number, sipdlg_str_t *method);
    dll.sipdlg_message_cseq.argtypes = [C.c_void_p, C.POINTER(C.c_uint32), C.POINTER(Str)]
    dll.sipdlg_message_cseq.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_via(const sipdlg_message_t *message, uint32_t index, sipdlg_via_t *out);
    dll.sipdlg_message_via.argtypes = [C.c_void_p, C.c_uint32, C.POINTER(Via)]
    dll.sipdlg_message_via.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_body(const sipdlg_message_t *message, sipdlg_body_view_t *out);
    dll.sipdlg_message_body.argtypes = [C.c_void_p, C.POINTER(BodyView)]
    dll.sipdlg_message_body.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_session_body(const sipdlg_message_t *message, sipdlg_body_view_t *out);
    dll.sipdlg_message_session_body.argtypes = [C.c_void_p, C.POINTER(BodyView)]
    dll.sipdlg_message_session_body.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_bytes(const sipdlg_message_t *message, sipdlg_str_t *out);
    dll.sipdlg_message_bytes.argtypes = [C.c_void_p, C.POINTER(Str)]
    dll.sipdlg_message_bytes.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_digest_username(const sipdlg_message_t *message, const char *realm, char *buffer,
    # size_t capacity, size_t *needed);
    dll.sipdlg_message_digest_username.argtypes = [
        C.c_void_p,
        C.c_char_p,
        C.c_char_p,
        C.c_size_t,
        C.POINTER(C.c_size_t),
    ]
    dll.sipdlg_message_digest_username.restype = C.c_int32
    # int32_t sipdlg_message_check_digest(const sipdlg_message_t *message, const char *realm, const char *user, const
    # char *secret, int32_t is_ha1, const char *algorithm, sipdlg_agent_t agent);
    dll.sipdlg_message_check_digest.argtypes = [
        C.c_void_p,
        C.c_char_p,
        C.c_char_p,
        C.c_char_p,
        C.c_int32,
        C.c_char_p,
        C.c_uint64,
    ]
    dll.sipdlg_message_check_digest.restype = C.c_int32
    # sipdlg_status_t sipdlg_message_flow(const sipdlg_message_t *message, sipdlg_flow_t *out);
    dll.sipdlg_message_flow.argtypes = [C.c_void_p, C.POINTER(Flow)]
    dll.sipdlg_message_flow.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_new(sipdlg_agent_t agent, sipdlg_incoming_t initial_request, const
    # sipdlg_dialog_state_t *state, const sipdlg_delegate_t *delegate, sipdlg_session_t *out);
    dll.sipdlg_session_new.argtypes = [
        C.c_uint64,
        C.c_uint64,
        C.POINTER(DialogState),
        C.POINTER(Delegate),
        C.POINTER(C.c_uint64),
    ]
    dll.sipdlg_session_new.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_set_delegate(sipdlg_session_t session, const sipdlg_delegate_t *delegate);
    dll.sipdlg_session_set_delegate.argtypes = [C.c_uint64, C.POINTER(Delegate)]
    dll.sipdlg_session_set_delegate.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_set_user(sipdlg_session_t session, void *user, sipdlg_release_t release);
    dll.sipdlg_session_set_user.argtypes = [C.c_uint64, C.c_void_p, C.c_void_p]
    dll.sipdlg_session_set_user.restype = C.c_int32
    # void *sipdlg_session_user(sipdlg_session_t session);
    dll.sipdlg_session_user.argtypes = [C.c_uint64]
    dll.sipdlg_session_user.restype = C.c_void_p
    # int32_t sipdlg_session_state(sipdlg_session_t session);
    dll.sipdlg_session_state.argtypes = [C.c_uint64]
    dll.sipdlg_session_state.restype = C.c_int32
    # int32_t sipdlg_session_signaling_state(sipdlg_session_t session);
    dll.sipdlg_session_signaling_state.argtypes = [C.c_uint64]
    dll.sipdlg_session_signaling_state.restype = C.c_int32
    # int32_t sipdlg_session_early(sipdlg_session_t session);
    dll.sipdlg_session_early.argtypes = [C.c_uint64]
    dll.sipdlg_session_early.restype = C.c_int32
    # int32_t sipdlg_session_secure(sipdlg_session_t session);
    dll.sipdlg_session_secure.argtypes = [C.c_uint64]
    dll.sipdlg_session_secure.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_state_text(sipdlg_session_t session, char *buffer, size_t capacity, size_t
    # *needed);
    dll.sipdlg_session_state_text.argtypes = [C.c_uint64, C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_session_state_text.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_offer(sipdlg_session_t session, sipdlg_body_view_t *out, char *buffer, size_t
    # capacity, size_t *needed);
    dll.sipdlg_session_offer.argtypes = [
        C.c_uint64,
        C.POINTER(BodyView),
        C.c_char_p,
        C.c_size_t,
        C.POINTER(C.c_size_t),
    ]
    dll.sipdlg_session_offer.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_answer(sipdlg_session_t session, sipdlg_body_view_t *out, char *buffer, size_t
    # capacity, size_t *needed);
    dll.sipdlg_session_answer.argtypes = [
        C.c_uint64,
        C.POINTER(BodyView),
        C.c_char_p,
        C.c_size_t,
        C.POINTER(C.c_size_t),
    ]
    dll.sipdlg_session_answer.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_interval(sipdlg_session_t session, uint32_t *interval_s, int32_t *refresher,
    # uint64_t *left_us);
    dll.sipdlg_session_interval.argtypes = [
        C.c_uint64,
        C.POINTER(C.c_uint32),
        C.POINTER(C.c_int32),
        C.POINTER(C.c_uint64),
    ]
    dll.sipdlg_session_interval.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_reinvite_client(sipdlg_session_t session, sipdlg_outgoing_t *out);
    dll.sipdlg_session_reinvite_client.argtypes = [C.c_uint64, C.POINTER(C.c_uint64)]
    dll.sipdlg_session_reinvite_client.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_reinvite_server(sipdlg_session_t session, sipdlg_incoming_t *out);
    dll.sipdlg_session_reinvite_server.argtypes = [C.c_uint64, C.POINTER(C.c_uint64)]
    dll.sipdlg_session_reinvite_server.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_id(sipdlg_session_t session, char *buffer, size_t capacity, size_t *needed);
    dll.sipdlg_session_id.argtypes = [C.c_uint64, C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_session_id.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_call_id(sipdlg_session_t session, char *buffer, size_t capacity, size_t *needed);
    dll.sipdlg_session_call_id.argtypes = [C.c_uint64, C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_session_call_id.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_local_tag(sipdlg_session_t session, char *buffer, size_t capacity, size_t
    # *needed);
    dll.sipdlg_session_local_tag.argtypes = [C.c_uint64, C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_session_local_tag.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_remote_tag(sipdlg_session_t session, char *buffer, size_t capacity, size_t
    # *needed);
    dll.sipdlg_session_remote_tag.argtypes = [C.c_uint64, C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_session_remote_tag.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_local_uri(sipdlg_session_t session, char *buffer, size_t capacity, size_t
    # *needed);
    dll.sipdlg_session_local_uri.argtypes = [C.c_uint64, C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_session_local_uri.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_remote_uri(sipdlg_session_t session, char *buffer, size_t capacity, size_t
    # *needed);
    dll.sipdlg_session_remote_uri.argtypes = [C.c_uint64, C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_session_remote_uri.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_remote_target(sipdlg_session_t session, char *buffer, size_t capacity, size_t
    # *needed);
    dll.sipdlg_session_remote_target.argtypes = [C.c_uint64, C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_session_remote_target.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_route_set(sipdlg_session_t session, char *buffer, size_t capacity, size_t
    # *needed);
    dll.sipdlg_session_route_set.argtypes = [C.c_uint64, C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_session_route_set.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_local_sequence_number(sipdlg_session_t session, uint32_t *out);
    dll.sipdlg_session_local_sequence_number.argtypes = [C.c_uint64, C.POINTER(C.c_uint32)]
    dll.sipdlg_session_local_sequence_number.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_remote_sequence_number(sipdlg_session_t session, uint32_t *out);
    dll.sipdlg_session_remote_sequence_number.argtypes = [C.c_uint64, C.POINTER(C.c_uint32)]
    dll.sipdlg_session_remote_sequence_number.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_explain(sipdlg_session_t session, uint32_t index, sipdlg_explain_entry_t *out);
    dll.sipdlg_session_explain.argtypes = [C.c_uint64, C.c_uint32, C.POINTER(ExplainEntry)]
    dll.sipdlg_session_explain.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_flow(sipdlg_session_t session, sipdlg_flow_t *out);
    dll.sipdlg_session_flow.argtypes = [C.c_uint64, C.POINTER(Flow)]
    dll.sipdlg_session_flow.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_set_flow(sipdlg_session_t session, const sipdlg_flow_t *flow);
    dll.sipdlg_session_set_flow.argtypes = [C.c_uint64, C.POINTER(Flow)]
    dll.sipdlg_session_set_flow.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_hangup(sipdlg_session_t session, int32_t status_code, const
    # sipdlg_request_options_t *options);
    dll.sipdlg_session_hangup.argtypes = [C.c_uint64, C.c_int32, C.POINTER(RequestOptions)]
    dll.sipdlg_session_hangup.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_bye(sipdlg_session_t session, const sipdlg_request_options_t *options,
    # sipdlg_outgoing_t *out);
    dll.sipdlg_session_bye.argtypes = [C.c_uint64, C.POINTER(RequestOptions), C.POINTER(C.c_uint64)]
    dll.sipdlg_session_bye.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_invite(sipdlg_session_t session, const sipdlg_request_options_t *options,
    # sipdlg_outgoing_t *out);
    dll.sipdlg_session_invite.argtypes = [C.c_uint64, C.POINTER(RequestOptions), C.POINTER(C.c_uint64)]
    dll.sipdlg_session_invite.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_update(sipdlg_session_t session, const sipdlg_request_options_t *options,
    # sipdlg_outgoing_t *out);
    dll.sipdlg_session_update.argtypes = [C.c_uint64, C.POINTER(RequestOptions), C.POINTER(C.c_uint64)]
    dll.sipdlg_session_update.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_info(sipdlg_session_t session, const sipdlg_request_options_t *options,
    # sipdlg_outgoing_t *out);
    dll.sipdlg_session_info.argtypes = [C.c_uint64, C.POINTER(RequestOptions), C.POINTER(C.c_uint64)]
    dll.sipdlg_session_info.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_message(sipdlg_session_t session, const sipdlg_request_options_t *options,
    # sipdlg_outgoing_t *out);
    dll.sipdlg_session_message.argtypes = [C.c_uint64, C.POINTER(RequestOptions), C.POINTER(C.c_uint64)]
    dll.sipdlg_session_message.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_options(sipdlg_session_t session, const sipdlg_request_options_t *options,
    # sipdlg_outgoing_t *out);
    dll.sipdlg_session_options.argtypes = [C.c_uint64, C.POINTER(RequestOptions), C.POINTER(C.c_uint64)]
    dll.sipdlg_session_options.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_notify(sipdlg_session_t session, const sipdlg_request_options_t *options,
    # sipdlg_outgoing_t *out);
    dll.sipdlg_session_notify.argtypes = [C.c_uint64, C.POINTER(RequestOptions), C.POINTER(C.c_uint64)]
    dll.sipdlg_session_notify.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_refer(sipdlg_session_t session, const char *refer_to, sipdlg_session_t replaces,
    # const sipdlg_request_options_t *options, sipdlg_outgoing_t *out);
    dll.sipdlg_session_refer.argtypes = [
        C.c_uint64,
        C.c_char_p,
        C.c_uint64,
        C.POINTER(RequestOptions),
        C.POINTER(C.c_uint64),
    ]
    dll.sipdlg_session_refer.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_ack(sipdlg_session_t session, const sipdlg_request_options_t *options);
    dll.sipdlg_session_ack.argtypes = [C.c_uint64, C.POINTER(RequestOptions)]
    dll.sipdlg_session_ack.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_prack(sipdlg_session_t session, const sipdlg_request_options_t *options,
    # sipdlg_outgoing_t *out);
    dll.sipdlg_session_prack.argtypes = [C.c_uint64, C.POINTER(RequestOptions), C.POINTER(C.c_uint64)]
    dll.sipdlg_session_prack.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_dispose(sipdlg_session_t session);
    dll.sipdlg_session_dispose.argtypes = [C.c_uint64]
    dll.sipdlg_session_dispose.restype = C.c_int32
    # int32_t sipdlg_session_reliable_sequence_guard(sipdlg_session_t session, const sipdlg_message_t *response);
    dll.sipdlg_session_reliable_sequence_guard.argtypes = [C.c_uint64, C.c_void_p]
    dll.sipdlg_session_reliable_sequence_guard.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_set_defer_ack(sipdlg_session_t session, int32_t on);
    dll.sipdlg_session_set_defer_ack.argtypes = [C.c_uint64, C.c_int32]
    dll.sipdlg_session_set_defer_ack.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_ack_processed(sipdlg_session_t session);
    dll.sipdlg_session_ack_processed.argtypes = [C.c_uint64]
    dll.sipdlg_session_ack_processed.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_confirm(sipdlg_session_t session);
    dll.sipdlg_session_confirm.argtypes = [C.c_uint64]
    dll.sipdlg_session_confirm.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_reconfirm(sipdlg_session_t session);
    dll.sipdlg_session_reconfirm.argtypes = [C.c_uint64]
    dll.sipdlg_session_reconfirm.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_receive_request(sipdlg_session_t session, const sipdlg_flow_t *flow, const void
    # *data, size_t len);
    dll.sipdlg_session_receive_request.argtypes = [C.c_uint64, C.POINTER(Flow), C.c_void_p, C.c_size_t]
    dll.sipdlg_session_receive_request.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_signaling_state_rollback(sipdlg_session_t session);
    dll.sipdlg_session_signaling_state_rollback.argtypes = [C.c_uint64]
    dll.sipdlg_session_signaling_state_rollback.restype = C.c_int32
    # sipdlg_status_t sipdlg_session_signaling_state_transition(sipdlg_session_t session, const sipdlg_body_t *body,
    # int32_t received);
    dll.sipdlg_session_signaling_state_transition.argtypes = [C.c_uint64, C.POINTER(Body), C.c_int32]
    dll.sipdlg_session_signaling_state_transition.restype = C.c_int32
    # sipdlg_status_t sipdlg_incoming_set_delegate(sipdlg_incoming_t incoming, const sipdlg_delegate_t *delegate);
    dll.sipdlg_incoming_set_delegate.argtypes = [C.c_uint64, C.POINTER(Delegate)]
    dll.sipdlg_incoming_set_delegate.restype = C.c_int32
    # sipdlg_status_t sipdlg_incoming_set_user(sipdlg_incoming_t incoming, void *user, sipdlg_release_t release);
    dll.sipdlg_incoming_set_user.argtypes = [C.c_uint64, C.c_void_p, C.c_void_p]
    dll.sipdlg_incoming_set_user.restype = C.c_int32
    # void *sipdlg_incoming_user(sipdlg_incoming_t incoming);
    dll.sipdlg_incoming_user.argtypes = [C.c_uint64]
    dll.sipdlg_incoming_user.restype = C.c_void_p
    # sipdlg_status_t sipdlg_incoming_message(sipdlg_incoming_t incoming, const sipdlg_message_t **out);
    dll.sipdlg_incoming_message.argtypes = [C.c_uint64, C.POINTER(C.c_void_p)]
    dll.sipdlg_incoming_message.restype = C.c_int32
    # sipdlg_status_t sipdlg_incoming_session(sipdlg_incoming_t incoming, sipdlg_session_t *out);
    dll.sipdlg_incoming_session.argtypes = [C.c_uint64, C.POINTER(C.c_uint64)]
    dll.sipdlg_incoming_session.restype = C.c_int32
    # sipdlg_status_t sipdlg_incoming_trying(sipdlg_incoming_t incoming, const sipdlg_response_options_t *options);
    dll.sipdlg_incoming_trying.argtypes = [C.c_uint64, C.POINTER(ResponseOptions)]
    dll.sipdlg_incoming_trying.restype = C.c_int32
    # sipdlg_status_t sipdlg_incoming_progress(sipdlg_incoming_t incoming, int32_t status_code, const
    # sipdlg_response_options_t *options, sipdlg_session_t *session);
    dll.sipdlg_incoming_progress.argtypes = [C.c_uint64, C.c_int32, C.POINTER(ResponseOptions), C.POINTER(C.c_uint64)]
    dll.sipdlg_incoming_progress.restype = C.c_int32
    # sipdlg_status_t sipdlg_incoming_accept(sipdlg_incoming_t incoming, int32_t status_code, const
    # sipdlg_response_options_t *options, sipdlg_session_t *session);
    dll.sipdlg_incoming_accept.argtypes = [C.c_uint64, C.c_int32, C.POINTER(ResponseOptions), C.POINTER(C.c_uint64)]
    dll.sipdlg_incoming_accept.restype = C.c_int32
    # sipdlg_status_t sipdlg_incoming_redirect(sipdlg_incoming_t incoming, int32_t status_code, const char *const
    # *contacts, const sipdlg_response_options_t *options);
    dll.sipdlg_incoming_redirect.argtypes = [C.c_uint64, C.c_int32, C.POINTER(C.c_char_p), C.POINTER(ResponseOptions)]
    dll.sipdlg_incoming_redirect.restype = C.c_int32
    # sipdlg_status_t sipdlg_incoming_reject(sipdlg_incoming_t incoming, int32_t status_code, const
    # sipdlg_response_options_t *options);
    dll.sipdlg_incoming_reject.argtypes = [C.c_uint64, C.c_int32, C.POINTER(ResponseOptions)]
    dll.sipdlg_incoming_reject.restype = C.c_int32
    # sipdlg_status_t sipdlg_incoming_challenge(sipdlg_incoming_t incoming, const char *realm, const char *algorithms);
    dll.sipdlg_incoming_challenge.argtypes = [C.c_uint64, C.c_char_p, C.c_char_p]
    dll.sipdlg_incoming_challenge.restype = C.c_int32
    # sipdlg_status_t sipdlg_incoming_notify(sipdlg_incoming_t incoming, int32_t status_code, const char *reason_phrase);
    dll.sipdlg_incoming_notify.argtypes = [C.c_uint64, C.c_int32, C.c_char_p]
    dll.sipdlg_incoming_notify.restype = C.c_int32
    # sipdlg_status_t sipdlg_incoming_dispose(sipdlg_incoming_t incoming);
    dll.sipdlg_incoming_dispose.argtypes = [C.c_uint64]
    dll.sipdlg_incoming_dispose.restype = C.c_int32
    # sipdlg_status_t sipdlg_outgoing_set_delegate(sipdlg_outgoing_t outgoing, const sipdlg_delegate_t *delegate);
    dll.sipdlg_outgoing_set_delegate.argtypes = [C.c_uint64, C.POINTER(Delegate)]
    dll.sipdlg_outgoing_set_delegate.restype = C.c_int32
    # sipdlg_status_t sipdlg_outgoing_set_user(sipdlg_outgoing_t outgoing, void *user, sipdlg_release_t release);
    dll.sipdlg_outgoing_set_user.argtypes = [C.c_uint64, C.c_void_p, C.c_void_p]
    dll.sipdlg_outgoing_set_user.restype = C.c_int32
    # void *sipdlg_outgoing_user(sipdlg_outgoing_t outgoing);
    dll.sipdlg_outgoing_user.argtypes = [C.c_uint64]
    dll.sipdlg_outgoing_user.restype = C.c_void_p
    # sipdlg_status_t sipdlg_outgoing_message(sipdlg_outgoing_t outgoing, const sipdlg_message_t **out);
    dll.sipdlg_outgoing_message.argtypes = [C.c_uint64, C.POINTER(C.c_void_p)]
    dll.sipdlg_outgoing_message.restype = C.c_int32
    # int32_t sipdlg_outgoing_state(sipdlg_outgoing_t outgoing);
    dll.sipdlg_outgoing_state.argtypes = [C.c_uint64]
    dll.sipdlg_outgoing_state.restype = C.c_int32
    # sipdlg_status_t sipdlg_outgoing_cancel(sipdlg_outgoing_t outgoing, const char *reason, const
    # sipdlg_request_options_t *options);
    dll.sipdlg_outgoing_cancel.argtypes = [C.c_uint64, C.c_char_p, C.POINTER(RequestOptions)]
    dll.sipdlg_outgoing_cancel.restype = C.c_int32
    # sipdlg_status_t sipdlg_outgoing_retry(sipdlg_outgoing_t outgoing, const sipdlg_body_t *body);
    dll.sipdlg_outgoing_retry.argtypes = [C.c_uint64, C.POINTER(Body)]
    dll.sipdlg_outgoing_retry.restype = C.c_int32
    # sipdlg_status_t sipdlg_outgoing_authenticate(sipdlg_outgoing_t outgoing, const char *user, const char *password);
    dll.sipdlg_outgoing_authenticate.argtypes = [C.c_uint64, C.c_char_p, C.c_char_p]
    dll.sipdlg_outgoing_authenticate.restype = C.c_int32
    # sipdlg_status_t sipdlg_outgoing_dispose(sipdlg_outgoing_t outgoing);
    dll.sipdlg_outgoing_dispose.argtypes = [C.c_uint64]
    dll.sipdlg_outgoing_dispose.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_listen(sipdlg_agent_t agent, const char *address);
    dll.sipdlg_agent_listen.argtypes = [C.c_uint64, C.c_char_p]
    dll.sipdlg_agent_listen.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_local_address(sipdlg_agent_t agent, uint32_t index, char *buffer, size_t capacity,
    # size_t *needed);
    dll.sipdlg_agent_local_address.argtypes = [C.c_uint64, C.c_uint32, C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]
    dll.sipdlg_agent_local_address.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_set_tls(sipdlg_agent_t agent, const sipdlg_tls_t *tls);
    dll.sipdlg_agent_set_tls.argtypes = [C.c_uint64, C.POINTER(Tls)]
    dll.sipdlg_agent_set_tls.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_peer_name(sipdlg_agent_t agent, uint64_t link, uint32_t index, char *buffer, size_t
    # capacity, size_t *needed);
    dll.sipdlg_agent_peer_name.argtypes = [
        C.c_uint64,
        C.c_uint64,
        C.c_uint32,
        C.c_char_p,
        C.c_size_t,
        C.POINTER(C.c_size_t),
    ]
    dll.sipdlg_agent_peer_name.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_upgrade_header(sipdlg_agent_t agent, uint64_t link, const char *name, uint32_t index, char
    # *buffer, size_t capacity, size_t *needed);
    dll.sipdlg_agent_upgrade_header.argtypes = [
        C.c_uint64,
        C.c_uint64,
        C.c_char_p,
        C.c_uint32,
        C.c_char_p,
        C.c_size_t,
        C.POINTER(C.c_size_t),
    ]
    dll.sipdlg_agent_upgrade_header.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_run_once(sipdlg_agent_t agent, int32_t timeout_ms);
    dll.sipdlg_agent_run_once.argtypes = [C.c_uint64, C.c_int32]
    dll.sipdlg_agent_run_once.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_start(sipdlg_agent_t agent, uint32_t workers, int32_t deliver);
    dll.sipdlg_agent_start.argtypes = [C.c_uint64, C.c_uint32, C.c_int32]
    dll.sipdlg_agent_start.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_stop(sipdlg_agent_t agent);
    dll.sipdlg_agent_stop.argtypes = [C.c_uint64]
    dll.sipdlg_agent_stop.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_trace(sipdlg_config_t *config, sipdlg_trace_t trace, void *user);
    dll.sipdlg_config_set_trace.argtypes = [C.c_void_p, C.c_void_p, C.c_void_p]
    dll.sipdlg_config_set_trace.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_trace_ring(sipdlg_config_t *config, uint32_t kinds, int32_t level, uint32_t
    # entries, uint32_t bytes);
    dll.sipdlg_config_set_trace_ring.argtypes = [C.c_void_p, C.c_uint32, C.c_int32, C.c_uint32, C.c_uint32]
    dll.sipdlg_config_set_trace_ring.restype = C.c_int32
    # sipdlg_status_t sipdlg_config_set_redact(sipdlg_config_t *config, uint32_t redact);
    dll.sipdlg_config_set_redact.argtypes = [C.c_void_p, C.c_uint32]
    dll.sipdlg_config_set_redact.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_poll_trace(sipdlg_agent_t agent, sipdlg_trace_entry_t *out);
    dll.sipdlg_agent_poll_trace.argtypes = [C.c_uint64, C.POINTER(TraceEntry)]
    dll.sipdlg_agent_poll_trace.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_capture_pcap(sipdlg_agent_t agent, const char *path);
    dll.sipdlg_agent_capture_pcap.argtypes = [C.c_uint64, C.c_char_p]
    dll.sipdlg_agent_capture_pcap.restype = C.c_int32
    # sipdlg_status_t sipdlg_agent_capture_hep(sipdlg_agent_t agent, const char *address, uint32_t capture_id, const char
    # *password);
    dll.sipdlg_agent_capture_hep.argtypes = [C.c_uint64, C.c_char_p, C.c_uint32, C.c_char_p]
    dll.sipdlg_agent_capture_hep.restype = C.c_int32
