/* Calls over connections of the library: one connection for many calls, the same way back, after its loss a new one. */
#include <stdlib.h>
#include "loopback.h"
#include "papers.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static void counts(sipdlg_agent_t agent, uint64_t connections, uint64_t refused)
{
    sipdlg_stats_t stats;
    memset(&stats, 0, sizeof stats);
    stats.size = sizeof stats;
    CHECK_OK(sipdlg_agent_stats(agent, &stats));
    CHECK_NUMBER((int)stats.connections, (int)connections);
    CHECK_NUMBER((int)stats.connections_refused, (int)refused);
    CHECK_NUMBER((int)stats.transmits_full, 0);
}

/* RFC 3261 section 18.1.1, 18.2.2: requests and responses of both sides go by what is there. */
static void calls(const char *transport, const sipdlg_config_t *config)
{
    struct loopback both;
    sipdlg_session_t sessions[20];
    int number;
    loopback_open_by(&both, transport, config);
    for (number = 0; number < 20; number++) {
        loopback_call(&both);
        loopback_until(&both, &both.accepted, number + 1);
        sessions[number] = both.session;
    }
    counts(both.caller, 1, 0);
    counts(both.callee, 1, 0);
    for (number = 0; number < 20; number++) {
        both.session = sessions[number];
        loopback_send_info(&both);
    }
    loopback_until(&both, &both.infos, 20);
    for (number = 1; number < 20; number++)
        CHECK_OK(sipdlg_session_hangup(sessions[number], 0, NULL));
    loopback_until(&both, &both.ended, 19);
    counts(both.caller, 1, 0);
    both.session = sessions[0];
    loopback_close(&both);
}

/* What was on a connection that is lost goes by another; the call goes on. */
static void lost(const char *transport, const sipdlg_config_t *config)
{
    struct loopback both;
    loopback_open_by(&both, transport, config);
    loopback_call(&both);
    loopback_until(&both, &both.accepted, 1);
    CHECK_OK(sipdlg_agent_link_closed(both.caller, 2)); /* as the core hears of it */
    loopback_until(&both, &both.lost, 1);
    loopback_send_info(&both);
    loopback_until(&both, &both.infos, 1);
    loopback_close(&both);
}

static const sipdlg_tls_t papers = { sizeof papers, PAPERS_CERTIFICATE, PAPERS_KEY, PAPERS_CERTIFICATE, SIPDLG_TLS_VERIFY_NAME, SIPDLG_REQUIRED, 0, 0 };

/* Both show the same certificate, which each of them trusts; whom it names is readable during the call. */
static void names(const sipdlg_config_t *config)
{
    struct loopback both;
    char name[64];
    size_t needed = 0;
    uint64_t link;
    int found = 0;
    loopback_open_by(&both, "tls", config);
    CHECK_OK(sipdlg_agent_local_address(both.callee, 0, name, sizeof name, NULL));
    snprintf(both.uri, sizeof both.uri, "sips:bob@%s", name + strlen("tls:"));
    loopback_call(&both);
    loopback_until(&both, &both.accepted, 1);
    for (link = 1; link < 4; link++) {
        if (sipdlg_agent_peer_name(both.callee, link, 0, name, sizeof name, &needed) != SIPDLG_OK)
            continue;
        found++;
        CHECK(strcmp(name, "sip:localhost") == 0 && needed == strlen(name));
        CHECK_OK(sipdlg_agent_peer_name(both.callee, link, 1, name, sizeof name, NULL));
        CHECK(strcmp(name, "localhost") == 0);
        CHECK_STATUS(sipdlg_agent_peer_name(both.callee, link, 2, name, sizeof name, NULL), SIPDLG_NONE);
        CHECK_STATUS(sipdlg_agent_peer_name(both.callee, link, 0, name, 4, NULL), SIPDLG_ERR_BUFFER);
    }
    CHECK_NUMBER(found, 1);
    CHECK_OK(sipdlg_agent_set_tls(both.callee, &papers));
    CHECK_OK(sipdlg_agent_set_tls(both.caller, NULL));
    loopback_send_info(&both);
    loopback_until(&both, &both.infos, 1);
    loopback_close(&both);
}

