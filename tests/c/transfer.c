/* REFER from C to C: the subscription of a blind transfer, past the BYE; an attended one; an INVITE tied to its REFER. */
#include "pair.h"

#define CAROL "sip:carol@192.0.2.1:5060"

static struct pair pair;
static sipdlg_session_t alice, bob;
static sipdlg_outgoing_t refer;
static sipdlg_incoming_t referred;
static int notified[8], notifies, tied, attended, terminated;

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(pair_accept(event->incoming, event->agent == pair.agent[BOB] ? &bob : NULL));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->method == SIPDLG_METHOD_INVITE && event->agent == pair.agent[ALICE])
        alice = event->session;
}

static void on_refer(void *user, const sipdlg_event_t *event)
{
    sipdlg_session_t session = 0;
    sipdlg_name_addr_t to;
    (void)user;
    CHECK_NUMBER(event->method, SIPDLG_METHOD_REFER);
    CHECK_OK(sipdlg_message_name_addr(event->message, "Refer-To", 0, &to));
    CHECK_OK(sipdlg_incoming_session(event->incoming, &session));
    CHECK(session == event->session);
    referred = event->incoming;
    if (attended) {
        CHECK(to.uri_headers.len > 9 && strncmp(to.uri_headers.data, "Replaces=", 9) == 0);
        CHECK_OK(sipdlg_event_default(event)); /* 603 */
        return;
    }
    CHECK_STATUS(sipdlg_incoming_notify(referred, 100, NULL), SIPDLG_ERR_STATE); /* not accepted */
    if (tied) {
        sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
        pair_body(&request.body, OFFER);
        request.refer = referred;
        CHECK_OK(sipdlg_agent_invite(pair.agent[BOB], NULL, &request, NULL));
    } else {
        CHECK_STATUS(sipdlg_incoming_accept(referred, 202, NULL, NULL), SIPDLG_ERR_STATE); /* RFC 7647 */
        CHECK_OK(sipdlg_incoming_accept(referred, 0, NULL, NULL));
    }
}

static void on_notify(void *user, const sipdlg_event_t *event)
{
    sipdlg_body_view_t body;
    (void)user;
    CHECK(event->outgoing == refer && refer != 0);
    CHECK(event->session == (terminated ? 0 : alice));
    CHECK_OK(sipdlg_message_body(event->message, &body));
    CHECK_STR(body.content_type, "message/sipfrag;version=2.0");
    if (CHECK(notifies < 8))
        notified[notifies++] = event->status_code;
    CHECK_OK(sipdlg_event_default(event));
}

/* That no NOTIFY comes any more is told too, to the delegate that the session had last. */
static int ends, silent;

static int notify_is_lost(int from, const char *data, size_t len)
{
    return silent && from == BOB && len > 6 && memcmp(data, "NOTIFY", 6) == 0;
}

static void on_end(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK(event->outgoing == refer && refer != 0);
    CHECK_NUMBER(event->session, 0);
    CHECK_NUMBER(event->incoming, 0);
    CHECK_NUMBER(event->flags, SIPDLG_EVENT_LAST);
    CHECK_NUMBER(event->status_code, 0);
    CHECK(event->message == NULL);
    CHECK_NUMBER(sipdlg_outgoing_state(refer), SIPDLG_OUTGOING_COMPLETED);
    ends++;
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->session == alice)
        terminated = 1;
}

