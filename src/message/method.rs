//! Methods (RFC 3261 §7.1).

/// The methods that the engine tells apart. The numbers are those of `enum sipdlg_method_e`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Method {
    /// RFC 3261 §13.
    Invite = 1,
    /// RFC 3261 §13.2.2.4, §17.1.1.3.
    Ack = 2,
    /// RFC 3261 §15.
    Bye = 3,
    /// RFC 3261 §9.
    Cancel = 4,
    /// RFC 3311.
    Update = 5,
    /// RFC 3262.
    Prack = 6,
    /// RFC 6086.
    Info = 7,
    /// RFC 3428.
    Message = 8,
    /// RFC 6665.
    Notify = 9,
    /// RFC 3515.
    Refer = 10,
    /// RFC 6665.
    Subscribe = 11,
    /// RFC 3261 §10.
    Register = 12,
    /// RFC 3261 §11.
    Options = 13,
    /// RFC 3903.
    Publish = 14,
    /// Any other token.
    Other = 15,
}

impl Method {
    /// The names, in the order of the numbers.
    const NAMES: [(Method, &'static str); 14] = [
        (Self::Invite, "INVITE"),
        (Self::Ack, "ACK"),
        (Self::Bye, "BYE"),
        (Self::Cancel, "CANCEL"),
        (Self::Update, "UPDATE"),
        (Self::Prack, "PRACK"),
        (Self::Info, "INFO"),
        (Self::Message, "MESSAGE"),
        (Self::Notify, "NOTIFY"),
        (Self::Refer, "REFER"),
        (Self::Subscribe, "SUBSCRIBE"),
        (Self::Register, "REGISTER"),
        (Self::Options, "OPTIONS"),
        (Self::Publish, "PUBLISH"),
    ];

    /// By name; methods are case-sensitive (RFC 3261 §7.1).
    #[inline]
    pub fn from_name(name: &[u8]) -> Self {
        match name {
            b"INVITE" => Self::Invite,
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"CANCEL" => Self::Cancel,
            b"UPDATE" => Self::Update,
            b"PRACK" => Self::Prack,
            b"INFO" => Self::Info,
            b"MESSAGE" => Self::Message,
            b"NOTIFY" => Self::Notify,
            b"REFER" => Self::Refer,
            b"SUBSCRIBE" => Self::Subscribe,
            b"REGISTER" => Self::Register,
            b"OPTIONS" => Self::Options,
            b"PUBLISH" => Self::Publish,
            _ => Self::Other,
        }
    }

    /// The name; empty for [`Method::Other`], whose name is in the message.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(method, _)| *method == self).map_or("", |(_, name)| name)
    }
}

/// A method together with its name as written, which is all that there is of one that has no number.
#[derive(Clone, Copy, Debug)]
pub struct MethodName<'a> {
    /// For decisions.
    pub method: Method,
    /// For comparisons and for writing.
    pub text: &'a [u8],
}

impl<'a> MethodName<'a> {
    /// The method of this name.
    #[inline]
    pub fn new(text: &'a [u8]) -> Self {
        Self { method: Method::from_name(text), text }
    }
}

impl From<Method> for MethodName<'static> {
    fn from(method: Method) -> Self {
        Self { method, text: method.name().as_bytes() }
    }
}

impl PartialEq for MethodName<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for MethodName<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        for (number, (method, name)) in (1..).zip(Method::NAMES) {
            assert_eq!(Method::from_name(name.as_bytes()), method);
            assert_eq!(method as i32, number);
            assert_eq!(method.name(), name);
        }
        assert_eq!(Method::from_name(b"invite"), Method::Other);
    }
}
