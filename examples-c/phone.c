/* A phone that registers: at a registrar, over the connection that it opens to it, or over UDP; it is called and calls over that, keeps
 * the registration as long as it runs, also when the connection is lost, and takes it back at its end. What to do after a failure, and
 * how long to wait for what, is the policy of this program; the numbers come from the library. One thread, the built-in runtime. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "calls.h"

static struct {
    const char *registrar, *proxy, *aor, *user, *instance_file, *call;
    long expires_s, keep_alive_s, backoff_base_s, backoff_most_s, calls;
    int outbound, ladder, reject;
} settings = { NULL, NULL, "sip:alice@127.0.0.1", "alice", NULL, NULL, 300, 0, 0, 0, 0, 0, 0, 0 };

static const struct option options[] = {
    { "registrar", OPTION_TEXT, &settings.registrar, "where to register: sip:example.com, sip:127.0.0.1:5060;transport=tcp, sips:example.com", NULL },
    { "proxy", OPTION_TEXT, &settings.proxy, "send all by this URI first (none: each request to its own)", NULL },
    { "aor", OPTION_TEXT, &settings.aor, "who we are (sip:alice@127.0.0.1)", NULL },
    { "user", OPTION_TEXT, &settings.user, "user name for 401 and 407 (alice)", NULL },
    { "password", OPTION_TEXT, &call_settings.password, "password for 401 and 407, of whatever realm", NULL },
    { "listen", OPTION_TEXTS, call_settings.listen, "udp:IP:PORT, tcp:, tls: or without port, only to connect from (by what --registrar wants)", NULL },
    { "expires", OPTION_NUMBER, &settings.expires_s, "for how long to be registered, in seconds (300)", NULL },
    { "outbound", OPTION_FLAG, &settings.outbound, "RFC 5626: name the flow by instance and reg-id; requests in our calls are to come by it", NULL },
    { "instance-file", OPTION_TEXT, &settings.instance_file, "with --outbound: the file that holds the URN of this phone; made where there is none", NULL },
    { "keep-alive", OPTION_NUMBER, &settings.keep_alive_s, "keep the connection alive every so many seconds (0: as the registrar says)", NULL },
    { "backoff-base", OPTION_NUMBER, &settings.backoff_base_s, "seconds to wait after a failure, doubled with each (30)", NULL },
    { "backoff-most", OPTION_NUMBER, &settings.backoff_most_s, "at most so long (1800)", NULL },
    { "call", OPTION_TEXT, &settings.call, "when registered, call this URI; then the program ends with the call", NULL },
    { "calls", OPTION_NUMBER, &settings.calls, "end after so many calls, of either side (0: at a signal)", NULL },
    { "reject", OPTION_FLAG, &settings.reject, "refuse calls with 486", NULL },
    { "ladder", OPTION_FLAG, &settings.ladder, "draw each message as an arrow", NULL },
    CALL_OPTIONS,
};

enum { SOON_MS = 20, LAST_MS = 4000, INSTANCE_MAX = 64 };

/* ---- the registration */

enum state { AWAY, ASKING, THERE, LEAVING, GONE };

static struct {
    enum state state;
    uint64_t due_ms;             /* when to ask again; 0: not by itself */
    uint32_t expires_s, next_cseq, failures;
} registration;

static sipdlg_agent_t agent;
static sipdlg_delegate_t registering = SIPDLG_DELEGATE_INIT, calling = SIPDLG_DELEGATE_INIT;
static char instance[INSTANCE_MAX], call_id[INSTANCE_MAX];
static long ended, problems;
static int called;

static void say(const char *format, long number)
{
    printf(format, number);
    fflush(stdout);
}

static void ask(int32_t what)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_register_t binding = SIPDLG_REGISTER_INIT;
    binding.asks = what;
    binding.expires_s = registration.expires_s;
    binding.cseq = registration.next_cseq;
    binding.instance = instance[0] != '\0' ? instance : NULL;
    binding.reg_id = settings.outbound ? 1 : 0;
    request.call_id = call_id;
    request.delegate = &registering;
    registration.state = what == SIPDLG_REGISTER_UNBIND ? LEAVING : ASKING;
    registration.due_ms = 0;
    if (failed(sipdlg_agent_register(agent, settings.registrar, &binding, &request, NULL), "REGISTER"))
        registration.state = GONE; /* what was asked for cannot be: no registrar will ever hear of it */
}

