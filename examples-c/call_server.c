/* Answers calls: 180, then 200 with a session description; takes re-INVITE and INFO; ends its calls on SIGINT or SIGTERM.
 * One thread, the built-in runtime; without delays it allocates nothing for a call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "calls.h"

static struct {
    long ring_ms, answer_delay_ms, reinvite_delay_ms, reject, ring_code;
    const char *contacts[TEXTS_MAX + 1];
    int reliable, no_ring, quiet, ladder;
    const char *challenge, *algorithms, *users[TEXTS_MAX + 1];
} settings = { 0, 0, 0, 0, 0, { NULL }, 0, 0, 0, 0, NULL, NULL, { NULL } };

static const struct option options[] = {
    { "listen", OPTION_TEXTS, call_settings.listen, "udp:IP:PORT, tcp:, tls:, ws:, wss: (udp:127.0.0.1:5070; port 0: any); may be given again", NULL },
    { "ring-ms", OPTION_NUMBER, &settings.ring_ms, "time from INVITE to 180 (0)", NULL },
    { "answer-delay-ms", OPTION_NUMBER, &settings.answer_delay_ms, "time from 180 to 200 (0)", NULL },
    { "reinvite-delay-ms", OPTION_NUMBER, &settings.reinvite_delay_ms, "time from re-INVITE to 200 (0)", NULL },
    { "reject", OPTION_NUMBER, &settings.reject, "reject calls with this status code, 400 to 699, or redirect them, 300 to 399", NULL },
    { "contact", OPTION_TEXTS, settings.contacts, "with --reject 300 to 399: where to; may be given again (none: no Contact)", NULL },
    { "ring-code", OPTION_NUMBER, &settings.ring_code, "180 to 183 instead of 180; 183 has the description (180, with --reliable 183)", NULL },
    { "no-ring", OPTION_FLAG, &settings.no_ring, "no provisional response", NULL },
    { "reliable", OPTION_FLAG, &settings.reliable, "ring reliably where the caller can (RFC 3262)", NULL },
    { "challenge", OPTION_OPTIONAL_TEXT, &settings.challenge, "take calls of users of this realm only (sipdlg), by digest", NULL },
    { "user", OPTION_TEXTS, settings.users, "NAME:PASSWORD of a user of --challenge, may be given again; or with --password NAME", NULL },
    { "password", OPTION_TEXT, &call_settings.password, "password for 401 and 407; and of the user of --challenge", NULL },
    { "algorithms", OPTION_TEXT, &settings.algorithms, "with --challenge: of MD5, SHA-256, SHA-512-256 (SHA-256, MD5)", NULL },
    { "quiet", OPTION_FLAG, &settings.quiet, "print nothing for each call", NULL },
    { "ladder", OPTION_FLAG, &settings.ladder, "draw each message as an arrow", NULL },
    CALL_OPTIONS,
};

static struct line to_ring, to_answer, to_change; /* of sipdlg_incoming_t */
static int closing;
static unsigned long failures;         /* calls of the library that failed */

static void check(sipdlg_status_t status, const char *what)
{
    if (failed(status, what))
        failures++;
}

static void check_answer(sipdlg_status_t status, const char *what)
{
    if (answer_failed(status, what))
        failures++;
}

static void refuse(sipdlg_incoming_t incoming, int32_t status_code)
{
    check_answer(sipdlg_incoming_reject(incoming, status_code, NULL), "reject");
}

static sipdlg_status_t answer(sipdlg_incoming_t incoming, unsigned version, const sipdlg_message_t *invite)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    sipdlg_status_t status;
    struct sdp sdp;
    if (!calls_answer(&sdp, version, invite, &response.body)) {
        refuse(incoming, 488);
        return SIPDLG_NONE;
    }
    status = sipdlg_incoming_accept(incoming, 200, &response, NULL);
    check_answer(status, "accept");
    return status;
}

static void answer_call(sipdlg_incoming_t incoming)
{
    int described = !settings.no_ring && (settings.reliable || settings.ring_code == 183);
    const sipdlg_message_t *invite;
    if (sipdlg_incoming_message(incoming, &invite) != SIPDLG_OK)
        return; /* cancelled meanwhile, and acknowledged */
    /* Without a body where a provisional response had it; after a reliable one it goes out when the PRACK is here. */
    if (!described || sipdlg_incoming_accept(incoming, 200, NULL, NULL) != SIPDLG_OK)
        answer(incoming, 0, invite);
    sipdlg_message_release(invite);
}

