/* sipdlg_agent_free() inside a callback: OK at once, done when the callback returns; no further callback; the user pointer is released
 * exactly once; the other agent does not notice. */
#include "pair.h"

static const struct { int side, kind; } places[] = {
    { BOB, SIPDLG_EVENT_INVITE }, { BOB, SIPDLG_EVENT_ACK }, { BOB, SIPDLG_EVENT_INFO }, { BOB, SIPDLG_EVENT_BYE },
    { BOB, SIPDLG_EVENT_TERMINATED }, { ALICE, SIPDLG_EVENT_PROGRESS }, { ALICE, SIPDLG_EVENT_ACCEPT },
    { ALICE, SIPDLG_EVENT_TERMINATED },
};

static struct pair pair;
static int free_side, free_kind, freed;
static int released_agent, released_call;
static sipdlg_session_t alice;

static void on_event(void *user, const sipdlg_event_t *event)
{
    int side = event->agent == pair.agent[ALICE] ? ALICE : BOB;
    (void)user;
    CHECK(!(freed && side == free_side));
    if (event->kind == SIPDLG_EVENT_ACCEPT && event->method == SIPDLG_METHOD_INVITE)
        alice = event->session;
    if (side == free_side && event->kind == free_kind) {
        freed = 1;
        CHECK_OK(sipdlg_agent_free(event->agent));
        sipdlg_agent_free(event->agent); /* once more: no harm */
        if (event->message != NULL) { /* what the event points to lives until the return */
            sipdlg_str_t bytes;
            CHECK_OK(sipdlg_message_bytes(event->message, &bytes));
            CHECK(bytes.len > 20);
        }
        return;
    }
    if (event->kind == SIPDLG_EVENT_INVITE) {
        sipdlg_incoming_progress(event->incoming, 180, NULL, NULL);
        pair_accept(event->incoming, NULL);
    } else if (event->incoming != 0) {
        sipdlg_incoming_accept(event->incoming, 0, NULL, NULL);
    }
}

static void on_release(void *user)
{
    ++*(int *)user;
}

static void run(size_t index)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    free_side = places[index].side;
    free_kind = places[index].kind;
    freed = released_agent = released_call = 0;
    alice = 0;
    pair_open(&pair);
    server.on_invite = server.on_ack = server.on_info = server.on_bye = server.on_terminated = on_event;
    client.on_progress = client.on_accept = client.on_terminated = on_event;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    CHECK_OK(sipdlg_agent_set_user(pair.agent[free_side], &released_agent, on_release));
    pair_invite(&pair, &client, &released_call, on_release);
    pair_exchange(&pair);
    request.delegate = &client;
    if (sipdlg_session_info(alice, &request, NULL) == SIPDLG_OK)
        pair_exchange(&pair);
    sipdlg_session_hangup(alice, 0, NULL);
    pair_exchange(&pair);
    if (!CHECK(freed))
        printf("    side %d, kind %d never came\n", free_side, free_kind);
    CHECK_STATUS(sipdlg_agent_dispatch(pair.agent[free_side]), SIPDLG_ERR_STALE);
    CHECK_NUMBER(released_agent, 1);
    CHECK_STATUS(sipdlg_agent_set_user(pair.agent[free_side], NULL, NULL), SIPDLG_ERR_STALE);
    pair_close(&pair);
    CHECK_NUMBER(released_call, 1);
}

int main(void)
{
    size_t i;
    for (i = 0; i < sizeof places / sizeof *places; i++)
        run(i);
    return check_report("free_in_callback");
}
