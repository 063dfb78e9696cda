/* Responses that are slightly broken (SIPDLG_QUIRK_BROKEN_RESPONSE): a call goes on, each is counted, and a host reads what counts. */
#include "pair.h"

static struct pair pair;
static sipdlg_session_t alice;
static int accepted, terminated;
static int broken;
static char our_from[256];

/* The value of a header. */
static void value(const sipdlg_message_t *message, const char *name, char *text, size_t size)
{
    sipdlg_str_t found;
    text[0] = '\0';
    if (CHECK(sipdlg_message_header(message, name, 0, &found) == SIPDLG_OK))
        snprintf(text, size, "%.*s", (int)found.len, found.data);
}

/* What bob answers comes to alice without From, with two tags in To, with another Via below hers and a line that is none. */
static int breaks(int from, const char *data, size_t len)
{
    char came[4096], text[4400];
    const char *end, *via, *to;
    sipdlg_flow_t flow = pair.flow[ALICE];
    if (from == ALICE && strncmp(data, "INVITE", 6) == 0) {
        const sipdlg_message_t *message;
        CHECK_OK(sipdlg_message_parse(data, len, &message));
        value(message, "From", our_from, sizeof our_from);
        sipdlg_message_release(message);
    }
    if (from != BOB || strncmp(data, "SIP/2.0 200", 11) != 0 || !CHECK(len < sizeof came))
        return 0;
    memcpy(came, data, len);
    came[len] = '\0';
    via = strstr(came, "Via: ");
    to = strstr(came, "To: ");
    if (!CHECK(via != NULL && to != NULL && via < to))
        return 0;
    end = strstr(to, "\r\n");
    snprintf(text, sizeof text, "SIP/2.0 200 OK\r\nno header\r\n%.*s\r\nVia: SIP/2.0/UDP 192.0.2.99\r\n%.*s;tag=second%.*s",
             (int)(strstr(via, "\r\n") - via), via, (int)(end - to), to, (int)(len - (size_t)(end - came)), end);
    flow.remote = pair.flow[BOB].local;
    broken++;
    CHECK_OK(sipdlg_agent_receive(pair.agent[ALICE], &flow, text, strlen(text)));
    return 1;
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(pair_accept(event->incoming, NULL));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    char text[256];
    sipdlg_name_addr_t to;
    sipdlg_str_t bytes;
    (void)user;
    accepted++;
    alice = event->session;
    value(event->message, "From", text, sizeof text);
    CHECK_CSTR(text, our_from);
    CHECK_NUMBER(sipdlg_message_header_count(event->message, "From"), 1);
    CHECK_NUMBER(sipdlg_message_header_count(event->message, "Via"), 1);
    CHECK_OK(sipdlg_message_name_addr(event->message, "To", 0, &to));
    CHECK(to.tag.len > 0 && memcmp(to.tag.data, "second", to.tag.len < 6 ? to.tag.len : 6) != 0);
    CHECK_OK(sipdlg_message_bytes(event->message, &bytes));
    CHECK(bytes.len > 30 && memcmp(bytes.data, "SIP/2.0 200 OK\r\nno header\r\n", 27) == 0);
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    terminated++;
}

int main(void)
{
    sipdlg_delegate_t callee = SIPDLG_DELEGATE_INIT, caller = SIPDLG_DELEGATE_INIT;
    sipdlg_stats_t stats;
    pair_open(&pair);
    callee.on_invite = on_invite;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &callee));
    caller.on_accept = on_accept;
    caller.on_terminated = on_terminated;
    pair.lost = breaks;
    pair_invite(&pair, &caller, NULL, NULL);
    pair_exchange(&pair);
    CHECK_NUMBER(accepted, 1);
    CHECK_OK(sipdlg_session_bye(alice, NULL, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(terminated, 1);
    stats = pair_stats(&pair, ALICE);
    CHECK(broken >= 2);
    CHECK_NUMBER(stats.quirks[7], (uint64_t)broken);
    CHECK_NUMBER(stats.dropped_malformed, 0);
    pair_close(&pair);
    return check_report("broken_response");
}
