/* What SIP.js's SessionDialog lets its user do past the messages, through the C ABI. */
#include "pair.h"

static struct pair pair;
static sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
static sipdlg_incoming_t call, reinvite, info;
static sipdlg_session_t alice, bob;
static int needs_ack, acks, infos, rejected, terminated;

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    call = event->incoming;
}

static void on_reinvite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    reinvite = event->incoming;
}

static void on_progress(void *user, const sipdlg_event_t *event)
{
    (void)user;
    alice = event->session;
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->method != SIPDLG_METHOD_INVITE)
        return;
    alice = event->session;
    needs_ack = (event->flags & SIPDLG_EVENT_NEEDS_ACK) != 0;
}

static void on_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    rejected = event->status_code;
}

static void on_ack(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    acks++;
}

static void on_info(void *user, const sipdlg_event_t *event)
{
    (void)user;
    infos++;
    info = event->incoming;
}

static void every_act_is_over(sipdlg_session_t session)
{
    sipdlg_body_t body;
    pair_body(&body, OFFER);
    CHECK_STATUS(sipdlg_session_confirm(session), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_session_reconfirm(session), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_session_set_defer_ack(session, 1), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_session_ack_processed(session), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_session_signaling_state_rollback(session), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_session_signaling_state_transition(session, &body, 0), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_session_receive_request(session, NULL, "x", 1), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_session_dispose(session), SIPDLG_ERR_STATE);
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    terminated++;
    every_act_is_over(event->session);
}

static void open_pair(void)
{
    pair_open(&pair);
    delegate.on_invite = on_invite;
    delegate.on_reinvite = on_reinvite;
    delegate.on_progress = on_progress;
    delegate.on_accept = on_accept;
    delegate.on_reject = on_reject;
    delegate.on_ack = on_ack;
    delegate.on_info = on_info;
    delegate.on_terminated = on_terminated;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[ALICE], &delegate));
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &delegate));
    needs_ack = acks = infos = rejected = terminated = 0;
}

static void confirm_by_hand(void)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    open_pair();
    request.delegate = &delegate;
    pair_invite(&pair, &delegate, NULL, NULL);
    pair_exchange(&pair);
    CHECK_OK(sipdlg_incoming_progress(call, 180, NULL, &bob));
    pair_exchange(&pair);
    CHECK_STATUS(sipdlg_session_info(alice, NULL, NULL), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_session_confirm(bob), SIPDLG_ERR_STATE);
    CHECK_NUMBER(sipdlg_session_state(bob), SIPDLG_SESSION_EARLY);
    CHECK_OK(sipdlg_session_confirm(alice));
    CHECK_OK(sipdlg_session_confirm(alice));
    CHECK_NUMBER(sipdlg_session_state(alice), SIPDLG_SESSION_CONFIRMED);
    CHECK_OK(sipdlg_session_info(alice, &request, NULL));
    CHECK_OK(pair_accept(call, &bob));
    CHECK_OK(sipdlg_session_confirm(bob));
    CHECK_NUMBER(sipdlg_session_state(bob), SIPDLG_SESSION_ACK_WAIT);
    pair_exchange(&pair);
    CHECK_NUMBER(sipdlg_session_state(bob), SIPDLG_SESSION_CONFIRMED);
    CHECK_NUMBER(sipdlg_session_signaling_state(alice), SIPDLG_SIGNALING_STABLE);
    CHECK_NUMBER(infos, 1);
    CHECK_OK(sipdlg_session_reconfirm(bob));
    CHECK_OK(sipdlg_session_hangup(alice, 0, NULL)); /* the INFO is answered 487 */
    pair_close(&pair);
    CHECK_NUMBER(terminated, 2);
    CHECK_NUMBER(rejected, 487);
}

