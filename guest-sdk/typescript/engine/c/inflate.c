#include "inflate.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "text.h"

// In few bytes: it runs while a project is built, and once in a few calls.
#pragma clang attribute push(__attribute__((minsize)), apply_to = function)

#define BITS_MAX 15
// Codes up to this long are looked up; longer ones, which are rare, are read bit by bit.
#define FAST_BITS 9
#define LITERALS 288
#define DISTANCES 30
#define END_OF_BLOCK 256

// Bits that were read stand in `bits`, the next one lowest. Behind the end there are zeros, and `count` falls below 0.
typedef struct {
  const uint8_t *at, *end;
  uint64_t bits;
  int count;
  uint8_t *text, *to, *text_end;
} Input;

typedef struct {
  uint16_t fast[1 << FAST_BITS];  // length << 9 | symbol; 0: a longer code
  uint16_t counts[BITS_MAX + 1];  // of each length
  uint16_t symbols[LITERALS];     // in the order of their codes
} Codes;

static void refill(Input *in) {
  for (; in->count <= 56 && in->at < in->end; in->count += 8) in->bits |= (uint64_t)*in->at++ << in->count;
}

static uint32_t take(Input *in, int count) {
  refill(in);
  uint32_t value = in->bits & (((uint64_t)1 << count) - 1);
  in->bits >>= count;
  in->count -= count;
  return value;
}

static uint32_t reversed(uint32_t code, int length) {
  uint32_t value = 0;
  for (int i = 0; i < length; i++) value = value << 1 | (code >> i & 1);
  return value;
}

// The codes of symbols with these lengths; 0: none.
static void make_codes(Codes *codes, const uint8_t *lengths, int count) {
  uint32_t next[BITS_MAX + 1] = {0}, index[BITS_MAX + 1] = {0};
  memset(codes, 0, sizeof *codes);
  for (int i = 0; i < count; i++) codes->counts[lengths[i]]++;
  codes->counts[0] = 0;
  for (int i = 1; i <= BITS_MAX; i++) {
    next[i] = (next[i - 1] + codes->counts[i - 1]) << 1;
    index[i] = index[i - 1] + codes->counts[i - 1];
  }
  for (int i = 0; i < count; i++) {
    int length = lengths[i];
    if (length == 0) continue;
    codes->symbols[index[length]++] = i;
    uint32_t code = reversed(next[length]++, length);
    for (; length <= FAST_BITS && code < 1 << FAST_BITS; code += 1u << length) codes->fast[code] = length << 9 | i;
  }
}

