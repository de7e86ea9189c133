// Reads programs from the standard input, and runs each in a process of its own.
//
// A program is a line with sizes, and that many bytes behind it: `program RUNTIME FIRST SECOND`, see main.h; or
// `test NAME SEALED`, a module or script in a file, one of QuickJS's own tests; or `parse NAME MODULE`, a file that is read
// and not run. The answer is a line `STATUS SIZE`, and
// what the program has written: STATUS is what the process has ended with, 1000 and the signal if it was killed by one.
#include "main.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// Seconds of the processor, more than any program needs under the sanitizers.
#define SECONDS_MAX 60

static void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(2);
}

static Source read_source(FILE *file, size_t size) {
  Source source = {malloc(size + 1), size};
  if (!source.data || fread(source.data, 1, size, file) != size) fail("the input ends within a program");
  source.data[size] = 0;
  return source;
}

// ---- QuickJS's own tests ----

static Source read_file(const char *name) {
  FILE *file = fopen(name, "rb");
  if (!file) return (Source){NULL, 0};
  fseek(file, 0, SEEK_END);
  size_t size = ftell(file);
  rewind(file);
  Source source = read_source(file, size);
  fclose(file);
  return source;
}

static JSValue gc_js(JSContext *context, JSValueConst self, int argc, JSValueConst *argv) {
  JS_RunGC(JS_GetRuntime(context));
  return JS_UNDEFINED;
}

static JSValue print_js(JSContext *context, JSValueConst self, int argc, JSValueConst *argv) {
  for (int i = 0; i < argc; i++) {
    const char *text = JS_ToCString(context, argv[i]);
    if (!text) return JS_EXCEPTION;
    printf("%s%s", i ? " " : "", text);
    JS_FreeCString(context, text);
  }
  puts("");
  return JS_UNDEFINED;
}

static int init_std(JSContext *context, JSModuleDef *module) {
  return JS_SetModuleExport(context, module, "gc", JS_NewCFunction(context, gc_js, "gc", 0));
}

static int init_os(JSContext *context, JSModuleDef *module) {
  return JS_SetModuleExport(context, module, "platform", JS_NewString(context, "linux"));
}

// What the tests use of quickjs-libc's modules.
static JSModuleDef *make_module(JSContext *context, const char *name, JSModuleInitFunc *init, const char *export) {
  JSModuleDef *module = JS_NewCModule(context, name, init);
  JS_AddModuleExport(context, module, export);
  return module;
}