int main(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    sipdlg_session_t first, session = 1;
    const char *const by_hand[] = { "Event: refer", "Subscription-State: active;expires=60", NULL };
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    server.on_invite = on_invite;
    server.on_refer = on_refer;
    server.on_notify = on_notify;
    server.on_terminated = on_terminated;
    client.on_accept = on_accept;
    pair_open(&pair);
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[ALICE], &server));
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    pair_trace(&pair);

    /* refused calls send nothing */
    CHECK_STATUS(sipdlg_session_refer(alice, NULL, 0, NULL, NULL), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_session_refer(alice, "carol", 0, NULL, NULL), SIPDLG_ERR_SYNTAX);
    CHECK_STATUS(sipdlg_session_refer(alice, CAROL, bob, NULL, NULL), SIPDLG_ERR_ARGUMENT); /* another agent's */
    CHECK_STATUS(sipdlg_session_refer(alice, CAROL, refer + 1, NULL, NULL), SIPDLG_ERR_KIND);
    CHECK_STATUS(sipdlg_session_notify(alice, NULL, NULL), SIPDLG_ERR_ARGUMENT);
    request.headers = by_hand;
    CHECK_STATUS(sipdlg_session_notify(bob, &request, NULL), SIPDLG_ERR_STATE);
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "");

    /* blind; the call ends first */
    CHECK_OK(sipdlg_session_refer(alice, CAROL, 0, NULL, &refer));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> REFER\n< 200 REFER\n< NOTIFY\n> 200 NOTIFY\n");
    pair_body(&request.body, "SIP/2.0 182 Queued");
    request.body.content_type = "message/sipfrag;version=2.0";
    CHECK_OK(sipdlg_session_notify(bob, &request, NULL));
    pair_exchange(&pair);
    CHECK_OK(sipdlg_session_bye(alice, NULL, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(terminated, 1);
    CHECK_STATUS(sipdlg_session_state(alice), SIPDLG_ERR_STALE);
    CHECK_STATUS(sipdlg_incoming_session(referred, &session), SIPDLG_NONE);
    CHECK_NUMBER(sipdlg_outgoing_state(refer), SIPDLG_OUTGOING_COMPLETED);
    CHECK_STATUS(sipdlg_incoming_notify(referred, 99, NULL), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_incoming_notify(referred, 180, "a\r\nb"), SIPDLG_ERR_SYNTAX);
    CHECK_OK(sipdlg_incoming_notify(referred, 180, NULL));
    CHECK_OK(sipdlg_incoming_notify(referred, 200, "Talking"));
    CHECK_STATUS(sipdlg_incoming_notify(referred, 200, NULL), SIPDLG_ERR_STALE);
    pair_exchange(&pair);
    CHECK_NUMBER(notifies, 4);
    CHECK(notified[0] == 100 && notified[1] == 182 && notified[2] == 180 && notified[3] == 200);
    CHECK_NUMBER(sipdlg_outgoing_state(refer), SIPDLG_ERR_STALE);

    /* attended: Replaces in the Refer-To; then an INVITE tied to its REFER: bob calls alice, who stands for carol */
    terminated = notifies = 0;
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    first = alice;
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    session = alice;
    alice = first;
    attended = 1;
    pair_trace(&pair);
    CHECK_OK(sipdlg_session_refer(first, NULL, session, NULL, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> REFER\n< 603 REFER\n");
    attended = 0;
    tied = 1;
    CHECK_OK(sipdlg_session_refer(first, CAROL, 0, NULL, &refer));
    pair_exchange(&pair);
    CHECK(notifies >= 2 && notified[0] == 100 && notified[notifies - 1] == 200);
    CHECK(strstr(pair_trace(&pair), "< INVITE\n") != NULL);

    /* the call ends, then nothing more is heard */
    tied = 0;
    CHECK_OK(sipdlg_session_refer(first, CAROL, 0, NULL, &refer));
    pair_exchange(&pair);
    client.on_notify = on_end;
    CHECK_OK(sipdlg_session_set_delegate(first, &client));
    CHECK_OK(sipdlg_session_bye(first, NULL, NULL));
    pair_exchange(&pair);
    pair.lost = notify_is_lost;
    silent = 1;
    pair_advance(&pair, 631000);
    CHECK_NUMBER(ends, 0);
    pair_advance(&pair, 2000);
    CHECK_NUMBER(ends, 1);
    CHECK_NUMBER(sipdlg_outgoing_state(refer), SIPDLG_ERR_STALE);
    silent = 0;
    session = 0;
    while (sipdlg_agent_next_session(pair.agent[ALICE], session, &session) == SIPDLG_OK)
        CHECK_OK(sipdlg_session_hangup(session, 0, NULL));
    pair_close(&pair);
    return check_report("transfer");
}
