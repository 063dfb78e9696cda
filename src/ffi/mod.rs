//! The C ABI: one file per section of the header, in its order. Each function converts, makes one call, converts back;
//! no SIP decision is taken here.
#![allow(unsafe_code)]

// What the sections share; exports nothing.
pub mod convert;
pub mod enums;
pub mod structs;
