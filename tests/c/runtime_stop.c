/* The threads end and start again; what they served stays. Real UDP on loopback. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int confirmed, ended, stopped_inside;

static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

static void set(int *field)
{
    pthread_mutex_lock(&lock);
    ++*field;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for(int *field, int count)
{
    pthread_mutex_lock(&lock);
    while (*field < count)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    (void)user;
    response.body.data = sdp;
    response.body.len = sizeof sdp - 1;
    CHECK_OK(sipdlg_incoming_accept(event->incoming, 200, &response, NULL));
}

static void on_ack(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(sipdlg_agent_stop(event->agent)); /* takes effect when this returns */
    set(&stopped_inside);
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    set(&confirmed);
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    set(&ended);
}

int main(void)
{
    sipdlg_delegate_t server_delegate = SIPDLG_DELEGATE_INIT, client_delegate = SIPDLG_DELEGATE_INIT;
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_agent_t server = 0, client = 0;
    sipdlg_session_t session = 0;
    sipdlg_status_t status;
    char address[64], target[96];

    server_delegate.on_invite = on_invite;
    server_delegate.on_ack = on_ack;
    server_delegate.on_terminated = on_terminated;
    client_delegate.on_accept = on_accept;
    client_delegate.on_terminated = on_terminated;
    request.delegate = &client_delegate;
    request.body.data = sdp;
    request.body.len = sizeof sdp - 1;

    CHECK_OK(sipdlg_agent_new(NULL, &server));
    CHECK_OK(sipdlg_agent_set_delegate(server, &server_delegate));
    CHECK_OK(sipdlg_agent_listen(server, "udp:127.0.0.1:0"));
    CHECK_OK(sipdlg_agent_local_address(server, 0, address, sizeof address, NULL));
    CHECK_OK(sipdlg_agent_start(server, 1, 1));
    CHECK_OK(sipdlg_agent_new(NULL, &client));
    CHECK_OK(sipdlg_agent_listen(client, "udp:127.0.0.1:0"));
    CHECK_OK(sipdlg_agent_start(client, 1, 1));
    snprintf(target, sizeof target, "sip:bob@%s", address + 4);
    CHECK_OK(sipdlg_agent_invite(client, target, &request, NULL));
    wait_for(&confirmed, 1);
    wait_for(&stopped_inside, 1);

    /* the server by hand now: the session is there, and its BYE goes through */
    CHECK_OK(sipdlg_agent_stop(client));
    CHECK_OK(sipdlg_agent_next_session(server, 0, &session));
    CHECK_NUMBER(sipdlg_session_state(session), SIPDLG_SESSION_CONFIRMED);
    while ((status = sipdlg_agent_run_once(server, 0)) == SIPDLG_ERR_BUSY) /* its thread is on its way out of on_ack() */
        continue;
    CHECK_OK(status);
    CHECK_OK(sipdlg_session_bye(session, NULL, NULL));
    CHECK_OK(sipdlg_agent_start(client, 1, 1));
    CHECK_OK(sipdlg_agent_start(server, 1, 1));
    wait_for(&ended, 2);
    CHECK_OK(sipdlg_agent_free(client));
    CHECK_OK(sipdlg_agent_free(server));
    return check_report("runtime_stop");
}
