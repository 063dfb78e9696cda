//! TLS of the library's sockets: whom is trusted, and whom not.
#![cfg(feature = "tls")]

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType, date_time_ymd};
use sipdlg::ffi::agent::*;
use sipdlg::ffi::config::links::*;
use sipdlg::ffi::config::*;
use sipdlg::ffi::event::sipdlg_event_default;
use sipdlg::ffi::message::sipdlg_message_flow;
use sipdlg::ffi::runtime::*;
use sipdlg::ffi::structs::*;
use std::ffi::{CString, c_void};
use std::io::{Read, Write};
use std::mem;
use std::net::{TcpListener, TcpStream};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const ACCEPT: i32 = 22;
const REJECT: i32 = 24;

/// Who signs.
type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("params");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// A certificate and its key.
struct Papers {
    certificate: String,
    key: String,
}

fn papers(authority: &Authority, names: &[&str], expired: bool) -> Papers {
    let mut params = CertificateParams::new(Vec::new()).expect("params");
    params.subject_alt_names = names
        .iter()
        .map(|name| match name.parse() {
            Ok(ip) => SanType::IpAddress(ip),
            Err(_) if name.contains(':') => SanType::URI((*name).try_into().expect("a URI")),
            Err(_) => SanType::DnsName((*name).try_into().expect("a name")),
        })
        .collect();
    if expired {
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    }
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("signed");
    Papers { certificate: certificate.pem(), key: key.serialize_pem() }
}

/// What an agent was told: kind of event, status; and by which link.
#[derive(Default)]
struct Told {
    events: Mutex<Vec<(i32, i32)>>,
    link: Mutex<u64>,
}

unsafe extern "C" fn note(user: *mut c_void, event: *const sipdlg_event_t) {
    // SAFETY: `user` is leaked, `event` is the library's.
    unsafe {
        let (told, event) = (&*user.cast::<Told>(), &*event);
        told.events.lock().expect("no panic before").push((event.kind, event.status_code));
        let mut flow: sipdlg_flow_t = mem::zeroed();
        if !event.message.is_null() && sipdlg_message_flow(event.message, &raw mut flow) == 0 {
            *told.link.lock().expect("no panic before") = flow.link;
        }
        assert_eq!(sipdlg_event_default(event), 0);
    }
}

/// Texts of a `sipdlg_tls_t` with what points to them.
struct Security {
    texts: [Option<CString>; 3],
    numbers: (i32, i32, i32),
}

impl Security {
    /// Papers, whom it trusts, `verify`.
    fn new(papers: Option<&Papers>, trusted: Option<&Authority>, verify: i32) -> Self {
        let text = |text: &str| CString::new(text).expect("text");
        let texts = [
            papers.map(|papers| text(&papers.certificate)),
            papers.map(|papers| text(&papers.key)),
            trusted.map(|authority| text(&authority.pem())),
        ];
        Self { texts, numbers: (verify, 0, 0) }
    }

    fn clients(mut self, policy: i32) -> Self {
        self.numbers.1 = policy;
        self
    }

    fn only_13(mut self) -> Self {
        self.numbers.2 = 1;
        self
    }

    fn with<T>(&self, run: impl FnOnce(*const sipdlg_tls_t) -> T) -> T {
        let [certificates, key, authorities] =
            [0, 1, 2].map(|at| self.texts[at].as_ref().map_or(null(), |text| text.as_ptr()));
        let (verify, clients, only_tls13) = self.numbers;
        let size = size_of::<sipdlg_tls_t>();
        let given = sipdlg_tls_t { size, certificates, key, authorities, verify, clients, only_tls13, reserved: 0 };
        run(&raw const given)
    }
}

struct Party {
    agent: u64,
    told: &'static Told,
    delegate: sipdlg_delegate_t,
}

impl Party {
    fn new(security: &Security, listen: &std::ffi::CStr) -> Self {
        let told: &'static Told = Box::leak(Box::default());
        let config = sipdlg_config_new();
        let mut agent = 0;
        // SAFETY: all zero is a delegate without functions; pointers are ours; the configuration is freed once.
        unsafe {
            assert_eq!(security.with(|tls| sipdlg_config_set_tls(config, tls)), 0);
            assert_eq!(sipdlg_agent_new(config, &raw mut agent), 0);
            sipdlg_config_free(config);
            let mut delegate: sipdlg_delegate_t = mem::zeroed();
            delegate.size = size_of::<sipdlg_delegate_t>();
            delegate.user = std::ptr::from_ref(told).cast_mut().cast();
            delegate.on_options = Some(note);
            delegate.on_accept = Some(note);
            delegate.on_reject = Some(note);
            assert_eq!(sipdlg_agent_set_delegate(agent, &raw const delegate), 0);
            assert_eq!(sipdlg_agent_listen(agent, listen.as_ptr()), 0);
            Self { agent, told, delegate }
        }
    }

