//! Every limit of Weir, with its unit in its name. Not configuration: what an operator may set
//! has its default here and its flag in the command line.
//!
//! The first half are the limits that Convex documents, which functions written for it rely on;
//! the second half are Weir's own. The relations between them are asserted at compile time.

/// One kibibyte.
const KIB: usize = 1 << 10;
/// One mebibyte.
const MIB: usize = 1 << 20;

// ---- Values and documents

/// How deep containers may stand in each other in a value: arguments, results.
pub const VALUE_NESTING_MAX: usize = 64;
/// How large a value may be, counted as `Value::size_bytes`.
pub const VALUE_SIZE_BYTES_MAX: usize = 32 * MIB;
/// How deep containers may stand in each other in a document, itself included.
pub const DOCUMENT_NESTING_MAX: usize = 16;
/// How large a document may be, counted as `Value::size_bytes`.
pub const DOCUMENT_SIZE_BYTES_MAX: usize = MIB;
/// How many items an array may have.
pub const ARRAY_ITEMS_MAX: usize = 8192;
/// How many values a value may consist of, itself and all containers included: a full array of objects with 63 fields each. A
/// short text may stand for as many as it has bytes, and each takes up to 100 bytes of memory while it is looked at.
pub const VALUES_MAX: usize = 64 * ARRAY_ITEMS_MAX;
/// How many fields an object may have.
pub const OBJECT_FIELDS_MAX: usize = 1024;
/// How long the name of a nested field may be, in ASCII characters.
pub const FIELD_NAME_CHARS_MAX: usize = 1024;
/// How long the name of a document's own field may be, in ASCII characters.
pub const DOCUMENT_FIELD_NAME_CHARS_MAX: usize = 64;
/// How long the name of a table may be, in ASCII characters.
pub const TABLE_NAME_CHARS_MAX: usize = 64;
/// How many tables a deployment may have.
pub const TABLES_MAX: usize = 10_000;
/// Indexes of a table, without the built-in ones.
pub const TABLE_INDEXES_MAX: usize = 32;
/// Fields of an index.
pub const INDEX_FIELDS_MAX: usize = 16;
/// Characters in the name of an index.
pub const INDEX_NAME_CHARS_MAX: usize = 64;
/// How long a function's path (`dir/module:function`) may be, in ASCII characters.
pub const FUNCTION_PATH_CHARS_MAX: usize = 512;

// ---- Transactions

/// How many documents a transaction may read, those that a filter drops included.
pub const TRANSACTION_DOCUMENTS_READ_MAX: usize = 32_000;
/// So many rows that were deleted, and lie in memory until they are flushed, count as one document read when a query passes
/// them. A table that is cleared piece by piece passes those of the pieces before each time.
pub const DELETED_ROWS_PER_DOCUMENT: usize = 4;
/// How many bytes of documents a transaction may read.
pub const TRANSACTION_BYTES_READ_MAX: usize = 16 * MIB;
/// How many index ranges a transaction may read: calls of `get` and `query`.
pub const TRANSACTION_RANGES_READ_MAX: usize = 4096;
/// How many documents a transaction may write.
pub const TRANSACTION_DOCUMENTS_WRITTEN_MAX: usize = 16_000;
/// How many bytes of documents a transaction may write.
pub const TRANSACTION_BYTES_WRITTEN_MAX: usize = 16 * MIB;
/// How many operators the filter of a query may have.
pub const QUERY_OPERATORS_MAX: usize = 256;
/// How many queries of a call may be open at a time.
pub const QUERY_CURSORS_MAX: usize = 1000;
/// How many documents a batch of a query holds when the guest leaves the choice to the host.
pub const QUERY_BATCH_ROWS_DEFAULT: usize = 100;
/// How many documents a batch of a query may hold, whatever the guest asks for.
pub const QUERY_BATCH_ROWS_MAX: usize = 1024;
/// How many bytes of documents a batch of a query holds at most, the last document excepted.
pub const QUERY_BATCH_BYTES_MAX: usize = MIB;
/// Rows that a page looks at, at most.
pub const PAGE_ROWS_MAX: usize = 8192;
/// Rows from which on a page should become two,
pub const PAGE_ROWS_SOFT: usize = PAGE_ROWS_MAX * 3 / 4;
/// and bytes of documents that it looked at.
pub const PAGE_BYTES_SOFT: usize = TRANSACTION_BYTES_READ_MAX / 2 * 3 / 4;

// ---- Function calls

