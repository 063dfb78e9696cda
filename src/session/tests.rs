//! What the session decides by itself: its ways, the requests that wait, what STATE tells.

use super::*;
use crate::dialog::route_set::RouteSet;
use crate::flow::Transport;
use crate::session::change::By;
use fixture::FakeClock;

fn flow(transport: Transport, link: u64) -> Flow {
    Flow { link, ..Flow::new(transport, None, None) }
}

fn request(raw: u64) -> IncomingId {
    IncomingId::from_raw(raw)
}

/// RFC 3261 §12.2.1.1: with a route set the first hop is the next one, which the connection does not lead to. The
/// host's word is above both.
#[test]
fn the_way_of_a_request() {
    let (host, connection) = (flow(Transport::Udp, 1), flow(Transport::Tcp, 2));
    let routes: [&[&[u8]]; 2] = [&[], &[b"<sip:p;lr>"]];
    for (fixed, connected, route_set, expected) in [
        (None, None, routes[0], None),
        (None, Some(connection), routes[0], Some(connection)),
        (None, Some(connection), routes[1], None),
        (Some(host), None, routes[0], Some(host)),
        (Some(host), Some(connection), routes[0], Some(host)),
        (Some(host), Some(connection), routes[1], Some(host)),
        (Some(host), None, routes[1], Some(host)),
        (None, None, routes[1], None),
    ] {
        let mut session = fixture::confirmed_caller();
        session.came_on(connected.as_ref());
        session.lasting.dialog.route_set = RouteSet::new(route_set.iter().copied());
        session.set_flow(Some(host));
        session.set_flow(fixed);
        let row = format!("{fixed:?} {connected:?} {} hops", route_set.len());
        assert_eq!((session.way(), session.connection()), (expected.as_ref(), connected.as_ref()), "{row}");
    }
}

/// RFC 3261 §18: UDP has no connection that could serve.
#[test]
fn the_connection_is_that_of_the_last_message() {
    use Transport::{Tcp, Tls, Udp, Wss};
    for (before, message, expected) in [
        (None, Some(flow(Udp, 1)), None),
        (None, Some(flow(Tcp, 1)), Some(flow(Tcp, 1))),
        (None, Some(flow(Tls, 1)), Some(flow(Tls, 1))),
        (None, Some(flow(Wss, 1)), Some(flow(Wss, 1))),
        (Some(flow(Tcp, 1)), Some(flow(Tcp, 1)), Some(flow(Tcp, 1))),
        (Some(flow(Tcp, 1)), Some(flow(Tcp, 2)), Some(flow(Tcp, 2))),
        (Some(flow(Tcp, 1)), Some(flow(Udp, 1)), None),
        (Some(flow(Tcp, 1)), None, None),
    ] {
        let mut session = fixture::confirmed_caller();
        session.came_on(before.as_ref());
        session.came_on(message.as_ref());
        assert_eq!(session.connection(), expected.as_ref(), "{before:?} {message:?}");
    }
}

/// RFC 3261 §18: a connection that is gone serves no more, nor does the host's word that names it.
#[test]
fn a_closed_link_is_no_way() {
    let host = flow(Transport::Tcp, 2);
    for (connected, closed, fixed, expected) in [
        (Some(flow(Transport::Tcp, 2)), 2, None, None),
        (Some(flow(Transport::Tcp, 2)), 1, None, Some(flow(Transport::Tcp, 2))),
        (None, 2, None, None),
        (Some(flow(Transport::Tcp, 1)), 1, Some(host), Some(host)),
        (Some(flow(Transport::Tcp, 1)), 2, Some(host), Some(flow(Transport::Tcp, 1))),
        (Some(flow(Transport::Tcp, 2)), 2, Some(host), None),
    ] {
        let mut session = fixture::confirmed_caller();
        session.came_on(connected.as_ref());
        session.set_flow(fixed);
        session.link_closed(closed);
        assert_eq!(session.way(), expected.as_ref(), "{connected:?} {closed} {fixed:?}");
        let came = connected.map(|flow| flow.transport);
        assert_eq!(session.came_by(), came, "how they came is remembered: {connected:?} {closed}");
        session.came_on(connected.as_ref());
        assert_eq!(session.connection(), connected.as_ref(), "it is there again");
    }
}

