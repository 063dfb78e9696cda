/* A whole call from C to C in virtual time: the events, the states, the wire, hold, INFO, BYE. */
#include "pair.h"

static struct pair pair;
static sipdlg_session_t alice, bob;
static sipdlg_incoming_t waiting; /* bob's INVITE */
static char seen[1024]; /* kinds of events, a letter for the side and a number */

static void see(const sipdlg_event_t *event)
{
    size_t used = strlen(seen);
    snprintf(seen + used, sizeof seen - used, "%c%d ", event->agent == pair.agent[ALICE] ? 'a' : 'b', (int)event->kind);
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    sipdlg_body_view_t body;
    sipdlg_name_addr_t from;
    CHECK(user == &pair);
    see(event);
    waiting = event->incoming;
    CHECK_NUMBER(event->method, SIPDLG_METHOD_INVITE);
    CHECK_OK(sipdlg_message_session_body(event->message, &body));
    CHECK_STR(body.content, OFFER);
    CHECK_STR(body.content_type, "application/sdp");
    CHECK_STR(body.disposition, "session");
    CHECK_OK(sipdlg_message_name_addr(event->message, "from", 0, &from));
    CHECK_STR(from.uri, ALICE_URI);
    CHECK_STR(from.user, "alice");
    CHECK_STR(from.host, "192.0.2.1");
    CHECK(from.tag.len > 0);
    CHECK_OK(sipdlg_incoming_progress(event->incoming, 0, NULL, &bob));
    CHECK_NUMBER(sipdlg_session_state(bob), SIPDLG_SESSION_EARLY);
    CHECK_NUMBER(sipdlg_session_early(bob), 1);
    CHECK_NUMBER(sipdlg_session_signaling_state(bob), SIPDLG_SIGNALING_HAVE_REMOTE_OFFER);
    CHECK_STATUS(sipdlg_session_bye(bob, NULL, NULL), SIPDLG_ERR_STATE);
}

static void on_any(void *user, const sipdlg_event_t *event)
{
    (void)user;
    see(event);
}

static void on_reinvite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    see(event);
    CHECK(event->session == bob);
    CHECK_OK(pair_accept(event->incoming, NULL));
    CHECK_STATUS(sipdlg_incoming_reject(event->incoming, 500, NULL), SIPDLG_ERR_STATE);
}

static void on_info(void *user, const sipdlg_event_t *event)
{
    sipdlg_body_view_t body;
    (void)user;
    see(event);
    CHECK_STATUS(sipdlg_message_session_body(event->message, &body), SIPDLG_NONE);
    CHECK_OK(sipdlg_message_body(event->message, &body));
    CHECK_STR(body.content, "Signal=5");
    CHECK_STR(body.disposition, "render");
    CHECK_OK(sipdlg_incoming_accept(event->incoming, 0, NULL, NULL));
}

static void on_progress(void *user, const sipdlg_event_t *event)
{
    (void)user;
    see(event);
    CHECK_NUMBER(event->status_code, 180);
    alice = event->session;
    CHECK_NUMBER(sipdlg_session_state(alice), SIPDLG_SESSION_EARLY);
    CHECK_NUMBER(sipdlg_session_signaling_state(alice), SIPDLG_SIGNALING_HAVE_LOCAL_OFFER);
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    see(event);
    CHECK(event->session == alice);
    CHECK_NUMBER(event->status_code, 200);
    CHECK_NUMBER(event->session_state, SIPDLG_SESSION_CONFIRMED);
    CHECK_NUMBER(event->flags & SIPDLG_EVENT_NEEDS_ACK, 0);
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    see(event);
    CHECK_NUMBER(sipdlg_session_state(event->session), SIPDLG_SESSION_TERMINATED);
    CHECK_NUMBER(sipdlg_session_signaling_state(event->session), SIPDLG_SIGNALING_CLOSED);
    CHECK_STATUS(sipdlg_session_info(event->session, NULL, NULL), SIPDLG_ERR_STATE);
    CHECK_NUMBER(event->reason, event->session == alice ? SIPDLG_REASON_LOCAL_HANGUP : SIPDLG_REASON_REMOTE_BYE);
}

