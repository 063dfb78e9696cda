/* What the example programs share: options, messages, waiting lines, the ladder. */
#ifndef COMMON_H
#define COMMON_H

#include <stdint.h>
#include "sipdlg.h"

/* ---- options: "--name" or "--name VALUE" */

enum option_kind { OPTION_FLAG, OPTION_NUMBER, OPTION_TEXT, OPTION_TEXTS, OPTION_CHOICE, OPTION_OPTIONAL_TEXT };
enum { TEXTS_MAX = 16 };         /* that often an option may stand that takes several texts */

struct option {
    const char *name;            /* without "--" */
    enum option_kind kind;
    void *value;                 /* int * for a flag, long * for a number, const char ** for a text, const char *[TEXTS_MAX + 1] for texts;
                                    int32_t * for a choice, which gets the number of the word in `words`;
                                    const char ** for an optional text, "" without one */
    const char *help;
    const char *words;           /* of a choice: "off|supported|required" */
};

enum options_result { OPTIONS_GO_ON, OPTIONS_HELP_SHOWN, OPTIONS_WRONG };

/* `about` is printed above the list of options by --help. */
enum options_result options_parse(const char *about, const struct option *options, size_t count, int argc, char **argv);

/* ---- errors: prints what failed and why; 1 when it did */

int failed(sipdlg_status_t status, const char *what);
/* The same for an answer. One may come due, or be given, when its request has ended: cancelled, or with its call. That is no failure;
 * until the ACK of its 487 such a request is still there (SIPDLG_ERR_STATE), then it is not (SIPDLG_ERR_STALE). */
int answer_failed(sipdlg_status_t status, const char *what);

/* ---- stopping: SIGINT and SIGTERM set `stop_asked` and wake the agent */

int stop_asked(void);
void stop_on_signals(sipdlg_agent_t agent);

/* ---- waiting lines: everything in one line waits equally long, so the first is always the next */

uint64_t now_ms(void);

struct line {
    uint64_t wait_ms;
    struct waiting { uint64_t due_ms, what; } *ring;
    size_t first, count, capacity;
};

int line_add(struct line *line, uint64_t what);                /* 0 without memory */
int line_take(struct line *line, uint64_t now, uint64_t *what); /* 0 when none is due */
int line_timeout(const struct line *line, uint64_t now, int limit_ms); /* for run_once; -1 is no limit */
void line_free(struct line *line);

/* ---- ladder: a sipdlg_log_t that draws the DEBUG line of each message as an arrow */

void ladder_log(void *user, int32_t level, const char *line);

/* ---- trace: a sipdlg_trace_t that prints each message to stderr */

void trace_print(void *user, const sipdlg_trace_entry_t *entry);

#endif