/* A provisional response; `flags`: reliable or not. SIPDLG_ERR_STATE: the caller cannot. SIPDLG_NONE: it is refused. */
static sipdlg_status_t progress(sipdlg_incoming_t incoming, int32_t code, uint32_t flags)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    const sipdlg_message_t *invite;
    sipdlg_body_view_t offer;
    struct sdp sdp;
    int offers;
    sipdlg_status_t status;
    if (code != 183 && !flags)
        return sipdlg_incoming_progress(incoming, code, NULL, NULL);
    status = sipdlg_incoming_message(incoming, &invite);
    if (status != SIPDLG_OK)
        return status;
    offers = sipdlg_message_session_body(invite, &offer) == SIPDLG_OK;
    response.flags = flags;
    /* An offer of ours stands in a reliable response, and then in the first one (RFC 3262 section 5). */
    if ((code == 183 && (offers || flags)) || (flags && !offers)) {
        if (!calls_answer(&sdp, 0, invite, &response.body)) {
            sipdlg_message_release(invite);
            refuse(incoming, 488);
            return SIPDLG_NONE;
        }
    }
    status = sipdlg_incoming_progress(incoming, code, &response, NULL);
    sipdlg_message_release(invite);
    return status;
}

static void redirect(sipdlg_incoming_t incoming)
{
    sipdlg_status_t status = sipdlg_incoming_redirect(incoming, (int32_t)settings.reject, settings.contacts, NULL);
    check_answer(status, "redirect");
    if (status != SIPDLG_OK)
        refuse(incoming, 500); /* a --contact that is no URI */
}

static void ring(sipdlg_incoming_t incoming)
{
    int32_t code = settings.ring_code != 0 ? (int32_t)settings.ring_code : settings.reliable ? 183 : 180;
    sipdlg_status_t status = settings.no_ring ? SIPDLG_OK : SIPDLG_ERR_STATE;
    if (status != SIPDLG_OK && settings.reliable)
        status = progress(incoming, code, SIPDLG_RESPONSE_RELIABLE);
    if (status == SIPDLG_ERR_STATE) /* not asked for, or the caller cannot */
        status = progress(incoming, settings.ring_code != 0 ? code : 180, 0);
    check_answer(status, "ring");
    if (status == SIPDLG_NONE)
        return;
    if (status != SIPDLG_OK)
        refuse(incoming, 500); /* nothing where the caller has cancelled meanwhile */
    else if (settings.answer_delay_ms == 0)
        answer_call(incoming);
    else if (!line_add(&to_answer, incoming))
        refuse(incoming, 500);
}

/* NULL: no such user. */
static const char *password_of(const char *name)
{
    size_t at, length = strlen(name);
    for (at = 0; settings.users[at] != NULL; at++)
        if (strncmp(settings.users[at], name, length) == 0 && settings.users[at][length] == ':')
            return settings.users[at] + length + 1;
    if (call_settings.user != NULL && strcmp(call_settings.user, name) == 0)
        return call_settings.password;
    return NULL;
}

/* Whether a call is one of our users'; else its caller is asked who he is. */
static int is_known(const sipdlg_event_t *event)
{
    const char *password;
    char name[128];
    int32_t digest;
    sipdlg_status_t status;
    if (settings.challenge == NULL)
        return 1;
    if (sipdlg_message_digest_username(event->message, settings.challenge, name, sizeof name, NULL) != SIPDLG_OK)
        name[0] = '\0';
    password = password_of(name);
    /* Who is unknown is checked all the same: how long the answer takes tells nobody which users there are. */
    digest = sipdlg_message_check_digest(event->message, settings.challenge, name, password == NULL ? "" : password, 0, NULL,
                                         event->agent);
    check(digest, "digest");
    if (password != NULL && digest == SIPDLG_DIGEST_GOOD)
        return 1;
    status = sipdlg_incoming_challenge(event->incoming, settings.challenge, settings.algorithms);
    check_answer(status, "challenge");
    if (status != SIPDLG_OK)
        refuse(event->incoming, 500); /* a realm or an --algorithms that is none */
    return 0;
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    sipdlg_name_addr_t from;
    (void)user;
    if (!settings.quiet && sipdlg_message_name_addr(event->message, "From", 0, &from) == SIPDLG_OK) {
        printf("call from %.*s\n", (int)from.uri.len, from.uri.data);
        fflush(stdout);
    }
    if (closing)
        refuse(event->incoming, 503);
    else if (!is_known(event))
        return;
    else if (settings.reject >= 400)
        refuse(event->incoming, (int32_t)settings.reject);
    else if (settings.reject != 0)
        redirect(event->incoming);
    else if (settings.ring_ms == 0)
        ring(event->incoming);
    else if (!line_add(&to_ring, event->incoming))
        refuse(event->incoming, 500);
}

