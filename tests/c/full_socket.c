/* A socket that takes no more for a while: calls return, with a log too, and everything goes out when it takes again. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include "check.h"

enum { REQUESTS = 300 };

static int full;
static unsigned sent;
static unsigned long lines;

/* In the place of libc's. */
int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    unsigned at;
    if (__atomic_load_n(&full, __ATOMIC_SEQ_CST)) {
        errno = EAGAIN;
        return -1;
    }
    for (at = 0; at < count && sendmsg(fd, &messages[at].msg_hdr, flags) >= 0; at++)
        continue;
    __atomic_add_fetch(&sent, at, __ATOMIC_SEQ_CST);
    return at == 0 ? -1 : (int)at;
}

static void on_log(void *user, int32_t level, const char *line)
{
    (void)user;
    (void)level;
    __atomic_add_fetch(&lines, line[0] != 0, __ATOMIC_SEQ_CST);
}

static void run(int deliver, int logged)
{
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_agent_t agent = 0, peer = 0;
    struct timespec moment = { 0, 1000000 };
    char address[64], target[96];
    int number, waited;
    __atomic_store_n(&sent, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&lines, 0, __ATOMIC_SEQ_CST);
    if (logged)
        CHECK_OK(sipdlg_config_set_log(config, SIPDLG_LOG_DEBUG, on_log, NULL));
    CHECK_OK(sipdlg_agent_new(NULL, &peer)); /* takes what comes, and is not driven */
    CHECK_OK(sipdlg_agent_listen(peer, "udp:127.0.0.1:0"));
    CHECK_OK(sipdlg_agent_local_address(peer, 0, address, sizeof address, NULL));
    snprintf(target, sizeof target, "sip:bob@%s", address + 4);
    CHECK_OK(sipdlg_agent_new(config, &agent));
    CHECK_OK(sipdlg_agent_listen(agent, "udp:127.0.0.1:0"));
    CHECK_OK(sipdlg_agent_start(agent, 1, deliver));
    __atomic_store_n(&full, 1, __ATOMIC_SEQ_CST);
    for (number = 0; number < REQUESTS; number++)
        CHECK_OK(sipdlg_agent_request(agent, "OPTIONS", target, NULL, NULL));
    CHECK_NUMBER(__atomic_load_n(&sent, __ATOMIC_SEQ_CST), 0);
    __atomic_store_n(&full, 0, __ATOMIC_SEQ_CST);
    for (waited = 0; waited < 20000 && __atomic_load_n(&sent, __ATOMIC_SEQ_CST) < REQUESTS; waited++)
        nanosleep(&moment, NULL);
    CHECK(__atomic_load_n(&sent, __ATOMIC_SEQ_CST) >= REQUESTS);
    CHECK_OK(sipdlg_agent_free(agent));
    CHECK(__atomic_load_n(&lines, __ATOMIC_SEQ_CST) >= (logged ? REQUESTS : 0));
    CHECK_OK(sipdlg_agent_free(peer));
    sipdlg_config_free(config);
}

int main(void)
{
    int at;
    for (at = 0; at < 4; at++)
        run(at / 2, at % 2);
    return check_report("full_socket");
}
