// Part of quickjs.c: JSON of ordinary values, as UTF-8, in one walk. Whatever code of a program could see or change
// (an accessor, `toJSON`, a proxy) is left to QuickJS's own `JSON.stringify`, which is asked when this gives up; nothing
// was called until then.

/* Deeper values are left to QuickJS, which finds out whether they hold themselves. */
#define WEIR_JSON_DEPTH_MAX 256

typedef struct {
    JSContext *ctx;
    char *data;
    size_t size, capacity;
    /* How many units of UTF-16 fewer than bytes it is, and whether some are above 255. */
    size_t less;
    bool is_wide;
    bool is_out_of_memory;
} WeirWriter;

typedef enum { WEIR_WRITTEN, WEIR_SKIPPED, WEIR_GIVEN_UP } WeirWritten;

static WeirWritten weir_write_value(WeirWriter *w, JSValueConst v, int depth);

/* Room for `more` bytes; NULL: there is none. */
static char *weir_room(WeirWriter *w, size_t more)
{
    if (unlikely(w->capacity - w->size < more)) {
        size_t capacity = w->capacity + (w->capacity >> 1) + more;
        char *data = weir_realloc(w->data, capacity + 1);
        if (!data) {
            w->is_out_of_memory = true;
            return NULL;
        }
        w->data = data;
        w->capacity = capacity;
    }
    return w->data + w->size;
}

static bool weir_put(WeirWriter *w, const char *text, size_t size)
{
    char *to = weir_room(w, size);
    if (!to)
        return false;
    memcpy(to, text, size);
    w->size += size;
    return true;
}

/* What a character below 128 is written as: itself, after a backslash, or as \u00xx. */
static char weir_escape(uint32_t c)
{
    switch (c) {
    case '"': case '\\': return c;
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return c < 32 ? 'u' : 0;
    }
}

static char *weir_put_escaped(char *to, uint32_t c, char escape)
{
    *to++ = '\\';
    *to++ = escape;
    if (escape != 'u')
        return to;
    for (int shift = 12; shift >= 0; shift -= 4)
        *to++ = "0123456789abcdef"[c >> shift & 15];
    return to;
}

static inline uint8_t *weir_put_ascii(uint8_t *to, uint8_t c)
{
    if (unlikely(!weir_is_plain_byte(c)))
        return (uint8_t *)weir_put_escaped((char *)to, c, weir_escape(c));
    *to++ = c;
    return to;
}

/* So many characters at a time, so that there is room for six bytes each. */
#define WEIR_PIECE 256

static bool weir_write_narrow(WeirWriter *w, const uint8_t *at, uint32_t length)
{
    const uint8_t *end = at + length, *piece;
    while (at < end) {
        uint8_t *to = (uint8_t *)weir_room(w, 6 * WEIR_PIECE);
        if (!to)
            return false;
        for (piece = end - at > WEIR_PIECE ? at + WEIR_PIECE : end; at < piece;) {
            if (likely(piece - at >= 8)) {
                uint64_t word = weir_load(at);
                int run = weir_before(weir_not_plain(word));
                memcpy(to, &word, sizeof(word));
                at += run;
                to += run;
                if (run == 8)
                    continue;
            }
            if (*at < 0x80) {
                to = weir_put_ascii(to, *at++);
            } else {
                *to++ = 0xc0 | *at >> 6;
                *to++ = 0x80 | (*at++ & 0x3f);
                w->less++;
            }
        }
        w->size = (char *)to - w->data;
    }
    return true;
}

static bool weir_write_wide(WeirWriter *w, const uint16_t *at, uint32_t length)
{
    const uint16_t *end = at + length, *piece;
    while (at < end) {
        uint8_t *start, *to = (uint8_t *)weir_room(w, 6 * (WEIR_PIECE + 1));
        if (!to)
            return false;
        for (piece = end - at > WEIR_PIECE ? at + WEIR_PIECE : end; at < piece;) {
            uint32_t c = *at++;
            if (c < 0x80) {
                to = weir_put_ascii(to, c);
                continue;
            }
            start = to;
            /* Half of a pair that is alone. */
            if (unlikely(is_surrogate(c)) && !(is_hi_surrogate(c) && at < end && is_lo_surrogate(*at))) {
                to = (uint8_t *)weir_put_escaped((char *)to, c, 'u');
                continue;
            }
            w->is_wide |= c > 0xff;
            to = weir_encode_wide(to, c, &at, end);
            w->less += to - start == 4 ? 2 : to - start - 1;
        }
        w->size = (char *)to - w->data;
    }
    return true;
}

