/* What a host must not do: a status and a sentence that names the argument or the section; nothing sent, nothing changed. */
#include "pair.h"

static struct pair pair;
static sipdlg_incoming_t call;
static sipdlg_session_t alice, bob;
static char long_text[70000];

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    call = event->incoming;
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->method == SIPDLG_METHOD_INVITE)
        alice = event->session;
}

/* The status, and a last error that has `named` in it. */
static void refused(sipdlg_status_t seen, sipdlg_status_t wanted, const char *named, int line)
{
    char detail[256] = "";
    sipdlg_last_error(detail, sizeof detail, NULL);
    if (seen != wanted || strstr(detail, named) == NULL) {
        checks_wrong++;
        printf("bad_input.c:%d: saw %s, \"%s\"; wanted %s, \"%s\"\n", line, sipdlg_status_text(seen), detail,
               sipdlg_status_text(wanted), named);
    }
    checks_done++;
}
#define REFUSED(call, wanted, named) refused((call), (wanted), (named), __LINE__)

static void state_of(sipdlg_session_t session, char *text, size_t size)
{
    size_t needed;
    CHECK_OK(sipdlg_session_state_text(session, text, size, &needed));
}

typedef sipdlg_status_t request(sipdlg_session_t, const sipdlg_request_options_t *, sipdlg_outgoing_t *);

static sipdlg_status_t with_header(request *send, const char *line)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    const char *headers[2];
    headers[0] = line;
    headers[1] = NULL;
    options.headers = headers;
    return send(alice, &options, NULL);
}

static sipdlg_status_t with_twice(request *send, const char *line)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    const char *headers[3];
    headers[0] = line;
    headers[1] = line;
    headers[2] = NULL;
    options.headers = headers;
    return send(alice, &options, NULL);
}

static sipdlg_status_t with_body(request *send, size_t len, const char *type)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    options.body.data = long_text;
    options.body.len = len;
    options.body.content_type = type;
    return send(alice, &options, NULL);
}

static void bad_requests(void)
{
    request *const requests[] = { sipdlg_session_bye, sipdlg_session_invite, sipdlg_session_update, sipdlg_session_info,
                                  sipdlg_session_message, sipdlg_session_options };
    char before[1024], after[1024];
    size_t i;
    state_of(alice, before, sizeof before);
    pair_trace(&pair);
    for (i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
        REFUSED(with_header(requests[i], "X-A: 1\r\nX-B: 2"), SIPDLG_ERR_SYNTAX, "CR, LF");
        REFUSED(with_header(requests[i], "X-A"), SIPDLG_ERR_SYNTAX, "header");
        REFUSED(with_header(requests[i], "Via: SIP/2.0/UDP h"), SIPDLG_ERR_HEADER, "Via");
        REFUSED(with_header(requests[i], "Route: <sip:p;lr>"), SIPDLG_ERR_HEADER, "Route");
        REFUSED(with_twice(requests[i], "Max-Forwards: 10"), SIPDLG_ERR_HEADER, "Max-Forwards: stands once");
        REFUSED(with_twice(requests[i], "User-Agent: a"), SIPDLG_ERR_HEADER, "User-Agent: stands once");
        REFUSED(with_body(requests[i], 70000, "text/plain"), SIPDLG_ERR_LIMIT, "65535");
        REFUSED(with_body(requests[i], 5, "text"), SIPDLG_ERR_SYNTAX, "content_type");
        REFUSED(with_body(requests[i], 5, "text/plain\r\nX: y"), SIPDLG_ERR_SYNTAX, "content_type");
        options.flags = 0x80000000u;
        REFUSED(requests[i](alice, &options, NULL), SIPDLG_ERR_ARGUMENT, "flags");
        options.flags = 0;
        options.body.len = 1;
        REFUSED(requests[i](alice, &options, NULL), SIPDLG_ERR_ARGUMENT, "body.data");
        options.size = 3;
        REFUSED(requests[i](alice, &options, NULL), SIPDLG_ERR_STRUCT, "size");
        REFUSED(requests[i](0, NULL, NULL), SIPDLG_ERR_KIND, "session");
        REFUSED(requests[i](pair.agent[ALICE], NULL, NULL), SIPDLG_ERR_KIND, "session");
    }
    {
        sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
        options.body.data = long_text;
        options.body.len = sizeof long_text;
        options.body.content_type = "text/plain";
        REFUSED(sipdlg_session_hangup(alice, 0, &options), SIPDLG_ERR_LIMIT, "65535");
        REFUSED(sipdlg_session_hangup(alice, 700, NULL), SIPDLG_ERR_ARGUMENT, "status_code");
        REFUSED(sipdlg_session_hangup(alice, -1, NULL), SIPDLG_ERR_ARGUMENT, "status_code");
        REFUSED(sipdlg_session_ack(alice, NULL), SIPDLG_ERR_STATE, "13.2.2.4");
    }
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "");
    state_of(alice, after, sizeof after);
    CHECK_CSTR(after, before);
}