/// The claims of a user, as JSON.
pub const IDENTITY_BYTES_MAX: usize = 16 * KIB;
/// How large the arguments of a call may be, as JSON text.
pub const FUNCTION_ARGS_BYTES_MAX: usize = 16 * MIB;
/// How large the result of a call may be, as JSON text.
pub const FUNCTION_RESULT_BYTES_MAX: usize = 16 * MIB;
/// How long a query or mutation may compute, the time in the database excluded.
pub const FUNCTION_GUEST_TIME_MS_MAX: u64 = 1000;
/// How long a call may take in all, host calls included.
pub const FUNCTION_TOTAL_TIME_MS_MAX: u64 = 15_000;
/// From which time on, computing alone, a function is slow: it runs where it holds up none that are quick.
pub const SLOW_FUNCTION_MS: u64 = 20;
/// So often a slow mutation is tried without the gate, if it conflicts each time and others are to have the gate.
pub const SLOW_MUTATION_TRIES_MAX: u32 = 8;
/// How long a call may wait for its turn before it is refused.
pub const CALL_WAIT_MS_MAX: u64 = 10_000;
/// How often a call may call the host.
pub const FUNCTION_HOST_CALLS_MAX: usize = 100_000;
/// How many calls may stand one inside the other below a client's call.
pub const NESTED_CALLS_DEPTH_MAX: usize = 8;
/// How many other functions a call may call, those included that they call.
pub const NESTED_CALLS_MAX: usize = 1000;
/// How long a line that a function logs may be; the rest is cut.
pub const LOG_LINE_BYTES_MAX: usize = 4 * KIB;
/// How many lines a call may log; the rest is dropped.
pub const LOG_LINES_MAX: usize = 256;
/// How long the message of an error that reaches a client may be; the rest is cut.
pub const ERROR_MESSAGE_BYTES_MAX: usize = 16 * KIB;

// ---- Actions

/// How long an action may take in all: half an hour.
pub const ACTION_TOTAL_TIME_MS_MAX: u64 = 30 * 60 * 1000;
/// How long it may compute of that.
pub const ACTION_GUEST_TIME_MS_MAX: u64 = 5 * 60 * 1000;
/// How many actions may run at the same time,
pub const ACTIONS_AT_ONCE_MAX: usize = 4096;
/// and how many of one socket.
pub const SOCKET_ACTIONS_MAX: usize = 1000;
/// How many things an action may do at once.
pub const ACTION_TASKS_MAX: usize = 1000;
/// How many streams it may hold open.
pub const ACTION_STREAMS_MAX: usize = 1000;
/// How long a connection that a function makes may take to stand, TLS included,
pub const OUTBOUND_CONNECT_SECONDS_MAX: u64 = 10;
/// and for how long the other side may be silent: it may think for minutes.
pub const OUTBOUND_SILENCE_SECONDS_MAX: u64 = 10 * 60;
/// How often a request may be sent on.
pub const OUTBOUND_REDIRECTS_MAX: usize = 20;
/// How large a piece of a stream is that is handed to a function, at most.
pub const STREAM_PIECE_BYTES_MAX: usize = 64 * KIB;

// ---- Scheduled functions

/// How many functions a transaction may schedule.
pub const SCHEDULED_FUNCTIONS_MAX: usize = 1000;
/// How large the arguments of a scheduled function may be, as JSON text,
pub const SCHEDULED_ARGS_BYTES_MAX: usize = 4 * MIB;
/// and those of all that a transaction schedules.
pub const SCHEDULED_ARGS_BYTES_TOTAL_MAX: usize = 16 * MIB;
/// How many scheduled functions are called at once, unless the operator says otherwise.
pub const SCHEDULED_CALLS_AT_ONCE: usize = 8;
/// How many of them that are actions run at once: they wait, most of the time.
pub const SCHEDULED_ACTIONS_AT_ONCE: usize = 256;
/// How far ahead a function may be scheduled: five years.
pub const SCHEDULED_MS_MAX: f64 = 5.0 * 366.0 * 24.0 * 3600.0 * 1000.0;
/// How many cron jobs a deployment may have,
pub const CRONS_MAX: usize = 1000;
/// how long the name of one may be,
pub const CRON_NAME_CHARS_MAX: usize = 200;
/// and how many seconds there may be between its runs: five years.
pub const CRON_INTERVAL_SECONDS_MAX: u64 = 5 * 366 * 24 * 3600;
/// So many of a cron job's last runs are told of in its document.
pub const CRON_RUNS_KEPT: usize = 5;
/// More runs than this, skipped at once, are not counted.
pub const CRON_LATE_RUNS_TOLD_MAX: u64 = 1000;
/// How often it is looked whether there are some that ended long ago,
pub const SCHEDULED_SWEEP_MS: u64 = 10 * 60 * 1000;
/// and how long what became of a scheduled function is kept: a week.
pub const SCHEDULED_KEPT_MS: f64 = 7.0 * 24.0 * 3600.0 * 1000.0;

// ---- Files

