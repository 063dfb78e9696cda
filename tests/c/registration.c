/* REGISTER of ours and what came of it; flows that are kept alive; a datagram that did not arrive; the settings of both. */
#define _GNU_SOURCE
#include "pair.h"

static struct pair pair;
static sipdlg_registered_t found;
static int status, lost;
static uint64_t lost_link;
static const char *refused_with; /* a header of the 423 */

/* The registrar: it grants half of what is asked for, behind a binding of somebody else. */
static void on_register(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    char contact[300], expires[32];
    const char *headers[] = { "Contact: <sip:other@192.0.2.99>;expires=9", contact, refused_with, NULL };
    sipdlg_str_t text;
    (void)user;
    CHECK_OK(sipdlg_message_header(event->message, "Expires", 0, &text));
    snprintf(expires, sizeof expires, "%.*s", (int)text.len, text.data);
    CHECK_OK(sipdlg_message_header(event->message, "Contact", 0, &text));
    snprintf(contact, sizeof contact, "Contact: %.*s;expires=%d", (int)text.len, text.data, atoi(expires) / 2);
    response.headers = refused_with == NULL ? headers : headers + 2;
    if (refused_with == NULL)
        CHECK_OK(sipdlg_incoming_accept(event->incoming, 200, &response, NULL));
    else
        CHECK_OK(sipdlg_incoming_reject(event->incoming, 423, &response));
}

static void on_final(void *user, const sipdlg_event_t *event)
{
    const sipdlg_message_t *request;
    (void)user;
    status = event->status_code;
    memset(&found, 0, sizeof found);
    found.size = sizeof found;
    CHECK_OK(sipdlg_outgoing_message(event->outgoing, &request));
    if (event->method == SIPDLG_METHOD_REGISTER)
        CHECK_OK(sipdlg_message_registered(event->message, request, &found));
    sipdlg_message_release(request);
}

static void on_link_lost(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK(event->session == 0);
    lost++;
    lost_link = event->query;
}

static sipdlg_delegate_t client = SIPDLG_DELEGATE_INIT;

static void ask(const sipdlg_register_t *binding)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    options.delegate = &client;
    options.call_id = "since-the-start";
    status = 0;
    CHECK_OK(sipdlg_agent_register(pair.agent[ALICE], BOB_URI ":5060", binding, &options, NULL));
    pair_exchange(&pair);
}

static void registers(void)
{
    sipdlg_register_t binding = SIPDLG_REGISTER_INIT;
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT;
    sipdlg_config_t *registrar = sipdlg_config_new();
    char urn[64], other[64];
    size_t needed = 0;
    uint64_t delay = 0;
    int32_t failures;
    CHECK_OK(sipdlg_instance_new(urn, sizeof urn, &needed));
    CHECK(needed == 45 && strncmp(urn, "urn:uuid:", 9) == 0 && urn[23] == '4');
    CHECK_OK(sipdlg_instance_new(other, sizeof other, NULL));
    CHECK(strcmp(urn, other) != 0);
    CHECK_STATUS(sipdlg_instance_new(other, 45, NULL), SIPDLG_ERR_BUFFER);

    CHECK_OK(sipdlg_config_set_allow(registrar, "REGISTER"));
    pair_open_with(&pair, NULL, registrar);
    server.on_register = on_register;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    binding.expires_s = 600;
    binding.instance = urn;
    binding.reg_id = 1;
    ask(&binding);
    CHECK_NUMBER(status, 200);
    CHECK_NUMBER(found.expires_s, 300);
    CHECK_NUMBER(found.refresh_s, 150);
    CHECK_NUMBER(found.bindings, 2);
    CHECK_NUMBER(found.next_cseq, 2);
    CHECK_NUMBER(found.outbound, 0);
    binding.cseq = found.next_cseq;
    refused_with = "Min-Expires: 1800";
    ask(&binding);
    CHECK_NUMBER(status, 423);
    CHECK_NUMBER(found.min_expires_s, 1800);
    CHECK_NUMBER(found.expires_s, 0);
    CHECK_NUMBER(found.next_cseq, 3);
    refused_with = NULL;
    binding.cseq = found.next_cseq;
    binding.asks = SIPDLG_REGISTER_UNBIND;
    ask(&binding);
    CHECK_NUMBER(status, 200);
    CHECK_NUMBER(found.expires_s, 0);

    binding.asks = 3;
    CHECK_STATUS(sipdlg_agent_register(pair.agent[ALICE], BOB_URI, &binding, NULL, NULL), SIPDLG_ERR_ARGUMENT);
    binding.asks = SIPDLG_REGISTER_BIND;
    binding.instance = NULL;
    CHECK_STATUS(sipdlg_agent_register(pair.agent[ALICE], BOB_URI, &binding, NULL, NULL), SIPDLG_ERR_ARGUMENT);
    binding.instance = "no urn";
    CHECK_STATUS(sipdlg_agent_register(pair.agent[ALICE], BOB_URI, &binding, NULL, NULL), SIPDLG_ERR_SYNTAX);

    for (failures = 0; failures < 8; failures++) {
        uint64_t most = 30000u << failures;
        most = most > 1800000u ? 1800000u : most;
        CHECK_OK(sipdlg_agent_backoff(pair.agent[ALICE], (uint32_t)failures, 0, 0, &delay));
        CHECK(delay >= most / 2 && delay <= most);
    }
    CHECK_OK(sipdlg_agent_backoff(pair.agent[ALICE], 30, 1, 2, &delay));
    CHECK(delay >= 1000 && delay <= 2000);
    pair_close(&pair);
}

