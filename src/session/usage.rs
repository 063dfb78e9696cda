//! What a failed request in a dialog ends: its transaction, the usage it belongs to, or the dialog with all usages
//! (RFC 5057 §5).

pub use crate::config::Effect;

/// Which usage a request belongs to (RFC 5057 §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// The INVITE's, which cannot live without the method: a 405 or 501 to it says that there is none.
    Integral,
    /// The INVITE's, which can live without it.
    Extra,
    /// Of the INVITE's, but a 481 to it speaks of the INVITE transaction alone: CANCEL.
    Cancel,
    /// Its failure, whatever the code, leaves no usage behind (RFC 3261 §15.1.1): BYE.
    Ends,
    /// A subscription's.
    Subscription,
    /// None: OPTIONS, MESSAGE, what we do not know.
    None,
}

/// What the failure of a request of this usage ends. `status` 0 is no response at all: a time-out.
pub fn effect_of(usage: Usage, status: u16) -> Effect {
    match (status, usage) {
        // A redirection hits whatever the request could reach; so do the codes that say that the target is not there.
        (300..=399 | 404 | 410 | 416 | 482..=485 | 502 | 604, _) => Effect::Dialog,
        (_, Usage::None) => Effect::Transaction,
        (481, Usage::Cancel) => Effect::Transaction,
        (405 | 501, Usage::Extra) => Effect::Transaction,
        // 489 is an answer to requests about events; to another it is a 400.
        (489, _) if usage != Usage::Subscription => Effect::Transaction,
        // No response and 408: note 4 of the table, §5.2.
        (0 | 405 | 408 | 480 | 481 | 489 | 501, _) => Effect::Usage,
        // "It was not possible to process the request" that ends the usage: ended it is.
        (500..=699, Usage::Ends) => Effect::Usage,
        _ => Effect::Transaction,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Effect::{Dialog, Transaction};

    /// RFC 5057 §5.1, each code of its tables, for a method that is integral to its usage.
    #[test]
    fn the_table_for_invite() {
        let transaction = [
            400, 401, 402, 403, 406, 407, 412, 413, 414, 415, 417, 420, 421, 422, 423, 428, 429, 436, 437, 438, 469,
            486, 487, 488, 491, 493, 494, 499, 500, 503, 504, 505, 513, 580, 599, 600, 603, 606, 699,
        ];
        let usage = [0, 405, 408, 480, 481, 501];
        let dialog = [300, 301, 302, 305, 380, 404, 410, 416, 482, 483, 484, 485, 502, 604];
        for (codes, effect) in [(&transaction[..], Transaction), (&usage, Effect::Usage), (&dialog, Dialog)] {
            for code in codes {
                assert_eq!(effect_of(Usage::Integral, *code), effect, "{code}");
            }
        }
    }
}
