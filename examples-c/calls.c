#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "calls.h"

struct call_settings call_settings = {
    { -1, -1, -1, -1, -1 }, NULL, 0, 0, 0, SIPDLG_SUPPORTED, SIPDLG_REFRESHER_ANY, 0, 0, NULL, NULL,
    NULL, NULL, { NULL }, NULL, NULL, NULL, NULL, 0, 0
};

static const struct call_hooks *hooks;
static sipdlg_delegate_t fate = SIPDLG_DELEGATE_INIT;     /* of what is sent here */
static sipdlg_delegate_t referred = SIPDLG_DELEGATE_INIT; /* of calls that a REFER asked for */
static struct line lines[ACTIONS];                        /* of sipdlg_session_t */
static int wanted;                                        /* whether anything is done at its time */
static struct line later[ACTIONS] = { { .wait_ms = 20 }, { .wait_ms = 20 } }; /* what has to wait for another exchange */
static struct referral { sipdlg_outgoing_t invite; int rings; } *referrals; /* calls that a REFER asked for, without an answer */
static size_t pending, room;

int calls_check(const char *program)
{
    int what;
    if ((call_settings.ms[ACTION_REFER] >= 0) != (call_settings.refer_to != NULL)) {
        fprintf(stderr, "%s: --refer-ms and --refer-to go together\n", program);
        return 0;
    }
    if ((uint64_t)call_settings.interval_s > UINT32_MAX || (uint64_t)call_settings.min_se_s > UINT32_MAX) {
        fprintf(stderr, "%s: --session-interval and --min-se are less than 2^32\n", program);
        return 0;
    }
    for (what = 0; what < ACTIONS; what++)
        wanted |= call_settings.ms[what] >= 0;
    return 1;
}

static int set_tls(sipdlg_config_t *config)
{
    sipdlg_tls_t tls = SIPDLG_TLS_INIT;
    tls.certificates = call_settings.tls_certificate;
    tls.key = call_settings.tls_key;
    tls.authorities = call_settings.tls_authorities;
    if (call_settings.tls_insecure)
        tls.verify = SIPDLG_TLS_VERIFY_NOTHING;
    else if (tls.certificates == NULL && tls.key == NULL && tls.authorities == NULL)
        return 1; /* nothing was asked for; the build may have no TLS */
    return !failed(sipdlg_config_set_tls(config, &tls), "TLS");
}

int calls_configure(sipdlg_config_t *config)
{
    return !failed(sipdlg_config_set_session_timer(config, call_settings.timer_policy, (uint32_t)call_settings.interval_s,
                                                   (uint32_t)call_settings.min_se_s, call_settings.timer_refresher),
                   "session timer")
        && (call_settings.password == NULL
            || !failed(sipdlg_config_add_credentials(config, NULL, call_settings.user, call_settings.password, 0, NULL), "password"))
        && (call_settings.resolver == NULL || !failed(sipdlg_config_set_resolver(config, call_settings.resolver), "resolver"))
        && set_tls(config)
        && (!call_settings.trace || !failed(sipdlg_config_set_trace(config, trace_print, NULL), "trace"));
}

int calls_capture(sipdlg_agent_t agent)
{
    return (call_settings.pcap == NULL || !failed(sipdlg_agent_capture_pcap(agent, call_settings.pcap), call_settings.pcap))
        && (call_settings.hep == NULL || !failed(sipdlg_agent_capture_hep(agent, call_settings.hep, 0, NULL), call_settings.hep));
}

int calls_open(sipdlg_agent_t agent, const char *otherwise)
{
    size_t at;
    if (call_settings.listen[0] == NULL)
        call_settings.listen[0] = otherwise;
    for (at = 0; call_settings.listen[at] != NULL; at++)
        if (failed(sipdlg_agent_listen(agent, call_settings.listen[at]), call_settings.listen[at]))
            return 0;
    return 1;
}

int calls_answer(struct sdp *sdp, unsigned version, const sipdlg_message_t *message, sipdlg_body_t *body)
{
    if (call_settings.answer_by_offer)
        return sdp_answer(sdp, version, message, body);
    sdp_write(sdp, version, sdp_answer_direction(message), body);
    return 1;
}

/* ---------------------------------------------------------------- what the peer asks for */

static void on_update(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    sipdlg_body_view_t offer;
    sipdlg_status_t status;
    struct sdp sdp;
    (void)user;
    if (sipdlg_message_session_body(event->message, &offer) != SIPDLG_OK)
        status = sipdlg_incoming_accept(event->incoming, 0, NULL, NULL);
    else if (calls_answer(&sdp, hooks->next_version(event->session), event->message, &response.body))
        status = sipdlg_incoming_accept(event->incoming, 0, &response, NULL);
    else
        status = sipdlg_incoming_reject(event->incoming, 488, NULL);
    answer_failed(status, "UPDATE");
}

