/* Places calls, each: INVITE, ACK, with options hold, resume and INFO, then BYE; takes the peer's re-INVITE. Exit status 0 only when
 * every call went through all that was asked. One thread, the built-in runtime. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "calls.h"

static struct {
    const char *to, *from, *user, *replaces, *route;
    long duration_ms, calls, rate, cancel_ms;
    int hold, cancel_hold, info, late_offer, peer_hangs_up, quiet, ladder;
} settings = { NULL, "sip:alice@127.0.0.1", "alice", NULL, NULL, 0, 1, 10, -1, 0, 0, 0, 0, 0, 0, 0 };

static const struct option options[] = {
    { "listen", OPTION_TEXTS, call_settings.listen,
      "udp:IP:PORT, tcp:, tls:, ws:, wss: or without port, only to connect from (127.0.0.1, by what --to wants); may be given again", NULL },
    { "to", OPTION_TEXT, &settings.to, "whom to call: sip:bob@127.0.0.1:5070, sip:bob@127.0.0.1:5070;transport=tcp (ws, wss), sips:bob@localhost:5071", NULL },
    { "from", OPTION_TEXT, &settings.from, "who calls (sip:alice@127.0.0.1)", NULL },
    { "user", OPTION_TEXT, &settings.user, "user name for 401 and 407 (alice)", NULL },
    { "password", OPTION_TEXT, &call_settings.password, "password for 401 and 407, of whatever realm", NULL },
    { "route", OPTION_TEXT, &settings.route, "by whom: a proxy, <sip:127.0.0.1:5060;transport=tcp;lr>", NULL },
    { "hold", OPTION_FLAG, &settings.hold, "put the call on hold and take it back (two re-INVITEs)", NULL },
    { "cancel-hold", OPTION_FLAG, &settings.cancel_hold, "with --hold: cancel the first of them; then 487 is success", NULL },
    { "info", OPTION_FLAG, &settings.info, "send a digit by INFO", NULL },
    { "replaces", OPTION_TEXT, &settings.replaces, "take the place of a call: CALLID;to-tag=...;from-tag=... (RFC 3891)", NULL },
    { "late-offer", OPTION_FLAG, &settings.late_offer, "INVITE without offer, answer in the ACK or in a PRACK", NULL },
    { "duration-ms", OPTION_NUMBER, &settings.duration_ms, "time before BYE, when all else is done (0)", NULL },
    { "peer-hangs-up", OPTION_FLAG, &settings.peer_hangs_up, "wait for the peer's BYE", NULL },
    { "cancel-ms", OPTION_NUMBER, &settings.cancel_ms, "cancel the call so long after INVITE; then 487 is success", NULL },
    { "calls", OPTION_NUMBER, &settings.calls, "number of calls (1)", NULL },
    { "rate", OPTION_NUMBER, &settings.rate, "calls a second (10)", NULL },
    { "quiet", OPTION_FLAG, &settings.quiet, "print nothing for each call", NULL },
    { "ladder", OPTION_FLAG, &settings.ladder, "draw each message as an arrow", NULL },
    CALL_OPTIONS,
};

enum { REPLACES_MAX = 1000 };

enum step { STEP_INVITE, STEP_HOLD, STEP_RESUME, STEP_INFO, STEP_TALK, STEP_BYE, STEP_OVER };

/* The library holds it as user pointer of the INVITE and its sessions, and gives it back to release_call(). */
struct call {
    struct call *next, *before;  /* in `living` */
    enum step step;              /* what runs now */
    sipdlg_outgoing_t invite;
    sipdlg_session_t session;
    unsigned version;            /* of the description sent last */
    int open;                    /* what was asked for at its time and is not done yet */
    int rings;                   /* something has come: a CANCEL may go out (RFC 3261 section 9.1) */
    int begun;
};

