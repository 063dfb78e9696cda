/* Everything on a stack of 64 KiB: calls with digest, long messages and broken ones, and their end. */
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include "pair.h"

#define MESSAGES "tests/data/torture"

static struct pair pair;
static sipdlg_session_t alice;
static int asked, accepted, ended;

static void on_invite(void *user, const sipdlg_event_t *event)
{
    (void)user;
    if (!asked++)
        CHECK_OK(sipdlg_incoming_challenge(event->incoming, "example.com", NULL));
    else
        CHECK_OK(pair_accept(event->incoming, NULL));
}

static void on_accept(void *user, const sipdlg_event_t *event)
{
    (void)user;
    accepted++;
    alice = event->session;
}

static void on_terminated(void *user, const sipdlg_event_t *event)
{
    (void)user;
    (void)event;
    ended++;
}

/* What a peer sends is the same to it, of whatever length. */
static void hear_long_ones(void)
{
    static char text[65000];
    static const char *const lines[] = { "Via: SIP/2.0/UDP a;branch=z9hG4bKx\r\n", "Record-Route: <sip:a;lr>, <sip:b;lr>\r\n", "X: (((((((((\r\n",
                                         "Contact: <sip:a>;q=0.1,<sip:b>\r\n", "Supported: a,b,c,d\r\n" };
    sipdlg_flow_t flow = pair.flow[BOB];
    unsigned line;
    flow.remote = pair.flow[ALICE].local;
    for (line = 0; line < sizeof lines / sizeof lines[0]; line++) {
        size_t len = (size_t)snprintf(text, sizeof text, "INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%u\r\n"
            "Max-Forwards: 70\r\nFrom: <%s>;tag=x\r\nTo: <%s>\r\nCall-ID: %u\r\nCSeq: 1 INVITE\r\n", BOB_URI, line, ALICE_URI, BOB_URI, line);
        while (len + 100 < sizeof text)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s", lines[line]);
        len += (size_t)snprintf(text + len, sizeof text - len, "Content-Length: 0\r\n\r\n");
        CHECK_OK(sipdlg_agent_receive(pair.agent[BOB], &flow, text, len));
    }
}

static void hear_torture(void)
{
    DIR *folder = opendir(MESSAGES);
    struct dirent *entry;
    unsigned heard = 0;
    if (!CHECK(folder != NULL))
        return;
    while ((entry = readdir(folder)) != NULL) {
        static char text[65536];
        char path[512];
        size_t len;
        FILE *file;
        sipdlg_flow_t flow = pair.flow[BOB];
        flow.remote = pair.flow[ALICE].local;
        snprintf(path, sizeof path, MESSAGES "/%s", entry->d_name);
        file = fopen(path, "rb");
        if (file == NULL)
            continue;
        len = fread(text, 1, sizeof text, file);
        fclose(file);
        CHECK_OK(sipdlg_agent_receive(pair.agent[BOB], &flow, text, len));
        heard += len > 0;
    }
    closedir(folder);
    CHECK(heard > 40);
}

static void *lives(void *unused)
{
    sipdlg_config_t *config = sipdlg_config_new();
    sipdlg_delegate_t bobs = SIPDLG_DELEGATE_INIT, alices = SIPDLG_DELEGATE_INIT;
    sipdlg_transmit_t out;
    (void)unused;
    out.size = sizeof out;
    CHECK_OK(sipdlg_config_add_credentials(config, "example.com", "alice", "wonderland", 0, NULL));
    pair_open_with(&pair, config, NULL);
    bobs.on_invite = on_invite;
    alices.on_accept = on_accept;
    alices.on_terminated = bobs.on_terminated = on_terminated;
    CHECK_OK(sipdlg_agent_set_delegate(pair.agent[BOB], &bobs));
    pair_invite(&pair, &alices, NULL, NULL);
    pair_exchange(&pair);
    CHECK_NUMBER(accepted, 1);
    CHECK_OK(sipdlg_session_refer(alice, "sip:carol@example.com", 0, NULL, NULL));
    pair_exchange(&pair);
    CHECK_OK(sipdlg_session_hangup(alice, 0, NULL));
    pair_advance(&pair, 40000);
    CHECK_NUMBER(ended, 2);
    hear_long_ones();
    hear_torture();
    CHECK_OK(sipdlg_agent_dispatch(pair.agent[BOB]));
    while (sipdlg_agent_poll_transmit(pair.agent[BOB], &out) == SIPDLG_OK)
        continue;
    CHECK_OK(sipdlg_agent_free(pair.agent[ALICE]));
    CHECK_OK(sipdlg_agent_free(pair.agent[BOB]));
    return NULL;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    size_t stack = 64 << 10;
#ifdef __SANITIZE_ADDRESS__
    stack = 8 << 20; /* its frames are larger */
#endif
    CHECK_NUMBER(pthread_attr_init(&attributes), 0);
    CHECK_NUMBER(pthread_attr_setstacksize(&attributes, stack), 0);
    CHECK_NUMBER(pthread_create(&thread, &attributes, lives, NULL), 0);
    CHECK_NUMBER(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    return check_report("small_stack");
}
