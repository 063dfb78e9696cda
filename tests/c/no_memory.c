/* Memory that runs out: the call that needs some ends well, those after it say ERR_NO_MEMORY, and the call goes on once there is some. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "pair.h"

#ifdef __SANITIZE_ADDRESS__
int main(void)
{
    puts("no_memory: the allocator is AddressSanitizer's here");
    return 0;
}
#else

/* In the place of libc's: what is left of the memory while `limited`. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

enum { RESERVE = 1 << 20 }; /* what the library keeps back */

static int limited;
static long left;
static unsigned long refused;

static int allows(size_t size)
{
    if (__atomic_load_n(&limited, __ATOMIC_SEQ_CST) == 0 || (long)size <= __atomic_load_n(&left, __ATOMIC_SEQ_CST))
        return 1;
    __atomic_add_fetch(&refused, 1, __ATOMIC_SEQ_CST);
    errno = ENOMEM;
    return 0;
}

static void *counted(void *block)
{
    if (block != NULL)
        __atomic_sub_fetch(&left, (long)malloc_usable_size(block), __ATOMIC_SEQ_CST);
    return block;
}

void *malloc(size_t size)
{
    return allows(size) ? counted(__libc_malloc(size)) : NULL;
}

void *calloc(size_t count, size_t size)
{
    return allows(count * size) ? counted(__libc_calloc(count, size)) : NULL;
}

void *memalign(size_t align, size_t size)
{
    return allows(size) ? counted(__libc_memalign(align, size)) : NULL;
}

void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    void *block = memalign(align, size);
    if (block == NULL)
        return ENOMEM;
    *out = block;
    return 0;
}

void free(void *block)
{
    if (block != NULL)
        __atomic_add_fetch(&left, (long)malloc_usable_size(block), __ATOMIC_SEQ_CST);
    __libc_free(block);
}

void *realloc(void *block, size_t size)
{
    long former = block == NULL ? 0 : (long)malloc_usable_size(block);
    void *now;
    if (!allows(size))
        return NULL;
    now = __libc_realloc(block, size);
    if (now != NULL || size == 0)
        __atomic_add_fetch(&left, former, __ATOMIC_SEQ_CST);
    return counted(now);
}

static void limit(long bytes)
{
    __atomic_store_n(&left, bytes, __ATOMIC_SEQ_CST);
    __atomic_store_n(&limited, 1, __ATOMIC_SEQ_CST);
}

static void unlimit(void)
{
    __atomic_store_n(&limited, 0, __ATOMIC_SEQ_CST);
}

static struct pair pair;
static sipdlg_session_t alice, bob;
static sipdlg_incoming_t waiting;
static int accepted, changed, infos, ended[2], spent;

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    waiting = event->incoming;
}

static void on_reinvite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    changed++;
    CHECK_OK(pair_accept(event->incoming, NULL));
}

static void on_info(void *user, const sipdlg_event_t *event)
{
    (void)user;
    infos++;
    CHECK_OK(sipdlg_incoming_accept(event->incoming, 0, NULL, NULL));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    accepted++;
    alice = event->session;
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    ended[event->agent == pair.agent[BOB]]++;
}

static sipdlg_delegate_t bobs = SIPDLG_DELEGATE_INIT, alices = SIPDLG_DELEGATE_INIT;

/* The acts of a call, one after another; what they return. */
static sipdlg_status_t invites(void)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    options.delegate = &alices;
    pair_body(&options.body, OFFER);
    return sipdlg_agent_invite(pair.agent[ALICE], BOB_URI ":5060", &options, NULL);
}

static sipdlg_status_t rings(void) { return sipdlg_incoming_progress(waiting, 180, NULL, &bob); }
static sipdlg_status_t accepts(void) { return pair_accept(waiting, &bob); }

static sipdlg_status_t holds(void)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    pair_body(&options.body, HOLD);
    return sipdlg_session_invite(alice, &options, NULL);
}

static sipdlg_status_t informs(void) { return sipdlg_session_info(alice, NULL, NULL); }
static sipdlg_status_t looks(void) { return sipdlg_session_state(bob) < 0 ? sipdlg_session_state(bob) : SIPDLG_OK; }
static sipdlg_status_t waits(void) { return sipdlg_agent_handle_timeout(pair.agent[ALICE]); }
static sipdlg_status_t configures(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_status_t status;
    if (config == NULL)
        return SIPDLG_ERR_NO_MEMORY;
    status = sipdlg_config_set_aor(config, "sip:" BOB_URI);
    sipdlg_config_free(config);
    return status == SIPDLG_ERR_SYNTAX ? SIPDLG_OK : status;
}
static sipdlg_status_t hangs_up(void) { return sipdlg_session_bye(alice, NULL, NULL); }

static sipdlg_status_t (*const acts[])(void) = { invites, rings, accepts, holds, informs, looks, waits, configures, hangs_up };
enum { ACTS = sizeof acts / sizeof acts[0] };

