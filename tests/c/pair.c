#include "pair.h"

static void open_side(struct pair *pair, int side, sipdlg_config_t *given)
{
    sipdlg_config_t *config = given != NULL ? given : sipdlg_config_new();
    char address[32];
    snprintf(address, sizeof address, "192.0.2.%d:5060", side + 1);
    memset(&pair->flow[side], 0, sizeof pair->flow[side]);
    pair->flow[side].transport = SIPDLG_TRANSPORT_UDP;
    pair->flow[side].link = (uint64_t)side + 1;
    CHECK_OK(sipdlg_endpoint_parse(address, &pair->flow[side].local));
    CHECK_OK(sipdlg_config_set_manual_clock(config, 1));
    CHECK_OK(sipdlg_config_set_seed(config, (uint64_t)side + 7));
    CHECK_OK(sipdlg_config_set_aor(config, side == ALICE ? ALICE_URI : BOB_URI));
    CHECK_OK(sipdlg_agent_new(config, &pair->agent[side]));
    sipdlg_config_free(config);
    CHECK_OK(sipdlg_agent_set_time(pair->agent[side], pair->now_us, pair->now_us));
    CHECK_OK(sipdlg_agent_add_transport(pair->agent[side], &pair->flow[side], NULL));
}

void pair_open_with(struct pair *pair, sipdlg_config_t *alice, sipdlg_config_t *bob)
{
    memset(pair, 0, sizeof *pair);
    pair->now_us = 1000000;
    open_side(pair, ALICE, alice);
    open_side(pair, BOB, bob);
}

void pair_open(struct pair *pair)
{
    pair_open_with(pair, NULL, NULL);
}

static void note(struct pair *pair, int from, const sipdlg_transmit_t *out)
{
    const sipdlg_message_t *message;
    sipdlg_str_t method;
    size_t used = strlen(pair->trace);
    int32_t code;
    if (!CHECK(sipdlg_message_parse(out->data, out->len, &message) == SIPDLG_OK))
        return;
    code = sipdlg_message_status_code(message);
    CHECK_OK(sipdlg_message_method(message, &method));
    if (code == 0)
        snprintf(pair->trace + used, sizeof pair->trace - used, "%c %.*s\n", from == ALICE ? '>' : '<', (int)method.len, method.data);
    else
        snprintf(pair->trace + used, sizeof pair->trace - used, "%c %d %.*s\n", from == ALICE ? '>' : '<', (int)code, (int)method.len,
                 method.data);
    sipdlg_message_release(message);
}

/* 1 when something was carried. */
static int carry(struct pair *pair, int from)
{
    int to = 1 - from, any = 0;
    sipdlg_transmit_t out;
    out.size = sizeof out;
    while (sipdlg_agent_poll_transmit(pair->agent[from], &out) == SIPDLG_OK) {
        sipdlg_flow_t flow = pair->flow[to];
        flow.remote = pair->flow[from].local;
        any = 1;
        note(pair, from, &out);
        if (pair->lost != NULL && pair->lost(from, out.data, out.len))
            continue;
        if (memcmp(&out.flow.remote, &pair->flow[to].local, sizeof out.flow.remote) == 0)
            sipdlg_agent_receive(pair->agent[to], &flow, out.data, out.len); /* stale when the test has freed it */
        else
            CHECK(!"a message to nobody");
    }
    return any;
}

void pair_exchange(struct pair *pair)
{
    int turn, busy = 1;
    for (turn = 0; busy && CHECK(turn < 1000); turn++) {
        int side;
        busy = 0;
        for (side = ALICE; side <= BOB; side++)
            if (!pair->polled[side])
                sipdlg_agent_dispatch(pair->agent[side]);
        for (side = ALICE; side <= BOB; side++)
            busy |= carry(pair, side);
    }
}

static void set_time(struct pair *pair, uint64_t now_us)
{
    int side;
    pair->now_us = now_us;
    for (side = ALICE; side <= BOB; side++) {
        sipdlg_agent_set_time(pair->agent[side], now_us, now_us);
        sipdlg_agent_handle_timeout(pair->agent[side]);
    }
}

void pair_advance(struct pair *pair, uint64_t ms)
{
    uint64_t until = pair->now_us + ms * 1000u;
    pair_exchange(pair);
    for (;;) {
        uint64_t next = until - pair->now_us;
        int side;
        for (side = ALICE; side <= BOB; side++) {
            uint64_t delay;
            if (sipdlg_agent_next_timeout(pair->agent[side], &delay) == SIPDLG_OK && delay < next)
                next = delay;
        }
        if (next == 0 && pair->now_us < until)
            next = 1000; /* events of a polled side wait: let time go on without them */
        if (next > until - pair->now_us)
            next = until - pair->now_us;
        set_time(pair, pair->now_us + next);
        pair_exchange(pair);
        if (pair->now_us >= until)
            return;
    }
}

const char *pair_trace(struct pair *pair)
{
    static char copy[sizeof pair->trace];
    memcpy(copy, pair->trace, sizeof copy);
    pair->trace[0] = '\0';
    return copy;
}

sipdlg_stats_t pair_stats(const struct pair *pair, int side)
{
    sipdlg_stats_t stats;
    memset(&stats, 0, sizeof stats);
    stats.size = sizeof stats;
    CHECK_OK(sipdlg_agent_stats(pair->agent[side], &stats));
    return stats;
}

void pair_close(struct pair *pair)
{
    int side;
    pair_advance(pair, 70000); /* twice 64*T1: nothing of RFC 3261 section 17 lives longer */
    for (side = ALICE; side <= BOB; side++) {
        sipdlg_stats_t stats;
        stats.size = sizeof stats;
        if (sipdlg_agent_stats(pair->agent[side], &stats) != SIPDLG_OK)
            continue; /* freed by the test */
        CHECK_NUMBER(stats.sessions, 0);
        CHECK_NUMBER(stats.incoming, 0);
        CHECK_NUMBER(stats.outgoing, 0);
        CHECK_NUMBER(stats.transactions, 0);
        CHECK_NUMBER(stats.timers, 0);
        CHECK_OK(sipdlg_agent_free(pair->agent[side]));
        CHECK_STATUS(sipdlg_agent_dispatch(pair->agent[side]), SIPDLG_ERR_STALE);
    }
}

void pair_body(sipdlg_body_t *body, const char *sdp)
{
    memset(body, 0, sizeof *body);
    body->data = sdp;
    body->len = strlen(sdp);
}

sipdlg_outgoing_t pair_invite(struct pair *pair, const sipdlg_delegate_t *delegate, void *user, sipdlg_release_t release)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_outgoing_t invite = 0;
    pair_body(&request.body, OFFER);
    request.delegate = delegate;
    request.user = user;
    request.release = release;
    CHECK_OK(sipdlg_agent_invite(pair->agent[ALICE], BOB_URI ":5060", &request, &invite));
    return invite;
}

sipdlg_status_t pair_accept(sipdlg_incoming_t incoming, sipdlg_session_t *session)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    pair_body(&response.body, ANSWER);
    return sipdlg_incoming_accept(incoming, 0, &response, session);
}
