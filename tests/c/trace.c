/* Every message is shown once, whatever becomes of it; secrets are left out; what finds no room is counted; files and sockets go with
#define _DEFAULT_SOURCE
 * the agent, and a full disk or a collector that is gone hurts nobody. */
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pair.h"

static struct seen { unsigned in, out, retransmissions; uint64_t id; char last[4096]; int freed; } seen;

static void on_trace(void *user, const sipdlg_trace_entry_t *entry)
{
    CHECK(user == &seen && !seen.freed);
    CHECK_NUMBER(entry->kind, SIPDLG_TRACE_MESSAGE);
    CHECK_NUMBER(entry->id, seen.id + 1);
    CHECK_NUMBER(entry->lost, 0);
    CHECK_NUMBER(entry->flow.transport, SIPDLG_TRANSPORT_UDP);
    CHECK(entry->flow.remote.port == 5060 && entry->unix_us >= 1000000u);
    seen.id = entry->id;
    if (entry->direction == SIPDLG_DIRECTION_IN)
        seen.in++;
    else if (CHECK(entry->direction == SIPDLG_DIRECTION_OUT))
        seen.out++;
    snprintf(seen.last, sizeof seen.last, "%.*s", (int)entry->data.len, entry->data.data);
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(pair_accept(event->incoming, NULL));
}

static sipdlg_session_t session;

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    session = event->session;
}

static void hear(struct pair *pair, const char *text)
{
    sipdlg_flow_t flow = pair->flow[BOB];
    flow.remote = pair->flow[ALICE].local;
    CHECK_OK(sipdlg_agent_receive(pair->agent[BOB], &flow, text, strlen(text)));
}

static const char *const options = "OPTIONS sip:bob:topsecret@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-%s\r\n"
    "Max-Forwards: 70\r\nFrom: \"Carol\" <sip:carol@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>%s\r\nCall-ID: c-%s\r\nCSeq: 1 OPTIONS\r\n"
    "Authorization: Digest username=\"carol\", realm=\"r\", nonce=\"n\", uri=\"sip:b\", response=\"topsecret\"\r\n%s"
    "Content-Type: application/sdp\r\nContent-Length: 46\r\n\r\na=crypto:1 AES_CM_128 inline:topsecret|2^20\r\n\r\n";

static void hear_options(struct pair *pair, const char *branch, const char *tag, const char *more)
{
    char text[2048];
    snprintf(text, sizeof text, options, branch, tag, branch, more);
    hear(pair, text);
}

static int lose_first(int from, const char *data, size_t len)
{
    static int lost;
    (void)data, (void)len;
    return from == BOB && lost++ < 2; /* the first answers to the INVITE, so that it comes again */
}

/* A call with a lost response, refused, broken and too long messages, keep-alives. */
static void every_message(void)
{
    static char long_one[70000];
    sipdlg_delegate_t calling = SIPDLG_DELEGATE_INIT, answering = SIPDLG_DELEGATE_INIT;
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_stats_t stats;
    struct pair pair;
    CHECK_OK(sipdlg_config_set_trace(config, on_trace, &seen));
    pair_open_with(&pair, NULL, config);
    calling.on_accept = on_accept;
    answering.on_invite = on_invite;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &answering));
    pair.lost = lose_first;
    pair_invite(&pair, &calling, NULL, NULL);
    pair_advance(&pair, 4000);
    CHECK(session != 0);
    CHECK(pair_stats(&pair, BOB).retransmissions_received > 0 && pair_stats(&pair, BOB).retransmissions_sent > 0);
    hear_options(&pair, "1", ";tag=b", "");              /* 481 */
    CHECK(strstr(seen.last, "SIP/2.0 481") == seen.last);
    hear_options(&pair, "2", "", "Require: foo\r\n");    /* 420 */
    hear(&pair, "hello, no SIP\r\n\r\n");
    CHECK(strncmp(seen.last, "hello", 5) == 0);
    memset(long_one, 'x', sizeof long_one - 1);
    hear(&pair, long_one);
    hear(&pair, "\r\n\r\n");
    pair_exchange(&pair);
    CHECK_OK(sipdlg_session_hangup(session, 0, NULL));
    pair_exchange(&pair);
    stats = pair_stats(&pair, BOB);
    CHECK(stats.refused_unknown == 1 && stats.refused_extension == 1 && stats.dropped_malformed >= 1 && stats.dropped_limit == 1);
    CHECK_NUMBER(seen.in, stats.messages_received);
    CHECK_NUMBER(seen.out, stats.messages_sent);
    CHECK(seen.in > 6 && seen.out > 4);
    CHECK_NUMBER(stats.trace_lost, 0);
    pair_close(&pair);
    seen.freed = 1;
}

