// Part of quickjs.c: texts between UTF-8 and what QuickJS has, a byte or two for each character. Most of what is written
// is ASCII, which goes eight bytes at a time, also between characters that are not.

#define WEIR_ONES 0x0101010101010101ull
#define WEIR_HIGHS (0x80 * WEIR_ONES)

static inline uint64_t weir_load(const void *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

/* Of bytes that are not ASCII the highest bits. */
static inline uint64_t weir_not_ascii(uint64_t word) { return word & WEIR_HIGHS; }

/* Of bytes that do not stand for themselves in JSON (not ASCII, controls, '"', '\\') the highest bits. Above the first
   of them others may be set too. */
static inline uint64_t weir_not_plain(uint64_t word)
{
    uint64_t quotes = word ^ '"' * WEIR_ONES, slashes = word ^ '\\' * WEIR_ONES;
    return (word | (word - 0x20 * WEIR_ONES) | (quotes - WEIR_ONES) | (slashes - WEIR_ONES)) & WEIR_HIGHS;
}

/* The bytes before the first one whose bit is set. */
static inline int weir_before(uint64_t bits) { return bits ? __builtin_ctzll(bits) >> 3 : 8; }

static inline bool weir_is_plain_byte(uint8_t c) { return c >= 32 && c < 0x80 && c != '"' && c != '\\'; }

/* Four characters that are ASCII, as bytes; false: they are not. */
static inline bool weir_narrowed(const uint16_t *at, uint32_t *bytes)
{
    uint64_t word = weir_load(at);
    if (word & 0xff80ff80ff80ff80ull)
        return false;
    word = (word | word >> 8) & 0x0000ffff0000ffffull;
    *bytes = word | word >> 16;
    return true;
}

/* ---- to UTF-8 ---- */

/* A character of two bytes or more; `*at` stands behind its first half. A half of a pair that is alone has three. */
static inline uint8_t *weir_encode_wide(uint8_t *to, uint32_t c, const uint16_t **at, const uint16_t *end)
{
    if (c < 0x800) {
        *to++ = 0xc0 | c >> 6;
    } else {
        if (unlikely(is_hi_surrogate(c)) && *at < end && is_lo_surrogate(**at)) {
            c = from_surrogate(c, *(*at)++);
            *to++ = 0xf0 | c >> 18;
            *to++ = 0x80 | (c >> 12 & 0x3f);
        } else {
            *to++ = 0xe0 | c >> 12;
        }
        *to++ = 0x80 | (c >> 6 & 0x3f);
    }
    *to++ = 0x80 | (c & 0x3f);
    return to;
}

static size_t weir_count_not_ascii(const uint8_t *at, size_t size)
{
    const uint8_t *end = at + size;
    size_t count = 0;
    for (; end - at >= 8; at += 8)
        count += __builtin_popcountll(weir_not_ascii(weir_load(at)));
    for (; at < end; at++)
        count += *at >> 7;
    return count;
}

/* There is room for what comes of it; gives its end. */
static uint8_t *weir_encode8(uint8_t *to, const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        if (likely(end - at >= 8)) {
            uint64_t word = weir_load(at);
            int run = weir_before(weir_not_ascii(word));
            memcpy(to, &word, sizeof(word));
            at += run;
            to += run;
            if (run == 8)
                continue;
        }
        if (*at < 0x80) {
            *to++ = *at++;
        } else {
            *to++ = 0xc0 | *at >> 6;
            *to++ = 0x80 | (*at++ & 0x3f);
        }
    }
    return to;
}

/* There is room for three bytes a character; gives the end. */
static uint8_t *weir_encode16(uint8_t *to, const uint16_t *at, const uint16_t *end)
{
    uint32_t c;
    while (at < end) {
        if (end - at >= 4 && weir_narrowed(at, &c)) {
            memcpy(to, &c, sizeof(c));
            at += 4;
            to += 4;
            continue;
        }
        c = *at++;
        if (c < 0x80)
            *to++ = c;
        else
            to = weir_encode_wide(to, c, &at, end);
    }
    return to;
}

/* ---- from UTF-8, which is valid, but that halves of pairs may be alone ---- */

/* A character that is not ASCII. */
static inline uint32_t weir_decode_character(const uint8_t **at)
{
    const uint8_t *p = *at;
    uint32_t c = p[0];
    if (c < 0xe0) {
        *at = p + 2;
        return (c & 0x1f) << 6 | (p[1] & 0x3f);
    }
    if (c < 0xf0) {
        *at = p + 3;
        return (c & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    }
    *at = p + 4;
    return (c & 7) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6 | (p[3] & 0x3f);
}

/* The bytes of the character at `at`, which is not ASCII; 0: it is not valid. */
static inline int weir_character_size(const uint8_t *at, const uint8_t *end)
{
    int i, size = at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;
    if (end - at < size)
        return 0;
    for (i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    /* What could have been shorter, or is too large. */
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] >= 0x90))
        return 0;
    return size;
}