/* What a page says of itself when it opens its WebSocket is readable during the call. */
static void upgrades(void)
{
    static const char *const headers[] = { "Origin: https://phone.example", "Cookie: session=1", NULL };
    static const char *const ours[] = { "Host: example.com", NULL };
    sipdlg_config_t *config = sipdlg_config_new();
    struct loopback both;
    char text[64];
    size_t needed = 0;
    uint64_t link;
    int found = 0;
    CHECK_STATUS(sipdlg_config_set_websocket(config, "sip", NULL, 0), SIPDLG_ERR_SYNTAX);
    CHECK_STATUS(sipdlg_config_set_websocket(config, NULL, ours, 0), SIPDLG_ERR_SYNTAX);
    CHECK_STATUS(sipdlg_config_set_websocket(config, NULL, NULL, -2), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_set_websocket(config, "/sip?room=7", headers, 10));
    loopback_open_by(&both, "ws", config);
    loopback_call(&both);
    loopback_until(&both, &both.accepted, 1);
    for (link = 1; link < 4; link++) {
        if (sipdlg_agent_upgrade_header(both.callee, link, NULL, 0, text, sizeof text, &needed) != SIPDLG_OK)
            continue;
        found++;
        CHECK(strcmp(text, "/sip?room=7") == 0 && needed == strlen(text));
        CHECK_OK(sipdlg_agent_upgrade_header(both.callee, link, "origin", 0, text, sizeof text, NULL));
        CHECK(strcmp(text, "https://phone.example") == 0);
        CHECK_STATUS(sipdlg_agent_upgrade_header(both.callee, link, "Cookie", 0, text, 4, &needed), SIPDLG_ERR_BUFFER);
        CHECK_NUMBER((int)needed, 9);
        CHECK_STATUS(sipdlg_agent_upgrade_header(both.callee, link, "Cookie", 1, text, sizeof text, NULL), SIPDLG_NONE);
    }
    CHECK_NUMBER(found, 1);
    CHECK_STATUS(sipdlg_agent_upgrade_header(both.callee, 99, NULL, 0, text, sizeof text, NULL), SIPDLG_ERR_STALE);
    loopback_close(&both);
    sipdlg_config_free(config);
}

