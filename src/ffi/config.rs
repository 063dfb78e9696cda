//! Section "config" of the header: the settings of an agent.
//!
//! In the header:
//! A configuration is used by one thread at a time, may make many agents, and may be freed at once afterwards:
//! sipdlg_agent_new() copies it. Setters return SIPDLG_OK, ERR_ARGUMENT or ERR_SYNTAX.

#![allow(non_camel_case_types)]

use crate::config::{Config, Effect, ForkPolicy, LogLevel};
use crate::error::{Error, Result};
use crate::ffi::cell::Watching;
use crate::ffi::convert::{self, boolean, optional_text};
use crate::ffi::guard::{OK, guard, guard_or};
use crate::ffi::structs::{sipdlg_log_t, sipdlg_session_timer_t, sipdlg_status_t};
use crate::ffi::tls::Security;
use std::ffi::{c_char, c_void};
use std::ptr;

/// Settings of an agent. Made by sipdlg_config_new().
pub struct sipdlg_config_t {
    /// What the core is told.
    pub(crate) core: Config,
    /// Where log lines go: function and user pointer.
    pub(crate) log: (sipdlg_log_t, *mut c_void),
    /// Where what was seen goes.
    pub(crate) watching: Watching,
    /// What connections are secured with; `None`: the default.
    pub(crate) security: Option<Security>,
}

/// Sets something in a configuration.
///
/// # Safety
/// `config` is NULL, or came from sipdlg_config_new(), lives, and is used by no other thread.
pub(crate) unsafe fn set(
    config: *mut sipdlg_config_t,
    set: impl FnOnce(&mut sipdlg_config_t) -> Result<()>,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: promised by the caller.
        set(unsafe { config.as_mut() }.ok_or_else(|| Error::argument("config is NULL"))?)?;
        Ok(OK)
    })
}

/// New, with every default. NULL only without memory. Free it with sipdlg_config_free().
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_config_new() -> *mut sipdlg_config_t {
    guard_or(ptr::null_mut(), || {
        let (core, log) = (Config::default(), (None, ptr::null_mut()));
        Ok(Box::into_raw(Box::new(sipdlg_config_t { core, log, watching: Watching::NONE, security: None })))
    })
}

/// NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_free(config: *mut sipdlg_config_t) {
    guard_or((), || {
        if !config.is_null() {
            // SAFETY: the caller promises that it came from sipdlg_config_new() and is not used any more.
            drop(unsafe { Box::from_raw(config) });
        }
        Ok(())
    });
}

/// Identity: From of what we send, `"Alice" <sip:alice@example.com>` or a URI. Default sip:anonymous@anonymous.invalid
/// (RFC 3261 §8.1.1.3). Errors: ERR_SYNTAX, also parameters behind the address (the tag is made for each dialog).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_aor(
    config: *mut sipdlg_config_t,
    name_addr: *const c_char,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`; text as the header says.
    unsafe {
        set(config, |config| match optional_text(name_addr) {
            Some(name_addr) => config.core.set_aor(name_addr),
            None => {
                config.core.aor = Config::default().aor;
                Ok(())
            }
        })
    }
}

/// Contact (name-addr or URI), sent as it is. Default: user of the AOR at the address of the transport in use; a SIPS
/// URI only where Request-URI or route are (RFC 3261 §8.1.1.8, §12.1.1), over TLS and WSS too (RFC 5630 §5.1.1.2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_contact(
    config: *mut sipdlg_config_t,
    name_addr: *const c_char,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`; text as the header says.
    unsafe {
        set(config, |config| match optional_text(name_addr) {
            Some(name_addr) => config.core.set_contact(name_addr),
            None => {
                config.core.contact = None;
                Ok(())
            }
        })
    }
}

/// User-Agent and Server. Default "sipdlg/VERSION"; "" sends none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_user_agent(
    config: *mut sipdlg_config_t,
    value: *const c_char,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`; text as the header says.
    unsafe {
        set(config, |config| match optional_text(value) {
            Some(value) => config.core.set_user_agent(value),
            None => {
                config.core.user_agent = Config::default().user_agent;
                Ok(())
            }
        })
    }
}

/// Option tags for Supported, comma separated, beyond those that the settings imply: 100rel
/// (sipdlg_config_set_reliable()), timer (sipdlg_config_set_session_timer()), from-change
/// (sipdlg_config_set_connected_identity()), replaces and 199 where Allow has INVITE, norefersub where it has REFER.
/// Default none. A request that requires one of all these is taken, any other gets 420.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_supported(
    config: *mut sipdlg_config_t,
    tags: *const c_char,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`; text as the header says.
    unsafe { set(config, |config| config.core.set_supported(optional_text(tags).unwrap_or_default())) }
}