static void on_referred_ringing(void *user, const sipdlg_event_t *event)
{
    size_t i;
    (void)user;
    for (i = 0; i < pending; i++)
        if (referrals[i].invite == event->outgoing)
            referrals[i].rings = 1;
}

static void answered(sipdlg_outgoing_t invite)
{
    size_t i;
    for (i = 0; i < pending; i++)
        if (referrals[i].invite == invite)
            referrals[i--] = referrals[--pending];
}

static void on_referred_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    answered(event->outgoing);
    if (event->flags & SIPDLG_EVENT_NEEDS_ACK) {
        sipdlg_request_options_t ack = SIPDLG_REQUEST_OPTIONS_INIT;
        struct sdp sdp;
        calls_answer(&sdp, 0, event->message, &ack.body);
        failed(sipdlg_session_ack(event->session, &ack), "ACK");
    }
}

static void on_referred_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    answered(event->outgoing); /* its sender has been told */
}

static void on_referred_reinvite(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    struct sdp sdp;
    (void)user;
    if (calls_answer(&sdp, 1, event->message, &response.body))
        answer_failed(sipdlg_incoming_accept(event->incoming, 0, &response, NULL), "re-INVITE");
    else
        answer_failed(sipdlg_incoming_reject(event->incoming, 488, NULL), "re-INVITE");
}

static void on_refer(void *user, const sipdlg_event_t *event)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_status_t status;
    struct sdp sdp;
    (void)user;
    if (!call_settings.accept_refer) {
        answer_failed(sipdlg_incoming_reject(event->incoming, 603, NULL), "REFER");
        return;
    }
    if (pending == room) {
        struct referral *more = realloc(referrals, (room + 16) * sizeof *more);
        if (more == NULL) {
            answer_failed(sipdlg_incoming_reject(event->incoming, 500, NULL), "REFER");
            return;
        }
        referrals = more;
        room += 16;
    }
    referrals[pending].rings = 0;
    request.refer = event->incoming; /* accepts it, and tells its sender how the call goes */
    request.delegate = &referred;
    sdp_write(&sdp, 0, "sendrecv", &request.body);
    status = sipdlg_agent_invite(event->agent, NULL, &request, &referrals[pending].invite);
    if (status == SIPDLG_ERR_UNSUPPORTED || status == SIPDLG_ERR_NO_TRANSPORT) {
        /* tel, http; sips over UDP: the sender's doing */
        answer_failed(sipdlg_incoming_reject(event->incoming, 416, NULL), "REFER");
        return;
    }
    if (failed(status, "REFER")) {
        answer_failed(sipdlg_incoming_reject(event->incoming, 500, NULL), "REFER");
        hooks->failed("a REFER could not be followed");
        return;
    }
    pending++;
}

/* ---------------------------------------------------------------- what is done at its time */

static enum action action_of(const sipdlg_event_t *event)
{
    switch (event->method) {
    case SIPDLG_METHOD_UPDATE: return ACTION_UPDATE;
    case SIPDLG_METHOD_MESSAGE: return ACTION_MESSAGE;
    case SIPDLG_METHOD_REFER: return ACTION_REFER;
    default: return ACTION_REINVITE;
    }
}

/* The target of our REFER has answered, or its subscription is over. */
static void on_notify(void *user, const sipdlg_event_t *event)
{
    char problem[48];
    (void)user;
    if (event->incoming != 0)
        answer_failed(sipdlg_event_default(event), "NOTIFY"); /* 200; 489 or 481 to one of no REFER of ours */
    if (!(event->flags & SIPDLG_EVENT_LAST) || event->session == 0)
        return;
    snprintf(problem, sizeof problem, "the target of REFER said %d", (int)event->status_code);
    hooks->done(event->session, ACTION_REFER, event->status_code >= 200 && event->status_code < 300 ? NULL : problem);
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->session != 0 && event->method != SIPDLG_METHOD_REFER) /* of which NOTIFYs tell */
        hooks->done(event->session, action_of(event), NULL);
}

static void on_reject(void *user, const sipdlg_event_t *event)
{
    static const char *const names[ACTIONS] = { "UPDATE", "re-INVITE", "MESSAGE", "REFER", "BYE" };
    char problem[64];
    (void)user;
    if (event->session != 0 && event->status_code == 491 && (event->flags & SIPDLG_EVENT_LOCAL)) {
        hooks->done(event->session, action_of(event), NULL); /* a newer one of ours took its place while it waited */
        return;
    }
    snprintf(problem, sizeof problem, "%d%s to %s", (int)event->status_code,
             event->flags & SIPDLG_EVENT_LOCAL ? " (made here)" : "", names[action_of(event)]);
    if (event->session != 0)
        hooks->done(event->session, action_of(event), problem);
}