/* A host with a connection of its own: pings, a pong, no pong. */
static void keeps_alive(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_agent_t agent;
    sipdlg_flow_t flow;
    sipdlg_transmit_t out;
    uint64_t delay, now = 1000000;
    int pings = 0;
    out.size = sizeof out;
    memset(&flow, 0, sizeof flow);
    flow.transport = SIPDLG_TRANSPORT_TCP;
    CHECK_OK(sipdlg_endpoint_parse("192.0.2.1:5060", &flow.local));
    CHECK_OK(sipdlg_config_set_manual_clock(config, 1));
    CHECK_STATUS(sipdlg_config_set_keep_alive(config, 86401), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_agent_new(config, &agent));
    sipdlg_config_free(config);
    CHECK_OK(sipdlg_agent_set_time(agent, now, now));
    CHECK_OK(sipdlg_agent_add_transport(agent, &flow, NULL));
    CHECK_STATUS(sipdlg_agent_keep_alive(agent, &flow, 30), SIPDLG_ERR_ARGUMENT); /* neither link nor remote */
    CHECK_OK(sipdlg_endpoint_parse("192.0.2.2:5060", &flow.remote));
    flow.link = 7;
    CHECK_OK(sipdlg_agent_keep_alive(agent, &flow, 30));
    for (;;) {
        if (!CHECK(sipdlg_agent_next_timeout(agent, &delay) == SIPDLG_OK && delay <= 30000000u))
            break;
        now += delay;
        CHECK_OK(sipdlg_agent_set_time(agent, now, now));
        CHECK_OK(sipdlg_agent_handle_timeout(agent));
        if (sipdlg_agent_poll_transmit(agent, &out) != SIPDLG_OK)
            continue;
        CHECK_NUMBER(out.flow.link, 7);
        if (out.len == 0)
            break; /* close it */
        CHECK(out.len == 4 && memcmp(out.data, "\r\n\r\n", 4) == 0);
        if (++pings < 5)
            CHECK_OK(sipdlg_agent_receive(agent, &flow, "\r\n", 2));
    }
    CHECK_NUMBER(pings, 5);
    CHECK_STATUS(sipdlg_agent_link_closed(agent, 7), SIPDLG_NONE); /* nothing else was known of it */
    CHECK_OK(sipdlg_agent_next_timeout(agent, &delay));
    CHECK(delay == UINT64_MAX);
    CHECK_OK(sipdlg_agent_free(agent));
}

/* The connection of a registration is lost. */
static void tells_of_a_lost_connection(void)
{
    static const char *const kept[] = { "Via", "From", "To", "Call-ID", "CSeq", "Contact" };
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    const sipdlg_message_t *request;
    sipdlg_agent_t agent;
    sipdlg_flow_t flow;
    sipdlg_transmit_t out;
    char reply[2000] = "SIP/2.0 200 OK\r\n";
    size_t at;
    out.size = sizeof out;
    memset(&flow, 0, sizeof flow);
    flow.transport = SIPDLG_TRANSPORT_TCP;
    CHECK_OK(sipdlg_endpoint_parse("192.0.2.1:5060", &flow.local));
    CHECK_OK(sipdlg_endpoint_parse("192.0.2.2:5060", &flow.remote));
    CHECK_OK(sipdlg_agent_new(NULL, &agent));
    CHECK_OK(sipdlg_agent_add_transport(agent, &flow, NULL));
    delegate.on_link_lost = on_link_lost;
    CHECK_OK(sipdlg_agent_set_delegate(agent, &delegate));
    flow.link = 9;
    options.flow = &flow;
    CHECK_OK(sipdlg_agent_register(agent, "sip:example.com", NULL, &options, NULL));
    CHECK_OK(sipdlg_agent_poll_transmit(agent, &out));
    CHECK_OK(sipdlg_message_parse(out.data, out.len, &request));
    for (at = 0; at < sizeof kept / sizeof *kept; at++) {
        sipdlg_str_t value;
        size_t used = strlen(reply);
        CHECK_OK(sipdlg_message_header(request, kept[at], 0, &value));
        snprintf(reply + used, sizeof reply - used, "%s: %.*s\r\n", kept[at], (int)value.len, value.data);
    }
    strcat(reply, "Content-Length: 0\r\n\r\n");
    sipdlg_message_release(request);
    CHECK_OK(sipdlg_agent_receive(agent, &flow, reply, strlen(reply)));
    CHECK_OK(sipdlg_agent_link_closed(agent, 9));
    CHECK_OK(sipdlg_agent_dispatch(agent));
    CHECK_NUMBER(lost, 1);
    CHECK_NUMBER(lost_link, 9);
    CHECK_OK(sipdlg_agent_free(agent));
}