static void offers_by_hand(void)
{
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    sipdlg_body_t body;
    open_pair();
    request.delegate = &delegate;
    CHECK_OK(sipdlg_agent_invite(pair.agent[ALICE], BOB_URI ":5060", &request, NULL)); /* a late offer */
    pair_exchange(&pair);
    pair_body(&response.body, OFFER);
    CHECK_OK(sipdlg_incoming_accept(call, 0, &response, &bob));
    CHECK_OK(sipdlg_session_set_defer_ack(bob, 1));
    CHECK_STATUS(sipdlg_session_set_defer_ack(bob, 2), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_session_ack_processed(bob), SIPDLG_NONE);
    pair_exchange(&pair);
    CHECK_NUMBER(needs_ack, 1);
    pair_body(&request.body, ANSWER);
    CHECK_OK(sipdlg_session_ack(alice, &request));
    pair_exchange(&pair);
    CHECK_NUMBER(acks, 1);
    pair_body(&request.body, HOLD);
    request.flags = SIPDLG_REQUEST_NO_RETRY;
    CHECK_OK(sipdlg_session_invite(alice, &request, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(rejected, 500); /* the ACK is still being worked off */
    CHECK_OK(sipdlg_session_ack_processed(bob));
    CHECK_STATUS(sipdlg_session_ack_processed(bob), SIPDLG_NONE);
    CHECK_OK(sipdlg_session_invite(alice, &request, NULL));
    pair_exchange(&pair);
    CHECK_STATUS(sipdlg_session_reconfirm(bob), SIPDLG_ERR_STATE); /* unanswered */
    CHECK_NUMBER(sipdlg_session_signaling_state(bob), SIPDLG_SIGNALING_HAVE_REMOTE_OFFER);
    CHECK_OK(sipdlg_session_signaling_state_rollback(bob));
    CHECK_NUMBER(sipdlg_session_signaling_state(bob), SIPDLG_SIGNALING_STABLE);
    CHECK_OK(pair_accept(reinvite, NULL));
    CHECK_OK(sipdlg_session_reconfirm(bob));
    pair_exchange(&pair);
    CHECK_NUMBER(sipdlg_session_signaling_state(bob), SIPDLG_SIGNALING_STABLE);
    pair_trace(&pair);
    pair_body(&body, HOLD);
    CHECK_OK(sipdlg_session_signaling_state_transition(alice, &body, 1));
    CHECK_NUMBER(sipdlg_session_signaling_state(alice), SIPDLG_SIGNALING_HAVE_REMOTE_OFFER);
    CHECK_STATUS(sipdlg_session_signaling_state_transition(alice, &body, 1), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_session_signaling_state_transition(alice, &body, -1), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_session_signaling_state_transition(alice, NULL, 0)); /* none */
    body.content_type = "text/plain";
    CHECK_OK(sipdlg_session_signaling_state_transition(alice, &body, 0)); /* no session description */
    body.content_type = "a/b\r\nX: y";
    CHECK_STATUS(sipdlg_session_signaling_state_transition(alice, &body, 0), SIPDLG_ERR_SYNTAX);
    CHECK_NUMBER(sipdlg_session_signaling_state(alice), SIPDLG_SIGNALING_HAVE_REMOTE_OFFER);
    CHECK_OK(sipdlg_session_signaling_state_rollback(alice));
    CHECK_OK(sipdlg_session_signaling_state_rollback(alice));
    CHECK_NUMBER(sipdlg_session_signaling_state(alice), SIPDLG_SIGNALING_STABLE);
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "");
    CHECK_OK(sipdlg_session_dispose(alice)); /* no BYE */
    CHECK_OK(sipdlg_session_bye(bob, NULL, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "< BYE\n> 481 BYE\n");
    pair_close(&pair);
    CHECK_NUMBER(terminated, 2);
}

static void request_of_the_host(void)
{
    char text[7][256], message[2048], other[2048];
    size_t len;
    sipdlg_flow_t flow;
    uint32_t number = 0;
    open_pair();
    pair_invite(&pair, &delegate, NULL, NULL);
    pair_exchange(&pair);
    CHECK_OK(pair_accept(call, &bob));
    pair_exchange(&pair);
    pair_trace(&pair);
    CHECK_OK(sipdlg_session_call_id(alice, text[0], sizeof text[0], &len));
    CHECK_OK(sipdlg_session_local_tag(alice, text[1], sizeof text[1], &len));
    CHECK_OK(sipdlg_session_remote_tag(alice, text[2], sizeof text[2], &len));
    snprintf(message, sizeof message,
             "INFO sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKhand\r\nMax-Forwards: 70\r\n"
             "From: <sip:bob@192.0.2.2>;tag=%s\r\nTo: <sip:alice@192.0.2.1>;tag=%s\r\nCall-ID: %s\r\nCSeq: 5 INFO\r\n"
             "Content-Length: 0\r\n\r\n",
             text[2], text[1], text[0]);
    flow = pair.flow[ALICE];
    flow.remote = pair.flow[BOB].local;
    CHECK_OK(sipdlg_session_receive_request(alice, &flow, message, strlen(message)));
    CHECK_OK(sipdlg_session_receive_request(alice, NULL, message, strlen(message))); /* repeated: absorbed */
    pair_exchange(&pair);
    CHECK_NUMBER(infos, 1);
    CHECK_OK(sipdlg_incoming_accept(info, 0, NULL, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> 200 INFO\n");
    CHECK_OK(sipdlg_session_remote_sequence_number(alice, &number));
    CHECK_NUMBER(number, 5);
    memcpy(other, message, sizeof other);
    memcpy(strstr(other, "Call-ID: ") + 9, "#", 1);
    CHECK_STATUS(sipdlg_session_receive_request(alice, NULL, other, strlen(other)), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_session_receive_request(alice, NULL, "INFO", 4), SIPDLG_ERR_SYNTAX);
    CHECK_STATUS(sipdlg_session_receive_request(alice, NULL, NULL, 4), SIPDLG_ERR_ARGUMENT);
    memset(&flow, 0, sizeof flow);
    CHECK_STATUS(sipdlg_session_receive_request(alice, &flow, message, strlen(message)), SIPDLG_ERR_ARGUMENT);
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "");
    CHECK_OK(sipdlg_session_hangup(alice, 0, NULL)); /* the CSeq of bob is behind */
    pair_close(&pair);
    CHECK_NUMBER(terminated, 2);
}

int main(void)
{
    confirm_by_hand();
    offers_by_hand();
    request_of_the_host();
    return check_report("by_hand");
}