/* What an escape of JSON stands for, which is one. */
static uint32_t weir_unescape(const uint8_t **at)
{
    uint8_t c = (*at)[1];
    *at += 2;
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'u':
        *at += 4;
        return from_hex((*at)[-4]) << 12 | from_hex((*at)[-3]) << 8 | from_hex((*at)[-2]) << 4 | from_hex((*at)[-1]);
    default: return c;
    }
}

/* The next character, after `run` bytes of ASCII. */
static inline __attribute__((always_inline)) uint32_t weir_decode_next(const uint8_t **at, bool has_escapes)
{
    if (**at >= 0x80)
        return weir_decode_character(at);
    return has_escapes && **at == '\\' ? weir_unescape(at) : *(*at)++;
}

static inline int weir_decode_run(const uint8_t *at, const uint8_t *end, ptrdiff_t room, bool has_escapes)
{
    if (unlikely(end - at < 8 || room < 8))
        return 0;
    return weir_before(has_escapes ? weir_not_plain(weir_load(at)) : weir_not_ascii(weir_load(at)));
}

/* `length` characters below 256; with `has_escapes`, what stands between the quotation marks of JSON. */
static inline void weir_decode8(uint8_t *to, size_t length, const uint8_t *at, const uint8_t *end, bool has_escapes)
{
    const uint8_t *to_end = to + length;
    while (at < end) {
        int run = weir_decode_run(at, end, to_end - to, has_escapes);
        if (likely(run > 0)) {
            memcpy(to, at, 8);
            at += run;
            to += run;
        } else {
            *to++ = weir_decode_next(&at, has_escapes);
        }
    }
}

/* `length` units of UTF-16, likewise. */
static inline void weir_decode16(uint16_t *to, size_t length, const uint8_t *at, const uint8_t *end, bool has_escapes)
{
    const uint16_t *to_end = to + length;
    int i;
    while (at < end) {
        int run = weir_decode_run(at, end, to_end - to, has_escapes);
        if (run > 0) {
            for (i = 0; i < 8; i++)
                to[i] = at[i];
            at += run;
            to += run;
        } else {
            do {
                uint32_t c = weir_decode_next(&at, has_escapes);
                if (unlikely(c > 0xffff)) {
                    *to++ = get_hi_surrogate(c);
                    c = get_lo_surrogate(c);
                }
                *to++ = c;
            } while (at < end && *at >= 0x80);
        }
    }
}

/* A text of `length` units, with some above 255 if it is wide. */
static JSValue weir_decode_text(JSContext *ctx, const uint8_t *at, const uint8_t *end, size_t length, bool is_wide,
                                bool has_escapes)
{
    JSString *str;
    if (unlikely(length > JS_STRING_LEN_MAX))
        return JS_ThrowRangeError(ctx, "Invalid string length");
    str = js_alloc_string(ctx, length, is_wide);
    if (!str)
        return JS_EXCEPTION;
    if (!is_wide && (size_t)(end - at) == length)
        memcpy(str8(str), at, length);
    else if (is_wide && has_escapes)
        weir_decode16(str16(str), length, at, end, true);
    else if (is_wide)
        weir_decode16(str16(str), length, at, end, false);
    else if (has_escapes)
        weir_decode8(str8(str), length, at, end, true);
    else
        weir_decode8(str8(str), length, at, end, false);
    if (!is_wide)
        str8(str)[length] = 0;
    return JS_MKPTR(JS_TAG_STRING, str);
}

/* How many units of UTF-16 a text has, and whether some are above 255; false: it is not valid, or has a half of a pair. */
static bool weir_measure(const uint8_t *at, const uint8_t *end, size_t *length, bool *is_wide)
{
    size_t less = 0, size = end - at;
    for (*is_wide = false; at < end;) {
        int more, run = weir_decode_run(at, end, 8, false);
        at += run;
        if (run == 8)
            continue;
        if (*at < 0x80) {
            at++;
            continue;
        }
        more = weir_character_size(at, end);
        if (more == 0 || (at[0] == 0xed && at[1] >= 0xa0))
            return false;
        *is_wide |= at[0] >= 0xc4;
        less += more == 4 ? 2 : more - 1;
        at += more;
    }
    *length = size - less;
    return true;
}