/// How large a stored file may be, unless the operator says otherwise.
pub const FILE_BYTES_MAX: u64 = 10 << 30;
/// How long the type of a file may be, as text.
pub const FILE_TYPE_BYTES_MAX: usize = 255;
/// How long an upload URL is good for: an hour.
pub const UPLOAD_URL_MS: f64 = 3600.0 * 1000.0;
/// How long the body of an upload may be silent.
pub const UPLOAD_SILENCE_MS_MAX: u64 = 120_000;
/// How long what is left of the body of a request that was answered before its end is taken and dropped.
pub const REFUSED_BODY_MS_MAX: u64 = 10_000;
/// And how long the client may send nothing of it meanwhile.
pub const REFUSED_BODY_SILENCE_MS_MAX: u64 = 2_000;
/// How many files may be on their way at once, each with a piece in memory.
pub const UPLOADS_AT_ONCE_MAX: usize = 64;
/// How long a browser may keep a file: 30 days. What a URL gives never changes.
pub const FILE_CACHE_SECONDS: u64 = 30 * 24 * 3600;
/// How often it is looked whether there are files to be removed that were deleted,
pub const FILES_REMOVE_EVERY_MS: u64 = 10_000;
/// and how long they lie after that: for longer than anything reads a snapshot in which they are there.
pub const FILE_REMOVED_AFTER_MS: f64 = 2.0 * KEPT_SNAPSHOT_MS as f64;
/// How often files without documents are looked for,
pub const FILES_SWEEP_EVERY_MS: u64 = 3600 * 1000;
/// and how old they are then at least.
pub const FILES_SWEEP_AGE_MS: u64 = 3600 * 1000;

// ---- Users

/// How long a user's token may be.
pub const TOKEN_BYTES_MAX: usize = 16 * KIB;
/// How far a provider's clock and the host's may be apart.
pub const TOKEN_LEEWAY_SECONDS: u64 = 10;
/// For how long a token may be good that a function signs.
pub const SIGNED_TOKEN_SECONDS_MAX: u64 = 3600;
/// How many providers a deployment may have.
pub const AUTH_PROVIDERS_MAX: usize = 32;
/// How large their list may be as JSON, with the key sets that stand in it.
pub const AUTH_PROVIDERS_BYTES_MAX: usize = MIB;
/// How large a provider's key set may be, and what it says of itself (OIDC discovery).
pub const AUTH_KEY_SET_BYTES_MAX: usize = 256 * KIB;
/// How many keys of a key set are looked at.
pub const AUTH_KEYS_MAX: usize = 100;

// ---- Passwords and secrets

/// How long a password may be, as UTF-8.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// How many passwords a call may hash or hold against a hash.
pub const CALL_PASSWORDS_MAX: usize = 8;
/// How many calls may wait until it is their password's turn to be hashed or verified.
pub const PASSWORDS_WAITING_MAX: usize = 256;
/// How much memory the hash of a password may ask for to be verified.
pub const PASSWORD_HASH_MEMORY_KIB_MAX: u32 = 64 * KIB as u32;
/// How much memory it may ask to be gone through, in all its passes.
pub const PASSWORD_HASH_WORK_KIB_MAX: u32 = 4 * PASSWORD_HASH_MEMORY_KIB_MAX;
/// How many lanes it may ask for.
pub const PASSWORD_HASH_LANES_MAX: u32 = 16;
/// How long it may be, as text.
pub const PASSWORD_HASH_CHARS_MAX: usize = 256;
/// How many random bytes are given at once.
pub const RANDOM_BYTES_MAX: usize = 64 * KIB;

// ---- Cryptography with keys

/// The fewest bits that a new key of RSA has.
pub const RSA_GENERATED_BITS_MIN: u32 = 1024;
/// The most bits that a new key of RSA has: twice as many take eight times as long and more.
pub const RSA_GENERATED_BITS_MAX: u32 = 4096;
/// How many rounds PBKDF2 may take in one derivation: its iterations for each block of the digest's length.
pub const PBKDF2_ROUNDS_MAX: u64 = 1_000_000;
/// How much memory scrypt may go through in one derivation: 128 bytes times its cost, block size and parallelization. Four
/// times what libraries for sign-in take today.
pub const SCRYPT_WORK_MAX: u64 = 128 * MIB as u64;
/// How many bytes are derived from a secret at once.
pub const DERIVED_BYTES_MAX: usize = 64 * KIB;

// ---- Internationalization

/// How long the options of a formatter may be, as JSON.
pub const INTL_OPTIONS_BYTES_MAX: usize = 16 * KIB;
/// How long what is formatted or compared may be, as UTF-8.
pub const INTL_INPUT_BYTES_MAX: usize = MIB;
/// How long a text may be that is cut into words or characters: it takes longest.
pub const INTL_SEGMENTED_BYTES_MAX: usize = 256 * KIB;
/// How many formatters of each kind are kept.
pub const INTL_FORMATTERS_KEPT: usize = 256;

// ---- Guests

/// How much linear memory an instance may have.
pub const GUEST_MEMORY_BYTES_MAX: usize = 64 * MIB;
/// How much stack an instance may use: ten thousand calls of JavaScript, one in the other.
pub const GUEST_STACK_BYTES_MAX: usize = 12 * MIB;
/// How much stack the host may need beside a guest's.
pub const HOST_STACK_BYTES_MAX: usize = 256 * KIB;
/// How much stack a thread has that runs functions: for a guest, one that it calls, and the host between them. What those
/// call in turn runs on a stack of its own. Stack that is not used takes no memory.
pub const THREAD_STACK_BYTES: usize = 26 * MIB;
/// How many elements the tables of an instance may have.
pub const GUEST_TABLE_ELEMENTS_MAX: usize = 100_000;
/// How often the clock that ends guests ticks.
pub const GUEST_EPOCH_TICK_MS: u64 = 10;
/// How large the manifest that a module describes itself with may be. That of Better Auth's component has 1.1 MB, for six
/// functions.
pub const MANIFEST_BYTES_MAX: usize = 8 * MIB;
/// How many functions a deployment may have.
pub const DEPLOY_FUNCTIONS_MAX: usize = 10_000;

