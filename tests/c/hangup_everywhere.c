/* The host hangs up in every callback of a call, on either side: both sides always end, each session exactly once. */
#include "pair.h"

struct place { int side, kind; };

static const struct place places[] = {
    { BOB, SIPDLG_EVENT_INVITE }, { BOB, SIPDLG_EVENT_ACK }, { BOB, SIPDLG_EVENT_REINVITE }, { BOB, SIPDLG_EVENT_INFO },
    { BOB, SIPDLG_EVENT_BYE }, { BOB, SIPDLG_EVENT_STATE }, { BOB, SIPDLG_EVENT_TERMINATED },
    { ALICE, SIPDLG_EVENT_PROGRESS }, { ALICE, SIPDLG_EVENT_ACCEPT }, { ALICE, SIPDLG_EVENT_STATE },
    { ALICE, SIPDLG_EVENT_TERMINATED },
};

static struct pair pair;
static struct place place;
static int strict;            /* bye() where it is legal, instead of hangup() */
static int hung_up, terminated[2], rejected;
static sipdlg_session_t alice;

static int side_of(const sipdlg_event_t *event)
{
    return event->agent == pair.agent[ALICE] ? ALICE : BOB;
}

static void hang_up_here(const sipdlg_event_t *event, sipdlg_session_t session)
{
    sipdlg_status_t status;
    if (side_of(event) != place.side || event->kind != place.kind || session == 0)
        return;
    hung_up++;
    if (strict && sipdlg_session_bye(session, NULL, NULL) == SIPDLG_OK)
        return;
    status = sipdlg_session_hangup(session, 0, NULL);
    CHECK_OK(status); /* in TERMINATED: nothing, and OK */
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    sipdlg_session_t session = 0;
    (void)user;
    CHECK_OK(sipdlg_incoming_progress(event->incoming, 180, NULL, &session));
    hang_up_here(event, session);
    pair_accept(event->incoming, NULL); /* an error once hung up; never harm */
}

static void on_request(void *user, const sipdlg_event_t *event)
{
    (void)user;
    hang_up_here(event, event->session);
    if (event->kind == SIPDLG_EVENT_REINVITE)
        pair_accept(event->incoming, NULL);
    else if (event->incoming != 0)
        sipdlg_incoming_accept(event->incoming, 0, NULL, NULL);
}

static void on_fate(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->kind == SIPDLG_EVENT_REJECT)
        rejected++;
    if (event->kind == SIPDLG_EVENT_ACCEPT && event->method == SIPDLG_METHOD_INVITE)
        alice = event->session;
    hang_up_here(event, event->session);
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    terminated[side_of(event)]++;
    hang_up_here(event, event->session);
}

static void run(const struct place *where)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    place = *where;
    hung_up = terminated[ALICE] = terminated[BOB] = rejected = 0;
    alice = 0;
    pair_open(&pair);
    server.on_invite = on_invite;
    server.on_reinvite = server.on_info = server.on_bye = server.on_ack = server.on_state = on_request;
    server.on_terminated = on_terminated;
    client.on_progress = client.on_accept = client.on_reject = client.on_state = on_fate;
    client.on_terminated = on_terminated;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    request.delegate = &client;
    pair_body(&request.body, HOLD);
    sipdlg_session_invite(alice, &request, NULL); /* errors from here on where the call has ended already */
    pair_exchange(&pair);
    memset(&request.body, 0, sizeof request.body);
    sipdlg_session_info(alice, &request, NULL);
    pair_exchange(&pair);
    sipdlg_session_hangup(alice, 0, NULL);
    pair_advance(&pair, 40000);
    CHECK(hung_up > 0);
    CHECK_NUMBER(terminated[BOB], 1);
    CHECK_NUMBER(terminated[ALICE], 1);
    if (hung_up == 0 || terminated[BOB] != 1 || terminated[ALICE] != 1)
        printf("    hung up at side %d, kind %d; trace:\n%s", place.side, place.kind, pair_trace(&pair));
    pair_close(&pair);
}

int main(void)
{
    size_t i;
    for (strict = 0; strict <= 1; strict++)
        for (i = 0; i < sizeof places / sizeof *places; i++)
            run(&places[i]);
    return check_report("hangup_everywhere");
}
