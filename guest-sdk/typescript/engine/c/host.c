#include "host.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "heap.h"
#include "imports.h"
#include "json.h"
#include "text.h"

enum { LEVEL_DEBUG, LEVEL_INFO, LEVEL_LOG, LEVEL_WARN, LEVEL_ERROR, LEVELS };

#define ARGUMENTS_MAX 5

// The texts of a call's arguments, and the host's answer.
typedef struct {
  JSContext *context;
  const char *kinds;
  Text texts[ARGUMENTS_MAX];
  Result result;
} Call;

static void free_arguments(Call *call) {
  for (int i = 0; call->kinds[i]; i++) {
    if (call->kinds[i] == 'j') {
      json_free(&call->texts[i]);
    } else if (call->kinds[i] != 'b' && call->kinds[i] != 'p') {
      text_free(call->context, &call->texts[i]);
    }
  }
}

static bool read_argument(JSContext *context, char kind, JSValueConst value, Text *text) {
  switch (kind) {
    case 'j':
      return json_of(context, value, text);
    case 'b':
    case 'p':
      return text_bytes_of(context, value, text);
    default:
      return text_of(context, value, text);
  }
}

// Reads arguments by their kinds: `t` a text, `o` one that may be undefined or null, `j` a value whose JSON is wanted,
// `b` an ArrayBuffer or a view of one, `p` such that may be undefined.
static bool begin(Call *call, JSContext *context, const char *kinds, JSValueConst *argv) {
  *call = (Call){.context = context, .kinds = kinds};
  for (int i = 0; kinds[i]; i++) {
    if ((kinds[i] == 'o' || kinds[i] == 'p') && (JS_IsUndefined(argv[i]) || JS_IsNull(argv[i]))) continue;
    if (!read_argument(context, kinds[i], argv[i], &call->texts[i])) {
      free_arguments(call);
      return false;
    }
  }
  return true;
}

static JSValue end(Call *call, JSValue value) {
  free_arguments(call);
  return value;
}

#define BYTES(call, i) (call)->texts[i].data, (call)->texts[i].size
#define OPTION(call, i) (call)->texts[i].data != NULL, BYTES(call, i)

// The case of the enum or option that begins at a word.
static bool is_set(const Call *call, int word) { return *(const uint8_t *)&call->result.words[word]; }

static JSValue text_at(Call *call, int word) {
  uint32_t *at = &call->result.words[word];
  return text_take(call->context, (void *)at[0], at[1]);
}

static JSValue bytes_at(Call *call, int word) {
  uint32_t *at = &call->result.words[word];
  JSValue bytes = JS_NewUint8ArrayCopy(call->context, (uint8_t *)at[0], at[1]);
  weir_free_given((void *)at[0], at[1]);
  return bytes;
}

static JSValue json_at(Call *call, int word) {
  uint32_t *at = &call->result.words[word];
  return json_take(call->context, (void *)at[0], at[1]);
}

// Throws the error whose code and message begin at a word, and whose data, if it may have any, follow.
static JSValue fail(Call *call, int word, bool may_have_data) {
  JSContext *context = call->context;
  JSValue payload = JS_NewObject(context), thrown = JS_NewObject(context);
  JS_SetPropertyStr(context, payload, "code", text_at(call, word));
  JS_SetPropertyStr(context, payload, "message", text_at(call, word + 2));
  if (may_have_data && is_set(call, word + 4)) {
    JS_SetPropertyStr(context, payload, "data", json_at(call, word + 5));
  }
  JS_SetPropertyStr(context, thrown, "payload", payload);
  return JS_Throw(context, thrown);
}

// A result's value, or its error; both begin at the second word.
static JSValue result_text(Call *call) { return is_set(call, 0) ? fail(call, 1, false) : text_at(call, 1); }
static JSValue result_json(Call *call) { return is_set(call, 0) ? fail(call, 1, false) : json_at(call, 1); }
static JSValue result_number(Call *call) {
  return is_set(call, 0) ? fail(call, 1, false) : JS_NewUint32(call->context, call->result.words[1]);
}
static JSValue result_none(Call *call) { return is_set(call, 0) ? fail(call, 1, false) : JS_UNDEFINED; }