/* After a failure: later and later, and never together with all others (RFC 5626 section 4.5). */
static void ask_later(uint32_t at_least_s)
{
    uint64_t delay_ms = 0;
    failed(sipdlg_agent_backoff(agent, registration.failures, (uint32_t)settings.backoff_base_s, (uint32_t)settings.backoff_most_s, &delay_ms),
           "backoff");
    if (delay_ms < (uint64_t)at_least_s * 1000u)
        delay_ms = (uint64_t)at_least_s * 1000u;
    registration.state = AWAY;
    registration.due_ms = now_ms() + delay_ms;
    say("registering again in %ld ms\n", (long)delay_ms);
}

/* What came of a REGISTER; the number of the next one is known then. */
static sipdlg_registered_t outcome(const sipdlg_event_t *event)
{
    sipdlg_registered_t found = { 0 };
    const sipdlg_message_t *request;
    found.size = sizeof found;
    if (sipdlg_outgoing_message(event->outgoing, &request) == SIPDLG_OK) {
        failed(sipdlg_message_registered(event->message, request, &found), "registered");
        registration.next_cseq = found.next_cseq;
        sipdlg_message_release(request);
    }
    return found;
}

static void on_registered(void *user, const sipdlg_event_t *event)
{
    sipdlg_registered_t found = outcome(event);
    (void)user;
    if (registration.state == LEAVING) {
        registration.state = GONE;
        printf("unregistered\n");
        fflush(stdout);
        return;
    }
    if (found.expires_s == 0) { /* a registrar that takes no binding of ours */
        registration.failures++;
        say("not registered: %ld\n", event->status_code);
        ask_later(found.retry_after_s);
        return;
    }
    registration.state = THERE;
    registration.failures = 0;
    registration.due_ms = now_ms() + (uint64_t)found.refresh_s * 1000u;
    printf("registered for %" PRIu32 " s, again in %" PRIu32 " s, %" PRIu32 " bound%s\n", found.expires_s, found.refresh_s, found.bindings,
           found.outbound ? ", outbound" : "");
    fflush(stdout);
    if (settings.keep_alive_s > 0) {
        sipdlg_flow_t flow;
        if (sipdlg_message_flow(event->message, &flow) == SIPDLG_OK)
            failed(sipdlg_agent_keep_alive(agent, &flow, (uint32_t)settings.keep_alive_s), "keep-alive");
    }
}

static void on_not_registered(void *user, const sipdlg_event_t *event)
{
    sipdlg_registered_t found = outcome(event);
    (void)user;
    if (registration.state == LEAVING) {
        registration.state = GONE;
        say("not unregistered: %ld\n", event->status_code);
        return;
    }
    printf("not registered: %d%s\n", (int)event->status_code, event->flags & SIPDLG_EVENT_LOCAL ? " (made here)" : "");
    fflush(stdout);
    if (found.min_expires_s > registration.expires_s) { /* 423 (RFC 3261 section 10.2.8) */
        registration.expires_s = found.min_expires_s;
        registration.state = AWAY;
        registration.due_ms = now_ms() + SOON_MS;
        return;
    }
    registration.failures++;
    ask_later(found.retry_after_s);
}

/* The registrar reaches us no more: a session's link is of no interest here, that of the binding is. */
static void on_link_lost(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->session != 0)
        return;
    printf("connection lost\n");
    fflush(stdout);
    if (registration.state == THERE)
        ask_later(0); /* what is asked for just now goes by another connection, or fails */
}

/* ---- calls */

static unsigned next_version(sipdlg_session_t session)
{
    uintptr_t version = (uintptr_t)sipdlg_session_user(session) + 1;
    failed(sipdlg_session_set_user(session, (void *)version, NULL), "version");
    return (unsigned)version;
}

static void action_done(sipdlg_session_t session, enum action what, const char *problem)
{
    (void)what;
    if (problem == NULL || sipdlg_session_state(session) != SIPDLG_SESSION_CONFIRMED)
        return;
    fprintf(stderr, "phone: %s\n", problem);
    problems++;
}

