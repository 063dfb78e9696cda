/* soak [CALLS [SECONDS [SEED]]]: two agents call each other at 20 % loss while both hosts do anything, by the C API and in virtual time.
   CALLS (2000) calls, and more until SECONDS of real time have passed. Every session that begins ends, once and soon after its
   hang-up; what is held stays what it was. */
#define _GNU_SOURCE
#include <time.h>
#include <unistd.h>
#include "pair.h"

enum { LIVING = 300, SESSIONS = 4096, ROUNDS = 10, LOSS = 20, PATIENCE_S = 400 };

struct held {
    sipdlg_session_t token;
    uint64_t asked_us; /* when it was hung up; 0 not yet */
};

/* What one side knows. */
struct side {
    struct held sessions[SESSIONS];
    unsigned count;
    sipdlg_incoming_t asked[SESSIONS]; /* requests that wait for an answer, or are over by now */
    unsigned waiting;
    sipdlg_outgoing_t sent[SESSIONS];
    unsigned out;
    unsigned long births, ends;
};

static struct pair pair;
static struct side sides[2];
static sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
static uint64_t state;
static unsigned long placed, acts, done, longest_s;

static unsigned dice(unsigned below)
{
    uint64_t mixed;
    state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (state ^ (state >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((mixed ^ (mixed >> 31)) >> 33) % below;
}

static struct side *side_of(const sipdlg_event_t *event)
{
    return &sides[event->agent == pair.agent[BOB]];
}

static const char *some_sdp(void)
{
    static const char *const all[] = { OFFER, HOLD, ANSWER };
    return all[dice(3)];
}

/* What a host may hear at any time, since the peer may have been faster. */
static int is_legal(sipdlg_status_t status)
{
    switch (status) {
    case SIPDLG_OK:
    case SIPDLG_NONE:
    case SIPDLG_ERR_STATE:
    case SIPDLG_ERR_STALE:
    case SIPDLG_ERR_LIMIT:
        return 1;
    default:
        return 0;
    }
}

static void try(sipdlg_status_t status, int line)
{
    acts++;
    done += status == SIPDLG_OK;
    if (!is_legal(status))
        check_status(status, SIPDLG_OK, __FILE__, line, "an act");
}

#define TRY(call) try(call, __LINE__)

static void wait_for_later(struct side *side, sipdlg_incoming_t incoming)
{
    side->asked[side->waiting < SESSIONS ? side->waiting++ : dice(SESSIONS)] = incoming;
}

static void answer(struct side *side, sipdlg_incoming_t incoming)
{
    sipdlg_response_options_t options = SIPDLG_RESPONSE_OPTIONS_INIT;
    pair_body(&options.body, some_sdp());
    switch (dice(8)) {
    case 0:
        TRY(sipdlg_incoming_reject(incoming, dice(2) ? 486 : 0, NULL));
        break;
    case 1:
        TRY(sipdlg_incoming_progress(incoming, 180, NULL, NULL));
        wait_for_later(side, incoming);
        break;
    case 2:
        options.flags = SIPDLG_RESPONSE_RELIABLE;
        TRY(sipdlg_incoming_progress(incoming, 183, &options, NULL));
        wait_for_later(side, incoming);
        break;
    case 3:
        wait_for_later(side, incoming);
        break;
    default:
        TRY(sipdlg_incoming_accept(incoming, 0, &options, NULL));
        TRY(sipdlg_incoming_accept(incoming, 0, NULL, NULL)); /* where the description was given, or answered */
    }
}

static void on_request(void *user, const sipdlg_event_t *event)
{
    (void)user;
    answer(side_of(event), event->incoming);
}

static void on_small(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->incoming == 0)
        return; /* a subscription is over, without NOTIFY */
    if (dice(4) == 0)
        TRY(sipdlg_event_default(event));
    else
        TRY(sipdlg_incoming_accept(event->incoming, 0, NULL, NULL));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    (void)user;
    if (event->flags & SIPDLG_EVENT_NEEDS_ACK) {
        pair_body(&options.body, ANSWER);
        TRY(sipdlg_session_ack(event->session, &options));
    }
}

static void on_state(void *user, const sipdlg_event_t *event)
{
    struct side *side = side_of(event);
    unsigned at;
    (void)user;
    for (at = 0; at < side->count && side->sessions[at].token != event->session; at++)
        continue;
    if (at < side->count || event->session_state == SIPDLG_SESSION_TERMINATED)
        return;
    side->births++;
    if (CHECK(side->count < SESSIONS)) {
        side->sessions[side->count].token = event->session;
        side->sessions[side->count++].asked_us = 0;
    }
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    struct side *side = side_of(event);
    unsigned at;
    (void)user;
    for (at = 0; at < side->count && side->sessions[at].token != event->session; at++)
        continue;
    if (at == side->count)
        return; /* it never had a state of its own */
    side->ends++;
    if (side->sessions[at].asked_us != 0) {
        unsigned long took_s = (unsigned long)((pair.now_us - side->sessions[at].asked_us) / 1000000);
        longest_s = took_s > longest_s ? took_s : longest_s;
    }
    side->sessions[at] = side->sessions[--side->count];
}

static int is_lost(int from, const char *data, size_t len)
{
    (void)from;
    (void)data;
    (void)len;
    return dice(100) < LOSS;
}

static void place(int from)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_outgoing_t invite = 0;
    options.delegate = &delegate;
    if (dice(6) != 0)
        pair_body(&options.body, OFFER);
    CHECK_OK(sipdlg_agent_invite(pair.agent[from], from == ALICE ? BOB_URI ":5060" : ALICE_URI ":5060", &options, &invite));
    sides[from].sent[sides[from].out < SESSIONS ? sides[from].out++ : dice(SESSIONS)] = invite;
    placed++;
}

