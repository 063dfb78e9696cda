#define _POSIX_C_SOURCE 200809L
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "common.h"

/* ---------------------------------------------------------------- options */

static void options_help(const char *about, const struct option *options, size_t count)
{
    size_t i;
    printf("%s\n\n", about);
    for (i = 0; i < count; i++) {
        const char *value = options[i].kind == OPTION_FLAG ? "" : options[i].kind == OPTION_NUMBER ? " N" : " TEXT";
        if (options[i].kind == OPTION_CHOICE)
            value = " WORD";
        if (options[i].kind == OPTION_OPTIONAL_TEXT)
            value = " [TEXT]";
        printf("  --%s%-*s %s\n", options[i].name, (int)(22 - strlen(options[i].name)), value, options[i].help);
    }
    printf("  --%-22s %s\n", "help", "this text");
}

/* The place of `text` among "a|b|c"; -1 none. */
static int32_t choice_of(const char *words, const char *text)
{
    size_t length = strlen(text);
    int32_t at = 0;
    for (; words != NULL; words = strchr(words, '|'), at++) {
        words += *words == '|';
        if (strncmp(words, text, length) == 0 && (words[length] == '|' || words[length] == '\0'))
            return at;
    }
    return -1;
}

/* NULL, or what the option wants instead. */
static const char *option_set(const struct option *option, const char *text)
{
    const char **texts;
    int32_t choice;
    char *end;
    int at;
    switch (option->kind) {
    case OPTION_CHOICE:
        choice = choice_of(option->words, text);
        if (choice < 0)
            return option->words;
        *(int32_t *)option->value = choice;
        return NULL;
    case OPTION_FLAG:
        *(int *)option->value = 1;
        return NULL;
    case OPTION_TEXT:
    case OPTION_OPTIONAL_TEXT:
        *(const char **)option->value = text;
        return NULL;
    case OPTION_TEXTS:
        texts = option->value;
        for (at = 0; texts[at] != NULL; at++)
            if (at + 1 == TEXTS_MAX)
                return "no more values";
        texts[at] = text;
        return NULL;
    default:
        errno = 0;
        *(long *)option->value = strtol(text, &end, 10);
        return errno == 0 && *text != '\0' && *end == '\0' && *(long *)option->value >= 0 ? NULL : "a number";
    }
}

enum options_result options_parse(const char *about, const struct option *options, size_t count, int argc, char **argv)
{
    int at;
    for (at = 1; at < argc; at++) {
        const struct option *option = NULL;
        const char *wanted;
        size_t i;
        if (strcmp(argv[at], "--help") == 0) {
            options_help(about, options, count);
            return OPTIONS_HELP_SHOWN;
        }
        for (i = 0; i < count && option == NULL; i++)
            if (strncmp(argv[at], "--", 2) == 0 && strcmp(argv[at] + 2, options[i].name) == 0)
                option = &options[i];
        if (option == NULL) {
            fprintf(stderr, "%s: unknown option %s (see --help)\n", argv[0], argv[at]);
            return OPTIONS_WRONG;
        }
        if (option->kind == OPTION_OPTIONAL_TEXT && (at + 1 == argc || strncmp(argv[at + 1], "--", 2) == 0)) {
            *(const char **)option->value = "";
            continue;
        }
        if (option->kind != OPTION_FLAG && ++at == argc) {
            fprintf(stderr, "%s: --%s wants a value\n", argv[0], option->name);
            return OPTIONS_WRONG;
        }
        wanted = option_set(option, argv[at]);
        if (wanted != NULL) {
            fprintf(stderr, "%s: --%s wants %s, not %s\n", argv[0], option->name, wanted, argv[at]);
            return OPTIONS_WRONG;
        }
    }
    return OPTIONS_GO_ON;
}

/* ---------------------------------------------------------------- errors */

int failed(sipdlg_status_t status, const char *what)
{
    char detail[256];
    if (status >= 0)
        return 0;
    if (sipdlg_last_error(detail, sizeof detail, NULL) != SIPDLG_OK)
        detail[0] = '\0';
    fprintf(stderr, "%s: %s (%s)\n", what, sipdlg_status_text(status), detail);
    return 1;
}

int answer_failed(sipdlg_status_t status, const char *what)
{
    return status != SIPDLG_ERR_STALE && status != SIPDLG_ERR_STATE && failed(status, what);
}

/* ---------------------------------------------------------------- stopping */

static volatile sig_atomic_t stopping;
static sipdlg_agent_t agent_to_wake;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
    sipdlg_agent_wake(agent_to_wake);
}

int stop_asked(void)
{
    return stopping != 0;
}

