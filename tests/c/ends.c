/* What a host hears at the birth and at the end of a session, in which order; an INVITE at the limit of sessions. */
#include "pair.h"

static struct pair pair;
static sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT;
static sipdlg_delegate_t client = SIPDLG_DELEGATE_INIT;
static sipdlg_incoming_t call;
static sipdlg_session_t alice;
static char heard[256]; /* bob's events: kind, state and whether they name a session */
static int status;

static void on_bob(void *user, const sipdlg_event_t *event)
{
    size_t used = strlen(heard);
    (void)user;
    snprintf(heard + used, sizeof heard - used, "%d:%d%s ", (int)event->kind, (int)event->session_state,
             event->session ? "s" : "");
    if (event->kind == SIPDLG_EVENT_INVITE)
        call = event->incoming;
    if (event->kind == SIPDLG_EVENT_BYE)
        CHECK_OK(sipdlg_incoming_accept(event->incoming, 0, NULL, NULL));
}

static void on_alice(void *user, const sipdlg_event_t *event)
{
    sipdlg_body_view_t body;
    (void)user;
    if (event->session)
        alice = event->session;
    status = event->status_code;
    if (event->kind == SIPDLG_EVENT_ACCEPT && event->method == SIPDLG_METHOD_INVITE) {
        CHECK_OK(sipdlg_message_session_body(event->message, &body));
        CHECK_STR(body.content, ANSWER);
        CHECK_STR(body.disposition, "session");
    }
}

static void open_pair(sipdlg_config_t *bob)
{
    heard[0] = '\0';
    pair_open_with(&pair, NULL, bob);
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
}

/* Alice has called, bob's session is born, and an unreliable 183 has shown the answer. */
static void show(void)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    sipdlg_session_t early, bob;
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    CHECK_OK(sipdlg_session_new(pair.agent[BOB], call, NULL, NULL, &bob));
    pair_exchange(&pair);
    CHECK_CSTR(heard, "1:0 30:0s ");
    pair_body(&response.body, ANSWER);
    CHECK_OK(sipdlg_incoming_progress(call, 183, &response, &early));
    CHECK(early == bob);
    pair_exchange(&pair);
    heard[0] = '\0';
}

/* the peer's BYE to an early dialog, to a confirmed one: BYE, STATE, TERMINATED */
static void the_peers_bye(void)
{
    open_pair(NULL);
    show();
    CHECK_OK(sipdlg_session_bye(alice, NULL, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(heard, "5:4s 30:4s 33:4s ");
    pair_close(&pair);

    open_pair(NULL);
    show();
    CHECK_OK(sipdlg_incoming_accept(call, 0, NULL, NULL)); /* the answer that was shown */
    pair_exchange(&pair);
    heard[0] = '\0';
    CHECK_OK(sipdlg_session_bye(alice, NULL, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(heard, "5:4s 30:4s 33:4s ");
    pair_close(&pair);
}

/* 503 at arrival, of which bob's host hears nothing; the INVITE that it was told of may be accepted */
static void the_limit_of_sessions(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_OK(sipdlg_config_set_limits(config, 0, 1, 0));
    open_pair(config);
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    CHECK_NUMBER(status, 503);
    CHECK_CSTR(heard, "1:0 ");
    CHECK_OK(pair_accept(call, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(status, 200);
    CHECK_OK(sipdlg_session_hangup(alice, 0, NULL));
    pair_close(&pair);
}

int main(void)
{
    server.on_invite = server.on_bye = server.on_state = server.on_terminated = on_bob;
    client.on_progress = client.on_accept = client.on_reject = on_alice;
    the_peers_bye();
    the_limit_of_sessions();
    return check_report("ends");
}