/* What a call must remember is carried by its user pointer: whether its ACK was here, and the version of the description that this side
 * sent last. */
static uintptr_t memory_of(sipdlg_session_t session)
{
    return (uintptr_t)sipdlg_session_user(session);
}

static unsigned next_version(sipdlg_session_t session)
{
    uintptr_t memory = memory_of(session) + 2;
    check(sipdlg_session_set_user(session, (void *)memory, NULL), "version");
    return (unsigned)(memory >> 1);
}

static void change(sipdlg_incoming_t incoming, sipdlg_session_t session, const sipdlg_message_t *reinvite)
{
    answer(incoming, next_version(session), reinvite);
}

static void on_reinvite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (settings.reinvite_delay_ms == 0)
        change(event->incoming, event->session, event->message);
    else if (!line_add(&to_change, event->incoming))
        refuse(event->incoming, 500);
}

static void change_late(sipdlg_incoming_t incoming)
{
    const sipdlg_message_t *reinvite;
    sipdlg_session_t session;
    if (sipdlg_incoming_message(incoming, &reinvite) != SIPDLG_OK)
        return; /* cancelled meanwhile, and acknowledged */
    if (sipdlg_incoming_session(incoming, &session) == SIPDLG_OK)
        change(incoming, session, reinvite);
    sipdlg_message_release(reinvite);
}

static void on_info(void *user, const sipdlg_event_t *event)
{
    (void)user;
    check_answer(sipdlg_incoming_accept(event->incoming, 200, NULL, NULL), "INFO");
}

static void on_ack(void *user, const sipdlg_event_t *event)
{
    uintptr_t memory = memory_of(event->session);
    (void)user;
    if (memory & 1)
        return; /* of a re-INVITE */
    check(sipdlg_session_set_user(event->session, (void *)(memory | 1), NULL), "confirmed");
    if (calls_begin(event->session) < 0)
        failures++;
}

static void action_done(sipdlg_session_t session, enum action what, const char *problem)
{
    (void)what;
    if (problem == NULL || sipdlg_session_state(session) != SIPDLG_SESSION_CONFIRMED)
        return; /* or the call has ended meanwhile */
    fprintf(stderr, "call_server: %s\n", problem);
    failures++;
}

static void referred_failed(const char *problem)
{
    fprintf(stderr, "call_server: %s\n", problem);
    failures++;
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    char call_id[256];
    (void)user;
    calls_explain(event->session);
    if (settings.quiet || sipdlg_session_call_id(event->session, call_id, sizeof call_id, NULL) != SIPDLG_OK)
        return;
    printf("%s ended, reason %d\n", call_id, (int)event->reason);
    fflush(stdout);
}

static int start(sipdlg_agent_t *agent)
{
    static const struct call_hooks hooks = { next_version, action_done, referred_failed };
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    sipdlg_config_t *config = sipdlg_config_new();
    char address[80];
    uint32_t index;
    int good;
    delegate.on_invite = on_invite;
    delegate.on_reinvite = on_reinvite;
    delegate.on_info = on_info;
    if (calls_wanted())
        delegate.on_ack = on_ack;
    delegate.on_terminated = on_terminated;
    calls_listen(&delegate, &hooks);
    good = config != NULL
        && calls_configure(config)
        && (!settings.ladder || !failed(sipdlg_config_set_log(config, SIPDLG_LOG_DEBUG, ladder_log, NULL), "log"))
        && !failed(sipdlg_config_set_aor(config, "sip:server@127.0.0.1"), "address of record")
        && !failed(sipdlg_agent_new(config, agent), "agent")
        && calls_capture(*agent);
    sipdlg_config_free(config);
    if (!good
        || failed(sipdlg_agent_set_delegate(*agent, &delegate), "delegate")
        || !calls_open(*agent, "udp:127.0.0.1:5070"))
        return 0;
    for (index = 0; sipdlg_agent_local_address(*agent, index, address, sizeof address, NULL) == SIPDLG_OK; index++)
        printf("listening on %s\n", address);
    fflush(stdout);
    return 1;
}

