/* Digest: credentials of the configuration answer a 401 unheard; else CHALLENGE, and the host's answer to it. */
#include "pair.h"

static struct pair pair;
static int challenged, accepted, rejected, answer_now;
static sipdlg_outgoing_t open_challenge;

/* Wants credentials; whose they are does not matter to it. */
static void on_invite(void *user, const sipdlg_event_t *event)
{
    static const char *const lines[] = {
        "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"", NULL
    };
    sipdlg_response_options_t challenge = SIPDLG_RESPONSE_OPTIONS_INIT;
    sipdlg_session_t session;
    sipdlg_str_t value;
    (void)user;
    if (sipdlg_message_header(event->message, "Authorization", 0, &value) == SIPDLG_OK) {
        CHECK_OK(pair_accept(event->incoming, &session));
        return;
    }
    challenge.headers = lines;
    CHECK_OK(sipdlg_incoming_reject(event->incoming, 401, &challenge));
}

static void on_challenge(void *user, const sipdlg_event_t *event)
{
    (void)user;
    challenged++;
    open_challenge = event->outgoing;
    CHECK_NUMBER(event->status_code, 401);
    CHECK_STR(event->text, "example.com");
    CHECK_NUMBER(sipdlg_outgoing_state(event->outgoing), SIPDLG_OUTGOING_WAITING_RETRY);
    CHECK_STATUS(sipdlg_outgoing_authenticate(event->outgoing, "alice", NULL), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_outgoing_authenticate(event->outgoing, "al\r\nice", "x"), SIPDLG_ERR_SYNTAX);
    if (answer_now)
        CHECK_OK(sipdlg_outgoing_authenticate(event->outgoing, "alice", "wonderland"));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    accepted++;
    CHECK_STATUS(sipdlg_outgoing_authenticate(event->outgoing, "alice", "wonderland"), SIPDLG_ERR_STATE);
    CHECK_OK(sipdlg_session_hangup(event->session, 0, NULL));
}

static void on_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    rejected++;
    CHECK_NUMBER(event->status_code, 401);
}

static void call(sipdlg_config_t *config)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    pair_open_with(&pair, config, NULL);
    server.on_invite = on_invite;
    client.on_challenge = on_challenge;
    client.on_accept = on_accept;
    client.on_reject = on_reject;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    challenged = accepted = rejected = 0;
    (void)pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
}

static void seen(int challenges, int accepts, int rejects, const char *trace)
{
    CHECK_CSTR(pair_trace(&pair), trace);
    CHECK_NUMBER(challenged, challenges);
    CHECK_NUMBER(accepted, accepts);
    CHECK_NUMBER(rejected, rejects);
}

#define ANSWERED "> INVITE\n< 401 INVITE\n> ACK\n> INVITE\n< 200 INVITE\n> ACK\n> BYE\n< 200 BYE\n"

int main(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_STATUS(sipdlg_config_add_credentials(config, NULL, "alice", "wonderland", 0, "SHA-1"), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_config_add_credentials(config, NULL, "alice", "wonderland", 1, NULL), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_add_credentials(config, "example.com", "alice", "wonderland", 0, NULL));
    call(config);
    seen(0, 1, 0, ANSWERED);
    pair_close(&pair);

    answer_now = 1;
    call(NULL);
    seen(1, 1, 0, ANSWERED);
    pair_close(&pair);

    answer_now = 0;
    call(NULL);
    seen(1, 0, 0, "> INVITE\n< 401 INVITE\n> ACK\n");
    CHECK_OK(sipdlg_outgoing_authenticate(open_challenge, NULL, NULL));
    pair_exchange(&pair);
    seen(1, 0, 1, "");
    pair_close(&pair);

    call(NULL);
    pair_advance(&pair, 33000);
    seen(1, 0, 1, "> INVITE\n< 401 INVITE\n> ACK\n");
    pair_close(&pair);
    return check_report("digest");
}