/* Carries messages where there is hardly any memory: what cannot be taken is lost. Nothing may end but with a status. */
static void exchange_in_need(void)
{
    sipdlg_transmit_t out;
    int side;
    out.size = sizeof out;
    for (side = ALICE; side <= BOB; side++) {
        sipdlg_status_t status = sipdlg_agent_dispatch(pair.agent[side]);
        CHECK(status == SIPDLG_OK || status == SIPDLG_ERR_NO_MEMORY);
        while ((status = sipdlg_agent_poll_transmit(pair.agent[side], &out)) == SIPDLG_OK) {
            sipdlg_flow_t flow = pair.flow[1 - side];
            flow.remote = pair.flow[side].local;
            status = sipdlg_agent_receive(pair.agent[1 - side], &flow, out.data, out.len);
            CHECK(status == SIPDLG_OK || status == SIPDLG_ERR_NO_MEMORY);
        }
        CHECK(status == SIPDLG_NONE || status == SIPDLG_ERR_NO_MEMORY);
    }
}

/* At the act `at` so many bytes are left; afterwards there are enough again, and the call goes its way. Whether it had to do without. */
static int runs_out(unsigned at, long bytes, int once_more)
{
    unsigned done;
    int in_need = 0;
    accepted = changed = infos = ended[0] = ended[1] = 0;
    pair_open(&pair);
    bobs.on_invite = on_invite;
    bobs.on_reinvite = on_reinvite;
    bobs.on_info = on_info;
    bobs.on_terminated = alices.on_terminated = on_terminated;
    alices.on_accept = on_accept;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &bobs));
    for (done = 0; done < ACTS; done++) {
        sipdlg_status_t status;
        unsigned long before = refused;
        if (done == at)
            limit(bytes);
        status = acts[done]();
        CHECK(status == SIPDLG_OK || (done == at && status == SIPDLG_ERR_NO_MEMORY));
        if (done == at) {
            if (refused > before && left < RESERVE) { /* it is gone: the next one is refused */
                CHECK_STATUS(waits(), SIPDLG_ERR_NO_MEMORY);
                spent++;
            }
            if (once_more)
                exchange_in_need();
            in_need = refused > before;
            unlimit();
            if (status != SIPDLG_OK)
                CHECK_OK(acts[done]());
        }
        /* what was lost is repeated */
        pair_advance(&pair, 5000);
    }
    CHECK_NUMBER(accepted, 1);
    CHECK_NUMBER(changed, 1);
    CHECK_NUMBER(infos, 1);
    CHECK_NUMBER(ended[0], 1);
    CHECK_NUMBER(ended[1], 1);
    pair_close(&pair);
    return in_need;
}

/* An agent is made where there is memory to keep back, and freed where there is none. */
static void begins_and_ends(void)
{
    sipdlg_agent_t agent = 0;
    sipdlg_config_t *config;
    void *rest;
    limit(100000);
    CHECK_STATUS(sipdlg_agent_new(NULL, &agent), SIPDLG_ERR_NO_MEMORY);
    CHECK_NUMBER(agent, 0);
    unlimit();
    CHECK_OK(sipdlg_agent_new(NULL, &agent));
    limit(0);
    config = sipdlg_config_new(); /* out of the reserve */
    rest = malloc(RESERVE / 2);        /* of what that gave back */
    CHECK(config != NULL && rest != NULL);
    CHECK_STATUS(sipdlg_agent_dispatch(agent), SIPDLG_ERR_NO_MEMORY);
    CHECK_OK(sipdlg_agent_stop(agent));
    CHECK_OK(sipdlg_agent_free(agent));
    sipdlg_config_free(config);
    free(rest);
    CHECK(left >= RESERVE); /* it too */
    unlimit();
}

/* A second agent that wants more kept back, and cannot have it, leaves the first one what it had. */
static void wants_more(void)
{
    sipdlg_agent_t agent = 0, other = 0;
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_status_t status;
    void *rest;
    CHECK_OK(sipdlg_config_set_limits(config, 100000, 0, 0));
    CHECK_OK(sipdlg_agent_new(NULL, &agent));
    limit(100000);
    status = sipdlg_agent_new(config, &other);
    CHECK(status == SIPDLG_OK || status == SIPDLG_ERR_NO_MEMORY);
    rest = malloc((size_t)left - 4096); /* whatever it gave back is somebody else's now */
    limit(0);
    if (sipdlg_agent_dispatch(agent) == SIPDLG_OK) { /* so it has some to go on with */
        sipdlg_config_t *more = sipdlg_config_new();
        CHECK(more != NULL);
        sipdlg_config_free(more);
    }
    free(rest);
    unlimit();
    CHECK_OK(sipdlg_agent_free(agent));
    if (status == SIPDLG_OK)
        CHECK_OK(sipdlg_agent_free(other));
    sipdlg_config_free(config);
}

