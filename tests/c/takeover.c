/* The agent of a call is gone; another takes its dialog over from the text that the getters gave. */
#include "pair.h"

static struct pair pair;
static sipdlg_session_t alice, bob;
static int alice_ended, bob_ended, infos, births;
static char texts[7][256], offer[1024], answer[1024];

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(pair_accept(event->incoming, &bob));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (event->method == SIPDLG_METHOD_INVITE)
        alice = event->session;
}

static void on_info(void *user, const sipdlg_event_t *event)
{
    (void)user;
    infos++;
    CHECK_OK(sipdlg_incoming_accept(event->incoming, 0, NULL, NULL));
}

static void on_state(void *user, const sipdlg_event_t *event)
{
    (void)user;
    births += event->session_state == SIPDLG_SESSION_CONFIRMED;
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    *(event->agent == pair.agent[ALICE] ? &alice_ended : &bob_ended) += 1;
}

static void describe(sipdlg_dialog_state_t *state)
{
    sipdlg_body_view_t view;
    size_t len;
    memset(state, 0, sizeof *state);
    state->size = sizeof *state;
    CHECK_OK(sipdlg_session_call_id(alice, texts[0], sizeof texts[0], &len));
    CHECK_OK(sipdlg_session_local_tag(alice, texts[1], sizeof texts[1], &len));
    CHECK_OK(sipdlg_session_remote_tag(alice, texts[2], sizeof texts[2], &len));
    CHECK_OK(sipdlg_session_local_uri(alice, texts[3], sizeof texts[3], &len));
    CHECK_OK(sipdlg_session_remote_uri(alice, texts[4], sizeof texts[4], &len));
    CHECK_OK(sipdlg_session_remote_target(alice, texts[5], sizeof texts[5], &len));
    CHECK_OK(sipdlg_session_route_set(alice, texts[6], sizeof texts[6], &len));
    state->call_id = texts[0];
    state->local_tag = texts[1];
    state->remote_tag = texts[2];
    state->local_uri = texts[3];
    state->remote_uri = texts[4];
    state->remote_target = texts[5];
    state->route_set = texts[6];
    state->has_local_sequence_number = sipdlg_session_local_sequence_number(alice, &state->local_sequence_number) == SIPDLG_OK;
    state->has_remote_sequence_number = sipdlg_session_remote_sequence_number(alice, &state->remote_sequence_number) == SIPDLG_OK;
    state->caller = 1;
    CHECK_OK(sipdlg_session_offer(alice, &view, offer, sizeof offer, &len));
    state->offer.data = view.content.data;
    state->offer.len = view.content.len;
    CHECK_OK(sipdlg_session_answer(alice, &view, answer, sizeof answer, &len));
    state->answer.data = view.content.data;
    state->answer.len = view.content.len;
}

static void another_agent(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_OK(sipdlg_agent_free(pair.agent[ALICE]));
    CHECK_OK(sipdlg_config_set_manual_clock(config, 1));
    CHECK_OK(sipdlg_config_set_seed(config, 99));
    CHECK_OK(sipdlg_config_set_aor(config, ALICE_URI));
    CHECK_OK(sipdlg_agent_new(config, &pair.agent[ALICE]));
    sipdlg_config_free(config);
    CHECK_OK(sipdlg_agent_set_time(pair.agent[ALICE], pair.now_us, pair.now_us));
    CHECK_OK(sipdlg_agent_add_transport(pair.agent[ALICE], &pair.flow[ALICE], NULL));
}

