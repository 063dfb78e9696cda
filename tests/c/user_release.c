/* User pointers are shared and counted: the release function runs exactly once, when the last holder has let go, and never when
 * the call that passed it failed. */
#include "pair.h"

struct owned { int released; };

static struct pair pair;
static struct owned bobs, bobs_later, for_info;
static sipdlg_session_t alice, bob;

static void release(void *user)
{
    ((struct owned *)user)->released++;
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK(event->user == NULL);
    CHECK_OK(sipdlg_incoming_set_user(event->incoming, &bobs, release));
    CHECK(sipdlg_incoming_user(event->incoming) == &bobs);
    CHECK_OK(pair_accept(event->incoming, &bob));
    CHECK(sipdlg_session_user(bob) == &bobs); /* a session starts with that of its INVITE */
}

static void on_info(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK(event->user == sipdlg_session_user(event->session));
    CHECK_OK(sipdlg_incoming_accept(event->incoming, 0, NULL, NULL));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->method == SIPDLG_METHOD_INVITE) {
        alice = event->session;
        CHECK(event->user == sipdlg_session_user(alice));
    } else {
        CHECK(event->user == &for_info);
        CHECK_NUMBER(for_info.released, 0);
    }
}

int main(void)
{
    struct owned alices = { 0 }, never = { 0 }, agents = { 0 }, agents_later = { 0 };
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_outgoing_t invite;

    pair_open(&pair);
    server.on_invite = on_invite;
    server.on_info = on_info;
    client.on_accept = on_accept;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));

    /* of the agent */
    CHECK(sipdlg_agent_user(pair.agent[BOB]) == NULL);
    CHECK_OK(sipdlg_agent_set_user(pair.agent[BOB], &agents, release));
    CHECK(sipdlg_agent_user(pair.agent[BOB]) == &agents);
    CHECK_OK(sipdlg_agent_set_user(pair.agent[BOB], &agents_later, release));
    pair_exchange(&pair);
    CHECK_NUMBER(agents.released, 1);
    CHECK_NUMBER(agents_later.released, 0);

    /* a call that fails takes nothing */
    request.user = &never;
    request.release = release;
    CHECK_STATUS(sipdlg_agent_invite(pair.agent[ALICE], "no uri", &request, NULL), SIPDLG_ERR_SYNTAX);
    CHECK_STATUS(sipdlg_session_info(0, &request, NULL), SIPDLG_ERR_KIND);

    /* of a call: the INVITE and its session hold it together */
    invite = pair_invite(&pair, &client, &alices, release);
    CHECK(sipdlg_outgoing_user(invite) == &alices);
    pair_exchange(&pair);
    CHECK(sipdlg_session_user(alice) == &alices);
    CHECK_NUMBER(alices.released, 0);

    /* of a request in the dialog */
    request.user = &for_info;
    request.delegate = &client;
    CHECK_OK(sipdlg_session_info(alice, &request, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(for_info.released, 1);

    /* the session gets another: the former lives on with the INVITE only as long as that does */
    CHECK_OK(sipdlg_session_set_user(bob, &bobs_later, release));
    CHECK_NUMBER(bobs_later.released, 0);
    pair_advance(&pair, 40000);
    CHECK_NUMBER(bobs.released, 1);
    CHECK_NUMBER(alices.released, 0);

    CHECK_OK(sipdlg_session_hangup(alice, 0, NULL));
    pair_advance(&pair, 40000);
    CHECK_NUMBER(alices.released, 1);
    CHECK_NUMBER(bobs.released, 1);
    CHECK_NUMBER(bobs_later.released, 1);

    /* ending the agent ends all holders */
    alices.released = 0;
    pair_invite(&pair, &client, &alices, release);
    CHECK_OK(sipdlg_agent_free(pair.agent[ALICE]));
    CHECK_NUMBER(alices.released, 1);
    pair_close(&pair);
    CHECK_NUMBER(agents.released, 1);
    CHECK_NUMBER(agents_later.released, 1);
    CHECK_NUMBER(never.released, 0);
    CHECK_NUMBER(for_info.released, 1);
    return check_report("user_release");
}
