#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sdp.h"

void sdp_write(struct sdp *sdp, unsigned version, const char *direction, sipdlg_body_t *body)
{
    int len = snprintf(sdp->text, sizeof sdp->text,
                       "v=0\r\n"
                       "o=- 1 %u IN IP4 127.0.0.1\r\n"
                       "s=-\r\n"
                       "c=IN IP4 127.0.0.1\r\n"
                       "t=0 0\r\n"
                       "m=audio 4000 RTP/AVP 0\r\n"
                       "a=rtpmap:0 PCMU/8000\r\n"
                       "a=%s\r\n",
                       version, direction);
    memset(body, 0, sizeof *body);
    body->data = sdp->text;
    body->len = len < 0 ? 0 : (size_t)len;
}

static const char *answer_to(const char *direction)
{
    if (strcmp(direction, "sendonly") == 0)
        return "recvonly";
    if (strcmp(direction, "recvonly") == 0)
        return "sendonly";
    return direction;
}

static int contains(sipdlg_str_t text, const char *word)
{
    size_t len = strlen(word), at;
    for (at = 0; at + len <= text.len; at++)
        if (memcmp(text.data + at, word, len) == 0)
            return 1;
    return 0;
}

const char *sdp_answer_direction(const sipdlg_message_t *offer)
{
    sipdlg_body_view_t body;
    if (sipdlg_message_session_body(offer, &body) != SIPDLG_OK)
        return "sendrecv"; /* no offer: what we send is one */
    if (contains(body.content, "a=sendonly"))
        return "recvonly";
    if (contains(body.content, "a=recvonly"))
        return "sendonly";
    if (contains(body.content, "a=inactive"))
        return "inactive";
    return "sendrecv";
}

/* ---------------------------------------------------------------- the answer to an offer */

struct line {
    const char *text;
    size_t len;
};

/* The next line, without its end; 0: there is none. */
static int next_line(sipdlg_str_t *rest, struct line *line)
{
    const char *end;
    if (rest->len == 0)
        return 0;
    end = memchr(rest->data, '\n', rest->len);
    line->text = rest->data;
    line->len = end == NULL ? rest->len : (size_t)(end - rest->data);
    rest->data += line->len + (end != NULL);
    rest->len -= line->len + (end != NULL);
    if (line->len > 0 && line->text[line->len - 1] == '\r')
        line->len--;
    return 1;
}

static int begins(const struct line *line, const char *word)
{
    size_t len = strlen(word);
    return line->len >= len && memcmp(line->text, word, len) == 0;
}

/* NULL: no direction. */
static const char *direction_of(const struct line *line)
{
    static const char *const all[] = { "sendrecv", "sendonly", "recvonly", "inactive" };
    size_t i;
    for (i = 0; i < sizeof all / sizeof *all; i++)
        if (line->len == 2 + strlen(all[i]) && begins(line, "a=") && memcmp(line->text + 2, all[i], line->len - 2) == 0)
            return all[i];
    return NULL;
}

struct writing {
    struct sdp *sdp;
    size_t len;
    int full;
};

static void put(struct writing *to, const char *format, ...)
{
    size_t room = sizeof to->sdp->text - to->len;
    va_list values;
    int len;
    va_start(values, format);
    len = vsnprintf(to->sdp->text + to->len, room, format, values);
    va_end(values);
    if (len < 0 || (size_t)len >= room)
        to->full = 1;
    else
        to->len += (size_t)len;
}

/* Whether the media section that `rest` begins with maps a dynamic format to telephone-event (RFC 4733). */
static int is_telephone_event(sipdlg_str_t rest, long format)
{
    char map[64];
    struct line line;
    snprintf(map, sizeof map, "a=rtpmap:%ld telephone-event/8000", format);
    while (next_line(&rest, &line) && !begins(&line, "m="))
        if (begins(&line, map))
            return 1;
    return 0;
}

