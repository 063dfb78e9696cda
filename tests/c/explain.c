/* What the library did by itself is told afterwards: the last sixteen acts of a session, newest first, until its token has ended. */
#include <stddef.h>
#include "pair.h"

static struct pair pair;
static sipdlg_session_t alice, bob, ended;
static sipdlg_explain_entry_t last; /* of the session that ended, during its TERMINATED */
static unsigned acts_at_end;
static struct { unsigned lines; char last[1024]; } seen;

static void on_line(void *user, int32_t level, const char *line)
{
    (void)user;
    if (level != SIPDLG_LOG_INFO && level != SIPDLG_LOG_WARN)
        return;
    seen.lines++;
    snprintf(seen.last, sizeof seen.last, "%s", line);
}

/* How many acts there are; each has all its fields. */
static unsigned acts(sipdlg_session_t session)
{
    sipdlg_explain_entry_t entry;
    unsigned count = 0;
    uint64_t later = UINT64_MAX;
    sipdlg_status_t status;
    entry.size = sizeof entry;
    while ((status = sipdlg_session_explain(session, count, &entry)) == SIPDLG_OK) {
        CHECK(entry.unix_us > 0 && entry.unix_us <= later);
        CHECK(entry.text.len > 0 && entry.rfc.len > 4 && memcmp(entry.rfc.data, "RFC ", 4) == 0);
        later = entry.unix_us;
        count++;
    }
    CHECK_STATUS(status, SIPDLG_NONE);
    CHECK_STATUS(sipdlg_session_explain(session, UINT32_MAX, &entry), SIPDLG_NONE);
    return count;
}

static void check_act(sipdlg_session_t session, uint32_t index, int reason, int status_code, const char *rfc)
{
    sipdlg_explain_entry_t entry;
    entry.size = sizeof entry;
    CHECK_OK(sipdlg_session_explain(session, index, &entry));
    CHECK_NUMBER(entry.reason, reason);
    CHECK_NUMBER(entry.status_code, status_code);
    CHECK_STR(entry.rfc, rfc);
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(pair_accept(event->incoming, &bob));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->session)
        alice = event->session;
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->session != bob)
        return;
    ended = event->session;
    acts_at_end = acts(ended);
    last.size = sizeof last;
    CHECK_OK(sipdlg_session_explain(ended, 0, &last));
}

/* a MESSAGE that bob refuses */
static void ask_for(const char *extension)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    const char *headers[2] = { extension, NULL };
    request.headers = headers;
    CHECK_OK(sipdlg_session_message(alice, &request, NULL));
    pair_exchange(&pair);
}

int main(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_explain_entry_t shorter;
    uint64_t bytes;
    unsigned at;
    server.on_invite = on_invite;
    server.on_terminated = on_terminated;
    client.on_accept = on_accept;
    CHECK_OK(sipdlg_config_set_log(config, SIPDLG_LOG_INFO, on_line, NULL));
    pair_open_with(&pair, NULL, config);
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);

    /* a good call has none, and holds nothing for them */
    CHECK_NUMBER(acts(alice), 0);
    CHECK_NUMBER(acts(bob), 0);
    pair_advance(&pair, 40000);
    bytes = pair_stats(&pair, BOB).bytes;

    /* a refusal: in the session, and in the log with the same words and code */
    ask_for("Require: foo");
    CHECK_NUMBER(acts(bob), 1);
    CHECK_NUMBER(acts(alice), 0); /* the refusal is an event there */
    check_act(bob, 0, SIPDLG_REASON_REFUSED_BY_RULE, 420, "RFC 3261 8.2.2.3");
    CHECK(strstr(seen.last, "an extension that is not supported (RFC 3261 8.2.2.3) | REFUSED_BY_RULE") != NULL);

    /* a default */
    CHECK_OK(sipdlg_session_message(alice, NULL, NULL));
    pair_exchange(&pair);
    check_act(bob, 0, SIPDLG_REASON_DEFAULT_ANSWER, 200, "RFC 3261 8.2");
    check_act(bob, 1, SIPDLG_REASON_REFUSED_BY_RULE, 420, "RFC 3261 8.2.2.3");
    CHECK(strstr(seen.last, "MESSAGE | Call-ID ") != NULL && strstr(seen.last, " | DEFAULT_ANSWER") != NULL);

    /* sixteen are kept, and counted in bytes */
    for (at = 0; at < 20; at++)
        ask_for("Require: foo");
    CHECK_NUMBER(acts(bob), 16);
    pair_advance(&pair, 40000);
    CHECK(pair_stats(&pair, BOB).bytes > bytes + 16 * 32);

    /* out may be NULL, an older struct gets what it knows, a wrong one is refused */
    CHECK_OK(sipdlg_session_explain(bob, 0, NULL));
    memset(&shorter, 0, sizeof shorter);
    shorter.size = offsetof(sipdlg_explain_entry_t, rfc);
    CHECK_OK(sipdlg_session_explain(bob, 0, &shorter));
    CHECK_NUMBER(shorter.reason, SIPDLG_REASON_REFUSED_BY_RULE);
    CHECK(shorter.rfc.data == NULL);
    shorter.size = 3;
    CHECK_STATUS(sipdlg_session_explain(bob, 0, &shorter), SIPDLG_ERR_STRUCT);
    CHECK_STATUS(sipdlg_session_explain(pair.agent[BOB], 0, NULL), SIPDLG_ERR_KIND);

    /* the end is the last of them, during TERMINATED too; then the token has ended */
    CHECK_OK(sipdlg_session_hangup(alice, 0, NULL));
    pair_exchange(&pair);
    CHECK(ended == bob);
    CHECK_NUMBER(acts_at_end, 16);
    CHECK_NUMBER(last.reason, SIPDLG_REASON_REMOTE_BYE);
    CHECK_STR(last.rfc, "RFC 3261 15.1.2");
    CHECK_STR(last.text, "the peer sent BYE");
    CHECK_STATUS(sipdlg_session_explain(bob, 0, NULL), SIPDLG_ERR_STALE);
    pair_close(&pair);
    return check_report("explain");
}