// A batch of a query: `{documents, count, cursor?}`.
static JSValue result_batch(Call *call) {
  if (is_set(call, 0)) return fail(call, 1, false);
  JSContext *context = call->context;
  JSValue batch = JS_NewObject(context);
  JS_SetPropertyStr(context, batch, "documents", json_at(call, 1));
  JS_SetPropertyStr(context, batch, "count", JS_NewUint32(context, call->result.words[3]));
  JSValue cursor = is_set(call, 4) ? JS_NewUint32(context, call->result.words[5]) : JS_UNDEFINED;
  JS_SetPropertyStr(context, batch, "cursor", cursor);
  return batch;
}

#define FUNCTION(name) static JSValue name(JSContext *context, JSValueConst self, int argc, JSValueConst *argv)
#define BEGIN(kinds)          \
  Call frame, *call = &frame; \
  if (!begin(call, context, kinds, argv)) return JS_EXCEPTION

// ---- auth ----

FUNCTION(js_sign_jwt) {
  BEGIN("jj");
  auth_sign_jwt(BYTES(call, 0), BYTES(call, 1), &call->result);
  return end(call, result_text(call));
}

// ---- db ----

FUNCTION(js_get) {
  BEGIN("ot");
  db_get(OPTION(call, 0), BYTES(call, 1), &call->result);
  if (is_set(call, 0)) return end(call, fail(call, 1, false));
  return end(call, is_set(call, 1) ? json_at(call, 2) : JS_UNDEFINED);
}

FUNCTION(js_get_many) {
  BEGIN("oj");
  db_get_many(OPTION(call, 0), BYTES(call, 1), &call->result);
  return end(call, result_json(call));
}

FUNCTION(js_query) {
  BEGIN("j");
  db_query(BYTES(call, 0), 0, &call->result);
  return end(call, result_batch(call));
}

FUNCTION(js_query_next) {
  uint32_t cursor;
  if (JS_ToUint32(context, &cursor, argv[0]) < 0) return JS_EXCEPTION;
  BEGIN("");
  db_query_next(cursor, 0, &call->result);
  return end(call, result_batch(call));
}

FUNCTION(js_query_close) {
  uint32_t cursor;
  if (JS_ToUint32(context, &cursor, argv[0]) < 0) return JS_EXCEPTION;
  db_query_close(cursor);
  return JS_UNDEFINED;
}

FUNCTION(js_page) {
  BEGIN("jj");
  db_page(BYTES(call, 0), BYTES(call, 1), &call->result);
  return end(call, result_json(call));
}

// The number is 64 bits wide: it, and an error in its place, begin at the third word.
FUNCTION(js_count) {
  BEGIN("j");
  db_count(BYTES(call, 0), &call->result);
  if (is_set(call, 0)) return end(call, fail(call, 2, false));
  uint64_t count = call->result.words[2] | (uint64_t)call->result.words[3] << 32;
  return end(call, JS_NewFloat64(context, (double)count));
}

FUNCTION(js_usage) {
  BEGIN("");
  db_usage(&call->result);
  return end(call, result_json(call));
}

FUNCTION(js_normalize_id) {
  BEGIN("tt");
  db_normalize_id(BYTES(call, 0), BYTES(call, 1), &call->result);
  return end(call, is_set(call, 0) ? text_at(call, 1) : JS_UNDEFINED);
}

FUNCTION(js_insert) {
  BEGIN("tj");
  db_insert(BYTES(call, 0), BYTES(call, 1), &call->result);
  return end(call, result_text(call));
}

FUNCTION(js_patch) {
  BEGIN("otj");
  db_patch(OPTION(call, 0), BYTES(call, 1), BYTES(call, 2), &call->result);
  return end(call, result_none(call));
}

FUNCTION(js_replace) {
  BEGIN("otj");
  db_replace(OPTION(call, 0), BYTES(call, 1), BYTES(call, 2), &call->result);
  return end(call, result_none(call));
}

FUNCTION(js_delete) {
  BEGIN("ot");
  db_delete(OPTION(call, 0), BYTES(call, 1), &call->result);
  return end(call, result_none(call));
}

// ---- context ----

FUNCTION(js_now) { return JS_NewFloat64(context, context_now()); }

FUNCTION(js_random_seed) {
  BEGIN("");
  context_random_seed(&call->result);
  return end(call, bytes_at(call, 0));
}

FUNCTION(js_request_id) {
  BEGIN("");
  context_request_id(&call->result);
  return end(call, text_at(call, 0));
}

FUNCTION(js_identity) {
  BEGIN("");
  context_identity(&call->result);
  return end(call, is_set(call, 0) ? json_at(call, 1) : JS_UNDEFINED);
}

FUNCTION(js_component) {
  BEGIN("");
  context_component(&call->result);
  return end(call, text_at(call, 0));
}

