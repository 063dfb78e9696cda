/* sipdlg_agent_trim() at any moment, in callbacks too: what lives goes on. */
#include "pair.h"

static struct pair pair;
static sipdlg_session_t alice;
static int trimmed, ended;

static void on_event(void *user, const sipdlg_event_t *event)
{
    sipdlg_str_t bytes;
    (void)user;
    CHECK_OK(sipdlg_agent_trim(pair.agent[ALICE]));
    CHECK_OK(sipdlg_agent_trim(pair.agent[BOB]));
    trimmed++;
    if (event->message != NULL) { /* what the event points to lives until the return */
        CHECK_OK(sipdlg_message_bytes(event->message, &bytes));
        CHECK(bytes.len > 20 && memcmp(bytes.data + bytes.len - 2, "\r\n", 2) == 0);
    }
    if (event->kind == SIPDLG_EVENT_INVITE)
        CHECK_OK(pair_accept(event->incoming, NULL));
    else if (event->kind == SIPDLG_EVENT_ACCEPT)
        alice = event->session;
    else if (event->kind == SIPDLG_EVENT_TERMINATED)
        ended++;
    else if (event->incoming != 0)
        sipdlg_incoming_accept(event->incoming, 0, NULL, NULL);
}

int main(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    int call;
    pair_open(&pair);
    server.on_invite = server.on_ack = server.on_bye = server.on_terminated = on_event;
    client.on_accept = client.on_terminated = on_event;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    for (call = 1; call <= 20; call++) {
        pair_invite(&pair, &client, NULL, NULL);
        pair_exchange(&pair);
        CHECK_OK(sipdlg_agent_trim(pair.agent[ALICE]));
        CHECK_NUMBER(sipdlg_session_state(alice), SIPDLG_SESSION_CONFIRMED);
        CHECK_OK(sipdlg_session_hangup(alice, 0, NULL));
        pair_exchange(&pair);
        CHECK_NUMBER(ended, call * 2);
    }
    CHECK_NUMBER(trimmed, 20 * 6);
    CHECK_STATUS(sipdlg_agent_trim(alice), SIPDLG_ERR_KIND);
    pair_close(&pair);
    CHECK_STATUS(sipdlg_agent_trim(pair.agent[ALICE]), SIPDLG_ERR_STALE);
    return check_report("trim");
}
