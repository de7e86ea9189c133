//! Transactions by hand: every operation, every error, and a model to compare with.
mod indexed;
mod invalidation;
mod limits;
mod model;
mod operations;
mod pages;
mod read_sets;
mod sub_transactions;
mod variables;
