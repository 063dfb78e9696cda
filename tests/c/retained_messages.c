/* Messages that the host keeps or parses: they outlive their event, their session and their agent; all views of one. */
#include "pair.h"

static struct pair pair;
static const sipdlg_message_t *kept;

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    kept = event->message;
    CHECK_OK(sipdlg_message_retain(kept));
    CHECK_OK(sipdlg_message_retain(kept));
    sipdlg_message_release(kept);
    CHECK_OK(sipdlg_incoming_reject(event->incoming, 603, NULL));
}

static void outlives_the_agent(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT;
    sipdlg_flow_t flow;
    sipdlg_str_t text;
    pair_open(&pair);
    server.on_invite = on_invite;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    pair_invite(&pair, NULL, NULL, NULL);
    pair_exchange(&pair);
    pair_close(&pair);
    if (!CHECK(kept != NULL))
        return;
    CHECK_OK(sipdlg_message_method(kept, &text));
    CHECK_STR(text, "INVITE");
    CHECK_OK(sipdlg_message_uri(kept, &text));
    CHECK_STR(text, BOB_URI ":5060");
    CHECK_OK(sipdlg_message_flow(kept, &flow));
    CHECK_NUMBER(flow.link, 2);
    CHECK_NUMBER(flow.remote.port, 5060);
    CHECK_NUMBER(flow.remote.ip[3], 1);
    sipdlg_message_release(kept);
    sipdlg_message_release(NULL);
}

static void views(void)
{
    static const char bytes[] =
        "INVITE sips:bob@example.com;transport=tcp?Subject=x SIP/2.0\r\n"
        "v: SIP/2.0/TCP [2001:db8::1]:5080;branch=z9hG4bKa;rport=99;received=192.0.2.9, SIP/2.0/UDP host;branch=z9hG4bKb\r\n"
        "FROM: \"A, \\\"B\\\"\" <sip:alice@example.com>;tag=t1\r\n"
        "t: <sip:bob@example.com>\r\n"
        "i: one\r\n"
        "CSeq: 0 INVITE\r\n"
        "Max-Forwards: 70\r\n"
        "Subject: first\r\n second\r\n"
        "Route: <sip:p1;lr>, <sip:p2:5070;lr>\r\n"
        "X-Bytes: \xff\xfe\r\n"
        "c: application/sdp\r\n"
        "l: 4\r\n"
        "\r\n"
        "v=0\n";
    const sipdlg_message_t *message = NULL;
    sipdlg_name_addr_t address;
    sipdlg_body_view_t body;
    sipdlg_str_t text;
    sipdlg_via_t via;
    uint32_t number = 7;
    if (!CHECK(sipdlg_message_parse(bytes, sizeof bytes - 1, &message) == SIPDLG_OK))
        return;
    CHECK_NUMBER(sipdlg_message_status_code(message), 0);
    CHECK_STATUS(sipdlg_message_reason_phrase(message, &text), SIPDLG_NONE);
    CHECK_NUMBER(sipdlg_message_header_count(message, "Via"), 2);
    CHECK_NUMBER(sipdlg_message_header_count(message, "v"), 2);
    CHECK_NUMBER(sipdlg_message_header_count(message, "Nothing"), 0);
    CHECK_OK(sipdlg_message_via(message, 0, &via));
    CHECK_STR(via.transport, "TCP");
    CHECK_STR(via.host, "[2001:db8::1]");
    CHECK_NUMBER(via.port, 5080);
    CHECK_NUMBER(via.rport, 99);
    CHECK_STR(via.received, "192.0.2.9");
    CHECK_OK(sipdlg_message_via(message, 1, &via));
    CHECK_STR(via.branch, "z9hG4bKb");
    CHECK_NUMBER(via.port, 0);
    CHECK_STATUS(sipdlg_message_via(message, 2, &via), SIPDLG_NONE);
    CHECK_OK(sipdlg_message_name_addr(message, "f", 0, &address));
    CHECK_STR(address.uri, "sip:alice@example.com");
    CHECK_STR(address.tag, "t1");
    CHECK_STR(address.user, "alice");
    CHECK_OK(sipdlg_message_name_addr(message, "To", 0, &address));
    CHECK(address.tag.data == NULL);
    CHECK_OK(sipdlg_message_name_addr(message, "route", 1, &address));
    CHECK_STR(address.host, "p2");
    CHECK_NUMBER(address.port, 5070);
    CHECK_STR(address.uri_parameters, ";lr");
    CHECK_OK(sipdlg_message_cseq(message, &number, &text));
    CHECK_NUMBER(number, 0);
    CHECK_STR(text, "INVITE");
    CHECK_OK(sipdlg_message_header(message, "subject", 0, &text));
    CHECK(text.len >= 12 && memcmp(text.data, "first ", 6) == 0 && memcmp(text.data + text.len - 7, " second", 7) == 0);
    CHECK(text.data != NULL && memchr(text.data, '\r', text.len) == NULL && memchr(text.data, '\n', text.len) == NULL);
    CHECK_OK(sipdlg_message_header(message, "x-bytes", 0, &text));
    CHECK_STR(text, "\xff\xfe");
    CHECK_STATUS(sipdlg_message_header(message, "subject", 1, &text), SIPDLG_NONE);
    CHECK_OK(sipdlg_message_session_body(message, &body));
    CHECK_STR(body.content, "v=0\n");
    CHECK_OK(sipdlg_message_bytes(message, &text));
    CHECK_STR(text, bytes);
    sipdlg_message_release(message);
}

static void refused(const char *bytes, const char *names)
{
    const sipdlg_message_t *message = NULL;
    char detail[256] = "";
    CHECK_STATUS(sipdlg_message_parse(bytes, strlen(bytes), &message), SIPDLG_ERR_SYNTAX);
    CHECK(message == NULL);
    CHECK_OK(sipdlg_last_error(detail, sizeof detail, NULL));
    if (!CHECK(strstr(detail, names) != NULL))
        printf("    %s is not in: %s\n", names, detail);
}

int main(void)
{
    outlives_the_agent();
    views();
    refused("INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: 1\r\n"
            "CSeq: x INVITE\r\nContent-Length: 0\r\n\r\n", "CSeq");
    refused("INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: 1\r\n"
            "CSeq: 1 INVITE\r\nContent-Length: -1\r\n\r\n", "Content-Length");
    return check_report("retained_messages");
}