/* What is wrong is refused, named, and makes no session. */
static void refusals(const sipdlg_dialog_state_t *good)
{
    sipdlg_session_t session = 77;
    sipdlg_dialog_state_t state;
    char detail[256];
#define REFUSED(change, status, field) \
    do { \
        state = *good; \
        change; \
        CHECK_STATUS(sipdlg_session_new(pair.agent[ALICE], 0, &state, NULL, &session), status); \
        CHECK_OK(sipdlg_last_error(detail, sizeof detail, NULL)); \
        if (!CHECK(strncmp(detail, field, strlen(field)) == 0)) \
            printf("    saw \"%s\", wanted \"%s...\"\n", detail, field); \
    } while (0)
    REFUSED(state.call_id = NULL, SIPDLG_ERR_ARGUMENT, "call_id");
    REFUSED(state.call_id = "a b", SIPDLG_ERR_SYNTAX, "call_id");
    REFUSED(state.local_tag = "a\r\nX: y", SIPDLG_ERR_SYNTAX, "local_tag");
    REFUSED(state.remote_tag = "a b", SIPDLG_ERR_SYNTAX, "remote_tag");
    REFUSED(state.local_uri = "alice", SIPDLG_ERR_SYNTAX, "local_uri");
    REFUSED(state.remote_uri = "<sip:bob@192.0.2.2>;tag=1", SIPDLG_ERR_SYNTAX, "remote_uri");
    REFUSED(state.remote_target = "tel:+1", SIPDLG_ERR_SYNTAX, "remote_target");
    REFUSED(state.route_set = "<sip:p;lr>,", SIPDLG_ERR_SYNTAX, "route_set");
    REFUSED(state.local_sequence_number = 0x80000000u, SIPDLG_ERR_ARGUMENT, "local_sequence_number");
    REFUSED(state.has_remote_sequence_number = 2, SIPDLG_ERR_ARGUMENT, "has_remote_sequence_number");
    REFUSED(state.secure = 1, SIPDLG_ERR_ARGUMENT, "secure");
    REFUSED(state.secure = -1, SIPDLG_ERR_ARGUMENT, "secure");
    REFUSED((state.early = 1, state.caller = 0), SIPDLG_ERR_ARGUMENT, "early");
    REFUSED(state.offer.data = NULL, SIPDLG_ERR_ARGUMENT, "offer");
    REFUSED((state.offer.data = NULL, state.offer.len = 0), SIPDLG_ERR_ARGUMENT, "answer");
    REFUSED(state.answer.content_type = "text/html", SIPDLG_ERR_ARGUMENT, "answer");
    REFUSED(state.reserved = 1, SIPDLG_ERR_ARGUMENT, "state.reserved");
    REFUSED(state.size = 3, SIPDLG_ERR_STRUCT, "sipdlg_dialog_state_t.size");
#undef REFUSED
    CHECK_STATUS(sipdlg_session_new(pair.agent[ALICE], 0, NULL, NULL, &session), SIPDLG_ERR_ARGUMENT);
    CHECK_NUMBER(session, 77);
    CHECK_NUMBER(pair_stats(&pair, ALICE).sessions, 0);
}

int main(void)
{
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    sipdlg_dialog_state_t state;
    uint32_t number = 0;
    pair_open(&pair);
    delegate.on_invite = on_invite;
    delegate.on_accept = on_accept;
    delegate.on_info = on_info;
    delegate.on_terminated = on_terminated;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &delegate));
    pair_invite(&pair, &delegate, NULL, NULL);
    pair_exchange(&pair);
    describe(&state);
    CHECK_STATUS(sipdlg_session_new(pair.agent[ALICE], 0, &state, NULL, NULL), SIPDLG_ERR_STATE); /* it lives here */

    another_agent();
    refusals(&state);
    delegate.on_state = on_state;
    CHECK_OK(sipdlg_session_new(pair.agent[ALICE], 0, &state, &delegate, &alice));
    CHECK_NUMBER(sipdlg_session_state(alice), SIPDLG_SESSION_CONFIRMED);
    CHECK_NUMBER(sipdlg_session_signaling_state(alice), SIPDLG_SIGNALING_STABLE);
    CHECK_NUMBER(sipdlg_session_early(alice), 0);
    CHECK_NUMBER(sipdlg_session_secure(alice), 0);
    CHECK_OK(sipdlg_session_local_sequence_number(alice, &number));
    CHECK_NUMBER(number, 1);
    CHECK_STATUS(sipdlg_session_remote_sequence_number(alice, &number), SIPDLG_NONE);
    pair_trace(&pair);
    CHECK_OK(sipdlg_session_info(alice, NULL, NULL));
    CHECK_OK(sipdlg_session_info(bob, NULL, NULL));
    pair_exchange(&pair);
    CHECK_NUMBER(infos, 2);
    CHECK_NUMBER(births, 1);
    CHECK_OK(sipdlg_session_bye(alice, NULL, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> INFO\n< INFO\n> 200 INFO\n< 200 INFO\n> BYE\n< 200 BYE\n");
    CHECK_NUMBER(alice_ended, 1);
    CHECK_NUMBER(bob_ended, 1);
    CHECK_STATUS(sipdlg_session_state(alice), SIPDLG_ERR_STALE);
    pair_close(&pair);
    return check_report("takeover");
}
