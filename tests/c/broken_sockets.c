/* Sockets that refuse: what the network may lose is repeated, what cannot be sent is said at once, and nobody waits in a busy loop. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include "loopback.h"

static int failing_send, failing_receive; /* errno of all calls, else 0 */
static unsigned failures;

/* In the place of libc's. */
int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    unsigned at;
    int error = __atomic_load_n(&failing_send, __ATOMIC_SEQ_CST);
    if (error != 0) {
        __atomic_add_fetch(&failures, 1, __ATOMIC_SEQ_CST);
        errno = error;
        return -1;
    }
    for (at = 0; at < count && sendmsg(fd, &messages[at].msg_hdr, flags) >= 0; at++)
        continue;
    return at == 0 && count > 0 ? -1 : (int)at;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    unsigned at;
    int error = __atomic_load_n(&failing_receive, __ATOMIC_SEQ_CST);
    (void)timeout;
    if (error != 0) {
        __atomic_add_fetch(&failures, 1, __ATOMIC_SEQ_CST);
        errno = error;
        return -1;
    }
    for (at = 0; at < count; at++) {
        ssize_t got = recvmsg(fd, &messages[at].msg_hdr, flags | MSG_DONTWAIT);
        if (got < 0)
            break;
        messages[at].msg_len = (unsigned)got;
    }
    return at == 0 ? -1 : (int)at;
}

static void sleep_ms(long ms)
{
    struct timespec span;
    span.tv_sec = ms / 1000;
    span.tv_nsec = ms % 1000 * 1000000;
    nanosleep(&span, NULL);
}

static void open_and_call(struct loopback *both)
{
    loopback_open(both);
    loopback_call(both);
    loopback_until(both, &both->accepted, 1);
}

/* As good as lost on the way: T1 later it goes out again. */
static void lost(int error)
{
    struct loopback both;
    open_and_call(&both);
    failing_send = error;
    loopback_send_info(&both);
    CHECK_OK(sipdlg_agent_run_once(both.caller, 0));
    failing_send = 0;
    loopback_until(&both, &both.infos, 1);
    CHECK_NUMBER(both.rejected, 0);
    loopback_close(&both);
}

/* It cannot be sent there: 503 without a wait (RFC 3261 section 8.1.3.1). The call does not end by that. */
static void refused(int error)
{
    struct loopback both;
    open_and_call(&both);
    failing_send = error;
    loopback_send_info(&both);
    CHECK_OK(sipdlg_agent_run_once(both.caller, 0));
    CHECK_OK(sipdlg_agent_run_once(both.caller, 0));
    CHECK_NUMBER(both.rejected, 503);
    failing_send = 0;
    loopback_send_info(&both);
    loopback_until(&both, &both.infos, 1);
    CHECK_NUMBER(both.ended, 0);
    loopback_close(&both);
}

/* Nothing can be read for a while: the threads take their time, and all goes on afterwards. */
static void unreadable(int error)
{
    struct loopback both;
    unsigned waited, before = failures;
    open_and_call(&both);
    CHECK_OK(sipdlg_agent_start(both.callee, 1, 1));
    failing_receive = error;
    loopback_send_info(&both);
    CHECK_OK(sipdlg_agent_run_once(both.caller, 0));
    sleep_ms(500);
    CHECK(failures - before < 200);
    failing_receive = 0;
    for (waited = 0; both.infos == 0 && CHECK(waited < 1000); waited++)
        CHECK_OK(sipdlg_agent_run_once(both.caller, 10));
    CHECK_OK(sipdlg_agent_stop(both.callee));
    loopback_close(&both);
}

int main(void)
{
    static const int as_lost[] = { ENOBUFS, ENOMEM, ECONNREFUSED }, as_refused[] = { EPERM, EACCES, ENETUNREACH, EHOSTUNREACH, EMSGSIZE, EINVAL };
    unsigned at;
    for (at = 0; at < sizeof as_lost / sizeof as_lost[0]; at++)
        lost(as_lost[at]);
    for (at = 0; at < sizeof as_refused / sizeof as_refused[0]; at++)
        refused(as_refused[at]);
    unreadable(ENOMEM);
    unreadable(ENOBUFS);
    return check_report("broken_sockets");
}