/* A peer that is gone when we write: its requests fail, and no SIGPIPE ends the host. */
static void broken_pipe(void)
{
    static const sipdlg_delegate_t none = SIPDLG_DELEGATE_INIT;
    const struct linger at_once = { 1, 0 };
    struct loopback seen;
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    sipdlg_agent_t agent;
    int listener = socket(AF_INET, SOCK_STREAM, 0), peer, turns;
    memset(&seen, 0, sizeof seen);
    seen.calling = none;
    seen.calling.user = &seen;
    seen.calling.on_reject = loopback_reject;
    options.delegate = &seen.calling;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    snprintf(seen.uri, sizeof seen.uri, "sip:bob@127.0.0.1:%u;transport=tcp", (unsigned)ntohs(address.sin_port));
    CHECK_OK(sipdlg_agent_new(NULL, &agent));
    CHECK_OK(sipdlg_agent_listen(agent, "tcp:127.0.0.1"));
    CHECK_OK(sipdlg_agent_request(agent, "OPTIONS", seen.uri, &options, NULL));
    CHECK_OK(sipdlg_agent_run_once(agent, 100));
    peer = accept(listener, NULL, NULL);
    CHECK(peer >= 0);
    CHECK(setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    CHECK(close(peer) == 0 && close(listener) == 0);
    /* The first write hears of the reset, the next one of the broken pipe. */
    for (turns = 0; turns < 3; turns++)
        CHECK_OK(sipdlg_agent_request(agent, "OPTIONS", seen.uri, &options, NULL));
    for (turns = 0; seen.rejected == 0 && turns < 1000; turns++)
        CHECK_OK(sipdlg_agent_run_once(agent, 5));
    CHECK_NUMBER(seen.rejected, 503);
    CHECK_OK(sipdlg_agent_free(agent));
}

/* Whom the library's resolver asks, and for what it does not ask. */
static void name_servers(void)
{
    static const char *const wrong[] = { "", "localhost", "127.0.0.1:0", "127.0.0.1:70000", "[127.0.0.1]:53", "127.0.0.1,", "::1:53:",
        "1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4,5.5.5.5,6.6.6.6,7.7.7.7,8.8.8.8,9.9.9.9" };
    static const sipdlg_delegate_t none = SIPDLG_DELEGATE_INIT;
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_request_options_t options = SIPDLG_REQUEST_OPTIONS_INIT;
    struct loopback seen;
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    sipdlg_agent_t agent;
    char text[64], question[512];
    size_t at;
    int turns, server = socket(AF_INET, SOCK_DGRAM, 0);
    ssize_t len = -1;
    for (at = 0; at < sizeof wrong / sizeof *wrong; at++)
        CHECK_STATUS(sipdlg_config_set_resolver(config, wrong[at]), SIPDLG_ERR_SYNTAX);
    CHECK_OK(sipdlg_config_set_resolver(config, "192.0.2.53,[2001:db8::53]:5353,2001:db8::54"));
    CHECK_OK(sipdlg_config_set_resolver(config, NULL));
    memset(&seen, 0, sizeof seen);
    seen.calling = none;
    seen.calling.user = &seen;
    seen.calling.on_reject = loopback_reject;
    options.delegate = &seen.calling;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(server, (struct sockaddr *)&address, length) == 0);
    CHECK(getsockname(server, (struct sockaddr *)&address, &length) == 0);
    snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    CHECK_OK(sipdlg_config_set_resolver(config, text));
    CHECK_OK(sipdlg_agent_new(config, &agent));
    CHECK_OK(sipdlg_agent_listen(agent, "udp:127.0.0.1:0"));
    CHECK_OK(sipdlg_agent_request(agent, "OPTIONS", "sip:bob@x1y2.invalid", &options, NULL));
    for (turns = 0; seen.rejected == 0 && turns < 1000; turns++)
        CHECK_OK(sipdlg_agent_run_once(agent, 5));
    CHECK_NUMBER(seen.rejected, 503);
    CHECK(recv(server, question, sizeof question, MSG_DONTWAIT) < 0); /* RFC 6761 section 6.4 */
    CHECK_OK(sipdlg_agent_request(agent, "OPTIONS", "sip:bob@sip.example", &options, NULL));
    for (turns = 0; len < 0 && turns < 1000; turns++) {
        CHECK_OK(sipdlg_agent_run_once(agent, 5));
        len = recv(server, question, sizeof question, MSG_DONTWAIT);
    }
    CHECK(len > 28 && memcmp(question + 12, "\3sip\7example\0\0\43\0\1", 17) == 0); /* NAPTR, IN */
    CHECK_OK(sipdlg_agent_free(agent)); /* waits for no answer */
    CHECK(close(server) == 0);
    sipdlg_config_free(config);
}

int main(void)
{
    sipdlg_config_t *config = sipdlg_config_new();
    CHECK_STATUS(sipdlg_config_set_connections(config, 1 << 20, 0, -2, 0), SIPDLG_ERR_ARGUMENT);
    CHECK_STATUS(sipdlg_config_set_connections(config, (1 << 20) + 1, 0, 0, 0), SIPDLG_ERR_ARGUMENT);
    CHECK_OK(sipdlg_config_set_connections(config, 100, 10, 60, 1000));
    calls("tcp", NULL);
    calls("tcp", config);
    lost("tcp", config);
    broken_pipe();
    name_servers();
    if (sipdlg_config_set_websocket(config, NULL, NULL, 0) != SIPDLG_ERR_UNSUPPORTED) {
        calls("ws", config);
        lost("ws", config);
        upgrades();
    }
    /* memcheck does not follow the assembly that encrypts, and takes all that comes of it for uninitialised */
    if (getenv("SIPDLG_UNDER_VALGRIND") == NULL && sipdlg_config_set_tls(config, &papers) != SIPDLG_ERR_UNSUPPORTED) {
        calls("tls", config);
        if (sipdlg_config_set_websocket(config, NULL, NULL, 0) != SIPDLG_ERR_UNSUPPORTED)
            calls("wss", config);
        names(config);
    }
    sipdlg_config_free(config);
    return check_report("connections");
}