    fn server(security: &Security) -> Self {
        Self::new(security, c"tls:127.0.0.1:0")
    }

    fn client(security: &Security) -> Self {
        Self::new(security, c"tls:127.0.0.1")
    }

    fn port(&self) -> u16 {
        let mut buffer = [0_u8; 64];
        let mut needed = 0;
        // SAFETY: the buffer is as long as said.
        let status =
            unsafe { sipdlg_agent_local_address(self.agent, 0, buffer.as_mut_ptr().cast(), 64, &raw mut needed) };
        assert_eq!(status, 0);
        let text = std::str::from_utf8(&buffer[..needed]).expect("text");
        text.rsplit_once(':').expect("a port").1.parse().expect("a number")
    }

    fn ask(&self, target: &str) {
        let target = CString::new(target).expect("text");
        // SAFETY: all zero is a set of options; all pointers are ours.
        unsafe {
            let mut options: sipdlg_request_options_t = mem::zeroed();
            options.size = size_of::<sipdlg_request_options_t>();
            options.delegate = &raw const self.delegate;
            let status =
                sipdlg_agent_request(self.agent, c"OPTIONS".as_ptr(), target.as_ptr(), &raw const options, null_mut());
            assert_eq!(status, 0);
        }
    }

    /// The fate of OPTIONS to `host` at another's port.
    fn fate(&self, other: &Self, host: &str) -> (i32, i32) {
        self.fate_at(Some(other), host, other.port())
    }

    fn fate_at(&self, other: Option<&Self>, host: &str, port: u16) -> (i32, i32) {
        self.told.events.lock().expect("no panic before").clear();
        self.ask(&format!("sips:bob@{host}:{port}"));
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            assert!(Instant::now() < end, "{host}");
            for party in [Some(self), other].into_iter().flatten() {
                assert_eq!(sipdlg_agent_run_once(party.agent, 1), 0);
            }
            let told = self.told.events.lock().expect("no panic before");
            if let Some(fate) = told.iter().find(|(kind, _)| [ACCEPT, REJECT].contains(kind)) {
                return *fate;
            }
        }
    }

    /// Whom the peer at the connection of the last message is named.
    fn peer_names(&self) -> Vec<String> {
        let link = *self.told.link.lock().expect("no panic before");
        let mut names = Vec::new();
        loop {
            let (mut buffer, mut needed) = ([0_u8; 256], 0);
            let index = u32::try_from(names.len()).expect("few");
            // SAFETY: the buffer is as long as said.
            let status = unsafe {
                sipdlg_agent_peer_name(self.agent, link, index, buffer.as_mut_ptr().cast(), 256, &raw mut needed)
            };
            if status != 0 {
                assert_eq!(status, 1);
                return names;
            }
            names.push(String::from_utf8_lossy(&buffer[..needed]).into_owned());
        }
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        assert_eq!(sipdlg_agent_free(self.agent), 0);
    }
}

/// By default 486, as an INVITE would get (RFC 3261 §11.2).
const ANSWERED: (i32, i32) = (REJECT, 486);
const NOT_SENT: (i32, i32) = (REJECT, 503);

/// Names of a certificate, whom the URI asks for, `verify`, what becomes of it.
type Row = (&'static [&'static str], &'static str, i32, (i32, i32));

