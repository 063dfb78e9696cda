/* Two agents of one process on real sockets, driven in turn by run_once. */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include "check.h"

#define LOOPBACK_SDP "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

struct loopback {
    sipdlg_agent_t caller, callee;
    char uri[96];                  /* of the callee */
    sipdlg_session_t session;      /* the caller's, once confirmed */
    int accepted, rejected, infos, ended, lost; /* what the caller saw; `infos`: that were answered; `lost`: links */
    sipdlg_delegate_t calling, answering;
};

static void loopback_invite(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t options = SIPDLG_RESPONSE_OPTIONS_INIT;
    (void)user;
    options.body.data = LOOPBACK_SDP;
    options.body.len = sizeof LOOPBACK_SDP - 1;
    CHECK_OK(sipdlg_incoming_accept(event->incoming, 200, &options, NULL));
}

static void loopback_info(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(sipdlg_incoming_accept(event->incoming, 200, NULL, NULL));
}

static void loopback_link_lost(void *user, const sipdlg_event_t *event)
{
    struct loopback *both = user;
    CHECK(event->session != 0 && event->query != 0);
    both->lost++;
}

static void loopback_accept(void *user, const sipdlg_event_t *event)
{
    struct loopback *both = user;
    if (event->method == SIPDLG_METHOD_INVITE) {
        both->session = event->session;
        both->accepted++;
    } else if (event->method == SIPDLG_METHOD_INFO) {
        both->infos++;
    }
}

static void loopback_reject(void *user, const sipdlg_event_t *event)
{
    ((struct loopback *)user)->rejected = event->status_code;
}

static void loopback_terminated(void *user, const sipdlg_event_t *event)
{
    (void)event;
    ((struct loopback *)user)->ended++;
}

/* Both of one configuration, on sockets of one transport: "udp", "tcp", ... */
static inline void loopback_open_by(struct loopback *both, const char *transport, const sipdlg_config_t *config)
{
    static const sipdlg_delegate_t none = SIPDLG_DELEGATE_INIT;
    char address[64], listened[64];
    memset(both, 0, sizeof *both);
    both->calling = both->answering = none;
    both->calling.user = both->answering.user = both;
    both->calling.on_accept = loopback_accept;
    both->calling.on_reject = loopback_reject;
    both->calling.on_terminated = loopback_terminated;
    both->calling.on_link_lost = loopback_link_lost;
    both->answering.on_invite = loopback_invite;
    both->answering.on_info = loopback_info;
    CHECK_OK(sipdlg_agent_new(config, &both->caller));
    CHECK_OK(sipdlg_agent_new(config, &both->callee));
    CHECK_OK(sipdlg_agent_set_delegate(both->callee, &both->answering));
    snprintf(listened, sizeof listened, "%s:127.0.0.1:0", transport);
    CHECK_OK(sipdlg_agent_listen(both->caller, listened));
    CHECK_OK(sipdlg_agent_listen(both->callee, listened));
    CHECK_OK(sipdlg_agent_local_address(both->callee, 0, address, sizeof address, NULL));
    snprintf(both->uri, sizeof both->uri, "sip:bob@%s;transport=%s", address + strlen(transport) + 1, transport);
}

static inline void loopback_open(struct loopback *both)
{
    loopback_open_by(both, "udp", NULL);
}

/* Both have their turns until `field` is `wanted`, for ten seconds at most. */
static inline void loopback_until(struct loopback *both, const int *field, int wanted)
{
    int turns;
    for (turns = 0; *field != wanted && turns < 1000; turns++) {
        CHECK_OK(sipdlg_agent_run_once(both->caller, 5));
        CHECK_OK(sipdlg_agent_run_once(both->callee, 5));
    }
    CHECK_NUMBER(*field, wanted);
}

static inline void loopback_call(struct loopback *both)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    options.delegate = &both->calling;
    options.body.data = LOOPBACK_SDP;
    options.body.len = sizeof LOOPBACK_SDP - 1;
    CHECK_OK(sipdlg_agent_invite(both->caller, both->uri, &options, NULL));
}

static inline void loopback_send_info(struct loopback *both)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    options.delegate = &both->calling;
    CHECK_OK(sipdlg_session_info(both->session, &options, NULL));
}

/* Hangs up and frees both. */
static inline void loopback_close(struct loopback *both)
{
    int ended = both->ended + 1;
    CHECK_OK(sipdlg_session_hangup(both->session, 0, NULL));
    loopback_until(both, &both->ended, ended);
    CHECK_OK(sipdlg_agent_free(both->caller));
    CHECK_OK(sipdlg_agent_free(both->callee));
}

#endif