static char quoted[2000];
static size_t quoted_len;

static int quote(int from, const char *data, size_t len)
{
    (void)from;
    quoted_len = len < sizeof quoted ? len : sizeof quoted;
    memcpy(quoted, data, quoted_len);
    return 1;
}

static void does_not_arrive(void)
{
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_flow_t flow;
    pair_open(&pair);
    pair.lost = quote;
    options.delegate = &client;
    CHECK_OK(sipdlg_agent_request(pair.agent[ALICE], "OPTIONS", BOB_URI ":5060", &options, NULL));
    pair_exchange(&pair);
    flow = pair.flow[ALICE];
    CHECK_STATUS(sipdlg_agent_unreachable(pair.agent[ALICE], &flow, quoted, quoted_len), SIPDLG_NONE);
    flow.remote = pair.flow[BOB].local;
    CHECK_STATUS(sipdlg_agent_unreachable(pair.agent[ALICE], &flow, quoted, 20), SIPDLG_NONE);
    status = 0;
    CHECK_OK(sipdlg_agent_unreachable(pair.agent[ALICE], &flow, quoted, quoted_len));
    CHECK_STATUS(sipdlg_agent_unreachable(pair.agent[ALICE], &flow, quoted, quoted_len), SIPDLG_NONE);
    pair_exchange(&pair);
    CHECK_NUMBER(status, 503);
    pair.lost = NULL;
    pair_close(&pair);
}

static int has_ob(int from, const char *data, size_t len)
{
    (void)from;
    quote(from, data, len);
    return 0;
}

/* RFC 5626 section 4.3: dialogs say it, registrations do not. */
static void says_ob(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT;
    CHECK_STATUS(sipdlg_config_set_outbound(config, 2), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_set_outbound(config, 1));
    pair_open_with(&pair, config, NULL);
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    pair.lost = quote;
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    CHECK(memmem(quoted, quoted_len, "Contact: <sip:alice@192.0.2.1:5060;ob>\r\n", 40) != NULL);
    pair_advance(&pair, 33000);
    CHECK_OK(sipdlg_agent_register(pair.agent[ALICE], BOB_URI ":5060", NULL, NULL, NULL));
    pair_exchange(&pair);
    CHECK(memmem(quoted, quoted_len, "Contact: <sip:alice@192.0.2.1:5060>\r\n", 37) != NULL);
    pair.lost = has_ob;
    pair_close(&pair);
}

static void wishes_of_sockets(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_agent_t agent;
    char text[256];
    CHECK_STATUS(sipdlg_config_set_sockets(config, NULL, 64, 0), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_config_set_sockets(config, NULL, 0, 7), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_config_set_sockets(config, "", 0, 0), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_config_set_sockets(config, "a-name-that-is-longer-than-any", 0, 0), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_set_sockets(config, "none0", 40, 5));
    CHECK_OK(sipdlg_agent_new(config, &agent));
    CHECK_STATUS(sipdlg_agent_listen(agent, "udp:127.0.0.1:0"), SIPDLG_ERR_SYSTEM);
    CHECK_OK(sipdlg_last_error(text, sizeof text, NULL));
    CHECK(strncmp(text, "interface: ", 11) == 0);
    CHECK_OK(sipdlg_agent_free(agent));
    CHECK_OK(sipdlg_config_set_sockets(config, "lo", 40, 5));
    CHECK_OK(sipdlg_agent_new(config, &agent));
    sipdlg_config_free(config);
    CHECK_OK(sipdlg_agent_listen(agent, "udp:127.0.0.1:0"));
    CHECK_OK(sipdlg_agent_listen(agent, "tcp:127.0.0.1:0"));
    CHECK_OK(sipdlg_agent_free(agent));
}

int main(void)
{
    client.on_accept = on_final;
    client.on_reject = on_final;
    registers();
    keeps_alive();
    tells_of_a_lost_connection();
    does_not_arrive();
    says_ob();
    wishes_of_sockets();
    return check_report("registration");
}
