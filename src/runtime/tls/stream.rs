//! The bytes of one connection under TLS, over a socket that does not block.

use super::names::identities;
use crate::runtime::wire::Quiet;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};
use socket2::Socket;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;

/// How often the socket is read for something of use: a peer may send nothing but records without content.
const RECORDS: usize = 8;
/// So much is kept here that the socket does not take; the rest stays in the queue.
const BUFFERED: usize = 16 << 10;

/// A session and its socket.
pub(in crate::runtime) struct Secure {
    socket: Socket,
    session: Connection,
}

impl Secure {
    /// We connect to whom the certificate has to name. Errors: that is no name.
    pub fn connect(socket: Socket, config: Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<Self> {
        Ok(Self::new(socket, ClientConnection::new(config, name).map_err(broken)?.into()))
    }

    pub fn accept(socket: Socket, config: Arc<ServerConfig>) -> io::Result<Self> {
        Ok(Self::new(socket, ServerConnection::new(config).map_err(broken)?.into()))
    }

    fn new(socket: Socket, mut session: Connection) -> Self {
        session.set_buffer_limit(Some(BUFFERED));
        Self { socket, session }
    }

    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Nothing of ours goes out yet.
    pub fn is_handshaking(&self) -> bool {
        self.session.is_handshaking()
    }

    /// Something waits for the socket.
    pub fn wants_write(&self) -> bool {
        self.session.wants_write()
    }

    /// Whom the peer's certificate names; nobody without one.
    pub fn peer(&self) -> Vec<String> {
        let own = self.session.peer_certificates().and_then(<[_]>::first);
        own.map(identities).unwrap_or_default()
    }

    /// What waits goes out, as far as the socket takes it.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            if self.session.write_tls(&mut Quiet(&self.socket))? == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    /// The other side is told that nothing more comes.
    pub fn say_goodbye(&mut self) {
        self.session.send_close_notify();
        let _ = self.flush();
    }

    /// As of a socket. What is left inside is read without asking the socket where `from_socket` is false.
    pub fn read(&mut self, buffer: &mut [u8], from_socket: bool) -> io::Result<usize> {
        for _ in 0..RECORDS {
            match self.session.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && from_socket => {}
                // The end without a goodbye is an end: messages say themselves how long they are.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                other => return other,
            }
            self.session.read_tls(&mut self.socket)?;
            let understood = self.session.process_new_packets();
            // An answer, or what was wrong.
            match self.flush() {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
            understood.map_err(broken)?;
        }
        // The socket tells of the rest again.
        Err(ErrorKind::WouldBlock.into())
    }

    /// As of a socket: so much is taken, and goes out by [`Secure::flush`].
    pub fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.flush()?;
        let taken = self.session.writer().write_vectored(slices)?;
        match self.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ if taken == 0 => Err(ErrorKind::WouldBlock.into()),
            _ => Ok(taken),
        }
    }
}

fn broken(error: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::tls::{Settings, Tls, Verify};
    use std::os::fd::AsRawFd;

    /// Who sends what gives nothing to read holds its reader for so long and no longer; the rest is read later.
    #[test]
    fn what_brings_nothing_holds_nobody_up() {
        let key = rcgen::KeyPair::generate().expect("a key");
        let own = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).expect("params").self_signed(&key);
        let (own, key) = (own.expect("signed").pem(), key.serialize_pem());
        let tls = Tls::new(&Settings {
            certificates: Some(own.as_bytes()),
            key: Some(key.as_bytes()),
            authorities: None,
            verify: Verify::Nothing,
            clients: crate::config::Policy::Off,
            only_13: false,
        });
        let tls = tls.expect("papers");
        let (ours, theirs) = Socket::pair(socket2::Domain::UNIX, socket2::Type::STREAM, None).expect("a pair");
        for socket in [&ours, &theirs] {
            socket.set_nonblocking(true).expect("set");
        }
        let mut config = (*tls.client().expect("a client")).clone();
        config.alpn_protocols = vec![vec![b'x'; 255]; 240];
        let name = "a.example".try_into().expect("a name");
        let mut client = Secure::connect(theirs, Arc::new(config), name).expect("a client");
        client.flush().expect("the socket takes a long hello");
        let fd = ours.as_raw_fd();
        let left = || {
            let mut count: libc::c_int = 0;
            // SAFETY: the pointer is to an int, as FIONREAD wants.
            assert_eq!(unsafe { libc::ioctl(fd, libc::FIONREAD, &raw mut count) }, 0);
            count
        };
        let whole = left();
        let mut server = Secure::accept(ours, tls.server().expect("a certificate")).expect("a server");
        let mut reads = 0;
        while left() > 0 {
            let read = server.read(&mut [0; 64], true);
            assert!(read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock));
            assert!(whole - left() > 0);
            reads += 1;
        }
        assert!(reads > 1, "all {whole} at once");
        assert!(server.is_handshaking());
    }
}
