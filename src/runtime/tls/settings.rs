//! Certificates, keys and authorities as a host gives them, and what the two sides of TLS are made of.

use super::names::ByName;
use crate::config::Policy;
use crate::error::{Error, ErrorKind, Result};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::borrow::Cow;
use std::fs;
use std::sync::{Arc, OnceLock};

/// What is asked of the certificate of whom we connect to (`enum sipdlg_tls_verify_e`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// That it names whom we asked for, word for word (RFC 5922 §7.2).
    #[default]
    Name,
    /// The same, and `*.` in a certificate may be one label, as elsewhere (RFC 6125 §6.4.3).
    Wildcard,
    /// Nothing.
    Nothing,
}

/// As a host says it. Texts are PEM, or the path of a file with PEM.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    /// Our chain, our own certificate first.
    pub certificates: Option<&'a [u8]>,
    /// Its private key.
    pub key: Option<&'a [u8]>,
    /// Whom we trust; `None`: whom the system trusts.
    pub authorities: Option<&'a [u8]>,
    /// What is asked of those that we connect to.
    pub verify: Verify,
    /// Whether those who connect to us show certificates.
    pub clients: Policy,
    /// Not TLS 1.2.
    pub only_13: bool,
}

/// Both sides of TLS, made once for many connections.
pub struct Tls {
    server: Option<Arc<ServerConfig>>,
    client: OnceLock<Option<Arc<ClientConfig>>>,
    /// For the client's side, while it is not made: what the system trusts is not read before somebody asks.
    parts: Parts,
}

struct Parts {
    chain: Vec<CertificateDer<'static>>,
    key: Option<PrivateKeyDer<'static>>,
    roots: Option<Arc<RootCertStore>>,
    verify: Verify,
    only_13: bool,
}

impl Default for Tls {
    /// Without certificate: whom the system trusts is connected to.
    fn default() -> Self {
        let parts = Parts { chain: Vec::new(), key: None, roots: None, verify: Verify::Name, only_13: false };
        Self { server: None, client: OnceLock::new(), parts }
    }
}

impl Tls {
    /// Errors: syntax, system, argument.
    pub fn new(settings: &Settings<'_>) -> Result<Self> {
        let chain = settings.certificates.map_or(Ok(Vec::new()), |text| certificates(text, "certificates"))?;
        let key = settings.key.map(key).transpose()?;
        if chain.is_empty() != key.is_none() {
            return Err(Error::argument("certificates and key: both or none"));
        }
        let roots = settings.authorities.map(|text| roots(certificates(text, "authorities")?)).transpose()?;
        if settings.clients != Policy::Off && chain.is_empty() {
            return Err(Error::argument("clients: who connects is asked only by whom has certificates"));
        }
        let parts = Parts { chain, key, roots, verify: settings.verify, only_13: settings.only_13 };
        let server = parts.key.is_some().then(|| parts.server(settings.clients)).transpose()?;
        let client = OnceLock::new();
        if parts.roots.is_some() || parts.verify == Verify::Nothing {
            let _ = client.set(Some(parts.client()?));
        }
        Ok(Self { server, client, parts })
    }

    /// For who connects to us; `None`: we have no certificate.
    pub fn server(&self) -> Option<Arc<ServerConfig>> {
        self.server.clone()
    }

    /// For whom we connect to; `None`: the system trusts nobody.
    pub fn client(&self) -> Option<Arc<ClientConfig>> {
        self.client.get_or_init(|| self.parts.client().ok()).clone()
    }
}

impl Parts {
    fn versions(&self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
        if self.only_13 { BOTH.get(..1).unwrap_or(&BOTH) } else { &BOTH }
    }

    fn key(&self) -> Option<PrivateKeyDer<'static>> {
        self.key.as_ref().map(PrivateKeyDer::clone_key)
    }

    fn server(&self, clients: Policy) -> Result<Arc<ServerConfig>> {
        let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(self.versions());
        let builder = builder.map_err(unusable)?;
        let builder = if clients == Policy::Off {
            builder.with_no_client_auth()
        } else {
            let roots = self.roots.clone().map_or_else(system_roots, Ok)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            let verifier = if clients == Policy::Required { verifier } else { verifier.allow_unauthenticated() };
            let verifier = verifier.build().map_err(|error| Error::argument(format!("authorities: {error}")))?;
            builder.with_client_cert_verifier(verifier)
        };
        let key = self.key().ok_or_else(|| Error::argument("key is NULL"))?;
        Ok(Arc::new(builder.with_single_cert(self.chain.clone(), key).map_err(unusable)?))
    }

    fn client(&self) -> Result<Arc<ClientConfig>> {
        let roots = match &self.roots {
            Some(roots) => Arc::clone(roots),
            None if self.verify == Verify::Nothing => Arc::new(RootCertStore::empty()),
            None => system_roots()?,
        };
        let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(self.versions());
        let builder = builder.map_err(unusable)?.dangerous().with_custom_certificate_verifier(Arc::new(ByName::new(
            roots,
            self.verify,
            &provider(),
        )));
        let config = match self.key() {
            Some(key) => builder.with_client_auth_cert(self.chain.clone(), key).map_err(unusable)?,
            None => builder.with_no_client_auth(),
        };
        Ok(Arc::new(config))
    }
}

/// Never the process's: that belongs to the host.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

fn unusable(error: rustls::Error) -> Error {
    Error::argument(format!("certificates and key: {error}"))
}

/// PEM, or the path of a file with PEM.
fn pem<'a>(text: &'a [u8], name: &str) -> Result<Cow<'a, [u8]>> {
    use std::os::unix::ffi::OsStrExt;
    if memchr::memmem::find(text, b"-----BEGIN ").is_some() {
        return Ok(Cow::Borrowed(text));
    }
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(text));
    // The text may have been meant as a key: it is not repeated.
    let read = fs::read(path).map_err(|error| Error::new(ErrorKind::System, format!("{name}: {error}")))?;
    if memchr::memmem::find(&read, b"-----BEGIN ").is_none() {
        return Err(Error::syntax(format!("{name}: the file has no PEM")));
    }
    Ok(Cow::Owned(read))
}

fn certificates(text: &[u8], name: &str) -> Result<Vec<CertificateDer<'static>>> {
    let text = pem(text, name)?;
    let all = CertificateDer::pem_slice_iter(&text).collect::<std::result::Result<Vec<_>, _>>();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(Error::syntax(format!("{name}: no certificate in PEM"))),
    }
}

fn key(text: &[u8]) -> Result<PrivateKeyDer<'static>> {
    let text = zeroize::Zeroizing::new(pem(text, "key")?.into_owned());
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| Error::syntax("key: no private key in PEM, or an encrypted one"))
}

fn roots(certificates: Vec<CertificateDer<'static>>) -> Result<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(Error::argument("authorities: none that can be used"));
    }
    Ok(Arc::new(roots))
}

fn system_roots() -> Result<Arc<RootCertStore>> {
    roots(rustls_native_certs::load_native_certs().certs)
        .map_err(|_| Error::argument("authorities: NULL, and the system has none"))
}
