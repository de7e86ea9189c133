//! A team's task board: three columns of tasks, who does them, and what is said about them.

mod columns;
mod comments;
mod schema;
mod tasks;
mod teams;
mod text;