static void hang_up(struct held *held)
{
    if (held->asked_us == 0)
        held->asked_us = pair.now_us;
    TRY(sipdlg_session_hangup(held->token, 0, NULL));
}

static void act(struct side *side)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    struct held *held = side->count == 0 ? NULL : &side->sessions[dice(side->count)];
    unsigned at;
    options.delegate = &delegate;
    if (dice(4) == 0 && side->waiting > 0) {
        at = dice(side->waiting);
        sipdlg_incoming_t incoming = side->asked[at];
        side->asked[at] = side->asked[--side->waiting];
        answer(side, incoming);
        return;
    }
    if (dice(12) == 0 && side->out > 0) {
        at = dice(side->out);
        TRY(sipdlg_outgoing_cancel(side->sent[at], NULL, NULL));
        side->sent[at] = side->sent[--side->out];
        return;
    }
    if (held == NULL)
        return;
    switch (dice(10)) {
    case 0:
    case 1:
        if (dice(5) != 0)
            pair_body(&options.body, some_sdp());
        TRY(sipdlg_session_invite(held->token, &options, NULL));
        break;
    case 2:
    case 3:
        if (dice(3) != 0)
            pair_body(&options.body, some_sdp());
        TRY(sipdlg_session_update(held->token, &options, NULL));
        break;
    case 4:
        TRY(sipdlg_session_info(held->token, &options, NULL));
        break;
    case 5:
        TRY(sipdlg_session_refer(held->token, "sip:carol@192.0.2.3", 0, &options, NULL));
        break;
    case 6:
        if (dice(3) == 0)
            TRY(sipdlg_session_dispose(held->token));
        break;
    default:
        hang_up(held);
    }
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Nothing that was hung up lives on. */
static void look_for_stuck_ones(void)
{
    unsigned which, at;
    for (which = ALICE; which <= BOB; which++)
        for (at = 0; at < sides[which].count; at++) {
            const struct held *held = &sides[which].sessions[at];
            CHECK(held->asked_us == 0 || pair.now_us - held->asked_us < PATIENCE_S * UINT64_C(1000000));
        }
}