/* What the bits leave out, and where. */
static void redaction(void)
{
    static const struct { uint32_t bits; int secret, who; } cases[] = {
        { SIPDLG_REDACT_CREDENTIALS | SIPDLG_REDACT_KEYS, 0, 1 }, /* the default */
        { 0, 1, 1 },
        { SIPDLG_REDACT_CREDENTIALS, 1, 1 },
        { SIPDLG_REDACT_KEYS, 1, 1 },
        { SIPDLG_REDACT_CREDENTIALS | SIPDLG_REDACT_KEYS | SIPDLG_REDACT_IDENTITIES, 0, 0 },
    };
    size_t at;
    for (at = 0; at < sizeof cases / sizeof *cases; at++) {
        sipdlg_config_t *config = sipdlg_config_new();
        sipdlg_trace_entry_t entry = { .size = sizeof entry };
        const sipdlg_message_t *message;
        sipdlg_str_t call_id;
        struct pair pair;
        char text[4096];
        if (at > 0)
            CHECK_OK(sipdlg_config_set_redact(config, cases[at].bits));
        CHECK_STATUS(sipdlg_config_set_redact(config, 8), SIPDLG_ERR_ARGUMENT);
        CHECK_OK(sipdlg_config_set_trace_ring(config, SIPDLG_TRACE_MESSAGE | SIPDLG_TRACE_LINE, SIPDLG_LOG_DEBUG, 0, 0));
        pair_open_with(&pair, NULL, config);
        hear_options(&pair, "1", ";tag=b", "");
        /* The line of a message stands before it. */
        CHECK_OK(sipdlg_agent_poll_trace(pair.agent[BOB], &entry));
        CHECK(entry.kind == SIPDLG_TRACE_LINE && entry.level == SIPDLG_LOG_DEBUG && entry.id == 1);
        snprintf(text, sizeof text, "%.*s", (int)entry.data.len, entry.data.data);
        CHECK(strstr(text, "<- udp 192.0.2.1:5060 OPTIONS sip:") != NULL && strstr(text, "topsecret") == NULL);
        CHECK((strstr(text, "sip:bob") != NULL) == cases[at].who);
        CHECK_OK(sipdlg_agent_poll_trace(pair.agent[BOB], &entry));
        CHECK(entry.kind == SIPDLG_TRACE_MESSAGE && entry.direction == SIPDLG_DIRECTION_IN && entry.id == 2);
        snprintf(text, sizeof text, "%.*s", (int)entry.data.len, entry.data.data);
        CHECK((strstr(text, "topsecret") != NULL) == cases[at].secret);
        CHECK((strstr(text, "bob") != NULL) == cases[at].who);
        CHECK((strstr(text, "carol") != NULL) == cases[at].who);
        CHECK((strstr(text, "Carol") != NULL) == cases[at].who);
        CHECK_OK(sipdlg_message_parse(entry.data.data, entry.data.len, &message));
        CHECK_OK(sipdlg_message_header(message, "Call-ID", 0, &call_id));
        CHECK_STR(call_id, "c-1");
        sipdlg_message_release(message);
        pair_close(&pair);
    }
}

/* A ring of four: the newest stay, the lost are counted in the entry behind them and in all. */
static void overflow(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_trace_entry_t entry = { .size = sizeof entry };
    struct pair pair;
    int at;
    CHECK_STATUS(sipdlg_config_set_trace_ring(config, 4, 0, 0, 0), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_config_set_trace_ring(config, 1, 5, 0, 0), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_set_trace_ring(config, SIPDLG_TRACE_MESSAGE, 0, 4, 0));
    pair_open_with(&pair, NULL, config);
    CHECK_STATUS(sipdlg_agent_poll_trace(pair.agent[BOB], &entry), SIPDLG_NONE);
    CHECK_STATUS(sipdlg_agent_poll_trace(pair.agent[BOB], NULL), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_agent_poll_trace(pair.agent[ALICE], &entry), SIPDLG_ERR_STATE);
    for (at = 0; at < 10; at++)
        hear(&pair, "hello");
    CHECK_OK(sipdlg_agent_poll_trace(pair.agent[BOB], &entry));
    CHECK(entry.lost == 6 && entry.id == 7);
    for (at = 8; at <= 10; at++) {
        CHECK_OK(sipdlg_agent_poll_trace(pair.agent[BOB], &entry));
        CHECK(entry.lost == 0 && entry.id == (uint64_t)at);
        CHECK_STR(entry.data, "hello");
    }
    CHECK_STATUS(sipdlg_agent_poll_trace(pair.agent[BOB], &entry), SIPDLG_NONE);
    CHECK_NUMBER(pair_stats(&pair, BOB).trace_lost, 6);
    pair_close(&pair);
    /* By bytes: one entry always has room. */
    config = sipdlg_config_new();
    CHECK_OK(sipdlg_config_set_trace_ring(config, SIPDLG_TRACE_MESSAGE, 0, 0, 1));
    pair_open_with(&pair, NULL, config);
    hear(&pair, "hello 1");
    hear(&pair, "hello 2");
    CHECK_OK(sipdlg_agent_poll_trace(pair.agent[BOB], &entry));
    CHECK_STR(entry.data, "hello 2");
    CHECK_NUMBER(entry.lost, 1);
    pair_close(&pair);
}

