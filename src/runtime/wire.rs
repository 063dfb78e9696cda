//! The bytes of a connection, plain or under TLS.

#[cfg(feature = "tls")]
use super::tls::stream::Secure;
use socket2::Socket;
use std::io::{self, IoSlice, Read, Write};

/// A socket as something to write to: who writes to a peer that is gone gets an error, and the host's process no SIGPIPE.
pub(super) struct Quiet<'a>(pub &'a Socket);

impl Write for Quiet<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.send_with_flags(data, libc::MSG_NOSIGNAL)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_vectored_with_flags(slices, libc::MSG_NOSIGNAL)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A socket that does not block, and what is around it.
pub(super) enum Wire {
    Plain(Socket),
    #[cfg(feature = "tls")]
    Tls(Box<Secure>),
}

impl Wire {
    pub fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.socket(),
        }
    }

    /// Both sides have not agreed yet: nothing of ours goes out.
    pub fn is_handshaking(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.is_handshaking(),
        }
    }

    /// Something of its own waits for the socket.
    pub fn wants_write(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.wants_write(),
        }
    }

    /// Whom the peer's certificate names.
    pub fn peer(&self) -> Vec<String> {
        match self {
            Self::Plain(_) => Vec::new(),
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.peer(),
        }
    }

    /// What is its own goes out.
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.flush(),
        }
    }

    /// The last word.
    pub fn say_goodbye(&mut self) {
        match self {
            Self::Plain(_) => {}
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.say_goodbye(),
        }
    }

    /// `from_socket` false: only what is inside already.
    pub fn read(&mut self, buffer: &mut [u8], from_socket: bool) -> io::Result<usize> {
        match self {
            Self::Plain(_) if !from_socket => Err(io::ErrorKind::WouldBlock.into()),
            Self::Plain(socket) => socket.read(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.read(buffer, from_socket),
        }
    }

    pub fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => Quiet(socket).write_vectored(slices),
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.write(slices),
        }
    }
}
