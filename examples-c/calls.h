/* What the two call programs have in common: the answer to a description, the session timer, and what a call does so long after its
 * confirmation: UPDATE, re-INVITE, MESSAGE, REFER, BYE. */
#ifndef CALLS_H
#define CALLS_H

#include "common.h"
#include "sdp.h"

enum action { ACTION_UPDATE, ACTION_REINVITE, ACTION_MESSAGE, ACTION_REFER, ACTION_BYE, ACTIONS };

struct call_settings {
    long ms[ACTIONS];            /* -1: not done */
    const char *refer_to;
    int accept_refer, answer_by_offer, explain;
    int32_t timer_policy, timer_refresher;
    long interval_s, min_se_s;
    const char *user, *password;
    const char *pcap, *hep;
    const char *listen[TEXTS_MAX + 1];
    const char *resolver;
    const char *tls_certificate, *tls_key, *tls_authorities;
    int tls_insecure;
    int trace;
};
extern struct call_settings call_settings;

/* Part of a table of options. */
#define CALL_OPTIONS \
    { "resolver", OPTION_TEXT, &call_settings.resolver, \
      "name servers: 127.0.0.1:5353,[::1]:53 (those of /etc/resolv.conf)", NULL }, \
    { "tls-certificate", OPTION_TEXT, &call_settings.tls_certificate, "PEM file: our certificate chain, to be called over TLS and WSS", NULL }, \
    { "tls-key", OPTION_TEXT, &call_settings.tls_key, "PEM file: its key", NULL }, \
    { "tls-authorities", OPTION_TEXT, &call_settings.tls_authorities, "PEM file: whom we trust (whom the system trusts)", NULL }, \
    { "tls-insecure", OPTION_FLAG, &call_settings.tls_insecure, "call over TLS whoever is there, for tests", NULL }, \
    { "update-ms", OPTION_NUMBER, &call_settings.ms[ACTION_UPDATE], \
      "UPDATE with a new offer so long after the call is confirmed, or when the exchange under way is over", NULL }, \
    { "reinvite-ms", OPTION_NUMBER, &call_settings.ms[ACTION_REINVITE], "re-INVITE with a new offer, likewise", NULL }, \
    { "message-ms", OPTION_NUMBER, &call_settings.ms[ACTION_MESSAGE], "MESSAGE in the call, likewise", NULL }, \
    { "refer-ms", OPTION_NUMBER, &call_settings.ms[ACTION_REFER], "REFER to --refer-to, likewise; done when the target has answered", NULL }, \
    { "refer-to", OPTION_TEXT, &call_settings.refer_to, "with --refer-ms: to whom", NULL }, \
    { "bye-ms", OPTION_NUMBER, &call_settings.ms[ACTION_BYE], "BYE, likewise", NULL }, \
    { "accept-refer", OPTION_FLAG, &call_settings.accept_refer, "call whom a REFER asks for, and tell its sender (else 603)", NULL }, \
    { "answer-by-offer", OPTION_FLAG, &call_settings.answer_by_offer, \
      "answer each media line of an offer: PCMU, PCMA, port 0 for others; 488 if none is left", NULL }, \
    { "explain", OPTION_FLAG, &call_settings.explain, \
      "at the end of each call print what the library did by itself in it, and why: time, reason (enum sipdlg_reason_e), status, rule", NULL }, \
    { "trace", OPTION_FLAG, &call_settings.trace, "print each message to stderr, without credentials and media keys", NULL }, \
    { "pcap", OPTION_TEXT, &call_settings.pcap, "write each message into this file", NULL }, \
    { "hep", OPTION_TEXT, &call_settings.hep, "send each message to the HEP3 collector at this host:port", NULL }, \
    { "session-timer", OPTION_CHOICE, &call_settings.timer_policy, "RFC 4028: off, supported or required (supported)", \
      "off|supported|required" }, \
    { "session-interval", OPTION_NUMBER, &call_settings.interval_s, "session interval in seconds (supported: what the peer wants)", NULL }, \
    { "min-se", OPTION_NUMBER, &call_settings.min_se_s, "shortest session interval that is taken, in seconds (90)", NULL }, \
    { "refresher", OPTION_CHOICE, &call_settings.timer_refresher, "who refreshes: any, local or remote (any)", "any|local|remote" }

/* What the program does with the outcome. */
struct call_hooks {
    unsigned (*next_version)(sipdlg_session_t session);                       /* of the description that is sent now */
    void (*done)(sipdlg_session_t session, enum action what, const char *problem); /* NULL: it went well */
    void (*failed)(const char *problem);                                      /* of a call that a REFER asked for */
};

/* Checks what cannot stand together; prints it. 0: wrong. */
int calls_check(const char *program);
/* Sets the session timer, credentials, certificates and trace. 0: wrong, printed. */
int calls_configure(sipdlg_config_t *config);
/* Begins what --pcap and --hep ask for. 0: wrong, printed. */
int calls_capture(sipdlg_agent_t agent);
/* Opens what --listen names, `otherwise` where it is not given. 0: wrong, printed. */
int calls_open(sipdlg_agent_t agent, const char *otherwise);
/* The functions on_update, on_refer and on_notify of the agent's delegate, or of a call's. */
void calls_listen(sipdlg_delegate_t *delegate, const struct call_hooks *hooks);

/* Whether anything is to be done at its time. */
int calls_wanted(void);
/* The call is confirmed. Gives how many actions will follow; -1 without memory. */
int calls_begin(sipdlg_session_t session);
/* Does what is due. */
void calls_run(uint64_t now);
int calls_timeout(uint64_t now, int limit_ms);
/* Whether calls that a REFER asked for have no answer yet; `ringing`: and their target has said something. */
int calls_pending(void);
int calls_ringing(void);
/* Cancels them. */
void calls_cancel(void);
void calls_free(void);
/* With --explain: what the library did by itself in or about a session, the first act first, one a line. During its TERMINATED. */
void calls_explain(sipdlg_session_t session);

/* The answer to the description in `message`, or one of ours where it has none. 0: nothing that was offered is left (488). */
int calls_answer(struct sdp *sdp, unsigned version, const sipdlg_message_t *message, sipdlg_body_t *body);

#endif
