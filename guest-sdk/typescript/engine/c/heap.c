#include "heap.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "quickjs.h"

#define WASM_PAGE_BYTES ((size_t)1 << 16)

// Pages of the host's processor: the first block of a call begins on one of its own.
#define PAGE_BYTES ((size_t)4096)

// What a call has without asking for more: most calls need less.
#define ROOM_BYTES ((size_t)256 << 10)

// Large blocks have eight sizes for each power of two from this one on.
#define LARGE_ORDER_MIN 8
#define LARGE_LISTS 20

// Garbage in cycles up to this is left where it is: most calls make less in their whole life.
#define GC_BYTES_MIN ((size_t)8 << 20)
// Above this the collector runs for every further mebibyte, rather than let a call die of garbage: a call has 64 MiB.
#define GC_EAGER_BYTES ((size_t)48 << 20)
#define GC_STEP_BYTES ((size_t)1 << 20)

// Stands before each large block.
typedef struct {
  uint32_t size;   // of the block without this
  uint16_t list;   // in `large`
  uint16_t owner;  // OWNER_...
} Block;

enum { OWNER_HOST, OWNER_ENGINE };

void JS_WeirForgetObjects(JSRuntime *runtime);
size_t JS_WeirMakeSmallImmortal(void *block);
void JS_WeirMakeLargeImmortal(void *block);

struct weir_heap weir_heap;

static struct weir_free_block *large[LARGE_LISTS];
static bool is_exhausted;

extern unsigned char __heap_base;

