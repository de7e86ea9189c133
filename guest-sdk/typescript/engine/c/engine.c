// QuickJS as a guest of Weir's world. `init` runs once, while a project is built (or when a variable changes that its
// top-level code has read): it loads the runtime and the project, and seals the heap. Every call begins with the memory
// that `init` has left, and serves one call.
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "heap.h"
#include "host.h"
#include "inflate.h"
#include "json.h"
#include "quickjs.h"
#include "sources.h"
#include "text.h"

#define EXPORT(name) __attribute__((export_name(name)))

extern void __wasm_call_ctors(void);
void JS_WeirForgetSources(JSRuntime *runtime);

static JSRuntime *runtime;
static JSContext *context;
static JSValue run_init, run_describe, run_call, run_wait;

// What an export gives: an address and a length, or a result's case before them.
static uint32_t answer[8];

EXPORT("cabi_realloc") void *cabi_realloc(void *old, uint32_t old_size, uint32_t align, uint32_t size) {
  // For no bytes any address will do.
  if (size == 0) return (void *)align;
  // QuickJS reads a text up to a zero behind it.
  char *memory = weir_realloc(old, (size_t)size + 1);
  if (!memory) __builtin_trap();
  memory[size] = 0;
  return memory;
}

// Writes an exception that nobody can answer into the log, and traps.
static _Noreturn void die(const char *where) {
  JSValue error = JS_GetException(context);
  JSValue stack = JS_IsObject(error) ? JS_GetPropertyStr(context, error, "stack") : JS_UNDEFINED;
  Text message = {0}, places = {0};
  static char line[4096];
  size_t size = 0;
  // A stack begins with the message.
  bool has_stack = text_of(context, stack, &places) && JS_IsString(stack);
  const char *parts[] = {where, ": ",
                         has_stack                               ? places.data
                         : text_of(context, error, &message) ? message.data
                                                                 : "an error"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    size_t length = strlen(parts[i]), room = sizeof line - 1 - size;
    memcpy(line + size, parts[i], length < room ? length : room);
    size += length < room ? length : room;
  }
  host_die(line);
}

static void run_jobs(void) {
  JSContext *job;
  int outcome;
  while ((outcome = JS_ExecutePendingJob(runtime, &job)) > 0) {
  }
  // Memory is exhausted, or the host ends the call.
  if (outcome < 0) __builtin_trap();
}

// In an action: waits for something that it has started, of which the runtime makes new jobs. False if there is nothing.
static bool wait_for_something(void) {
  JSValue has_come = JS_Call(context, run_wait, JS_UNDEFINED, 0, NULL);
  if (JS_IsException(has_come)) __builtin_trap();
  bool has = JS_ToBool(context, has_come);
  JS_FreeValue(context, has_come);
  return has;
}

// A promise's result, when all jobs have run: what is pending then waits for what never happens, or, if it `may_wait`,
// for what the host does meanwhile.
static JSValue settle(JSValue value, bool may_wait) {
  run_jobs();
  while (may_wait && JS_PromiseState(context, value) == JS_PROMISE_PENDING && wait_for_something()) run_jobs();
  switch (JS_PromiseState(context, value)) {
    case JS_PROMISE_FULFILLED: {
      JSValue result = JS_PromiseResult(context, value);
      JS_FreeValue(context, value);
      return result;
    }
    case JS_PROMISE_REJECTED:
      return JS_Throw(context, JS_PromiseResult(context, value));
    case JS_PROMISE_PENDING:
      host_die("the function waits for a promise that nothing will settle");
    default:
      return value;
  }
}

// A value as bytes, which are never given back: the instance serves one call.
static uint32_t *answer_text(uint32_t *at, JSValue value) {
  Text text;
  if (!text_of(context, value, &text)) die("an answer is not a text");
  at[0] = (uint32_t)text.data;
  at[1] = text.size;
  return answer;
}

static JSValue evaluate(const char *source, size_t size, const char *name) {
  return JS_Eval(context, source, size, name, JS_EVAL_TYPE_GLOBAL);
}

// `evaluate(source, name)`, for the project's bundle.
static JSValue evaluate_js(JSContext *unused, JSValueConst self, int argc, JSValueConst *argv) {
  Text source, name;
  if (!text_of(context, argv[0], &source)) return JS_EXCEPTION;
  if (!text_of(context, argv[1], &name)) {
    text_free(context, &source);
    return JS_EXCEPTION;
  }
  JSValue value = evaluate(source.data, source.size, name.data);
  text_free(context, &source);
  text_free(context, &name);
  return value;
}

// `forgetSources()`, before there are functions of the project, which keep theirs.
static JSValue forget_sources_js(JSContext *unused, JSValueConst self, int argc, JSValueConst *argv) {
  JS_WeirForgetSources(runtime);
  return JS_UNDEFINED;
}

