/* Reliable provisional responses as callee (RFC 3262): the 183 with the answer, the 200 that waits for its PRACK, 504 without one, 420, 421. */
#include "pair.h"

static struct pair pair;
static sipdlg_incoming_t invite;
static sipdlg_session_t early;
static int acknowledged, rejected, ended_by;

static void on_invite(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t progress = SIPDLG_RESPONSE_OPTIONS_INIT;
    sipdlg_response_options_t plain = SIPDLG_RESPONSE_OPTIONS_INIT;
    static const char *const wrong[] = { "Require: 100rel", "RSeq: 0", NULL };
    (void)user;
    invite = event->incoming;
    progress.flags = 8;
    CHECK_STATUS(sipdlg_incoming_progress(invite, 183, &progress, NULL), SIPDLG_ERR_ARGUMENT);
    progress.flags = SIPDLG_RESPONSE_RELIABLE;
    progress.headers = wrong;
    CHECK_STATUS(sipdlg_incoming_progress(invite, 183, &progress, NULL), SIPDLG_ERR_HEADER);
    progress.headers = NULL;
    pair_body(&progress.body, ANSWER);
    CHECK_OK(sipdlg_incoming_progress(invite, 183, &progress, &early));
    CHECK_NUMBER(sipdlg_session_signaling_state(early), SIPDLG_SIGNALING_STABLE);
    pair_body(&plain.body, ANSWER);
    CHECK_STATUS(sipdlg_incoming_accept(invite, 200, &plain, NULL), SIPDLG_ERR_STATE); /* the answer was given */
    CHECK_OK(sipdlg_incoming_accept(invite, 200, NULL, NULL));
    CHECK_NUMBER(sipdlg_session_state(early), SIPDLG_SESSION_EARLY); /* it waits for the PRACK */
    CHECK_STATUS(sipdlg_incoming_accept(invite, 200, NULL, NULL), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_incoming_reject(invite, 486, NULL), SIPDLG_ERR_STATE);
}

static void on_prack(void *user, const sipdlg_event_t *event)
{
    (void)user;
    acknowledged++;
    CHECK_NUMBER(event->method, SIPDLG_METHOD_PRACK);
    CHECK(event->session == early && event->incoming != 0 && event->incoming != invite);
    CHECK_OK(sipdlg_event_default(event));
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->agent == pair.agent[BOB])
        ended_by = event->reason;
}

static void on_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    rejected = event->status_code;
}

/* Alice calls bob, each with a policy; alice leaves PRACK to a host that sends none where she is manual. */
static void call(int32_t alice_policy, int32_t manual, int32_t bob_policy, const char *const *headers)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_config_t *alice = sipdlg_config_new(), *bob = sipdlg_config_new();
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    acknowledged = rejected = ended_by = 0;
    CHECK_STATUS(sipdlg_config_set_reliable(alice, 3, 0), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_config_set_reliable(alice, SIPDLG_OFF, 2), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_set_reliable(alice, alice_policy, manual));
    CHECK_OK(sipdlg_config_set_reliable(bob, bob_policy, 0));
    pair_open_with(&pair, alice, bob);
    server.on_invite = on_invite;
    server.on_prack = on_prack;
    server.on_terminated = on_terminated;
    client.on_reject = on_reject;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    request.delegate = &client;
    request.headers = headers;
    pair_body(&request.body, OFFER);
    CHECK_OK(sipdlg_agent_invite(pair.agent[ALICE], BOB_URI ":5060", &request, NULL));
    pair_exchange(&pair);
}

int main(void)
{
    static const char *const require[] = { "Require: 100rel", NULL };
    call(SIPDLG_SUPPORTED, 0, SIPDLG_SUPPORTED, NULL);
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n< 183 INVITE\n> PRACK\n< 200 PRACK\n< 200 INVITE\n> ACK\n");
    CHECK_NUMBER(acknowledged, 1);
    CHECK_NUMBER(sipdlg_session_state(early), SIPDLG_SESSION_CONFIRMED);
    CHECK_OK(sipdlg_session_hangup(early, 0, NULL));
    pair_exchange(&pair);
    pair_close(&pair);

    call(SIPDLG_SUPPORTED, 1, SIPDLG_SUPPORTED, NULL); /* nobody acknowledges */
    pair_advance(&pair, 33000);
    CHECK_NUMBER(rejected, 504);
    CHECK_NUMBER(ended_by, SIPDLG_REASON_PRACK_TIMEOUT);
    pair_close(&pair);

    call(SIPDLG_SUPPORTED, 0, SIPDLG_OFF, require);
    CHECK_NUMBER(rejected, 420);
    pair_close(&pair);

    call(SIPDLG_OFF, 0, SIPDLG_REQUIRED, NULL);
    CHECK_NUMBER(rejected, 421);
    pair_close(&pair);
    return check_report("reliable");
}
