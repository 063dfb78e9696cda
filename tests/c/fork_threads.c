/* A child that was forked while another thread was inside the library makes and frees agents of its own: what that
 * thread held it holds for ever there. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "pair.h"

enum { CHILDREN = 60, HANG_SECONDS = 20, PATIENCE_SECONDS = 3 };

static sipdlg_agent_t living, ended;
static sipdlg_session_t session;
static int over;

static void *wake_the_living(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST))
        sipdlg_agent_wake(living);
    return NULL;
}

static void *wake_the_ended(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST))
        sipdlg_agent_wake(ended);
    return NULL;
}

static void *ask_what_ended(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST))
        sipdlg_session_state(session);
    return NULL;
}

static void *ask_what_lives(void *unused)
{
    uint64_t delay;
    (void)unused;
    while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST))
        sipdlg_agent_next_timeout(living, &delay);
    return NULL;
}

static int child(void)
{
    sipdlg_agent_t own[4] = { 0 };
    int round, at;
    alarm(HANG_SECONDS);
    if (sipdlg_agent_free(living) != SIPDLG_OK)
        return 1;
    for (round = 0; round < 2; round++) {
        for (at = 0; at < 4; at++)
            if (sipdlg_agent_new(NULL, &own[at]) != SIPDLG_OK || sipdlg_agent_wake(own[at]) != SIPDLG_OK)
                return 1;
        for (at = 0; at < 4; at++)
            if (sipdlg_agent_free(own[at]) != SIPDLG_OK)
                return 1;
    }
    return 0;
}

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(pair_accept(event->incoming, &session));
}

/* An agent that is gone, and a session of it. */
static void leave_tokens(void)
{
    static struct pair pair;
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT;
    pair_open(&pair);
    server.on_invite = on_invite;
    ended = pair.agent[BOB];
    CHECK_OK(sipdlg_agent_set_delegate(ended, &server));
    pair_invite(&pair, NULL, NULL, NULL);
    pair_exchange(&pair);
    CHECK_OK(sipdlg_session_hangup(session, 0, NULL));
    pair_close(&pair);
    CHECK_STATUS(sipdlg_session_state(session), SIPDLG_ERR_STALE);
}

int main(void)
{
    void *(*const inside[])(void *) = { wake_the_living, wake_the_ended, ask_what_ended, ask_what_lives };
    const struct timespec moment = { 0, 100000 };
    size_t at;
    int number;

    leave_tokens();
    CHECK_OK(sipdlg_agent_new(NULL, &living));
    for (at = 0; at < sizeof inside / sizeof inside[0]; at++) {
        time_t until = time(NULL) + PATIENCE_SECONDS; /* less than all under valgrind */
        int well = 0;
        pthread_t thread;
        over = 0;
        CHECK(pthread_create(&thread, NULL, inside[at], NULL) == 0);
        for (number = 0; number < CHILDREN && well == number && time(NULL) < until; number++) {
            int status = -1;
            pid_t pid;
            nanosleep(&moment, NULL);
            pid = fork();
            if (pid == 0)
                _exit(child());
            CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
            well += WIFEXITED(status) && WEXITSTATUS(status) == 0;
        }
        CHECK_NUMBER(well, number);
        CHECK(well > 0);
        __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    CHECK_OK(sipdlg_agent_free(living));
    return check_report("fork_threads");
}
