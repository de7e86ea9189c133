//! A history checker: what real clients saw of a real host is checked against what serializability allows.
//!
//! Clients append to lists and read them ([`history`]); [`check`] finds out whether some serial order explains all of it,
//! and says what is wrong if none does. [`workload`] has clients on real sockets do the appending and reading, while the
//! host under them is killed and started again.
//!
//! Not here: anything that ships, and anything that looks inside the host. It sees what a client sees.

pub mod check;
pub mod history;
pub mod verdict;
pub mod workload;
