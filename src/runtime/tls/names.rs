//! Whom a certificate names (RFC 5922 §7).

use super::settings::Verify;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;
use webpki::EndEntityCert;

/// Asks the certificate of whom we connect to.
#[derive(Debug)]
pub(super) struct ByName {
    roots: Arc<RootCertStore>,
    verify: Verify,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ByName {
    pub fn new(roots: Arc<RootCertStore>, verify: Verify, provider: &CryptoProvider) -> Self {
        Self { roots, verify, algorithms: provider.signature_verification_algorithms }
    }
}

impl ServerCertVerifier for ByName {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.verify == Verify::Nothing {
            return Ok(ServerCertVerified::assertion());
        }
        let parsed = ParsedCertificate::try_from(own)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, others, now, self.algorithms.all)?;
        let named = match name {
            ServerName::DnsName(name) => names_domain(own, name.as_ref()),
            _ => verify_server_name(&parsed, name).is_ok(),
        };
        // Wildcards, and nothing else, are what this takes beyond.
        if named || self.verify == Verify::Wildcard && verify_server_name(&parsed, name).is_ok() {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::InvalidCertificate(CertificateError::NotValidForName))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether one of the identities is this domain, word for word (RFC 5922 §7.2: no form of wildcard).
fn names_domain(certificate: &CertificateDer<'_>, domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    identities(certificate).iter().any(|identity| {
        let named = identity.strip_prefix("sip:").unwrap_or(identity);
        named.eq_ignore_ascii_case(domain)
    })
}

/// The SIP domains of a certificate: URIs `sip:` without a user, then DNS names (RFC 5922 §7.1). The subject's common name is
/// none.
pub(in crate::runtime) fn identities(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(certificate) = EndEntityCert::try_from(certificate) else { return Vec::new() };
    let uris = certificate.valid_uri_names().filter(|uri| {
        let scheme = uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sip:"));
        scheme && !uri.contains('@')
    });
    let uris = uris.map(|uri| format!("sip:{}", uri.get(4..).unwrap_or_default()));
    uris.chain(certificate.valid_dns_names().map(str::to_owned)).collect()
}