static bool weir_write_text(WeirWriter *w, JSString *p)
{
    return weir_put(w, "\"", 1) &&
        (p->is_wide_char ? weir_write_wide(w, str16(p), p->len) : weir_write_narrow(w, str8(p), p->len)) &&
        weir_put(w, "\"", 1);
}

static bool weir_write_number(WeirWriter *w, double d)
{
    JSDTOATempMem memory;
    char *to;

    if (!isfinite(d))
        return weir_put(w, "null", 4);
    to = weir_room(w, js_dtoa_max_len(d, 10, 0, JS_DTOA_FORMAT_FREE) + 1);
    if (!to)
        return false;
    w->size += js_dtoa(to, d, 10, 0, JS_DTOA_FORMAT_FREE, &memory);
    return true;
}

static bool weir_write_rope(WeirWriter *w, JSValueConst v)
{
    JSValue text = JS_ToString(w->ctx, v);
    bool is_written;
    if (JS_IsException(text)) {
        w->is_out_of_memory = true;
        return false;
    }
    is_written = weir_write_text(w, JS_VALUE_GET_STRING(text));
    JS_FreeValue(w->ctx, text);
    return is_written;
}

/* Whether a `toJSON` could be found on an object or what it inherits from. */
static bool weir_may_have_to_json(JSContext *ctx, JSObject *p)
{
    JSProperty *pr;
    while (p) {
        if (p->is_exotic && p->class_id != JS_CLASS_ARRAY)
            return true;
        if (find_own_property(&pr, p, JS_ATOM_toJSON))
            return true;
        p = p->shape->proto;
    }
    return false;
}

static WeirWritten weir_write_key(WeirWriter *w, JSAtom atom)
{
    return weir_write_text(w, w->ctx->rt->atom_array[atom]) && weir_put(w, ":", 1) ? WEIR_WRITTEN : WEIR_GIVEN_UP;
}

/* A field, with a comma before it unless it is the first. */
static WeirWritten weir_write_field(WeirWriter *w, JSShapeProperty *prs, JSProperty *pr, bool is_first, int depth)
{
    size_t start = w->size;
    WeirWritten written;

    if (prs->atom == JS_ATOM_NULL || !(prs->flags & JS_PROP_ENUMERABLE))
        return WEIR_SKIPPED;
    /* A number as a key stands before all others, whenever it was set. */
    if (__JS_AtomIsTaggedInt(prs->atom) || (prs->flags & JS_PROP_TMASK))
        return WEIR_GIVEN_UP;
    if (w->ctx->rt->atom_array[prs->atom]->atom_type != JS_ATOM_TYPE_STRING)
        return WEIR_SKIPPED;
    if (!is_first && !weir_put(w, ",", 1))
        return WEIR_GIVEN_UP;
    if (weir_write_key(w, prs->atom) != WEIR_WRITTEN)
        return WEIR_GIVEN_UP;
    written = weir_write_value(w, pr->u.value, depth);
    if (written == WEIR_SKIPPED)
        w->size = start;
    return written;
}

static WeirWritten weir_write_object(WeirWriter *w, JSObject *p, int depth)
{
    JSShape *sh = p->shape;
    bool is_first = true;
    int i;

    if (p->class_id != JS_CLASS_OBJECT || p->is_exotic || weir_may_have_to_json(w->ctx, p) || !weir_put(w, "{", 1))
        return WEIR_GIVEN_UP;
    for (i = 0; i < sh->prop_count; i++) {
        WeirWritten written = weir_write_field(w, &get_shape_prop(sh)[i], &p->prop[i], is_first, depth);
        if (written == WEIR_GIVEN_UP)
            return written;
        if (written == WEIR_WRITTEN)
            is_first = false;
    }
    return weir_put(w, "}", 1) ? WEIR_WRITTEN : WEIR_GIVEN_UP;
}

static WeirWritten weir_write_array(WeirWriter *w, JSObject *p, int depth)
{
    uint32_t i;

    if (!p->fast_array || JS_VALUE_GET_TAG(p->prop[0].u.value) != JS_TAG_INT ||
        JS_VALUE_GET_INT(p->prop[0].u.value) != (int)p->u.array.count || weir_may_have_to_json(w->ctx, p))
        return WEIR_GIVEN_UP;
    for (i = 0; i < p->u.array.count; i++) {
        if (!weir_put(w, i == 0 ? "[" : ",", 1))
            return WEIR_GIVEN_UP;
        switch (weir_write_value(w, p->u.array.u.values[i], depth)) {
        case WEIR_GIVEN_UP:
            return WEIR_GIVEN_UP;
        case WEIR_SKIPPED:
            if (!weir_put(w, "null", 4))
                return WEIR_GIVEN_UP;
            break;
        case WEIR_WRITTEN:
            break;
        }
    }
    return weir_put(w, i == 0 ? "[]" : "]", i == 0 ? 2 : 1) ? WEIR_WRITTEN : WEIR_GIVEN_UP;
}