// ---- Deployments

/// How large one component may be.
pub const MODULE_BYTES_MAX: usize = 32 * MIB;
/// The actions of a module that run in Node: their bundle and its source map together, unpacked, in bytes.
pub const NODE_BUNDLE_BYTES_MAX: usize = 64 * MIB;
/// How long a module's name may be, in ASCII characters.
pub const MODULE_NAME_CHARS_MAX: usize = 64;
/// How many modules a deployment may have.
pub const DEPLOY_MODULES_MAX: usize = 64;
/// How large all components of a deployment may be together.
pub const DEPLOY_BYTES_MAX: usize = 64 * MIB;
/// How large the body of the request that deploys may be: base64 of the components, and names.
pub const DEPLOY_REQUEST_BYTES_MAX: usize = 96 * MIB;

/// How long all of a deployment may take to be compiled, if the operator does not say otherwise.
pub const DEPLOY_TIME_MS_MAX: u64 = 120_000;
/// How much memory the process may have that compiles a component, if the operator does not say otherwise.
pub const DEPLOY_MEMORY_BYTES_MAX: u64 = 1024 * MIB as u64;
/// How large the machine code of a component may be.
pub const COMPILED_BYTES_MAX: u64 = 256 * MIB as u64;
/// How many components wait to be compiled; one is compiled at a time.
pub const COMPILATIONS_WAITING_MAX: usize = 16;

// ---- Components

/// How long the name of a component or of a mount may be, in ASCII characters.
pub const COMPONENT_NAME_CHARS_MAX: usize = 64;
/// How many components may be mounted one in the other.
pub const COMPONENT_DEPTH_MAX: usize = 8;
/// How many mounts a deployment may have, those inside others included.
pub const COMPONENT_MOUNTS_MAX: usize = 256;
/// How many components without a mount may have data that waits for them.
pub const COMPONENT_NAMESPACES_MAX: usize = 4 * COMPONENT_MOUNTS_MAX;

// ---- Variables

/// How many variables a deployment may have, without the built-in ones.
pub const VARIABLES_MAX: usize = 1000;
/// How long the name of a variable may be, in ASCII characters.
pub const VARIABLE_NAME_CHARS_MAX: usize = 256;
/// How large the value of a variable may be, as UTF-8.
pub const VARIABLE_VALUE_BYTES_MAX: usize = 8 * KIB;
/// How long a change of variables waits for a deployment that is under way.
pub const VARIABLES_WAIT_MS_MAX: u64 = 10_000;

// ---- Admin keys

/// How many admin keys there may be beside the first one, those included that have expired.
pub const ADMIN_KEYS_MAX: usize = 1000;
/// How long the name of an admin key may be, in ASCII characters.
pub const ADMIN_KEY_NAME_CHARS_MAX: usize = 64;
/// How long an admin key that expires may be good for: a hundred years.
pub const ADMIN_KEY_LIFETIME_S_MAX: u64 = 100 * 365 * 24 * 3600;

// ---- The audit log

/// How large one file of the log is, until the next one begins,
pub const AUDIT_FILE_BYTES_MAX: u64 = 16 << 20;
/// and how many are kept: the oldest is removed.
pub const AUDIT_FILES_KEPT: usize = 64;
/// How much room is set aside on the disk for what ends what has begun.
pub const AUDIT_RESERVE_BYTES: u64 = 1 << 20;
/// How many lines may wait for the disk that nobody waits for.
pub const AUDIT_LINES_WAITING_MAX: usize = 100_000;
/// How many entries are shown unless somebody asks for more or less,
pub const AUDIT_LINES_SHOWN: usize = 100;
/// and how many at most.
pub const AUDIT_LINES_SHOWN_MAX: usize = 10_000;

// ---- The host's own log: what functions have it say, and what strangers cause

/// How many lines functions may write into it a second, unless the operator says otherwise,
pub const LOG_LINES_PER_SECOND: u64 = 200;
/// which part of that one function has, for its failures and as much again for the rest,
pub const LOG_PART_OF_FUNCTION: u64 = 4;
/// and for how many seconds' worth of that at once: all that one call may log.
pub const LOG_BURST_SECONDS: u64 = 10;
/// So many lines a second of a function are written however much others write.
pub const LOG_LINES_GRANTED_PER_SECOND: u64 = 1;
/// A line counts as one for each of these bytes that it has begun.
pub const LOG_BYTES_PER_LINE: usize = KIB;
/// How often it is said what was left out,
pub const LOG_LEFT_OUT_TOLD_MS: u64 = 10_000;
/// and of how many functions one by one.
pub const LOG_LEFT_OUT_TOLD_MAX: usize = 20;

// ---- Storage

