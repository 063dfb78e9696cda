//! CSeq (RFC 3261 §20.16).

use super::grammar::{BLANK, DIGIT, decimal, is, is_token, take, trim_start};
use super::method::MethodName;
use crate::error::{Error, Result};

/// A CSeq value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// Below 2^31 (RFC 3261 §8.1.1.5).
    pub number: u32,
    /// Of the request that is numbered.
    pub method: MethodName<'a>,
}

impl<'a> CSeq<'a> {
    /// Reads a value.
    #[inline]
    pub fn parse(value: &'a [u8]) -> Result<Self> {
        let (digits, rest) = take(value, DIGIT);
        let Some(number) = decimal(digits, (1 << 31) - 1).and_then(|number| u32::try_from(number).ok()) else {
            return Err(Error::syntax("CSeq: a number below 2^31 (RFC 3261 8.1.1.5)"));
        };
        let method = trim_start(rest);
        if !rest.first().is_some_and(|byte| is(*byte, BLANK)) || !is_token(method) {
            return Err(Error::syntax("CSeq: a number, a space, a method (RFC 3261 20.16)"));
        }
        Ok(Self { number, method: MethodName::new(method) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cseq() {
        for (text, number, method) in [
            ("1 INVITE", 1, "INVITE"),
            ("0009\t  X-y", 9, "X-y"),
            ("2147483647 ACK", 2_147_483_647, "ACK"),
            ("0 BYE", 0, "BYE"),
        ] {
            let cseq = CSeq::parse(text.as_bytes()).unwrap();
            assert_eq!((cseq.number, cseq.method.text), (number, method.as_bytes()));
        }
        for bad in ["", "1", "1 ", "INVITE", "1INVITE", "2147483648 ACK", "4294967296 ACK", "-1 ACK", "1 A B", "1 A,"] {
            assert!(CSeq::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