typedef sipdlg_status_t text_getter(sipdlg_session_t, char *, size_t, size_t *);

/* The text that both calls give must be the same: one side's local is the other's remote. */
static void same(text_getter *ours, text_getter *theirs)
{
    char a[256] = "", b[256] = "";
    size_t len = 0;
    CHECK_OK(ours(alice, a, sizeof a, &len));
    CHECK_NUMBER(len, strlen(a));
    CHECK_OK(theirs(bob, b, sizeof b, NULL));
    CHECK(len > 0);
    CHECK_CSTR(a, b);
}

static void properties(void)
{
    char text[512], small[4];
    size_t len = 0;
    uint32_t number = 99;
    sipdlg_body_view_t body;
    same(sipdlg_session_call_id, sipdlg_session_call_id);
    same(sipdlg_session_local_tag, sipdlg_session_remote_tag);
    same(sipdlg_session_remote_tag, sipdlg_session_local_tag);
    same(sipdlg_session_remote_uri, sipdlg_session_local_uri);
    same(sipdlg_session_local_uri, sipdlg_session_remote_uri);
    CHECK_OK(sipdlg_session_id(alice, text, sizeof text, &len));
    CHECK_NUMBER(len, strlen(text));
    CHECK_OK(sipdlg_session_route_set(alice, text, sizeof text, &len));
    CHECK_CSTR(text, "");
    CHECK_OK(sipdlg_session_remote_target(alice, text, sizeof text, NULL));
    CHECK(strstr(text, "192.0.2.2") != NULL);
    CHECK_OK(sipdlg_session_state_text(alice, text, sizeof text, &len));
    CHECK(len > 0);
    CHECK_STATUS(sipdlg_session_call_id(alice, small, sizeof small, &len), SIPDLG_ERR_BUFFER);
    CHECK(len > sizeof small && strlen(small) == sizeof small - 1);
    len = 0;
    CHECK_OK(sipdlg_session_call_id(alice, NULL, 0, &len)); /* asks the length */
    CHECK(len > sizeof small);
    CHECK_NUMBER(sipdlg_session_secure(alice), 0);
    CHECK_OK(sipdlg_session_local_sequence_number(alice, &number));
    CHECK_OK(sipdlg_session_remote_sequence_number(bob, &number));
    number = 99;
    CHECK_STATUS(sipdlg_session_remote_sequence_number(alice, &number), SIPDLG_NONE);
    CHECK_NUMBER(number, 99);
    CHECK_OK(sipdlg_session_offer(bob, &body, text, sizeof text, &len));
    CHECK_STR(body.content, OFFER);
    CHECK_OK(sipdlg_session_answer(alice, &body, text, sizeof text, &len));
    CHECK_STR(body.content, ANSWER);
}

static void ring_and_answer(const sipdlg_delegate_t *client)
{
    sipdlg_outgoing_t invite = pair_invite(&pair, client, NULL, NULL);
    sipdlg_session_t session = 0;
    CHECK_NUMBER(sipdlg_outgoing_state(invite), SIPDLG_OUTGOING_CALLING);
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n< 180 INVITE\n");
    CHECK_CSTR(seen, "b1 a21 ");
    CHECK_NUMBER(sipdlg_outgoing_state(invite), SIPDLG_OUTGOING_PROCEEDING);
    CHECK_STATUS(sipdlg_session_invite(alice, NULL, NULL), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_session_info(alice, NULL, NULL), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_session_ack(alice, NULL), SIPDLG_ERR_STATE);

    seen[0] = '\0';
    CHECK_OK(pair_accept(waiting, &session));
    CHECK(session == bob); /* the early session became it */
    CHECK_NUMBER(sipdlg_session_state(bob), SIPDLG_SESSION_ACK_WAIT);
    CHECK_STATUS(sipdlg_session_bye(bob, NULL, NULL), SIPDLG_ERR_STATE);
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< 200 INVITE\n> ACK\n");
    CHECK_CSTR(seen, "a22 b14 ");
    CHECK_NUMBER(sipdlg_session_state(alice), SIPDLG_SESSION_CONFIRMED);
    CHECK_NUMBER(sipdlg_session_state(bob), SIPDLG_SESSION_CONFIRMED);
    CHECK_NUMBER(sipdlg_session_signaling_state(alice), SIPDLG_SIGNALING_STABLE);
    CHECK_NUMBER(sipdlg_session_signaling_state(bob), SIPDLG_SIGNALING_STABLE);
    CHECK_NUMBER(sipdlg_session_early(alice), 0);
}

