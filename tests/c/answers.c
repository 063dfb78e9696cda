/* The rest of the answers: 100, 3xx, one without a transaction; OPTIONS in a dialog; a way that is gone, another way. */
#include "pair.h"

static struct pair pair;
static int status, flags, other_way;
static sipdlg_session_t alice;
static sipdlg_incoming_t call;
static char contact[128];

static void keep_call(void *user, const sipdlg_event_t *event)
{
    (void)user;
    call = event->incoming;
}

static void without_transaction(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t options = SIPDLG_RESPONSE_OPTIONS_INIT;
    static const char *const lines[] = { "Retry-After: 7", NULL };
    const sipdlg_message_t *parsed;
    sipdlg_str_t bytes;
    (void)user;
    options.headers = lines;
    CHECK_STATUS(sipdlg_agent_reply_stateless(pair.agent[BOB], event->message, 99, &options), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_agent_reply_stateless(pair.agent[BOB], event->message, 503, &options));
    CHECK_OK(sipdlg_message_bytes(event->message, &bytes));
    CHECK_OK(sipdlg_message_parse(bytes.data, bytes.len, &parsed));
    CHECK(sipdlg_agent_reply_stateless(pair.agent[BOB], parsed, 503, NULL) < 0); /* was not received: it has no way back */
    sipdlg_message_release(parsed);
}

static void on_progress(void *user, const sipdlg_event_t *event)
{
    (void)user;
    alice = event->session;
    if (other_way)
        CHECK_OK(sipdlg_session_set_flow(alice, &pair.flow[ALICE]));
}

static void on_final(void *user, const sipdlg_event_t *event)
{
    sipdlg_name_addr_t address;
    (void)user;
    status = event->status_code;
    flags = (int)event->flags;
    if (event->session != 0)
        alice = event->session;
    if (event->kind == SIPDLG_EVENT_REDIRECT && CHECK(sipdlg_message_name_addr(event->message, "Contact", 1, &address) == SIPDLG_OK))
        snprintf(contact, sizeof contact, "%.*s %.*s", (int)address.display_name.len, address.display_name.data, (int)address.uri.len,
                 address.uri.data);
}

static sipdlg_delegate_t caller(void)
{
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    delegate.on_progress = on_progress;
    delegate.on_accept = delegate.on_redirect = delegate.on_reject = on_final;
    return delegate;
}

static void start(sipdlg_config_t *bob)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT;
    pair_open_with(&pair, NULL, bob);
    server.on_invite = keep_call;
    server.on_options = without_transaction;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    status = flags = other_way = 0;
}

static void trying_and_redirect(void)
{
    static const char *const contacts[] = { "sip:carol@192.0.2.3", "\"Dan\" <sip:dan@192.0.2.4>", NULL };
    static const char *const wrong[] = { "nobody", NULL };
    sipdlg_delegate_t client = caller();
    start(NULL);
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    CHECK_OK(sipdlg_incoming_trying(call, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n< 100 INVITE\n");
    CHECK_STATUS(sipdlg_incoming_redirect(call, 0, wrong, NULL), SIPDLG_ERR_SYNTAX);
    CHECK_STATUS(sipdlg_incoming_redirect(call, 404, contacts, NULL), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_incoming_redirect(call, 0, contacts, NULL));
    CHECK_STATUS(sipdlg_incoming_trying(call, NULL), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_incoming_redirect(call, 0, contacts, NULL), SIPDLG_ERR_STATE);
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< 302 INVITE\n> ACK\n");
    CHECK_NUMBER(status, 302);
    CHECK_CSTR(contact, "Dan sip:dan@192.0.2.4");
    pair_close(&pair);
}

static void stateless(void)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_delegate_t client = caller();
    start(NULL);
    request.delegate = &client;
    CHECK_OK(sipdlg_agent_request(pair.agent[ALICE], "OPTIONS", BOB_URI ":5060", &request, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> OPTIONS\n< 503 OPTIONS\n");
    CHECK_NUMBER(status, 503);
    pair_close(&pair);
}

/* bob's Contact is where nobody is; alice's host knows better (RFC 5626). */
static void another_way(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_delegate_t client = caller();
    CHECK_OK(sipdlg_config_set_contact(config, "<sip:bob@192.0.2.99:5060>"));
    start(config);
    other_way = 1;
    pair.flow[ALICE].remote = pair.flow[BOB].local;
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    CHECK_OK(sipdlg_incoming_progress(call, 180, NULL, NULL));
    pair_exchange(&pair);
    CHECK_OK(pair_accept(call, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(status, 200);
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n< 180 INVITE\n< 200 INVITE\n> ACK\n");
    CHECK_OK(sipdlg_session_hangup(alice, 0, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> BYE\n< 200 BYE\n");
    pair_close(&pair);
}

static int lose_all(int from, const char *data, size_t len)
{
    (void)from;
    (void)data;
    (void)len;
    return 1;
}

static void a_way_that_is_gone(void)
{
    sipdlg_delegate_t client = caller();
    start(NULL);
    pair.lost = lose_all;
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    CHECK_STATUS(sipdlg_agent_link_closed(pair.agent[ALICE], 77), SIPDLG_NONE);
    pair_exchange(&pair);
    CHECK_NUMBER(status, 0);
    CHECK_OK(sipdlg_agent_link_closed(pair.agent[ALICE], pair.flow[ALICE].link));
    pair_exchange(&pair);
    CHECK_NUMBER(status, 503);
    CHECK_NUMBER(flags & SIPDLG_EVENT_LOCAL, SIPDLG_EVENT_LOCAL);
    CHECK_STATUS(sipdlg_agent_invite(pair.agent[ALICE], BOB_URI, NULL, NULL), SIPDLG_ERR_NO_TRANSPORT);
    pair_close(&pair);
}

int main(void)
{
    trying_and_redirect();
    stateless();
    another_way();
    a_way_that_is_gone();
    return check_report("answers");
}
