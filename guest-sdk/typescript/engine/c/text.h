// Texts between JavaScript and the host: UTF-16 with possible lone halves of pairs there, UTF-8 here.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "quickjs.h"

// A text or bytes in memory that `text_free` gives back. `data` is NULL where there is none.
typedef struct {
  const char *data;
  size_t size;
} Text;

// The text of a value, as valid UTF-8: a lone half of a pair becomes U+FFFD. False: an exception is pending.
bool text_of(JSContext *context, JSValueConst value, Text *text);
void text_free(JSContext *context, Text *text);

// A text of memory that the host has given, which is freed.
JSValue text_take(JSContext *context, void *data, size_t size);

// The bytes of an ArrayBuffer or a view of one. False: an exception is pending.
bool text_bytes_of(JSContext *context, JSValueConst value, Text *bytes);

// Adds `utf8Encode(text)`, `utf8Decode(bytes, isFatal)` and `isPlain(value)` to an object.
void text_install(JSContext *context, JSValueConst object);
