/* What the library answers when the host has no function for it. */
#include "pair.h"

static struct pair pair;
static int status;
static sipdlg_session_t alice;
static char header[128];
static const char *wanted_header;

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(pair_accept(event->incoming, NULL));
}

static void on_final(void *user, const sipdlg_event_t *event)
{
    sipdlg_str_t value;
    (void)user;
    status = event->status_code;
    header[0] = '\0';
    if (event->session != 0 && event->kind == SIPDLG_EVENT_ACCEPT && event->method == SIPDLG_METHOD_INVITE)
        alice = event->session;
    if (wanted_header != NULL && event->message != NULL
        && sipdlg_message_header(event->message, wanted_header, 0, &value) == SIPDLG_OK)
        snprintf(header, sizeof header, "%.*s", (int)value.len, value.data);
}

static void out_of_dialog(const sipdlg_delegate_t *client, const char *method, int wanted, const char *name)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    request.delegate = client;
    status = 0;
    wanted_header = name;
    CHECK_OK(sipdlg_agent_request(pair.agent[ALICE], method, BOB_URI ":5060", &request, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(status, wanted);
    if (name != NULL && !CHECK(header[0] != '\0'))
        printf("    no %s in the %d to %s\n", name, wanted, method);
}

typedef sipdlg_status_t in_dialog(sipdlg_session_t, const sipdlg_request_options_t *, sipdlg_outgoing_t *);

static void in_the_dialog(const sipdlg_delegate_t *client, in_dialog *send, const char *body, int wanted, const char *name)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    request.delegate = client;
    if (body != NULL)
        pair_body(&request.body, body);
    status = 0;
    wanted_header = name;
    CHECK_OK(send(alice, &request, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(status, wanted);
    if (name != NULL)
        CHECK(header[0] != '\0');
}

int main(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    pair_open(&pair);
    client.on_accept = client.on_reject = on_final;

    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    CHECK_NUMBER(status, 486);
    out_of_dialog(&client, "OPTIONS", 486, "Allow"); /* RFC 3261 11.2: what an INVITE would get */
    out_of_dialog(&client, "REGISTER", 405, "Allow");
    out_of_dialog(&client, "NONSENSE", 501, NULL);
    out_of_dialog(&client, "INFO", 481, NULL);

    server.on_invite = on_invite;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    out_of_dialog(&client, "OPTIONS", 200, "Allow");
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    CHECK_NUMBER(status, 200);
    in_the_dialog(&client, sipdlg_session_info, NULL, 200, NULL); /* RFC 6086 section 4.2.2 */
    in_the_dialog(&client, sipdlg_session_info, "v=0", 469, NULL);
    in_the_dialog(&client, sipdlg_session_message, NULL, 200, NULL);
    in_the_dialog(&client, sipdlg_session_options, NULL, 200, "Allow");
    in_the_dialog(&client, sipdlg_session_invite, HOLD, 488, "Warning");
    CHECK_NUMBER(sipdlg_session_signaling_state(alice), SIPDLG_SIGNALING_STABLE); /* RFC 6141: as before */
    in_the_dialog(&client, sipdlg_session_bye, NULL, 200, NULL);
    pair_close(&pair);
    return check_report("defaults");
}
