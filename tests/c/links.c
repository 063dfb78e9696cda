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
    return 0;
}