static sipdlg_agent_t agent;
static sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
static struct call *living;
static struct line to_hang_up; /* of sipdlg_session_t */
static struct line to_cancel;  /* of sipdlg_outgoing_t */
static long completed, not_completed;

static void over(struct call *call, const char *problem)
{
    if (call->step == STEP_OVER)
        return;
    call->step = STEP_OVER;
    if (problem == NULL)
        completed++;
    else
        not_completed++;
    if (problem != NULL)
        fprintf(stderr, "a call was not completed: %s\n", problem);
    else if (!settings.quiet)
        printf("call %ld completed\n", completed);
}

static void forget(struct call *call)
{
    if (call->next != NULL)
        call->next->before = call->before;
    if (call->before != NULL)
        call->before->next = call->next;
    else
        living = call->next;
    free(call);
}

static void release_call(void *user)
{
    over(user, "the library let it go before its end");
    forget(user);
}

static void give_up(struct call *call, const char *problem)
{
    over(call, problem);
    if (call->session != 0)
        answer_failed(sipdlg_session_hangup(call->session, 0, NULL), "hang-up"); /* it may have ended */
    else
        answer_failed(sipdlg_outgoing_cancel(call->invite, NULL, NULL), "cancel");
}

static sipdlg_status_t modify(struct call *call, const char *direction)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_outgoing_t reinvite;
    sipdlg_status_t status;
    struct sdp sdp;
    request.delegate = &delegate;
    sdp_write(&sdp, ++call->version, direction, &request.body);
    status = sipdlg_session_invite(call->session, &request, &reinvite);
    if (status == SIPDLG_OK && call->step == STEP_HOLD && settings.cancel_hold)
        status = sipdlg_outgoing_cancel(reinvite, NULL, NULL); /* goes out with the first provisional response */
    return status;
}

static sipdlg_status_t send_digit(struct call *call)
{
    static const char digit[] = "Signal=5\r\nDuration=160\r\n";
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    request.delegate = &delegate; /* the user pointer is the session's */
    request.body.data = digit;
    request.body.len = sizeof digit - 1;
    request.body.content_type = "application/dtmf-relay";
    return sipdlg_session_info(call->session, &request, NULL);
}

static unsigned next_version(sipdlg_session_t session)
{
    struct call *call = sipdlg_session_user(session);
    return call == NULL ? 1 : ++call->version;
}

/* The next step after one is done; steps that were not asked for are passed over. */
static void advance(struct call *call)
{
    sipdlg_status_t status = SIPDLG_OK;
    switch (call->step) {
    case STEP_INVITE:
        call->step = STEP_HOLD;
        if (settings.hold) {
            status = modify(call, "sendonly");
            break;
        }
        /* fall through */
    case STEP_HOLD:
        call->step = STEP_RESUME;
        if (settings.hold) {
            status = modify(call, "sendrecv");
            break;
        }
        /* fall through */
    case STEP_RESUME:
        call->step = STEP_INFO;
        if (settings.info) {
            status = send_digit(call);
            break;
        }
        /* fall through */
    case STEP_INFO:
        call->step = STEP_TALK;
        if (settings.peer_hangs_up || call->open > 0)
            return; /* action_done() goes on */
        if (settings.duration_ms > 0) {
            if (!line_add(&to_hang_up, call->session))
                give_up(call, "no memory");
            return;
        }
        /* fall through */
    case STEP_TALK:
        call->step = STEP_BYE;
        status = sipdlg_session_hangup(call->session, 0, NULL);
        break;
    default:
        return;
    }
    if (failed(status, "call"))
        give_up(call, "the library refused the next step");
}

/* Of what is done at its time. */
static void action_done(sipdlg_session_t session, enum action what, const char *problem)
{
    struct call *call = sipdlg_session_user(session);
    if (call == NULL || call->session != session)
        return;
    if (problem != NULL) {
        give_up(call, problem);
        return;
    }
    call->open--;
    if (what == ACTION_BYE)
        call->step = STEP_BYE;
    else if (call->step == STEP_TALK && call->open == 0 && !settings.peer_hangs_up) {
        call->step = STEP_INFO;
        advance(call);
    }
}

