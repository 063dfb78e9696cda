//! What comes and goes by connections.

use super::Host;
use super::connection::{Connection, Taken};
use super::epoll::Ready;
use super::links::{Due, Listened};
use super::network::Network;
use super::send::fail;
use super::wire::Came;
use crate::agent::Transmit;
use crate::time::Time;
use std::sync::Arc;

/// What is read at once, and how often in one turn: so that who sends much holds nobody up.
const PIECE: usize = 16 << 10;
const PIECES: usize = 4;

impl Network {
    /// A listener or connection can go on. True: it is a socket of UDP.
    pub(super) fn stream_ready<H: Host>(&self, host: &'static H, ready: &Ready, buffer: &mut Vec<u8>) -> bool {
        if let Some(connection) = self.links.connection(ready.number) {
            // First what a broken one has still to say.
            if ready.readable {
                self.read(host, &connection, buffer);
            }
            if ready.writable && connection.go_on(&self.links.epoll).is_err() {
                self.close(host, &connection);
            }
            return false;
        }
        match self.links.listened(ready.number) {
            Some(Listened::Datagrams(_)) => return true,
            Some(Listened::Streams(listener)) => {
                let mut silent = Vec::new();
                if let Some(now) = host.with_agent(|_, now| now.monotonic) {
                    self.links.accept(&listener, now, &mut silent);
                }
                for connection in silent {
                    self.close(host, &connection);
                }
            }
            None => {}
        }
        false
    }

    fn read<H: Host>(&self, host: &'static H, connection: &Arc<Connection>, buffer: &mut Vec<u8>) {
        for piece in 0.. {
            // Made by the first connection that brings anything; a long message of a WebSocket has made it longer.
            buffer.resize(PIECE, 0);
            buffer.shrink_to(4 * PIECE);
            // Without memory it waits where it is; nothing would tell again of what was read off the socket before.
            let from_socket = piece < PIECES && host.has_memory();
            if piece == 0 && !from_socket {
                return;
            }
            let read = connection.read(&self.links.epoll, buffer, from_socket);
            let data = match read {
                Ok(Some(Came::Data(count))) => buffer.get(..count).unwrap_or_default(),
                #[cfg(feature = "websocket")]
                Ok(Some(Came::Sign)) => &[],
                #[cfg(feature = "websocket")]
                Ok(Some(Came::Over)) => return self.wind_up(host, connection),
                Ok(None) if connection.holds_too_much() && !self.is_needed(host, connection) => {
                    return self.close(host, connection);
                }
                Ok(None) => return,
                Ok(Some(Came::End)) | Err(_) => return self.close(host, connection),
            };
            let good = host.with_agent(|agent, now| {
                // Another thread may have closed it; the agent knows nothing of a link that is over.
                if !connection.is_open() {
                    return true;
                }
                let before = agent.messages_received();
                let good = agent.receive(now, &connection.flow, data).is_ok();
                connection.hear(now.monotonic, agent.messages_received() > before);
                if !good {
                    // What it is told goes out before it is closed.
                    self.links.finish(connection, now.monotonic);
                }
                good
            });
            if good != Some(true) {
                return;
            }
        }
    }

    /// A message goes by a connection, which may still have to come about.
    pub(super) fn send_by<H: Host>(&self, host: &'static H, connection: &Arc<Connection>, transmit: Transmit) {
        if transmit.bytes.is_empty() {
            // No pong came (RFC 5626 §4.4.1).
            return self.close(host, connection);
        }
        if transmit.flow.link != connection.link() {
            // Before it can be lost with the connection.
            host.with_agent(|agent, now| {
                agent.transmit_goes_by(transmit.id, &connection.flow);
                if connection.is_ours {
                    agent.connection_is_ours(now, &connection.flow);
                }
            });
        }
        let id = transmit.id;
        match connection.send(&self.links.epoll, transmit) {
            Taken::Yes => {}
            Taken::Full => {
                self.links.count_full();
                fail(host, id);
            }
            Taken::Closed => fail(host, id),
        }
        if connection.is_connecting() {
            // Whoever waits does not know of its deadline.
            self.rouse();
        }
    }

    /// A last word was said: it goes out, nothing else does, and no answer comes any more.
    #[cfg(feature = "websocket")]
    fn wind_up<H: Host>(&self, host: &'static H, connection: &Arc<Connection>) {
        connection.finish();
        let unsent = connection.take_unsent();
        host.with_agent(|agent, now| {
            for transmit in unsent.iter() {
                agent.transmit_failed(now, transmit.id);
            }
            agent.link_closed(now, connection.link());
            self.links.finish(connection, now.monotonic);
        });
    }

    fn is_needed<H: Host>(&self, host: &'static H, connection: &Connection) -> bool {
        host.with_agent(|agent, _| agent.needs_link(connection.link())) == Some(true)
    }

    /// A connection is over, whoever ended it.
    pub(super) fn close<H: Host>(&self, host: &'static H, connection: &Arc<Connection>) {
        if !self.links.forget(connection) {
            return;
        }
        let unsent = connection.close(&self.links.epoll);
        host.with_agent(|agent, now| {
            for transmit in unsent.iter() {
                agent.transmit_failed(now, transmit.id);
            }
            agent.link_closed(now, connection.link());
        });
    }

    /// Connections whose time has come.
    pub(super) fn connections_due<H: Host>(&self, host: &'static H, now: Time) {
        for due in self.links.due(now) {
            match due {
                Due::Close(connection) => self.close(host, &connection),
                Due::Idle(connection) => {
                    if self.is_needed(host, &connection) {
                        self.links.keep(&connection, now);
                    } else {
                        self.close(host, &connection);
                    }
                }
                Due::Ask(connection) => {
                    if connection.ask(&self.links.epoll, now) {
                        self.links.look_again(&connection, now);
                    } else {
                        self.close(host, &connection);
                    }
                }
            }
        }
    }

    /// After what waits was sent: those that are to be closed say so to their peers.
    pub(super) fn shut_finished(&self, ready: &[Ready]) {
        for connection in ready.iter().filter_map(|ready| self.links.connection(ready.number)) {
            connection.shut();
        }
    }
}