/// How large one record of the log, a commit group, may be.
pub const LOG_RECORD_BYTES_MAX: usize = 256 * MIB;
/// How long the record of a session's request is kept, so that its replay is answered from it: in time that a host runs
/// on the data, and never for less.
pub const SESSION_RECORD_MS: u64 = 14 * 24 * 3600 * 1000;
/// How exactly that is measured: how much running time lies between two marks in the row of commits.
pub const SESSION_RECORD_MARK_MS: u64 = SESSION_RECORD_MS / 16;
/// How often running time is written down, and records that are old enough are dropped.
pub const SESSION_SWEEP_MS: u64 = 3600 * 1000;
/// How many records one step of a sweep looks at.
pub const SESSION_SWEEP_STEP_ROWS: usize = 512;
/// How many bytes of records, the last few excepted.
pub const SESSION_SWEEP_STEP_BYTES: usize = 4 * MIB;

// ---- Memory

/// What the process may hold in memory, unless the operator says otherwise: a half is the store's,
pub const MEMORY_BYTES: usize = 512 * MIB;
/// and a quarter what is held for clients: what they have sent, what they watch, and what they have not taken yet. The
/// rest is for functions as they run, and for the process itself.
pub const MEMORY_PART_OF_CLIENTS: usize = 4;
/// Connections from one address hold this part of it at most, this machine's own excepted,
pub const BUDGET_PART_OF_ADDRESS: usize = 2;
/// and one connection this part with its requests and their answers, and as much again with the results of the queries
/// that it watches.
pub const BUDGET_PART_OF_CONNECTION: usize = 3;
/// Who holds no more than this is not refused more, however much others hold.
pub const BUDGET_GRANTED_BYTES: usize = 32 * KIB;
/// Who holds no more than this may fill the last quarter of what is held for clients.
pub const BUDGET_LIGHT_BYTES: usize = MIB;
/// What a message that is on its way may hold without being counted: no more than a socket's buffer has.
pub const MESSAGE_BYTES_UNCOUNTED: usize = 4 * KIB;
/// Answers that are no larger are not counted: there are so many at most as calls in flight.
pub const ANSWER_BYTES_UNCOUNTED: usize = KIB;
/// What a watched query is counted with beside its arguments and its result: as much as 40,000 of the smallest take, each
/// watched by one socket, by the process's resident memory.
pub const WATCHED_QUERY_BYTES: usize = 2 * KIB;
/// What is larger is read and written on threads apart, not on those of the network,
pub const INLINE_JSON_BYTES_MAX: usize = 64 * KIB;
/// and so many bytes of it at once, because it takes several times as much memory while it is read.
pub const JSON_AT_ONCE_BYTES_MAX: usize = FRAME_BYTES_MAX;
/// Arguments and results that are larger are checked one at a time, for the same reason.
pub const VALUE_ALONE_BYTES: usize = 256 * KIB;

// ---- Sync

/// How large one message of a client may be: the arguments of a call, and what stands around them.
pub const FRAME_BYTES_MAX: usize = FUNCTION_ARGS_BYTES_MAX + 64 * KIB;
/// How large the first message of a socket may be: it says who comes.
pub const CONNECT_BYTES_MAX: usize = 64 * KIB;
/// How long a client may take to send a message that it has begun.
pub const SOCKET_MESSAGE_MS_MAX: u64 = 60_000;
/// How many mutations of one socket may wait.
pub const SOCKET_MUTATIONS_IN_FLIGHT_MAX: usize = 1000;
/// How many bytes of arguments the waiting mutations of one socket may hold together.
pub const SOCKET_MUTATION_BYTES_IN_FLIGHT_MAX: usize = 2 * FRAME_BYTES_MAX;
/// How many queries one socket may watch.
pub const SOCKET_QUERIES_MAX: usize = 10_000;
/// How many changes of the query set one message may hold.
pub const QUERY_SET_MODIFICATIONS_MAX: usize = 10_000;
/// How many mutations of one socket run before others get their turn.
pub const MUTATION_QUEUE_RUN_MAX: usize = 16;
/// How many sockets may be open.
pub const SOCKETS_MAX: usize = 100_000;
/// A text of the web folder up to this size is sent compressed to clients that take that.
pub const WEB_ENCODED_FILE_BYTES_MAX: usize = 4 * MIB;
/// How much of compressed texts of the web folder is kept.
pub const WEB_ENCODED_BYTES_MAX: usize = 32 * MIB;
/// How many functions have figures of their own among the metrics; the rest share one.
pub const METRICS_FUNCTIONS_MAX: usize = 200;
/// A server sends the protocol's `Ping` after this long without another message.
pub const SYNC_PING_MS: u64 = 15_000;
/// A server sends a WebSocket ping to a client that was silent for this long: with the other one, so that an idle socket
/// costs one write and one read.
pub const SOCKET_PING_MS: u64 = 15_000;
/// Pings leave at multiples of this time, those of many sockets at one waking of the timer.
pub const SOCKET_PING_GRID_MS: u64 = 500;
/// A client that is silent for this long is dropped.
pub const SOCKET_SILENCE_MS_MAX: u64 = 120_000;
/// A client that takes nothing for this long, while there is something to take, is dropped,
pub const SOCKET_WRITE_MS_MAX: u64 = 60_000;
/// and so is one that takes less than this in that time.
pub const WRITE_BYTES_MIN: usize = 64 * KIB;
/// The silence after which the least patient official client gives a server up.
pub const CLIENT_PATIENCE_MS: u64 = 30_000;
/// A `Transition` larger than this travels to clients that know chunks in chunks of this size.
pub const TRANSITION_CHUNK_BYTES_MAX: usize = 5_000_000;
/// How long the reason of a WebSocket close may be.
pub const CLOSE_REASON_BYTES_MAX: usize = 123;
/// How many steps the comparison of two results may cost before the whole value is sent.
pub const DIFF_COST_MAX: usize = 100_000;
/// How many keys of recent commit groups are kept while queries run: those that read a snapshot older than the
/// oldest of them run again.
pub const LIVE_RECENT_KEYS_MAX: usize = 1_000_000;
/// How many patches to its newest version a live query keeps encoded for the sockets at older ones.
pub const DIFF_BASES_MAX: usize = 4;

