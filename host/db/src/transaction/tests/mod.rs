//! Transactions by hand: every operation, every error, and a model to compare with.
mod limits;
mod model;
mod operations;
mod read_sets;
mod sub_transactions;
