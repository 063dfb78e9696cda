//! NOTIFY that comes and NOTIFY by hand (RFC 6665).

use crate::common::pair::{Pair, Stand};
use crate::common::refer::notify_of;
use crate::common::seconds;
use sipdlg::agent::{Body, EventKind, RequestOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::SessionState;

/// Design §8: 489 for an event that nobody knows, 481 without a subscription; in a dialog and out of one.
#[test]
fn a_notify_that_nobody_asked_for() {
    for in_dialog in [true, false] {
        let mut stand = if in_dialog { Stand::peer_called() } else { Stand::new() };
        for (event, status) in [(Some("message-summary"), 489), (None, 489), (Some("refer"), 481), (Some("Refer"), 489)]
        {
            let mut notify = stand.peer.request("NOTIFY").with("Subscription-State", "active;expires=9");
            if let Some(event) = event {
                notify = notify.with("Event", event);
            }
            stand.say(notify);
            let answer = stand.peer.take(&format!("{status} NOTIFY"));
            assert_eq!(answer.get("allow-events").is_some(), status == 489, "RFC 6665 §8.3.2");
        }
        assert_eq!(stand.alice.count(EventKind::Notify), 4);
        assert_eq!(stand.alice.last(EventKind::Notify).session.is_some(), in_dialog);
        assert_eq!(stand.alice.state().0 == SessionState::Confirmed, in_dialog);
    }
}

/// What its sipfrag says is told whoever subscribed: nobody, another REFER, one that is over; in a dialog and out of one.
#[test]
fn the_status_code_is_that_of_the_sipfrag() {
    for in_dialog in [true, false] {
        let mut stand = if in_dialog { Stand::peer_called() } else { Stand::new() };
        for (event, fragment, status) in [
            ("refer", "SIP/2.0 200 OK\r\n", 200),
            ("refer;id=77", "sip/2.0 180 Ringing\n", 180),
            ("message-summary", "SIP/2.0 603 Declined", 603),
            ("refer", "no status line", 0),
        ] {
            let notify = notify_of(&mut stand, event, "terminated;reason=noresource", fragment);
            stand.say(notify);
            let told = stand.alice.last(EventKind::Notify);
            assert_eq!((told.status_code, told.outgoing), (status, None), "{event} {fragment}");
        }
    }
}

/// The host may take what it knows.
#[test]
fn the_host_may_take_it() {
    let mut stand = Stand::peer_called();
    stand.alice.answers(EventKind::Notify, "");
    let notify = stand.peer.request("NOTIFY").with("Event", "message-summary").with("Subscription-State", "active");
    stand.say(notify);
    stand.peer.take("200 NOTIFY");
}

/// RFC 6665 §3.2: an accepted NOTIFY moves the remote target, a refused one does not.
#[test]
fn an_accepted_notify_moves_the_target() {
    let mut stand = Stand::peer_called();
    let target = |stand: &Stand| stand.alice.agent.session(stand.alice.session()).unwrap().remote_target().to_vec();
    let moved = "<sip:peer@192.0.2.2:5060;x=1>";
    let notify = |stand: &mut Stand| {
        let notify = stand.peer.request("NOTIFY").with("Event", "x").with("Subscription-State", "active");
        stand.say(notify.with("Contact", moved));
    };
    let before = target(&stand);
    notify(&mut stand);
    assert_eq!(target(&stand), before);
    stand.alice.answers(EventKind::Notify, "");
    notify(&mut stand);
    assert_eq!(target(&stand), b"sip:peer@192.0.2.2:5060;x=1");
}

/// By hand: Event and Subscription-State are needed; of refer, the subscription too.
#[test]
fn notify_by_hand() {
    let mut pair = Pair::confirmed();
    pair.bob.answers(EventKind::Refer, "");
    let send = |pair: &mut Pair, headers: &[&[u8]]| {
        let (now, session) = (pair.bob.now(), pair.bob.session());
        let body = Body { content: b"SIP/2.0 183 Go", content_type: Some(b"message/sipfrag"), disposition: None };
        let options = RequestOptions { headers: headers.to_vec(), body: Some(body), ..RequestOptions::default() };
        pair.bob.agent.notify(now, session, options).map_err(|error| error.kind)
    };
    let before = pair.bob.agent.session(pair.bob.session()).unwrap().state_text();
    let rows: [(&[&[u8]], ErrorKind); 5] = [
        (&[b"Event: x"], ErrorKind::Argument),
        (&[b"Subscription-State: active"], ErrorKind::Argument),
        (&[b"Event: a b", b"Subscription-State: active"], ErrorKind::Syntax),
        (&[b"Event: x", b"Subscription-State: "], ErrorKind::Syntax),
        (&[b"Event: refer", b"Subscription-State: active;expires=1"], ErrorKind::State),
    ];
    for (headers, kind) in rows {
        assert_eq!(send(&mut pair, headers).unwrap_err(), kind, "{headers:?}");
    }
    assert_eq!(pair.bob.agent.session(pair.bob.session()).unwrap().state_text(), before);
    send(&mut pair, &[b"Event: x", b"Subscription-State: active"]).unwrap();
    pair.exchange();
    assert_eq!(pair.since(4), ["bob NOTIFY", "alice 489 NOTIFY"]);
    assert_eq!(pair.bob.state().0, SessionState::Confirmed, "RFC 5057 §5.3: not the INVITE's usage");
    pair.alice.refer("sip:carol@example.com");
    pair.exchange();
    let asked = pair.bob.incoming();
    send(&mut pair, &[b"Event: refer", b"Subscription-State: active;expires=100"]).unwrap();
    pair.exchange();
    assert_eq!(pair.alice.statuses(EventKind::Notify).last(), Some(&183));
    send(&mut pair, &[b"Event: refer", b"Subscription-State: terminated;reason=giveup"]).unwrap();
    pair.exchange();
    assert!(pair.bob.agent.incoming(asked).is_err());
    let refused = send(&mut pair, &[b"Event: refer", b"Subscription-State: active;expires=1"]).unwrap_err();
    assert_eq!(refused, ErrorKind::State);
    pair.advance(seconds(1));
}
