/* re-INVITEs that cross: both get 491, both wait, both succeed; or the host says otherwise. And what a failure ends, by the host's word. */
#include "pair.h"

#define LATER "v=0\r\no=- 1 4 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

static struct pair pair;
static sipdlg_session_t session[2];
static int renews, asked[2], retries[2], rejected[2], accepted[2], reinvites[2];
static uint64_t delay_us[2];
static int32_t last_status;
static sipdlg_outgoing_t waiting[2];

static int side_of(const sipdlg_event_t *event)
{
    return event->agent == pair.agent[ALICE] ? ALICE : BOB;
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(pair_accept(event->incoming, &session[BOB]));
}

static void on_reinvite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    reinvites[side_of(event)]++;
    CHECK_OK(pair_accept(event->incoming, NULL));
}

/* What is refused first changes nothing. */
static void renew(sipdlg_outgoing_t outgoing)
{
    sipdlg_body_t body;
    memset(&body, 0, sizeof body);
    CHECK_STATUS(sipdlg_outgoing_retry(outgoing, NULL), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_outgoing_retry(outgoing, &body), SIPDLG_ERR_ARGUMENT);
    pair_body(&body, LATER);
    body.content_type = "sdp";
    CHECK_STATUS(sipdlg_outgoing_retry(outgoing, &body), SIPDLG_ERR_SYNTAX);
    pair_body(&body, LATER);
    CHECK_OK(sipdlg_outgoing_retry(outgoing, &body));
}

static void on_fate(void *user, const sipdlg_event_t *event)
{
    int side = side_of(event);
    (void)user;
    switch (event->kind) {
    case SIPDLG_EVENT_GLARE_RETRY:
        CHECK_NUMBER(event->status_code, 491);
        CHECK_NUMBER(event->reason, SIPDLG_REASON_GLARE_RETRY);
        if (event->flags & SIPDLG_EVENT_NEEDS_BODY) {
            asked[side]++;
            if (renews)
                renew(event->outgoing);
            break;
        }
        retries[side]++;
        delay_us[side] = event->delay_us;
        waiting[side] = event->outgoing;
        CHECK_NUMBER(event->signaling_state, SIPDLG_SIGNALING_STABLE);
        break;
    case SIPDLG_EVENT_REJECT:
        rejected[side]++;
        last_status = event->status_code;
        break;
    default:
        accepted[side]++;
        session[side] = event->session;
    }
}

static const sipdlg_delegate_t *fate(void)
{
    static sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    delegate.on_accept = delegate.on_reject = delegate.on_glare_retry = on_fate;
    return &delegate;
}

static void call(sipdlg_config_t *alice)
{
    sipdlg_delegate_t agent = SIPDLG_DELEGATE_INIT;
    memset(asked, 0, sizeof asked);
    memset(retries, 0, sizeof retries);
    memset(rejected, 0, sizeof rejected);
    memset(accepted, 0, sizeof accepted);
    memset(reinvites, 0, sizeof reinvites);
    pair_open_with(&pair, alice, NULL);
    agent.on_invite = on_invite;
    agent.on_reinvite = on_reinvite;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[ALICE], &agent));
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &agent));
    pair_invite(&pair, fate(), NULL, NULL);
    pair_exchange(&pair);
    CHECK_NUMBER(accepted[ALICE], 1);
}

static void reinvite(int side, uint32_t flags)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    options.flags = flags;
    options.delegate = fate();
    pair_body(&options.body, HOLD);
    CHECK_OK(sipdlg_session_invite(session[side], &options, NULL));
}

static void both_are_tried_again(void)
{
    sipdlg_request_options_t without = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_body_t body;
    call(NULL);
    renews = 1;
    pair_trace(&pair);
    reinvite(ALICE, 0);
    reinvite(BOB, 0);
    pair_exchange(&pair);
    CHECK(delay_us[ALICE] >= 2100000 && delay_us[ALICE] <= 4000000);
    CHECK(delay_us[BOB] <= 2000000);
    CHECK_NUMBER(delay_us[ALICE] % 10000 + delay_us[BOB] % 10000, 0);
    CHECK_NUMBER(sipdlg_outgoing_state(waiting[ALICE]), SIPDLG_OUTGOING_WAITING_RETRY);
    without.flags = SIPDLG_REQUEST_NO_RETRY; /* any other would take over the wait */
    CHECK_STATUS(sipdlg_session_invite(session[ALICE], &without, NULL), SIPDLG_ERR_STATE);
    pair_advance(&pair, 5000);
    CHECK_NUMBER(retries[ALICE], 1);
    CHECK_NUMBER(retries[BOB], 1);
    CHECK_NUMBER(asked[ALICE], 1); /* it has answered bob's meanwhile */
    CHECK_NUMBER(asked[BOB], 0);
    pair_body(&body, LATER);
    CHECK_STATUS(sipdlg_outgoing_retry(waiting[ALICE], &body), SIPDLG_ERR_STATE);
    CHECK_NUMBER(reinvites[ALICE], 1);
    CHECK_NUMBER(reinvites[BOB], 1);
    CHECK_NUMBER(accepted[ALICE], 2);
    CHECK_NUMBER(accepted[BOB], 1);
    CHECK_NUMBER(rejected[ALICE] + rejected[BOB], 0);
    CHECK_OK(sipdlg_session_hangup(session[ALICE], 0, NULL));
    pair_close(&pair);
}

