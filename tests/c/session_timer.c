/* Session timers: settings, options of a call, what a session tells, a refresh that no host hears of, and the end of a
 * session that nobody refreshes. */
#include "pair.h"

static struct pair pair;
static sipdlg_session_t alice, bob;
static int heard, terminated;
static int32_t reason;

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(pair_accept(event->incoming, &bob));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    alice = event->session;
}

static void on_any(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    heard++;
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    terminated++;
    reason = event->reason;
}

static void told(sipdlg_session_t session, uint32_t seconds, int32_t refresher, uint64_t left_s)
{
    uint32_t interval_s = 0;
    int32_t who = 0;
    uint64_t left_us = 0;
    CHECK_OK(sipdlg_session_interval(session, &interval_s, &who, &left_us));
    CHECK_NUMBER(interval_s, seconds);
    CHECK_NUMBER(who, refresher);
    CHECK_NUMBER(left_us, left_s * 1000000);
    CHECK_OK(sipdlg_session_interval(session, NULL, NULL, NULL));
}

static void call(const sipdlg_session_timer_t *terms)
{
    static sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    delegate.on_accept = on_accept;
    delegate.on_terminated = on_terminated;
    options.delegate = &delegate;
    options.session_timer = terms;
    pair_body(&options.body, OFFER);
    CHECK_OK(sipdlg_agent_invite(pair.agent[ALICE], BOB_URI, &options, NULL));
    pair_exchange(&pair);
    pair_trace(&pair);
}

static int lose_updates(int from, const char *data, size_t len)
{
    (void)from;
    return len > 6 && !strncmp(data, "UPDATE", 6);
}

int main(void)
{
    static const sipdlg_session_timer_t ours = { SIPDLG_SUPPORTED, 600, 0, SIPDLG_REFRESHER_LOCAL };
    static const sipdlg_session_timer_t off = { SIPDLG_OFF, 0, 0, SIPDLG_REFRESHER_ANY };
    static const sipdlg_session_timer_t bad[] = {
        { 3, 0, 0, 0 }, { SIPDLG_SUPPORTED, 0, 89, 0 }, { SIPDLG_SUPPORTED, 100, 101, 0 }, { SIPDLG_SUPPORTED, 89, 0, 0 }, { SIPDLG_SUPPORTED, 0, 0, 3 },
    };
    sipdlg_delegate_t agent = SIPDLG_DELEGATE_INIT;
    sipdlg_config_t *config = sipdlg_config_new();
    size_t i;

    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        sipdlg_status_t status = sipdlg_config_set_session_timer(config, bad[i].policy, bad[i].interval_s,
                                                                 bad[i].min_se_s, bad[i].refresher);
        CHECK_STATUS(status, SIPDLG_ERR_ARGUMENT);
    }
    CHECK_OK(sipdlg_config_set_session_timer(config, SIPDLG_SUPPORTED, 0, 120, SIPDLG_REFRESHER_ANY));
    pair_open_with(&pair, NULL, config);
    agent.on_invite = on_invite;
    agent.on_update = agent.on_reinvite = on_any;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &agent));

    call(&off);
    CHECK_STATUS(sipdlg_session_interval(alice, NULL, NULL, NULL), SIPDLG_NONE);
    CHECK_STATUS(sipdlg_session_interval(bob, NULL, NULL, NULL), SIPDLG_NONE);
    CHECK_OK(sipdlg_session_hangup(alice, 0, NULL));
    pair_exchange(&pair);

    agent.on_update = NULL; /* its default is 200 */
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &agent));
    call(&ours);
    told(alice, 600, SIPDLG_REFRESHER_LOCAL, 600);
    told(bob, 600, SIPDLG_REFRESHER_REMOTE, 600);
    pair_advance(&pair, 299000);
    CHECK_CSTR(pair_trace(&pair), "");
    pair_advance(&pair, 1000);
    CHECK_CSTR(pair_trace(&pair), "> UPDATE\n< 200 UPDATE\n");
    told(alice, 600, SIPDLG_REFRESHER_LOCAL, 600);
    told(bob, 600, SIPDLG_REFRESHER_REMOTE, 600);
    CHECK_NUMBER(heard, 0);
    terminated = 0;
    pair.lost = lose_updates;
    pair_advance(&pair, 333000);
    CHECK_NUMBER(terminated, 1);
    CHECK_NUMBER(reason, SIPDLG_REASON_DIALOG_GONE);
    pair.lost = NULL;
    pair_close(&pair);
    return check_report("session_timer");
}
