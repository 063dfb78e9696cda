/* changes LISTEN [URI]: what the call programs have no option for. Called: rings in two places, of which one is busy (199), says
   who answered (RFC 4916), gives a re-INVITE's answer early and wants to refuse it then (RFC 6141). With URI: calls it, holds
   the call, and lets the library undo a hold that failed after its answer. Built-in runtime; ends on SIGTERM. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "sipdlg.h"

static volatile sig_atomic_t stopping;
static sipdlg_agent_t agent;
static sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
static sipdlg_incoming_t reinvite;
static const char active[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4004 RTP/AVP 0\r\n";
static const char held[] = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4004 RTP/AVP 0\r\na=sendonly\r\n";
static const char asked[] = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4004 RTP/AVP 0\r\na=recvonly\r\n";
static const char undone[] = "v=0\r\no=- 1 3 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4004 RTP/AVP 0\r\n";

static void on_signal(int number) { (void)number; stopping = 1; sipdlg_agent_wake(agent); }

static int check(sipdlg_status_t status, const char *what)
{
    char detail[256];
    if (status >= 0)
        return 0;
    sipdlg_last_error(detail, sizeof detail, NULL);
    printf("%s: %s (%s)\n", what, sipdlg_status_text(status), detail);
    return 1;
}

static void describe(sipdlg_body_t *body, const char *sdp)
{
    body->data = sdp;
    body->len = strlen(sdp);
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t options = SIPDLG_RESPONSE_OPTIONS_INIT;
    sipdlg_session_t desk, hall;
    (void)user;
    options.to_tag = "desk";
    check(sipdlg_incoming_progress(event->incoming, 180, &options, &desk), "the desk rings");
    options.to_tag = "hall";
    check(sipdlg_incoming_progress(event->incoming, 180, &options, &hall), "the hall rings");
    check(sipdlg_session_hangup(desk, 486, NULL), "the desk is busy");
    describe(&options.body, active);
    check(sipdlg_incoming_accept(event->incoming, 200, &options, NULL), "the hall answers");
}

static void on_reinvite(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t options = SIPDLG_RESPONSE_OPTIONS_INIT;
    (void)user;
    reinvite = event->incoming;
    options.flags = SIPDLG_RESPONSE_RELIABLE;
    describe(&options.body, asked);
    check(sipdlg_incoming_progress(reinvite, 183, &options, NULL), "the answer");
}

static void on_prack(void *user, const sipdlg_event_t *event)
{
    sipdlg_request_options_t undo = SIPDLG_REQUEST_OPTIONS_INIT;
    (void)user;
    check(sipdlg_event_default(event), "PRACK");
    if (check(sipdlg_incoming_reject(reinvite, 488, NULL), "reject")) {
        check(sipdlg_incoming_accept(reinvite, 200, NULL, NULL), "accept");
        describe(&undo.body, undone);
        if (check(sipdlg_session_update(event->session, &undo, NULL), "too early"))
            printf("to be undone after the ACK\n");
    }
}

static void on_ack(void *user, const sipdlg_event_t *event)
{
    sipdlg_request_options_t undo = SIPDLG_REQUEST_OPTIONS_INIT;
    (void)user;
    if (reinvite == 0)
        return;
    reinvite = 0;
    describe(&undo.body, undone);
    check(sipdlg_session_update(event->session, &undo, NULL), "undo");
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    static int hold;
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    (void)user;
    if (event->method != SIPDLG_METHOD_INVITE || hold++)
        return;
    options.delegate = &delegate;
    describe(&options.body, held);
    check(sipdlg_session_invite(event->session, &options, NULL), "hold");
}

static void on_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    printf("refused: %d\n", (int)event->status_code);
}

static void on_resync(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    printf("resync\n");
}

int main(int argc, char **argv)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_config_t *config = sipdlg_config_new();

    signal(SIGTERM, on_signal);
    delegate.on_invite = on_invite;
    delegate.on_reinvite = on_reinvite;
    delegate.on_prack = on_prack;
    delegate.on_ack = on_ack;
    delegate.on_accept = on_accept;
    delegate.on_reject = on_reject;
    delegate.on_resync = on_resync;
    options.delegate = &delegate;
    describe(&options.body, active);
    if (argc < 2
        || check(sipdlg_config_set_aor(config, "<sip:hall@example.com>"), "AOR")
        || check(sipdlg_config_set_connected_identity(config, 1), "identity")
        || check(sipdlg_config_set_resync(config, 1), "resync")
        || check(sipdlg_agent_new(config, &agent), "agent")
        || check(sipdlg_agent_set_delegate(agent, &delegate), "delegate")
        || check(sipdlg_agent_listen(agent, argv[1]), "listen")
        || (argc > 2 && check(sipdlg_agent_invite(agent, argv[2], &options, NULL), "call")))
        return 1;
    sipdlg_config_free(config);
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (!stopping)
        sipdlg_agent_run_once(agent, -1);
    return sipdlg_agent_free(agent) != SIPDLG_OK;
}
