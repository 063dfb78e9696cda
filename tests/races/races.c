/* races SECONDS: every pair of the functions that begin, end, drive and wake an agent, from two and from four threads, on agents that
 * have traffic and whose callbacks and release functions do nothing or call all of them. Each call is OK or one of the refusals that the header names;
 * callbacks of an agent never overlap and none comes after its end; each user pointer is released once; no thread and no descriptor is
 * left. A watchdog says who hangs. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "sipdlg.h"

#define GET(place) __atomic_load_n(&(place), __ATOMIC_SEQ_CST)
#define SET(place, value) __atomic_store_n(&(place), (value), __ATOMIC_SEQ_CST)
#define ADD(place, value) __atomic_add_fetch(&(place), (value), __ATOMIC_SEQ_CST)

enum { START, STOP, FREE, RUN_ONCE, DISPATCH, POLL_EVENT, WAKE, EVENT_FD, LISTEN, OPS };
enum { SLOTS = 2, THREADS = 4, SOCKETS = 4, HANG_SECONDS = 60, LEFT_SECONDS = 20, DEEPEST = 3 };

static const char *const names[OPS] = { "start", "stop", "free", "run_once", "dispatch", "poll_event", "wake", "event_fd", "listen" };

/* beside OK and ERR_STALE: the agent may be freed at any time */
static const int32_t refusals[OPS][2] = {
    { SIPDLG_ERR_STATE, SIPDLG_ERR_BUSY }, { 0, 0 }, { 0, 0 }, { SIPDLG_ERR_BUSY, 0 }, { SIPDLG_ERR_BUSY, 0 },
    { SIPDLG_ERR_BUSY, SIPDLG_NONE }, { 0, 0 }, { 0, 0 }, { 0, 0 },
};

/* What an agent's callbacks know of it. Kept until its pair is done, so that one that comes too late is seen. */
struct box {
    struct box *next;
    int inside, freed, released, sockets;
};

struct worker {
    pthread_t thread;
    int op;
    unsigned seed;
    unsigned long beat;
    const char *doing;
};

static sipdlg_agent_t current[SLOTS];
static struct box *boxes;
static struct worker workers[THREADS];
static int busy_workers, over, feeding, wild, wrong;
static unsigned long rounds, calls, callbacks, lines, agents;
static char pair_name[64];
static sipdlg_config_t *config;

/* callbacks on this thread, one in the other; they end */
static __thread int depth;
static __thread unsigned chance;

static unsigned next(void)
{
    chance = chance * 1103515245u + 12345u;
    return chance >> 12;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void nap(long us)
{
    struct timespec time = { 0, us * 1000 };
    nanosleep(&time, NULL);
}

static void fault(const char *what, int32_t seen)
{
    if (ADD(wrong, 1) <= 20)
        printf("WRONG %s: %s (%s)\n", pair_name, what, seen == 0 ? "-" : sipdlg_status_text(seen));
}

static void act(unsigned op, unsigned slot);

/* Functions of the host run where it drives, or on the thread for that. */
static void look_where(const char *what)
{
    char name[16] = "";
    if (pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, "sipdlg-network") == 0)
        fault(what, 0);
}

/* One of the other functions, on the agent and objects of an event. All may refuse; none may find a defect. */
static void anything(const sipdlg_event_t *event)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_transmit_t transmit;
    sipdlg_stats_t stats;
    sipdlg_session_t session = 0;
    uint64_t delay;
    int32_t status;
    char text[256];
    transmit.size = sizeof transmit;
    stats.size = sizeof stats;
    switch (next() % 14) {
    case 0: status = sipdlg_agent_stats(event->agent, &stats); break;
    case 1: status = next() % 8 == 0 ? sipdlg_agent_trim(event->agent) : SIPDLG_OK; break; /* it takes long */
    case 2:
        status = sipdlg_agent_next_session(event->agent, 0, &session);
        if (status == SIPDLG_OK)
            status = sipdlg_session_state_text(session, text, sizeof text, NULL);
        break;
    case 3: status = sipdlg_agent_poll_transmit(event->agent, &transmit); break;
    case 4: status = sipdlg_agent_next_timeout(event->agent, &delay); break;
    case 5: status = sipdlg_agent_handle_timeout(event->agent); break;
    case 6: status = sipdlg_agent_transmit_failed(event->agent, event->id); break;
    case 7: status = sipdlg_agent_link_closed(event->agent, 1 + next() % 7); break;
    case 8: status = sipdlg_agent_resolved(event->agent, next() % 4, NULL, 0); break;
    case 9: status = sipdlg_session_bye(event->session, NULL, NULL); break;
    case 10: status = sipdlg_session_info(event->session, &request, NULL); break;
    case 11: status = sipdlg_agent_request(event->agent, "OPTIONS", "sip:bob@localhost:9", NULL, NULL); break;
    case 12: status = sipdlg_incoming_reject(event->incoming, 480, NULL); break;
    default: status = sipdlg_outgoing_cancel(event->outgoing, NULL, NULL); break;
    }
    if (status == SIPDLG_ERR_DEFUNCT)
        fault("a defect", status);
}

