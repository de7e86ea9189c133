// What c/ asks of WebAssembly, for this machine. Included before all else.
#pragma once

#include <stddef.h>

// The memory that the heap of c/heap.c grows in: from an address that is the same in every run, up to 64 MiB.
extern unsigned char *native_heap_base;
size_t native_memory_pages(void);
size_t native_memory_grow(size_t pages);
_Noreturn void native_trap(void);

#define __heap_base (*native_heap_base)
#define __builtin_wasm_memory_size(memory) native_memory_pages()
#define __builtin_wasm_memory_grow(memory, pages) native_memory_grow(pages)
#define __builtin_trap native_trap
#define __wasm_call_ctors native_no_constructors
