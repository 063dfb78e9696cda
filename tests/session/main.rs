//! Two agents in memory, or an agent and a scripted peer, with virtual time: one file per behaviour. One program,
//! because each would have to compile and link the same helpers.

#[path = "../common/mod.rs"]
mod common;

mod ack;
mod addresses;
mod answer_timeout;
mod basic_call;
mod by_hand;
mod bye;
mod cancel;
mod cancel_reinvite;
mod defaults;
mod digest;
mod early_media;
mod forking;
mod glare;
mod hangup;
mod info_options;
mod late_offer;
mod limits;
mod loss;
mod lossy;
mod message;
mod notify;
mod offer_answer;
mod old_peers;
mod order;
mod prack_by_host;
mod prack_descriptions;
mod prack_ends;
mod prack_order;
mod random_acts;
mod refer_invite;
mod refer_notify;
mod refer_request;
mod refer_subscription;
mod refused_calls;
mod refused_in_dialog;
mod refused_requests;
mod reinvite;
mod reinvite_ends;
mod reject_redirect;
mod reliable_edges;
mod reliable_offers;
mod reliable_pair;
mod reliable_queue;
mod reliable_sending;
mod replaces;
mod routes;
mod takeover;
mod targets;
mod transport_failure;
mod transport_rport;
mod uris;