/* All hang up, and time passes until nothing is left. What both say they hold. */
static uint64_t drain(void)
{
    unsigned which, at, turn;
    uint64_t bytes = 0;
    for (turn = 0; turn < 3; turn++) {
        for (which = ALICE; which <= BOB; which++) {
            for (at = 0; at < sides[which].count; at++)
                hang_up(&sides[which].sessions[at]);
            for (at = 0; at < sides[which].waiting; at++)
                TRY(sipdlg_incoming_reject(sides[which].asked[at], 0, NULL));
            for (at = 0; at < sides[which].out; at++)
                TRY(sipdlg_outgoing_cancel(sides[which].sent[at], NULL, NULL));
            sides[which].waiting = sides[which].out = 0;
        }
        pair_advance(&pair, 350000); /* an INVITE rings for 180 s at most */
    }
    for (which = ALICE; which <= BOB; which++) {
        sipdlg_stats_t stats;
        CHECK_OK(sipdlg_agent_trim(pair.agent[which]));
        stats = pair_stats(&pair, (int)which);
        CHECK_NUMBER(stats.sessions, 0);
        CHECK_NUMBER(stats.incoming, 0);
        CHECK_NUMBER(stats.outgoing, 0);
        CHECK_NUMBER(stats.transactions, 0);
        CHECK_NUMBER(stats.timers, 0);
        CHECK_NUMBER(sides[which].births, sides[which].ends);
        bytes += stats.bytes;
    }
    return bytes;
}

int main(int argc, char **argv)
{
    unsigned long wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000, seconds = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    unsigned long round = 0, calls = 0;
    uint64_t first_bytes = 0;
    long first_kb = 0;
    time_t began = time(NULL);
    sipdlg_config_t *configs[2] = { sipdlg_config_new(), sipdlg_config_new() };
    state = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    delegate.on_invite = delegate.on_reinvite = delegate.on_update = on_request;
    delegate.on_info = delegate.on_message = delegate.on_notify = delegate.on_refer = on_small;
    delegate.on_accept = on_accept;
    delegate.on_state = on_state;
    delegate.on_terminated = on_terminated;
    CHECK_OK(sipdlg_config_set_session_timer(configs[ALICE], SIPDLG_SUPPORTED, 180, 0, SIPDLG_REFRESHER_ANY));
    CHECK_OK(sipdlg_config_set_resync(configs[BOB], 1));
    pair_open_with(&pair, configs[ALICE], configs[BOB]);
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[ALICE], &delegate));
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &delegate));
    while ((placed < wanted || (unsigned long)(time(NULL) - began) < seconds) && checks_wrong == 0) {
        sipdlg_stats_t stats;
        uint64_t bytes;
        long kb;
        pair.lost = is_lost;
        for (calls = placed + (wanted + ROUNDS - 1) / ROUNDS; placed < calls;) {
            unsigned turn;
            while (sides[ALICE].count + sides[BOB].count < LIVING && placed < calls && dice(3) != 0)
                place(dice(2) ? ALICE : BOB);
            for (turn = dice(12); turn > 0; turn--)
                act(&sides[dice(2)]);
            pair_advance(&pair, dice(3) ? dice(400) : dice(4000));
            pair.trace[0] = '\0';
        }
        look_for_stuck_ones();
        pair.lost = NULL;
        bytes = drain();
        kb = resident_kb();
        round++;
        stats = pair_stats(&pair, BOB);
        printf("%lu calls: %" PRIu64 " of bob's confirmed; %lu sessions, %lu acts of which %lu were good; held %" PRIu64
               " bytes, resident %ld kB, longest end %lu s\n", placed, stats.calls_confirmed, sides[ALICE].ends + sides[BOB].ends,
               acts, done, bytes, kb, longest_s);
        if (round == 2) {
            first_bytes = bytes;
            first_kb = kb;
        }
        if (round > 2) /* flat since the second round, but for what the allocator keeps, which valgrind's and AddressSanitizer's do */
            CHECK(bytes <= first_bytes + first_bytes / 20 + 1024 && (wanted < 50000 || kb <= first_kb + first_kb / 10 + 1024));
    }
    pair_close(&pair);
    return check_report("soak");
}
