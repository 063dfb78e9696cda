/* Each setting of a configuration does what it says, as the other side sees it. */
#include "pair.h"

static struct pair pair;
static int status, accepted, log_lines;
static sipdlg_session_t early, forks[2];
static char second_ok[4096];
static size_t second_ok_len;

static void start_with(sipdlg_config_t *alice, sipdlg_config_t *bob, const sipdlg_delegate_t *server)
{
    pair_open_with(&pair, alice, bob);
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], server));
    status = accepted = 0;
    early = 0;
}

/* All values of a header, as one list. */
static const char *list_of(const sipdlg_message_t *message, const char *name)
{
    static char list[256];
    sipdlg_str_t value;
    uint32_t index;
    list[0] = '\0';
    for (index = 0; sipdlg_message_header(message, name, index, &value) == SIPDLG_OK; index++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%.*s", used == 0 ? "" : ", ", (int)value.len, value.data);
    }
    return list;
}

static void on_final(void *user, const sipdlg_event_t *event)
{
    (void)user;
    status = event->status_code;
    if (event->kind == SIPDLG_EVENT_ACCEPT && event->method == SIPDLG_METHOD_INVITE && accepted < 2)
        forks[accepted++] = event->session;
}

static void on_progress(void *user, const sipdlg_event_t *event)
{
    (void)user;
    early = event->session;
}

static void silent(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
}

static void ring(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(sipdlg_incoming_progress(event->incoming, 180, NULL, NULL));
}

static void answer(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(pair_accept(event->incoming, NULL));
}

static sipdlg_delegate_t caller(void)
{
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    delegate.on_progress = on_progress;
    delegate.on_accept = delegate.on_reject = on_final;
    return delegate;
}

/* ---------------------------------------------------------------- what messages say */

static void look_at_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_CSTR(list_of(event->message, "Contact"), "\"Front desk\" <sip:desk@192.0.2.1:5060>");
    CHECK_CSTR(list_of(event->message, "User-Agent"), "Phone/1.0");
    CHECK_CSTR(list_of(event->message, "Allow"), "INVITE, ACK, CANCEL, BYE, INFO");
    CHECK_CSTR(list_of(event->message, "Route"), "<sip:192.0.2.2:5060;lr>");
    CHECK_CSTR(list_of(event->message, "Recv-Info"), "dtmf, keys");
    CHECK(strstr(list_of(event->message, "Supported"), "x-mood") != NULL);
    CHECK_OK(pair_accept(event->incoming, NULL));
}

static void log_line(void *user, int32_t level, const char *line)
{
    CHECK(user == &log_lines);
    if (level == SIPDLG_LOG_DEBUG && strstr(line, "INVITE sip:bob@192.0.2.2") != NULL)
        log_lines++;
}

static void what_messages_say(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = caller();
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_OK(sipdlg_config_set_contact(config, "\"Front desk\" <sip:desk@192.0.2.1:5060>"));
    CHECK_OK(sipdlg_config_set_user_agent(config, "Phone/1.0"));
    CHECK_OK(sipdlg_config_set_allow(config, "INVITE, ACK, CANCEL, BYE, INFO"));
    CHECK_OK(sipdlg_config_set_supported(config, "x-mood"));
    CHECK_OK(sipdlg_config_set_route_set(config, "<sip:192.0.2.2:5060;lr>"));
    CHECK_OK(sipdlg_config_set_info_packages(config, "dtmf, keys"));
    CHECK_OK(sipdlg_config_set_log(config, SIPDLG_LOG_DEBUG, log_line, &log_lines));
    CHECK_STATUS(sipdlg_config_set_contact(config, "no uri"), SIPDLG_ERR_SYNTAX);
    CHECK_STATUS(sipdlg_config_set_user_agent(config, "a\r\nb"), SIPDLG_ERR_SYNTAX);
    server.on_invite = look_at_invite;
    start_with(config, NULL, &server);
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    CHECK_NUMBER(status, 200);
    CHECK_NUMBER(log_lines, 1);
    CHECK_OK(sipdlg_session_hangup(forks[0], 0, NULL));
    pair_close(&pair);
}