static void referred_failed(const char *problem)
{
    fprintf(stderr, "phone: %s\n", problem);
    problems++;
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    sipdlg_name_addr_t from;
    struct sdp sdp;
    (void)user;
    if (sipdlg_message_name_addr(event->message, "From", 0, &from) == SIPDLG_OK) {
        printf("called by %.*s\n", (int)from.uri.len, from.uri.data);
        fflush(stdout);
    }
    if (settings.reject || registration.state == LEAVING)
        answer_failed(sipdlg_incoming_reject(event->incoming, 486, NULL), "reject");
    else if (!calls_answer(&sdp, 0, event->message, &response.body))
        answer_failed(sipdlg_incoming_reject(event->incoming, 488, NULL), "reject");
    else if (!answer_failed(sipdlg_incoming_progress(event->incoming, 180, NULL, NULL), "ring"))
        answer_failed(sipdlg_incoming_accept(event->incoming, 200, &response, NULL), "accept");
}

static void on_reinvite(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    struct sdp sdp;
    (void)user;
    if (calls_answer(&sdp, next_version(event->session), event->message, &response.body))
        answer_failed(sipdlg_incoming_accept(event->incoming, 0, &response, NULL), "re-INVITE");
    else
        answer_failed(sipdlg_incoming_reject(event->incoming, 488, NULL), "re-INVITE");
}

static void on_ack(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (sipdlg_session_user(event->session) == NULL && calls_begin(event->session) >= 0) {
        next_version(event->session);
        printf("call confirmed\n");
        fflush(stdout);
    }
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    next_version(event->session);
    if (calls_begin(event->session) < 0)
        problems++;
    printf("call confirmed\n");
    fflush(stdout);
}

static void on_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    say("call refused: %ld\n", event->status_code);
    problems++;
    ended++;
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    calls_explain(event->session);
    if (sipdlg_session_user(event->session) == NULL)
        return; /* no call came of it */
    say("call ended, reason %ld\n", event->reason);
    ended++;
}

static void place(void)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    struct sdp sdp;
    called = 1;
    request.delegate = &calling;
    sdp_write(&sdp, 0, "sendrecv", &request.body);
    if (failed(sipdlg_agent_invite(agent, settings.call, &request, NULL), settings.call)) {
        problems++;
        ended++;
    }
}

/* ---- the program */

static int is_done(void)
{
    return stop_asked() || registration.state == GONE || (settings.calls > 0 && ended >= settings.calls) || (settings.call != NULL && ended > 0);
}

static void run(void)
{
    while (!is_done()) {
        uint64_t now = now_ms();
        int timeout = -1;
        if (registration.due_ms != 0 && registration.due_ms <= now)
            ask(SIPDLG_REGISTER_BIND);
        if (registration.state == THERE && settings.call != NULL && !called)
            place();
        calls_run(now);
        if (registration.due_ms != 0)
            timeout = registration.due_ms - now > 3600000u ? 3600000 : (int)(registration.due_ms - now);
        if (failed(sipdlg_agent_run_once(agent, calls_timeout(now, timeout)), "run"))
            return;
    }
}

/* Ends the calls, then the registration, each for so long at most. */
static void close_down(void)
{
    sipdlg_stats_t stats = { 0 };
    sipdlg_session_t session = 0;
    uint64_t last = now_ms() + LAST_MS;
    stats.size = sizeof stats;
    calls_cancel();
    while (sipdlg_agent_next_session(agent, session, &session) == SIPDLG_OK)
        answer_failed(sipdlg_session_hangup(session, 480, NULL), "hang-up");
    while (sipdlg_agent_stats(agent, &stats) == SIPDLG_OK && stats.sessions > 0 && now_ms() < last)
        if (failed(sipdlg_agent_run_once(agent, 100), "run"))
            return;
    if (registration.state != THERE && registration.state != ASKING)
        return;
    last = now_ms() + LAST_MS;
    ask(SIPDLG_REGISTER_UNBIND);
    while (registration.state == LEAVING && now_ms() < last)
        if (failed(sipdlg_agent_run_once(agent, 100), "run"))
            return;
}