/* RFC 3264 section 8: no offer after a later description. */
static void a_stale_one_is_not_sent(void)
{
    call(NULL);
    renews = 0;
    reinvite(ALICE, 0);
    reinvite(BOB, 0);
    pair_exchange(&pair);
    pair_advance(&pair, 2000);
    CHECK_NUMBER(asked[ALICE], 1);
    pair_trace(&pair);
    pair_advance(&pair, 8000);
    CHECK_CSTR(pair_trace(&pair), "");
    CHECK_NUMBER(rejected[ALICE], 1);
    CHECK_NUMBER(last_status, 491);
    CHECK_NUMBER(accepted[BOB], 1);
    CHECK_OK(sipdlg_session_hangup(session[ALICE], 0, NULL));
    pair_close(&pair);
}

static void a_waiting_one_is_cancelled_another_not_retried(void)
{
    call(NULL);
    reinvite(ALICE, 0);
    reinvite(BOB, SIPDLG_REQUEST_NO_RETRY);
    pair_exchange(&pair);
    CHECK_NUMBER(rejected[BOB], 1);
    pair_trace(&pair);
    CHECK_OK(sipdlg_outgoing_cancel(waiting[ALICE], NULL, NULL));
    CHECK_NUMBER(sipdlg_outgoing_state(waiting[ALICE]), SIPDLG_OUTGOING_COMPLETED);
    CHECK_STATUS(sipdlg_outgoing_cancel(waiting[ALICE], NULL, NULL), SIPDLG_NONE);
    pair_advance(&pair, 5000);
    CHECK_NUMBER(rejected[ALICE], 1);
    CHECK_NUMBER(last_status, 491);
    CHECK_CSTR(pair_trace(&pair), "");
    CHECK_OK(sipdlg_session_hangup(session[ALICE], 0, NULL));
    pair_close(&pair);
}

static void a_configuration_without_retry(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_STATUS(sipdlg_config_set_glare_retry(config, 2), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_set_glare_retry(config, 0));
    call(config);
    reinvite(ALICE, 0);
    reinvite(BOB, 0);
    pair_exchange(&pair);
    CHECK_NUMBER(rejected[ALICE], 1);
    CHECK_NUMBER(retries[ALICE], 0);
    CHECK_NUMBER(retries[BOB], 1);
    CHECK_OK(sipdlg_session_hangup(session[ALICE], 0, NULL));
    pair_close(&pair);
}

static sipdlg_config_t *stern(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_STATUS(sipdlg_config_set_effect(config, "INFO", 200, SIPDLG_EFFECT_DIALOG), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_config_set_effect(config, "INFO", 469, 3), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_config_set_effect(config, NULL, 469, SIPDLG_EFFECT_DIALOG), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_set_effect(config, "INFO", 469, SIPDLG_EFFECT_DIALOG));
    CHECK_OK(sipdlg_config_set_effect(config, "INVITE", 491, SIPDLG_EFFECT_USAGE));
    return config;
}

/* By RFC 5057 a 469 ends the INFO alone; here it ends the call. And a 491, which then is not tried again. */
static void the_host_says_what_a_failure_ends(void)
{
    sipdlg_request_options_t tone = SIPDLG_REQUEST_OPTIONS_INIT;
    pair_body(&tone.body, "Signal=5");
    tone.body.content_type = "application/dtmf-relay";
    CHECK_NUMBER(sipdlg_effect_of("INFO", 469), SIPDLG_EFFECT_TRANSACTION);
    call(stern());
    CHECK_OK(sipdlg_session_info(session[ALICE], &tone, NULL));
    pair_exchange(&pair);
    CHECK_STATUS(sipdlg_session_state(session[ALICE]), SIPDLG_ERR_STALE);
    pair_close(&pair);
    call(stern());
    reinvite(ALICE, 0);
    reinvite(BOB, 0);
    pair_exchange(&pair);
    CHECK_NUMBER(retries[ALICE], 0);
    CHECK_STATUS(sipdlg_session_state(session[ALICE]), SIPDLG_ERR_STALE);
    pair_close(&pair);
}

int main(void)
{
    both_are_tried_again();
    a_stale_one_is_not_sent();
    a_waiting_one_is_cancelled_another_not_retried();
    a_configuration_without_retry();
    the_host_says_what_a_failure_ends();
    return check_report("glare");
}
