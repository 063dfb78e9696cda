//! Names to addresses, on a thread of its own: `getaddrinfo` waits.

use crate::flow::{Flow, Transport};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::net::ToSocketAddrs;

/// What is asked.
pub struct Question {
    /// The number of the RESOLVE event.
    pub query: u64,
    /// The name.
    pub host: String,
    /// Of the URI; 0: the transport's own.
    pub port: u16,
    /// Of the URI; `None`: UDP.
    pub transport: Option<Transport>,
}

/// The thread, started by the first question. It ends when this is dropped, at the latest when a running look-up returns.
pub(crate) struct Resolver {
    questions: Sender<Question>,
}

impl Resolver {
    /// `answer` is called on the thread. `None` when no thread can be had.
    pub(crate) fn start(answer: impl Fn(u64, &[Flow]) + Send + 'static) -> Option<Self> {
        let (questions, asked): (_, Receiver<Question>) = unbounded();
        super::worker::spawn("sipdlg-resolve", 256 << 10, move || {
            for question in asked {
                answer(question.query, &look_up(&question));
            }
        })?;
        Some(Self { questions })
    }

    pub(crate) fn ask(&self, question: Question) {
        // Refused only when the thread is gone; then the query's own time-out answers.
        let _ = self.questions.send(question);
    }
}

fn look_up(question: &Question) -> Vec<Flow> {
    let transport = question.transport.unwrap_or(Transport::Udp);
    let port = if question.port == 0 { transport.default_port() } else { question.port };
    let found = (question.host.as_str(), port).to_socket_addrs();
    found.map(|addresses| addresses.map(|to| Flow::new(transport, None, Some(to))).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_found_on_the_thread() {
        let (sender, answers) = unbounded();
        let resolver = Resolver::start(move |query, targets| {
            let _ = sender.send((query, targets.to_vec()));
        })
        .expect("a thread");
        resolver.ask(Question { query: 7, host: "localhost".into(), port: 0, transport: None });
        let (query, targets) = answers.recv().expect("an answer");
        assert_eq!(query, 7);
        assert!(targets.iter().any(|flow| flow.remote.is_some_and(|to| to.ip().is_loopback() && to.port() == 5060)));
    }
}
