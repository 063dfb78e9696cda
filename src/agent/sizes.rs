//! What the objects of a call weigh: a million of them are held at once, so that nobody makes one fatter unawares.

use crate::agent::incoming::InviteServer;
use crate::agent::{Event, Incoming, Session, Transmit};
use crate::flow::Flow;
use crate::message::Message;
use crate::session::ack::Accepted;

#[test]
fn objects_stay_lean() {
    let rows = [
        ("Session", size_of::<Session>(), 0),
        ("Incoming", size_of::<Incoming>(), 0),
        ("InviteServer", size_of::<InviteServer>(), 0),
        ("Accepted", size_of::<Accepted>(), 0),
        ("Message", size_of::<Message>(), 0),
        ("Event", size_of::<Event>(), 0),
        ("Transmit", size_of::<Transmit>(), 0),
        ("Flow", size_of::<Flow>(), 0),
        ("Server transaction", crate::transaction::table::SERVER_BYTES, 0),
        ("Client transaction", crate::transaction::table::CLIENT_BYTES, 0),
    ];
    let fat: Vec<_> = rows.iter().filter(|(_, size, limit)| size > limit).collect();
    assert!(fat.is_empty(), "bytes, limit: {fat:?}");
}