// `weir:engine`, what the runtime is made on.
static JSValue engine_module(void) {
  JSValue module = JS_NewObject(context);
  host_install(context, module);
  text_install(context, module);
  sources_install(context, module);
  inflate_install(context, module);
  JS_SetPropertyStr(context, module, "evaluate", JS_NewCFunction(context, evaluate_js, "evaluate", 2));
  JSValue forget = JS_NewCFunction(context, forget_sources_js, "forgetSources", 0);
  JS_SetPropertyStr(context, module, "forgetSources", forget);
  return module;
}

static void start(void) {
  __wasm_call_ctors();
  runtime = weir_new_runtime();
  if (!runtime) __builtin_trap();
  JS_SetMaxStackSize(runtime, WEIR_STACK_BYTES);
  context = JS_NewContext(runtime);
  if (!context) __builtin_trap();
}

// Evaluates the runtime, `(function (engine) {...})`, and takes its entries.
static void load_runtime(const char *source, size_t size) {
  JSValue load = evaluate(source, size, "weir-runtime.js");
  if (JS_IsException(load)) die("the runtime cannot be read");
  JSValue module = engine_module();
  JSValue entries = JS_Call(context, load, JS_UNDEFINED, 1, &module);
  if (JS_IsException(entries)) die("the runtime cannot be loaded");
  run_init = JS_GetPropertyStr(context, entries, "init");
  run_describe = JS_GetPropertyStr(context, entries, "describe");
  run_call = JS_GetPropertyStr(context, entries, "call");
  run_wait = JS_GetPropertyStr(context, entries, "wait");
  JS_FreeValue(context, entries);
  JS_FreeValue(context, module);
  JS_FreeValue(context, load);
}

// Texts of the runtime, the project's bundle and its source map; what it gives is JSON, see `main.js`.
EXPORT("init")
uint32_t *init(char *source, uint32_t source_size, char *bundle, uint32_t bundle_size, char *map, uint32_t map_size) {
  start();
  load_runtime(source, source_size);
  JSValue arguments[] = {text_take(context, bundle, bundle_size), text_take(context, map, map_size)};
  JSValue result = settle(JS_Call(context, run_init, JS_UNDEFINED, 2, arguments), false);
  if (JS_IsException(result)) die("the project cannot be loaded");
  JS_FreeValue(context, arguments[0]);
  JS_FreeValue(context, arguments[1]);
  weir_free_given(source, source_size);
  answer_text(answer, result);
  JS_RunGC(runtime);
  weir_heap_seal(runtime);
  JS_SetGCThreshold(runtime, weir_gc_threshold(weir_heap_used()));
  sources_set_calling(true);
  return answer;
}

EXPORT("describe") uint32_t *describe(void) {
  // What the project says of itself is the same at all times. The instance ends with this.
  sources_set_calling(false);
  JSValue result = settle(JS_Call(context, run_describe, JS_UNDEFINED, 0, NULL), false);
  if (JS_IsException(result)) die("the functions cannot be described");
  return answer_text(answer, result);
}

// What was thrown, `{payload: {message, data?}}`, as the world's failure. Anything else is not the function's own error:
// the host says which limit was met.
static uint32_t *failure(void) {
  JSValue payload = JS_UNDEFINED, thrown = JS_GetException(context);
  if (JS_IsObject(thrown)) payload = JS_GetPropertyStr(context, thrown, "payload");
  if (!JS_IsObject(payload)) __builtin_trap();
  JSValue data = JS_GetPropertyStr(context, payload, "data");
  answer[0] = 1;
  answer_text(answer + 1, JS_GetPropertyStr(context, payload, "message"));
  answer[3] = !JS_IsUndefined(data);
  if (answer[3]) answer_text(answer + 4, data);
  return answer;
}

// A function's result: its JSON as a text, or `{value}` whose JSON it is.
static uint32_t *answer_result(uint32_t *at, JSValue result) {
  if (JS_IsString(result)) return answer_text(at, result);
  Text json;
  if (!json_of(context, JS_GetPropertyStr(context, result, "value"), &json)) __builtin_trap();
  at[0] = (uint32_t)json.data;
  at[1] = json.size;
  return answer;
}

EXPORT("call") uint32_t *call(char *path, uint32_t path_size, char *args, uint32_t args_size) {
  JSValue arguments[] = {text_take(context, path, path_size), text_take(context, args, args_size)};
  JSValue result = settle(JS_Call(context, run_call, JS_UNDEFINED, 2, arguments), true);
  if (JS_IsException(result)) {
    if (weir_heap_is_exhausted()) __builtin_trap();
    return failure();
  }
  answer[0] = 0;
  return answer_result(answer + 1, result);
}
