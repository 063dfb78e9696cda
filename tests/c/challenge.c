/* Callers that are challenged, and credentials for one call. */
#include "pair.h"

#define REALM "example.com"

static struct pair pair;
static int32_t verdicts[16];
static int asked, accepted, rejected, challenged;
static const char *algorithms;
static const sipdlg_message_t *last; /* the last request with credentials, retained */

/* How much the credentials of a message are worth to bob. */
static int32_t worth(const sipdlg_message_t *message, const char *user, const char *secret, int32_t is_ha1, const char *algorithm)
{
    return sipdlg_message_check_digest(message, REALM, user, secret, is_ha1, algorithm, pair.agent[BOB]);
}

static int is_alice(const sipdlg_event_t *event)
{
    int32_t verdict = worth(event->message, "alice", "wonderland", 0, NULL);
    if (CHECK(asked < 16))
        verdicts[asked++] = verdict;
    if (verdict != SIPDLG_DIGEST_MISSING) {
        CHECK_OK(sipdlg_message_retain(event->message));
        sipdlg_message_release(last);
        last = event->message;
    }
    return verdict == SIPDLG_DIGEST_GOOD;
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    sipdlg_session_t session;
    (void)user;
    if (is_alice(event)) {
        CHECK_OK(pair_accept(event->incoming, &session));
        CHECK_STATUS(sipdlg_incoming_challenge(event->incoming, REALM, NULL), SIPDLG_ERR_STATE);
        return;
    }
    CHECK_STATUS(sipdlg_incoming_challenge(event->incoming, NULL, NULL), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_incoming_challenge(event->incoming, REALM, "SHA-1"), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_incoming_challenge(event->incoming, "a\nb", NULL), SIPDLG_ERR_SYNTAX);
    CHECK_OK(sipdlg_incoming_challenge(event->incoming, REALM, algorithms));
}

static void on_info(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (is_alice(event))
        CHECK_OK(sipdlg_incoming_accept(event->incoming, 200, NULL, NULL));
    else
        CHECK_OK(sipdlg_incoming_challenge(event->incoming, REALM, algorithms));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    accepted++;
    if (event->method == SIPDLG_METHOD_INVITE)
        CHECK_OK(sipdlg_session_info(event->session, NULL, NULL));
}

static void on_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    rejected++;
    CHECK_NUMBER(event->status_code, 401);
}

static void on_challenge(void *user, const sipdlg_event_t *event)
{
    (void)user;
    challenged++;
    CHECK_OK(sipdlg_outgoing_authenticate(event->outgoing, NULL, NULL));
}

/* alice calls with these credentials, may be NULL. */
static void call(sipdlg_config_t *config, const sipdlg_credentials_t *credentials)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    pair_open_with(&pair, config, NULL);
    server.on_invite = on_invite;
    server.on_info = on_info;
    client.on_accept = on_accept;
    client.on_reject = on_reject;
    client.on_challenge = on_challenge;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    asked = accepted = rejected = challenged = 0;
    pair_body(&request.body, OFFER);
    request.delegate = &client;
    request.credentials = credentials;
    request.credentials_count = credentials != NULL;
    CHECK_OK(sipdlg_agent_invite(pair.agent[ALICE], BOB_URI ":5060", &request, NULL));
    pair_exchange(&pair);
}

static void hang_up(void)
{
    sipdlg_session_t session = 0;
    while (sipdlg_agent_next_session(pair.agent[ALICE], session, &session) == SIPDLG_OK)
        CHECK_OK(sipdlg_session_hangup(session, 0, NULL));
    pair_close(&pair);
}

static void credentials_of_a_call(void)
{
    sipdlg_credentials_t own = { REALM, "alice", "wonderland", NULL, 0, 0 };
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_OK(sipdlg_config_add_credentials(config, REALM, "alice", "looking glass", 0, NULL));

    algorithms = NULL;
    call(config, &own);
    CHECK_NUMBER(accepted, 1);
    CHECK_NUMBER(asked, 4); /* the INFO of the call too, with the call's credentials */
    CHECK_NUMBER(verdicts[0], SIPDLG_DIGEST_MISSING);
    CHECK_NUMBER(verdicts[1], SIPDLG_DIGEST_GOOD);
    CHECK_NUMBER(verdicts[3], SIPDLG_DIGEST_GOOD);
    hang_up();

    config = sipdlg_config_new();
    CHECK_OK(sipdlg_config_add_credentials(config, REALM, "alice", "wonderland", 0, NULL));
    own.secret = "looking glass";
    call(config, &own); /* the configuration does not help out */
    CHECK_NUMBER(verdicts[1], SIPDLG_DIGEST_WRONG);
    CHECK_NUMBER(challenged, 1);
    CHECK_NUMBER(rejected, 1);
    pair_close(&pair);
}