static void bad_answers(void)
{
    sipdlg_response_options_t options = SIPDLG_RESPONSE_OPTIONS_INIT;
    const char *headers[] = { "X-A: 1\nX-B: 2", NULL };
    pair_trace(&pair);
    options.headers = headers;
    pair_body(&options.body, ANSWER);
    REFUSED(sipdlg_incoming_progress(call, 180, &options, NULL), SIPDLG_ERR_SYNTAX, "CR, LF");
    REFUSED(sipdlg_incoming_accept(call, 0, &options, NULL), SIPDLG_ERR_SYNTAX, "CR, LF");
    REFUSED(sipdlg_incoming_reject(call, 486, &options), SIPDLG_ERR_SYNTAX, "CR, LF");
    options.headers = NULL;
    REFUSED(sipdlg_incoming_progress(call, 200, &options, NULL), SIPDLG_ERR_ARGUMENT, "status_code");
    REFUSED(sipdlg_incoming_accept(call, 180, &options, NULL), SIPDLG_ERR_ARGUMENT, "status_code");
    REFUSED(sipdlg_incoming_reject(call, 200, &options), SIPDLG_ERR_ARGUMENT, "status_code");
    REFUSED(sipdlg_incoming_accept(call, 0, NULL, NULL), SIPDLG_ERR_STATE, "13.3.1.4");
    options.body.data = long_text;
    options.body.len = sizeof long_text;
    REFUSED(sipdlg_incoming_progress(call, 183, &options, NULL), SIPDLG_ERR_LIMIT, "65535");
    REFUSED(sipdlg_incoming_accept(call, 0, &options, NULL), SIPDLG_ERR_LIMIT, "65535");
    REFUSED(sipdlg_incoming_reject(call, 486, &options), SIPDLG_ERR_LIMIT, "65535");
    options.flags = 4;
    REFUSED(sipdlg_incoming_accept(call, 0, &options, NULL), SIPDLG_ERR_ARGUMENT, "flags");
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "");
    CHECK_NUMBER(pair_stats(&pair, BOB).sessions, 0); /* no call was half made */
}

static void bad_settings(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    REFUSED(sipdlg_config_set_limits(config, 100, 0, 0), SIPDLG_ERR_ARGUMENT, "message_bytes");
    REFUSED(sipdlg_config_set_limits(config, 0xffffffffu, 0, 0), SIPDLG_ERR_ARGUMENT, "message_bytes");
    REFUSED(sipdlg_config_set_limits(config, 0, 0xffffffffu, 0), SIPDLG_ERR_ARGUMENT, "sessions");
    REFUSED(sipdlg_config_set_limits(config, 0, 0, 0xffffffffu), SIPDLG_ERR_ARGUMENT, "transactions");
    CHECK_OK(sipdlg_config_set_limits(config, 0, 0, 0));
    REFUSED(sipdlg_config_set_memory(config, 65535, 0), SIPDLG_ERR_ARGUMENT, "total_bytes");
    REFUSED(sipdlg_config_set_memory(config, 0, 1), SIPDLG_ERR_ARGUMENT, "per_address_bytes");
    CHECK_OK(sipdlg_config_set_memory(config, UINT64_MAX, 65536));
    CHECK_OK(sipdlg_config_set_memory(config, 0, 0));
    REFUSED(sipdlg_config_set_admission(config, 4194304, 0, 0, 0), SIPDLG_ERR_ARGUMENT, "calls");
    REFUSED(sipdlg_config_set_admission(config, 0, 4194304, 0, 0), SIPDLG_ERR_ARGUMENT, "unanswered");
    REFUSED(sipdlg_config_set_admission(config, 0, 0, 1000001, 0), SIPDLG_ERR_ARGUMENT, "address_requests");
    REFUSED(sipdlg_config_set_admission(config, 0, 0, 1, 1000001), SIPDLG_ERR_ARGUMENT, "address_burst");
    REFUSED(sipdlg_config_set_admission(config, 0, 0, 0, 1), SIPDLG_ERR_ARGUMENT, "address_burst");
    CHECK_OK(sipdlg_config_set_admission(config, 1, 1, 1, 1));
    CHECK_OK(sipdlg_config_set_admission(config, 0, 0, 0, 0));
    CHECK_OK(sipdlg_config_set_limits(config, 1300, 1, 1));
    sipdlg_config_free(config);
}

int main(void)
{
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    memset(long_text, 'x', sizeof long_text);
    pair_open(&pair);
    delegate.on_invite = on_invite;
    delegate.on_accept = on_accept;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &delegate));
    bad_settings();
    REFUSED(sipdlg_agent_invite(pair.agent[ALICE], NULL, NULL, NULL), SIPDLG_ERR_ARGUMENT, "target");
    REFUSED(sipdlg_agent_invite(pair.agent[ALICE], "sip:bob@192.0.2.2\r\nX: y", NULL, NULL), SIPDLG_ERR_SYNTAX, "");
    pair_invite(&pair, &delegate, NULL, NULL);
    pair_exchange(&pair);
    bad_answers();
    CHECK_OK(pair_accept(call, &bob));
    pair_exchange(&pair);
    bad_requests();
    CHECK_OK(sipdlg_session_bye(alice, NULL, NULL));
    REFUSED(sipdlg_session_info(alice, NULL, NULL), SIPDLG_ERR_STATE, "over");
    pair_close(&pair);
    REFUSED(sipdlg_session_info(alice, NULL, NULL), SIPDLG_ERR_STALE, "ended");
    return check_report("bad_input");
}