static int descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static long size_of_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size;
    if (!CHECK(file != NULL) || fseek(file, 0, SEEK_END) != 0)
        return -1;
    size = ftell(file);
    fclose(file);
    return size;
}

static void capture(void)
{
    const long record = 16 + 20 + 8 + 5; /* of "hello" */
    const int before = descriptors();
    struct rlimit unlimited, small;
    struct pair pair;
    char path[64], other[64];
    pid_t child;
    int at, status;
    snprintf(path, sizeof path, "/tmp/sipdlg-trace-%ld.pcap", (long)getpid());
    snprintf(other, sizeof other, "/tmp/sipdlg-trace-%ld-2.pcap", (long)getpid());
    pair_open(&pair);
    CHECK_STATUS(sipdlg_agent_capture_pcap(pair.agent[BOB], "/nowhere/at/all"), SIPDLG_ERR_SYSTEM);
    CHECK_STATUS(sipdlg_agent_capture_hep(pair.agent[BOB], "nobody", 0, NULL), SIPDLG_ERR_SYNTAX);
    CHECK_OK(sipdlg_agent_capture_pcap(pair.agent[BOB], NULL));
    hear(&pair, "hello");
    CHECK_OK(sipdlg_agent_capture_pcap(pair.agent[BOB], path));
    hear(&pair, "hello");
    CHECK_NUMBER(size_of_file(path), 24 + record);
    /* Another file takes over; the first is whole. */
    CHECK_OK(sipdlg_agent_capture_pcap(pair.agent[BOB], other));
    hear(&pair, "hello");
    hear(&pair, "hello");
    CHECK_NUMBER(size_of_file(path), 24 + record);
    CHECK_NUMBER(size_of_file(other), 24 + 2 * record);
    CHECK_OK(sipdlg_agent_capture_pcap(pair.agent[BOB], NULL));
    hear(&pair, "hello");
    CHECK_NUMBER(size_of_file(other), 24 + 2 * record);
    CHECK_NUMBER(descriptors(), before);
    /* A disk that is full, and has room again. */
    signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &unlimited) == 0);
    small = unlimited;
    CHECK_OK(sipdlg_agent_capture_pcap(pair.agent[BOB], path));
    small.rlim_cur = (rlim_t)(24 + record + 10);
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    for (at = 0; at < 4; at++)
        hear(&pair, "hello");
    CHECK(setrlimit(RLIMIT_FSIZE, &unlimited) == 0);
    CHECK_NUMBER(pair_stats(&pair, BOB).capture_lost, 2);
    hear(&pair, "hello");
    CHECK_NUMBER(size_of_file(path), 24 + 3 * record);
    /* A collector that is not there. */
    CHECK_OK(sipdlg_agent_capture_hep(pair.agent[BOB], "127.0.0.1:9", 7, "secret"));
    for (at = 0; at < 100; at++)
        hear(&pair, "hello");
    CHECK(pair_stats(&pair, BOB).capture_lost > 2);
    CHECK_OK(sipdlg_agent_capture_hep(pair.agent[BOB], NULL, 0, NULL));
    /* A child has its own copies, which go with the agent; the file stays the parent's. */
    child = fork();
    if (child == 0) {
        const int open = descriptors();
        status = sipdlg_agent_capture_pcap(pair.agent[BOB], other) != SIPDLG_ERR_FORKED;
        status |= sipdlg_agent_free(pair.agent[ALICE]) != SIPDLG_OK || sipdlg_agent_free(pair.agent[BOB]) != SIPDLG_OK;
        _exit(status | (descriptors() != open - 1 ? 2 : 0));
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    CHECK_NUMBER(WEXITSTATUS(status), 0);
    pair_advance(&pair, 40000);
    hear(&pair, "hello");
    CHECK_NUMBER(size_of_file(path), 24 + 104 * record);
    pair_close(&pair);
    CHECK_NUMBER(descriptors(), before);
    remove(path);
    remove(other);
}

int main(void)
{
    every_message();
    redaction();
    overflow();
    capture();
    return check_report("trace");
}
