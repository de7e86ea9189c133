//! What the tests run that end the host with SIGKILL.

mod files;
mod jobs;
mod parts;