static void referred_failed(const char *problem)
{
    fprintf(stderr, "call_client: %s\n", problem);
    not_completed++;
}

static void on_trying(void *user, const sipdlg_event_t *event)
{
    struct call *call = event->user;
    (void)user;
    call->rings = 1;
}

/* A reliable response is acknowledged already, unless it brought an offer: then its PRACK carries the answer. */
static void on_progress(void *user, const sipdlg_event_t *event)
{
    struct call *call = event->user;
    (void)user;
    call->rings = 1;
    if (!settings.quiet)
        printf("%d\n", (int)event->status_code);
    if (event->flags & SIPDLG_EVENT_NEEDS_PRACK) {
        sipdlg_request_options_t prack = SIPDLG_REQUEST_OPTIONS_INIT;
        struct sdp sdp;
        int left = calls_answer(&sdp, call->version, event->message, &prack.body);
        if (failed(sipdlg_session_prack(event->session, &prack, NULL), "PRACK"))
            give_up(call, "no PRACK");
        else if (!left)
            give_up(call, "nothing of the offer is left");
    }
}

/* The 2xx of INVITE, re-INVITE and INFO. The ACK has gone out already, unless the 2xx brought an offer. */
static void on_accept(void *user, const sipdlg_event_t *event)
{
    struct call *call = event->user;
    (void)user;
    if (call->session == 0)
        call->session = event->session;
    if (event->session != call->session)
        return; /* another fork: the library ends it */
    if (call->step == STEP_OVER) {
        give_up(call, NULL); /* given up while it rang */
        return;
    }
    if (settings.cancel_ms >= 0 && call->step == STEP_INVITE) {
        give_up(call, "answered before it was cancelled");
        return;
    }
    if (event->flags & SIPDLG_EVENT_NEEDS_ACK) {
        sipdlg_request_options_t ack = SIPDLG_REQUEST_OPTIONS_INIT;
        struct sdp sdp;
        int left = calls_answer(&sdp, call->version, event->message, &ack.body);
        if (failed(sipdlg_session_ack(event->session, &ack), "ACK")) {
            give_up(call, "no ACK");
            return;
        }
        if (!left) { /* RFC 3261 section 13.2.2.4: a good answer, then BYE */
            give_up(call, "nothing of the offer is left");
            return;
        }
    }
    if (!call->begun) {
        call->begun = 1;
        call->open = calls_begin(call->session);
        if (call->open < 0) {
            give_up(call, "no memory");
            return;
        }
    }
    advance(call);
}

/* The peer holds the call, takes it back, moves it. */
static void on_reinvite(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    struct call *call = event->user;
    struct sdp sdp;
    (void)user;
    if (!calls_answer(&sdp, ++call->version, event->message, &response.body)) {
        answer_failed(sipdlg_incoming_reject(event->incoming, 488, NULL), "reject");
        return;
    }
    if (answer_failed(sipdlg_incoming_accept(event->incoming, 0, &response, NULL), "re-INVITE")) {
        answer_failed(sipdlg_incoming_reject(event->incoming, 500, NULL), "reject");
        give_up(call, "no answer to a re-INVITE");
    }
}

