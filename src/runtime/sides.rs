//! What a new connection is wrapped into, by who opened it: nothing, TLS, a WebSocket, both.

#[cfg(feature = "tls")]
use super::tls::{Tls, stream::Secure};
#[cfg(feature = "websocket")]
use super::websocket::{self, WebSocket};
use super::wire::Wire;
use crate::agent::Bytes;
use crate::config::Config;
use crate::flow::{Flow, Transport};
#[cfg(feature = "tls")]
use parking_lot::Mutex;
use socket2::Socket;
#[cfg(feature = "tls")]
use std::sync::Arc;

/// What both sides of new connections are made of.
pub(super) struct Sides {
    #[cfg(feature = "tls")]
    tls: Mutex<Arc<Tls>>,
    #[cfg(feature = "websocket")]
    websocket: websocket::Settings,
}

impl Sides {
    /// Without certificates.
    pub fn new(config: &Config) -> Self {
        let _ = config;
        Self {
            #[cfg(feature = "tls")]
            tls: Mutex::default(),
            #[cfg(feature = "websocket")]
            websocket: websocket::Settings::new(config),
        }
    }

    /// From now on; what is connected stays.
    #[cfg(feature = "tls")]
    pub fn set_tls(&self, tls: Arc<Tls>) {
        *self.tls.lock() = tls;
    }

    /// Whether connections of this kind can be taken: TLS needs a certificate.
    pub fn can_accept(&self, transport: Transport) -> bool {
        #[cfg(feature = "tls")]
        if transport.is_secure() {
            return self.tls.lock().server().is_some();
        }
        !transport.is_secure()
    }

    /// We connect. `name`: whom we asked for; the address where it was one. `None`: that cannot be verified.
    pub fn ours(&self, socket: Socket, flow: &Flow, name: Option<&Bytes>) -> Option<Wire> {
        let wire = self.secured(socket, flow, name)?;
        #[cfg(feature = "websocket")]
        if flow.transport.is_websocket() {
            return Some(Wire::WebSocket(Box::new(WebSocket::connect(wire, &self.websocket, flow, name))));
        }
        Some(wire)
    }

    fn secured(&self, socket: Socket, flow: &Flow, name: Option<&Bytes>) -> Option<Wire> {
        #[cfg(feature = "tls")]
        if flow.transport.is_secure() {
            let tls = Arc::clone(&self.tls.lock());
            // RFC 5922 §7: the name that was asked for, whatever it led to.
            let name = match name {
                Some(name) => std::str::from_utf8(name).ok()?.to_owned().try_into().ok()?,
                None => flow.remote?.ip().into(),
            };
            return Some(Wire::Tls(Box::new(Secure::connect(socket, tls.client()?, name).ok()?)));
        }
        let _ = name;
        (!flow.transport.is_secure()).then_some(Wire::Plain(socket))
    }

    /// The peer has connected.
    pub fn theirs(&self, socket: Socket, transport: Transport) -> Option<Wire> {
        let wire = self.shown(socket, transport)?;
        #[cfg(feature = "websocket")]
        if transport.is_websocket() {
            return Some(Wire::WebSocket(Box::new(WebSocket::accept(wire, &self.websocket))));
        }
        Some(wire)
    }

    fn shown(&self, socket: Socket, transport: Transport) -> Option<Wire> {
        #[cfg(feature = "tls")]
        if transport.is_secure() {
            let config = self.tls.lock().server()?;
            return Some(Wire::Tls(Box::new(Secure::accept(socket, config).ok()?)));
        }
        (!transport.is_secure()).then_some(Wire::Plain(socket))
    }
}
