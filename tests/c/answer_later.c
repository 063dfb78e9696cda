/* A request is answered outside its callback, minutes later, by its token; or not at all. */
#include "pair.h"

static struct pair pair;
static sipdlg_incoming_t waiting;
static int cancelled, rejected, confirmed, terminated, infos;

static void on_request(void *user, const sipdlg_event_t *event)
{
    (void)user;
    waiting = event->incoming;
}

static void on_cancel(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK(event->incoming == waiting);
    cancelled++;
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->method == SIPDLG_METHOD_INVITE)
        confirmed++;
}

static void on_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    rejected = event->status_code;
    if (event->method == SIPDLG_METHOD_INFO)
        infos++;
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    terminated++;
}

static sipdlg_outgoing_t call(const sipdlg_delegate_t *client)
{
    sipdlg_outgoing_t invite;
    waiting = 0;
    cancelled = rejected = confirmed = terminated = 0;
    invite = pair_invite(&pair, client, NULL, NULL);
    pair_exchange(&pair);
    CHECK(waiting != 0);
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n");
    return invite;
}

int main(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_session_t session = 0, alice = 0;
    sipdlg_outgoing_t invite;
    const sipdlg_message_t *message;
    uint64_t delay = 0;

    pair_open(&pair);
    server.on_invite = server.on_info = on_request;
    server.on_cancel = on_cancel;
    server.on_terminated = on_terminated;
    client.on_accept = on_accept;
    client.on_reject = on_reject;
    client.on_terminated = on_terminated;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));

    /* accepted after ten seconds; a 100 goes out by itself at 200 ms and stops the retransmissions (RFC 3261 section 17.2.1) */
    call(&client);
    CHECK_STATUS(sipdlg_incoming_session(waiting, &session), SIPDLG_NONE);
    CHECK_OK(sipdlg_agent_next_timeout(pair.agent[BOB], &delay));
    CHECK_NUMBER(delay, 200000);
    pair_advance(&pair, 199);
    CHECK_CSTR(pair_trace(&pair), "");
    pair_advance(&pair, 1);
    CHECK_CSTR(pair_trace(&pair), "< 100 INVITE\n");
    pair_advance(&pair, 10000);
    CHECK_CSTR(pair_trace(&pair), "");
    CHECK_OK(sipdlg_incoming_message(waiting, &message));
    CHECK_NUMBER(sipdlg_message_status_code(message), 0);
    sipdlg_message_release(message);
    CHECK_OK(pair_accept(waiting, &session));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< 200 INVITE\n> ACK\n");
    CHECK_NUMBER(confirmed, 1);
    CHECK_NUMBER(sipdlg_session_state(session), SIPDLG_SESSION_CONFIRMED);
    CHECK_STATUS(pair_accept(waiting, NULL), SIPDLG_ERR_STALE);

    /* an INFO that nobody answers gets its default after half of 64*T1 */
    CHECK_OK(sipdlg_agent_next_session(pair.agent[ALICE], 0, &alice));
    request.delegate = &client;
    pair_body(&request.body, "v=0");
    CHECK_OK(sipdlg_session_info(alice, &request, NULL));
    pair_advance(&pair, 15990);
    CHECK_NUMBER(infos, 0);
    pair_advance(&pair, 20);
    CHECK_NUMBER(infos, 1);
    CHECK_NUMBER(rejected, 469);
    CHECK_OK(sipdlg_session_hangup(session, 0, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(terminated, 2);
    pair_trace(&pair);

    /* nobody answers the INVITE: 480 after three minutes, after a 1xx each minute (RFC 3261 section 13.3.1.1) */
    call(&client);
    pair_advance(&pair, 179990);
    CHECK_NUMBER(rejected, 0);
    pair_advance(&pair, 20);
    CHECK_NUMBER(rejected, 480);
    pair_trace(&pair);

    /* its Expires passes */
    request.expires_ms = 5000;
    pair_body(&request.body, OFFER);
    rejected = 0;
    CHECK_OK(sipdlg_agent_invite(pair.agent[ALICE], BOB_URI ":5060", &request, NULL));
    pair_advance(&pair, 6000);
    CHECK_NUMBER(rejected, 487);
    pair_trace(&pair);

    /* cancelled before any 18x */
    invite = call(&client);
    pair_advance(&pair, 300);
    CHECK_OK(sipdlg_outgoing_cancel(invite, NULL, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< 100 INVITE\n> CANCEL\n< 200 CANCEL\n< 487 INVITE\n> ACK\n");
    CHECK_NUMBER(cancelled, 1);
    CHECK_NUMBER(rejected, 487);
    CHECK(pair_accept(waiting, NULL) < 0);

    /* cancelled before anything came back: CANCEL waits for the first 1xx (section 9.1) */
    invite = call(&client);
    CHECK_OK(sipdlg_outgoing_cancel(invite, NULL, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "");
    pair_advance(&pair, 200);
    CHECK_CSTR(pair_trace(&pair), "< 100 INVITE\n> CANCEL\n< 200 CANCEL\n< 487 INVITE\n> ACK\n");
    CHECK_NUMBER(rejected, 487);

    /* rejected and redirected later */
    call(&client);
    pair_advance(&pair, 5000);
    CHECK_STATUS(sipdlg_incoming_reject(waiting, 200, NULL), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_incoming_reject(waiting, 486, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(rejected, 486);
    pair_close(&pair);
    return check_report("answer_later");
}
