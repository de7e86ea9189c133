// Programs in a process of their own each.
#pragma once

#include <stddef.h>

#include "quickjs.h"

enum { EXIT_TRAP = 42 };

typedef struct {
  char *data;  // with a zero behind it
  size_t size;
} Source;

// Runs a program in two parts, with the runtime of suite/runtime.js around it, and prints what it gives. What the first
// has made is sealed before the second runs, where there is something that seals.
void run_program(Source runtime, Source first, Source second);

// An engine for a test of QuickJS's own. `seal` is called when its globals are there.
JSRuntime *new_runtime(void);
void seal(JSRuntime *runtime);