static WeirWritten weir_write_value(WeirWriter *w, JSValueConst v, int depth)
{
    JSObject *p;
    char *to;
    bool is_written;

    switch (JS_VALUE_GET_NORM_TAG(v)) {
    case JS_TAG_STRING:
        is_written = weir_write_text(w, JS_VALUE_GET_STRING(v));
        break;
    case JS_TAG_STRING_ROPE:
        is_written = weir_write_rope(w, v);
        break;
    case JS_TAG_INT:
        to = weir_room(w, 12);
        is_written = to != NULL;
        if (to)
            w->size += i32toa(to, JS_VALUE_GET_INT(v));
        break;
    case JS_TAG_FLOAT64:
        is_written = weir_write_number(w, JS_VALUE_GET_FLOAT64(v));
        break;
    case JS_TAG_BOOL:
        is_written = JS_VALUE_GET_BOOL(v) ? weir_put(w, "true", 4) : weir_put(w, "false", 5);
        break;
    case JS_TAG_NULL:
        is_written = weir_put(w, "null", 4);
        break;
    case JS_TAG_OBJECT:
        p = JS_VALUE_GET_OBJ(v);
        if (depth >= WEIR_JSON_DEPTH_MAX)
            return WEIR_GIVEN_UP;
        if (p->class_id == JS_CLASS_ARRAY)
            return weir_write_array(w, p, depth + 1);
        if (JS_IsFunction(w->ctx, v) && p->class_id != JS_CLASS_PROXY)
            return weir_may_have_to_json(w->ctx, p) ? WEIR_GIVEN_UP : WEIR_SKIPPED;
        return weir_write_object(w, p, depth + 1);
    case JS_TAG_UNDEFINED:
    case JS_TAG_SYMBOL:
        return WEIR_SKIPPED;
    default:
        return WEIR_GIVEN_UP;
    }
    return is_written ? WEIR_WRITTEN : WEIR_GIVEN_UP;
}

/* Writes a value. False: QuickJS has to, or an exception is pending if memory is exhausted. */
static bool weir_write(WeirWriter *w, JSContext *ctx, JSValueConst value, WeirWritten *written)
{
    *w = (WeirWriter){ .ctx = ctx };
    *written = weir_write_value(w, value, 0);
    if (*written == WEIR_WRITTEN)
        w->data[w->size] = 0;
    return *written == WEIR_WRITTEN;
}

static JSValue weir_json_stringify(JSContext *ctx, JSValueConst value, bool *is_done)
{
    WeirWriter w;
    WeirWritten written;
    JSValue text = JS_UNDEFINED;

    weir_write(&w, ctx, value, &written);
    *is_done = written != WEIR_GIVEN_UP || w.is_out_of_memory;
    if (w.is_out_of_memory && !JS_HasException(ctx))
        text = JS_ThrowOutOfMemory(ctx);
    else if (w.is_out_of_memory)
        text = JS_EXCEPTION;
    else if (written == WEIR_WRITTEN)
        text = weir_decode_text(ctx, (uint8_t *)w.data, (uint8_t *)w.data + w.size, w.size - w.less, w.is_wide, false);
    weir_free(w.data);
    return text;
}

/* The JSON of a value as UTF-8, with a zero behind it, in memory for weir_free. NULL: an exception is pending. */
char *JS_WeirWriteJSON(JSContext *ctx, JSValueConst value, size_t *size)
{
    WeirWriter w;
    WeirWritten written;
    JSValue text;

    if (weir_write(&w, ctx, value, &written)) {
        *size = w.size;
        return w.data;
    }
    weir_free(w.data);
    if (w.is_out_of_memory) {
        if (!JS_HasException(ctx))
            JS_ThrowOutOfMemory(ctx);
        return NULL;
    }
    text = JS_JSONStringify(ctx, value, JS_UNDEFINED, JS_UNDEFINED);
    if (JS_IsException(text))
        return NULL;
    /* It is a text now, or undefined, which JSON writes as nothing. */
    const char *utf8 = JS_ToCStringLen(ctx, size, text);
    char *data = utf8 ? weir_malloc(*size + 1) : NULL;
    if (data)
        memcpy(data, utf8, *size + 1);
    if (utf8)
        JS_FreeCString(ctx, utf8);
    JS_FreeValue(ctx, text);
    if (utf8 && !data)
        JS_ThrowOutOfMemory(ctx);
    return data;
}
