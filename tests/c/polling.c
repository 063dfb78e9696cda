/* No callbacks at all: a host that takes its events by sipdlg_agent_poll_event() and its defaults by sipdlg_event_default(). */
#include "pair.h"

static struct pair pair;
static uint64_t last_id[2];

/* The next event of a side must be of this kind; SIPDLG_EVENT_STATE ones are passed over. */
static sipdlg_event_t next(int side, int kind)
{
    sipdlg_event_t event;
    do {
        memset(&event, 0, sizeof event);
        event.size = sizeof event;
        if (sipdlg_agent_poll_event(pair.agent[side], &event) != SIPDLG_OK) {
            CHECK_NUMBER(0, kind);
            return event;
        }
        CHECK(event.id > last_id[side]);
        last_id[side] = event.id;
        CHECK(event.agent == pair.agent[side]);
    } while (event.kind == SIPDLG_EVENT_STATE);
    CHECK_NUMBER(event.kind, kind);
    return event;
}

static void nothing_more(int side)
{
    sipdlg_event_t event;
    event.size = sizeof event;
    while (sipdlg_agent_poll_event(pair.agent[side], &event) == SIPDLG_OK)
        CHECK_NUMBER(event.kind, SIPDLG_EVENT_STATE);
}

static void never(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    CHECK(!"a delegate was called while polling");
}

/* The default answer to an OPTIONS out of a dialog is what an INVITE would get (RFC 3261 11.2). */
static void options_told(const char *trace, int fate)
{
    sipdlg_event_t event;
    pair_trace(&pair);
    CHECK_OK(sipdlg_agent_request(pair.agent[ALICE], "OPTIONS", BOB_URI ":5060", NULL, NULL));
    pair_exchange(&pair);
    event = next(BOB, SIPDLG_EVENT_OPTIONS);
    CHECK_OK(sipdlg_event_default(&event));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), trace);
    next(ALICE, fate);
    nothing_more(ALICE);
    nothing_more(BOB);
}

int main(void)
{
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_session_t alice, bob;
    sipdlg_outgoing_t invite, info = 0;
    sipdlg_event_t event;
    uint64_t delay = 1;
    int word = 7;

    pair_open(&pair);
    pair.polled[ALICE] = pair.polled[BOB] = 1;
    delegate.on_invite = delegate.on_accept = delegate.on_bye = delegate.on_terminated = never;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &delegate));
    nothing_more(BOB);

    invite = pair_invite(&pair, &delegate, &word, NULL);
    pair_exchange(&pair);
    event = next(BOB, SIPDLG_EVENT_INVITE);
    CHECK(event.user == NULL && event.incoming != 0 && event.message != NULL);
    CHECK_OK(sipdlg_incoming_progress(event.incoming, 183, NULL, &bob));
    CHECK_OK(pair_accept(event.incoming, NULL));
    pair_exchange(&pair);
    CHECK_OK(sipdlg_agent_next_timeout(pair.agent[ALICE], &delay));
    CHECK_NUMBER(delay, 0); /* events wait */
    event = next(ALICE, SIPDLG_EVENT_PROGRESS);
    CHECK_NUMBER(event.status_code, 183);
    CHECK(event.user == &word && event.outgoing == invite);
    alice = event.session;
    event = next(ALICE, SIPDLG_EVENT_ACCEPT);
    CHECK(event.session == alice && event.user == &word);
    CHECK_STATUS(sipdlg_agent_poll_event(pair.agent[ALICE], NULL), SIPDLG_ERR_ARGUMENT);
    nothing_more(ALICE);
    event = next(BOB, SIPDLG_EVENT_ACK);
    CHECK(event.session == bob);
    nothing_more(BOB);

    /* a default is done on demand, once; until then the peer waits */
    pair_body(&request.body, "v=0");
    CHECK_OK(sipdlg_session_info(alice, &request, &info));
    pair_exchange(&pair);
    event = next(BOB, SIPDLG_EVENT_INFO);
    CHECK(event.incoming != 0 && event.session == bob);
    pair_trace(&pair);
    CHECK_OK(sipdlg_event_default(&event));
    CHECK_STATUS(sipdlg_event_default(&event), SIPDLG_ERR_STATE);
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< 469 INFO\n");
    event = next(ALICE, SIPDLG_EVENT_REJECT);
    CHECK(event.outgoing == info);
    CHECK_NUMBER(event.status_code, 469);
    nothing_more(ALICE);

    CHECK_OK(sipdlg_session_bye(alice, NULL, NULL));
    pair_exchange(&pair);
    event = next(BOB, SIPDLG_EVENT_BYE);
    CHECK_OK(sipdlg_event_default(&event));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> BYE\n< 200 BYE\n");
    event = next(BOB, SIPDLG_EVENT_TERMINATED);
    CHECK_NUMBER(event.reason, SIPDLG_REASON_REMOTE_BYE);
    CHECK_NUMBER(sipdlg_session_state(bob), SIPDLG_SESSION_TERMINATED); /* good until the next poll */
    nothing_more(BOB);
    CHECK_STATUS(sipdlg_session_state(bob), SIPDLG_ERR_STALE);
    for (;;) {
        memset(&event, 0, sizeof event);
        event.size = sizeof event;
        if (sipdlg_agent_poll_event(pair.agent[ALICE], &event) != SIPDLG_OK || event.kind == SIPDLG_EVENT_TERMINATED)
            break;
    }
    CHECK_NUMBER(event.kind, SIPDLG_EVENT_TERMINATED);
    nothing_more(ALICE);

    /* who polls may take calls without a delegate; one that has no on_invite says that it takes none */
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], NULL));
    options_told("> OPTIONS\n< 200 OPTIONS\n", SIPDLG_EVENT_ACCEPT);
    delegate.on_invite = NULL;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &delegate));
    options_told("> OPTIONS\n< 486 OPTIONS\n", SIPDLG_EVENT_REJECT);
    pair_close(&pair);
    return check_report("polling");
}