/* The URN of this phone: that of the file, or a new one, which is kept there. 0: neither. */
static int find_instance(void)
{
    FILE *file = settings.instance_file == NULL ? NULL : fopen(settings.instance_file, "r");
    if (file != NULL) {
        int good = fgets(instance, sizeof instance, file) != NULL;
        fclose(file);
        instance[strcspn(instance, "\r\n")] = '\0';
        if (good && instance[0] != '\0')
            return 1;
    }
    if (failed(sipdlg_instance_new(instance, sizeof instance, NULL), "instance"))
        return 0;
    if (settings.instance_file == NULL)
        return 1;
    file = fopen(settings.instance_file, "w");
    if (file == NULL || fprintf(file, "%s\n", instance) < 0 || fclose(file) != 0) {
        fprintf(stderr, "phone: %s cannot be written\n", settings.instance_file);
        return 0;
    }
    return 1;
}

/* Without --listen: what leads to the registrar. */
static const char *where_to_listen(void)
{
    const char *first = settings.proxy != NULL ? settings.proxy : settings.registrar;
    if (strncmp(first, "sips:", 5) == 0 || strstr(first, ";transport=tls") != NULL)
        return "tls:127.0.0.1";
    return strstr(first, ";transport=tcp") != NULL ? "tcp:127.0.0.1" : "udp:127.0.0.1:0";
}

static int set_route(sipdlg_config_t *config)
{
    char route[256];
    if (settings.proxy == NULL)
        return 1;
    snprintf(route, sizeof route, "<%s;lr>", settings.proxy);
    return !failed(sipdlg_config_set_route_set(config, route), settings.proxy);
}

static int start(void)
{
    static const struct call_hooks hooks = { next_version, action_done, referred_failed };
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    sipdlg_config_t *config = sipdlg_config_new();
    char unique[INSTANCE_MAX];
    int good;
    call_settings.user = settings.user;
    good = config != NULL
        && (!settings.ladder || !failed(sipdlg_config_set_log(config, SIPDLG_LOG_DEBUG, ladder_log, NULL), "log"))
        && !failed(sipdlg_config_set_aor(config, settings.aor), settings.aor)
        && !failed(sipdlg_config_set_outbound(config, settings.outbound), "outbound")
        && set_route(config)
        && calls_configure(config)
        && !failed(sipdlg_agent_new(config, &agent), "agent")
        && calls_capture(agent)
        && (!settings.outbound || find_instance())
        && !failed(sipdlg_instance_new(unique, sizeof unique, NULL), "Call-ID");
    sipdlg_config_free(config);
    if (!good)
        return 0;
    snprintf(call_id, sizeof call_id, "%s", unique + strlen("urn:uuid:")); /* of all REGISTERs until we end (RFC 3261 section 10.2) */
    registering.on_accept = on_registered;
    registering.on_redirect = on_not_registered;
    registering.on_reject = on_not_registered;
    delegate.on_invite = on_invite;
    delegate.on_reinvite = on_reinvite;
    delegate.on_ack = on_ack;
    delegate.on_terminated = on_terminated;
    delegate.on_link_lost = on_link_lost;
    calls_listen(&delegate, &hooks);
    calling = delegate;
    calling.on_ack = NULL;
    calling.on_accept = on_accept;
    calling.on_redirect = on_reject;
    calling.on_reject = on_reject;
    return !failed(sipdlg_agent_set_delegate(agent, &delegate), "delegate") && calls_open(agent, where_to_listen());
}

int main(int argc, char **argv)
{
    sipdlg_status_t status;
    switch (options_parse("phone: registers, is called and calls", options, sizeof options / sizeof *options, argc, argv)) {
    case OPTIONS_HELP_SHOWN: return 0;
    case OPTIONS_WRONG: return 2;
    default: break;
    }
    if (settings.registrar == NULL) {
        fprintf(stderr, "phone: --registrar is needed (see --help)\n");
        return 2;
    }
    if (settings.instance_file != NULL && !settings.outbound) {
        fprintf(stderr, "phone: --instance-file goes with --outbound\n");
        return 2;
    }
    if (!calls_check("phone"))
        return 2;
    if (sipdlg_abi_version() != SIPDLG_ABI_VERSION) {
        fprintf(stderr, "phone: another libsipdlg than it was compiled for\n");
        return 2;
    }
    if (!start()) {
        if (agent != 0)
            sipdlg_agent_free(agent);
        return 1;
    }
    stop_on_signals(agent);
    registration.expires_s = (uint32_t)settings.expires_s;
    ask(SIPDLG_REGISTER_BIND);
    run();
    close_down();
    status = sipdlg_agent_free(agent);
    calls_free();
    return status != SIPDLG_OK || problems > 0;
}
