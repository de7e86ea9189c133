//! Sync: the protocol of the official clients, sessions, live queries, and the diffs between their results.
//!
//! Pure. **No** tokio, no sockets, no threads, no clock and no randomness: time comes in as an argument, frames
//! and effects go out as values, and whoever owns a socket moves them. It calls no function and reads no store:
//! it says *what* to run at *which* snapshot, and is told how it ended.
//!
//! # The rooms
//!
//! | module | what it is |
//! |---|---|
//! | [`protocol`] | messages: strict parsing of the client's, writing of the server's, chunks |
//! | [`session`] | the state machine of one socket |
//! | [`query_set`] | the queries that one socket watches |
//! | [`live`] | the registry of live queries of all sockets: versions of results, invalidation, runs |
//! | [`interval_index`] | which live queries a written key concerns |
//! | [`result`] | one result of one query, shared by all sockets, encoded once |
//! | [`diff`] | the difference of two results as an RFC 6902 patch |
//! | [`fanout`] | a transition's frame, put together from the shared pieces |
//! | [`budget`] | bytes that are held for clients: counted, and bounded |
//!
//! # How a host drives it
//!
//! One [`live::LiveQueries`] behind one mutex, one [`session::Session`] per socket. `S` is the host's handle of a
//! snapshot: `Arc<Snapshot>`.
//!
//! ```text
//! // The fan-out thread, for each commit group that is durable:
//! let step = live.lock().group_durable(group.last_ts(), keys_of(group), snapshot_at_last_ts);
//! perform(step);
//!
//! // A worker of the executor, for each `Run` of a step:
//! let outcome = db.query(&run.call(), run.snapshot);     // no lock is held here
//! perform(live.lock().run_finished(run.id, outcome));    // always: also after a panic, with an error outcome
//!
//! fn perform(step) {
//!     for run in step.runs { executor.push(run) }
//!     for socket in step.wake { notify_of(socket).notify_one() }
//! }
//!
//! // A deployment is in place (after `Database::set_deployment`):
//! perform(live.lock().redeploy());
//!
//! // The task of one socket:
//! let mut session = Session::new(client, monotonic_now());
//! loop {
//!     session.answer_durable(store.durable());           // mutations that are durable: answers, in order
//!     while let Some(effect) = session.next_effect() {
//!         match effect {
//!             Effect::Watch(changes) => {
//!                 let (since, who) = (session.version().ts, session.principal());
//!                 perform(live.lock().watch(socket, since, who, &changes));
//!             }
//!             Effect::Verify(token) => verifier.push(token), // ends in session.identity_verified(..)
//!             Effect::Mutate(mutation) => queue.push(mutation),  // ends in session.mutation_finished(..)
//!         }
//!     }
//!     if let Some(at_least) = session.wanted_timestamp() {
//!         let advance = live.lock().advance(socket, at_least);
//!         session.transition(advance);                   // outside the lock: diffs and encodes
//!     }
//!     while let Some(frame) = session.next_frame(monotonic_now()) {
//!         match frame {                                  // with a time limit on the write
//!             Frame::Text(text) => feed(Message::Text(text)),
//!             Frame::Ping => feed(Message::Ping),
//!             Frame::Close(close) => { feed(Message::Close(close)); break 'socket }
//!         }
//!     }
//!     flush().await;                                     // what happens meanwhile collapses into one transition
//!     select! {
//!         message = socket.next(), if !session.is_verifying() => match message {
//!             Text(text) => session.receive_text(&text, monotonic_now(), store.durable()),
//!             Binary(_) => session.receive_binary(monotonic_now()),
//!             Ping(_) | Pong(_) => session.heard(monotonic_now()),
//!             Close(_) | end | error => break,
//!         },
//!         (request, outcome) = outcomes.recv() => session.mutation_finished(request, outcome),
//!         verdict = verdicts.recv() => session.identity_verified(verdict),
//!         _ = notified() => session.wake(),              // a step named this socket
//!         // Only while an answer waits for its sync, or without live queries a transition for a timestamp:
//!         _ = durable_reached(session.awaited_durable()) => {}
//!         _ = sleep_until(session.deadline()) => session.tick(monotonic_now()),
//!         _ = shutdown => session.close(CloseFrame::shutting_down()),
//!     }
//! }
//! perform(live.lock().close_socket(socket));
//! ```
//!
//! Nothing here queues without bound: a session holds at most
//! [`SOCKET_MUTATIONS_IN_FLIGHT_MAX`](weir_value::limits::SOCKET_MUTATIONS_IN_FLIGHT_MAX) mutations, and makes a
//! transition only when it is asked for one, after the write before it is through. So a slow socket collapses to
//! the newest timestamp.
pub mod budget;
pub mod diff;
pub mod fanout;
pub mod interval_index;
pub mod live;
pub mod prefetch;
pub mod protocol;
pub mod query_set;
pub mod result;
pub mod session;