// ---- HTTP

/// How large the body of a request may be, other than a deployment's.
pub const HTTP_BODY_BYTES_MAX: usize = FUNCTION_ARGS_BYTES_MAX + 64 * KIB;
/// How large the head of a request may be.
pub const HTTP_HEAD_BYTES_MAX: usize = 64 * KIB;
/// How long a client may take to send the head of a request.
pub const HTTP_HEAD_MS_MAX: u64 = 10_000;
/// How long a client may take to send the body of a request.
pub const HTTP_BODY_MS_MAX: u64 = 120_000;
/// How many function calls over HTTP may run or wait at a time.
pub const HTTP_CALLS_IN_FLIGHT_MAX: usize = 1024;
/// How long a timestamp that `query_ts` gave can be read at: its snapshot is kept.
pub const KEPT_SNAPSHOT_MS: u64 = 30_000;
/// How many such snapshots are kept.
pub const KEPT_SNAPSHOTS_MAX: usize = 64;
/// How many queries one batch request may hold,
pub const HTTP_QUERY_BATCH_MAX: usize = 1000;
/// and how large their results may be together, as JSON.
pub const HTTP_QUERY_BATCH_BYTES_MAX: usize = 2 * FUNCTION_RESULT_BYTES_MAX;
/// Which part of the files that a process may have open is kept for the store, the log, and whatever is no request,
pub const RESERVED_PART_OF_FILES: usize = 32;
/// at least, of a process that may have few,
pub const RESERVED_FILES_MIN: usize = 96;
/// and at most.
pub const RESERVED_FILES_MAX: usize = 4096;
/// Which part connections leave for what requests open, files and requests of functions, whoever has taken all others;
pub const REQUESTS_PART_OF_FILES: usize = 64;
/// at least,
pub const REQUEST_FILES_MIN: usize = 32;
/// and at most.
pub const REQUEST_FILES_MAX: usize = 1024;
/// Open files that a process of Node takes: both directions are one, and the system's word of its end.
pub const NODE_PROCESS_FILES: usize = 2;
/// How many connections to one place are kept that no function uses,
pub const OUTBOUND_IDLE_PER_HOST_MAX: usize = 16;
/// to all places,
pub const OUTBOUND_IDLE_MAX: usize = 48;
/// or this part of the files that connections leave to requests, if that is less,
pub const OUTBOUND_IDLE_PART_OF_REQUESTS: usize = 2;
/// and for how long: they are open files, and nobody's.
pub const OUTBOUND_IDLE_SECONDS_MAX: u64 = 30;
/// How long a TLS handshake may take, from the connection on.
pub const TLS_HANDSHAKE_MS_MAX: u64 = 10_000;
/// How many handshakes may be under way.
pub const TLS_HANDSHAKES_MAX: usize = 4096;
/// How often certificates in files are looked at.
pub const TLS_FILES_LOOK_MS: u64 = 5_000;
/// How long it may take to get a certificate by ACME, from the first request to the last,
pub const ACME_ORDER_MS_MAX: u64 = 5 * 60_000;
/// and how long one of its requests.
pub const ACME_REQUEST_MS_MAX: u64 = 30_000;
/// How large an answer to one may be.
pub const ACME_ANSWER_BYTES_MAX: usize = 1 << 20;
/// How long the first pause after a failure is at least; each one after it is six times as long,
pub const ACME_PAUSE_MS_MIN: u64 = 10_000;
/// up to this one: six hours. Five attempts fall into the first hour, which is what Let's Encrypt takes, then fewer than one
/// an hour.
pub const ACME_PAUSE_MS_MAX: u64 = 6 * 3_600_000;
/// For how long at most an authority is believed that says when to come back.
pub const ACME_RETRY_AFTER_MS_MAX: u64 = 24 * 3_600_000;
/// How often it is looked whether a certificate is due, by the wall clock, which may jump.
pub const ACME_LOOK_MS: u64 = 60_000;
/// How often it is tried to write down a certificate that the disk has not taken.
pub const ACME_WRITE_AGAIN_MS: u64 = 5_000;
/// For how long browsers ask a server for nothing in plain text that has told them so, unless the operator says otherwise:
/// a month.
pub const HSTS_SECONDS: u64 = 30 * 24 * 3600;
/// How many connections may be open, sockets included, where the system allows as many open files.
pub const HTTP_CONNECTIONS_MAX: usize = SOCKETS_MAX + 1024;
/// How long calls that run have to finish after a signal to stop, before their guests are interrupted,
pub const SHUTDOWN_CALLS_MS_MAX: u64 = 15_000;
/// how long connections have then,
pub const SHUTDOWN_INTERRUPTED_MS_MAX: u64 = 2_000;
/// and how long a stop takes in all.
pub const SHUTDOWN_MS_MAX: u64 = 20_000;

