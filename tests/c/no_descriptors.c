/* No descriptor, no thread, no port is left: a status, and all goes well once there is one. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>
#include "loopback.h"

static int threads_left = 1 << 20;

/* In the place of libc's. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (threads_left <= 0)
        return EAGAIN;
    threads_left--;
    if (real == NULL) {
        union { void *data; int (*function)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *); } found;
        found.data = dlsym(RTLD_NEXT, "pthread_create");
        real = found.function;
    }
    return real(thread, attributes, run, argument);
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    int fd;
    for (fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Descriptors below this are all that may be opened from now on. */
static void allow(unsigned count)
{
    struct rlimit limit;
    CHECK_NUMBER(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = count;
    CHECK_NUMBER(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Each function that opens some, with fewer and fewer left. */
static void without_descriptors(void)
{
    unsigned before = open_descriptors(), spare;
    int lowest = dup(0);
    close(lowest);
    int failed[3] = { 0, 0, 0 };
    for (spare = 0; spare < 8; spare++) {
        struct loopback both;
        sipdlg_agent_t agent = 0;
        sipdlg_status_t status;
        int32_t fd;
        CHECK_OK(sipdlg_agent_new(NULL, &agent));
        allow((unsigned)lowest + spare);
        status = sipdlg_agent_listen(agent, "udp:127.0.0.1:0");
        CHECK(status == SIPDLG_OK || status == SIPDLG_ERR_SYSTEM);
        failed[0] += status != SIPDLG_OK;
        status = sipdlg_agent_event_fd(agent, &fd);
        CHECK(status == SIPDLG_OK || status == SIPDLG_ERR_SYSTEM);
        failed[1] += status != SIPDLG_OK;
        status = sipdlg_agent_run_once(agent, 0);
        CHECK(status == SIPDLG_OK || status == SIPDLG_ERR_SYSTEM);
        failed[2] += status != SIPDLG_OK;
        allow(1024);
        CHECK_OK(sipdlg_agent_listen(agent, "udp:127.0.0.1:0"));
        CHECK_OK(sipdlg_agent_event_fd(agent, &fd));
        CHECK_OK(sipdlg_agent_run_once(agent, 0));
        CHECK_OK(sipdlg_agent_free(agent));
        CHECK_NUMBER(open_descriptors(), before);
        /* A call that stands needs no more of them. */
        loopback_open(&both);
        loopback_call(&both);
        loopback_until(&both, &both.accepted, 1);
        allow((unsigned)lowest);
        loopback_send_info(&both);
        loopback_until(&both, &both.infos, 1);
        allow(1024);
        loopback_close(&both);
        CHECK_NUMBER(open_descriptors(), before);
    }
    CHECK(failed[0] > 0 && failed[1] > 0 && failed[2] > 0);
}

static void without_threads(void)
{
    struct loopback both;
    int left;
    for (left = 0; left < 2; left++) {
        loopback_open(&both);
        loopback_call(&both);
        loopback_until(&both, &both.accepted, 1);
        threads_left = left;
        CHECK_STATUS(sipdlg_agent_start(both.callee, 1, 1), SIPDLG_ERR_SYSTEM);
        threads_left = 1 << 20;
        loopback_send_info(&both);
        loopback_until(&both, &both.infos, 1);
        loopback_close(&both);
    }
    /* A name that nobody can look up is not found. */
    loopback_open(&both);
    snprintf(both.uri, sizeof both.uri, "sip:bob@host.invalid");
    threads_left = 0;
    loopback_call(&both);
    loopback_until(&both, &both.rejected, 503);
    threads_left = 1 << 20;
    CHECK_OK(sipdlg_agent_free(both.caller));
    CHECK_OK(sipdlg_agent_free(both.callee));
}

static void without_a_port(void)
{
    struct loopback both;
    sipdlg_agent_t agent;
    char taken[64];
    loopback_open(&both);
    CHECK_OK(sipdlg_agent_new(NULL, &agent));
    CHECK_OK(sipdlg_agent_local_address(both.callee, 0, taken, sizeof taken, NULL));
    CHECK_STATUS(sipdlg_agent_listen(agent, taken), SIPDLG_ERR_SYSTEM);
    CHECK_STATUS(sipdlg_agent_listen(agent, "udp:192.0.2.1:5060"), SIPDLG_ERR_SYSTEM); /* of another machine */
    CHECK_OK(sipdlg_agent_listen(agent, "udp:127.0.0.1:0"));
    CHECK_OK(sipdlg_agent_free(agent));
    CHECK_OK(sipdlg_agent_free(both.caller));
    CHECK_OK(sipdlg_agent_free(both.callee));
}

int main(void)
{
    without_descriptors();
    without_threads();
    without_a_port();
    return check_report("no_descriptors");
}
