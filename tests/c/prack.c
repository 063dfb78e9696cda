/* Reliable provisional responses as caller (RFC 3262): acknowledged by the library, by the host, with the answer, with an offer. */
#include "pair.h"

static struct pair pair;
static sipdlg_incoming_t invite;
static sipdlg_session_t early;
static unsigned flags;
static int progressed, acknowledged, refused;

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    invite = event->incoming;
}

static void on_progress(void *user, const sipdlg_event_t *event)
{
    (void)user;
    progressed++;
    early = event->session;
    flags = event->flags;
}

/* The fate of a PRACK of the host's; of those of the library nobody hears. */
static void on_acknowledged(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_NUMBER(event->method, SIPDLG_METHOD_PRACK);
    acknowledged++;
}

static void on_refused(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_NUMBER(event->status_code, 488);
    refused++;
}

/* With an offer in PRACK: what bob says to it. */
static const char *answer;

static void on_prack(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t ok = SIPDLG_RESPONSE_OPTIONS_INIT;
    (void)user;
    if (answer == NULL) {
        CHECK_OK(sipdlg_event_default(event));
        return;
    }
    pair_body(&ok.body, answer);
    CHECK_OK(sipdlg_incoming_accept(event->incoming, 200, &ok, NULL));
}

static void call(uint32_t request_flags, const char *offer)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_delegate_t client = SIPDLG_DELEGATE_INIT;
    request.flags = request_flags;
    client.on_progress = on_progress;
    request.delegate = &client;
    if (offer != NULL)
        pair_body(&request.body, offer);
    invite = 0, early = 0, flags = 0, progressed = 0, acknowledged = 0, refused = 0, answer = NULL;
    CHECK_OK(sipdlg_agent_invite(pair.agent[ALICE], BOB_URI ":5060", &request, NULL));
    pair_exchange(&pair);
    CHECK(invite != 0);
    (void)pair_trace(&pair);
}

