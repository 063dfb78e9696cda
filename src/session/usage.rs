//! What a failed request in a dialog ends: its transaction, the usage it belongs to, or the dialog with all usages
//! (RFC 5057 §5).

pub use crate::config::Effect;

/// Which usage a request belongs to (RFC 5057 §5.3).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Belonging {
    /// The usage cannot live without the method: a 405 or 501 to it says that there is none.
    Integral,
    /// The usage can live without it.
    Extra,
    /// CANCEL: of the INVITE usage, but a 481 to it speaks of the INVITE transaction alone.
    Cancel,
    /// Its failure, whatever the code, leaves no usage behind (RFC 3261 §15.1.1).
    Ends,
    /// To none: OPTIONS, MESSAGE, what we do not know.
    None,
}

fn belonging(method: &[u8]) -> Belonging {
    match method {
        b"INVITE" | b"ACK" | b"PRACK" | b"SUBSCRIBE" | b"NOTIFY" | b"REFER" => Belonging::Integral,
        b"UPDATE" | b"INFO" => Belonging::Extra,
        b"CANCEL" => Belonging::Cancel,
        b"BYE" => Belonging::Ends,
        _ => Belonging::None,
    }
}

/// Whether a request belongs to a subscription, not to the INVITE's usage (RFC 5057 §5.3).
pub fn is_of_subscription(method: &[u8]) -> bool {
    matches!(method, b"SUBSCRIBE" | b"NOTIFY" | b"REFER")
}

/// What the failure of a request of `method` ends. `status` 0 is no response at all: a time-out.
pub fn effect_of(method: &[u8], status: u16) -> Effect {
    let belonging = belonging(method);
    match (status, belonging) {
        // A redirection hits whatever the request could reach; so do the codes that say that the target is not there.
        (300..=399 | 404 | 410 | 416 | 482..=485 | 502 | 604, _) => Effect::Dialog,
        (_, Belonging::None) => Effect::Transaction,
        (481, Belonging::Cancel) => Effect::Transaction,
        (405 | 501, Belonging::Extra) => Effect::Transaction,
        // 489 is an answer to requests about events; to another it is a 400.
        (489, _) if !is_of_subscription(method) => Effect::Transaction,
        // No response and 408: note 4 of the table, §5.2.
        (0 | 405 | 408 | 480 | 481 | 489 | 501, _) => Effect::Usage,
        // "It was not possible to process the request" that ends the usage: ended it is.
        (500..=699, Belonging::Ends) => Effect::Usage,
        _ => Effect::Transaction,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Effect::{Dialog, Transaction, Usage};

    /// RFC 5057 §5.1, each code of its tables, for a method that is integral to its usage.
    #[test]
    fn the_table_for_invite() {
        let transaction = [
            400, 401, 402, 403, 406, 407, 412, 413, 414, 415, 417, 420, 421, 422, 423, 428, 429, 436, 437, 438, 469,
            486, 487, 488, 491, 493, 494, 499, 500, 503, 504, 505, 513, 580, 599, 600, 603, 606, 699,
        ];
        let usage = [0, 405, 408, 480, 481, 501];
        let dialog = [300, 301, 302, 305, 380, 404, 410, 416, 482, 483, 484, 485, 502, 604];
        for (codes, effect) in [(&transaction[..], Transaction), (&usage, Usage), (&dialog, Dialog)] {
            for code in codes {
                assert_eq!(effect_of(b"INVITE", *code), effect, "{code}");
            }
        }
    }

    #[test]
    fn what_differs_by_method() {
        let rows: [(&[u8], u16, Effect); 22] = [
            (b"INFO", 405, Transaction),
            (b"INFO", 501, Transaction),
            (b"INFO", 481, Usage),
            (b"INFO", 0, Usage),
            (b"UPDATE", 501, Transaction),
            (b"UPDATE", 408, Usage),
            (b"PRACK", 481, Usage),
            (b"CANCEL", 481, Transaction),
            (b"CANCEL", 483, Dialog),
            (b"BYE", 481, Usage),
            (b"BYE", 500, Usage),
            (b"BYE", 603, Usage),
            (b"BYE", 401, Transaction),
            (b"INVITE", 489, Transaction),
            (b"NOTIFY", 489, Usage),
            (b"SUBSCRIBE", 405, Usage),
            (b"REFER", 603, Transaction),
            (b"OPTIONS", 0, Transaction),
            (b"OPTIONS", 481, Transaction),
            (b"MESSAGE", 408, Transaction),
            (b"MESSAGE", 404, Dialog),
            (b"invite", 481, Transaction),
        ];
        for (method, status, effect) in rows {
            assert_eq!(effect_of(method, status), effect, "{} {status}", String::from_utf8_lossy(method));
        }
    }
}