/// Methods in Allow, comma separated. Others are answered 405. Default: INVITE ACK CANCEL BYE PRACK UPDATE INFO
/// MESSAGE NOTIFY REFER OPTIONS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_allow(
    config: *mut sipdlg_config_t,
    methods: *const c_char,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`; text as the header says.
    unsafe {
        set(config, |config| match optional_text(methods) {
            Some(methods) => config.core.set_allow(methods),
            None => {
                config.core.allow = Config::default().allow;
                Ok(())
            }
        })
    }
}

/// Preloaded routes (an outbound proxy), a Route header value: "<sip:proxy;lr>, <...>". Default none (RFC 3261 §8.1.2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_route_set(
    config: *mut sipdlg_config_t,
    routes: *const c_char,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`; text as the header says.
    unsafe { set(config, |config| config.core.set_route_set(optional_text(routes).unwrap_or_default())) }
}

/// T1, T2, T4 of RFC 3261 §17 in milliseconds; 0 keeps one. Default 500, 4000, 5000. Errors: ERR_ARGUMENT T1 > T2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_timers(
    config: *mut sipdlg_config_t,
    t1_ms: u32,
    t2_ms: u32,
    t4_ms: u32,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe { set(config, |config| config.core.set_timers(t1_ms, t2_ms, t4_ms)) }
}

/// Time the host may take to answer an INVITE (then 480; Expires may shorten it) and any other request (then its
/// default) in milliseconds; 0 keeps one. Default 180000, 16000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_answer_timeouts(
    config: *mut sipdlg_config_t,
    invite_ms: u32,
    other_ms: u32,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe { set(config, |config| config.core.set_answer_timeouts(invite_ms, other_ms)) }
}

/// Upper bounds; 0 keeps one. Default 65535 bytes, 100000, 4194303. Beyond: 513, 503, or dropped and counted; what
/// the host wants sent: ERR_LIMIT. An INVITE has its place among the sessions from its event on. Over UDP a call of the
/// peer's and its BYE are two transactions of 32 s (RFC 6026, RFC 3261 timer J): n of them carry n/64 calls a second.
/// Of one message 256 header lines, 64 Routes and Record-Routes, 128 Vias, 64 parameters of a value and 32 parts of a
/// body are read; a request with more gets 513, a response with more Record-Routes counts as one without good Contact.
/// Errors: ERR_ARGUMENT message_bytes not 1300 to 16777216, sessions or transactions above 4194303.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_limits(
    config: *mut sipdlg_config_t,
    message_bytes: u32,
    sessions: u32,
    transactions: u32,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe { set(config, |config| config.core.set_limits(message_bytes, sessions, transactions)) }
}

/// Bytes held, in all and for the calls and requests of one IP address (of IPv6: of one /64); 0 keeps one. Default 1 GiB,
/// and no bound for one address: a trunk is one. total_bytes is what sipdlg_stats_t.bytes says; what the host retains
/// (messages, user data) is its own. Beyond either: 503 with Retry-After to new requests, without any state; dialogs
/// that stand go on, with a quarter more for their requests; their BYE, CANCEL and ACK of at most 4096 bytes are always
/// taken. The host's own calls are not refused; of these only the first dialog is sure to be taken. Half messages in streams
/// on which no call goes get a quarter together, then ERR_LIMIT (sipdlg_agent_receive()).
/// Errors: ERR_ARGUMENT below 65536.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_memory(
    config: *mut sipdlg_config_t,
    total_bytes: u64,
    per_address_bytes: u64,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe { set(config, |config| config.core.set_memory(total_bytes, per_address_bytes)) }
}