static void serve(sipdlg_agent_t agent)
{
    while (!stop_asked()) {
        uint64_t incoming, now = now_ms();
        int timeout;
        while (line_take(&to_ring, now, &incoming))
            ring(incoming);
        while (line_take(&to_answer, now, &incoming))
            answer_call(incoming);
        while (line_take(&to_change, now, &incoming))
            change_late(incoming);
        calls_run(now);
        timeout = calls_timeout(now, -1);
        timeout = line_timeout(&to_answer, now, line_timeout(&to_ring, now, line_timeout(&to_change, now, timeout)));
        if (failed(sipdlg_agent_run_once(agent, timeout), "run")) {
            failures++;
            return;
        }
    }
}

/* Ends what lives, politely: rejections for calls that wait, BYE for the others. */
static void close_down(sipdlg_agent_t agent, sipdlg_stats_t *stats)
{
    sipdlg_session_t session = 0;
    uint64_t incoming;
    closing = 1;
    calls_cancel();
    while (line_take(&to_ring, UINT64_MAX, &incoming) || line_take(&to_answer, UINT64_MAX, &incoming))
        refuse(incoming, 480); /* with --no-ring there is no session yet */
    while (sipdlg_agent_next_session(agent, session, &session) == SIPDLG_OK)
        check(sipdlg_session_hangup(session, 480, NULL), "hang-up");
    check(sipdlg_agent_run_once(agent, 0), "run"); /* sends what waits */
    while (sipdlg_agent_stats(agent, stats) == SIPDLG_OK && (stats->sessions > 0 || calls_ringing()))
        if (failed(sipdlg_agent_run_once(agent, 1000), "run")) {
            failures++;
            return;
        }
}

int main(int argc, char **argv)
{
    sipdlg_stats_t stats = { 0 };
    sipdlg_agent_t agent = 0;

    switch (options_parse("call_server: answers every call", options, sizeof options / sizeof *options, argc, argv)) {
    case OPTIONS_HELP_SHOWN: return 0;
    case OPTIONS_WRONG: return 2;
    default: break;
    }
    if (settings.reject != 0 && (settings.reject < 300 || settings.reject > 699)) {
        fprintf(stderr, "call_server: --reject wants 300 to 699\n");
        return 2;
    }
    if (settings.contacts[0] != NULL && (settings.reject == 0 || settings.reject > 399)) {
        fprintf(stderr, "call_server: --contact goes with --reject 300 to 399\n");
        return 2;
    }
    if (settings.ring_code != 0 && (settings.ring_code < 180 || settings.ring_code > 183)) {
        fprintf(stderr, "call_server: --ring-code wants 180 to 183\n");
        return 2;
    }
    if (call_settings.password != NULL) {
        if (settings.users[0] == NULL) {
            fprintf(stderr, "call_server: --password goes with --user\n");
            return 2;
        }
        call_settings.user = settings.users[0];
    }
    if (settings.challenge != NULL && settings.challenge[0] == '\0')
        settings.challenge = "sipdlg";
    if (!calls_check("call_server"))
        return 2;
    if (sipdlg_abi_version() != SIPDLG_ABI_VERSION) {
        fprintf(stderr, "call_server: another libsipdlg than it was compiled for\n");
        return 2;
    }
    to_ring.wait_ms = (uint64_t)settings.ring_ms;
    to_answer.wait_ms = (uint64_t)settings.answer_delay_ms;
    to_change.wait_ms = (uint64_t)settings.reinvite_delay_ms;
    stats.size = sizeof stats;
    if (!start(&agent)) {
        if (agent != 0)
            sipdlg_agent_free(agent);
        return 1;
    }
    stop_on_signals(agent);
    serve(agent);
    close_down(agent, &stats);
    printf("calls %llu, confirmed %llu, messages received %llu, messages sent %llu, "
           "retransmissions received %llu, retransmissions sent %llu, errors %lu\n",
           (unsigned long long)stats.calls_received, (unsigned long long)stats.calls_confirmed,
           (unsigned long long)stats.messages_received, (unsigned long long)stats.messages_sent,
           (unsigned long long)stats.retransmissions_received, (unsigned long long)stats.retransmissions_sent, failures);
    line_free(&to_ring);
    line_free(&to_answer);
    line_free(&to_change);
    calls_free();
    return sipdlg_agent_free(agent) != SIPDLG_OK || failures > 0;
}
