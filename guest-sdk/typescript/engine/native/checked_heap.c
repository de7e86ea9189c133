// The heap of c/heap.h in which AddressSanitizer watches every block.
//
// Until it is sealed, blocks lie one after another in the memory of WebAssembly with watched bytes between them, and what
// is freed is never used again. Behind the seal blocks are libc's, whose addresses are higher.
#include <malloc.h>
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "main.h"
#include "quickjs.h"

#define MEMORY_BYTES ((size_t)64 << 20)
#define WATCHED_BYTES 32
// The collector runs after this many bytes: often, once there is a seal.
#define GC_STEP_BYTES ((size_t)24 << 10)
#define GC_STEP_BYTES_BEFORE ((size_t)1 << 20)
#define BLOCKS_MAX (1 << 20)

typedef struct {
  char *data;
  uint32_t size;
  bool is_engines, is_freed;
} Block;

void JS_WeirForgetObjects(JSRuntime *runtime);
void JS_WeirMakeLargeImmortal(void *block);

struct weir_heap weir_heap;

static Block *blocks;
static size_t block_count, used;
static bool is_sealed;

size_t weir_gc_threshold(size_t used) { return used + (is_sealed ? GC_STEP_BYTES : GC_STEP_BYTES_BEFORE); }

// Small blocks come from here in heap.c, and as large ones where each is to be watched.
bool weir_heap_grow(size_t size) { abort(); }
size_t weir_heap_used(void) { return used; }
bool weir_heap_is_exhausted(void) { return false; }

static bool is_of_seal(const void *memory) {
  return (unsigned char *)memory >= native_heap_base && (unsigned char *)memory < native_heap_base + MEMORY_BYTES;
}

static void begin(void) {
  blocks = calloc(BLOCKS_MAX, sizeof *blocks);
  weir_heap.at = (char *)native_heap_base;
  weir_heap.end = weir_heap.at + MEMORY_BYTES;
  __asan_poison_memory_region(weir_heap.at, MEMORY_BYTES);
}

// The block's number stands before it.
static uint32_t *number_of(const void *memory) { return (uint32_t *)memory - 1; }

__attribute__((no_sanitize("address"))) static Block *block_of(const void *memory) { return &blocks[*number_of(memory)]; }
__attribute__((no_sanitize("address"))) static void set_number(void *memory, uint32_t number) {
  *number_of(memory) = number;
}

static void *allocate(size_t size, bool is_engines) {
  if (is_sealed) return malloc(size);
  if (!blocks) begin();
  size_t room = WATCHED_BYTES + ((size + 15) & ~(size_t)15);
  if (size > MEMORY_BYTES || (size_t)(weir_heap.end - weir_heap.at) < room || block_count == BLOCKS_MAX) return NULL;
  char *data = weir_heap.at + WATCHED_BYTES;
  weir_heap.at += room;
  __asan_unpoison_memory_region(data, size);
  memset(data, 0xa5, size);
  set_number(data, block_count);
  blocks[block_count++] = (Block){data, size, is_engines, false};
  used += size;
  return data;
}

void weir_free(void *memory) {
  if (!memory) return;
  if (!is_of_seal(memory)) {
    free(memory);
  } else if (!is_sealed) {
    Block *block = block_of(memory);
    if (block->data != memory || block->is_freed) abort();
    block->is_freed = true;
    used -= block->size;
    __asan_poison_memory_region(memory, (block->size + 15) & ~(size_t)15);
  }
}

static size_t usable_size(const void *memory) {
  return is_of_seal(memory) ? block_of(memory)->size : malloc_usable_size((void *)memory);
}

static void *reallocate(void *memory, size_t size, bool is_engines) {
  if (memory && !is_of_seal(memory)) return realloc(memory, size);
  void *moved = allocate(size, is_engines);
  if (!memory || !moved) return moved;
  size_t old = usable_size(memory);
  memcpy(moved, memory, old < size ? old : size);
  weir_free(memory);
  return moved;
}

void *weir_malloc(size_t size) { return allocate(size, false); }
void *weir_realloc(void *memory, size_t size) { return reallocate(memory, size, false); }

// ---- sealing ----

// The header of an engine's block begins with its count of references.
static uint32_t *counts;

void weir_heap_seal(JSRuntime *runtime) {
  JS_WeirForgetObjects(runtime);
  counts = calloc(block_count, sizeof *counts);
  for (size_t i = 0; i < block_count; i++) {
    if (blocks[i].is_freed || !blocks[i].is_engines) continue;
    JS_WeirMakeLargeImmortal(blocks[i].data);
    memcpy(&counts[i], blocks[i].data, sizeof *counts);
  }
  weir_heap.sealed = weir_heap.end;
  is_sealed = true;
}

// Counts of what is sealed must be as they were.
void native_check_heap(void) {
  for (size_t i = 0; i < block_count; i++) {
    // The runtime's own block has no header.
    if (blocks[i].is_freed || !blocks[i].is_engines || counts[i] < 1 << 30) continue;
    if (memcmp(&counts[i], blocks[i].data, sizeof *counts) != 0) {
      printf("the count of a sealed block is written to\n");
      fflush(stdout);
      abort();
    }
  }
}

// ---- QuickJS ----

static void *engine_malloc(void *opaque, size_t size) { return allocate(size, true); }
static void *engine_realloc(void *opaque, void *block, size_t size) { return reallocate(block, size, true); }
static void engine_free(void *opaque, void *block) { weir_free(block); }

static void *engine_calloc(void *opaque, size_t count, size_t size) {
  void *block = allocate(count * size, true);
  return block ? memset(block, 0, count * size) : NULL;
}

JSRuntime *weir_new_runtime(void) {
  static const JSMallocFunctions functions = {
      .js_calloc = engine_calloc,
      .js_malloc = engine_malloc,
      .js_free = engine_free,
      .js_realloc = engine_realloc,
      .js_malloc_usable_size = usable_size,
  };
  return JS_NewRuntime2(&functions, NULL);
}