// ---- calls ----

static JSValue result_of_function(Call *call) { return is_set(call, 0) ? fail(call, 1, true) : json_at(call, 1); }

FUNCTION(js_run_query) {
  BEGIN("tj");
  calls_run_query(BYTES(call, 0), BYTES(call, 1), &call->result);
  return end(call, result_of_function(call));
}

FUNCTION(js_run_mutation) {
  BEGIN("tj");
  calls_run_mutation(BYTES(call, 0), BYTES(call, 1), &call->result);
  return end(call, result_of_function(call));
}

FUNCTION(js_run_with) {
  BEGIN("tjj");
  calls_run_with(BYTES(call, 0), BYTES(call, 1), BYTES(call, 2), &call->result);
  return end(call, result_of_function(call));
}

FUNCTION(js_function_handle) {
  BEGIN("t");
  calls_function_handle(BYTES(call, 0), &call->result);
  return end(call, is_set(call, 0) ? fail(call, 1, true) : text_at(call, 1));
}

// ---- crypto ----

static JSValue result_bytes(Call *call) { return is_set(call, 0) ? fail(call, 1, false) : bytes_at(call, 1); }

FUNCTION(js_hash_password) {
  BEGIN("t");
  crypto_hash_password(BYTES(call, 0), &call->result);
  return end(call, result_text(call));
}

FUNCTION(js_verify_password) {
  BEGIN("tt");
  crypto_verify_password(BYTES(call, 0), BYTES(call, 1), &call->result);
  return end(call, is_set(call, 0) ? fail(call, 1, false) : JS_NewBool(context, is_set(call, 1)));
}

FUNCTION(js_random_bytes) {
  uint32_t length;
  if (JS_ToUint32(context, &length, argv[0]) < 0) return JS_EXCEPTION;
  BEGIN("");
  crypto_random_bytes(length, &call->result);
  return end(call, result_bytes(call));
}

FUNCTION(js_digest) {
  BEGIN("tb");
  crypto_digest(BYTES(call, 0), BYTES(call, 1), &call->result);
  return end(call, result_bytes(call));
}

// ---- web-crypto ----

enum { PRIVATE, PUBLIC };

// A key: `{isPrivate, bytes, details}`.
static JSValue result_key(Call *call) {
  if (is_set(call, 0)) return fail(call, 1, false);
  JSContext *context = call->context;
  JSValue key = JS_NewObject(context);
  JS_SetPropertyStr(context, key, "isPrivate", JS_NewBool(context, !is_set(call, 1)));
  JS_SetPropertyStr(context, key, "bytes", bytes_at(call, 2));
  JS_SetPropertyStr(context, key, "details", json_at(call, 4));
  return key;
}

FUNCTION(js_sign) {
  BEGIN("jbb");
  web_crypto_sign(BYTES(call, 0), BYTES(call, 1), BYTES(call, 2), &call->result);
  return end(call, result_bytes(call));
}

FUNCTION(js_verify) {
  BEGIN("jbbb");
  web_crypto_verify(BYTES(call, 0), BYTES(call, 1), BYTES(call, 2), BYTES(call, 3), &call->result);
  return end(call, is_set(call, 0) ? fail(call, 1, false) : JS_NewBool(context, is_set(call, 1)));
}

FUNCTION(js_encrypt) {
  BEGIN("jbbbb");
  web_crypto_encrypt(BYTES(call, 0), BYTES(call, 1), BYTES(call, 2), BYTES(call, 3), BYTES(call, 4), &call->result);
  return end(call, result_bytes(call));
}

FUNCTION(js_decrypt) {
  BEGIN("jbbbb");
  web_crypto_decrypt(BYTES(call, 0), BYTES(call, 1), BYTES(call, 2), BYTES(call, 3), BYTES(call, 4), &call->result);
  return end(call, result_bytes(call));
}

FUNCTION(js_derive_bits) {
  uint32_t length;
  if (JS_ToUint32(context, &length, argv[4]) < 0) return JS_EXCEPTION;
  BEGIN("jbbb");
  web_crypto_derive_bits(BYTES(call, 0), BYTES(call, 1), BYTES(call, 2), BYTES(call, 3), length, &call->result);
  return end(call, result_bytes(call));
}

FUNCTION(js_agree) {
  BEGIN("jbb");
  web_crypto_agree(BYTES(call, 0), BYTES(call, 1), BYTES(call, 2), &call->result);
  return end(call, result_bytes(call));
}