/// RFC 5922 §7.1, §7.2: the name that was asked for, in a URI or DNS name, word for word.
#[test]
fn the_name_that_was_asked_for() {
    let authority = authority();
    let rows: [Row; 14] = [
        (&["localhost"], "localhost", 0, ANSWERED),
        (&["LOCALHOST"], "localhost", 0, ANSWERED),
        (&["localhost"], "LocalHost", 0, ANSWERED),
        (&["sip:localhost"], "localhost", 0, ANSWERED),
        (&["other.example", "sip:localhost"], "localhost", 0, ANSWERED),
        (&["sip:bob@localhost"], "localhost", 0, NOT_SENT),
        (&["sips:localhost"], "localhost", 0, NOT_SENT),
        (&["http://localhost"], "localhost", 0, NOT_SENT),
        (&["other.example"], "localhost", 0, NOT_SENT),
        (&["other.example"], "localhost", 1, NOT_SENT),
        (&["other.example"], "localhost", 2, ANSWERED),
        // Never the address that a name led to; an address only where the URI has one.
        (&["127.0.0.1"], "localhost", 0, NOT_SENT),
        (&["127.0.0.1"], "127.0.0.1", 0, ANSWERED),
        (&["localhost"], "127.0.0.1", 0, NOT_SENT),
    ];
    for (names, host, verify, fate) in rows {
        let papers = papers(&authority, names, false);
        let server = Party::server(&Security::new(Some(&papers), None, 0));
        let client = Party::client(&Security::new(None, Some(&authority), verify));
        assert_eq!(client.fate(&server, host), fate, "{names:?} {host} {verify}");
    }
}

/// Old, of somebody else, of nobody: not sent, and told at once.
#[test]
fn whom_nobody_vouches_for() {
    let (ours, theirs) = (authority(), authority());
    for (papers, only_13) in [
        (papers(&theirs, &["localhost"], false), false),
        (papers(&ours, &["localhost"], true), false),
        (papers(&theirs, &["localhost"], true), true),
    ] {
        let server = Security::new(Some(&papers), None, 0);
        let server = Party::server(&if only_13 { server.only_13() } else { server });
        let client = Party::client(&Security::new(None, Some(&ours), 0));
        let before = Instant::now();
        assert_eq!(client.fate(&server, "localhost"), NOT_SENT);
        assert!(before.elapsed() < Duration::from_secs(3));
    }
}

/// Trunks show certificates; whose they are is readable at both ends.
#[test]
fn who_connects_shows_papers() {
    let authority = authority();
    let stranger = self::authority();
    let server_papers = papers(&authority, &["localhost", "sip:localhost"], false);
    let trunk = papers(&authority, &["sip:trunk.example", "gw.trunk.example"], false);
    let forged = papers(&stranger, &["sip:trunk.example"], false);
    for (policy, shown, fate, names) in [
        (0, Some(&trunk), ANSWERED, 0),
        (1, Some(&trunk), ANSWERED, 2),
        (1, None, ANSWERED, 0),
        (2, Some(&trunk), ANSWERED, 2),
        (2, None, NOT_SENT, 0),
        (2, Some(&forged), NOT_SENT, 0),
        (1, Some(&forged), NOT_SENT, 0),
    ] {
        let server = Party::server(&Security::new(Some(&server_papers), Some(&authority), 0).clients(policy));
        let client = Party::client(&Security::new(shown, Some(&authority), 0));
        assert_eq!(client.fate(&server, "localhost"), fate, "{policy}");
        if fate == ANSWERED {
            assert_eq!(client.peer_names(), ["sip:localhost", "localhost"]);
            assert_eq!(server.peer_names(), ["sip:trunk.example", "gw.trunk.example"][..names]);
        }
    }
}

/// Certificates are renewed without an end to what is connected.
#[test]
fn papers_are_renewed() {
    let authority = authority();
    let (old, new) = (papers(&authority, &["localhost"], false), papers(&authority, &["sip:localhost"], false));
    let server = Party::server(&Security::new(Some(&old), None, 0));
    let client = Party::client(&Security::new(None, Some(&authority), 0));
    assert_eq!(client.fate(&server, "localhost"), ANSWERED);
    assert_eq!(client.peer_names(), ["localhost"]);
    // SAFETY: the struct and its texts live.
    unsafe {
        let bad = Security::new(Some(&Papers { certificate: new.certificate.clone(), key: old.key.clone() }), None, 0);
        assert_eq!(bad.with(|tls| sipdlg_agent_set_tls(server.agent, tls)), -1);
        assert_eq!(Security::new(Some(&new), None, 0).with(|tls| sipdlg_agent_set_tls(server.agent, tls)), 0);
    }
    assert_eq!(client.fate(&server, "localhost"), ANSWERED);
    assert_eq!(client.peer_names(), ["localhost"], "the connection is the same");
    let later = Party::client(&Security::new(None, Some(&authority), 0));
    assert_eq!(later.fate(&server, "localhost"), ANSWERED);
    assert_eq!(later.peer_names(), ["sip:localhost"]);
}

