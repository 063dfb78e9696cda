//! What stands in the messages that we write: our own lines, the host's, responses, and how long one may be.
//! Nobody is told anything here.

pub(in crate::agent) mod face;
pub(in crate::agent) mod fits;
pub(in crate::agent) mod headers;
pub(in crate::agent) mod response;
