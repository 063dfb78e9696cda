use super::*;
use crate::session::fixture;

#[test]
fn when_a_response_is_reliable() {
    use Policy::{Off, Required, Supported};
    let rows = [
        (Wish::Unknown, Supported, false, Some(false)),
        (Wish::Unknown, Supported, true, None),
        (Wish::Unknown, Required, false, Some(false)),
        (Wish::Supported, Supported, false, Some(false)),
        (Wish::Supported, Supported, true, Some(true)),
        (Wish::Supported, Required, false, Some(true)),
        (Wish::Supported, Off, false, Some(false)),
        (Wish::Supported, Off, true, None),
        (Wish::Required, Supported, false, Some(true)),
        (Wish::Required, Required, true, Some(true)),
    ];
    for (wish, policy, asked, expected) in rows {
        assert_eq!(goes_reliably(wish, policy, asked).ok(), expected, "{wish:?} {policy:?} {asked}");
    }
}

#[test]
fn what_its_description_is() {
    let incoming = IncomingId::from_raw(1);
    let mut described = fixture::callee("");
    let server = ReliableServer { described: Some(Part::Answer), ..ReliableServer::new(incoming, 1) };
    described.running.reliable_server = Some(Box::new(server));
    for (server, offered, describes, expected) in [
        (None, true, true, Some(Some(Part::Answer))),
        (None, true, false, Some(None)),
        (None, false, true, Some(Some(Part::Offer))),
        (None, false, false, None),
        (Some(&described), true, true, None),
        (Some(&described), false, true, None),
        (Some(&described), true, false, Some(None)),
        (Some(&described), false, false, Some(None)),
    ] {
        let got = provisional_guard(server, incoming, offered, describes).map(|(part, _)| part);
        assert_eq!(got.ok(), expected, "{} {offered} {describes}", server.is_some());
    }
}

/// §3: the interval doubles, T2 is no bound.
#[test]
fn the_schedule_of_the_rfc() {
    let start = Time::default();
    let t1 = Duration::from_millis(500);
    let mut waiting = Unacknowledged {
        rseq: 1,
        status: 183,
        response: Bytes::from(&b""[..]),
        carries: None,
        wait: Wait::Answering,
        interval: t1,
        give_up_at: start.plus(t1 * 64),
    };
    let (mut at, mut schedule) = (start.plus(t1), Vec::new());
    while at < waiting.give_up_at {
        schedule.push(at.since(start).as_millis());
        at = waiting.next_repeat(at);
    }
    assert_eq!(schedule, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert_eq!(at, waiting.give_up_at);
}