static void on_reject(void *user, const sipdlg_event_t *event)
{
    struct call *call = event->user;
    char problem[80];
    (void)user;
    if (call->step == STEP_INVITE && settings.cancel_ms >= 0 && event->status_code == 487) {
        over(call, NULL);
        return;
    }
    if (call->step == STEP_HOLD && settings.cancel_hold && event->status_code == 487) {
        advance(call);
        return;
    }
    snprintf(problem, sizeof problem, "%d%s to step %d", (int)event->status_code,
             event->flags & SIPDLG_EVENT_LOCAL ? " (made here)" : "", (int)call->step);
    give_up(call, problem);
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    struct call *call = event->user;
    char problem[80];
    (void)user;
    calls_explain(event->session);
    if (call == NULL || event->session != call->session)
        return; /* a fork that lost */
    snprintf(problem, sizeof problem, "ended at step %d, reason %d", (int)call->step, (int)event->reason);
    over(call, call->step == STEP_BYE || (call->step == STEP_TALK && settings.peer_hangs_up && call->open == 0
                                          && event->reason == SIPDLG_REASON_REMOTE_BYE) ? NULL : problem);
}

static void place(void)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    struct call *call = calloc(1, sizeof *call);
    char replaces[REPLACES_MAX + 16];
    const char *headers[] = { replaces, NULL };
    struct sdp sdp;
    if (call == NULL) {
        not_completed++;
        return;
    }
    call->next = living;
    if (living != NULL)
        living->before = call;
    living = call;
    request.delegate = &delegate;
    request.user = call;
    request.release = release_call;
    if (settings.replaces != NULL) {
        snprintf(replaces, sizeof replaces, "Replaces: %s", settings.replaces);
        request.headers = headers;
    }
    if (!settings.late_offer)
        sdp_write(&sdp, call->version, "sendrecv", &request.body);
    if (failed(sipdlg_agent_invite(agent, settings.to, &request, &call->invite), settings.to)) {
        forget(call);
        not_completed++;
        return;
    }
    if (settings.cancel_ms >= 0 && !line_add(&to_cancel, call->invite))
        give_up(call, "no memory");
}

/* Milliseconds after the start when call number `index` is due. */
static uint64_t due(long index)
{
    return settings.rate == 0 ? 0 : (uint64_t)index * 1000u / (uint64_t)settings.rate;
}

static void run(void)
{
    uint64_t began = now_ms();
    long placed = 0;
    while ((completed + not_completed < settings.calls || calls_pending() > 0) && !stop_asked()) {
        uint64_t token, now = now_ms();
        int timeout = -1;
        while (placed < settings.calls && began + due(placed) <= now) {
            place();
            placed++;
        }
        while (line_take(&to_hang_up, now, &token)) {
            struct call *call = sipdlg_session_user(token);
            if (call != NULL && call->step == STEP_TALK)
                advance(call);
        }
        while (line_take(&to_cancel, now, &token)) /* SIPDLG_NONE: answered already */
            answer_failed(sipdlg_outgoing_cancel(token, NULL, NULL), "cancel");
        calls_run(now);
        if (placed < settings.calls)
            timeout = (int)(began + due(placed) - now);
        timeout = calls_timeout(now, line_timeout(&to_hang_up, now, line_timeout(&to_cancel, now, timeout)));
        if ((completed + not_completed < settings.calls || calls_pending() > 0) && failed(sipdlg_agent_run_once(agent, timeout), "run"))
            break;
    }
}

/* Calls without a session that the peer knows of: it has said 100. */
static int ringing(void)
{
    const struct call *call;
    for (call = living; call != NULL; call = call->next)
        if (call->rings && call->step == STEP_INVITE)
            return 1;
    return 0;
}

/* After a signal: ends the calls that live. */
static void close_down(sipdlg_stats_t *stats)
{
    const struct call *call, *next;
    sipdlg_session_t session = 0;
    calls_cancel();
    for (call = living; call != NULL; call = next) {
        next = call->next;
        if (call->step == STEP_INVITE)
            answer_failed(sipdlg_outgoing_cancel(call->invite, NULL, NULL), "cancel");
    }
    while (sipdlg_agent_next_session(agent, session, &session) == SIPDLG_OK)
        failed(sipdlg_session_hangup(session, 0, NULL), "hang-up");
    while (sipdlg_agent_stats(agent, stats) == SIPDLG_OK && (stats->sessions > 0 || ringing() || calls_ringing()))
        if (failed(sipdlg_agent_run_once(agent, 1000), "run"))
            return;
}

