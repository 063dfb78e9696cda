//! The bytes of a connection, plain or under TLS, and the messages of one that is a WebSocket.

#[cfg(feature = "tls")]
use super::tls::stream::Secure;
#[cfg(feature = "websocket")]
use super::websocket::WebSocket;
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

/// What a read has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// So many bytes, from the beginning of the buffer on.
    Data(usize),
    /// The peer is there, and that is all.
    #[cfg(feature = "websocket")]
    Sign,
    /// The peer sends nothing any more.
    End,
    /// A last word was said: what answers it goes out, and then it is over.
    #[cfg(feature = "websocket")]
    Over,
}

/// A socket that does not block, and what is around it.
pub(super) enum Wire {
    Plain(Socket),
    #[cfg(feature = "tls")]
    Tls(Box<Secure>),
    #[cfg(feature = "websocket")]
    WebSocket(Box<WebSocket>),
}

impl Wire {
    pub fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.socket(),
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.inner().socket(),
        }
    }

    /// Both sides have not agreed yet: nothing of ours goes out.
    pub fn is_handshaking(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.is_handshaking(),
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.is_handshaking(),
        }
    }

    /// Something of its own waits for the socket.
    pub fn wants_write(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.wants_write(),
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.wants_write(),
        }
    }

    /// A last word was said: no message goes out any more.
    pub fn is_over(&self) -> bool {
        #[cfg(feature = "websocket")]
        if let Self::WebSocket(websocket) = self {
            return websocket.is_over();
        }
        false
    }

    /// Asks a peer whether it is there, where that can be asked. False: it has been silent since it was asked.
    pub fn ask(&mut self) -> bool {
        #[cfg(feature = "websocket")]
        if let Self::WebSocket(websocket) = self {
            return websocket.ask();
        }
        true
    }

    /// What is not whole takes more than there is room for.
    pub fn holds_too_much(&self) -> bool {
        #[cfg(feature = "websocket")]
        if let Self::WebSocket(websocket) = self {
            return websocket.holds_too_much();
        }
        false
    }

    /// A header of the upgrade as the peer has sent it, the index-th of its name; without one: the path.
    pub fn upgrade_header(&self, name: Option<&str>, index: usize) -> Option<Vec<u8>> {
        #[cfg(feature = "websocket")]
        if let Self::WebSocket(websocket) = self {
            return websocket.header(name, index);
        }
        let _ = (name, index);
        None
    }

    /// Whom the peer's certificate names.
    pub fn peer(&self) -> Vec<String> {
        match self {
            Self::Plain(_) => Vec::new(),
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.peer(),
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.inner().peer(),
        }
    }

    /// What is its own goes out.
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.flush(),
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.flush(),
        }
    }

    /// The last word.
    pub fn say_goodbye(&mut self) {
        match self {
            Self::Plain(_) => {}
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.say_goodbye(),
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.say_goodbye(),
        }
    }

    /// What comes next: a message of a WebSocket, which may be longer than `buffer` was, else bytes. `from_socket` false:
    /// only what is inside already.
    #[cfg_attr(not(feature = "websocket"), allow(clippy::ptr_arg))]
    pub fn read(&mut self, buffer: &mut Vec<u8>, from_socket: bool) -> io::Result<Came> {
        #[cfg(feature = "websocket")]
        if let Self::WebSocket(websocket) = self {
            return websocket.read(buffer, from_socket);
        }
        let count = self.read_bytes(buffer, from_socket)?;
        Ok(if count == 0 { Came::End } else { Came::Data(count) })
    }

    /// The bytes below.
    pub fn read_bytes(&mut self, buffer: &mut [u8], from_socket: bool) -> io::Result<usize> {
        match self {
            Self::Plain(_) if !from_socket => Err(io::ErrorKind::WouldBlock.into()),
            Self::Plain(socket) => socket.read(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.read(buffer, from_socket),
            // There is none around another.
            #[cfg(feature = "websocket")]
            Self::WebSocket(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Of a WebSocket each slice is a whole message.
    pub fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => Quiet(socket).write_vectored(slices),
            #[cfg(feature = "tls")]
            Self::Tls(secure) => secure.write(slices),
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.write(slices),
        }
    }
}
