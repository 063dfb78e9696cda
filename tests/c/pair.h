/* Two agents in one process, wired in memory, in virtual time: what one puts out the other receives at once. */
#ifndef PAIR_H
#define PAIR_H

#include "check.h"

enum { ALICE, BOB };

#define ALICE_URI "sip:alice@192.0.2.1"
#define BOB_URI "sip:bob@192.0.2.2"
#define OFFER "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
#define HOLD "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"
#define ANSWER "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 4002 RTP/AVP 0\r\n"

struct pair {
    sipdlg_agent_t agent[2];
    sipdlg_flow_t flow[2];
    uint64_t now_us;
    int polled[2];                 /* the test takes the events of this side itself */
    char trace[16384];             /* start lines: "> INVITE" from alice, "< 200 INVITE" from bob, one a line */
    int (*lost)(int from, const char *data, size_t len); /* or NULL; 1: this message is lost */
};

void pair_open(struct pair *pair);
/* The same, with a configuration of the test's own (may be NULL); the pair sets manual clock, seed and address of record. */
void pair_open_with(struct pair *pair, sipdlg_config_t *alice, sipdlg_config_t *bob);
/* Carries messages and dispatches until nothing is left to do now. */
void pair_exchange(struct pair *pair);
/* Lets virtual time pass, carrying out each timer at its moment. */
void pair_advance(struct pair *pair, uint64_t ms);
/* What has passed since the last call of this; valid until the next message. */
const char *pair_trace(struct pair *pair);
/* After a while of virtual time both agents must hold nothing. Then frees them. */
void pair_close(struct pair *pair);

void pair_body(sipdlg_body_t *body, const char *sdp);
/* alice calls bob with an offer. */
sipdlg_outgoing_t pair_invite(struct pair *pair, const sipdlg_delegate_t *delegate, void *user, sipdlg_release_t release);
/* Accepts with ANSWER. */
sipdlg_status_t pair_accept(sipdlg_incoming_t incoming, sipdlg_session_t *session);
sipdlg_stats_t pair_stats(const struct pair *pair, int side);

#endif