static JSModuleDef *load_module(JSContext *context, const char *name, void *opaque) {
  if (!strcmp(name, "qjs:std")) return make_module(context, name, init_std, "gc");
  if (!strcmp(name, "qjs:os")) return make_module(context, name, init_os, "platform");
  Source source = read_file(name);
  if (!source.data) {
    JS_ThrowReferenceError(context, "could not load module '%s'", name);
    return NULL;
  }
  JSValue module = JS_Eval(context, source.data, source.size, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
  free(source.data);
  return JS_IsException(module) ? NULL : JS_VALUE_GET_PTR(module);
}

static _Noreturn void fail_with(JSContext *context, JSValue error) {
  const char *text = JS_ToCString(context, error);
  printf("%s\n", text ? text : "an error");
  JSValue stack = JS_IsObject(error) ? JS_GetPropertyStr(context, error, "stack") : JS_UNDEFINED;
  const char *places = JS_ToCString(context, stack);
  printf("%s\n", places ? places : "");
  fflush(stdout);
  _exit(1);
}

static void run_test(const char *name, bool is_sealed) {
  JSRuntime *runtime = new_runtime();
  JS_SetMaxStackSize(runtime, WEIR_STACK_BYTES);
  JSContext *context = JS_NewContext(runtime), *job;
  JS_SetModuleLoaderFunc(runtime, NULL, load_module, NULL);
  JSValue global = JS_GetGlobalObject(context);
  JS_SetPropertyStr(context, global, "gc", JS_NewCFunction(context, gc_js, "gc", 0));
  JS_SetPropertyStr(context, global, "print", JS_NewCFunction(context, print_js, "print", 1));
  JS_FreeValue(context, global);
  if (is_sealed) seal(runtime);
  Source source = read_file(name);
  if (!source.data) fail("there is no such test");
  int type = JS_DetectModule(source.data, source.size) ? JS_EVAL_TYPE_MODULE : JS_EVAL_TYPE_GLOBAL;
  JSValue result = JS_Eval(context, source.data, source.size, name, type);
  if (JS_IsException(result)) fail_with(context, JS_GetException(context));
  int outcome;
  while ((outcome = JS_ExecutePendingJob(runtime, &job)) > 0) {
  }
  if (outcome < 0) fail_with(job, JS_GetException(job));
  if (JS_PromiseState(context, result) == JS_PROMISE_REJECTED) fail_with(context, JS_PromiseResult(context, result));
  if (JS_PromiseState(context, result) == JS_PROMISE_PENDING) fail("the test waits for what never comes");
  // What is sealed is not given back.
  JS_FreeValue(context, result);
  if (is_sealed) return;
  JS_FreeContext(context);
  JS_FreeRuntime(runtime);
}

// ---- syntax ----

static int init_nothing(JSContext *context, JSModuleDef *module) { return 0; }

// Whatever a module imports is there, for it is not linked.
static JSModuleDef *load_nothing(JSContext *context, const char *name, void *opaque) {
  return JS_NewCModule(context, name, init_nothing);
}

static void parse(const char *name, bool is_module) {
  JSRuntime *runtime = new_runtime();
  JS_SetModuleLoaderFunc(runtime, NULL, load_nothing, NULL);
  JSContext *context = JS_NewContext(runtime);
  Source source = read_file(name);
  if (!source.data) fail("there is no such file");
  int flags = (is_module ? JS_EVAL_TYPE_MODULE : JS_EVAL_TYPE_GLOBAL) | JS_EVAL_FLAG_COMPILE_ONLY;
  JSValue result = JS_Eval(context, source.data, source.size, name, flags);
  if (JS_IsException(result)) fail_with(context, JS_GetException(context));
}

// ---- processes ----

static void run(const char *line) {
  size_t sizes[3];
  char name[1024];
  int flag;
  if (sscanf(line, "program %zu %zu %zu", &sizes[0], &sizes[1], &sizes[2]) == 3) {
    Source sources[3];
    for (int i = 0; i < 3; i++) sources[i] = read_source(stdin, sizes[i]);
    run_program(sources[0], sources[1], sources[2]);
  } else if (sscanf(line, "test %1023s %d", name, &flag) == 2) {
    run_test(name, flag);
  } else if (sscanf(line, "parse %1023s %d", name, &flag) == 2) {
    parse(name, flag);
  } else {
    fail("the input is not a program");
  }
}

// The process takes the program from the same input: it is read to its end before it starts.
static Source read_request(const char *line) {
  size_t sizes[3] = {0};
  sscanf(line, "program %zu %zu %zu", &sizes[0], &sizes[1], &sizes[2]);
  return read_source(stdin, sizes[0] + sizes[1] + sizes[2]);
}

static void run_in_child(const char *line, Source request, int output) {
  dup2(output, 1);
  dup2(output, 2);
  struct rlimit limit = {SECONDS_MAX, SECONDS_MAX};
  setrlimit(RLIMIT_CPU, &limit);
  stdin = fmemopen(request.data, request.size + 1, "rb");
  run(line);
  fflush(stdout);
  _exit(0);
}

static Source read_output(int from) {
  Source output = {NULL, 0};
  size_t capacity = 0;
  ssize_t count;
  do {
    if (capacity - output.size < 65536) output.data = realloc(output.data, capacity = capacity * 2 + 65536);
    count = read(from, output.data + output.size, capacity - output.size);
    output.size += count > 0 ? count : 0;
  } while (count > 0);
  return output;
}

static void serve(const char *line) {
  Source request = read_request(line);
  int ends[2], status;
  if (pipe(ends) < 0) fail("no pipe");
  pid_t child = fork();
  if (child < 0) fail("no process");
  if (child == 0) {
    close(ends[0]);
    run_in_child(line, request, ends[1]);
  }
  close(ends[1]);
  Source output = read_output(ends[0]);
  close(ends[0]);
  waitpid(child, &status, 0);
  printf("%d %zu\n", WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status), output.size);
  fwrite(output.data, 1, output.size, stdout);
  fflush(stdout);
  free(output.data);
  free(request.data);
}

int main(void) {
  char line[2048];
  setenv("TZ", "UTC", 1);
  while (fgets(line, sizeof line, stdin)) serve(line);
}

// What the sanitizers do without being told on a command line.
const char *__asan_default_options(void) { return "detect_leaks=0:allocator_may_return_null=1:abort_on_error=0"; }
const char *__ubsan_default_options(void) { return "print_stacktrace=1"; }
