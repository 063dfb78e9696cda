/* The scheme of Contact goes by the URI that is called, not by the transport (RFC 5630 section 5.1.1.2); a URI with transport=ws is reached
 * over WSS where that is all there is. */
#include "pair.h"

static sipdlg_agent_t agent_with(int32_t transport, const char *contact)
{
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_agent_t agent = 0;
    sipdlg_flow_t flow;
    memset(&flow, 0, sizeof flow);
    flow.transport = transport;
    flow.link = 1;
    CHECK_OK(sipdlg_endpoint_parse("192.0.2.1:5061", &flow.local));
    CHECK_OK(sipdlg_config_set_manual_clock(config, 1));
    CHECK_OK(sipdlg_config_set_aor(config, ALICE_URI));
    if (contact != NULL)
        CHECK_OK(sipdlg_config_set_contact(config, contact));
    CHECK_OK(sipdlg_agent_new(config, &agent));
    CHECK_OK(sipdlg_agent_add_transport(agent, &flow, NULL));
    sipdlg_config_free(config);
    return agent;
}

/* The INVITE to `target` has this Contact line, or is refused where `line` is NULL. */
static void invite(int32_t transport, const char *contact, const char *target, const char *line)
{
    sipdlg_agent_t agent = agent_with(transport, contact);
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_transmit_t out;
    char text[2048];
    pair_body(&request.body, OFFER);
    out.size = sizeof out;
    if (line == NULL) {
        CHECK_STATUS(sipdlg_agent_invite(agent, target, &request, NULL), SIPDLG_ERR_NO_TRANSPORT);
    } else {
        CHECK_OK(sipdlg_agent_invite(agent, target, &request, NULL));
        CHECK_OK(sipdlg_agent_poll_transmit(agent, &out));
        CHECK_NUMBER(out.flow.transport, transport);
        snprintf(text, sizeof text, "%.*s", (int)out.len, (const char *)out.data);
        if (!CHECK(strstr(text, line) != NULL))
            printf("    %s to %s: %s\n", line, target, text);
    }
    CHECK_OK(sipdlg_agent_free(agent));
}

int main(void)
{
    invite(SIPDLG_TRANSPORT_TLS, NULL, "sip:bob@192.0.2.2", "\r\nContact: <sip:alice@192.0.2.1:5061;transport=tcp>\r\n");
    invite(SIPDLG_TRANSPORT_TLS, NULL, "sips:bob@192.0.2.2", "\r\nContact: <sips:alice@192.0.2.1:5061>\r\n");
    invite(SIPDLG_TRANSPORT_WSS, NULL, "sip:bob@192.0.2.2", "\r\nContact: <sip:alice@192.0.2.1:5061;transport=ws>\r\n");
    invite(SIPDLG_TRANSPORT_WSS, NULL, "sips:bob@192.0.2.2", "\r\nContact: <sips:alice@192.0.2.1:5061;transport=ws>\r\n");
    invite(SIPDLG_TRANSPORT_WSS, NULL, "sip:bob@192.0.2.2;transport=ws", "\r\nContact: <sip:alice@192.0.2.1:5061;transport=ws>\r\n");
    invite(SIPDLG_TRANSPORT_TLS, "sip:us@b2bua", "sips:bob@192.0.2.2", "\r\nContact: <sip:us@b2bua>\r\n");
    invite(SIPDLG_TRANSPORT_TLS, NULL, "sip:bob@192.0.2.2;transport=tcp", NULL);
    return check_report("sips_contact");
}