FUNCTION(js_import_key) {
  BEGIN("jtb");
  web_crypto_import_key(BYTES(call, 0), BYTES(call, 1), BYTES(call, 2), &call->result);
  return end(call, result_key(call));
}

// exportKey(algorithm, key, format, isPrivate)
FUNCTION(js_export_key) {
  uint32_t kind = JS_ToBool(context, argv[3]) ? PRIVATE : PUBLIC;
  BEGIN("jbt");
  web_crypto_export_key(BYTES(call, 0), kind, BYTES(call, 1), BYTES(call, 2), &call->result);
  return end(call, result_bytes(call));
}

FUNCTION(js_generate_key) {
  BEGIN("j");
  web_crypto_generate_key(BYTES(call, 0), &call->result);
  return end(call, result_key(call));
}

// ---- http ----

FUNCTION(js_send) {
  BEGIN("jp");
  http_send(BYTES(call, 0), OPTION(call, 1), &call->result);
  return end(call, result_number(call));
}

FUNCTION(js_respond) {
  BEGIN("jp");
  http_respond(BYTES(call, 0), OPTION(call, 1), &call->result);
  return end(call, result_none(call));
}

// ---- intl ----

JSValue JS_WeirBytesAsText(JSContext *context, const uint8_t *data, size_t size);
int JS_WeirCompareAscii(JSValueConst a, JSValueConst b, const uint8_t *weights);

enum { UNDECIDED = 2, WEIGHTS = 256 };

FUNCTION(js_intl_run) {
  BEGIN("ttt");
  intl_run(BYTES(call, 0), BYTES(call, 1), BYTES(call, 2), &call->result);
  return end(call, result_text(call));
}

FUNCTION(js_intl_compare) {
  BEGIN("ttt");
  intl_compare(BYTES(call, 0), BYTES(call, 1), BYTES(call, 2), &call->result);
  if (is_set(call, 0)) return end(call, fail(call, 1, false));
  return end(call, JS_NewInt32(context, (int32_t)call->result.words[1]));
}

// A text whose characters are the key's bytes, so that JavaScript's own order of texts is that of keys.
FUNCTION(js_intl_sort_key) {
  BEGIN("tt");
  intl_sort_key(BYTES(call, 0), BYTES(call, 1), &call->result);
  if (is_set(call, 0)) return end(call, fail(call, 1, false));
  uint8_t *data = (uint8_t *)call->result.words[1];
  JSValue key = JS_WeirBytesAsText(context, data, call->result.words[2]);
  weir_free_given(data, call->result.words[2]);
  return end(call, key);
}

// `compareAscii(a, b, weights)`: undefined if they are not to be compared by these weights.
FUNCTION(js_intl_compare_ascii) {
  Text weights;
  if (!text_bytes_of(context, argv[2], &weights)) return JS_EXCEPTION;
  if (weights.size != WEIGHTS) return JS_UNDEFINED;
  int order = JS_WeirCompareAscii(argv[0], argv[1], (const uint8_t *)weights.data);
  return order == UNDECIDED ? JS_UNDEFINED : JS_NewInt32(context, order);
}

// ---- scheduler ----

FUNCTION(js_run_at) {
  double at;
  if (JS_ToFloat64(context, &at, argv[2]) < 0) return JS_EXCEPTION;
  BEGIN("tj");
  scheduler_run_at(BYTES(call, 0), BYTES(call, 1), at, &call->result);
  return end(call, result_text(call));
}

FUNCTION(js_cancel) {
  BEGIN("t");
  scheduler_cancel(BYTES(call, 0), &call->result);
  return end(call, result_none(call));
}

// ---- storage ----

FUNCTION(js_upload_url) {
  BEGIN("");
  storage_generate_upload_url(&call->result);
  return end(call, result_text(call));
}

FUNCTION(js_file_url) {
  BEGIN("t");
  storage_get_url(BYTES(call, 0), &call->result);
  if (is_set(call, 0)) return end(call, fail(call, 1, false));
  return end(call, is_set(call, 1) ? text_at(call, 2) : JS_UNDEFINED);
}

FUNCTION(js_file_metadata) {
  BEGIN("t");
  storage_get_metadata(BYTES(call, 0), &call->result);
  if (is_set(call, 0)) return end(call, fail(call, 1, false));
  return end(call, is_set(call, 1) ? json_at(call, 2) : JS_UNDEFINED);
}

FUNCTION(js_delete_file) {
  BEGIN("t");
  storage_delete(BYTES(call, 0), &call->result);
  return end(call, result_none(call));
}

