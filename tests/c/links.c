/* Links of a host: a lost one is told to its sessions, dialogs move to another, a request goes by the one that is said. */
#include "pair.h"

static int lost, local;
static uint64_t lost_link;
static sipdlg_session_t session;

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(pair_accept(event->incoming, &session));
}

static void on_link_lost(void *user, const sipdlg_event_t *event)
{
    (void)user;
    lost++;
    lost_link = event->query;
    CHECK(event->session == session);
    CHECK_NUMBER(event->reason, SIPDLG_REASON_TRANSPORT);
}

static void on_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK(event->flags & SIPDLG_EVENT_LOCAL);
    local = event->status_code;
}

static sipdlg_flow_t connection(uint64_t link)
{
    sipdlg_flow_t flow;
    memset(&flow, 0, sizeof flow);
    flow.transport = SIPDLG_TRANSPORT_TCP;
    flow.link = link;
    CHECK_OK(sipdlg_endpoint_parse("192.0.2.1:5060", &flow.local));
    CHECK_OK(sipdlg_endpoint_parse("192.0.2.2:40000", &flow.remote));
    flow.remote.port = (uint16_t)(40000 + link);
    return flow;
}

static const char invite[] =
    "INVITE sip:alice@192.0.2.1 SIP/2.0\r\n"
    "Via: SIP/2.0/TCP abcdefgh0123.invalid;branch=z9hG4bK1\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:bob@example.com>;tag=b\r\n"
    "To: <sip:alice@example.com>\r\n"
    "Call-ID: c1\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:x@abcdefgh0123.invalid;transport=tcp>\r\n"
    "Content-Length: 0\r\n\r\n";

static int on_other_link(sipdlg_agent_t agent, const char *method)
{
    sipdlg_transmit_t out;
    int found = 0;
    out.size = sizeof out;
    while (sipdlg_agent_poll_transmit(agent, &out) == SIPDLG_OK)
        if (out.len > strlen(method) && memcmp(out.data, method, strlen(method)) == 0)
            found = (int)out.flow.link;
    return found;
}

/* A request waits for a client that comes back with any of its own. */
static void comes_back(void)
{
    static const char options[] =
        "OPTIONS sip:alice@192.0.2.1 SIP/2.0\r\n"
        "Via: SIP/2.0/TCP abcdefgh0123.invalid;branch=z9hG4bK2\r\n"
        "Max-Forwards: 70\r\n"
        "From: <sip:bob@example.com>;tag=c\r\n"
        "To: <sip:alice@example.com>\r\n"
        "Call-ID: c2\r\n"
        "CSeq: 1 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n";
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    sipdlg_agent_t agent = 0;
    sipdlg_flow_t flow = connection(1);
    CHECK_STATUS(sipdlg_config_set_reconnect(config, 3600001, 1), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_config_set_reconnect(config, 1, 2), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_set_reconnect(config, 30000, 1));
    CHECK_STATUS(sipdlg_config_set_datagram_bytes(config, 547), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_config_set_datagram_bytes(config, 65536), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_set_datagram_bytes(config, 0));
    CHECK_OK(sipdlg_agent_new(config, &agent));
    sipdlg_config_free(config);
    delegate.on_invite = on_invite;
    CHECK_OK(sipdlg_agent_set_delegate(agent, &delegate));
    CHECK_OK(sipdlg_agent_add_transport(agent, &flow, NULL));
    flow = connection(70);
    CHECK_OK(sipdlg_agent_receive(agent, &flow, invite, sizeof invite - 1));
    CHECK_OK(sipdlg_agent_dispatch(agent));
    CHECK_OK(sipdlg_agent_link_closed(agent, 70));
    CHECK_OK(sipdlg_session_options(session, NULL, NULL));
    CHECK_OK(sipdlg_agent_dispatch(agent));
    CHECK_NUMBER(on_other_link(agent, "OPTIONS"), 0);
    flow = connection(71);
    CHECK_OK(sipdlg_agent_receive(agent, &flow, options, sizeof options - 1));
    CHECK_OK(sipdlg_agent_dispatch(agent));
    CHECK_NUMBER(on_other_link(agent, "OPTIONS"), 71);
    CHECK_OK(sipdlg_agent_free(agent));
}

