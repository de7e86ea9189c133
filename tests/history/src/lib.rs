//! A history checker: what real clients saw of a real host is held against what serializability allows.
//!
//! Clients append to lists and read them ([`history`]); [`check`] finds out whether some serial order explains all of it,
//! and says what is wrong if none does.
//!
//! Not here: anything that ships, and anything that looks inside the host. It sees what a client sees.

pub mod check;
pub mod history;
