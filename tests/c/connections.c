/* Calls over connections of the library: one connection for many calls, the same way back, after its loss a new one. */
#include "loopback.h"

static void counts(sipdlg_agent_t agent, uint64_t connections, uint64_t refused)
{
    sipdlg_stats_t stats;
    memset(&stats, 0, sizeof stats);
    stats.size = sizeof stats;
    CHECK_OK(sipdlg_agent_stats(agent, &stats));
    CHECK_NUMBER((int)stats.connections, (int)connections);
    CHECK_NUMBER((int)stats.refused_connections, (int)refused);
    CHECK_NUMBER((int)stats.refused_full, 0);
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
    loopback_send_info(&both);
    loopback_until(&both, &both.infos, 1);
    loopback_close(&both);
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
    sipdlg_config_free(config);
    return check_report("connections");
}
