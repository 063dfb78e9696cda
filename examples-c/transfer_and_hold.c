/* Three agents over loopback UDP: alice calls bob, holds him, takes him back, sends a digit and a text, and refers him to carol; bob
 * calls carol and alice hears how that went, after her own call is over. The ladders are bob's, who takes part in all of it. */
#include <stdio.h>
#include <string.h>
#include "common.h"
#include "sdp.h"

enum { ALICE, BOB, CAROL, PARTIES };
enum { PATIENCE_MS = 10000 };

static const char *const names[PARTIES] = { "alice", "bob", "carol" };
static sipdlg_agent_t agents[PARTIES];
static char uris[PARTIES][96];

/* What alice does, one after the other; each begins when the one before it is done. */
enum step { STEP_INVITE, STEP_HOLD, STEP_RESUME, STEP_INFO, STEP_MESSAGE, STEP_REFER, STEP_BYE, STEP_OVER };

static enum step step;
static sipdlg_session_t call;      /* alice's, to bob */
static sipdlg_outgoing_t transfer; /* alice's REFER */
static unsigned version;           /* of the description that alice sent last */
static int transferred, live = 2;  /* code of the last NOTIFY; calls that are not over yet, as bob sees them */
static const char *problem;

static void fail(const char *what)
{
    if (problem == NULL)
        problem = what;
}

/* ---------------------------------------------------------------- alice */

static sipdlg_delegate_t calling = SIPDLG_DELEGATE_INIT; /* the fate of her requests */

static sipdlg_status_t modify(const char *direction)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    struct sdp sdp;
    request.delegate = &calling;
    sdp_write(&sdp, ++version, direction, &request.body);
    return sipdlg_session_invite(call, &request, NULL);
}

static void carries(sipdlg_request_options_t *request, const char *type, const char *text)
{
    request->delegate = &calling;
    request->body.content_type = type;
    request->body.data = text;
    request->body.len = strlen(text);
}

static void next(void)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_status_t status = SIPDLG_OK;
    switch (++step) {
    case STEP_HOLD: status = modify("sendonly"); break;
    case STEP_RESUME: status = modify("sendrecv"); break;
    case STEP_INFO:
        carries(&request, "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n");
        status = sipdlg_session_info(call, &request, NULL);
        break;
    case STEP_MESSAGE:
        carries(&request, "text/plain", "I connect you with carol.");
        status = sipdlg_session_message(call, &request, NULL);
        break;
    case STEP_REFER:
        request.delegate = &calling;
        status = sipdlg_session_refer(call, uris[CAROL], 0, &request, &transfer);
        break;
    case STEP_BYE:
        /* The NOTIFYs of the transfer do not need the call any more (RFC 5057). */
        status = sipdlg_session_hangup(call, 0, NULL);
        break;
    default: break;
    }
    if (failed(status, names[ALICE]))
        fail("the library refused alice's next step");
}

static void alice_on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    call = event->session;
    next();
}

static void alice_on_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    printf("alice: step %d got %d\n", (int)step, (int)event->status_code);
    fail("bob refused a step");
}

static void alice_on_notify(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->outgoing != transfer)
        fail("a NOTIFY of something else");
    if (event->incoming != 0) /* else the subscription ended without a NOTIFY (LAST) */
        transferred = event->status_code;
    if (failed(sipdlg_event_default(event), "NOTIFY")) /* 200 */
        fail("a NOTIFY was not answered");
}

static void alice_on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->session == call && step == STEP_BYE)
        step = STEP_OVER;
    else
        fail("alice's call ended early");
}

static int place(void)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    struct sdp sdp;
    request.delegate = &calling;
    sdp_write(&sdp, version, "sendrecv", &request.body);
    return !failed(sipdlg_agent_invite(agents[ALICE], uris[BOB], &request, NULL), names[ALICE]);
}

/* ---------------------------------------------------------------- bob and carol */

static void on_invite(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    struct sdp sdp;
    (void)user;
    sdp_write(&sdp, 0, sdp_answer_direction(event->message), &response.body);
    if (event->kind == SIPDLG_EVENT_INVITE && answer_failed(sipdlg_incoming_progress(event->incoming, 180, NULL, NULL), "ring"))
        fail("a call did not ring");
    if (answer_failed(sipdlg_incoming_accept(event->incoming, 0, &response, NULL), "accept"))
        fail("a call was not accepted");
}

