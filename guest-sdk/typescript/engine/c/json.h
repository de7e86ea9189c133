// JSON between JavaScript and the host, as UTF-8 without a text in between.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "heap.h"
#include "quickjs.h"
#include "text.h"

// In quickjs.c, see inside/. The memory is for `weir_free`.
char *JS_WeirWriteJSON(JSContext *context, JSValueConst value, size_t *size);
JSValue JS_WeirParseJSON(JSContext *context, const char *text, size_t size);

// A value's JSON. False: an exception is pending.
static inline bool json_of(JSContext *context, JSValueConst value, Text *json) {
  json->data = JS_WeirWriteJSON(context, value, &json->size);
  return json->data != NULL;
}

static inline void json_free(Text *json) { weir_free((void *)json->data); }

// The value of JSON that the host has given, in memory that is freed. There is a zero behind it, see `cabi_realloc`.
static inline JSValue json_take(JSContext *context, void *data, size_t size) {
  JSValue value = JS_WeirParseJSON(context, data, size);
  weir_free_given(data, size);
  return value;
}