static void progress(const char *sdp)
{
    sipdlg_response_options_t options = SIPDLG_RESPONSE_OPTIONS_INIT;
    options.flags = SIPDLG_RESPONSE_RELIABLE;
    if (sdp != NULL)
        pair_body(&options.body, sdp);
    CHECK_OK(sipdlg_incoming_progress(invite, 183, &options, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(progressed, 1);
}

static sipdlg_status_t prack(const char *sdp, const char *header)
{
    const char *lines[] = { header, NULL };
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_delegate_t own = SIPDLG_DELEGATE_INIT;
    sipdlg_outgoing_t request = 0;
    sipdlg_status_t status;
    own.on_accept = on_acknowledged;
    own.on_reject = on_refused;
    options.delegate = &own;
    if (header != NULL)
        options.headers = lines;
    if (sdp != NULL)
        pair_body(&options.body, sdp);
    status = sipdlg_session_prack(early, &options, &request);
    CHECK((status == SIPDLG_OK) == (request != 0));
    pair_exchange(&pair);
    return status;
}

/* Bob's 200 has no description: all was said before. */
static void finish(void)
{
    CHECK_OK(sipdlg_incoming_accept(invite, 200, NULL, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< 200 INVITE\n> ACK\n");
    CHECK_NUMBER(sipdlg_session_state(early), SIPDLG_SESSION_CONFIRMED);
    CHECK_NUMBER(sipdlg_session_signaling_state(early), SIPDLG_SIGNALING_STABLE);
    CHECK_STATUS(sipdlg_session_prack(early, NULL, NULL), SIPDLG_ERR_STATE);
    CHECK_OK(sipdlg_session_hangup(early, 0, NULL));
    pair_exchange(&pair);
    (void)pair_trace(&pair);
}

static void check_answer(const char *wanted)
{
    char text[512];
    sipdlg_body_view_t body;
    CHECK_OK(sipdlg_session_answer(early, &body, text, sizeof text, NULL));
    CHECK_STR(body.content, wanted);
}

static int guard(unsigned rseq, const char *status)
{
    char text[512];
    const sipdlg_message_t *response;
    int next;
    snprintf(text, sizeof text,
             "SIP/2.0 %s\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\nFrom: <" ALICE_URI ">;tag=a\r\nTo: <" BOB_URI ">;tag=b\r\n"
             "Call-ID: c\r\nCSeq: 1 INVITE\r\nRequire: 100rel\r\nRSeq: %u\r\nContent-Length: 0\r\n\r\n", status, rseq);
    CHECK_OK(sipdlg_message_parse(text, strlen(text), &response));
    next = sipdlg_session_reliable_sequence_guard(early, response);
    sipdlg_message_release(response);
    return next;
}

int main(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT;
    pair_open(&pair);
    server.on_invite = on_invite;
    server.on_prack = on_prack;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));

    /* the answer in the reliable response; the library acknowledges it */
    call(0, OFFER);
    progress(ANSWER);
    CHECK_CSTR(pair_trace(&pair), "< 183 INVITE\n> PRACK\n< 200 PRACK\n");
    CHECK_NUMBER(flags, SIPDLG_EVENT_RELIABLE);
    CHECK_NUMBER(sipdlg_session_state(early), SIPDLG_SESSION_EARLY);
    CHECK_NUMBER(sipdlg_session_signaling_state(early), SIPDLG_SIGNALING_STABLE);
    finish();

    /* the host acknowledges it; its RAck has to be right */
    call(SIPDLG_REQUEST_MANUAL_PRACK, OFFER);
    progress(ANSWER);
    CHECK_CSTR(pair_trace(&pair), "< 183 INVITE\n");
    CHECK_NUMBER(flags, SIPDLG_EVENT_RELIABLE | SIPDLG_EVENT_NEEDS_PRACK);
    CHECK_STATUS(prack(NULL, "RAck: 0 1 INVITE"), SIPDLG_ERR_HEADER);
    CHECK_OK(prack(NULL, NULL));
    CHECK_CSTR(pair_trace(&pair), "> PRACK\n< 200 PRACK\n");
    CHECK_NUMBER(acknowledged, 1);
    CHECK_STATUS(prack(NULL, NULL), SIPDLG_ERR_STATE);
    finish();

    /* the offer in the reliable response, the answer in its PRACK */
    call(0, NULL);
    progress(OFFER);
    CHECK_NUMBER(flags, SIPDLG_EVENT_RELIABLE | SIPDLG_EVENT_NEEDS_PRACK);
    CHECK_NUMBER(sipdlg_session_signaling_state(early), SIPDLG_SIGNALING_HAVE_REMOTE_OFFER);
    CHECK_STATUS(prack(NULL, NULL), SIPDLG_ERR_STATE);
    CHECK_OK(prack(ANSWER, NULL));
    CHECK_CSTR(pair_trace(&pair), "< 183 INVITE\n> PRACK\n< 200 PRACK\n");
    check_answer(ANSWER);
    finish();

    /* a further offer in the PRACK: refused by default, then answered */
    call(SIPDLG_REQUEST_MANUAL_PRACK, OFFER);
    progress(ANSWER);
    CHECK_OK(prack(HOLD, NULL));
    CHECK_NUMBER(refused, 1);
    CHECK_NUMBER(sipdlg_session_signaling_state(early), SIPDLG_SIGNALING_STABLE);
    check_answer(ANSWER);
    answer = OFFER;
    CHECK_OK(prack(HOLD, NULL));
    CHECK_CSTR(pair_trace(&pair), "< 183 INVITE\n> PRACK\n< 488 PRACK\n> PRACK\n< 200 PRACK\n");
    check_answer(OFFER);
    finish();

    /* the guard alone */
    call(0, OFFER);
    CHECK_OK(sipdlg_incoming_progress(invite, 180, NULL, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(guard(7, "180 Ringing"), 1);
    CHECK_NUMBER(guard(7, "180 Ringing"), 0);
    CHECK_NUMBER(guard(9, "180 Ringing"), 0);
    CHECK_NUMBER(guard(8, "183 Session Progress"), 1);
    CHECK_NUMBER(guard(1, "200 OK"), 1);
    CHECK_STATUS(sipdlg_session_reliable_sequence_guard(early, NULL), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_session_hangup(early, 0, NULL));
    pair_exchange(&pair);
    pair_close(&pair);
    return check_report("prack");
}