static void methods_that_are_not_allowed(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = caller();
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_OK(sipdlg_config_set_allow(config, "INVITE, ACK, CANCEL, BYE"));
    server.on_invite = answer;
    server.on_info = answer;
    start_with(NULL, config, &server);
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    request.delegate = &client;
    CHECK_OK(sipdlg_session_info(forks[0], &request, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(status, 405);
    CHECK_OK(sipdlg_session_hangup(forks[0], 0, NULL));
    pair_close(&pair);
}

/* ---------------------------------------------------------------- time */

static int lose_bob(int from, const char *data, size_t len)
{
    (void)data;
    (void)len;
    return from == BOB;
}

static void timers(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = caller();
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_STATUS(sipdlg_config_set_timers(config, 500, 400, 0), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_set_timers(config, 100, 400, 0));
    server.on_invite = silent;
    start_with(config, NULL, &server);
    pair.lost = lose_bob;
    pair_invite(&pair, &client, NULL, NULL);
    pair_advance(&pair, 150); /* 0, T1, then doubled */
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n> INVITE\n");
    pair_advance(&pair, 6000);
    CHECK_NUMBER(status, 0);
    pair_advance(&pair, 300); /* 64*T1 */
    CHECK_NUMBER(status, 408);
    pair_advance(&pair, 180000);
    pair_close(&pair);
}

static void answer_timeouts(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = caller();
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_OK(sipdlg_config_set_answer_timeouts(config, 2000, 1000));
    server.on_invite = silent;
    server.on_options = silent;
    start_with(NULL, config, &server);
    pair_invite(&pair, &client, NULL, NULL);
    pair_advance(&pair, 1900);
    CHECK_NUMBER(status, 0);
    pair_advance(&pair, 200);
    CHECK_NUMBER(status, 480);
    request.delegate = &client;
    CHECK_OK(sipdlg_agent_request(pair.agent[ALICE], "OPTIONS", BOB_URI ":5060", &request, NULL));
    pair_advance(&pair, 900);
    CHECK_NUMBER(status, 480);
    pair_advance(&pair, 200);
    CHECK_NUMBER(status, 200);
    pair_close(&pair);
}

/* ---------------------------------------------------------------- bounds */

static void limits(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = caller();
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_config_t *config = sipdlg_config_new();
    static char large[2000];
    CHECK_OK(sipdlg_config_set_limits(config, 1500, 1, 0));
    server.on_invite = answer;
    start_with(NULL, config, &server);
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    CHECK_NUMBER(status, 200);
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    CHECK_NUMBER(status, 503);
    memset(large, 'x', sizeof large - 1);
    pair_body(&request.body, large);
    request.body.content_type = "text/plain";
    request.delegate = &client;
    CHECK_OK(sipdlg_session_info(forks[0], &request, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(status, 513);
    CHECK(pair_stats(&pair, BOB).answered_limit >= 2);
    CHECK_OK(sipdlg_session_hangup(forks[0], 0, NULL));
    pair_close(&pair);
}

/* Each limit on what a peer begins refuses the second of two; the call that stands goes on. */
static void admission(void)
{
    int limit;
    for (limit = 0; limit < 3; limit++) {
        sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = caller();
        sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
        sipdlg_config_t *config = sipdlg_config_new();
        sipdlg_stats_t stats;
        CHECK_STATUS(sipdlg_config_set_admission(config, 0, 0, 0, 1), SIPDLG_ERR_ARGUMENT);
        CHECK_OK(sipdlg_config_set_admission(config, limit == 0, limit == 1, limit == 2, limit == 2 ? 2 : 0));
        server.on_invite = answer;
        server.on_options = silent;
        start_with(NULL, config, &server);
        pair_invite(&pair, &client, NULL, NULL);
        pair_exchange(&pair);
        CHECK_NUMBER(status, 200);
        /* nobody answers it, and with the INVITE it is the second of this second */
        request.delegate = &client;
        CHECK_OK(sipdlg_agent_request(pair.agent[ALICE], "OPTIONS", BOB_URI ":5060", &request, NULL));
        pair_exchange(&pair);
        CHECK_NUMBER(status, 200);
        pair_invite(&pair, &client, NULL, NULL);
        pair_exchange(&pair);
        CHECK_NUMBER(status, 503);
        CHECK_OK(sipdlg_session_info(forks[0], &request, NULL));
        pair_exchange(&pair);
        CHECK_NUMBER(status, 200);
        stats = pair_stats(&pair, BOB);
        CHECK_NUMBER((int)stats.answered_limit, 1);
        CHECK_NUMBER((int)stats.refused_sessions, 0);
        CHECK_NUMBER((int)stats.refused_calls, limit == 0);
        CHECK_NUMBER((int)stats.refused_unanswered, limit == 1);
        CHECK_NUMBER((int)stats.refused_rate, limit == 2);
        CHECK_NUMBER((int)stats.dropped_behind, 0);
        CHECK_OK(sipdlg_session_hangup(forks[0], 0, NULL));
        pair_close(&pair);
    }
}

/* ---------------------------------------------------------------- early dialogs, forks */

static void requests_in_early_dialogs(void)
{
    int tolerant;
    for (tolerant = 0; tolerant < 2; tolerant++) {
        sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = caller();
        sipdlg_config_t *config = sipdlg_config_new();
        sipdlg_outgoing_t invite;
        if (tolerant)
            CHECK_OK(sipdlg_config_set_tolerance(config, SIPDLG_QUIRK_REQUESTS_IN_EARLY));
        server.on_invite = ring;
        start_with(config, NULL, &server);
        invite = pair_invite(&pair, &client, NULL, NULL);
        pair_exchange(&pair);
        CHECK_STATUS(sipdlg_session_info(early, NULL, NULL), tolerant ? SIPDLG_OK : SIPDLG_ERR_STATE);
        pair_exchange(&pair);
        CHECK_OK(sipdlg_outgoing_cancel(invite, NULL, NULL));
        pair_close(&pair);
    }
}

/* Keeps the 200 with another To tag: that of a second fork. */
static int copy_ok(int from, const char *data, size_t len)
{
    char *tag;
    if (from == BOB && second_ok_len == 0 && len < sizeof second_ok && memcmp(data, "SIP/2.0 200", 11) == 0) {
        memcpy(second_ok, data, len);
        second_ok[len] = '\0';
        tag = strstr(strstr(second_ok, "\r\nTo:"), ";tag=");
        if (CHECK(tag != NULL)) {
            tag[5] = tag[5] == 'x' ? 'y' : 'x';
            second_ok_len = len;
        }
    }
    return 0;
}

static void fork_policies(void)
{
    int all;
    for (all = 0; all < 2; all++) {
        sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = caller();
        sipdlg_config_t *config = sipdlg_config_new();
        sipdlg_flow_t flow;
        CHECK_STATUS(sipdlg_config_set_fork_policy(config, 7), SIPDLG_ERR_ARGUMENT);
        CHECK_OK(sipdlg_config_set_fork_policy(config, all ? SIPDLG_FORK_ALL : SIPDLG_FORK_FIRST));
        server.on_invite = answer;
        start_with(config, NULL, &server);
        second_ok_len = 0;
        pair.lost = copy_ok;
        pair_invite(&pair, &client, NULL, NULL);
        pair_exchange(&pair);
        pair_trace(&pair);
        flow = pair.flow[ALICE];
        flow.remote = pair.flow[BOB].local;
        CHECK_OK(sipdlg_agent_receive(pair.agent[ALICE], &flow, second_ok, second_ok_len));
        pair_exchange(&pair);
        CHECK_NUMBER(accepted, all ? 2 : 1);
        /* bob knows nothing of the other tag */
        CHECK_CSTR(pair_trace(&pair), all ? "> ACK\n" : "> ACK\n> BYE\n< 481 BYE\n");
        CHECK_OK(sipdlg_session_hangup(forks[0], 0, NULL));
        if (all)
            CHECK_OK(sipdlg_session_hangup(forks[1], 0, NULL));
        pair_close(&pair);
    }
}

int main(void)
{
    what_messages_say();
    methods_that_are_not_allowed();
    timers();
    answer_timeouts();
    limits();
    admission();
    requests_in_early_dialogs();
    fork_policies();
    return check_report("settings");
}
