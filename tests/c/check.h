/* A check prints what it saw when it is wrong and lets the program go on; `check_report` tells the number of wrong ones. */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sipdlg.h"

static unsigned long checks_done, checks_wrong;

static inline int check_that(int good, const char *file, int line, const char *text)
{
    checks_done++;
    if (!good) {
        checks_wrong++;
        printf("%s:%d: wrong: %s\n", file, line, text);
    }
    return good;
}

static inline void check_number(long long seen, long long wanted, const char *file, int line, const char *text)
{
    if (!check_that(seen == wanted, file, line, text))
        printf("    saw %lld, wanted %lld\n", seen, wanted);
}

static inline void check_status(int32_t seen, int32_t wanted, const char *file, int line, const char *text)
{
    char detail[256] = "";
    if (check_that(seen == wanted, file, line, text))
        return;
    sipdlg_last_error(detail, sizeof detail, NULL);
    printf("    saw %s, wanted %s; last error: %s\n", sipdlg_status_text(seen), sipdlg_status_text(wanted), detail);
}

static inline void check_text(const char *seen, size_t len, const char *wanted, const char *file, int line, const char *text)
{
    if (!check_that(len == strlen(wanted) && (len == 0 || memcmp(seen, wanted, len) == 0), file, line, text))
        printf("    saw \"%.*s\", wanted \"%s\"\n", (int)len, len == 0 ? "" : seen, wanted);
}

static inline void check_cstring(const char *seen, const char *wanted, const char *file, int line, const char *text)
{
    check_text(seen, strlen(seen), wanted, file, line, text);
}

#define CHECK(condition) check_that((condition) != 0, __FILE__, __LINE__, #condition)
#define CHECK_NUMBER(seen, wanted) check_number((long long)(seen), (long long)(wanted), __FILE__, __LINE__, #seen)
#define CHECK_STATUS(seen, wanted) check_status((seen), (wanted), __FILE__, __LINE__, #seen)
#define CHECK_OK(seen) check_status((seen), SIPDLG_OK, __FILE__, __LINE__, #seen)
#define CHECK_STR(seen, wanted) check_text((seen).data, (seen).len, (wanted), __FILE__, __LINE__, #seen)
#define CHECK_CSTR(seen, wanted) check_cstring((seen), (wanted), __FILE__, __LINE__, #seen)

/* The last line of every program, and its exit status. */
static inline int check_report(const char *name)
{
    printf("%s: %lu checks, %lu wrong\n", name, checks_done, checks_wrong);
    return checks_wrong != 0;
}

#endif