/* The media line, on our port; `media`: what follows it, up to the next. 1: something of it is left. */
static int answer_media(struct writing *to, const struct line *offered, sipdlg_str_t media, const char *direction, unsigned port_here)
{
    char text[sizeof to->sdp->text], kind[32], protocol[32], *next, *end;
    long formats[16], port;
    size_t count = 0, i;
    int at = 0;
    if (offered->len >= sizeof text) {
        to->full = 1;
        return 0;
    }
    memcpy(text, offered->text, offered->len);
    text[offered->len] = '\0';
    kind[0] = protocol[0] = '\0';
    if (sscanf(text, "m=%31s %ld%*[/0-9] %31s%n", kind, &port, protocol, &at) < 3
        && sscanf(text, "m=%31s %ld %31s%n", kind, &port, protocol, &at) < 3)
        port = 0;
    if (at > 0 && port > 0 && port <= 65535 && strcmp(kind, "audio") == 0 && strcmp(protocol, "RTP/AVP") == 0)
        for (next = text + at; count < sizeof formats / sizeof *formats; next = end) {
            long format = strtol(next, &end, 10);
            if (end == next)
                break;
            if (format == 0 || format == 8 || (format >= 96 && is_telephone_event(media, format)))
                formats[count++] = format;
        }
    /* Events alone are no call. */
    if (count == 1 && formats[0] >= 96)
        count = 0;
    if (count == 0) { /* RFC 3264 section 6: as it was offered, with port 0 */
        put(to, "m=%s 0 %s", kind[0] ? kind : "audio", protocol[0] ? protocol : "RTP/AVP");
        put(to, "%s\r\n", at > 0 && text[at] != '\0' ? text + at : " 0");
        return 0;
    }
    put(to, "m=audio %u RTP/AVP", port_here);
    for (i = 0; i < count; i++)
        put(to, " %ld", formats[i]);
    put(to, "\r\n");
    for (i = 0; i < count; i++)
        put(to, formats[i] >= 96 ? "a=rtpmap:%ld telephone-event/8000\r\n" : formats[i] == 8 ? "a=rtpmap:%ld PCMA/8000\r\n"
                                                                                              : "a=rtpmap:%ld PCMU/8000\r\n",
            formats[i]);
    put(to, "a=%s\r\n", answer_to(direction));
    return 1;
}

int sdp_answer(struct sdp *sdp, unsigned version, const sipdlg_message_t *message, sipdlg_body_t *body)
{
    const char *of_session = "sendrecv";
    struct writing to = { sdp, 0, 0 };
    sipdlg_body_view_t offer;
    sipdlg_str_t rest, ahead;
    struct line line, peek;
    unsigned left = 0;
    int in_media = 0;
    if (sipdlg_message_session_body(message, &offer) != SIPDLG_OK) {
        sdp_write(sdp, version, "sendrecv", body);
        return 1;
    }
    line.text = "t=0 0";
    line.len = 5;
    for (ahead = offer.content; next_line(&ahead, &peek) && !begins(&peek, "m=");)
        if (begins(&peek, "t="))
            line = peek; /* RFC 3264 section 6: the answer's is the offer's */
    put(&to, "v=0\r\no=- 1 %u IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n%.*s\r\n", version, (int)line.len, line.text);
    for (rest = offer.content; next_line(&rest, &line);) {
        const char *direction = of_session;
        if (!begins(&line, "m=")) {
            if (!in_media && direction_of(&line) != NULL)
                of_session = direction_of(&line);
            continue;
        }
        in_media = 1;
        for (ahead = rest; next_line(&ahead, &peek) && !begins(&peek, "m=");)
            if (direction_of(&peek) != NULL)
                direction = direction_of(&peek);
        left += (unsigned)answer_media(&to, &line, rest, direction, 4000 + 2 * left); /* each stream has its own port */
    }
    memset(body, 0, sizeof *body);
    body->data = sdp->text;
    body->len = to.len;
    return left > 0 && !to.full;
}
