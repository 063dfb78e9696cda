/* maddr in the top Via (RFC 3261 18.2.2): not followed to a third party but where SIPDLG_QUIRK_MADDR_ELSEWHERE wants it; counted either way. */
#include "check.h"

static const struct { const char *via; int quirk; unsigned char to; uint16_t port; uint64_t ignored, followed; } cases[] = {
    { "SIP/2.0/UDP h:5080;maddr=192.0.2.9", 0, 9, 5080, 0, 0 },
    { "SIP/2.0/UDP h:5080;maddr=192.0.2.77", 0, 9, 5080, 1, 0 },
    { "SIP/2.0/UDP h:5080;rport;maddr=192.0.2.77", 0, 9, 4444, 1, 0 },
    { "SIP/2.0/UDP h:5080;maddr=victim.example", 0, 9, 5080, 1, 0 },
    { "SIP/2.0/UDP h:5080;maddr=192.0.2.77", 1, 77, 5080, 0, 1 },
    { "SIP/2.0/UDP h:5080;maddr=victim.example", 1, 9, 5080, 1, 0 },
};

static sipdlg_endpoint_t endpoint(unsigned char last, uint16_t port)
{
    sipdlg_endpoint_t endpoint;
    memset(&endpoint, 0, sizeof endpoint);
    endpoint.ip[0] = 192;
    endpoint.ip[2] = 2;
    endpoint.ip[3] = last;
    endpoint.family = 4;
    endpoint.port = port;
    return endpoint;
}

static void run(size_t at)
{
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_agent_t agent = 0;
    sipdlg_flow_t flow;
    sipdlg_event_t event;
    sipdlg_transmit_t transmit;
    sipdlg_stats_t stats;
    char text[512];
    int len;
    event.size = sizeof event;
    transmit.size = sizeof transmit;
    stats.size = sizeof stats;
    memset(&flow, 0, sizeof flow);
    flow.transport = SIPDLG_TRANSPORT_UDP;
    flow.link = 3;
    flow.local = endpoint(1, 5060);
    flow.remote = endpoint(9, 4444);
    CHECK_OK(sipdlg_config_set_manual_clock(config, 1));
    if (cases[at].quirk)
        CHECK_OK(sipdlg_config_set_tolerance(config, SIPDLG_QUIRK_MADDR_ELSEWHERE));
    CHECK_OK(sipdlg_agent_new(config, &agent));
    sipdlg_config_free(config);
    CHECK_OK(sipdlg_agent_add_transport(agent, &flow, NULL));
    len = snprintf(text, sizeof text, "OPTIONS sip:bob@192.0.2.1 SIP/2.0\r\nVia: %s;branch=z9hG4bK-1\r\nMax-Forwards: 70\r\n"
        "From: <sip:alice@192.0.2.9>;tag=a\r\nTo: <sip:bob@192.0.2.1>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
        cases[at].via);
    CHECK_OK(sipdlg_agent_receive(agent, &flow, text, (size_t)len));
    CHECK_OK(sipdlg_agent_poll_event(agent, &event));
    CHECK_NUMBER(event.kind, SIPDLG_EVENT_OPTIONS);
    CHECK_OK(sipdlg_event_default(&event));
    CHECK_OK(sipdlg_agent_poll_transmit(agent, &transmit));
    CHECK_NUMBER(transmit.flow.remote.ip[3], cases[at].to);
    CHECK_NUMBER(transmit.flow.remote.port, cases[at].port);
    CHECK_NUMBER(transmit.flow.link, 3);
    CHECK_OK(sipdlg_agent_stats(agent, &stats));
    CHECK_NUMBER(stats.maddr_ignored, cases[at].ignored);
    CHECK_NUMBER(stats.quirks[8], cases[at].followed);
    CHECK_OK(sipdlg_agent_free(agent));
}

int main(void)
{
    size_t at;
    for (at = 0; at < sizeof cases / sizeof *cases; at++)
        run(at);
    return check_report("maddr");
}
