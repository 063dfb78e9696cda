/* A name in the target: the host is asked, at once or later; what fails gives a local 503; a lost message is said by the host. */
#include "pair.h"

static struct pair pair;
static uint64_t query;
static int asked, answer_now, rejected, local, confirmed;
static char name[64];

static sipdlg_flow_t bobs_address(void)
{
    sipdlg_flow_t target = pair.flow[ALICE];
    target.link = 0;
    target.remote = pair.flow[BOB].local;
    return target;
}

static void on_resolve(void *user, const sipdlg_event_t *event)
{
    (void)user;
    asked++;
    query = event->query;
    snprintf(name, sizeof name, "%.*s", (int)event->text.len, event->text.data);
    CHECK_NUMBER(event->port, 0);
    CHECK_NUMBER(event->secure, 0);
    if (answer_now) {
        sipdlg_flow_t target = bobs_address();
        CHECK_OK(sipdlg_agent_resolved(event->agent, query, &target, 1));
    }
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(pair_accept(event->incoming, NULL));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    confirmed++;
    CHECK_OK(sipdlg_session_hangup(event->session, 0, NULL));
}

static void on_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    rejected = event->status_code;
    local = (event->flags & SIPDLG_EVENT_LOCAL) != 0;
    CHECK(!local || event->message == NULL);
}

static int lose_all(int from, const char *data, size_t len)
{
    (void)from;
    (void)data;
    (void)len;
    return 1;
}

static sipdlg_delegate_t client = SIPDLG_DELEGATE_INIT;

static sipdlg_outgoing_t call(const char *target)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_outgoing_t invite = 0;
    rejected = local = confirmed = asked = 0;
    request.delegate = &client;
    pair_body(&request.body, OFFER);
    CHECK_OK(sipdlg_agent_invite(pair.agent[ALICE], target, &request, &invite));
    return invite;
}

int main(void)
{
    sipdlg_delegate_t agent = SIPDLG_DELEGATE_INIT, server = SIPDLG_DELEGATE_INIT;
    sipdlg_outgoing_t invite;
    const sipdlg_message_t *message;
    sipdlg_transmit_t out;
    sipdlg_flow_t target;

    pair_open(&pair);
    agent.on_resolve = on_resolve;
    server.on_invite = on_invite;
    client.on_accept = on_accept;
    client.on_reject = on_reject;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[ALICE], &agent));
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    target = bobs_address();

    /* answered inside the callback */
    answer_now = 1;
    call("sip:bob@bob.example");
    pair_exchange(&pair);
    CHECK_CSTR(name, "bob.example");
    CHECK(asked >= 1);
    CHECK_NUMBER(confirmed, 1);
    pair_trace(&pair);

    /* answered later; before that nothing has been sent */
    answer_now = 0;
    invite = call("sip:bob@bob.example");
    pair_exchange(&pair);
    CHECK_NUMBER(sipdlg_outgoing_state(invite), SIPDLG_OUTGOING_RESOLVING);
    CHECK_STATUS(sipdlg_outgoing_message(invite, &message), SIPDLG_NONE);
    CHECK_CSTR(pair_trace(&pair), "");
    pair_advance(&pair, 1000);
    CHECK_STATUS(sipdlg_agent_resolved(pair.agent[ALICE], query + 1000, &target, 1), SIPDLG_NONE);
    answer_now = 1; /* the peer's Contact is an address, but the BYE may ask again */
    CHECK_OK(sipdlg_agent_resolved(pair.agent[ALICE], query, &target, 1));
    CHECK_STATUS(sipdlg_agent_resolved(pair.agent[ALICE], query, &target, 1), SIPDLG_NONE);
    pair_exchange(&pair);
    CHECK_NUMBER(confirmed, 1);
    answer_now = 0;
    pair_trace(&pair);

    /* the first target cannot be reached: the next one gets it, and the name stands beside each (RFC 3263 4.3, RFC 5922) */
    call("sip:bob@bob.example");
    out.size = sizeof out;
    pair_exchange(&pair);
    {
        sipdlg_flow_t targets[2];
        int at;
        targets[0] = targets[1] = target;
        targets[0].remote.port = 9;
        CHECK_OK(sipdlg_agent_resolved(pair.agent[ALICE], query, targets, 2));
        for (at = 0; at < 2; at++) {
            CHECK_OK(sipdlg_agent_poll_transmit(pair.agent[ALICE], &out));
            CHECK_NUMBER(out.flow.remote.port, targets[at].remote.port);
            CHECK_STR(out.host, "bob.example");
            CHECK_OK(sipdlg_agent_transmit_failed(pair.agent[ALICE], out.id));
        }
    }
    CHECK_STATUS(sipdlg_agent_transmit_failed(pair.agent[ALICE], out.id), SIPDLG_NONE);
    pair_exchange(&pair);
    CHECK_NUMBER(rejected, 503);

    /* not found */
    call("sip:bob@bob.example");
    pair_exchange(&pair);
    CHECK_OK(sipdlg_agent_resolved(pair.agent[ALICE], query, NULL, 0));
    pair_exchange(&pair);
    CHECK_NUMBER(rejected, 503);
    CHECK_NUMBER(local, 1);

    /* never answered: not found after 32 s */
    call("sip:bob@bob.example");
    pair_advance(&pair, 31000);
    CHECK_NUMBER(rejected, 0);
    pair_advance(&pair, 1500);
    CHECK_NUMBER(rejected, 503);

    /* cancelled while it waits */
    invite = call("sip:bob@bob.example");
    pair_exchange(&pair);
    CHECK_OK(sipdlg_outgoing_cancel(invite, NULL, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(rejected, 487);
    CHECK_NUMBER(local, 1);
    CHECK_CSTR(pair_trace(&pair), "");

    /* an address is not asked for; the host could not send it */
    call(BOB_URI ":5060");
    out.size = sizeof out;
    CHECK_OK(sipdlg_agent_poll_transmit(pair.agent[ALICE], &out));
    CHECK_OK(sipdlg_agent_transmit_failed(pair.agent[ALICE], out.id));
    pair_exchange(&pair);
    pair_trace(&pair);
    CHECK_NUMBER(asked, 0);
    CHECK_NUMBER(rejected, 503);
    CHECK_NUMBER(local, 1);

    /* everything is lost: 408 made here after 64*T1 (timer B) */
    pair.lost = lose_all;
    call(BOB_URI ":5060");
    pair_advance(&pair, 31990);
    CHECK_NUMBER(rejected, 0);
    pair_advance(&pair, 20);
    CHECK_NUMBER(rejected, 408);
    CHECK_NUMBER(local, 1);
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n> INVITE\n> INVITE\n> INVITE\n> INVITE\n> INVITE\n> INVITE\n");
    pair.lost = NULL;
    pair_close(&pair);
    return check_report("resolve");
}