/// What peers may begin while there would still be room; 0: no limit, which is the default of all four. Beyond: 503 with a
/// Retry-After of 5 to 15 s, drawn for each request and the same for its repeats, and no state; each has its counter in
/// sipdlg_stats_t. calls: sessions (INVITEs that wait for an answer count) beyond which no INVITE of a peer's is taken; the
/// host's own calls and their forks go on up to the limit of sipdlg_config_set_limits(). unanswered: requests out of dialogs
/// without final response beyond which none is handed up; calls that ring are such, so let it be more than may ring at
/// once. address_requests: those that one IP address (of IPv6: one /64) may send in a second; address_burst: at once, 0:
/// as many as in a second. A trunk or proxy is one address, and may send nothing at all until its Retry-After is over (RFC
/// 3261 §21.5.4). Never refused here: what comes in a dialog that is here, ACK, the CANCEL of a request that is here, an
/// INVITE with Replaces of a call that lives, of which no other waits for its answer.
/// Errors: ERR_ARGUMENT calls or unanswered above 4194303, address_requests or address_burst above 1000000; a burst without
/// address_requests.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_admission(
    config: *mut sipdlg_config_t,
    calls: u32,
    unanswered: u32,
    address_requests: u32,
    address_burst: u32,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe { set(config, |config| config.core.set_admission(calls, unanswered, address_requests, address_burst)) }
}

/// RFC 3262. policy: enum sipdlg_policy_e; manual_prack 1: the host sends every PRACK. Default SUPPORTED, 0.
/// SUPPORTED: our INVITEs say that they support 100rel; 101-199 of ours are reliable where the peer requires it, or
/// supports it and SIPDLG_RESPONSE_RELIABLE asks. REQUIRED: our INVITEs require it; 101-199 of ours are reliable; an
/// INVITE that does not support it is answered 421. OFF, and where Allow lacks PRACK: one that requires it is answered
/// 420. A reliable response of the peer gets its PRACK under any policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_reliable(
    config: *mut sipdlg_config_t,
    policy: i32,
    manual_prack: i32,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            let manual_prack = boolean(manual_prack, "manual_prack")?;
            config.core.reliable = convert::policy(policy)?;
            config.core.manual_prack = manual_prack;
            Ok(())
        })
    }
}

/// Session timers (RFC 4028). policy: enum sipdlg_policy_e; interval_s: what is asked for, 0 nothing (REQUIRED: 1800);
/// min_se_s: the least that a peer may ask for, 0: 90; refresher: enum sipdlg_refresher_e, the wish. Default SUPPORTED, 0,
/// 0, ANY: a peer that asks for a timer gets it.
/// SUPPORTED: our requests say that they support it; where a timer runs, the library refreshes at half the interval, by
/// UPDATE where the peer allows it, else by re-INVITE with our description as it was. The host hears nothing of that but a
/// STATE with reason REFRESHED where the peer's description is another then; a re-INVITE or UPDATE of its own that comes
/// meanwhile waits for it (WAITING_RETRY). Where it is the peer that is to refresh and it does not, BYE follows at the interval
/// less the smaller of 32 s and a third, with Reason `SIP;cause=408;text="Session expired"`; TERMINATED with SESSION_EXPIRED. 422 to ours is
/// answered by asking for more, three times at most, unless NO_RETRY or the host wrote Session-Expires itself; an INVITE
/// or UPDATE of the peer's that asks for less than min_se_s gets 422. Its re-INVITE that repeats its description byte for
/// byte gets by default 200 with ours. REQUIRED: ours require it, and a new INVITE without it gets 421. OFF: nothing of
/// all this; Session-Expires means nothing.
/// Errors: ERR_ARGUMENT min_se_s neither 0 nor at least 90, interval_s neither 0 nor at least min_se_s (90 where that is 0).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_session_timer(
    config: *mut sipdlg_config_t,
    policy: i32,
    interval_s: u32,
    min_se_s: u32,
    refresher: i32,
) -> sipdlg_status_t {
    let terms = sipdlg_session_timer_t { policy, interval_s, min_se_s, refresher };
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            config.core.session_timer = convert::session_timer(terms)?;
            Ok(())
        })
    }
}

/// What to do with a second 2xx: enum sipdlg_fork_policy_e. Default FORK_FIRST: it is ACKed, then ended with BYE.
/// FORK_ALL: another ACCEPT event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_fork_policy(config: *mut sipdlg_config_t, policy: i32) -> sipdlg_status_t {
    let policies = [ForkPolicy::First, ForkPolicy::All];
    let known = policies.into_iter().find(|known| *known as i32 == policy);
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            config.core.fork_policy = known.ok_or_else(|| Error::argument(format!("policy is {policy}")))?;
            Ok(())
        })
    }
}

