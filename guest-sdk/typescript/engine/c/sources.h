// Time and randomness: those of the call, so that a call that runs again finds the same. While a project is loaded there
// is no call; it is 1970 then, and the random numbers are those of a seed of zeros.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "quickjs.h"

// The time of the call in microseconds since 1970.
int64_t sources_now(void);

// Whether a call is made, which has a time and a seed. What was drawn before is forgotten.
void sources_set_calling(bool is_calling);

// Puts `Math.random` in the place of the engine's, and adds `fillRandom(bytes)` to an object.
void sources_install(JSContext *context, JSValueConst object);
