/* Status texts, last error, version, endpoints, and what the text rules promise about buffers. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include "check.h"

static void statuses(void)
{
    int32_t code;
    char name[40];
    for (code = SIPDLG_ERR_DEFUNCT; code <= SIPDLG_NONE; code++) {
        const char *text = sipdlg_status_text(code);
        CHECK(text != NULL && strncmp(text, "SIPDLG_", 7) == 0 && strstr(text, ": ") != NULL);
    }
    snprintf(name, sizeof name, "%.16s", sipdlg_status_text(SIPDLG_ERR_STATE));
    CHECK_CSTR(name, "SIPDLG_ERR_STATE");
    CHECK(sipdlg_status_text(-1000) != NULL && sipdlg_status_text(INT32_MAX) != NULL && sipdlg_status_text(INT32_MIN) != NULL);
}

static void *other_thread(void *text)
{
    char detail[256] = "x";
    (void)text;
    CHECK(sipdlg_last_error(detail, sizeof detail, NULL) >= 0);
    if (strcmp(detail, "x") != 0)
        CHECK_CSTR(detail, "");
    return NULL;
}

static void last_error(void)
{
    sipdlg_endpoint_t endpoint;
    char detail[256], again[256], few[4];
    size_t needed = 0;
    pthread_t thread;
    CHECK_STATUS(sipdlg_endpoint_parse("nonsense", &endpoint), SIPDLG_ERR_SYNTAX);
    CHECK_OK(sipdlg_last_error(detail, sizeof detail, &needed));
    CHECK(needed > 0 && needed == strlen(detail));
    CHECK_STATUS(sipdlg_last_error(few, sizeof few, &needed), SIPDLG_ERR_BUFFER);
    CHECK_NUMBER(strlen(few), sizeof few - 1);
    CHECK_OK(sipdlg_last_error(again, sizeof again, NULL)); /* asking is no failure of its own */
    CHECK_CSTR(again, detail);
    CHECK_NUMBER(pthread_create(&thread, NULL, other_thread, NULL), 0);
    pthread_join(thread, NULL);
}

static void endpoints(void)
{
    sipdlg_endpoint_t endpoint, back;
    struct sockaddr_storage address;
    char text[64];
    size_t len = 0;
    CHECK_OK(sipdlg_endpoint_parse("192.0.2.1:5060", &endpoint));
    CHECK_NUMBER(endpoint.family, 4);
    CHECK_NUMBER(endpoint.port, 5060);
    CHECK_NUMBER(endpoint.ip[3], 1);
    CHECK_OK(sipdlg_endpoint_to_sockaddr(&endpoint, &address, sizeof address, &len));
    CHECK_NUMBER(len, sizeof(struct sockaddr_in));
    CHECK_NUMBER(ntohs(((struct sockaddr_in *)&address)->sin_port), 5060);
    CHECK_OK(sipdlg_endpoint_from_sockaddr(&address, len, &back));
    CHECK(memcmp(&back, &endpoint, sizeof back) == 0);
    CHECK_STATUS(sipdlg_endpoint_to_sockaddr(&endpoint, &address, 4, &len), SIPDLG_ERR_BUFFER);
    CHECK_STATUS(sipdlg_endpoint_from_sockaddr(&address, 1, &back), SIPDLG_ERR_ARGUMENT);

    CHECK_OK(sipdlg_endpoint_parse("[2001:db8::1%2]:5061", &endpoint));
    CHECK_NUMBER(endpoint.family, 6);
    CHECK_NUMBER(endpoint.scope, 2);
    CHECK_OK(sipdlg_endpoint_text(&endpoint, text, sizeof text, &len));
    CHECK_CSTR(text, "[2001:db8::1%2]:5061");
    CHECK_NUMBER(len, strlen(text));
    CHECK_OK(sipdlg_endpoint_to_sockaddr(&endpoint, &address, sizeof address, &len));
    CHECK_OK(sipdlg_endpoint_from_sockaddr(&address, len, &back));
    CHECK(memcmp(&back, &endpoint, sizeof back) == 0);
    CHECK_OK(sipdlg_endpoint_parse("192.0.2.1", &endpoint));
    CHECK_NUMBER(endpoint.port, 0);
    CHECK_STATUS(sipdlg_endpoint_parse("192.0.2.1:65536", &endpoint), SIPDLG_ERR_SYNTAX);
    CHECK_STATUS(sipdlg_endpoint_parse(NULL, &endpoint), SIPDLG_ERR_ARGUMENT);
}

int main(void)
{
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", SIPDLG_VERSION_MAJOR, SIPDLG_VERSION_MINOR, SIPDLG_VERSION_PATCH);
    CHECK_CSTR(sipdlg_version(), version);
    CHECK_NUMBER(sipdlg_abi_version(), SIPDLG_ABI_VERSION);
    statuses();
    last_error();
    endpoints();
    CHECK_NUMBER(sipdlg_effect_of("INVITE", 404), SIPDLG_EFFECT_DIALOG);
    CHECK_NUMBER(sipdlg_effect_of("INVITE", 481), SIPDLG_EFFECT_USAGE);
    CHECK_NUMBER(sipdlg_effect_of("INFO", 486), SIPDLG_EFFECT_TRANSACTION);
    CHECK_STATUS(sipdlg_effect_of(NULL, 481), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_effect_of("INVITE", 200), SIPDLG_ERR_ARGUMENT);
    return check_report("texts");
}