static void on_text(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (answer_failed(sipdlg_incoming_accept(event->incoming, 0, NULL, NULL), "accept"))
        fail("INFO or MESSAGE was not accepted");
}

/* bob calls whom he is referred to; the 200 to the REFER and the NOTIFYs go out by themselves. */
static void bob_on_refer(void *user, const sipdlg_event_t *event)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    struct sdp sdp;
    (void)user;
    request.refer = event->incoming;
    sdp_write(&sdp, 0, "sendrecv", &request.body);
    if (failed(sipdlg_agent_invite(agents[BOB], NULL, &request, NULL), names[BOB]))
        fail("bob could not call carol");
}

static void bob_on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    live--;
}

/* ---------------------------------------------------------------- all of them */

static int start(int party, const sipdlg_delegate_t *delegate)
{
    sipdlg_config_t *config = sipdlg_config_new();
    char aor[32], address[64];
    int good;
    snprintf(aor, sizeof aor, "sip:%s@example.com", names[party]);
    good = config != NULL && !failed(sipdlg_config_set_aor(config, aor), aor)
        && (party != BOB || !failed(sipdlg_config_set_log(config, SIPDLG_LOG_DEBUG, ladder_log, NULL), "log"))
        && !failed(sipdlg_agent_new(config, &agents[party]), "agent")
        && !failed(sipdlg_agent_set_delegate(agents[party], delegate), "delegate")
        && !failed(sipdlg_agent_listen(agents[party], "udp:127.0.0.1:0"), "listen")
        && !failed(sipdlg_agent_local_address(agents[party], 0, address, sizeof address, NULL), "address");
    sipdlg_config_free(config);
    if (good)
        snprintf(uris[party], sizeof uris[party], "sip:%s@%s", names[party], address + strlen("udp:"));
    return good;
}

/* One thread drives all three; a real program has one agent and waits in sipdlg_agent_run_once(). */
static void run(void)
{
    uint64_t began = now_ms();
    int party, hung_up = 0;
    while (problem == NULL && live > 0) {
        for (party = ALICE; party < PARTIES; party++)
            if (failed(sipdlg_agent_run_once(agents[party], 2), "run"))
                fail("an agent does not run");
        if (now_ms() - began > PATIENCE_MS)
            fail("it took too long");
        if (transferred == 200 && step == STEP_OVER && !hung_up) {
            sipdlg_session_t session = 0; /* the only one that bob still has */
            while (sipdlg_agent_next_session(agents[BOB], session, &session) == SIPDLG_OK)
                hung_up = !failed(sipdlg_session_hangup(session, 0, NULL), names[BOB]);
        }
    }
}

int main(void)
{
    sipdlg_delegate_t alice = SIPDLG_DELEGATE_INIT, bob = SIPDLG_DELEGATE_INIT, carol = SIPDLG_DELEGATE_INIT;
    int party;
    if (sipdlg_abi_version() != SIPDLG_ABI_VERSION) {
        fprintf(stderr, "transfer_and_hold: another libsipdlg than it was compiled for\n");
        return 2;
    }
    calling.on_accept = alice_on_accept;
    calling.on_redirect = calling.on_reject = alice_on_reject;
    alice.on_notify = alice_on_notify;
    alice.on_terminated = alice_on_terminated;
    carol.on_invite = on_invite;
    bob.on_invite = bob.on_reinvite = on_invite;
    bob.on_info = bob.on_message = on_text;
    bob.on_refer = bob_on_refer;
    bob.on_terminated = bob_on_terminated;
    if (start(ALICE, &alice) && start(BOB, &bob) && start(CAROL, &carol) && place())
        run();
    else
        fail("the call was not placed");
    for (party = ALICE; party < PARTIES; party++)
        if (agents[party] != 0 && failed(sipdlg_agent_free(agents[party]), names[party]))
            fail("an agent was not freed");
    if (problem != NULL) {
        printf("\nFAILED at step %d: %s\n", (int)step, problem);
        return 1;
    }
    printf("\nhold, resume, INFO, MESSAGE, REFER: bob and carol talked, and alice was told %d\n", transferred);
    return 0;
}