void calls_listen(sipdlg_delegate_t *delegate, const struct call_hooks *of_program)
{
    hooks = of_program;
    delegate->on_update = on_update;
    delegate->on_refer = on_refer;
    delegate->on_notify = on_notify;
    fate.on_accept = on_accept;
    fate.on_redirect = on_reject;
    fate.on_reject = on_reject;
    referred.on_trying = on_referred_ringing;
    referred.on_progress = on_referred_ringing;
    referred.on_accept = on_referred_accept;
    referred.on_redirect = on_referred_reject;
    referred.on_reject = on_referred_reject;
    referred.on_reinvite = on_referred_reinvite;
    referred.on_update = on_update;
}

int calls_wanted(void)
{
    return wanted;
}

int calls_begin(sipdlg_session_t session)
{
    int count = 0, what;
    for (what = 0; what < ACTIONS; what++)
        if (call_settings.ms[what] >= 0) {
            lines[what].wait_ms = (uint64_t)call_settings.ms[what];
            if (!line_add(&lines[what], session))
                return -1;
            count++;
        }
    return count;
}

static sipdlg_status_t act(enum action what, sipdlg_session_t session)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    struct sdp sdp;
    request.delegate = &fate; /* the user pointer is the session's */
    switch (what) {
    case ACTION_UPDATE:
        sdp_write(&sdp, hooks->next_version(session), "sendrecv", &request.body);
        return sipdlg_session_update(session, &request, NULL);
    case ACTION_REINVITE:
        sdp_write(&sdp, hooks->next_version(session), "sendrecv", &request.body);
        return sipdlg_session_invite(session, &request, NULL);
    case ACTION_MESSAGE:
        request.body.data = "hello";
        request.body.len = 5;
        request.body.content_type = "text/plain";
        return sipdlg_session_message(session, &request, NULL);
    case ACTION_REFER:
        return sipdlg_session_refer(session, call_settings.refer_to, 0, &request, NULL);
    default:
        return sipdlg_session_hangup(session, 0, NULL);
    }
}

int calls_pending(void)
{
    return pending > 0;
}

void calls_cancel(void)
{
    size_t i;
    for (i = 0; i < pending; i++)
        answer_failed(sipdlg_outgoing_cancel(referrals[i].invite, NULL, NULL), "cancel");
}

int calls_ringing(void)
{
    size_t i;
    for (i = 0; i < pending; i++)
        if (referrals[i].rings)
            return 1;
    return 0;
}

/* Whether another offer, or a re-INVITE, is under way: one at a time (RFC 3264 section 4, RFC 3261 section 14.1). */
static int is_busy(sipdlg_session_t session)
{
    int32_t state = sipdlg_session_signaling_state(session);
    return state == SIPDLG_SIGNALING_HAVE_LOCAL_OFFER || state == SIPDLG_SIGNALING_HAVE_REMOTE_OFFER
        || sipdlg_session_reinvite_client(session, NULL) == SIPDLG_OK
        || sipdlg_session_reinvite_server(session, NULL) == SIPDLG_OK;
}

void calls_run(uint64_t now)
{
    uint64_t session;
    int what;
    for (what = 0; wanted && what < ACTIONS; what++)
        while (line_take(&later[what], now, &session) || line_take(&lines[what], now, &session)) {
            sipdlg_status_t status;
            if (sipdlg_session_state(session) < 0 || sipdlg_session_state(session) == SIPDLG_SESSION_TERMINATED)
                continue; /* the peer has ended it */
            if ((what == ACTION_UPDATE || what == ACTION_REINVITE) && is_busy(session) && line_add(&later[what], session))
                continue;
            status = act((enum action)what, session);
            if (status != SIPDLG_OK)
                failed(status, "what was due in a call");
            if (status != SIPDLG_OK || what == ACTION_BYE)
                hooks->done(session, (enum action)what, status == SIPDLG_OK ? NULL : "the library refused what was due");
        }
}

int calls_timeout(uint64_t now, int limit_ms)
{
    int what;
    for (what = 0; wanted && what < ACTIONS; what++)
        limit_ms = line_timeout(&lines[what], now, line_timeout(&later[what], now, limit_ms));
    return limit_ms;
}

void calls_explain(sipdlg_session_t session)
{
    sipdlg_explain_entry_t entry;
    char call_id[256] = "";
    uint32_t count = 0;
    entry.size = sizeof entry;
    if (!call_settings.explain)
        return;
    while (sipdlg_session_explain(session, count, NULL) == SIPDLG_OK)
        count++;
    sipdlg_session_call_id(session, call_id, sizeof call_id, NULL);
    while (count > 0 && sipdlg_session_explain(session, --count, &entry) == SIPDLG_OK)
        printf("explain %s %" PRIu64 ".%06u reason %d, status %d: %.*s (%.*s)\n", call_id, entry.unix_us / 1000000,
               (unsigned)(entry.unix_us % 1000000), (int)entry.reason, (int)entry.status_code, (int)entry.text.len,
               entry.text.data, (int)entry.rfc.len, entry.rfc.data);
    fflush(stdout);
}

void calls_free(void)
{
    int what;
    for (what = 0; what < ACTIONS; what++) {
        line_free(&lines[what]);
        line_free(&later[what]);
    }
    free(referrals);
}
