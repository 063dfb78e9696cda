/* 199 for one of several early dialogs (RFC 6228), who answered (RFC 4916), why (RFC 3326), and calls to SIPS URIs (RFC 5630). */
#include "pair.h"

#define WHY "Q.850;cause=17;text=\"User busy\""

static struct pair pair;
static sipdlg_session_t alice, forks[2];
static sipdlg_incoming_t waiting;
static int progressed, ended, end_status, end_reason, end_message, rejected;
static char text[3][128]; /* of PROGRESS, TERMINATED, and the other ends */

static void keep(char *out, const sipdlg_event_t *event)
{
    snprintf(out, sizeof text[0], "%.*s", (int)event->text.len, event->text.len == 0 ? "" : event->text.data);
}

static void on_fate(void *user, const sipdlg_event_t *event)
{
    (void)user;
    switch (event->kind) {
    case SIPDLG_EVENT_PROGRESS:
        progressed = event->status_code;
        keep(text[0], event);
        break;
    case SIPDLG_EVENT_REJECT:
        rejected = event->status_code;
        keep(text[2], event);
        break;
    default:
        alice = event->session;
    }
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    ended++;
    end_status = event->status_code;
    end_reason = event->reason;
    end_message = event->message == NULL ? 0 : sipdlg_message_status_code(event->message);
    keep(text[1], event);
}

static void on_bye(void *user, const sipdlg_event_t *event)
{
    (void)user;
    keep(text[2], event);
    CHECK_OK(sipdlg_event_default(event));
}

static void ring_twice(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t options = SIPDLG_RESPONSE_OPTIONS_INIT;
    (void)user;
    waiting = event->incoming;
    options.to_tag = "one";
    CHECK_OK(sipdlg_incoming_progress(waiting, 180, &options, &forks[0]));
    options.to_tag = "two";
    CHECK_OK(sipdlg_incoming_progress(waiting, 180, &options, &forks[1]));
}

static const sipdlg_delegate_t *fate(void)
{
    static sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    delegate.on_progress = delegate.on_accept = delegate.on_reject = on_fate;
    delegate.on_terminated = on_terminated;
    return &delegate;
}

/* A call to another name than bob's own. */
static void call_the_desk(void)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    options.delegate = fate();
    options.to = "sip:desk@example.com";
    pair_body(&options.body, OFFER);
    CHECK_OK(sipdlg_agent_invite(pair.agent[ALICE], BOB_URI ":5060", &options, NULL));
    pair_exchange(&pair);
}

static const char *text_of(sipdlg_status_t (*property)(sipdlg_session_t, char *, size_t, size_t *), sipdlg_session_t session)
{
    static char buffer[128];
    CHECK_OK(property(session, buffer, sizeof buffer, NULL));
    return buffer;
}

static void one_of_several_ends(void)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    call_the_desk();
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n< 180 INVITE\n< 180 INVITE\n");
    options.reason = "SIP;cause=486\r\n";
    CHECK_STATUS(sipdlg_session_hangup(forks[0], 486, &options), SIPDLG_ERR_SYNTAX);
    options.reason = WHY;
    CHECK_OK(sipdlg_session_hangup(forks[0], 486, &options));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< 199 INVITE\n");
    CHECK_NUMBER(progressed, 199);
    CHECK_CSTR(text[0], WHY ", SIP;cause=486;text=\"Busy Here\"");
    CHECK_CSTR(text[1], text[0]);
    CHECK_NUMBER(ended, 1);
    CHECK_NUMBER(end_reason, SIPDLG_REASON_REJECTED);
    CHECK_NUMBER(end_status, 486);
    CHECK_NUMBER(end_message, 199);
    CHECK_NUMBER(sipdlg_session_state(forks[1]), SIPDLG_SESSION_EARLY);
    CHECK_OK(pair_accept(waiting, NULL));
    pair_exchange(&pair);
}

static void who_answered(void)
{
    CHECK_CSTR(pair_trace(&pair), "< 200 INVITE\n> ACK\n< UPDATE\n> 200 UPDATE\n");
    CHECK_CSTR(text_of(sipdlg_session_remote_uri, alice), BOB_URI);
    CHECK_CSTR(text_of(sipdlg_session_local_uri, forks[1]), BOB_URI);
}

static void why_it_ends(void)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    options.reason = WHY;
    CHECK_OK(sipdlg_session_bye(alice, &options, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(text[2], WHY);
}

static void refuse(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t options = SIPDLG_RESPONSE_OPTIONS_INIT;
    (void)user;
    options.reason = "two\nlines";
    CHECK_STATUS(sipdlg_incoming_reject(event->incoming, 486, &options), SIPDLG_ERR_SYNTAX);
    options.reason = WHY;
    CHECK_OK(sipdlg_incoming_reject(event->incoming, 486, &options));
}

static void why_it_is_refused(sipdlg_delegate_t *agent)
{
    agent->on_invite = refuse;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], agent));
    call_the_desk();
    CHECK_NUMBER(rejected, 486);
    CHECK_CSTR(text[2], WHY);
}

static void only_sips(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_OK(sipdlg_config_set_sips(config, SIPDLG_REQUIRED));
    pair_open_with(&pair, NULL, config);
    call_the_desk();
    CHECK_NUMBER(rejected, 480);
    CHECK_NUMBER(pair_stats(&pair, BOB).refused_scheme, 1);
    pair_close(&pair);
}

int main(void)
{
    sipdlg_delegate_t agent = SIPDLG_DELEGATE_INIT;
    sipdlg_config_t *config[] = {sipdlg_config_new(), sipdlg_config_new()};
    CHECK_OK(sipdlg_config_set_connected_identity(config[ALICE], 1));
    CHECK_OK(sipdlg_config_set_connected_identity(config[BOB], 1));
    pair_open_with(&pair, config[ALICE], config[BOB]);
    agent.on_invite = ring_twice;
    agent.on_bye = on_bye;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &agent));
    one_of_several_ends();
    who_answered();
    why_it_ends();
    why_it_is_refused(&agent);
    pair_close(&pair);
    only_sips();
    return check_report("identity_and_reason");
}