FUNCTION(js_store_file) {
  BEGIN("jp");
  storage_store(BYTES(call, 0), OPTION(call, 1), &call->result);
  return end(call, result_number(call));
}

FUNCTION(js_get_file) {
  BEGIN("t");
  storage_get(BYTES(call, 0), &call->result);
  return end(call, result_number(call));
}

// ---- streams ----

FUNCTION(js_stream_read) {
  uint32_t stream;
  if (JS_ToUint32(context, &stream, argv[0]) < 0) return JS_EXCEPTION;
  BEGIN("");
  streams_read(stream, &call->result);
  return end(call, result_number(call));
}

FUNCTION(js_stream_create) {
  BEGIN("");
  streams_create(&call->result);
  return end(call, result_number(call));
}

// write(piece, stream)
FUNCTION(js_stream_write) {
  uint32_t stream;
  if (JS_ToUint32(context, &stream, argv[1]) < 0) return JS_EXCEPTION;
  BEGIN("b");
  streams_write(stream, BYTES(call, 0), &call->result);
  return end(call, result_number(call));
}

// close(reason, stream)
FUNCTION(js_stream_close) {
  uint32_t stream;
  if (JS_ToUint32(context, &stream, argv[1]) < 0) return JS_EXCEPTION;
  BEGIN("o");
  streams_close(stream, OPTION(call, 0));
  return end(call, JS_UNDEFINED);
}

// ---- tasks ----

FUNCTION(js_task_query) {
  BEGIN("tj");
  tasks_run_query(BYTES(call, 0), BYTES(call, 1), &call->result);
  return end(call, result_number(call));
}

FUNCTION(js_task_mutation) {
  BEGIN("tj");
  tasks_run_mutation(BYTES(call, 0), BYTES(call, 1), &call->result);
  return end(call, result_number(call));
}

FUNCTION(js_task_action) {
  BEGIN("tj");
  tasks_run_action(BYTES(call, 0), BYTES(call, 1), &call->result);
  return end(call, result_number(call));
}

FUNCTION(js_sleep) {
  double milliseconds;
  if (JS_ToFloat64(context, &milliseconds, argv[0]) < 0) return JS_EXCEPTION;
  BEGIN("");
  tasks_sleep(milliseconds, &call->result);
  return end(call, result_number(call));
}

// wait(isJson): `{task, value}` of a task that has ended, its bytes or, where `isJson(task)`, what their JSON says;
// `{task, error}` is thrown by it. Undefined if nothing is under way.
FUNCTION(js_wait) {
  BEGIN("");
  tasks_wait(&call->result);
  if (is_set(call, 0)) return end(call, JS_UNDEFINED);
  JSValue task = JS_NewUint32(context, call->result.words[1]), completion = JS_NewObject(context);
  JS_SetPropertyStr(context, completion, "task", task);
  if (is_set(call, 2)) {
    fail(call, 3, true);
    JS_SetPropertyStr(context, completion, "error", JS_GetException(context));
    return end(call, completion);
  }
  JSValue is_json = JS_Call(context, argv[0], JS_UNDEFINED, 1, &task);
  JSValue value = JS_ToBool(context, is_json) ? json_at(call, 3) : bytes_at(call, 3);
  JS_FreeValue(context, is_json);
  JS_SetPropertyStr(context, completion, "value", value);
  return end(call, completion);
}

FUNCTION(js_cancel_task) {
  uint32_t task;
  if (JS_ToUint32(context, &task, argv[0]) < 0) return JS_EXCEPTION;
  tasks_cancel(task);
  return JS_UNDEFINED;
}

// ---- log ----

FUNCTION(js_write) {
  static const char *const levels[LEVELS] = {"debug", "info", "log", "warn", "error"};
  BEGIN("tt");
  uint32_t level = 0;
  while (level < LEVEL_ERROR && strcmp(levels[level], call->texts[0].data) != 0) level++;
  log_write(level, BYTES(call, 1));
  return end(call, JS_UNDEFINED);
}

void host_die(const char *message) {
  log_write(LEVEL_ERROR, message, strlen(message));
  __builtin_trap();
}

// ---- variables ----

FUNCTION(js_variable) {
  BEGIN("t");
  variables_get(BYTES(call, 0), &call->result);
  return end(call, is_set(call, 0) ? text_at(call, 1) : JS_UNDEFINED);
}