/* Without --listen: what `--to` needs. */
static const char *where_to_listen(void)
{
    if (strncmp(settings.to, "sips:", 5) == 0 || strstr(settings.to, ";transport=tls") != NULL)
        return call_settings.tls_certificate != NULL ? "tls:127.0.0.1:0" : "tls:127.0.0.1"; /* nobody is let in without a certificate */
    if (strstr(settings.to, ";transport=wss") != NULL)
        return "wss:127.0.0.1";
    if (strstr(settings.to, ";transport=ws") != NULL)
        return "ws:127.0.0.1";
    return strstr(settings.to, ";transport=tcp") != NULL ? "tcp:127.0.0.1:0" : "udp:127.0.0.1:0";
}

static int start(void)
{
    static const struct call_hooks hooks = { next_version, action_done, referred_failed };
    sipdlg_config_t *config = sipdlg_config_new();
    int good;
    call_settings.user = settings.user;
    good = config != NULL
        && (!settings.ladder || !failed(sipdlg_config_set_log(config, SIPDLG_LOG_DEBUG, ladder_log, NULL), "log"))
        && !failed(sipdlg_config_set_aor(config, settings.from), settings.from)
        && (settings.route == NULL || !failed(sipdlg_config_set_route_set(config, settings.route), settings.route))
        && calls_configure(config)
        && !failed(sipdlg_agent_new(config, &agent), "agent")
        && calls_capture(agent);
    sipdlg_config_free(config);
    delegate.on_trying = on_trying;
    delegate.on_progress = on_progress;
    delegate.on_accept = on_accept;
    delegate.on_redirect = on_reject;
    delegate.on_reject = on_reject;
    delegate.on_reinvite = on_reinvite;
    delegate.on_terminated = on_terminated;
    calls_listen(&delegate, &hooks);
    return good && calls_open(agent, where_to_listen());
}

int main(int argc, char **argv)
{
    sipdlg_stats_t stats = { 0 };
    sipdlg_status_t status;
    switch (options_parse("call_client: places calls", options, sizeof options / sizeof *options, argc, argv)) {
    case OPTIONS_HELP_SHOWN: return 0;
    case OPTIONS_WRONG: return 2;
    default: break;
    }
    if (settings.to == NULL) {
        fprintf(stderr, "call_client: --to is needed (see --help)\n");
        return 2;
    }
    if (settings.replaces != NULL && strlen(settings.replaces) > REPLACES_MAX) {
        fprintf(stderr, "call_client: --replaces is longer than %d\n", (int)REPLACES_MAX);
        return 2;
    }
    if (!calls_check("call_client"))
        return 2;
    if (sipdlg_abi_version() != SIPDLG_ABI_VERSION) {
        fprintf(stderr, "call_client: another libsipdlg than it was compiled for\n");
        return 2;
    }
    to_hang_up.wait_ms = (uint64_t)settings.duration_ms;
    to_cancel.wait_ms = settings.cancel_ms < 0 ? 0 : (uint64_t)settings.cancel_ms;
    stats.size = sizeof stats;
    if (!start()) {
        if (agent != 0)
            sipdlg_agent_free(agent);
        return 1;
    }
    stop_on_signals(agent);
    run();
    close_down(&stats);
    printf("calls %ld, completed %ld, messages received %llu, messages sent %llu, "
           "retransmissions received %llu, retransmissions sent %llu\n",
           settings.calls, completed,
           (unsigned long long)stats.messages_received, (unsigned long long)stats.messages_sent,
           (unsigned long long)stats.retransmissions_received, (unsigned long long)stats.retransmissions_sent);
    status = sipdlg_agent_free(agent);
    line_free(&to_hang_up);
    line_free(&to_cancel);
    calls_free();
    return status != SIPDLG_OK || completed != settings.calls;
}
