// QuickJS-ng as it is, with what the suite's runtime asks of an engine.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "main.h"

JSRuntime *new_runtime(void) { return JS_NewRuntime(); }
void seal(JSRuntime *runtime) {}

static JSRuntime *runtime;
static JSContext *context;

static JSValue evaluate_js(JSContext *unused, JSValueConst self, int argc, JSValueConst *argv) {
  size_t size;
  const char *source = JS_ToCStringLen(context, &size, argv[0]), *name = JS_ToCString(context, argv[1]);
  JSValue value = JS_Eval(context, source, size, name, JS_EVAL_TYPE_GLOBAL);
  JS_FreeCString(context, source);
  JS_FreeCString(context, name);
  return value;
}

static JSValue gc_js(JSContext *unused, JSValueConst self, int argc, JSValueConst *argv) {
  JS_RunGC(runtime);
  return JS_UNDEFINED;
}

static JSValue settle(JSValue value) {
  JSContext *job;
  while (JS_ExecutePendingJob(runtime, &job) > 0) {
  }
  if (JS_IsException(value) || JS_PromiseState(context, value) == JS_PROMISE_REJECTED) {
    printf("the runtime has failed\n");
    fflush(stdout);
    _exit(1);
  }
  return JS_PromiseState(context, value) == JS_PROMISE_FULFILLED ? JS_PromiseResult(context, value) : value;
}

static JSValue call(JSValue entries, const char *name, int argc, JSValue *argv) {
  JSValue function = JS_GetPropertyStr(context, entries, name);
  return settle(JS_Call(context, function, JS_UNDEFINED, argc, argv));
}

void run_program(Source source, Source first, Source second) {
  runtime = JS_NewRuntime();
  JS_SetMaxStackSize(runtime, WEIR_STACK_BYTES);
  context = JS_NewContext(runtime);
  JSValue engine = JS_NewObject(context);
  JS_SetPropertyStr(context, engine, "evaluate", JS_NewCFunction(context, evaluate_js, "evaluate", 2));
  JS_SetPropertyStr(context, engine, "gc", JS_NewCFunction(context, gc_js, "gc", 0));
  JSValue load = JS_Eval(context, source.data, source.size, "runtime.js", JS_EVAL_TYPE_GLOBAL);
  JSValue entries = settle(JS_Call(context, load, JS_UNDEFINED, 1, &engine));
  JSValue parts[] = {JS_NewStringLen(context, first.data, first.size), JS_NewStringLen(context, second.data, second.size)};
  call(entries, "init", 1, parts);
  JSValue path = JS_NewString(context, "x");
  JSValue arguments[] = {path, parts[1]};
  size_t size;
  const char *output = JS_ToCStringLen(context, &size, call(entries, "call", 2, arguments));
  fwrite(output, 1, size, stdout);
}