void stop_on_signals(sipdlg_agent_t agent)
{
    struct sigaction action;
    agent_to_wake = agent;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND; /* a second signal ends the program at once */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---------------------------------------------------------------- waiting lines */

uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

int line_add(struct line *line, uint64_t what)
{
    struct waiting *place;
    if (line->count == line->capacity) {
        size_t capacity = line->capacity == 0 ? 64 : 2 * line->capacity, i;
        struct waiting *ring = malloc(capacity * sizeof *ring);
        if (ring == NULL)
            return 0;
        for (i = 0; i < line->count; i++)
            ring[i] = line->ring[(line->first + i) % line->capacity];
        free(line->ring);
        line->ring = ring;
        line->first = 0;
        line->capacity = capacity;
    }
    place = &line->ring[(line->first + line->count++) % line->capacity];
    place->due_ms = now_ms() + line->wait_ms;
    place->what = what;
    return 1;
}

int line_take(struct line *line, uint64_t now, uint64_t *what)
{
    if (line->count == 0 || line->ring[line->first].due_ms > now)
        return 0;
    *what = line->ring[line->first].what;
    line->first = (line->first + 1) % line->capacity;
    line->count--;
    return 1;
}

int line_timeout(const struct line *line, uint64_t now, int limit_ms)
{
    uint64_t due, wait;
    if (line->count == 0)
        return limit_ms;
    due = line->ring[line->first].due_ms;
    wait = due > now ? due - now : 0;
    if (wait > INT_MAX)
        wait = INT_MAX;
    return limit_ms >= 0 && limit_ms < (int)wait ? limit_ms : (int)wait;
}

void line_free(struct line *line)
{
    free(line->ring);
    memset(line, 0, sizeof *line);
}

/* ---------------------------------------------------------------- ladder
 * A line is "1764072000.123456 -> udp 127.0.0.1:5070 INVITE sip:bob@127.0.0.1 SIP/2.0 | CSeq 1 INVITE | Call-ID x". */

enum { LADDER_WIDTH = 44 };

struct ladder_step {
    double time;
    int sent;
    char peer[80], text[128], cseq[48], call_id[128];
};

static const char *copy_until(char *to, size_t capacity, const char *from, const char *stop)
{
    const char *end = strstr(from, stop);
    size_t len = end == NULL ? strlen(from) : (size_t)(end - from);
    const char *next = end == NULL ? from + len : end + strlen(stop);
    if (len >= capacity)
        len = capacity - 1;
    memcpy(to, from, len);
    to[len] = '\0';
    return next;
}

static int ladder_read(const char *line, struct ladder_step *step)
{
    char transport[8], address[64], start[256], *end;
    step->time = strtod(line, &end);
    if (end == line || strncmp(end, " -> ", 4) != 0) {
        if (end == line || strncmp(end, " <- ", 4) != 0)
            return 0; /* some other log line */
        step->sent = 0;
    } else {
        step->sent = 1;
    }
    line = copy_until(transport, sizeof transport, end + 4, " ");
    line = copy_until(address, sizeof address, line, " ");
    line = copy_until(start, sizeof start, line, " | ");
    snprintf(step->peer, sizeof step->peer, "%s %s", transport, address);
    step->cseq[0] = step->call_id[0] = '\0';
    if (strncmp(line, "CSeq ", 5) == 0)
        line = copy_until(step->cseq, sizeof step->cseq, line + 5, " | ");
    if (strncmp(line, "Call-ID ", 8) == 0)
        copy_until(step->call_id, sizeof step->call_id, line + 8, " | ");
    if (strncmp(start, "SIP/2.0 ", 8) == 0)
        snprintf(step->text, sizeof step->text, "%.60s (%s)", start + 8, step->cseq);
    else
        snprintf(step->text, sizeof step->text, "%.*s (%d)", (int)strcspn(start, " "), start, atoi(step->cseq));
    return 1;
}

static void dashes(int count)
{
    while (count-- > 0)
        putchar('-');
}

void ladder_log(void *user, int32_t level, const char *line)
{
    static double began;
    static char call_id[128], peer[80];
    struct ladder_step step;
    int rest;
    (void)user;
    if (level != SIPDLG_LOG_DEBUG || !ladder_read(line, &step))
        return;
    if (began <= 0)
        began = step.time;
    if (strcmp(call_id, step.call_id) != 0 || strcmp(peer, step.peer) != 0) {
        printf("\n%9s  here%*s\n%9s  Call-ID %s\n", "seconds", LADDER_WIDTH + 2, step.peer, "", step.call_id);
        strcpy(call_id, step.call_id);
        strcpy(peer, step.peer);
    }
    rest = LADDER_WIDTH - 6 - (int)strlen(step.text);
    printf("%9.3f  |%s %s ", step.time - began, step.sent ? "--" : "<-", step.text);
    dashes(rest);
    printf("%s|\n", step.sent ? "->" : "--");
    fflush(stdout);
}

/* ---------------------------------------------------------------- trace */

void trace_print(void *user, const sipdlg_trace_entry_t *entry)
{
    static const char *const transports[] = { "?", "udp", "tcp", "tls", "ws", "wss" };
    const int known = entry->flow.transport > 0 && entry->flow.transport < 6;
    char peer[64] = "?";
    size_t i;
    (void)user;
    sipdlg_endpoint_text(&entry->flow.remote, peer, sizeof peer, NULL);
    fprintf(stderr, "---- %" PRIu64 ".%06u %s %s %s, %zu bytes\n", entry->unix_us / 1000000u, (unsigned)(entry->unix_us % 1000000u),
            entry->direction == SIPDLG_DIRECTION_IN ? "<-" : "->", transports[known ? entry->flow.transport : 0], peer, entry->data.len);
    for (i = 0; i < entry->data.len; i++) {
        const unsigned char letter = (unsigned char)entry->data.data[i];
        if (letter == '\n' || letter == '\t' || (letter >= ' ' && letter != 0x7f))
            putc(letter, stderr); /* whatever is UTF-8 stays; what would move a cursor does not */
        else if (letter != '\r')
            fprintf(stderr, "\\x%02x", letter);
    }
    putc('\n', stderr);
}
