/* What the generated misuse program (tests/abi_misuse.rs) stands on: a fresh world for each call, made only by the API. */
#ifndef MISUSE_H
#define MISUSE_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sipdlg.h"

enum { ANY = 1000, BAD_TOKEN = 1001, NOT_STRUCT = 1002, IS_NULL = 1003 };
enum { PIECES = 8 };

/* All that a function may be given, living. */
struct world {
    sipdlg_agent_t agent;
    sipdlg_session_t session;
    sipdlg_incoming_t incoming;
    sipdlg_outgoing_t outgoing;
    sipdlg_config_t *config;
    const sipdlg_message_t *message;
    sipdlg_event_t event;
    sipdlg_flow_t flow;
    sipdlg_endpoint_t endpoint;
    char buffer[512];
    const sipdlg_message_t *given;  /* what a call gave and must be released */
    sipdlg_agent_t made;            /* ... and freed */
    uint64_t out[256];              /* any other out-parameter */
    void *pieces[PIECES];           /* structs of just their size, so that a checker sees a byte too far */
    int used;
    int64_t (*inside)(struct world *);
};

static int failures, calls;
static int system_clock;
static struct world stale;

static const char sip_invite[] =
    "INVITE sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKmisuse\r\n"
    "From: <sip:bob@192.0.2.2>;tag=b\r\nTo: <sip:alice@192.0.2.1>\r\nCall-ID: misuse\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:bob@192.0.2.2:5060>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0";

static void judge(const char *function, const char *what, int64_t got, int64_t expected)
{
    int right;
    calls++;
    switch (expected) {
    case ANY: right = got > SIPDLG_ERR_DEFUNCT; break;
    case BAD_TOKEN: right = got == SIPDLG_ERR_STALE || got == SIPDLG_ERR_KIND; break;
    case NOT_STRUCT: right = got > SIPDLG_ERR_DEFUNCT && got != SIPDLG_ERR_STRUCT; break;
    case IS_NULL: right = got == 0; break;
    default: right = got == expected;
    }
    if (!right) {
        failures++;
        printf("%s: %s: got %lld, expected %lld\n", function, what, (long long)got, (long long)expected);
    }
}

static void need(int64_t status, const char *what)
{
    if (status != SIPDLG_OK) {
        printf("the world: %s: %lld\n", what, (long long)status);
        exit(2);
    }
}

static void nothing(void *user) { (void)user; }
static void nobody_looks(void *user, const sipdlg_trace_entry_t *entry) { (void)user; (void)entry; }
static void nobody_listens(void *user, int32_t level, const char *line) { (void)user; (void)level; (void)line; }

/* The incoming INVITE is rung, so that there is a session. */
static void take(struct world *w, const sipdlg_event_t *event)
{
    w->event = *event;
    w->incoming = event->incoming;
    need(sipdlg_incoming_progress(event->incoming, 180, NULL, &w->session), "progress");
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    struct world *w = (struct world *)user;
    take(w, event);
    if (w->inside)
        judge("inside a callback", "", w->inside(w), ANY);
}

/* `inside`: is called from inside a callback; NULL: the event is polled. */
static void world_open(struct world *w, int64_t (*inside)(struct world *))
{
    sipdlg_event_t event;
    memset(w, 0, sizeof *w);
    w->inside = inside;
    need(sipdlg_endpoint_parse("192.0.2.1:5060", &w->endpoint), "endpoint");
    w->flow.transport = SIPDLG_TRANSPORT_UDP;
    w->flow.link = 1;
    w->flow.local = w->endpoint;
    need(sipdlg_endpoint_parse("192.0.2.2:5060", &w->flow.remote), "endpoint");
    w->config = sipdlg_config_new();
    need(sipdlg_config_set_seed(w->config, 1), "seed");
    need(sipdlg_config_set_manual_clock(w->config, !system_clock), "clock");
    need(sipdlg_agent_new(w->config, &w->agent), "agent");
    need(sipdlg_agent_add_transport(w->agent, &w->flow, NULL), "transport");
    need(sipdlg_message_parse(sip_invite, sizeof sip_invite - 1, &w->message), "parse");
    need(sipdlg_agent_invite(w->agent, "sip:carol@192.0.2.3:5060", NULL, &w->outgoing), "invite");
    need(sipdlg_agent_receive(w->agent, &w->flow, sip_invite, sizeof sip_invite - 1), "receive");
    if (inside) {
        sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
        delegate.user = w;
        delegate.on_invite = on_invite;
        need(sipdlg_agent_set_delegate(w->agent, &delegate), "delegate");
        judge("sipdlg_agent_dispatch", "around", sipdlg_agent_dispatch(w->agent), ANY);
        return;
    }
    do {
        memset(&event, 0, sizeof event);
        event.size = sizeof event;
        need(sipdlg_agent_poll_event(w->agent, &event), "poll_event");
    } while (event.kind != SIPDLG_EVENT_INVITE);
    take(w, &event);
}

/* Gives back what one call gave. */
static void world_drop(struct world *w)
{
    if (w->given)
        sipdlg_message_release(w->given);
    if (w->made)
        sipdlg_agent_free(w->made);
    w->given = NULL;
    w->made = 0;
    while (w->used > 0)
        free(w->pieces[--w->used]);
}

static void world_close(struct world *w)
{
    world_drop(w);
    sipdlg_agent_free(w->agent);
    sipdlg_config_free(w->config);
    sipdlg_message_release(w->message);
}

/* A struct that says `size` and of which just as much is there; `tail` is its last byte. */
static void *piece(struct world *w, size_t size, int tail)
{
    size_t real = size < sizeof size || size > 65536 ? sizeof size : size;
    unsigned char *bytes = (unsigned char *)calloc(1, real);
    memcpy(bytes, &size, sizeof size);
    if (tail)
        bytes[real - 1] = 1;
    w->pieces[w->used++] = bytes;
    return bytes;
}

static void *repeat(void *argument)
{
    struct world *w = (struct world *)argument;
    int i;
    for (i = 0; i < 20; i++) {
        int64_t got = w->inside(w);
        if (got <= SIPDLG_ERR_DEFUNCT) {
            printf("from two threads: %lld\n", (long long)got);
            exit(1);
        }
    }
    return NULL;
}

/* Two threads on the same agent and objects, each with its own memory. */
static void from_two_threads(int64_t (*call)(struct world *))
{
    struct world one, two;
    pthread_t thread;
    world_open(&one, NULL);
    one.inside = call;
    two = one;
    two.config = sipdlg_config_new();
    if (pthread_create(&thread, NULL, repeat, &two) != 0)
        exit(2);
    repeat(&one);
    pthread_join(thread, NULL);
    world_drop(&two);
    sipdlg_config_free(two.config);
    world_close(&one);
    calls++;
}

static void from_a_callback(int64_t (*call)(struct world *))
{
    struct world w;
    world_open(&w, call);
    world_close(&w);
}

#define TRY(function, what, expected, call) \
    do { \
        struct world world, *w = &world; \
        int64_t got; \
        world_open(w, NULL); \
        got = (call); \
        world_close(w); \
        judge(function, what, got, expected); \
    } while (0)

#endif
