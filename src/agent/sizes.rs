//! What the objects of a call weigh: a million of them are held at once, so that nobody makes one fatter unawares.

use crate::agent::theirs::incoming::InviteServer;
use crate::agent::{Event, Incoming, Session, Transmit};
use crate::flow::Flow;
use crate::message::Message;
use crate::session::ack::Accepted;

#[test]
fn objects_stay_lean() {
    let rows = [
        ("Session", size_of::<Session>(), 424),
        ("Incoming", size_of::<Incoming>(), 128),
        ("InviteServer", size_of::<InviteServer>(), 40),
        ("Accepted", size_of::<Accepted>(), 144),
        ("Message", size_of::<Message>(), 480),
        ("Event", size_of::<Event>(), 96),
        ("Transmit", size_of::<Transmit>(), 120),
        ("Flow", size_of::<Flow>(), 80),
        ("Server transaction", crate::transaction::table::SERVER_BYTES, 192),
        ("Client transaction", crate::transaction::table::CLIENT_BYTES, 184),
    ];
    let fat: Vec<_> = rows.iter().filter(|(_, size, limit)| size > limit).collect();
    assert!(fat.is_empty(), "bytes, limit: {fat:?}");
}
