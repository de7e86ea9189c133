//! The workload: clients that append and read, and a host that is killed under them.
//!
//! Not here: whether what they saw is right (`check`).

mod expand;
mod figures;
mod known;
mod live;
mod plan;
mod random;
mod recorder;
mod run;
mod session;
mod shared;
mod site;
mod step;
mod web;

pub use figures::Figures;
pub use random::Random;
pub use run::{Least, Run, Settings, episode};
pub use site::Site;