FUNCTION(js_variable_names) {
  BEGIN("");
  variables_names(&call->result);
  uint32_t *list = (uint32_t *)call->result.words[0], length = call->result.words[1];
  JSValue names = JS_NewArray(context);
  for (uint32_t i = 0; i < length; i++) {
    JS_SetPropertyUint32(context, names, i, text_take(context, (void *)list[2 * i], list[2 * i + 1]));
  }
  weir_free_given(list, length);
  return end(call, names);
}

// ---- all of them ----

typedef struct {
  const char *interface, *name;
  int arguments;
  JSCFunction *function;
} Function;

static const Function functions[] = {
    {"auth", "signJwt", 2, js_sign_jwt},
    {"db", "get", 2, js_get},
    {"db", "getMany", 2, js_get_many},
    {"db", "query", 1, js_query},
    {"db", "queryNext", 1, js_query_next},
    {"db", "queryClose", 1, js_query_close},
    {"db", "page", 2, js_page},
    {"db", "count", 1, js_count},
    {"db", "usage", 0, js_usage},
    {"db", "normalizeId", 2, js_normalize_id},
    {"db", "insert", 2, js_insert},
    {"db", "patch", 3, js_patch},
    {"db", "replace", 3, js_replace},
    {"db", "delete", 2, js_delete},
    {"context", "now", 0, js_now},
    {"context", "randomSeed", 0, js_random_seed},
    {"context", "requestId", 0, js_request_id},
    {"context", "identity", 0, js_identity},
    {"context", "component", 0, js_component},
    {"calls", "runQuery", 2, js_run_query},
    {"calls", "runMutation", 2, js_run_mutation},
    {"calls", "runWith", 3, js_run_with},
    {"calls", "functionHandle", 1, js_function_handle},
    {"crypto", "hashPassword", 1, js_hash_password},
    {"crypto", "verifyPassword", 2, js_verify_password},
    {"crypto", "randomBytes", 1, js_random_bytes},
    {"crypto", "digest", 2, js_digest},
    {"http", "send", 2, js_send},
    {"http", "respond", 2, js_respond},
    {"intl", "run", 3, js_intl_run},
    {"intl", "compare", 3, js_intl_compare},
    {"intl", "sortKey", 2, js_intl_sort_key},
    {"intl", "compareAscii", 3, js_intl_compare_ascii},
    {"log", "write", 2, js_write},
    {"scheduler", "runAt", 3, js_run_at},
    {"scheduler", "cancel", 1, js_cancel},
    {"storage", "generateUploadUrl", 0, js_upload_url},
    {"storage", "getUrl", 1, js_file_url},
    {"storage", "getMetadata", 1, js_file_metadata},
    {"storage", "delete", 1, js_delete_file},
    {"storage", "store", 2, js_store_file},
    {"storage", "get", 1, js_get_file},
    {"streams", "read", 1, js_stream_read},
    {"streams", "create", 0, js_stream_create},
    {"streams", "write", 2, js_stream_write},
    {"streams", "close", 2, js_stream_close},
    {"tasks", "runQuery", 2, js_task_query},
    {"tasks", "runMutation", 2, js_task_mutation},
    {"tasks", "runAction", 2, js_task_action},
    {"tasks", "sleep", 1, js_sleep},
    {"tasks", "wait", 1, js_wait},
    {"tasks", "cancel", 1, js_cancel_task},
    {"variables", "get", 1, js_variable},
    {"variables", "names", 0, js_variable_names},
    {"webCrypto", "sign", 3, js_sign},
    {"webCrypto", "verify", 4, js_verify},
    {"webCrypto", "encrypt", 5, js_encrypt},
    {"webCrypto", "decrypt", 5, js_decrypt},
    {"webCrypto", "deriveBits", 5, js_derive_bits},
    {"webCrypto", "agree", 3, js_agree},
    {"webCrypto", "importKey", 3, js_import_key},
    {"webCrypto", "exportKey", 4, js_export_key},
    {"webCrypto", "generateKey", 1, js_generate_key},
};

void host_install(JSContext *context, JSValueConst object) {
  JSValue interface = JS_UNDEFINED;
  const char *name = "";
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    const Function *f = &functions[i];
    if (strcmp(name, f->interface) != 0) {
      name = f->interface;
      interface = JS_NewObject(context);
      // The object owns it now, for as long as the program runs.
      JS_SetPropertyStr(context, object, name, interface);
    }
    JS_SetPropertyStr(context, interface, f->name, JS_NewCFunction(context, f->function, f->name, f->arguments));
  }
}