static char *bottom(void) { return (char *)(((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15); }

static Block *block_of(const void *memory) { return (Block *)(uintptr_t)memory - 1; }

bool weir_heap_grow(size_t size) {
  if (!weir_heap.at) {
    weir_heap.at = bottom();
    weir_heap.end = (char *)(__builtin_wasm_memory_size(0) * WASM_PAGE_BYTES);
  }
  size_t room = weir_heap.end - weir_heap.at;
  if (room >= size) return true;
  size_t pages = (size - room + WASM_PAGE_BYTES - 1) / WASM_PAGE_BYTES;
  if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) {
    is_exhausted = true;
    return false;
  }
  weir_heap.end += pages * WASM_PAGE_BYTES;
  return true;
}

size_t weir_heap_used(void) { return weir_heap.at - bottom(); }

bool weir_heap_is_exhausted(void) { return is_exhausted; }

size_t weir_gc_threshold(size_t used) {
  size_t threshold = used + (used / 2 > GC_BYTES_MIN ? used / 2 : GC_BYTES_MIN);
  if (threshold <= GC_EAGER_BYTES) return threshold;
  return used + GC_STEP_BYTES > GC_EAGER_BYTES ? used + GC_STEP_BYTES : GC_EAGER_BYTES;
}

// The list of blocks that are `size` bytes with their header, and up to twice as large.
static int list_of(size_t size) {
  int order = 32 - __builtin_clz((uint32_t)(size - 1));
  if (order < LARGE_ORDER_MIN) order = LARGE_ORDER_MIN;
  int list = order - LARGE_ORDER_MIN;
  return list < LARGE_LISTS ? list : LARGE_LISTS - 1;
}

// A size with its header, rounded up to one of the eight between two powers of two.
static size_t rounded(size_t size) {
  size_t total = (size + sizeof(Block) + 15) & ~(size_t)15;
  size_t step = (size_t)1 << (list_of(total) + LARGE_ORDER_MIN - 3);
  return (total + step - 1) & ~(step - 1);
}

static void *take_free(size_t total, int list) {
  for (struct weir_free_block **link = &large[list]; *link; link = &(*link)->next) {
    struct weir_free_block *found = *link;
    if (block_of(found)->size + sizeof(Block) >= total) {
      *link = found->next;
      return found;
    }
  }
  return NULL;
}

static void *allocate(size_t size, int owner) {
  if (size > INT32_MAX) {
    is_exhausted = true;
    return NULL;
  }
  size_t total = rounded(size);
  int list = list_of(total);
  void *reused = take_free(total, list);
  if (reused) {
    block_of(reused)->owner = owner;
    return reused;
  }
  Block *block = weir_heap_take(total);
  if (!block) return NULL;
  *block = (Block){.size = total - sizeof(Block), .list = list, .owner = owner};
  return block + 1;
}

static bool is_last(const void *memory) { return (char *)memory + block_of(memory)->size == weir_heap.at; }

void weir_free(void *memory) {
  if (!memory || (char *)memory < weir_heap.sealed) return;
  Block *block = block_of(memory);
  if (is_last(memory)) {
    weir_heap.at = (char *)block;
    return;
  }
  struct weir_free_block *freed = memory;
  freed->next = large[block->list];
  large[block->list] = freed;
}

// Grows the last block where it lies.
static bool extend(void *memory, size_t size) {
  Block *block = block_of(memory);
  if (!is_last(memory) || (char *)memory < weir_heap.sealed) return false;
  size_t more = (size + size / 8 - block->size + 15) & ~(size_t)15;
  if (!weir_heap_take(more)) return false;
  block->size += more;
  block->list = list_of(block->size);
  return true;
}

static void *reallocate(void *memory, size_t size, int owner) {
  if (!memory) return allocate(size, owner);
  Block *block = block_of(memory);
  if (size <= block->size) return memory;
  if (size < INT32_MAX / 2 && extend(memory, size)) return memory;
  void *moved = allocate(size, owner);
  if (!moved) return NULL;
  memcpy(moved, memory, block->size);
  weir_free(memory);
  return moved;
}

void *weir_malloc(size_t size) { return allocate(size, OWNER_HOST); }
void *weir_realloc(void *memory, size_t size) { return reallocate(memory, size, OWNER_HOST); }

// ---- sealing ----

static void zero_free_blocks(void) {
  for (int i = 0; i < WEIR_SMALL_SIZES; i++) {
    for (struct weir_free_block *block = weir_heap.small[i]; block;) {
      struct weir_free_block *next = block->next;
      size_t header = 8;
      memset(block, 0, JS_WeirMakeSmallImmortal((char *)block - header) - header);
      block = next;
    }
    weir_heap.small[i] = NULL;
  }
  for (int i = 0; i < LARGE_LISTS; i++) {
    for (struct weir_free_block *block = large[i]; block;) {
      struct weir_free_block *next = block->next;
      memset(block, 0, block_of(block)->size);
      block_of(block)->owner = OWNER_HOST;
      block = next;
    }
    large[i] = NULL;
  }
}

void weir_heap_seal(JSRuntime *runtime) {
  JS_WeirForgetObjects(runtime);
  // What is free stays so for ever, and costs nothing as zeros.
  zero_free_blocks();
  for (char *at = bottom(); at < weir_heap.at;) {
    size_t small = JS_WeirMakeSmallImmortal(at);
    if (small) {
      at += small;
      continue;
    }
    Block *block = (Block *)at;
    if (block->owner == OWNER_ENGINE) JS_WeirMakeLargeImmortal(block + 1);
    at += sizeof(Block) + block->size;
  }
  size_t padding = -(uintptr_t)weir_heap.at & (PAGE_BYTES - 1);
  weir_heap_take(padding + ROOM_BYTES);
  weir_heap.at -= ROOM_BYTES;
  weir_heap.sealed = weir_heap.at;
}

// ---- QuickJS and libc ----

static void *engine_malloc(void *opaque, size_t size) { return allocate(size, OWNER_ENGINE); }
static void *engine_realloc(void *opaque, void *block, size_t size) { return reallocate(block, size, OWNER_ENGINE); }
static void engine_free(void *opaque, void *block) { weir_free(block); }
static size_t engine_usable_size(const void *block) { return block_of(block)->size; }

static void *engine_calloc(void *opaque, size_t count, size_t size) {
  void *block = allocate(count * size, OWNER_ENGINE);
  return block ? memset(block, 0, count * size) : NULL;
}

JSRuntime *weir_new_runtime(void) {
  static const JSMallocFunctions functions = {
      .js_calloc = engine_calloc,
      .js_malloc = engine_malloc,
      .js_free = engine_free,
      .js_realloc = engine_realloc,
      .js_malloc_usable_size = engine_usable_size,
  };
  return JS_NewRuntime2(&functions, NULL);
}

#ifdef __wasm__ // elsewhere libc has its own
void *malloc(size_t size) { return weir_malloc(size); }
void free(void *block) { weir_free(block); }
void *realloc(void *block, size_t size) { return weir_realloc(block, size); }
void *calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
  void *block = weir_malloc(bytes);
  return block ? memset(block, 0, bytes) : NULL;
}
size_t malloc_usable_size(void *block) { return block ? block_of(block)->size : 0; }
#endif