static void hold(const sipdlg_delegate_t *client)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_outgoing_t reinvite = 0, pending = 0;
    seen[0] = '\0';
    pair_body(&request.body, HOLD);
    request.delegate = client;
    CHECK_STATUS(sipdlg_session_reinvite_client(alice, &pending), SIPDLG_NONE);
    CHECK_OK(sipdlg_session_invite(alice, &request, &reinvite));
    CHECK_OK(sipdlg_session_reinvite_client(alice, &pending));
    CHECK(pending == reinvite);
    CHECK_NUMBER(sipdlg_session_signaling_state(alice), SIPDLG_SIGNALING_HAVE_LOCAL_OFFER);
    CHECK_STATUS(sipdlg_session_invite(alice, &request, NULL), SIPDLG_ERR_STATE);
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n< 200 INVITE\n> ACK\n");
    CHECK_CSTR(seen, "b2 a22 b14 ");
    CHECK_NUMBER(sipdlg_session_signaling_state(alice), SIPDLG_SIGNALING_STABLE);
    CHECK_STATUS(sipdlg_session_reinvite_client(alice, &pending), SIPDLG_NONE);
}

static void digit(const sipdlg_delegate_t *client)
{
    static const char *const headers[] = { "X-Test: yes", NULL };
    static const char *const forbidden[] = { "CSeq: 9 INFO", NULL };
    static const char *const broken[] = { "X-Test: a\r\nVia: b", NULL };
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    seen[0] = '\0';
    pair_body(&request.body, "Signal=5");
    request.body.content_type = "application/dtmf-relay";
    request.delegate = client;
    request.headers = forbidden;
    CHECK_STATUS(sipdlg_session_info(alice, &request, NULL), SIPDLG_ERR_HEADER);
    request.headers = broken;
    CHECK_STATUS(sipdlg_session_info(alice, &request, NULL), SIPDLG_ERR_SYNTAX);
    request.headers = headers;
    CHECK_OK(sipdlg_session_info(alice, &request, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> INFO\n< 200 INFO\n");
    CHECK_CSTR(seen, "b6 a22 ");
}

int main(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    sipdlg_session_t session = 0;
    sipdlg_stats_t stats;

    pair_open(&pair);
    server.user = &pair;
    server.on_invite = on_invite;
    server.on_reinvite = on_reinvite;
    server.on_info = on_info;
    server.on_ack = on_any;
    server.on_terminated = on_terminated;
    client.on_progress = on_progress;
    client.on_accept = on_accept;
    client.on_terminated = on_terminated;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));

    ring_and_answer(&client);
    properties();
    hold(&client);
    digit(&client);
    CHECK_OK(sipdlg_agent_next_session(pair.agent[BOB], 0, &session));
    CHECK(session == bob);
    CHECK_STATUS(sipdlg_agent_next_session(pair.agent[BOB], session, &session), SIPDLG_NONE);

    seen[0] = '\0';
    CHECK_OK(sipdlg_session_bye(alice, NULL, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> BYE\n< 200 BYE\n");
    CHECK(strstr(seen, "a33 ") != NULL && strstr(seen, "b33 ") != NULL);
    CHECK_STATUS(sipdlg_session_hangup(alice, 0, NULL), SIPDLG_ERR_STALE);
    CHECK_STATUS(sipdlg_session_state(bob), SIPDLG_ERR_STALE);
    CHECK_STATUS(sipdlg_agent_next_session(pair.agent[BOB], 0, &session), SIPDLG_NONE);

    stats = pair_stats(&pair, BOB);
    CHECK_NUMBER(stats.calls_received, 1);
    CHECK_NUMBER(stats.calls_confirmed, 1);
    CHECK_NUMBER(stats.messages_received, 6);
    CHECK_NUMBER(stats.messages_sent, 5);
    pair_close(&pair);
    return check_report("call");
}
