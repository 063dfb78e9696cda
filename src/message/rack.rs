//! RAck and RSeq (RFC 3262 §7).

use super::cseq::CSeq;
use super::grammar::{BLANK, DIGIT, decimal_u32, is, take, trim_start};
use super::method::MethodName;
use crate::error::{Error, Result};

/// A RAck value: which reliable provisional response is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RAck<'a> {
    /// RSeq of the response.
    pub rseq: u32,
    /// CSeq number of the response.
    pub cseq: u32,
    /// CSeq method of the response.
    pub method: MethodName<'a>,
}

impl<'a> RAck<'a> {
    /// Reads a value.
    pub fn parse(value: &'a [u8]) -> Result<Self> {
        let (digits, rest) = take(value, DIGIT);
        let (Some(rseq), true) = (decimal_u32(digits), rest.first().is_some_and(|byte| is(*byte, BLANK))) else {
            return Err(Error::syntax("RAck: two numbers and a method (RFC 3262 7.2)"));
        };
        let CSeq { number, method } = CSeq::parse(trim_start(rest))
            .map_err(|_| Error::syntax("RAck: two numbers and a method (RFC 3262 7.2)"))?;
        Ok(Self { rseq, cseq: number, method })
    }
}

/// Reads a RSeq value (RFC 3262 §7.1).
pub fn parse_rseq(value: &[u8]) -> Result<u32> {
    decimal_u32(value).ok_or_else(|| Error::syntax("RSeq: a number below 2^32 (RFC 3262 7.1)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rack() {
        let rack = RAck::parse(b"776656 1  INVITE").unwrap();
        assert_eq!((rack.rseq, rack.cseq, rack.method.text), (776_656, 1, &b"INVITE"[..]));
        for bad in ["", "1", "1 2", "1 2 ", "x 2 INVITE", "1 x INVITE", "4294967296 1 INVITE", "1 2INVITE", "12 INVITE"]
        {
            assert!(RAck::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(parse_rseq(b"988789").ok(), Some(988_789));
        assert!(parse_rseq(b"1 2").is_err());
    }
}
