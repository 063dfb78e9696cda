/* The smallest host-driven program: its own UDP socket, poll() and clock, one thread, nothing of the library's runtime.
 * Answers one call, or with --to places one and hangs up when it stands. */
#define _POSIX_C_SOURCE 200809L
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "sipdlg.h"

static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                          "m=audio 4000 RTP/AVP 0\r\n";
static sipdlg_agent_t agent;
static int confirmed, ended;

static int failed(sipdlg_status_t status, const char *what)
{
    char detail[256] = "";
    if (status >= 0)
        return 0;
    sipdlg_last_error(detail, sizeof detail, NULL);
    fprintf(stderr, "%s: %s (%s)\n", what, sipdlg_status_text(status), detail);
    return 1;
}

/* ---------------------------------------------------------------- the call */

static void on_invite(void *user, const sipdlg_event_t *event)
{
    sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;
    sipdlg_status_t status;
    (void)user;
    response.body.data = sdp;
    response.body.len = sizeof sdp - 1;
    status = sipdlg_incoming_progress(event->incoming, 180, NULL, NULL);
    if (status == SIPDLG_OK)
        status = sipdlg_incoming_accept(event->incoming, 200, &response, NULL);
    if (status != SIPDLG_ERR_STATE && failed(status, "answer")) /* ERR_STATE: the caller has cancelled already */
        ended = 1;
}

static void on_ack(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    confirmed = 1;
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    confirmed = 1;
    if (failed(sipdlg_session_hangup(event->session, 0, NULL), "hang-up"))
        ended = 1;
}

static void on_reject(void *user, const sipdlg_event_t *event)
{
    (void)user;
    printf("rejected: %d\n", (int)event->status_code);
    ended = 1;
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    printf("call ended, reason %d\n", (int)event->reason);
    ended = 1;
}

static sipdlg_status_t place(const char *target)
{
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;
    delegate.on_accept = on_accept;
    delegate.on_reject = on_reject;
    delegate.on_terminated = on_terminated;
    request.delegate = &delegate;
    request.body.data = sdp;
    request.body.len = sizeof sdp - 1;
    return sipdlg_agent_invite(agent, target, &request, NULL);
}

/* ---------------------------------------------------------------- the loop */

static uint64_t micros(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_nsec / 1000u;
}

static void receive(int fd, sipdlg_flow_t *flow)
{
    static char packet[65535];
    struct sockaddr_storage from;
    socklen_t from_len = sizeof from;
    ssize_t len;
    while ((len = recvfrom(fd, packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&from, &from_len)) >= 0) {
        if (sipdlg_endpoint_from_sockaddr(&from, from_len, &flow->remote) == SIPDLG_OK)
            failed(sipdlg_agent_receive(agent, flow, packet, (size_t)len), "receive");
        from_len = sizeof from;
    }
}

static void send_all(int fd)
{
    sipdlg_transmit_t out;
    out.size = sizeof out;
    while (sipdlg_agent_poll_transmit(agent, &out) == SIPDLG_OK) {
        struct sockaddr_storage to;
        size_t to_len;
        if (sipdlg_endpoint_to_sockaddr(&out.flow.remote, &to, sizeof to, &to_len) != SIPDLG_OK
            || sendto(fd, out.data, out.len, 0, (struct sockaddr *)&to, (socklen_t)to_len) < 0)
            failed(sipdlg_agent_transmit_failed(agent, out.id), "send"); /* SIPDLG_NONE: nobody waits for it */
    }
}

static void run(int fd, sipdlg_flow_t flow)
{
    struct pollfd poller = { fd, POLLIN, 0 };
    uint64_t delay_us;
    while (sipdlg_agent_next_timeout(agent, &delay_us) == SIPDLG_OK && !(ended && delay_us > 0)) {
        if (poll(&poller, 1, delay_us > 60000000u ? 60000 : (int)((delay_us + 999u) / 1000u)) < 0)
            return;
        if (failed(sipdlg_agent_set_time(agent, micros(CLOCK_MONOTONIC), micros(CLOCK_REALTIME)), "time"))
            return;
        receive(fd, &flow);
        if (failed(sipdlg_agent_handle_timeout(agent), "time-out") || failed(sipdlg_agent_dispatch(agent), "dispatch"))
            return;
        send_all(fd);
    }
}

/* ---------------------------------------------------------------- the start */

static int open_socket(const char *address, sipdlg_flow_t *flow)
{
    struct sockaddr_storage bound;
    socklen_t bound_len = sizeof bound;
    size_t len;
    int fd;
    memset(flow, 0, sizeof *flow);
    flow->transport = SIPDLG_TRANSPORT_UDP;
    if (sipdlg_endpoint_parse(address, &flow->local) != SIPDLG_OK
        || sipdlg_endpoint_to_sockaddr(&flow->local, &bound, sizeof bound, &len) != SIPDLG_OK)
        return -1;
    fd = socket(bound.ss_family, SOCK_DGRAM, 0);
    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&bound, (socklen_t)len) != 0
        || getsockname(fd, (struct sockaddr *)&bound, &bound_len) != 0
        || sipdlg_endpoint_from_sockaddr(&bound, bound_len, &flow->local) != SIPDLG_OK) {
        close(fd);
        return -1;
    }
    flow->link = (uint64_t)fd;
    return fd;
}

static sipdlg_status_t new_agent(const sipdlg_flow_t *flow)
{
    sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_status_t status = sipdlg_config_set_manual_clock(config, 1);
    delegate.on_invite = on_invite;
    delegate.on_ack = on_ack;
    delegate.on_terminated = on_terminated;
    if (status == SIPDLG_OK)
        status = sipdlg_agent_new(config, &agent);
    sipdlg_config_free(config);
    if (status == SIPDLG_OK)
        status = sipdlg_agent_set_time(agent, micros(CLOCK_MONOTONIC), micros(CLOCK_REALTIME));
    if (status == SIPDLG_OK)
        status = sipdlg_agent_set_delegate(agent, &delegate);
    if (status == SIPDLG_OK)
        status = sipdlg_agent_add_transport(agent, flow, NULL);
    return status;
}

int main(int argc, char **argv)
{
    const char *listen_on = "127.0.0.1:5070", *to = NULL;
    char text[64];
    sipdlg_flow_t flow;
    sipdlg_status_t status;
    int at, fd;

    for (at = 1; at < argc; at++) {
        if (strcmp(argv[at], "--listen") == 0 && at + 1 < argc) {
            listen_on = argv[++at];
        } else if (strcmp(argv[at], "--to") == 0 && at + 1 < argc) {
            to = argv[++at];
        } else {
            printf("host_loop [--listen IP:PORT] [--to URI]\n"
                   "Answers one call (127.0.0.1:5070), or with --to places one. --listen 127.0.0.1:0 takes any port.\n");
            return strcmp(argv[at], "--help") == 0 ? 0 : 2;
        }
    }
    fd = open_socket(listen_on, &flow);
    if (fd < 0) {
        perror(listen_on);
        return 1;
    }
    status = new_agent(&flow);
    if (status == SIPDLG_OK && sipdlg_endpoint_text(&flow.local, text, sizeof text, NULL) == SIPDLG_OK) {
        printf("listening on udp:%s\n", text);
        fflush(stdout);
    }
    if (status == SIPDLG_OK && to != NULL)
        status = place(to);
    if (!failed(status, "start")) {
        run(fd, flow);
        printf("%s\n", confirmed ? "call completed" : "no call");
    }
    if (agent != 0 && failed(sipdlg_agent_free(agent), "end"))
        confirmed = 0;
    close(fd);
    return !confirmed;
}
