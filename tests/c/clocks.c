/* The system's clocks jump: wall time by hours either way, monotonic time over a sleep of the machine, and back as it never should. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "loopback.h"

enum { HOUR = 3600 };

static long moved[2]; /* seconds, of CLOCK_REALTIME and CLOCK_MONOTONIC */

/* In the place of libc's. */
int clock_gettime(clockid_t clock, struct timespec *out)
{
    int status = (int)syscall(SYS_clock_gettime, clock, out);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC))
        out->tv_sec += moved[clock == CLOCK_MONOTONIC];
    return status;
}

static void goes_on(struct loopback *both)
{
    int infos = both->infos + 1;
    loopback_send_info(both);
    loopback_until(both, &both->infos, infos);
}

/* A call stands while the clocks move; another is placed afterwards. */
static void jumps(long wall, long monotonic)
{
    struct loopback both;
    moved[0] = moved[1] = 2 * HOUR;
    loopback_open(&both);
    loopback_call(&both);
    loopback_until(&both, &both.accepted, 1);
    goes_on(&both);
    moved[0] += wall;
    moved[1] += monotonic;
    goes_on(&both);
    loopback_call(&both);
    loopback_until(&both, &both.accepted, 2);
    CHECK_NUMBER(both.rejected, 0);
    CHECK_NUMBER(both.ended, 0);
    goes_on(&both);
    loopback_close(&both);
}

/* What is under way when the machine sleeps is over when it wakes, without a burst of repeats. */
static void sleeps_while_it_calls(void)
{
    struct loopback both;
    sipdlg_stats_t stats;
    struct sockaddr_in silent = { 0 };
    socklen_t size = sizeof silent;
    int nobody = socket(AF_INET, SOCK_DGRAM, 0); /* which takes what comes, and says nothing */
    silent.sin_family = AF_INET;
    silent.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(nobody, (struct sockaddr *)&silent, sizeof silent) == 0);
    CHECK(getsockname(nobody, (struct sockaddr *)&silent, &size) == 0);
    moved[0] = moved[1] = 2 * HOUR;
    loopback_open(&both);
    snprintf(both.uri, sizeof both.uri, "sip:bob@127.0.0.1:%u", (unsigned)ntohs(silent.sin_port));
    loopback_call(&both);
    CHECK_OK(sipdlg_agent_run_once(both.caller, 0));
    moved[0] += HOUR;
    moved[1] += HOUR;
    loopback_until(&both, &both.rejected, 408);
    stats.size = sizeof stats;
    CHECK_OK(sipdlg_agent_stats(both.caller, &stats));
    CHECK_NUMBER(stats.sessions + stats.outgoing + stats.transactions + stats.timers, 0);
    CHECK(stats.messages_sent <= 2);
    CHECK_OK(sipdlg_agent_free(both.caller));
    CHECK_OK(sipdlg_agent_free(both.callee));
    CHECK(close(nobody) == 0);
}

int main(void)
{
    jumps(0, 0);
    jumps(HOUR, 0);
    jumps(-HOUR, 0);
    jumps(HOUR, HOUR);
    jumps(0, -HOUR);
    sleeps_while_it_calls();
    return check_report("clocks");
}
