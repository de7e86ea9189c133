//! Notes for users who sign in with e-mail and password.

mod auth;
mod notes;
mod passwords;
mod problem;
mod sessions;