// -1: there is no such code.
static int decode(Input *in, const Codes *codes) {
  refill(in);
  uint16_t fast = codes->fast[in->bits & ((1 << FAST_BITS) - 1)];
  if (fast) {
    take(in, fast >> 9);
    return fast & 511;
  }
  for (int length = 1, code = 0, first = 0, index = 0; length <= BITS_MAX; length++) {
    code |= take(in, 1);
    int count = codes->counts[length];
    if (code < first + count) return codes->symbols[index + code - first];
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  return -1;
}

// What is `length` bytes long `distance` before, once more.
static bool repeat(Input *in, uint32_t length, uint32_t distance) {
  if (distance > (uint32_t)(in->to - in->text) || length > (uint32_t)(in->text_end - in->to)) return false;
  for (; length > 0; length--, in->to++) *in->to = *(in->to - distance);
  return true;
}

static bool copy_symbols(Input *in, const Codes *literals, const Codes *distances) {
  static const uint16_t bases[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                   31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
  static const uint8_t extra[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
  while (in->count >= 0) {
    int symbol = decode(in, literals);
    if (symbol == END_OF_BLOCK) return in->count >= 0;
    if (symbol < 0 || symbol - 257 >= (int)sizeof extra) return false;
    if (symbol < END_OF_BLOCK) {
      if (in->to == in->text_end) return false;
      *in->to++ = symbol;
      continue;
    }
    uint32_t length = bases[symbol - 257] + take(in, extra[symbol - 257]);
    int code = decode(in, distances);
    if (code < 0 || code >= DISTANCES) return false;
    int bits = code < 2 ? 0 : code / 2 - 1;
    uint32_t base = code < 2 ? code + 1 : ((2 + code % 2) << bits) + 1;
    if (!repeat(in, length, base + take(in, bits))) return false;
  }
  return false;
}

static bool copy_stored(Input *in) {
  if (in->count < 0) return false;
  take(in, in->count % 8);
  uint32_t size = take(in, 16);
  take(in, 16);  // the size again
  if (size > (uint32_t)(in->text_end - in->to)) return false;
  for (; size > 0; size--) *in->to++ = take(in, 8);
  return in->count >= 0;
}

static bool copy_fixed(Input *in, Codes *literals, Codes *distances) {
  uint8_t lengths[LITERALS];
  for (int i = 0; i < LITERALS; i++) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  make_codes(literals, lengths, LITERALS);
  memset(lengths, 5, DISTANCES);
  make_codes(distances, lengths, DISTANCES);
  return copy_symbols(in, literals, distances);
}

static bool copy_dynamic(Input *in, Codes *literals, Codes *distances) {
  static const uint8_t order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  uint8_t lengths[LITERALS + 32] = {0};
  int literal_count = take(in, 5) + 257, count = literal_count + take(in, 5) + 1, given = take(in, 4) + 4;
  for (int i = 0; i < given; i++) lengths[order[i]] = take(in, 3);
  make_codes(literals, lengths, sizeof order);
  memset(lengths, 0, sizeof order);
  for (int i = 0; i < count;) {
    int symbol = decode(in, literals);
    if (symbol < 0) return false;
    if (symbol < 16) {
      lengths[i++] = symbol;
      continue;
    }
    int times = symbol == 16 ? 3 + take(in, 2) : symbol == 17 ? 3 + take(in, 3) : 11 + take(in, 7);
    if ((symbol == 16 && i == 0) || times > count - i) return false;
    memset(lengths + i, symbol == 16 ? lengths[i - 1] : 0, times);
    i += times;
  }
  make_codes(literals, lengths, literal_count);
  make_codes(distances, lengths + literal_count, count - literal_count);
  return copy_symbols(in, literals, distances);
}

static bool copy_blocks(Input *in) {
  Codes literals, distances;
  for (bool is_last = false; !is_last;) {
    is_last = take(in, 1);
    uint32_t kind = take(in, 2);
    bool is_read = kind == 0   ? copy_stored(in)
                   : kind == 1 ? copy_fixed(in, &literals, &distances)
                   : kind == 2 ? copy_dynamic(in, &literals, &distances)
                               : false;
    if (!is_read) return false;
  }
  return in->to == in->text_end;
}

static JSValue inflate_js(JSContext *context, JSValueConst self, int argc, JSValueConst *argv) {
  Text packed;
  uint32_t size;
  if (!text_bytes_of(context, argv[0], &packed)) return JS_EXCEPTION;
  if (packed.size < sizeof size) return JS_ThrowTypeError(context, "there is no size before what is packed");
  memcpy(&size, packed.data, sizeof size);
  uint8_t *text = js_malloc(context, (size_t)size + 1);
  if (!text) return JS_EXCEPTION;
  Input in = {.at = (const uint8_t *)packed.data + sizeof size,
              .end = (const uint8_t *)packed.data + packed.size,
              .text = text,
              .to = text,
              .text_end = text + size};
  JSValue value = copy_blocks(&in) ? JS_NewStringLen(context, (char *)text, size)
                                   : JS_ThrowTypeError(context, "what is packed is damaged");
  js_free(context, text);
  return value;
}

void inflate_install(JSContext *context, JSValueConst object) {
  JS_SetPropertyStr(context, object, "inflate", JS_NewCFunction(context, inflate_js, "inflate", 1));
}

#pragma clang attribute pop