/* Contact says where the answer to a REGISTER says that we are seen. */
static void seen_elsewhere(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_agent_t agent = 0;
    sipdlg_flow_t flow = connection(1);
    sipdlg_endpoint_t seen;
    sipdlg_transmit_t out;
    char answer[2048], head[2048], *rport, *end;
    CHECK_STATUS(sipdlg_config_set_nat(config, 2, 0), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_set_nat(config, 1, 1));
    CHECK_OK(sipdlg_agent_new(config, &agent));
    sipdlg_config_free(config);
    flow.transport = SIPDLG_TRANSPORT_UDP;
    CHECK_OK(sipdlg_agent_add_transport(agent, &flow, NULL));
    CHECK_STATUS(sipdlg_agent_seen_at(agent, &flow, &seen), SIPDLG_NONE);
    CHECK_OK(sipdlg_agent_request(agent, "REGISTER", "sip:192.0.2.2", NULL, NULL));
    out.size = sizeof out;
    CHECK_OK(sipdlg_agent_poll_transmit(agent, &out));
    snprintf(head, sizeof head, "%.*s", (int)out.len, (const char *)out.data);
    rport = strstr(head, ";rport");
    end = strstr(head, "\r\nUser-Agent");
    if (CHECK(rport != NULL && end != NULL && strstr(head, "Via") != NULL)) {
        char *first = strstr(head, "Via");
        *rport = *end = 0;
        snprintf(answer, sizeof answer, "SIP/2.0 200 OK\r\n%s;received=198.51.100.7;rport=40123%s\r\nContent-Length: 0\r\n\r\n",
                 first, rport + 6);
        CHECK_OK(sipdlg_agent_receive(agent, &flow, answer, strlen(answer)));
    }
    CHECK_OK(sipdlg_agent_seen_at(agent, &flow, &seen));
    CHECK_NUMBER(seen.port, 40123);
    CHECK_NUMBER(seen.ip[0], 198);
    flow.transport = SIPDLG_TRANSPORT_TLS;
    CHECK_STATUS(sipdlg_agent_seen_at(agent, &flow, &seen), SIPDLG_ERR_NO_TRANSPORT);
    CHECK_OK(sipdlg_agent_free(agent));
}

int main(void)
{
    sipdlg_agent_t agent = 0;
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_transmit_t out;
    sipdlg_flow_t flow, to = connection(71), nowhere = connection(71);
    sipdlg_outgoing_t outgoing = 0;
    size_t count = 9;

    delegate.on_invite = on_invite;
    delegate.on_link_lost = on_link_lost;
    client.on_reject = on_reject;
    CHECK_OK(sipdlg_agent_new(NULL, &agent));
    CHECK_OK(sipdlg_agent_set_delegate(agent, &delegate));
    flow = connection(1);
    CHECK_OK(sipdlg_agent_add_transport(agent, &flow, NULL));

    flow = connection(70);
    CHECK_OK(sipdlg_agent_receive(agent, &flow, invite, sizeof invite - 1));
    CHECK_OK(sipdlg_agent_dispatch(agent));
    memset(&flow, 0, sizeof flow);
    CHECK_OK(sipdlg_session_flow(session, &flow));
    CHECK_NUMBER((int)flow.link, 70);
    CHECK_OK(sipdlg_agent_link_closed(agent, 70));
    CHECK_OK(sipdlg_agent_dispatch(agent));
    CHECK_NUMBER(lost, 1);
    CHECK_NUMBER((int)lost_link, 70);
    CHECK_NUMBER(sipdlg_session_flow(session, &flow), SIPDLG_NONE);

    /* It comes back on another one. */
    CHECK_OK(sipdlg_agent_move_link(agent, 70, &to, &count));
    CHECK_NUMBER((int)count, 1);
    CHECK_OK(sipdlg_session_flow(session, &flow));
    CHECK_NUMBER((int)flow.link, 71);
    CHECK_OK(sipdlg_agent_move_link(agent, 70, &to, NULL));
    memset(&nowhere.remote, 0, sizeof nowhere.remote);
    CHECK_NUMBER(sipdlg_agent_move_link(agent, 71, &nowhere, &count), SIPDLG_ERR_ARGUMENT);
    CHECK_NUMBER(sipdlg_agent_move_link(agent, 0, &to, &count), SIPDLG_ERR_ARGUMENT);
    CHECK_NUMBER(sipdlg_agent_move_link(agent, 71, NULL, &count), SIPDLG_ERR_ARGUMENT);

    /* A request to any connection is lost with the one that it went by. */
    out.size = sizeof out;
    while (sipdlg_agent_poll_transmit(agent, &out) == SIPDLG_OK)
        ;
    request.delegate = &client;
    CHECK_OK(sipdlg_agent_invite(agent, "sip:carol@192.0.2.3;transport=tcp", &request, &outgoing));
    CHECK_OK(sipdlg_agent_poll_transmit(agent, &out));
    CHECK_NUMBER((int)out.flow.link, 0);
    to = out.flow;
    to.link = 80;
    CHECK_OK(sipdlg_agent_transmit_goes_by(agent, out.id, &to));
    CHECK_NUMBER(sipdlg_agent_transmit_goes_by(agent, out.id, &to), SIPDLG_NONE);
    CHECK_OK(sipdlg_agent_link_closed(agent, 80));
    CHECK_OK(sipdlg_agent_dispatch(agent));
    CHECK_NUMBER(local, 503);
    CHECK_OK(sipdlg_agent_free(agent));
    comes_back();
    seen_elsewhere();
    return check_report("links");
}
