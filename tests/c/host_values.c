/* What a host gives for a message and no peer could read is refused before it is sent, and the text says what to do. */
#include "pair.h"

static struct pair pair;
static int rejected, rejected_flags, accepted, terminated;

static const char *last_error(void)
{
    static char text[256];
    CHECK_OK(sipdlg_last_error(text, sizeof text, NULL));
    return text;
}

static sipdlg_status_t invite_with(const char *content_type, const char *header)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    const char *headers[2] = { NULL, NULL };
    headers[0] = header;
    request.headers = headers;
    pair_body(&request.body, OFFER);
    request.body.content_type = content_type;
    return sipdlg_agent_invite(pair.agent[ALICE], BOB_URI, &request, NULL);
}

static void refused_values(void)
{
    static const char *const types[] = { "nonsense", "", "application/", "/sdp", "a b/c", "; charset=utf-8" };
    static const char *const headers[] = { "Contact: garbage <", "Contact:", "m: <sip:a@b>, x", "Contact: <sip:>",
                                           "Max-Forwards: many", "Max-Forwards: 256", "Max-Forwards:" };
    size_t at;
    for (at = 0; at < sizeof types / sizeof *types; at++) {
        if (!CHECK(invite_with(types[at], NULL) == SIPDLG_ERR_SYNTAX))
            printf("    %s\n", types[at]);
        CHECK(strstr(last_error(), "content_type") != NULL);
    }
    for (at = 0; at < sizeof headers / sizeof *headers; at++) {
        if (!CHECK(invite_with(NULL, headers[at]) == SIPDLG_ERR_SYNTAX))
            printf("    %s\n", headers[at]);
        CHECK(strstr(last_error(), headers[at][1] == 'a' ? "Max-Forwards" : "Contact") != NULL);
    }
    CHECK_NUMBER(pair_stats(&pair, ALICE).outgoing, 0);
}

static void good_values(void)
{
    CHECK_OK(invite_with("application/sdp", "Contact: \"A, B\" <sip:a@192.0.2.1>;x=\"1,2\""));
    CHECK_OK(invite_with("Application/SDP ; charset=\"a/b;c\"", "Contact: sip:a@192.0.2.1"));
    CHECK_OK(invite_with(NULL, "Max-Forwards: 7"));
    pair_exchange(&pair);
    CHECK_NUMBER(pair_stats(&pair, BOB).calls_received, 3);
}

static void texts(void)
{
    sipdlg_flow_t flow;
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    memset(&flow, 0, sizeof flow);
    CHECK_STATUS(sipdlg_agent_invite(pair.agent[ALICE], "sips:bob@192.0.2.2", &request, NULL), SIPDLG_ERR_NO_TRANSPORT);
    CHECK(strstr(last_error(), "sipdlg_agent_listen()") != NULL);
    CHECK_STATUS(sipdlg_agent_invite(pair.agent[ALICE], "192.0.2.2:5060", &request, NULL), SIPDLG_ERR_SYNTAX);
    CHECK(strstr(last_error(), "sip:") != NULL);
    CHECK_STATUS(sipdlg_agent_add_transport(pair.agent[ALICE], &flow, NULL), SIPDLG_ERR_ARGUMENT);
    CHECK(strstr(last_error(), "1 (UDP)") != NULL);
    CHECK_STATUS(sipdlg_session_hangup(0, 0, NULL), SIPDLG_ERR_KIND);
    CHECK_CSTR(last_error(), "0 is no token of a session");
    CHECK_STATUS(sipdlg_agent_request(pair.agent[ALICE], "b ad", BOB_URI, NULL, NULL), SIPDLG_ERR_SYNTAX);
    CHECK(strncmp(last_error(), "method:", 7) == 0);
}

/* ---------------------------------------------------------------- what the header says of a CANCEL and of a peer that is gone */

static void on_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    rejected = event->status_code;
    rejected_flags = (int)event->flags;
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    accepted++;
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    terminated++;
    CHECK_OK(sipdlg_session_hangup(event->session, 0, NULL));
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(sipdlg_incoming_progress(event->incoming, 180, NULL, NULL));
}

static int deaf;

static int lost(int from, const char *data, size_t len)
{
    (void)data;
    (void)len;
    return deaf && from == BOB;
}

static void cancelled_without_answer(void)
{
    sipdlg_delegate_t callee = SIPDLG_DELEGATE_INIT, caller = SIPDLG_DELEGATE_INIT;
    sipdlg_outgoing_t outgoing;
    callee.on_invite = on_invite;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &callee));
    caller.on_accept = on_accept;
    caller.on_reject = on_reject;
    caller.on_terminated = on_terminated;
    outgoing = pair_invite(&pair, &caller, NULL, NULL);
    pair_exchange(&pair);
    pair.lost = lost;
    deaf = 1;
    CHECK_OK(sipdlg_outgoing_cancel(outgoing, NULL, NULL));
    pair_advance(&pair, 31000);
    CHECK_NUMBER(rejected, 0);
    pair_advance(&pair, 2000);
    CHECK_NUMBER(rejected, 487);
    CHECK_NUMBER(rejected_flags, SIPDLG_EVENT_LOCAL);
    CHECK_NUMBER(accepted, 0);
    CHECK_NUMBER(terminated, 1);
    deaf = 0;
}

int main(void)
{
    pair_open(&pair);
    refused_values();
    good_values();
    texts();
    cancelled_without_answer();
    pair_close(&pair);
    return check_report("host_values");
}
