//! Names to addresses, on a thread of its own: `getaddrinfo` waits.

use crate::flow::{Flow, Transport};
use crossbeam_channel::{Sender, bounded};
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is asked.
pub struct Question {
    /// The number of the RESOLVE event.
    pub query: u64,
    /// The name.
    pub host: String,
    /// Of the URI; 0: the transport's own.
    pub port: u16,
    /// Of the URI, else what is usual.
    pub transport: Transport,
}

/// Questions that may wait. Beyond, a name counts as not found.
const WAITING: usize = 1_000;
/// Nobody waits longer for an answer: the agent's own patience.
const PATIENCE: Duration = Duration::from_secs(32);

/// The thread, started by the first question. When this is dropped it ends, at the latest when
/// a running look-up returns.
pub(crate) struct Resolver {
    questions: Sender<(Instant, Question)>,
    over: Arc<AtomicBool>,
}

impl Resolver {
    /// `answer` is called on the thread. `None` when no thread can be had.
    pub(crate) fn start(answer: impl Fn(u64, &[Flow]) + Send + 'static) -> Option<Self> {
        Self::with(look_up, answer)
    }

    fn with(
        look_up: impl Fn(&Question) -> Vec<Flow> + Send + 'static,
        answer: impl Fn(u64, &[Flow]) + Send + 'static,
    ) -> Option<Self> {
        let (questions, asked) = bounded::<(Instant, Question)>(WAITING);
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        super::threads::spawn("sipdlg-resolve", 256 << 10, move || {
            for (since, question) in asked {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                if since.elapsed() < PATIENCE {
                    answer(question.query, &look_up(&question));
                }
            }
        })?;
        Some(Self { questions, over })
    }

    /// False when too many wait.
    pub(crate) fn ask(&self, question: Question) -> bool {
        self.questions.try_send((Instant::now(), question)).is_ok()
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn look_up(question: &Question) -> Vec<Flow> {
    let transport = question.transport;
    let port = if question.port == 0 { transport.default_port() } else { question.port };
    let found = (question.host.as_str(), port).to_socket_addrs();
    found.map(|addresses| addresses.map(|to| Flow::new(transport, None, Some(to))).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::unbounded;

    fn question(query: u64) -> Question {
        Question { query, host: "localhost".into(), port: 0, transport: Transport::Udp }
    }

    #[test]
    fn localhost_is_found_on_the_thread() {
        let (sender, answers) = unbounded();
        let resolver = Resolver::start(move |query, targets| {
            let _ = sender.send((query, targets.to_vec()));
        })
        .expect("a thread");
        assert!(resolver.ask(question(7)));
        let (query, targets) = answers.recv().expect("an answer");
        assert_eq!(query, 7);
        assert!(targets.iter().any(|flow| flow.remote.is_some_and(|to| to.ip().is_loopback() && to.port() == 5060)));
    }

    /// Nothing of an agent runs when it is gone but the look-up that cannot be broken off; and a slow one piles up no
    /// more than the queue holds.
    #[test]
    fn a_slow_name_holds_up_a_bounded_queue_and_no_end() {
        let (running, started) = unbounded();
        let (go_on, stopped) = unbounded::<()>();
        let look_up = move |question: &Question| {
            let _ = running.send(question.query);
            let _ = stopped.recv();
            Vec::new()
        };
        let resolver = Resolver::with(look_up, |_, _| ()).expect("a thread");
        assert!(resolver.ask(question(0)));
        assert_eq!(started.recv(), Ok(0));
        assert_eq!((1..5_000).filter(|query| resolver.ask(question(*query))).count(), WAITING);
        drop(resolver);
        drop(go_on);
        assert_eq!(started.recv().ok(), None, "another look-up after the end");
    }
}
