/* UPDATE both ways, early and confirmed; what is refused; and a newer wish that takes over the wait of the former. */
#include "pair.h"

#define LATER "v=0\r\no=- 1 4 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

static struct pair pair;
static sipdlg_session_t alice, bob;
static sipdlg_incoming_t waiting, update;
static int early, retries, rejected;
static uint32_t reject_flags;

static void on_invite(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t options = SIPDLG_RESPONSE_OPTIONS_INIT;
    (void)user;
    waiting = event->incoming;
    options.flags = SIPDLG_RESPONSE_RELIABLE;
    pair_body(&options.body, ANSWER);
    CHECK_OK(sipdlg_incoming_progress(waiting, 183, &options, &bob));
}

static void on_update(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t options = SIPDLG_RESPONSE_OPTIONS_INIT;
    (void)user;
    CHECK_NUMBER(event->kind, SIPDLG_EVENT_UPDATE);
    CHECK_NUMBER(event->method, SIPDLG_METHOD_UPDATE);
    CHECK_NUMBER(event->signaling_state, SIPDLG_SIGNALING_HAVE_REMOTE_OFFER);
    update = event->incoming;
    CHECK_STATUS(sipdlg_incoming_accept(update, 0, NULL, NULL), SIPDLG_ERR_STATE);
    pair_body(&options.body, ANSWER);
    CHECK_OK(sipdlg_incoming_accept(update, 0, &options, NULL));
}

static void on_fate(void *user, const sipdlg_event_t *event)
{
    (void)user;
    switch (event->kind) {
    case SIPDLG_EVENT_PROGRESS:
        early++;
        alice = event->session;
        break;
    case SIPDLG_EVENT_GLARE_RETRY:
        retries++;
        break;
    case SIPDLG_EVENT_REJECT:
        rejected++;
        reject_flags = event->flags;
        CHECK(event->message != NULL);
        CHECK_NUMBER(event->status_code, 491);
        break;
    default:
        if (event->agent == pair.agent[ALICE])
            alice = event->session;
    }
}

static const sipdlg_delegate_t *fate(void)
{
    static sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    delegate.on_progress = delegate.on_accept = delegate.on_reject = delegate.on_glare_retry = on_fate;
    return &delegate;
}

static void send(sipdlg_session_t session, const char *offer, sipdlg_outgoing_t *out)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    if (offer)
        pair_body(&options.body, offer);
    options.delegate = fate();
    CHECK_OK(sipdlg_session_update(session, &options, out));
}

static void in_an_early_dialog(void)
{
    sipdlg_outgoing_t ours = 0;
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    pair_trace(&pair);
    pair_invite(&pair, fate(), NULL, NULL);
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n< 183 INVITE\n> PRACK\n< 200 PRACK\n");
    CHECK_NUMBER(early, 1);
    pair_body(&options.body, HOLD);
    send(alice, HOLD, &ours);
    CHECK_STATUS(sipdlg_session_update(alice, &options, NULL), SIPDLG_ERR_STATE); /* ours is open */
    CHECK_STATUS(sipdlg_outgoing_cancel(ours, NULL, NULL), SIPDLG_ERR_STATE); /* it does not wait */
    CHECK_STATUS(sipdlg_outgoing_retry(ours, &options.body), SIPDLG_ERR_STATE);
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> UPDATE\n< 200 UPDATE\n");
    send(bob, LATER, NULL);
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< UPDATE\n> 200 UPDATE\n");
    send(alice, NULL, NULL); /* nobody hears of this one but the default */
}

/* RFC 6141 section 3.3: what was exchanged inside a re-INVITE cannot be refused any more. */
static void what_was_executed(void)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_delegate_t agent = SIPDLG_DELEGATE_INIT;
    agent.on_reinvite = on_invite;
    CHECK_OK(sipdlg_session_set_delegate(bob, &agent));
    pair_body(&request.body, HOLD);
    request.delegate = fate();
    CHECK_OK(sipdlg_session_invite(alice, &request, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n< 183 INVITE\n> PRACK\n< 200 PRACK\n");
    CHECK_STATUS(sipdlg_incoming_reject(waiting, 488, NULL), SIPDLG_ERR_STATE);
    CHECK_OK(sipdlg_incoming_accept(waiting, 0, NULL, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< 200 INVITE\n> ACK\n");
    CHECK_OK(sipdlg_session_set_delegate(bob, NULL));
}

static void in_a_call(void)
{
    CHECK_OK(sipdlg_incoming_accept(waiting, 0, NULL, NULL));
    CHECK_STATUS(sipdlg_session_update(bob, NULL, NULL), SIPDLG_ERR_STATE); /* its 2xx waits for the ACK */
    pair_exchange(&pair);
    send(bob, HOLD, NULL);
    pair_exchange(&pair);
    CHECK_NUMBER(sipdlg_session_signaling_state(alice), SIPDLG_SIGNALING_STABLE);
    CHECK_NUMBER(sipdlg_session_signaling_state(bob), SIPDLG_SIGNALING_STABLE);
    pair_trace(&pair);
}

static void a_newer_wish_waits_instead(void)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_outgoing_t former = 0, newer = 0;
    send(alice, HOLD, &former);
    send(bob, HOLD, NULL);
    pair_exchange(&pair);
    CHECK_NUMBER(retries, 2);
    options.flags = SIPDLG_REQUEST_NO_RETRY;
    CHECK_STATUS(sipdlg_session_update(alice, &options, NULL), SIPDLG_ERR_STATE);
    send(alice, LATER, &newer);
    pair_exchange(&pair);
    CHECK_NUMBER(rejected, 1);
    CHECK(reject_flags & SIPDLG_EVENT_LOCAL);
    CHECK_NUMBER(retries, 3);
    CHECK_NUMBER(sipdlg_outgoing_state(newer), SIPDLG_OUTGOING_WAITING_RETRY);
    CHECK_STATUS(sipdlg_outgoing_state(former), SIPDLG_ERR_STALE);
    pair_body(&options.body, HOLD);
    CHECK_OK(sipdlg_outgoing_retry(newer, &options.body));
    CHECK_OK(sipdlg_outgoing_cancel(newer, NULL, NULL)); /* to the peer it never was */
    pair_advance(&pair, 5000);
    CHECK_NUMBER(rejected, 2);
}

int main(void)
{
    sipdlg_delegate_t agent = SIPDLG_DELEGATE_INIT;
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_OK(sipdlg_config_set_resync(config, 1));
    CHECK_STATUS(sipdlg_config_set_resync(config, 2), SIPDLG_ERR_ARGUMENT);
    agent.on_resync = on_fate; /* never here: a callee of ours cannot refuse then */
    pair_open_with(&pair, config, NULL);
    agent.on_invite = on_invite;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &agent));
    agent.on_update = on_update;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[ALICE], &agent));
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &agent));
    in_an_early_dialog();
    agent.on_update = NULL;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &agent));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> UPDATE\n< 200 UPDATE\n");
    agent.on_update = on_update;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &agent));
    in_a_call();
    what_was_executed();
    a_newer_wish_waits_instead();
    CHECK_OK(sipdlg_session_hangup(alice, 0, NULL));
    pair_close(&pair);
    return check_report("update");
}
