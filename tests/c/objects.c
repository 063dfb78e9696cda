/* Delegates and user pointers that are set later, objects that are let go: session, incoming, outgoing. */
#include "pair.h"

static struct pair pair;
static int of_agent, of_request, of_session, accepted, rejected, terminated, released;
static sipdlg_incoming_t call, hold;
static sipdlg_session_t alice, bob;
static void *seen_user;

static void count(int *counter)
{
    ++*counter;
}

static void agents_cancel(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    count(&of_agent);
}

static void requests_cancel(void *user, const sipdlg_event_t *event)
{
    (void)event;
    CHECK(user == &of_request);
    count(&of_request);
}

static void sessions_info(void *user, const sipdlg_event_t *event)
{
    (void)user;
    count(&of_session);
    CHECK_OK(sipdlg_incoming_accept(event->incoming, 200, NULL, NULL));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    seen_user = event->user;
    count(&accepted);
    if (event->method == SIPDLG_METHOD_INVITE)
        alice = event->session;
}

static void on_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    rejected = event->status_code;
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    count(&terminated);
    CHECK_NUMBER(event->reason, SIPDLG_REASON_DISPOSED);
}

static void on_release(void *user)
{
    (void)user;
    released++;
}

static void keep_call(void *user, const sipdlg_event_t *event)
{
    (void)user;
    call = event->incoming;
    CHECK_OK(sipdlg_incoming_progress(call, 180, NULL, &bob));
}

static void keep_hold(void *user, const sipdlg_event_t *event)
{
    (void)user;
    hold = event->incoming;
}

static sipdlg_delegate_t caller(void)
{
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    delegate.on_accept = on_accept;
    delegate.on_reject = on_reject;
    return delegate;
}

static void start(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT;
    pair_open(&pair);
    server.on_invite = keep_call;
    server.on_cancel = agents_cancel;
    server.on_reinvite = keep_hold;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    of_agent = of_request = of_session = accepted = rejected = terminated = released = 0;
}

static sipdlg_outgoing_t ringing(const sipdlg_delegate_t *delegate)
{
    sipdlg_outgoing_t invite = pair_invite(&pair, delegate, NULL, NULL);
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n< 180 INVITE\n");
    return invite;
}

