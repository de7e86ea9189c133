// The host's functions, as the canonical ABI passes them: `wit/`. A text or bytes are an address and a length; what does
// not fit a register is written where the last argument points, in words of 32 bits (`Result`).
#pragma once

#include <stdbool.h>
#include <stdint.h>

// The largest of all results, and room to spare. An enum's or an option's first byte is its case.
typedef struct {
  _Alignas(8) uint32_t words[12];
} Result;

typedef const char *Bytes;
typedef uint32_t Size;

#define IMPORT(interface, name) \
  __attribute__((import_module("weir:guest/" interface "@0.1.0"), import_name(name))) extern

IMPORT("auth", "sign-jwt") void auth_sign_jwt(Bytes claims, Size, Bytes options, Size, Result *);

IMPORT("db", "get") void db_get(bool has_table, Bytes table, Size, Bytes id, Size, Result *);
IMPORT("db", "get-many") void db_get_many(bool has_table, Bytes table, Size, Bytes ids, Size, Result *);
IMPORT("db", "query") void db_query(Bytes plan, Size, uint32_t rows_max, Result *);
IMPORT("db", "query-next") void db_query_next(uint32_t cursor, uint32_t rows_max, Result *);
IMPORT("db", "query-close") void db_query_close(uint32_t cursor);
IMPORT("db", "page") void db_page(Bytes plan, Size, Bytes options, Size, Result *);
IMPORT("db", "count") void db_count(Bytes plan, Size, Result *);
IMPORT("db", "normalize-id") void db_normalize_id(Bytes table, Size, Bytes id, Size, Result *);
IMPORT("db", "insert") void db_insert(Bytes table, Size, Bytes document, Size, Result *);
IMPORT("db", "patch") void db_patch(bool has_table, Bytes table, Size, Bytes id, Size, Bytes fields, Size, Result *);
IMPORT("db", "replace") void db_replace(bool has_table, Bytes table, Size, Bytes id, Size, Bytes document, Size, Result *);
IMPORT("db", "delete") void db_delete(bool has_table, Bytes table, Size, Bytes id, Size, Result *);

IMPORT("context", "now") double context_now(void);
IMPORT("context", "random-seed") void context_random_seed(Result *);
IMPORT("context", "request-id") void context_request_id(Result *);
IMPORT("context", "identity") void context_identity(Result *);

IMPORT("calls", "run-query") void calls_run_query(Bytes path, Size, Bytes args, Size, Result *);
IMPORT("calls", "run-mutation") void calls_run_mutation(Bytes path, Size, Bytes args, Size, Result *);

IMPORT("crypto", "hash-password") void crypto_hash_password(Bytes password, Size, Result *);
IMPORT("crypto", "verify-password") void crypto_verify_password(Bytes password, Size, Bytes hash, Size, Result *);
IMPORT("crypto", "random-bytes") void crypto_random_bytes(uint32_t length, Result *);
IMPORT("crypto", "digest") void crypto_digest(Bytes algorithm, Size, Bytes data, Size, Result *);

IMPORT("log", "write") void log_write(uint32_t level, Bytes message, Size);

IMPORT("scheduler", "run-at") void scheduler_run_at(Bytes path, Size, Bytes args, Size, double at, Result *);
IMPORT("scheduler", "cancel") void scheduler_cancel(Bytes id, Size, Result *);

IMPORT("variables", "get") void variables_get(Bytes name, Size, Result *);
IMPORT("variables", "names") void variables_names(Result *);