static void on_release(void *user)
{
    struct box *box = user;
    look_where("a release function on the network's thread");
    if (ADD(box->released, 1) != 1)
        fault("released twice", 0);
    if (depth++ < DEEPEST && GET(wild))
        act(next() % OPS, next() % SLOTS);
    depth--;
}

static void on_log(void *user, int32_t level, const char *line)
{
    (void)user;
    (void)level;
    ADD(lines, line[0] != 0);
}

static void on_event(void *user, const sipdlg_event_t *event)
{
    struct box *box = user;
    sipdlg_response_options_t options = SIPDLG_RESPONSE_OPTIONS_INIT;
    sipdlg_str_t bytes;
    unsigned count;
    ADD(callbacks, 1);
    look_where("a callback on the network's thread");
    if (ADD(box->inside, 1) != 1)
        fault("callbacks overlap", 0);
    if (GET(box->freed))
        fault("a callback after the end", 0);
    depth++;
    if (event->message != NULL && (sipdlg_message_bytes(event->message, &bytes) != SIPDLG_OK || bytes.len < 20))
        fault("the event's message", 0);
    if (event->kind == SIPDLG_EVENT_INVITE) {
        options.body.data = "v=0\r\n";
        options.body.len = 5;
        sipdlg_incoming_accept(event->incoming, 200, &options, NULL);
    } else if (event->kind == SIPDLG_EVENT_ACCEPT && event->session != 0) {
        sipdlg_session_hangup(event->session, 0, NULL);
    } else if (next() % 2 == 0) {
        sipdlg_event_default(event);
    }
    if (GET(wild))
        anything(event);
    if (depth <= DEEPEST && GET(wild))
        for (count = next() % 3; count > 0; count--)
            act(next() % OPS, next() % SLOTS);
    depth--;
    ADD(box->inside, -1);
}