static void a_minimum(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_STATUS(sipdlg_config_set_digest_minimum(config, "SHA-1"), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_add_credentials(config, REALM, "alice", "wonderland", 0, NULL));
    CHECK_OK(sipdlg_config_set_digest_minimum(config, "SHA-256"));
    algorithms = "MD5";
    call(config, NULL);
    CHECK_NUMBER(asked, 1);
    CHECK_NUMBER(challenged, 0);
    CHECK_NUMBER(rejected, 1);
    CHECK_CSTR(pair_trace(&pair), "> INVITE\n< 401 INVITE\n> ACK\n");
    pair_close(&pair);
}

static void verdicts_and_names(void)
{
    sipdlg_credentials_t own = { NULL, "alice", "wonderland", "SHA-256", 0, 0 };
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    const char ha1[] = "8a76b8adf2eb7492ff78f57bc361a5c93e2f53c6e93f7ee91f68b5382cfea14f";
    char name[64];
    size_t needed;
    algorithms = "SHA-256";
    call(NULL, &own);
    CHECK(last != NULL);
    CHECK_OK(sipdlg_message_digest_username(last, REALM, name, sizeof name, &needed));
    CHECK_CSTR(name, "alice");
    CHECK_NUMBER(needed, 5);
    CHECK_STATUS(sipdlg_message_digest_username(last, REALM, name, 3, &needed), SIPDLG_ERR_BUFFER);
    CHECK_STATUS(sipdlg_message_digest_username(last, "another", name, sizeof name, NULL), SIPDLG_NONE);
    CHECK_STATUS(sipdlg_message_digest_username(NULL, REALM, name, sizeof name, NULL), SIPDLG_ERR_ARGUMENT);
    CHECK_NUMBER(worth(last, "alice", "wonderland", 0, NULL), SIPDLG_DIGEST_STALE);
    CHECK_NUMBER(worth(last, "alice", ha1, 1, "SHA-256"), SIPDLG_DIGEST_STALE);
    CHECK_NUMBER(worth(last, "alice", ha1, 0, NULL), SIPDLG_DIGEST_WRONG);
    CHECK_NUMBER(worth(last, "alice", ha1, 1, NULL), SIPDLG_ERR_ARGUMENT); /* no HA1 of MD5 */
    CHECK_NUMBER(worth(last, "bob", "wonderland", 0, NULL), SIPDLG_DIGEST_WRONG);
    CHECK_NUMBER(worth(last, NULL, "wonderland", 0, NULL), SIPDLG_ERR_ARGUMENT);
    CHECK_NUMBER(worth(last, "alice", NULL, 0, NULL), SIPDLG_ERR_ARGUMENT);
    CHECK_NUMBER(worth(last, "alice", "a\r\nb", 0, NULL), SIPDLG_ERR_SYNTAX);
    CHECK_NUMBER(sipdlg_message_check_digest(last, "another", "alice", "x", 0, NULL, pair.agent[BOB]), SIPDLG_DIGEST_MISSING);
    CHECK_NUMBER(sipdlg_message_check_digest(last, REALM, "alice", "wonderland", 0, NULL, pair.agent[ALICE]), SIPDLG_DIGEST_WRONG);
    CHECK_NUMBER(sipdlg_message_check_digest(last, REALM, "alice", "wonderland", 0, NULL, 0), SIPDLG_ERR_KIND);
    request.credentials_count = 1;
    CHECK_STATUS(sipdlg_agent_invite(pair.agent[ALICE], BOB_URI, &request, NULL), SIPDLG_ERR_ARGUMENT);
    request.credentials = &own;
    own.is_ha1 = 1;
    CHECK_STATUS(sipdlg_agent_invite(pair.agent[ALICE], BOB_URI, &request, NULL), SIPDLG_ERR_ARGUMENT);
    hang_up();
}

int main(void)
{
    credentials_of_a_call();
    a_minimum();
    verdicts_and_names();
    sipdlg_message_release(last);
    return check_report("challenge");
}