/// After RESYNC the library itself sends our description of before, by UPDATE where the peer's Allow lists it, else by
/// re-INVITE (RFC 6141 §3.4), as soon as it may; the host hears nothing of that request, but RESYNC once more where it is
/// refused, or cannot go for long: then it is the host's. Default 0: it is the host's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_resync(config: *mut sipdlg_config_t, on: i32) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            config.core.resync = boolean(on, "on")?;
            Ok(())
        })
    }
}

/// Retry of a re-INVITE or UPDATE after 491, or 500 or 503 with a Retry-After of at most 32 s (RFC 3261 §14.1), or where it
/// may not go out with credentials, for 422, to the next target, or when its name was found, at most 16 times; see
/// GLARE_RETRY. 0: REJECT with the response it had, else a local 491. Default 1. Per request: SIPDLG_REQUEST_NO_RETRY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_glare_retry(config: *mut sipdlg_config_t, on: i32) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            config.core.glare_retry = boolean(on, "on")?;
            Ok(())
        })
    }
}

/// RFC 4916. 1: Supported has from-change, and a caller whose Supported has it is told by UPDATE who answered, once the
/// ACK is here, where the AOR is another URI than the one that it called and its Allow lists UPDATE; no event tells of
/// that UPDATE, until whose answer sipdlg_session_update() gives ERR_STATE. Then From of our requests is the AOR.
/// Default 0. Either way another From in a re-INVITE or UPDATE of the peer's is its identity from our 2xx on
/// (sipdlg_session_remote_uri(), To of our requests).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_connected_identity(
    config: *mut sipdlg_config_t,
    on: i32,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            config.core.connected_identity = boolean(on, "on")?;
            Ok(())
        })
    }
}

/// RFC 5630 §5.1.2: whether requests out of a dialog to SIPS URIs are taken, enum sipdlg_policy_e. Default SUPPORTED:
/// as those to SIP URIs. OFF: to a SIPS URI 480 with Warning 380. REQUIRED: to a SIP URI 480 with Warning 381. Requests
/// in dialogs are never refused for that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_sips(config: *mut sipdlg_config_t, policy: i32) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            config.core.sips = convert::policy(policy)?;
            Ok(())
        })
    }
}

/// Digest credentials for a realm (NULL: any); the secret is a password, or with is_ha1 the hex HA1 of `algorithm`
/// ("MD5", "SHA-256", "SHA-512-256"; NULL: MD5), which is for one realm. May be called for several realms. RFC 7616, RFC
/// 8760. A realm's former ones are replaced. Of several challenges of a realm the topmost is answered for which there
/// are some, by qop auth, by auth-int where nothing else is offered; one with a parameter twice is passed over. A proxy
/// is told unasked what it asked for before (RFC 3261 §22.3), as long as requests go to the address and port that asked.
/// Secrets are in no log and wiped when freed. See options.credentials. Errors: ERR_ARGUMENT, also is_ha1 without realm;
/// ERR_SYNTAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_add_credentials(
    config: *mut sipdlg_config_t,
    realm: *const c_char,
    user: *const c_char,
    secret: *const c_char,
    is_ha1: i32,
    algorithm: *const c_char,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`; text as the header says.
    unsafe {
        set(config, |config| {
            let user = optional_text(user).ok_or_else(|| Error::argument("user is NULL"))?;
            let secret = optional_text(secret).ok_or_else(|| Error::argument("secret is NULL"))?;
            let is_ha1 = boolean(is_ha1, "is_ha1")?;
            config.core.add_credentials(optional_text(realm), user, secret, is_ha1, optional_text(algorithm))
        })
    }
}

/// The weakest algorithm whose challenges are answered ("MD5", "SHA-256", "SHA-512-256", the strongest last); weaker
/// ones count as not there, so that a list of challenges from which somebody took the strong ones ends with REJECT, 401
/// or 407. Default NULL: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_digest_minimum(
    config: *mut sipdlg_config_t,
    algorithm: *const c_char,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`; text as the header says.
    unsafe { set(config, |config| config.core.set_digest_minimum(optional_text(algorithm))) }
}

