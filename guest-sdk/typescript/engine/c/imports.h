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
IMPORT("db", "usage") void db_usage(Result *);
IMPORT("db", "normalize-id") void db_normalize_id(Bytes table, Size, Bytes id, Size, Result *);
IMPORT("db", "insert") void db_insert(Bytes table, Size, Bytes document, Size, Result *);
IMPORT("db", "patch") void db_patch(bool has_table, Bytes table, Size, Bytes id, Size, Bytes fields, Size, Result *);
IMPORT("db", "replace") void db_replace(bool has_table, Bytes table, Size, Bytes id, Size, Bytes document, Size, Result *);
IMPORT("db", "delete") void db_delete(bool has_table, Bytes table, Size, Bytes id, Size, Result *);

IMPORT("context", "now") double context_now(void);
IMPORT("context", "random-seed") void context_random_seed(Result *);
IMPORT("context", "request-id") void context_request_id(Result *);
IMPORT("context", "identity") void context_identity(Result *);
IMPORT("context", "component") void context_component(Result *);

IMPORT("calls", "run-query") void calls_run_query(Bytes path, Size, Bytes args, Size, Result *);
IMPORT("calls", "run-mutation") void calls_run_mutation(Bytes path, Size, Bytes args, Size, Result *);
IMPORT("calls", "run-with")
void calls_run_with(Bytes path, Size, Bytes args, Size, Bytes options, Size, Result *);
IMPORT("calls", "function-handle") void calls_function_handle(Bytes path, Size, Result *);

IMPORT("crypto", "hash-password") void crypto_hash_password(Bytes password, Size, Result *);
IMPORT("crypto", "verify-password") void crypto_verify_password(Bytes password, Size, Bytes hash, Size, Result *);
IMPORT("crypto", "random-bytes") void crypto_random_bytes(uint32_t length, Result *);
IMPORT("crypto", "digest") void crypto_digest(Bytes algorithm, Size, Bytes data, Size, Result *);

IMPORT("http", "send") void http_send(Bytes request, Size, bool has_body, Bytes body, Size, Result *);
IMPORT("http", "respond") void http_respond(Bytes response, Size, bool has_body, Bytes body, Size, Result *);

IMPORT("intl", "run") void intl_run(Bytes operation, Size, Bytes options, Size, Bytes input, Size, Result *);
IMPORT("intl", "compare") void intl_compare(Bytes options, Size, Bytes a, Size, Bytes b, Size, Result *);
IMPORT("intl", "sort-key") void intl_sort_key(Bytes options, Size, Bytes text, Size, Result *);

IMPORT("log", "write") void log_write(uint32_t level, Bytes message, Size);

IMPORT("scheduler", "run-at") void scheduler_run_at(Bytes path, Size, Bytes args, Size, double at, Result *);
IMPORT("scheduler", "cancel") void scheduler_cancel(Bytes id, Size, Result *);

IMPORT("storage", "generate-upload-url") void storage_generate_upload_url(Result *);
IMPORT("storage", "get-url") void storage_get_url(Bytes id, Size, Result *);
IMPORT("storage", "get-metadata") void storage_get_metadata(Bytes id, Size, Result *);
IMPORT("storage", "delete") void storage_delete(Bytes id, Size, Result *);
IMPORT("storage", "store") void storage_store(Bytes options, Size, bool has_body, Bytes body, Size, Result *);
IMPORT("storage", "get") void storage_get(Bytes id, Size, Result *);

IMPORT("streams", "read") void streams_read(uint32_t stream, Result *);
IMPORT("streams", "create") void streams_create(Result *);
IMPORT("streams", "write") void streams_write(uint32_t stream, Bytes piece, Size, Result *);
IMPORT("streams", "close") void streams_close(uint32_t stream, bool is_broken, Bytes reason, Size);

IMPORT("tasks", "run-query") void tasks_run_query(Bytes path, Size, Bytes args, Size, Result *);
IMPORT("tasks", "run-mutation") void tasks_run_mutation(Bytes path, Size, Bytes args, Size, Result *);
IMPORT("tasks", "run-action") void tasks_run_action(Bytes path, Size, Bytes args, Size, Result *);
IMPORT("tasks", "sleep") void tasks_sleep(double milliseconds, Result *);
IMPORT("tasks", "wait") void tasks_wait(Result *);
IMPORT("tasks", "cancel") void tasks_cancel(uint32_t task);

IMPORT("variables", "get") void variables_get(Bytes name, Size, Result *);
IMPORT("variables", "names") void variables_names(Result *);

#define WEB_CRYPTO(name) IMPORT("web-crypto", name) void

WEB_CRYPTO("sign") web_crypto_sign(Bytes algorithm, Size, Bytes key, Size, Bytes data, Size, Result *);
WEB_CRYPTO("verify")
web_crypto_verify(Bytes algorithm, Size, Bytes key, Size, Bytes signature, Size, Bytes data, Size, Result *);
WEB_CRYPTO("encrypt")
web_crypto_encrypt(Bytes algorithm, Size, Bytes key, Size, Bytes iv, Size, Bytes additional, Size, Bytes data, Size, Result *);
WEB_CRYPTO("decrypt")
web_crypto_decrypt(Bytes algorithm, Size, Bytes key, Size, Bytes iv, Size, Bytes additional, Size, Bytes data, Size, Result *);
WEB_CRYPTO("derive-bits")
web_crypto_derive_bits(Bytes algorithm, Size, Bytes key, Size, Bytes salt, Size, Bytes info, Size, uint32_t length, Result *);
WEB_CRYPTO("agree")
web_crypto_agree(Bytes algorithm, Size, Bytes private_key, Size, Bytes public_key, Size, Result *);
WEB_CRYPTO("import-key") web_crypto_import_key(Bytes algorithm, Size, Bytes format, Size, Bytes data, Size, Result *);
WEB_CRYPTO("export-key")
web_crypto_export_key(Bytes algorithm, Size, uint32_t kind, Bytes key, Size, Bytes format, Size, Result *);
WEB_CRYPTO("generate-key") web_crypto_generate_key(Bytes algorithm, Size, Result *);
