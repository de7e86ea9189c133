// The engine as it is compiled to WebAssembly, c/engine.c, with a host of a few lines.
#include "engine.c"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "imports.h"
#include "main.h"

// ---- WebAssembly ----

// Below whatever AddressSanitizer hands out.
#define MEMORY ((unsigned char *)0x08000000)
#define MEMORY_PAGES_MAX 1024
#define PAGE_BYTES_WASM 65536

unsigned char *native_heap_base = MEMORY;
static size_t pages = 16;

static void map_memory(void) {
  int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  unsigned char *at = mmap(MEMORY, MEMORY_PAGES_MAX * PAGE_BYTES_WASM, PROT_READ | PROT_WRITE, how, -1, 0);
  if (at != MEMORY) {
    perror("the heap's memory");
    _exit(2);
  }
}

// As addresses count from zero in WebAssembly.
size_t native_memory_pages(void) { return (uintptr_t)MEMORY / PAGE_BYTES_WASM + pages; }

size_t native_memory_grow(size_t more) {
  if (more > MEMORY_PAGES_MAX - pages) return (size_t)-1;
  pages += more;
  return native_memory_pages() - more;
}

_Noreturn void native_trap(void) {
  printf("trap\n");
  fflush(stdout);
  _exit(EXIT_TRAP);
}

void native_no_constructors(void) {}

// ---- the host ----

static uint32_t *give(uint32_t *at, const char *data, size_t size) {
  char *memory = cabi_realloc(NULL, 0, 1, size);
  if (size) memcpy(memory, data, size);
  at[0] = (uint32_t)memory;
  at[1] = size;
  return at;
}

double context_now(void) { return 1.7e12; }

void context_random_seed(Result *result) { give(result->words, "01234567890123456789012345678901", 32); }

// Runs the collector, wherever a program wants it to.
void context_request_id(Result *result) {
  JS_RunGC(runtime);
  give(result->words, "id", 2);
}

// Gives the arguments back.
void calls_run_query(Bytes path, Size path_size, Bytes args, Size size, Result *result) {
  result->words[0] = 0;
  give(&result->words[1], args, size);
}

void log_write(uint32_t level, Bytes message, Size size) { printf("%.*s\n", (int)size, message); }

// ---- programs ----

// Whether what was sealed is as it was; checked_heap.c has more to say to it.
__attribute__((weak)) void native_check_heap(void) {}

static uint32_t *given(uint32_t *at, Source source) { return give(at, source.data, source.size); }

void run_program(Source runtime_source, Source first, Source second) {
  map_memory();
  uint32_t parts[6];
  given(parts, runtime_source);
  given(parts + 2, first);
  give(parts + 4, "", 0);
  init((char *)parts[0], parts[1], (char *)parts[2], parts[3], (char *)parts[4], parts[5]);
  give(parts, "x", 1);
  given(parts + 2, second);
  uint32_t *result = call((char *)parts[0], parts[1], (char *)parts[2], parts[3]);
  fwrite((char *)result[1], 1, result[2], stdout);
  if (result[0]) printf("the call has failed\n");
  JS_RunGC(runtime);
  native_check_heap();
}

JSRuntime *new_runtime(void) {
  map_memory();
  return weir_new_runtime();
}

void seal(JSRuntime *sealed) {
  JS_RunGC(sealed);
  weir_heap_seal(sealed);
  JS_SetGCThreshold(sealed, weir_gc_threshold(weir_heap_used()));
}
