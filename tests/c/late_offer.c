/* INVITE without an offer: the 200 brings it, its ACK carries the answer; and what happens when the host forgets it. */
#include "pair.h"

static struct pair pair;
static sipdlg_session_t alice, bob;
static int answer_it, acks_with_body, terminated, reason;
static unsigned flags;

static void on_invite(void *user, const sipdlg_event_t *event)
{
    sipdlg_body_view_t body;
    (void)user;
    CHECK_STATUS(sipdlg_message_session_body(event->message, &body), SIPDLG_NONE);
    CHECK_STATUS(sipdlg_incoming_accept(event->incoming, 200, NULL, NULL), SIPDLG_ERR_STATE); /* RFC 3261 13.2.1: the 2xx has to offer */
    CHECK_OK(pair_accept(event->incoming, &bob));
    CHECK_NUMBER(sipdlg_session_signaling_state(bob), SIPDLG_SIGNALING_HAVE_LOCAL_OFFER);
}

static void on_ack(void *user, const sipdlg_event_t *event)
{
    sipdlg_body_view_t body;
    (void)user;
    if (sipdlg_message_session_body(event->message, &body) != SIPDLG_OK)
        return;
    acks_with_body++;
    CHECK_STR(body.content, OFFER);
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    sipdlg_request_options_t ack = SIPDLG_REQUEST_OPTIONS_INIT;
    (void)user;
    alice = event->session;
    flags = event->flags;
    CHECK_NUMBER(event->signaling_state, SIPDLG_SIGNALING_HAVE_REMOTE_OFFER);
    if (!answer_it)
        return;
    CHECK_STATUS(sipdlg_session_ack(alice, NULL), SIPDLG_ERR_STATE); /* the offer wants an answer */
    pair_body(&ack.body, OFFER);
    CHECK_OK(sipdlg_session_ack(alice, &ack));
    CHECK_STATUS(sipdlg_session_ack(alice, &ack), SIPDLG_ERR_STATE);
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    terminated++;
    if (event->agent == pair.agent[ALICE])
        reason = event->reason;
}

static void call(const sipdlg_delegate_t *client)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    request.delegate = client;
    CHECK_OK(sipdlg_agent_invite(pair.agent[ALICE], BOB_URI ":5060", &request, NULL));
    pair_exchange(&pair);
    CHECK(flags & SIPDLG_EVENT_NEEDS_ACK);
}

int main(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    pair_open(&pair);
    server.on_invite = on_invite;
    server.on_ack = on_ack;
    server.on_terminated = on_terminated;
    client.on_accept = on_accept;
    client.on_terminated = on_terminated;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));

    answer_it = 1;
    call(&client);
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n< 200 INVITE\n> ACK\n");
    CHECK_NUMBER(acks_with_body, 1);
    CHECK_NUMBER(sipdlg_session_signaling_state(alice), SIPDLG_SIGNALING_STABLE);
    CHECK_NUMBER(sipdlg_session_signaling_state(bob), SIPDLG_SIGNALING_STABLE);
    CHECK_OK(sipdlg_session_hangup(bob, 0, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< BYE\n> 200 BYE\n");
    CHECK_NUMBER(terminated, 2);

    /* the host forgets it: the 200 is repeated in vain; ACK, then BYE */
    answer_it = 0;
    call(&client);
    pair_advance(&pair, 40000);
    CHECK_NUMBER(acks_with_body, 1);
    CHECK_NUMBER(terminated, 4);
    CHECK(reason != SIPDLG_REASON_NONE);
    {
        const char *trace = pair_trace(&pair);
        CHECK(strstr(trace, "> ACK\n") != NULL && strstr(trace, "BYE\n") != NULL);
    }
    pair_close(&pair);
    return check_report("late_offer");
}
