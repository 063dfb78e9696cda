//! Headers of sixty thousand bytes, of every kind and shape, in requests and responses: what they cost may rise with their
//! length and no faster.

use crate::house::{Answers, CONTACT, House, Result, TO, request, with_sdp};

/// Those that are read, in their short forms too; one that nobody knows stands for all others.
const NAMES: [&str; 52] = [
    "Via",
    "v",
    "From",
    "f",
    "To",
    "t",
    "Call-ID",
    "i",
    "CSeq",
    "Max-Forwards",
    "Content-Length",
    "l",
    "Contact",
    "m",
    "Content-Type",
    "c",
    "Route",
    "Record-Route",
    "Allow",
    "Supported",
    "k",
    "Require",
    "User-Agent",
    "Accept",
    "Session-Expires",
    "x",
    "Min-SE",
    "RSeq",
    "RAck",
    "Expires",
    "Event",
    "Reason",
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Require",
    "Refer-To",
    "Referred-By",
    "Refer-Sub",
    "Replaces",
    "Subscription-State",
    "Allow-Events",
    "Recv-Info",
    "Info-Package",
    "Content-Disposition",
    "Content-Encoding",
    "Date",
    "Retry-After",
    "Warning",
    "P-Asserted-Identity",
    "Identity",
    "X-Nobody-Knows",
];

/// Ways to fill so many bytes.
type Shape = fn(usize) -> String;
const SHAPES: [(&str, Shape); 14] = [
    ("token", |bytes| "a".repeat(bytes)),
    ("list", |bytes| "a,".repeat(bytes / 2)),
    ("commas", |bytes| ",".repeat(bytes)),
    ("addresses", |bytes| "<sip:p.example;lr>,".repeat(bytes / 19) + "<sip:p.example;lr>"),
    ("parameters", |bytes| "<sip:a@b>".to_owned() + &";x=y".repeat(bytes / 4)),
    ("URI parameters", |bytes| "<sip:a@b".to_owned() + &";x=y".repeat(bytes / 4) + ">"),
    ("URI headers", |bytes| "<sip:a@b?x=y".to_owned() + &"&x=y".repeat(bytes / 4) + ">"),
    ("open quote", |bytes| "\"".to_owned() + &"\\a".repeat(bytes / 2)),
    ("quotes", |bytes| "\"a\"".repeat(bytes / 3)),
    ("comments", |bytes| "(".repeat(bytes)),
    ("brackets", |bytes| "<".repeat(bytes)),
    ("blanks", |bytes| format!("a{}b", " ".repeat(bytes))),
    ("digest", |bytes| "Digest ".to_owned() + &"a=\"b\",".repeat(bytes / 6)),
    ("digits", |bytes| "1".repeat(bytes)),
];

/// In a new call, in a dialog, in a response, and as many lines.
pub const PLACES: [&str; 4] = ["INVITE", "INFO in a call", "180", "lines"];

/// All names with one shape each at a place; `bytes`: of the header.
pub fn headers(place: usize, shape: usize, bytes: usize) -> Result {
    let mut house = House::new();
    house.answers = Answers::Rejects;
    let to = if place == 1 {
        house.answers = Answers::Accepts;
        house.call("long", 1)
    } else {
        TO.to_owned()
    };
    let invite = if place == 2 { house.invite() } else { String::new() };
    let value = SHAPES[shape].1(bytes);
    let mut cseq = 1;
    house.flood(NAMES.len(), 100, &mut |at| {
        let name = NAMES[at];
        let line = match place {
            3 => format!("{name}: a\r\n").repeat(bytes / (name.len() + 5)),
            _ => format!("{name}: {value}\r\n"),
        };
        cseq += 1;
        let text = match place {
            1 => request("INFO", "long", &to, cseq, &line),
            2 => response(&invite, &line),
            _ => with_sdp(&request("INVITE", &format!("h{place}-{shape}-{at}"), &to, 1, &(line + CONTACT))),
        };
        (1, text.into_bytes())
    });
    house.hang_up_others();
    if place == 2 {
        house.receive(1, response(&invite, "").replacen("180 X", "487 X", 1).as_bytes());
    }
    house.end()
}

pub fn shapes() -> impl Iterator<Item = (usize, &'static str)> {
    SHAPES.iter().enumerate().map(|(at, (name, _))| (at, *name))
}

fn response(invite: &str, line: &str) -> String {
    let value = |name| crate::house::value(invite, name);
    format!(
        "SIP/2.0 180 X\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=b\r\nCall-ID: {}\r\nCSeq: {}\r\n{line}\
         Contact: <sip:bob@203.0.113.9>\r\nContent-Length: 0\r\n\r\n",
        value("Via"),
        value("From"),
        value("To"),
        value("Call-ID"),
        value("CSeq"),
    )
}