/// Plain where TLS is spoken, TLS where plain is, a peer that stops in the middle: a clear status, and nobody else harmed.
#[test]
fn plain_meets_tls() {
    let authority = authority();
    let papers = papers(&authority, &["localhost"], false);
    let server = Party::server(&Security::new(Some(&papers), None, 0));
    let client = Party::client(&Security::new(None, Some(&authority), 0));
    let plain = TcpListener::bind("127.0.0.1:0").expect("bound");
    let port = plain.local_addr().expect("bound").port();
    let answering = std::thread::spawn(move || {
        let (mut peer, _) = plain.accept().expect("a connection");
        let _ = peer.write_all(b"SIP/2.0 400 What\r\nContent-Length: 0\r\n\r\n");
        let _ = peer.read(&mut [0; 4_096]);
    });
    assert_eq!(client.fate_at(None, "localhost", port), NOT_SENT);
    answering.join().expect("ended");
    let mut peers: Vec<TcpStream> =
        [&b"OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\n"[..], b"\x16\x03\x01", b"\x16\x03\x01\xff\xff", b""]
            .into_iter()
            .map(|bytes| {
                let mut peer = TcpStream::connect(("127.0.0.1", server.port())).expect("connected");
                peer.write_all(bytes).expect("written");
                peer
            })
            .collect();
    assert_eq!(client.fate(&server, "localhost"), ANSWERED);
    peers[0].set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out");
    let mut rest = Vec::new();
    let _ = peers[0].read_to_end(&mut rest);
    assert!(rest.len() < 64 && !rest.starts_with(b"SIP"), "{rest:?}");
}

/// What cannot be used is said when it is given.
#[test]
fn what_is_no_certificate() {
    let authority = authority();
    let papers = papers(&authority, &["localhost"], false);
    let config = sipdlg_config_new();
    let folder = std::env::temp_dir().join(format!("sipdlg-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (chain, empty) = (folder.join("chain.pem"), folder.join("empty.pem"));
    std::fs::write(&chain, &papers.certificate).expect("written");
    std::fs::write(&empty, "nothing").expect("written");
    let path = |path: &std::path::Path| path.to_str().expect("text").to_owned();
    for (certificate, key, status) in [
        (papers.certificate.clone(), papers.key.clone(), 0),
        (path(&chain), papers.key.clone(), 0),
        (path(&empty), papers.key.clone(), -5),
        (path(&folder.join("none.pem")), papers.key.clone(), -12),
        (path(&folder), papers.key.clone(), -12),
        (papers.key.clone(), papers.key.clone(), -5),
        (papers.certificate.clone(), papers.certificate.clone(), -5),
        (papers.certificate.clone(), KeyPair::generate().expect("a key").serialize_pem(), -1),
    ] {
        let security = Security::new(Some(&Papers { certificate, key }), None, 0);
        // SAFETY: the struct and its texts live.
        assert_eq!(security.with(|tls| unsafe { sipdlg_config_set_tls(config, tls) }), status);
    }
    std::fs::remove_dir_all(&folder).expect("removed");
    for (security, status) in [
        (Security::new(None, None, 3), -1),
        (Security::new(None, None, 0).clients(2), -1),
        (Security::new(None, None, 0).clients(3), -1),
        (Security::new(None, None, 2), 0),
    ] {
        // SAFETY: as above.
        assert_eq!(security.with(|tls| unsafe { sipdlg_config_set_tls(config, tls) }), status);
    }
    let mut agent = 0;
    // SAFETY: pointers are ours; the configuration is freed once.
    unsafe {
        assert_eq!(sipdlg_agent_new(config, &raw mut agent), 0);
        sipdlg_config_free(config);
        assert_eq!(sipdlg_agent_listen(agent, c"tls:127.0.0.1:0".as_ptr()), -4);
        assert_eq!(sipdlg_agent_listen(agent, c"tls:127.0.0.1".as_ptr()), 0);
        assert_eq!(sipdlg_agent_peer_name(agent, 99, 0, null_mut(), 0, null_mut()), -2);
    }
    assert_eq!(sipdlg_agent_free(agent), 0);
}