enum { SOCKETS = 12, EACH = 80, LONG = 3000 };

/* More waits on the sockets than the reserve holds, and all of it new: what cannot be kept is lost. */
static void more_waits_than_is_kept_back(void)
{
    sipdlg_agent_t agent;
    struct sockaddr_in to = { 0 };
    static char text[LONG];
    char address[64];
    int peer = socket(AF_INET, SOCK_DGRAM, 0), number, i;
    memset(text, 'x', sizeof text);
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_OK(sipdlg_agent_new(NULL, &agent));
    for (i = 0; i < SOCKETS; i++) {
        CHECK_OK(sipdlg_agent_listen(agent, "udp:127.0.0.1:0"));
        CHECK_OK(sipdlg_agent_local_address(agent, (uint32_t)i, address, sizeof address, NULL));
        to.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
        for (number = 0; number < EACH; number++)
            CHECK(sendto(peer, text, sizeof text, 0, (struct sockaddr *)&to, sizeof to) == LONG);
    }
    CHECK_OK(sipdlg_agent_run_once(agent, 0)); /* the first turn makes what lasts */
    for (number = 0; number < EACH * SOCKETS; number++)
        CHECK_OK(sipdlg_agent_run_once(agent, 0));
    for (i = 0; i < SOCKETS; i++) {
        CHECK_OK(sipdlg_agent_local_address(agent, (uint32_t)i, address, sizeof address, NULL));
        to.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
        for (number = 0; number < EACH; number++)
            CHECK(sendto(peer, text, sizeof text, 0, (struct sockaddr *)&to, sizeof to) == LONG);
    }
    limit(0);
    CHECK_OK(sipdlg_agent_run_once(agent, 0));
    CHECK_STATUS(sipdlg_agent_run_once(agent, 0), SIPDLG_ERR_NO_MEMORY);
    unlimit();
    CHECK_OK(sipdlg_agent_run_once(agent, 0));
    CHECK_OK(sipdlg_agent_free(agent));
    close(peer);
}

/* The same with threads of the library: they wait until there is memory. */
static void threads_wait(void)
{
    sipdlg_agent_t caller, callee;
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_delegate_t answering = SIPDLG_DELEGATE_INIT;
    char address[64], uri[96];
    struct timespec moment = { 0, 50000000 };
    unsigned turns;
    accepted = 0;
    answering.on_invite = on_reinvite;
    CHECK_OK(sipdlg_agent_new(NULL, &caller));
    CHECK_OK(sipdlg_agent_new(NULL, &callee));
    CHECK_OK(sipdlg_agent_set_delegate(callee, &answering));
    CHECK_OK(sipdlg_agent_listen(caller, "udp:127.0.0.1:0"));
    CHECK_OK(sipdlg_agent_listen(callee, "udp:127.0.0.1:0"));
    CHECK_OK(sipdlg_agent_local_address(callee, 0, address, sizeof address, NULL));
    snprintf(uri, sizeof uri, "sip:bob@%s", address + strlen("udp:"));
    CHECK_OK(sipdlg_agent_start(caller, 1, 1));
    CHECK_OK(sipdlg_agent_start(callee, 1, 1));
    options.delegate = &alices;
    pair_body(&options.body, OFFER);
    limit(2000);
    for (turns = 0; turns < 1000 && sipdlg_agent_invite(caller, uri, &options, NULL) == SIPDLG_OK; turns++)
        options.delegate = NULL;
    CHECK(turns < 1000);
    nanosleep(&moment, NULL);
    unlimit();
    for (turns = 0; __atomic_load_n(&accepted, __ATOMIC_SEQ_CST) == 0 && CHECK(turns < 200); turns++)
        nanosleep(&moment, NULL);
    CHECK_OK(sipdlg_agent_free(caller));
    CHECK_OK(sipdlg_agent_free(callee));
}

int main(void)
{
    unsigned at, rows = 0;
    long bytes;
    void *probe;
    setvbuf(stdout, NULL, _IONBF, 0);
    limit(0);
    probe = malloc(100);
    unlimit();
    free(probe);
    if (probe != NULL) {
        puts("no_memory: the allocator is valgrind's here");
        return 0;
    }
    begins_and_ends();
    more_waits_than_is_kept_back();
    for (at = 0; at < ACTS; at++) {
        for (bytes = 0; bytes < 200; bytes += 8)
            rows += (unsigned)runs_out(at, bytes, bytes % 16 == 0);
        for (; bytes < 40000; bytes += bytes / 8)
            rows += (unsigned)runs_out(at, bytes, bytes % 16 == 0);
    }
    CHECK(rows > ACTS * 5);
    CHECK(spent > ACTS);
    printf("%u times in need, %d times the reserve was spent\n", rows, spent);
    threads_wait();
    wants_more();
    return check_report("no_memory");
}
#endif
