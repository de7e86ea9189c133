//! Transcripts: what clients say, what happens in the host, and every frame that leaves, in order.
mod connections;
mod equal_values;
mod failures;
mod host;
mod identities;
mod live_queries;
mod model_clients;
mod mutations;

use host::check;
