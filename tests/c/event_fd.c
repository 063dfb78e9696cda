/* The event fd is readable exactly while events or transmits wait, and once after a wake. */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include "pair.h"

static struct pair pair;
static int fd[2];

static int readable(int side)
{
    struct pollfd poller;
    poller.fd = fd[side];
    poller.events = POLLIN;
    poller.revents = 0;
    return poll(&poller, 1, 0) == 1 && (poller.revents & POLLIN) != 0;
}

static void take_events(int side)
{
    sipdlg_event_t event;
    event.size = sizeof event;
    while (sipdlg_agent_poll_event(pair.agent[side], &event) == SIPDLG_OK)
        sipdlg_event_default(&event);
}

int main(void)
{
    sipdlg_transmit_t out;
    sipdlg_flow_t flow;
    int again = -1;

    pair_open(&pair);
    pair.polled[ALICE] = pair.polled[BOB] = 1;
    CHECK_OK(sipdlg_agent_event_fd(pair.agent[ALICE], &fd[ALICE]));
    CHECK_OK(sipdlg_agent_event_fd(pair.agent[BOB], &fd[BOB]));
    CHECK_OK(sipdlg_agent_event_fd(pair.agent[BOB], &again));
    CHECK_NUMBER(again, fd[BOB]);
    CHECK(fd[ALICE] != fd[BOB]);
    CHECK(!readable(ALICE) && !readable(BOB));

    pair_invite(&pair, NULL, NULL, NULL);
    CHECK(readable(ALICE)); /* the INVITE waits to be sent */
    out.size = sizeof out;
    CHECK_OK(sipdlg_agent_poll_transmit(pair.agent[ALICE], &out));
    flow = pair.flow[BOB];
    flow.remote = pair.flow[ALICE].local;
    CHECK_OK(sipdlg_agent_receive(pair.agent[BOB], &flow, out.data, out.len));
    CHECK_STATUS(sipdlg_agent_poll_transmit(pair.agent[ALICE], &out), SIPDLG_NONE);
    take_events(ALICE);
    CHECK(!readable(ALICE));
    CHECK(readable(BOB)); /* the event waits */
    CHECK(readable(BOB)); /* by itself nothing changes: level-triggered */
    take_events(BOB);
    CHECK(readable(BOB)); /* the 486 waits to be sent */
    pair_exchange(&pair);
    take_events(ALICE);
    take_events(BOB);
    pair_exchange(&pair);
    CHECK(!readable(ALICE) && !readable(BOB));

    CHECK_OK(sipdlg_agent_wake(pair.agent[ALICE]));
    CHECK(readable(ALICE) && !readable(BOB));
    take_events(ALICE);
    CHECK(!readable(ALICE));
    pair_close(&pair);
    return check_report("event_fd");
}