static void answered(void)
{
    CHECK_OK(pair_accept(call, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< 200 INVITE\n> ACK\n");
}

/* ---------------------------------------------------------------- delegates */

static void delegate_of_a_request(void)
{
    sipdlg_delegate_t own = SIPDLG_DELEGATE_INIT, client = caller();
    int removed;
    for (removed = 0; removed < 2; removed++) {
        sipdlg_outgoing_t invite;
        start();
        invite = ringing(&client);
        own.on_cancel = requests_cancel;
        own.user = &of_request;
        CHECK_OK(sipdlg_incoming_set_delegate(call, &own));
        if (removed)
            CHECK_OK(sipdlg_incoming_set_delegate(call, NULL));
        CHECK_OK(sipdlg_outgoing_cancel(invite, NULL, NULL));
        pair_exchange(&pair);
        CHECK_NUMBER(of_request, removed ? 0 : 1);
        CHECK_NUMBER(of_agent, removed ? 1 : 0);
        CHECK_NUMBER(rejected, 487);
        pair_close(&pair);
    }
}

static void delegate_of_a_session(void)
{
    sipdlg_delegate_t own = SIPDLG_DELEGATE_INIT, client = caller();
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    start();
    ringing(&client);
    answered();
    request.delegate = &client;
    own.on_info = sessions_info;
    CHECK_OK(sipdlg_session_set_delegate(bob, &own));
    CHECK_OK(sipdlg_session_info(alice, &request, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(of_session, 1);
    CHECK_CSTR(pair_trace(&pair), "> INFO\n< 200 INFO\n");
    CHECK_OK(sipdlg_session_set_delegate(bob, NULL));
    pair_body(&request.body, "v=0");
    CHECK_OK(sipdlg_session_info(alice, &request, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(of_session, 1);
    CHECK_CSTR(pair_trace(&pair), "> INFO\n< 469 INFO\n");
    CHECK_OK(sipdlg_session_hangup(alice, 0, NULL));
    pair_close(&pair);
}

static void delegate_and_user_of_a_request_of_ours(void)
{
    sipdlg_delegate_t client = caller();
    static int former, later;
    sipdlg_outgoing_t invite;
    start();
    invite = ringing(NULL);
    CHECK_OK(sipdlg_outgoing_set_user(invite, &former, on_release));
    CHECK_OK(sipdlg_outgoing_set_user(invite, &later, on_release));
    pair_exchange(&pair);
    CHECK_NUMBER(released, 1);
    CHECK(sipdlg_outgoing_user(invite) == &later);
    CHECK_OK(sipdlg_outgoing_set_delegate(invite, &client));
    answered();
    CHECK_NUMBER(accepted, 1);
    CHECK(seen_user == &later || seen_user == NULL); /* the session was there before it */
    CHECK_OK(sipdlg_session_hangup(alice, 0, NULL));
    pair_close(&pair);
    CHECK_NUMBER(released, 2);
}

/* ---------------------------------------------------------------- let go */

static void a_request_of_the_peer(void)
{
    sipdlg_delegate_t client = caller();
    start();
    ringing(&client);
    CHECK_OK(sipdlg_incoming_dispose(call)); /* as if no function had been there */
    CHECK_OK(sipdlg_incoming_dispose(call));
    CHECK_STATUS(pair_accept(call, NULL), SIPDLG_ERR_STATE);
    pair_exchange(&pair);
    CHECK_NUMBER(rejected, 486);
    CHECK_STATUS(sipdlg_incoming_dispose(call), SIPDLG_ERR_STALE); /* the ACK came */
    pair_close(&pair);
}

static void a_request_of_ours(void)
{
    sipdlg_delegate_t client = caller();
    sipdlg_outgoing_t invite;
    start();
    invite = ringing(&client);
    CHECK_OK(sipdlg_outgoing_dispose(invite));
    CHECK_OK(pair_accept(call, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< 200 INVITE\n> ACK\n> BYE\n< 200 BYE\n");
    CHECK_NUMBER(accepted, 0);
    pair_close(&pair);
}

static void a_session(void)
{
    sipdlg_delegate_t client = caller();
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_incoming_t pending;
    start();
    client.on_terminated = on_terminated;
    ringing(&client);
    answered();
    CHECK_STATUS(sipdlg_session_reinvite_server(bob, &pending), SIPDLG_NONE);
    pair_body(&request.body, HOLD);
    CHECK_OK(sipdlg_session_invite(alice, &request, NULL));
    pair_exchange(&pair);
    CHECK_OK(sipdlg_session_reinvite_server(bob, &pending));
    CHECK(pending == hold);
    CHECK_OK(pair_accept(hold, NULL));
    CHECK_OK(sipdlg_session_reinvite_server(bob, &pending)); /* until its ACK */
    pair_exchange(&pair);
    CHECK_STATUS(sipdlg_session_reinvite_server(bob, &pending), SIPDLG_NONE);

    pair_trace(&pair);
    CHECK_OK(sipdlg_session_dispose(alice));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "");
    CHECK_NUMBER(terminated, 1);
    CHECK_STATUS(sipdlg_session_state(alice), SIPDLG_ERR_STALE);
    CHECK_OK(sipdlg_session_bye(bob, NULL, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< BYE\n> 481 BYE\n");
    pair_close(&pair);
}

int main(void)
{
    delegate_of_a_request();
    delegate_of_a_session();
    delegate_and_user_of_a_request_of_ours();
    a_request_of_the_peer();
    a_request_of_ours();
    a_session();
    return check_report("objects");
}