/* A new agent for the slot, unless another thread was first. */
static void renew(unsigned slot, sipdlg_agent_t former)
{
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    sipdlg_callback_t *function;
    sipdlg_flow_t flow;
    sipdlg_agent_t agent = 0;
    struct box *box = calloc(1, sizeof *box);
    if (box == NULL)
        abort();
    delegate.user = box;
    for (function = &delegate.on_invite; function <= &delegate.on_transport_error; function++)
        *function = on_event;
    delegate.on_resolve = NULL;
    memset(&flow, 0, sizeof flow);
    flow.transport = SIPDLG_TRANSPORT_UDP;
    flow.link = 7; /* a socket of the host's: those that the library opens count from 1 */
    flow.local.family = 4;
    flow.local.port = 5060;
    memcpy(flow.local.ip, "\177\0\0\1", 4);
    if (sipdlg_agent_new(config, &agent) != SIPDLG_OK || sipdlg_agent_set_delegate(agent, &delegate) != SIPDLG_OK
        || sipdlg_agent_set_user(agent, box, on_release) != SIPDLG_OK || sipdlg_agent_add_transport(agent, &flow, NULL) != SIPDLG_OK)
        fault("a new agent", 0);
    ADD(agents, 1);
    box->next = GET(boxes);
    while (!__atomic_compare_exchange_n(&boxes, &box->next, box, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        continue;
    if (!__atomic_compare_exchange_n(&current[slot], &former, agent, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        int32_t status = sipdlg_agent_free(agent);
        if (status != SIPDLG_OK)
            fault("free of an agent that nobody knows", status);
    }
}

static int32_t end(unsigned slot, sipdlg_agent_t agent)
{
    struct box *box = sipdlg_agent_user(agent);
    int32_t status = sipdlg_agent_free(agent);
    if (status == SIPDLG_OK) {
        if (depth == 0 && box != NULL) /* in a callback it does not wait */
            SET(box->freed, 1);
        if (!GET(over))
            renew(slot, agent);
    }
    return status;
}

/* One call of a function on the agent of a slot, and whether the header allows what it says. */
static void act(unsigned op, unsigned slot)
{
    sipdlg_agent_t agent = GET(current[slot]);
    sipdlg_event_t event;
    struct box *box;
    struct pollfd polled = { -1, POLLIN, 0 };
    int32_t status = SIPDLG_OK;
    event.size = sizeof event;
    switch (op) {
    case START: status = sipdlg_agent_start(agent, 1, (int32_t)(next() % 2)); break;
    case STOP: status = sipdlg_agent_stop(agent); break;
    case FREE: status = end(slot, agent); break;
    case RUN_ONCE: status = sipdlg_agent_run_once(agent, depth > 0 ? 0 : (int32_t)(next() % 4) - 1); break;
    case DISPATCH: status = sipdlg_agent_dispatch(agent); break;
    case POLL_EVENT:
        status = sipdlg_agent_poll_event(agent, &event);
        if (status == SIPDLG_OK)
            sipdlg_event_default(&event);
        break;
    case WAKE: status = sipdlg_agent_wake(agent); break;
    case EVENT_FD:
        status = sipdlg_agent_event_fd(agent, &polled.fd);
        if (status == SIPDLG_OK)
            poll(&polled, 1, 0);
        break;
    case LISTEN:
        box = sipdlg_agent_user(agent);
        if (box != NULL && ADD(box->sockets, 1) > SOCKETS)
            status = end(slot, agent); /* a new one, which has no sockets yet */
        else
            status = sipdlg_agent_listen(agent, "udp:127.0.0.1:0");
        break;
    default: break;
    }
    ADD(calls, 1);
    if (status != SIPDLG_OK && status != SIPDLG_ERR_STALE && status != refusals[op][0] && status != refusals[op][1])
        fault(names[op], status);
}

static void *work(void *which)
{
    struct worker *worker = which;
    chance = worker->seed;
    while (!GET(over)) {
        /* three of four calls meet those of the others at one agent */
        act((unsigned)worker->op, next() % 4 == 0);
        ADD(rounds, 1);
        if (ADD(worker->beat, 1) % 256 == 0)
            nap(50); /* the cheap ones leave the processor to the others */
    }
    SET(worker->doing, NULL);
    ADD(busy_workers, -1);
    return NULL;
}

/* Calls in and out, by the host's socket and by the library's. */
static void *feed(void *unused)
{
    char text[512], address[64], target[96];
    sipdlg_transmit_t transmit;
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_flow_t flow;
    unsigned number = 0;
    (void)unused;
    transmit.size = sizeof transmit;
    options.body.data = "v=0\r\n";
    options.body.len = 5;
    memset(&flow, 0, sizeof flow);
    flow.transport = SIPDLG_TRANSPORT_UDP;
    flow.link = 7;
    flow.local.family = flow.remote.family = 4;
    flow.local.port = 5060;
    flow.remote.port = 5061;
    memcpy(flow.local.ip, "\177\0\0\1", 4);
    memcpy(flow.remote.ip, "\177\0\0\1", 4);
    chance = 99;
    while (GET(feeding)) {
        sipdlg_agent_t agent = GET(current[next() % SLOTS]);
        const char *method = number++ % 2 == 0 ? "OPTIONS" : "INVITE";
        int len = snprintf(text, sizeof text, "%s sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-%u\r\n"
            "Max-Forwards: 70\r\nFrom: <sip:alice@127.0.0.1>;tag=a%u\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: c%u\r\nCSeq: 1 %s\r\n"
            "Contact: <sip:alice@127.0.0.1:5061>\r\nContent-Length: 0\r\n\r\n", method, number, number, number, method);
        sipdlg_agent_receive(agent, &flow, text, (size_t)len);
        if (sipdlg_agent_local_address(agent, 0, address, sizeof address, NULL) == SIPDLG_OK) {
            snprintf(target, sizeof target, "sip:bob@%s", address + 4);
            sipdlg_agent_invite(agent, target, &options, NULL);
        } else {
            while (sipdlg_agent_poll_transmit(agent, &transmit) == SIPDLG_OK)
                continue;
        }
        sipdlg_agent_dispatch(agent); /* no function of the pair may run callbacks */
        nap(100);
    }
    return NULL;
}

/* Says who hangs, and ends the process. */
static void *watch(void *unused)
{
    unsigned long seen[THREADS] = { 0 };
    double since[THREADS] = { 0 };
    int at;
    (void)unused;
    for (;;) {
        nap(100000);
        for (at = 0; at < THREADS; at++) {
            unsigned long beat = GET(workers[at].beat);
            const char *doing = GET(workers[at].doing);
            if (doing == NULL || beat != seen[at] || since[at] == 0) {
                seen[at] = beat;
                since[at] = now();
            } else if (now() - since[at] > HANG_SECONDS) {
                printf("races: %s: %s hangs\nraces: 0 passed, 1 failed\n", pair_name, doing);
                fflush(stdout);
                _exit(1);
            }
        }
    }
    return NULL;
}

/* Entries of a folder of /proc/self. A thread counts from its first moment, before it has a name. */
static int count(const char *folder)
{
    struct dirent *entry;
    DIR *opened = opendir(folder);
    int found = 0;
    while (opened != NULL && (entry = readdir(opened)) != NULL)
        found += entry->d_name[0] != '.';
    if (opened != NULL)
        closedir(opened);
    return found;
}

static int all_released(void)
{
    struct box *box;
    for (box = GET(boxes); box != NULL; box = box->next)
        if (GET(box->released) != 1)
            return 0;
    return 1;
}

static int run(int one, int other, int threads, int calling, double seconds)
{
    int before = wrong, descriptors = count("/proc/self/fd"), tasks = count("/proc/self/task"), at;
    struct box *box;
    pthread_t feeder;
    double until;
    snprintf(pair_name, sizeof pair_name, "%s and %s, %d threads%s", names[one], names[other], threads, calling ? ", callbacks call" : "");
    SET(wild, calling);
    for (at = 0; at < SLOTS; at++) {
        SET(current[at], 0);
        renew((unsigned)at, 0);
    }
    SET(over, 0);
    SET(feeding, 1);
    SET(busy_workers, threads);
    for (at = 0; at < threads; at++) {
        workers[at].op = at % 2 == 0 ? one : other;
        workers[at].seed = (unsigned)(1 + at + threads * 10 + one * 100 + other * 1000);
        SET(workers[at].doing, names[workers[at].op]);
        if (pthread_create(&workers[at].thread, NULL, work, &workers[at]) != 0)
            abort();
    }
    if (pthread_create(&feeder, NULL, feed, NULL) != 0)
        abort();
    for (until = now() + seconds; now() < until;)
        nap(5000);
    SET(over, 1);
    while (GET(busy_workers) > 0) { /* one may wait in run_once() for ever */
        for (at = 0; at < SLOTS; at++)
            sipdlg_agent_wake(GET(current[at]));
        nap(500);
    }
    for (at = 0; at < threads; at++)
        pthread_join(workers[at].thread, NULL);
    SET(feeding, 0);
    pthread_join(feeder, NULL);
    for (at = 0; at < SLOTS; at++) {
        int32_t status = sipdlg_agent_free(GET(current[at]));
        if (status != SIPDLG_OK && status != SIPDLG_ERR_STALE)
            fault("free at the end", status);
    }
    /* what was freed inside a callback ends with its driver */
    for (until = now() + LEFT_SECONDS; now() < until && !all_released();)
        nap(500);
    if (!all_released())
        fault("a user pointer is not released", 0);
    while (now() < until && (count("/proc/self/task") > tasks || count("/proc/self/fd") > descriptors))
        nap(500);
    if (count("/proc/self/task") > tasks)
        fault("a thread is left", 0);
    if (count("/proc/self/fd") > descriptors)
        fault("a descriptor is left", 0);
    while ((box = boxes) != NULL) {
        boxes = box->next;
        free(box);
    }
    return wrong == before;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 10, begun = now(), took;
    int one, other, threads, calling, pairs = 0, tried = 0, passed = 0;
    pthread_t watchdog;
    config = sipdlg_config_new();
    if (config == NULL || sipdlg_config_set_log(config, SIPDLG_LOG_DEBUG, on_log, NULL) != SIPDLG_OK
        || pthread_create(&watchdog, NULL, watch, NULL) != 0)
        return 2;
    pthread_detach(watchdog);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (one = 0; one < OPS; one++)
        for (other = one; other < OPS; other++, pairs++)
            for (threads = 2; threads <= THREADS; threads += 2)
                for (calling = 0; calling < 2; calling++, tried++)
                    passed += run(one, other, threads, calling, seconds / (OPS * (OPS + 1) * 2));
    took = now() - begun;
    sipdlg_config_free(config);
    printf("races: %d pairs from two and four threads, %lu rounds, %lu calls (%.0f a second), %lu callbacks, %lu agents, %lu log lines, "
           "%.1f s\n", pairs, rounds, calls, (double)calls / took, callbacks, agents, lines, took);
    printf("races: %d passed, %d failed\n", passed, tried - passed);
    return passed != tried;
}
