#include "text.h"

#include <stdint.h>
#include <string.h>

#include "heap.h"

bool JS_WeirIsPlain(JSContext *context, JSValueConst value);
void JS_WeirMapFrames(JSContext *context, JSValueConst map);
JSValue JS_WeirFrames(JSContext *context, JSValueConst error);

// Halves of pairs are U+D800 to U+DFFF: ED A0..BF and a further byte, where QuickJS writes one that is alone. U+FFFD
// takes as many bytes.
static bool is_lone_half(const uint8_t *at) { return at[0] == 0xed && at[1] >= 0xa0; }

static void replace_lone_halves(uint8_t *data, size_t size) {
  uint8_t *end = data + size;
  for (uint8_t *at = data; size >= 3 && (at = memchr(at, 0xed, end - at)); at++) {
    if (end - at >= 3 && is_lone_half(at)) memcpy(at, "\xef\xbf\xbd", 3);
  }
}

bool text_of(JSContext *context, JSValueConst value, Text *text) {
  text->data = JS_ToCStringLen(context, &text->size, value);
  if (!text->data) return false;
  // What is not ASCII is a copy; a text of ASCII has no such byte, and is not written.
  replace_lone_halves((uint8_t *)(uintptr_t)text->data, text->size);
  return true;
}

void text_free(JSContext *context, Text *text) {
  if (text->data) JS_FreeCString(context, text->data);
  text->data = NULL;
}

JSValue text_take(JSContext *context, void *data, size_t size) {
  JSValue value = JS_NewStringLen(context, data, size);
  weir_free_given(data, size);
  return value;
}

bool text_bytes_of(JSContext *context, JSValueConst value, Text *bytes) {
  size_t offset, size;
  uint8_t *data = JS_GetArrayBuffer(context, &bytes->size, value);
  if (data || JS_IsArrayBuffer(value)) {
    bytes->data = (char *)data;
    return true;
  }
  JS_FreeValue(context, JS_GetException(context));
  JSValue buffer = JS_GetTypedArrayBuffer(context, value, &offset, &size, NULL);
  if (JS_IsException(buffer)) return false;
  data = JS_GetArrayBuffer(context, &bytes->size, buffer);
  JS_FreeValue(context, buffer);
  if (!data && size > 0) return false;
  *bytes = (Text){(char *)data + offset, size};
  return true;
}

static JSValue utf8_encode_js(JSContext *context, JSValueConst self, int argc, JSValueConst *argv) {
  Text text;
  if (!text_of(context, argv[0], &text)) return JS_EXCEPTION;
  JSValue bytes = JS_NewUint8ArrayCopy(context, (const uint8_t *)text.data, text.size);
  text_free(context, &text);
  return bytes;
}

// The length of the valid sequence at `at`. 0: there is none, and `*skip` bytes are to be replaced by U+FFFD, as the
// Encoding standard says ("maximal subparts").
static size_t sequence(const uint8_t *at, const uint8_t *end, size_t *skip) {
  uint8_t first = at[0], low = 0x80, high = 0xbf;
  size_t length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3
                                                                  : first >= 0xf0 && first < 0xf5   ? 4
                                                                                                    : 0;
  *skip = 1;
  if (length == 0) return 0;
  if (first == 0xe0) low = 0xa0;
  if (first == 0xed) high = 0x9f;
  if (first == 0xf0) low = 0x90;
  if (first == 0xf4) high = 0x8f;
  for (size_t i = 1; i < length; i++, low = 0x80, high = 0xbf) {
    if (at + i == end || at[i] < low || at[i] > high) {
      *skip = i;
      return 0;
    }
  }
  return length;
}

// The length of the text without errors; `*errors` counts them.
static size_t repaired_size(const uint8_t *data, size_t size, size_t *errors) {
  const uint8_t *end = data + size;
  size_t total = 0, skip;
  *errors = 0;
  for (const uint8_t *at = data; at < end;) {
    size_t length = sequence(at, end, &skip);
    if (length == 0) ++*errors;
    at += length ? length : skip;
    total += length ? length : 3;
  }
  return total;
}

static JSValue repaired(JSContext *context, const uint8_t *data, size_t size, size_t new_size) {
  uint8_t *copy = js_malloc(context, new_size + 1), *to = copy;
  if (!copy) return JS_EXCEPTION;
  const uint8_t *end = data + size;
  for (const uint8_t *at = data; at < end;) {
    size_t skip, length = sequence(at, end, &skip);
    memcpy(to, length ? at : (const uint8_t *)"\xef\xbf\xbd", length ? length : 3);
    to += length ? length : 3;
    at += length ? length : skip;
  }
  JSValue text = JS_NewStringLen(context, (char *)copy, new_size);
  js_free(context, copy);
  return text;
}

static JSValue utf8_decode_js(JSContext *context, JSValueConst self, int argc, JSValueConst *argv) {
  Text bytes;
  if (!text_bytes_of(context, argv[0], &bytes)) return JS_EXCEPTION;
  size_t errors, size = repaired_size((const uint8_t *)bytes.data, bytes.size, &errors);
  if (errors == 0) return JS_NewStringLen(context, bytes.data, bytes.size);
  if (argc > 1 && JS_ToBool(context, argv[1])) {
    return JS_ThrowTypeError(context, "The encoded data was not valid for encoding utf-8");
  }
  return repaired(context, (const uint8_t *)bytes.data, bytes.size, size);
}

static JSValue is_plain_js(JSContext *context, JSValueConst self, int argc, JSValueConst *argv) {
  return JS_NewBool(context, JS_WeirIsPlain(context, argv[0]));
}

// `mapFrames(map)`: `map` gives for an error's frames, as text, those that `stack` is to have.
static JSValue map_frames_js(JSContext *context, JSValueConst self, int argc, JSValueConst *argv) {
  JS_WeirMapFrames(context, argv[0]);
  return JS_UNDEFINED;
}

// `framesOf(error)`: places in the bundle, whatever the error's `stack` is; undefined if it is none.
static JSValue frames_of_js(JSContext *context, JSValueConst self, int argc, JSValueConst *argv) {
  return JS_WeirFrames(context, argv[0]);
}

void text_install(JSContext *context, JSValueConst object) {
  JS_SetPropertyStr(context, object, "utf8Encode", JS_NewCFunction(context, utf8_encode_js, "utf8Encode", 1));
  JS_SetPropertyStr(context, object, "utf8Decode", JS_NewCFunction(context, utf8_decode_js, "utf8Decode", 2));
  JS_SetPropertyStr(context, object, "mapFrames", JS_NewCFunction(context, map_frames_js, "mapFrames", 1));
  JS_SetPropertyStr(context, object, "framesOf", JS_NewCFunction(context, frames_of_js, "framesOf", 1));
  JS_SetPropertyStr(context, object, "isPlain", JS_NewCFunction(context, is_plain_js, "isPlain", 1));
}
