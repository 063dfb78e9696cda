/* What the library drops or refuses by itself has a counter and a line at WARN, with header and rule; a flood writes few. */
#include <stddef.h>
#include "pair.h"

static struct { unsigned lines, wrong_level; char last[1024]; } seen;

static void on_line(void *user, int32_t level, const char *line)
{
    CHECK(user == &seen);
    seen.lines++;
    seen.wrong_level += level != SIPDLG_LOG_WARN;
    snprintf(seen.last, sizeof seen.last, "%s", line);
}

static const char *const options = "OPTIONS sip:bob:topsecret@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-%d\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>%s\r\nCall-ID: c-%d\r\nCSeq: 1 %s\r\n%s"
    "Content-Length: 0\r\n\r\n";

static const struct { const char *tag, *method, *more, *line; size_t counter; } cases[] = {
    { "", "INVITE", "", "OPTIONS | Call-ID c-0 | answered 400 | CSeq: ", offsetof(sipdlg_stats_t, refused_malformed) },
    { "", "OPTIONS", "Require: foo\r\n", "OPTIONS | Call-ID c-1 | answered 420 | Require: ", offsetof(sipdlg_stats_t, refused_extension) },
    { ";tag=b", "OPTIONS", "", "OPTIONS | Call-ID c-2 | answered 481 | To: ", offsetof(sipdlg_stats_t, refused_unknown) },
};

static void hear(struct pair *pair, const char *text)
{
    sipdlg_flow_t flow = pair->flow[BOB];
    flow.remote = pair->flow[ALICE].local;
    CHECK_OK(sipdlg_agent_receive(pair->agent[BOB], &flow, text, strlen(text)));
}

int main(void)
{
    struct pair pair;
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_stats_t stats;
    sipdlg_transmit_t transmit;
    char text[1024];
    unsigned at;
    transmit.size = sizeof transmit;
    CHECK_OK(sipdlg_config_set_log(config, SIPDLG_LOG_WARN, on_line, &seen));
    pair_open_with(&pair, NULL, config);
    for (at = 0; at < sizeof cases / sizeof *cases; at++) {
        snprintf(text, sizeof text, options, (int)at, cases[at].tag, (int)at, cases[at].method, cases[at].more);
        hear(&pair, text);
        CHECK_NUMBER(seen.lines, at + 1);
        CHECK(strstr(seen.last, " !! udp 192.0.2.1:5060 ") != NULL);
        CHECK(strstr(seen.last, cases[at].line) != NULL);
        CHECK(strstr(seen.last, "RFC 3261 ") != NULL);
        CHECK(strstr(seen.last, "topsecret") == NULL);
        stats = pair_stats(&pair, BOB);
        CHECK_NUMBER(*(const uint64_t *)(const void *)((const char *)&stats + cases[at].counter), 1);
    }
    /* Each kind has ten lines at once of its own: those above take nothing from these. */
    seen.lines = 0;
    for (at = 0; at < 500; at++)
        hear(&pair, "hello");
    CHECK_NUMBER(seen.lines, 10);
    while (sipdlg_agent_poll_transmit(pair.agent[BOB], &transmit) == SIPDLG_OK)
        ;
    pair_advance(&pair, 40000);
    hear(&pair, "hello");
    CHECK_NUMBER(seen.lines, 11);
    CHECK(strstr(seen.last, "bytes | Call-ID - | dropped | ") != NULL);
    CHECK(strstr(seen.last, " | 490 more were left out before") != NULL);
    CHECK_NUMBER(seen.wrong_level, 0);
    CHECK_NUMBER(pair_stats(&pair, BOB).dropped_malformed, 501);
    pair_close(&pair);
    return check_report("faults");
}