// ---- One address. An office behind one is hundreds of people, each with a handful of connections.

/// How many connections of one address may be open, unless the operator says otherwise,
pub const ADDRESS_CONNECTIONS_MAX: usize = 4096;
/// and how many sockets.
pub const ADDRESS_SOCKETS_MAX: usize = 2048;
/// How many functions it may call a second,
pub const ADDRESS_CALLS_PER_SECOND_MAX: u64 = 2000;
/// and for how many seconds' worth of those at once: whoever reconnects asks for all queries anew.
pub const ADDRESS_CALLS_BURST_SECONDS: u64 = 10;
/// How much it may send a second, in KiB,
pub const ADDRESS_KIB_PER_SECOND_MAX: u64 = 64 * 1024;
/// and for how many seconds' worth of that at once.
pub const ADDRESS_BYTES_BURST_SECONDS: u64 = 4;
/// An address that has sent so much that its connections wait for longer is refused new requests.
pub const ADDRESS_BYTES_WAIT_MS_MAX: u64 = 2_000;
/// Nothing that an address has done makes it wait for longer.
pub const ADDRESS_DEBT_MS_MAX: u64 = 60_000;
/// How many admin keys that are none one address may send a minute, unless the operator says otherwise. A tool whose key was
/// revoked comes back every few seconds, and is no attack.
pub const ADDRESS_WRONG_KEYS_PER_MINUTE_MAX: u64 = 20;
/// How many addresses are remembered that take nothing just now.
pub const ADDRESSES_MAX: usize = 65_536;
/// How often those are forgotten that owe nothing.
pub const ADDRESSES_SWEEP_EVERY_MS: u64 = 10_000;

// ---- The relations between them

