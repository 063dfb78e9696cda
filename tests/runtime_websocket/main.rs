//! WebSockets of the library's sockets (RFC 7118), with `tungstenite` or raw bytes at the other end.
#![cfg(all(feature = "runtime", feature = "websocket"))]

mod as_client;
mod as_server;
mod ends;
mod lost;