/// RFC 6086: packages for Recv-Info, comma separated; "": an empty Recv-Info. Default NULL: packages are not supported,
/// no Recv-Info is sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_info_packages(
    config: *mut sipdlg_config_t,
    packages: *const c_char,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`; text as the header says.
    unsafe { set(config, |config| config.core.set_info_packages(optional_text(packages))) }
}

/// Bits of enum sipdlg_quirk_e that are tolerated. Default: all but PRACK_UNASKED, REQUESTS_IN_EARLY
/// and MADDR_ELSEWHERE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_tolerance(config: *mut sipdlg_config_t, quirks: u32) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe { set(config, |config| config.core.set_tolerance(quirks)) }
}

/// Overrides sipdlg_effect_of() for one (method, status). effect: enum sipdlg_effect_e. status_code 0: no response, be
/// it a time-out or a failed transport; without it the former goes as 408, the latter as 503. A 3xx ends nothing unless
/// this says so. Errors: ERR_ARGUMENT status_code neither 0 nor 300-699; ERR_SYNTAX method is no token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_effect(
    config: *mut sipdlg_config_t,
    method: *const c_char,
    status_code: i32,
    effect: i32,
) -> sipdlg_status_t {
    let effects = [Effect::Transaction, Effect::Usage, Effect::Dialog];
    let known = effects.into_iter().find(|known| *known as i32 == effect);
    // SAFETY: the caller's promises are those of `set`; text as the header says.
    unsafe {
        set(config, |config| {
            let method = optional_text(method).ok_or_else(|| Error::argument("method is NULL"))?;
            let status = u16::try_from(status_code)
                .map_err(|_| Error::argument(format!("status_code {status_code} is neither 0 nor a failure")))?;
            let known = known.ok_or_else(|| Error::argument(format!("effect is {effect}")))?;
            config.core.set_effect(method, status, known)
        })
    }
}

/// Seed of tags, branches and random waits. Default: from the operating system. The same seed and inputs give the same
/// bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_seed(config: *mut sipdlg_config_t, seed: u64) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            config.core.seed = Some(seed);
            Ok(())
        })
    }
}

/// 1: time is what sipdlg_agent_set_time() says (tests, replay). Default 0. Not with run_once or start.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_manual_clock(config: *mut sipdlg_config_t, on: i32) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            config.core.manual_clock = boolean(on, "on")?;
            Ok(())
        })
    }
}

/// Log lines up to a level (enum sipdlg_log_level_e). Default none. `user` must outlive the agents.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_log(
    config: *mut sipdlg_config_t,
    level: i32,
    log: sipdlg_log_t,
    user: *mut c_void,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            let known = LogLevel::from_number(level).ok_or_else(|| Error::argument(format!("level is {level}")))?;
            // Lines that no one hears are not made.
            config.core.log_level = if log.is_some() { known } else { LogLevel::Off };
            config.log = (log, user);
            Ok(())
        })
    }
}

// Last in the header, too.
pub mod links;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Policy;
    use crate::message::digest::Algorithm;

    unsafe extern "C" fn log(_user: *mut c_void, _level: i32, _line: *const c_char) {}

    #[test]
    fn setters_through_the_abi() {
        let config = sipdlg_config_new();
        // SAFETY: a living configuration of this thread, text with its NUL; freed last.
        unsafe {
            assert_eq!(sipdlg_config_set_aor(config, c"<sip:a@b>".as_ptr()), OK);
            assert_eq!((*config).core.aor, b"<sip:a@b>");
            assert_eq!(sipdlg_config_set_aor(config, c"a\nb".as_ptr()), -5);
            assert_eq!(sipdlg_config_set_aor(config, ptr::null()), OK);
            assert_eq!((*config).core.aor, Config::default().aor);
            assert_eq!(sipdlg_config_set_contact(config, c"sip:a@b".as_ptr()), OK);
            assert_eq!(sipdlg_config_set_contact(config, ptr::null()), OK);
            assert_eq!((*config).core.contact, None);
            assert_eq!(sipdlg_config_set_reliable(config, 2, 1), OK);
            assert_eq!(((*config).core.reliable, (*config).core.manual_prack), (Policy::Required, true));
            assert_eq!((sipdlg_config_set_reliable(config, 3, 0), sipdlg_config_set_reliable(config, 0, 2)), (-1, -1));
            assert_eq!((*config).core.reliable, Policy::Required);
            for (policy, interval_s, min_se_s, refresher, status) in [
                (2, 300, 100, 2, OK),
                (3, 0, 0, 0, -1),
                (1, 0, 0, 3, -1),
                (1, 0, 0, -1, -1),
                (1, 0, 89, 0, -1),
                (1, 99, 100, 0, -1),
            ] {
                assert_eq!(sipdlg_config_set_session_timer(config, policy, interval_s, min_se_s, refresher), status);
                assert_eq!((*config).core.session_timer.wanted_s(), Some(300));
            }
            assert_eq!(sipdlg_config_set_fork_policy(config, 1), OK);
            assert_eq!((*config).core.fork_policy, ForkPolicy::All);
            assert_eq!((sipdlg_config_set_fork_policy(config, 2), sipdlg_config_set_fork_policy(config, -1)), (-1, -1));
            assert_eq!(
                (sipdlg_config_set_manual_clock(config, 1), sipdlg_config_set_manual_clock(config, 2)),
                (OK, -1)
            );
            assert_eq!(sipdlg_config_set_tolerance(config, 1024), -1);
            assert_eq!((sipdlg_config_set_glare_retry(config, 0), sipdlg_config_set_glare_retry(config, 2)), (OK, -1));
            assert!(!(*config).core.glare_retry);
            assert_eq!((sipdlg_config_set_resync(config, 1), sipdlg_config_set_resync(config, 2)), (OK, -1));
            assert!((*config).core.resync);
            let on = |on| sipdlg_config_set_connected_identity(config, on);
            assert_eq!((on(1), on(2), (*config).core.connected_identity), (OK, -1, true));
            assert_eq!((sipdlg_config_set_sips(config, 2), sipdlg_config_set_sips(config, 3)), (OK, -1));
            assert_eq!((*config).core.sips, Policy::Required);
            let info = c"INFO".as_ptr();
            assert_eq!(sipdlg_config_set_effect(config, info, 481, 0), OK);
            assert_eq!((*config).core.effect_of(b"INFO", 481), Some(Effect::Transaction));
            assert_eq!(sipdlg_config_set_effect(config, info, 481, 2), OK);
            assert_eq!(((*config).core.effects.len(), (*config).core.effect_of(b"info", 481)), (1, None));
            for (method, status, effect, error) in [
                (info, 200, 0, -1),
                (info, 66_017, 0, -1),
                (info, -1, 0, -1),
                (info, 404, 3, -1),
                (ptr::null(), 404, 0, -1),
                (c"IN FO".as_ptr(), 404, 0, -5),
            ] {
                assert_eq!(sipdlg_config_set_effect(config, method, status, effect), error);
            }
            assert_eq!((*config).core.effects.len(), 1);
            let (user, secret, none) = (c"alice".as_ptr(), c"wonderland".as_ptr(), ptr::null());
            assert_eq!(sipdlg_config_add_credentials(config, none, user, secret, 0, none), OK);
            assert_eq!(sipdlg_config_add_credentials(config, none, user, secret, 1, none), -1);
            assert_eq!(sipdlg_config_add_credentials(config, none, user, secret, 0, c"SHA-1".as_ptr()), -1);
            assert_eq!(sipdlg_config_add_credentials(config, none, none, secret, 0, none), -1);
            let ha1 = c"93dfce8dfebfae8af4a726982429d23a".as_ptr();
            assert_eq!(sipdlg_config_add_credentials(config, none, user, ha1, 1, none), -1, "for which realm?");
            assert_eq!(sipdlg_config_add_credentials(config, c"a\n".as_ptr(), user, secret, 0, none), -5);
            assert_eq!((*config).core.credentials.len(), 1);
            assert_eq!(sipdlg_config_set_digest_minimum(config, c"sha-256".as_ptr()), OK);
            assert_eq!(sipdlg_config_set_digest_minimum(config, c"SHA-1".as_ptr()), -1);
            assert_eq!((*config).core.digest_minimum, Algorithm::Sha256);
            assert_eq!(sipdlg_config_set_digest_minimum(config, none), OK);
            assert_eq!((*config).core.digest_minimum, Algorithm::Md5);
            assert_eq!(sipdlg_config_set_seed(config, 7), OK);
            assert_eq!((*config).core.seed, Some(7));
            assert_eq!(sipdlg_config_set_log(config, 4, Some(log), ptr::null_mut()), OK);
            assert_eq!((*config).core.log_level, LogLevel::Debug);
            assert_eq!(sipdlg_config_set_log(config, 5, Some(log), ptr::null_mut()), -1);
            assert_eq!(sipdlg_config_set_log(config, 4, None, ptr::null_mut()), OK);
            assert_eq!((*config).core.log_level, LogLevel::Off);
            assert_eq!(sipdlg_config_set_seed(ptr::null_mut(), 7), -1);
            sipdlg_config_free(config);
            sipdlg_config_free(ptr::null_mut());
        }
    }
}