#[test]
fn requests_that_wait() {
    type Waiting<'a> = &'a [(u64, Method)];
    // Those that come, those that are answered, those that wait then.
    let rows: [(Waiting<'_>, &[u64], Waiting<'_>); 6] = [
        (&[], &[], &[]),
        (&[], &[5], &[]),
        (&[(5, Method::Info)], &[], &[(5, Method::Info)]),
        (&[(5, Method::Info)], &[6], &[(5, Method::Info)]),
        (
            &[(5, Method::Info), (6, Method::Notify), (7, Method::Invite)],
            &[6],
            &[(5, Method::Info), (7, Method::Invite)],
        ),
        (&[(5, Method::Info), (6, Method::Notify)], &[6, 6, 5], &[]),
    ];
    for (come, answered, left) in rows {
        let mut session = fixture::confirmed_caller();
        for (raw, method) in come {
            session.waits(request(*raw), *method);
        }
        for raw in answered {
            session.answered(request(*raw));
        }
        let got: Vec<_> = session.running.pending.iter().map(|one| (one.request, one.method)).collect();
        let left: Vec<_> = left.iter().map(|(raw, method)| (request(*raw), *method)).collect();
        assert_eq!(got, left, "{come:?} {answered:?}");
        assert_eq!(session.pending(), left.len(), "{come:?} {answered:?}");
    }
}

/// Both states count; what was told is not told again, nor is anything after TERMINATED.
#[test]
fn news_are_told_once() {
    use SessionState::{AckWait, Confirmed, Early, Initial, Terminated};
    use SignalingState::{Closed, HaveLocalOffer, HaveRemoteOffer, Stable};
    type Step = fn(&mut Session, &mut FakeClock);
    let nothing: Step = |_, _| {};
    let early: Step = |session, _| drop(session.early(None));
    let shows: Step = |session, _| drop(session.early(fixture::sdp("answer").map(Into::into)));
    let accepts: Step = |session, clock| drop(session.accepted(fixture::sent_2xx("answer"), clock));
    let acknowledged: Step = |session, clock| drop(session.ack_arrived(&fixture::request("ACK", 1, ""), clock));
    let offers: Step =
        |session, _| drop(session.our_change_sent(By::Reinvite, fixture::outgoing(), fixture::sdp("second")));
    let fails: Step = |session, _| drop(session.our_change_undone(By::Reinvite, fixture::outgoing()));
    let ends: Step = |session, clock| drop(session.end(Ending::default(), clock));
    let told: Step = |session, _| session.terminated_told();
    let (mut session, mut clock) = (fixture::callee("offer"), FakeClock::default());
    for (at, (step, expected)) in [
        (nothing, Some((Initial, HaveRemoteOffer))),
        (nothing, None),
        (early, Some((Early, HaveRemoteOffer))),
        (early, None),
        (shows, Some((Early, Stable))),
        (accepts, Some((AckWait, Stable))),
        (acknowledged, Some((Confirmed, Stable))),
        (offers, Some((Confirmed, HaveLocalOffer))),
        (fails, Some((Confirmed, Stable))),
        (nothing, None),
        (ends, Some((Terminated, Closed))),
        (ends, None),
        (told, None),
    ]
    .into_iter()
    .enumerate()
    {
        step(&mut session, &mut clock);
        assert_eq!(session.news(), expected, "step {at}");
    }
    // What nobody heard before TERMINATED nobody hears after it.
    assert_eq!(fixture::gone(fixture::confirmed_caller()).news(), None);
}
