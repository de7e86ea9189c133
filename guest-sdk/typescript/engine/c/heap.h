// The engine's heap: one run of memory from the end of the data upwards, in which blocks of all sizes lie one after
// another.
//
// When a project is loaded the heap is sealed: what is there then belongs to the snapshot, is never freed, and is not
// written by the allocator or by counts of references. What a call makes lies behind it, on pages of its own, which are
// all that has to be cleared after the call.
#pragma once

#include <stddef.h>

// The sizes of small blocks, 16 to 512 bytes: as in quickjs.c.
#define WEIR_SMALL_SIZES 31

struct weir_free_block {
  struct weir_free_block *next;
};

struct weir_heap {
  char *at;      // where the next block begins
  char *end;     // the end of the memory
  char *sealed;  // what lies below belongs to the snapshot
  struct weir_free_block *small[WEIR_SMALL_SIZES];
};

extern struct weir_heap weir_heap;

// Grows the memory, so that `size` bytes fit behind `weir_heap.at`. False: the limit is met.
_Bool weir_heap_grow(size_t size);

// A new block of `size` bytes, a multiple of 8. NULL: the limit is met.
static inline void *weir_heap_take(size_t size) {
  if ((size_t)(weir_heap.end - weir_heap.at) < size && !weir_heap_grow(size)) return NULL;
  void *block = weir_heap.at;
  weir_heap.at += size;
  return block;
}

// From the bottom to where the next block begins.
size_t weir_heap_used(void);

// When the cycle collector runs next, given the bytes that are in use after it has run.
size_t weir_gc_threshold(size_t used);

// Whether memory was refused in this call.
_Bool weir_heap_is_exhausted(void);

// Large blocks, and all that is not QuickJS's.
void *weir_malloc(size_t size);
void *weir_realloc(void *block, size_t size);
void weir_free(void *block);

// Gives back memory that the host had us make for `size` bytes; there is none for no bytes.
static inline void weir_free_given(void *memory, size_t size) {
  if (size > 0) weir_free(memory);
}

struct JSRuntime;

// A runtime on this heap.
struct JSRuntime *weir_new_runtime(void);

// Seals the heap. `runtime` is the only one.
void weir_heap_seal(struct JSRuntime *runtime);
