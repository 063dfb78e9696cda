/* Session descriptions of the example programs (RFC 4566, RFC 3264): one audio stream of our own, or what an offer has of it. There is no
 * media behind it. */
#ifndef SDP_H
#define SDP_H

#include "sipdlg.h"

struct sdp { char text[4096]; };

/* One of ours. `version` rises with each change; direction: "sendrecv", "sendonly", "recvonly", "inactive". */
void sdp_write(struct sdp *sdp, unsigned version, const char *direction, sipdlg_body_t *body);
/* What to answer to the direction in an offer (RFC 3264 section 6.1). */
const char *sdp_answer_direction(const sipdlg_message_t *offer);

/* The answer to the offer in `message`, media line by media line: PCMU, PCMA and telephone-event over RTP/AVP; port 0 for all else (RFC
 * 3264 section 6). Without an offer it is one of ours. 0: nothing of the offer is left, or it is too long to answer. */
int sdp_answer(struct sdp *sdp, unsigned version, const sipdlg_message_t *message, sipdlg_body_t *body);

#endif
