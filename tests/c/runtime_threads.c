/* The built-in runtime: one side on the library's threads, the other by run_once; the host's own thread answers; agents are freed from
 * another thread. Real UDP on loopback. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <signal.h>
#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static sipdlg_incoming_t waiting;
static int answered, confirmed, ended, inside, released, rung_back;

static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

static void set(int *field)
{
    pthread_mutex_lock(&lock);
    ++*field;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static int get(int *field)
{
    int value;
    pthread_mutex_lock(&lock);
    value = *field;
    pthread_mutex_unlock(&lock);
    return value;
}

static void wait_for(int *field)
{
    pthread_mutex_lock(&lock);
    while (*field == 0)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_NUMBER(++inside, 1); /* callbacks of one agent never overlap */
    CHECK_STATUS(sipdlg_agent_dispatch(event->agent), SIPDLG_ERR_BUSY);
    pthread_mutex_lock(&lock);
    waiting = event->incoming;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    inside--;
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    set(&confirmed);
    sipdlg_session_hangup(event->session, 0, NULL);
}

static void on_progress(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    set(&rung_back);
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    set(&ended);
}

static void on_release(void *user)
{
    (void)user;
    set(&released);
}

/* A thread that the library does not know, beside the callbacks. */
static void *answerer(void *unused)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    sipdlg_incoming_t incoming;
    (void)unused;
    pthread_mutex_lock(&lock);
    while (waiting == 0)
        pthread_cond_wait(&changed, &lock);
    incoming = waiting;
    pthread_mutex_unlock(&lock);
    response.body.data = sdp;
    response.body.len = sizeof sdp - 1;
    CHECK_OK(sipdlg_incoming_progress(incoming, 180, NULL, NULL));
    wait_for(&rung_back);
    CHECK_OK(sipdlg_incoming_accept(incoming, 200, &response, NULL));
    set(&answered);
    return NULL;
}

static void *freer(void *agent)
{
    CHECK_OK(sipdlg_agent_free(*(sipdlg_agent_t *)agent));
    CHECK_STATUS(sipdlg_agent_run_once(*(sipdlg_agent_t *)agent, 0), SIPDLG_ERR_STALE);
    return NULL;
}

int main(void)
{
    sipdlg_delegate_t server_delegate = SIPDLG_DELEGATE_INIT, client_delegate = SIPDLG_DELEGATE_INIT;
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_agent_t server = 0, client = 0;
    char address[64], target[96];
    pthread_t thread, free_thread;
    sigset_t before, after;
    size_t len = 0;
    int number;

    server_delegate.on_invite = on_invite;
    server_delegate.on_terminated = on_terminated;
    client_delegate.on_progress = on_progress;
    client_delegate.on_accept = on_accept;
    client_delegate.on_terminated = on_terminated;
    request.delegate = &client_delegate;
    request.user = &released;
    request.release = on_release;
    request.body.data = sdp;
    request.body.len = sizeof sdp - 1;
    sigemptyset(&before);
    sigemptyset(&after);
    pthread_sigmask(SIG_SETMASK, NULL, &before);

    CHECK_OK(sipdlg_agent_new(NULL, &server));
    CHECK_OK(sipdlg_agent_set_delegate(server, &server_delegate));
    CHECK_OK(sipdlg_agent_listen(server, "udp:127.0.0.1:0"));
    CHECK_STATUS(sipdlg_agent_listen(server, "nonsense"), SIPDLG_ERR_SYNTAX);
    CHECK_STATUS(sipdlg_agent_listen(server, "udp:203.0.113.1:0"), SIPDLG_ERR_SYSTEM);
    CHECK_OK(sipdlg_agent_local_address(server, 0, address, sizeof address, &len));
    CHECK_STATUS(sipdlg_agent_local_address(server, 1, NULL, 0, NULL), SIPDLG_NONE);
    CHECK(strncmp(address, "udp:127.0.0.1:", 14) == 0 && len == strlen(address));
    CHECK_OK(sipdlg_agent_start(server, 1, 1));
    CHECK_STATUS(sipdlg_agent_start(server, 1, 1), SIPDLG_ERR_STATE);
    CHECK_STATUS(sipdlg_agent_run_once(server, 0), SIPDLG_ERR_BUSY);
    CHECK_NUMBER(pthread_create(&thread, NULL, answerer, NULL), 0);

    CHECK_OK(sipdlg_agent_new(NULL, &client));
    CHECK_OK(sipdlg_agent_listen(client, "udp:127.0.0.1:0"));
    snprintf(target, sizeof target, "sip:bob@%s", address + 4);
    CHECK_OK(sipdlg_agent_invite(client, target, &request, NULL));
    while (get(&ended) < 2)
        CHECK_OK(sipdlg_agent_run_once(client, 100));
    pthread_join(thread, NULL);
    CHECK_NUMBER(get(&answered), 1);
    CHECK_NUMBER(get(&confirmed), 1);

    CHECK_NUMBER(pthread_create(&free_thread, NULL, freer, &server), 0);
    pthread_join(free_thread, NULL);
    CHECK_OK(sipdlg_agent_wake(client));
    CHECK_OK(sipdlg_agent_run_once(client, -1)); /* woken: returns at once */
    CHECK_OK(sipdlg_agent_free(client));
    CHECK_NUMBER(get(&released), 1);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (number = 1; number < 32; number++) /* the library leaves the host's signals alone */
        CHECK_NUMBER(sigismember(&after, number), sigismember(&before, number));
    return check_report("runtime_threads");
}
