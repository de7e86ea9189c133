#include "sources.h"

#include <stdbool.h>
#include <string.h>

#include "heap.h"
#include "imports.h"
#include "text.h"

static bool is_calling;
static bool is_live;   // it is an action, in which time goes on
static double now;     // in milliseconds; 0: not asked yet
static bool is_seeded;
static uint64_t state[4];

int64_t sources_now(void) {
  if (is_calling && (now == 0 || is_live)) now = context_now();
  return (int64_t)(now * 1000);
}

void sources_set_calling(bool is) {
  is_calling = is;
  now = 0;
  is_seeded = false;
}

static void seed(void) {
  memset(state, 0, sizeof state);
  if (is_calling) {
    Result result;
    context_random_seed(&result);
    uint32_t size = result.words[1];
    memcpy(state, (void *)result.words[0], size < sizeof state ? size : sizeof state);
    weir_free_given((void *)result.words[0], size);
  }
  // The one state that the generator cannot leave.
  if ((state[0] | state[1] | state[2] | state[3]) == 0) state[0] = 1;
  is_seeded = true;
}

static uint64_t rotated(uint64_t value, int bits) { return value << bits | value >> (64 - bits); }

// xoshiro256++, as in Weir's other SDKs: the same seed gives the same numbers in every language.
static uint64_t next(void) {
  if (!is_seeded) seed();
  uint64_t result = rotated(state[0] + state[3], 23) + state[0], t = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= t;
  state[3] = rotated(state[3], 45);
  return result;
}

static JSValue random_js(JSContext *context, JSValueConst self, int argc, JSValueConst *argv) {
  return JS_NewFloat64(context, (double)(next() >> 11) * 0x1p-53);
}

static JSValue fill_js(JSContext *context, JSValueConst self, int argc, JSValueConst *argv) {
  Text bytes;
  if (!text_bytes_of(context, argv[0], &bytes)) return JS_EXCEPTION;
  uint64_t word = 0;
  for (size_t i = 0; i < bytes.size; i++) {
    if (i % 8 == 0) word = next();
    ((char *)(uintptr_t)bytes.data)[i] = (char)(word >> (i % 8 * 8));
  }
  return JS_UNDEFINED;
}

// `goOn()`: time does, from now on.
static JSValue go_on_js(JSContext *context, JSValueConst self, int argc, JSValueConst *argv) {
  is_live = true;
  return JS_UNDEFINED;
}

void sources_install(JSContext *context, JSValueConst object) {
  JSValue global = JS_GetGlobalObject(context), math = JS_GetPropertyStr(context, global, "Math");
  JSValue random = JS_NewCFunction(context, random_js, "random", 0);
  JS_DefinePropertyValueStr(context, math, "random", random, JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
  JS_FreeValue(context, math);
  JS_FreeValue(context, global);
  JS_SetPropertyStr(context, object, "goOn", JS_NewCFunction(context, go_on_js, "goOn", 0));
  JS_SetPropertyStr(context, object, "fillRandom", JS_NewCFunction(context, fill_js, "fillRandom", 1));
}
