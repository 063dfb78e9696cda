/* After fork() the child must not use an inherited agent: ERR_FORKED, no harm to the parent's call, and free only frees memory. */
#define _POSIX_C_SOURCE 200809L
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pair.h"

static struct pair pair;
static sipdlg_session_t bob, alice;

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    CHECK_OK(pair_accept(event->incoming, &bob));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    alice = event->session;
}

static int child(void)
{
    sipdlg_agent_t own = 0;
    uint64_t delay = 0;
    CHECK_STATUS(sipdlg_session_bye(alice, NULL, NULL), SIPDLG_ERR_FORKED);
    CHECK_STATUS(sipdlg_agent_dispatch(pair.agent[BOB]), SIPDLG_ERR_FORKED);
    CHECK_STATUS(sipdlg_agent_next_timeout(pair.agent[ALICE], &delay), SIPDLG_ERR_FORKED);
    CHECK_STATUS(sipdlg_session_state(bob), SIPDLG_ERR_FORKED);
    CHECK_OK(sipdlg_agent_free(pair.agent[ALICE]));
    CHECK_OK(sipdlg_agent_free(pair.agent[BOB]));
    CHECK_OK(sipdlg_agent_new(NULL, &own)); /* an agent of its own is well */
    CHECK_OK(sipdlg_agent_free(own));
    return check_report("fork (child)");
}

int main(void)
{
    sipdlg_delegate_t server = SIPDLG_DELEGATE_INIT, client = SIPDLG_DELEGATE_INIT;
    int status = -1;
    pid_t pid;

    pair_open(&pair);
    server.on_invite = on_invite;
    client.on_accept = on_accept;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &server));
    pair_invite(&pair, &client, NULL, NULL);
    pair_exchange(&pair);
    CHECK_NUMBER(sipdlg_session_state(bob), SIPDLG_SESSION_CONFIRMED);

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        status = child();
        fflush(stdout);
        _exit(status);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    pair_trace(&pair);
    CHECK_OK(sipdlg_session_bye(alice, NULL, NULL));
    pair_exchange(&pair);
    CHECK_CSTR(pair_trace(&pair), "> BYE\n< 200 BYE\n");
    pair_close(&pair);
    return check_report("fork");
}