const _: () = {
    // All variables can be set at once, each in a document.
    assert!(VARIABLES_MAX <= TRANSACTION_DOCUMENTS_WRITTEN_MAX);
    assert!(
        VARIABLES_MAX * (VARIABLE_NAME_CHARS_MAX + VARIABLE_VALUE_BYTES_MAX) <= TRANSACTION_BYTES_WRITTEN_MAX
    );
    // A document is a value, and fits in a transaction, which fits in a log record.
    assert!(DOCUMENT_NESTING_MAX <= VALUE_NESTING_MAX);
    assert!(DOCUMENT_SIZE_BYTES_MAX <= VALUE_SIZE_BYTES_MAX);
    assert!(DOCUMENT_SIZE_BYTES_MAX <= TRANSACTION_BYTES_WRITTEN_MAX);
    assert!(DOCUMENT_SIZE_BYTES_MAX <= TRANSACTION_BYTES_READ_MAX);
    assert!(DOCUMENT_FIELD_NAME_CHARS_MAX <= FIELD_NAME_CHARS_MAX);
    // What is written can be read again by another transaction.
    assert!(TRANSACTION_DOCUMENTS_WRITTEN_MAX <= TRANSACTION_DOCUMENTS_READ_MAX);
    assert!(TRANSACTION_BYTES_WRITTEN_MAX <= TRANSACTION_BYTES_READ_MAX);
    // The parser of JSON that stands under every decoder ends at 128; ours ends before, with a better error.
    assert!(VALUE_NESTING_MAX < 127);
    // A transaction's writes and its session record (with the result) are one record of the log.
    assert!(2 * (TRANSACTION_BYTES_WRITTEN_MAX + FUNCTION_RESULT_BYTES_MAX) <= LOG_RECORD_BYTES_MAX);
    // Running time is noted often enough for the marks, and the marks are few.
    assert!(SESSION_SWEEP_MS <= SESSION_RECORD_MARK_MS);
    assert!(SESSION_RECORD_MS <= 32 * SESSION_RECORD_MARK_MS);
    // A result of documents can hold what a transaction may read.
    assert!(FUNCTION_RESULT_BYTES_MAX >= TRANSACTION_BYTES_READ_MAX);
    // Arguments and results are values.
    assert!(FUNCTION_ARGS_BYTES_MAX <= VALUE_SIZE_BYTES_MAX);
    assert!(FUNCTION_RESULT_BYTES_MAX <= VALUE_SIZE_BYTES_MAX);
    // Batches and cursors stay within a transaction.
    assert!(QUERY_BATCH_ROWS_DEFAULT <= QUERY_BATCH_ROWS_MAX);
    assert!(QUERY_BATCH_ROWS_MAX <= TRANSACTION_DOCUMENTS_READ_MAX);
    assert!(QUERY_CURSORS_MAX <= TRANSACTION_RANGES_READ_MAX);
    assert!(TRANSACTION_DOCUMENTS_READ_MAX + TRANSACTION_DOCUMENTS_WRITTEN_MAX <= FUNCTION_HOST_CALLS_MAX);
    // The clock that ends guests is much finer than what it measures.
    assert!(GUEST_EPOCH_TICK_MS * 20 <= FUNCTION_GUEST_TIME_MS_MAX);
    assert!(FUNCTION_GUEST_TIME_MS_MAX <= FUNCTION_TOTAL_TIME_MS_MAX);
    assert!(GUEST_STACK_BYTES_MAX < GUEST_MEMORY_BYTES_MAX);
    assert!(2 * (GUEST_STACK_BYTES_MAX + HOST_STACK_BYTES_MAX) <= THREAD_STACK_BYTES);
    // A guest holds its arguments and its result, and some room to work in.
    assert!(FUNCTION_ARGS_BYTES_MAX + FUNCTION_RESULT_BYTES_MAX < GUEST_MEMORY_BYTES_MAX);
    // A deployment travels as base64.
    assert!(MODULE_BYTES_MAX <= DEPLOY_BYTES_MAX);
    assert!(DEPLOY_BYTES_MAX / 3 * 4 + MIB <= DEPLOY_REQUEST_BYTES_MAX);
    // What a call may have as arguments fits in a message, and as one request in what a socket may queue.
    assert!(FUNCTION_ARGS_BYTES_MAX < FRAME_BYTES_MAX);
    assert!(FUNCTION_ARGS_BYTES_MAX < HTTP_BODY_BYTES_MAX);
    assert!(FRAME_BYTES_MAX <= SOCKET_MUTATION_BYTES_IN_FLIGHT_MAX);
    // By default a connection can send the largest message, and is answered with the largest result.
    assert!(
        FRAME_BYTES_MAX + FUNCTION_RESULT_BYTES_MAX
            <= MEMORY_BYTES / MEMORY_PART_OF_CLIENTS / BUDGET_PART_OF_CONNECTION
    );
    assert!(BUDGET_GRANTED_BYTES < BUDGET_LIGHT_BYTES);
    assert!(CONNECT_BYTES_MAX <= INLINE_JSON_BYTES_MAX);
    assert!(INLINE_JSON_BYTES_MAX <= JSON_AT_ONCE_BYTES_MAX);
    assert!(SOCKET_MESSAGE_MS_MAX <= HTTP_BODY_MS_MAX);
    assert!(MUTATION_QUEUE_RUN_MAX <= SOCKET_MUTATIONS_IN_FLIGHT_MAX);
    // A client hears from the server before it gives it up, and the server hears several answers before it does.
    assert!(SYNC_PING_MS * 2 <= CLIENT_PATIENCE_MS);
    assert!(SOCKET_PING_MS <= SYNC_PING_MS);
    assert!(SOCKET_PING_GRID_MS * 10 <= SOCKET_PING_MS);
    assert!(SYNC_PING_MS + SOCKET_PING_GRID_MS < CLIENT_PATIENCE_MS);
    assert!(REFUSED_BODY_SILENCE_MS_MAX <= REFUSED_BODY_MS_MAX);
    assert!(SOCKET_PING_MS * 4 <= SOCKET_SILENCE_MS_MAX);
    assert!(SOCKET_WRITE_MS_MAX <= SOCKET_SILENCE_MS_MAX);
    assert!(SOCKETS_MAX < HTTP_CONNECTIONS_MAX);
    // A socket that waits for its address is not taken for a silent one; one may send the largest message there is.
    assert!(ADDRESS_DEBT_MS_MAX < SOCKET_SILENCE_MS_MAX);
    assert!(ADDRESS_KIB_PER_SECOND_MAX as usize * KIB >= FRAME_BYTES_MAX);
    assert!(ADDRESS_SOCKETS_MAX <= ADDRESS_CONNECTIONS_MAX && ADDRESS_CONNECTIONS_MAX < HTTP_CONNECTIONS_MAX);
    // A call's lines come out whole while nobody else logs.
    assert!(LOG_LINES_PER_SECOND / LOG_PART_OF_FUNCTION * LOG_BURST_SECONDS >= LOG_LINES_MAX as u64);
    // A call that began before the signal to stop may end.
    assert!(FUNCTION_TOTAL_TIME_MS_MAX <= SHUTDOWN_CALLS_MS_MAX);
    assert!(SHUTDOWN_CALLS_MS_MAX + SHUTDOWN_INTERRUPTED_MS_MAX < SHUTDOWN_MS_MAX);
    // What is slow is noticed well before it is ended.
    assert!(SLOW_FUNCTION_MS * 10 <= FUNCTION_GUEST_TIME_MS_MAX);
    // A client that waits for its turn is told before it gives the server up.
    assert!(CALL_WAIT_MS_MAX < CLIENT_PATIENCE_MS);
};
