// Part of quickjs.c: JSON to values. The values of a list or an object are gathered on a stack first; an object whose
// keys are those of the one before it in its list is then made with that one's shape at once.

/* Lists and objects within each other: what a walk on the processor's own stack has room for. */
#define WEIR_PARSE_DEPTH_MAX 10000

/* Keys up to this many bytes are looked for among the last ones. */
#define WEIR_KEY_BYTES_MAX 32
#define WEIR_KEYS 64

typedef struct {
    JSContext *ctx;
    const uint8_t *start, *at, *end;
    int depth;
    /* Values of what is not finished yet; an object's keys stand before each. */
    JSValue *stack;
    JSAtom *keys;
    size_t size, capacity;
    /* Characters of a text with escapes, or of more than ASCII. */
    uint16_t *text;
    size_t text_capacity;
    /* Keys that were met, by their bytes. */
    struct {
        JSAtom atom;
        uint8_t length;
        uint8_t bytes[WEIR_KEY_BYTES_MAX];
    } known[WEIR_KEYS];
} WeirParser;

static bool weir_parse_value(WeirParser *p, JSValue *value, JSShape **shape);

/* ---- errors, in V8's words ---- */

static bool weir_parse_fail(WeirParser *p, const char *what)
{
    JS_ThrowSyntaxError(p->ctx, "%s at position %d", what, (int)(p->at - p->start));
    return false;
}

/* What is not expected where the parser stands. */
static bool weir_parse_unexpected(WeirParser *p)
{
    char token[8] = { 0 };
    uint32_t c;
    const uint8_t *next;
    int length, size = p->end - p->start;

    if (p->at >= p->end) {
        JS_ThrowSyntaxError(p->ctx, "Unexpected end of JSON input");
        return false;
    }
    if (size == 9 && memcmp(p->start, "undefined", 9) == 0) {
        JS_ThrowSyntaxError(p->ctx, "\"undefined\" is not valid JSON");
        return false;
    }
    c = utf8_decode(p->at, &next);
    length = c < 0x80 ? 1 : utf8_encode((uint8_t *)token, c);
    if (c < 0x80)
        token[0] = c;
    if (size <= 40) {
        JS_ThrowSyntaxError(p->ctx, "Unexpected token '%.*s', \"%.*s\" is not valid JSON", length, token, size,
                            (const char *)p->start);
    } else {
        /* Ten characters before and behind it. */
        const uint8_t *from = p->at - p->start > 10 ? p->at - 10 : p->start;
        const uint8_t *to = p->end - p->at > 10 ? p->at + 10 : p->end;
        while (from > p->start && (*from & 0xc0) == 0x80)
            from--;
        while (to < p->end && (*to & 0xc0) == 0x80)
            to++;
        JS_ThrowSyntaxError(p->ctx, "Unexpected token '%.*s', %s\"%.*s\"%s is not valid JSON", length, token,
                            from > p->start ? "..." : "", (int)(to - from), (const char *)from, to < p->end ? "..." : "");
    }
    return false;
}

/* ---- the stack ---- */

static bool weir_parse_grow(WeirParser *p)
{
    size_t capacity = p->capacity < 16 ? 64 : p->capacity * 2;
    JSValue *stack = js_realloc(p->ctx, p->stack, capacity * sizeof(*stack));
    JSAtom *keys;
    if (!stack)
        return false;
    p->stack = stack;
    keys = js_realloc(p->ctx, p->keys, capacity * sizeof(*keys));
    if (!keys)
        return false;
    p->keys = keys;
    p->capacity = capacity;
    return true;
}

static bool weir_parse_push(WeirParser *p, JSAtom key, JSValue value)
{
    if (unlikely(p->size == p->capacity) && !weir_parse_grow(p)) {
        JS_FreeValue(p->ctx, value);
        JS_FreeAtom(p->ctx, key);
        return false;
    }
    p->stack[p->size] = value;
    p->keys[p->size++] = key;
    return true;
}

/* Forgets what was pushed since `base`. */
static void weir_parse_drop(WeirParser *p, size_t base)
{
    while (p->size > base) {
        p->size--;
        JS_FreeValue(p->ctx, p->stack[p->size]);
        JS_FreeAtom(p->ctx, p->keys[p->size]);
    }
}

static inline void weir_parse_space(WeirParser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t'))
        p->at++;
}

/* ---- numbers ---- */

static const double weir_powers_of_ten[] = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

static inline bool weir_is_digit(const WeirParser *p) { return p->at < p->end && *p->at >= '0' && *p->at <= '9'; }

/* The digits where the parser stands, behind those of `*mantissa`; false: there are none. */
static bool weir_parse_digits(WeirParser *p, uint64_t *mantissa, int *digits)
{
    if (!weir_is_digit(p))
        return false;
    for (; weir_is_digit(p); p->at++) {
        if (*digits < 18) {
            *mantissa = *mantissa * 10 + (*p->at - '0');
            *digits += *mantissa > 0;
        } else {
            *digits = 100; /* too many to be exact */
        }
    }
    return true;
}

/* The exponent where the parser stands, if there is one. */
static bool weir_parse_exponent(WeirParser *p, int *exponent)
{
    bool is_negative;
    int value = 0;
    if (p->at >= p->end || (*p->at != 'e' && *p->at != 'E'))
        return true;
    p->at++;
    is_negative = p->at < p->end && *p->at == '-';
    if (is_negative || (p->at < p->end && *p->at == '+'))
        p->at++;
    if (!weir_is_digit(p))
        return weir_parse_fail(p, "Exponent part is missing a number in JSON");
    for (; weir_is_digit(p); p->at++)
        value = value < 10000 ? value * 10 + (*p->at - '0') : value;
    *exponent += is_negative ? -value : value;
    return true;
}

static bool weir_parse_number(WeirParser *p, JSValue *value)
{
    const uint8_t *start = p->at;
    bool is_negative = *p->at == '-';
    uint64_t mantissa = 0;
    int digits = 0, exponent = 0;
    double d;
    JSATODTempMem memory;

    p->at += is_negative;
    if (!weir_is_digit(p))
        return weir_parse_fail(p, "No number after minus sign in JSON");
    if (*p->at != '0')
        weir_parse_digits(p, &mantissa, &digits);
    else if (++p->at < p->end && weir_is_digit(p))
        return weir_parse_fail(p, "Unexpected number in JSON");
    if (p->at < p->end && *p->at == '.') {
        const uint8_t *point = ++p->at;
        if (!weir_parse_digits(p, &mantissa, &digits))
            return weir_parse_fail(p, "Unterminated fractional number in JSON");
        exponent = -(int)(p->at - point);
    }
    if (!weir_parse_exponent(p, &exponent))
        return false;
    if (exponent == 0 && mantissa <= INT32_MAX && digits < 18 && !(is_negative && mantissa == 0)) {
        *value = JS_NewInt32(p->ctx, is_negative ? -(int32_t)mantissa : (int32_t)mantissa);
        return true;
    }
    /* Both exact, so that the result is rounded once. */
    if (digits <= 15 && exponent >= -22 && exponent <= 22) {
        d = (double)mantissa;
        d = exponent < 0 ? d / weir_powers_of_ten[-exponent] : d * weir_powers_of_ten[exponent];
        d = is_negative ? -d : d;
    } else {
        d = js_atod((const char *)start, NULL, 10, 0, &memory);
    }
    *value = JS_NewNumber(p->ctx, d);
    return true;
}

/* ---- texts ---- */

/* Where a run of ASCII that stands for itself ends. */
static inline const uint8_t *weir_parse_run(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 8) {
        int run = weir_before(weir_not_plain(weir_load(at)));
        at += run;
        if (run < 8)
            return at;
    }
    while (at < end && weir_is_plain_byte(*at))
        at++;
    return at;
}

typedef struct {
    const uint8_t *end; /* the closing quotation mark */
    size_t length;
    bool is_wide, has_escapes;
} WeirMeasured;

/* The size of the escape at `at`, 0 if it is none. */
static inline int weir_parse_measure_escape(const uint8_t *at, const uint8_t *end, WeirMeasured *m)
{
    int i;
    if (end - at < 2)
        return 0;
    switch (at[1]) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        return 2;
    case 'u':
        if (end - at < 6)
            return 0;
        for (i = 2; i < 6; i++) {
            if (from_hex(at[i]) < 0)
                return 0;
        }
        m->is_wide |= at[2] != '0' || at[3] != '0';
        return 6;
    default:
        return 0;
    }
}

/* Of the text that begins at `start`, and stands for itself up to `at`; false: something is wrong with it. */
static bool weir_parse_measure(const uint8_t *start, const uint8_t *at, const uint8_t *end, WeirMeasured *m)
{
    size_t less = 0;
    for (*m = (WeirMeasured){ 0 };; at = weir_parse_run(at, end)) {
        int size;
        if (at >= end || *at < 32)
            return false;
        if (*at == '"')
            break;
        if (*at == '\\') {
            size = weir_parse_measure_escape(at, end, m);
            m->has_escapes = true;
            less += size - 1;
        } else {
            for (;;) {
                size = weir_character_size(at, end);
                m->is_wide |= *at >= 0xc4;
                less += size == 4 ? 2 : size - 1;
                if (size == 0 || at + size >= end || at[size] < 0x80)
                    break;
                at += size;
            }
        }
        if (size == 0)
            return false;
        at += size;
    }
    m->end = at;
    m->length = at - start - less;
    return true;
}

static bool weir_parse_text_room(WeirParser *p, size_t size)
{
    if (likely(size <= p->text_capacity))
        return true;
    size_t capacity = size + (size >> 1) + 64;
    uint16_t *text = js_realloc(p->ctx, p->text, capacity * sizeof(*text));
    if (!text)
        return false;
    p->text = text;
    p->text_capacity = capacity;
    return true;
}

/* The four digits of \uXXXX; -1: they are not. */
static int weir_parse_hex(WeirParser *p)
{
    int i, c = 0;
    for (i = 0; i < 4; i++, p->at++) {
        int digit = p->at < p->end ? from_hex(*p->at) : -1;
        if (digit < 0) {
            weir_parse_fail(p, "Bad Unicode escape in JSON");
            return -1;
        }
        c = c << 4 | digit;
    }
    return c;
}

/* What stands behind a backslash; -1: nothing that may. */
static int weir_parse_escape(WeirParser *p)
{
    if (p->at >= p->end) {
        weir_parse_unexpected(p);
        return -1;
    }
    switch (*p->at++) {
    case '"': return '"';
    case '\\': return '\\';
    case '/': return '/';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'u': return weir_parse_hex(p);
    default:
        p->at--;
        weir_parse_fail(p, "Bad escaped character in JSON");
        return -1;
    }
}

/* The characters up to the closing quotation mark, in `p->text`; -1: an error. */
static int64_t weir_parse_characters(WeirParser *p)
{
    size_t length = 0;
    for (;;) {
        const uint8_t *run = weir_parse_run(p->at, p->end);
        int c;
        /* A character outside of the basic plane is two. */
        if (!weir_parse_text_room(p, length + (run - p->at) + 2))
            return -1;
        while (p->at < run)
            p->text[length++] = *p->at++;
        if (p->at >= p->end) {
            weir_parse_fail(p, "Unterminated string in JSON");
            return -1;
        }
        if (*p->at == '"') {
            p->at++;
            return length;
        }
        if (*p->at == '\\') {
            p->at++;
            c = weir_parse_escape(p);
            if (c < 0)
                return -1;
        } else if (*p->at < 32) {
            weir_parse_fail(p, "Bad control character in string literal in JSON");
            return -1;
        } else {
            c = utf8_decode(p->at, &p->at);
        }
        if (c > 0xffff) {
            p->text[length++] = get_hi_surrogate(c);
            p->text[length++] = get_lo_surrogate(c);
        } else {
            p->text[length++] = c;
        }
    }
}

/* A text that cannot be measured: in most cases, an error. */
static JSValue weir_parse_odd_text(WeirParser *p)
{
    int64_t length = weir_parse_characters(p);
    if (length < 0)
        return JS_EXCEPTION;
    return JS_NewStringUTF16(p->ctx, p->text, length);
}

/* A text, from behind its opening quotation mark. */
static JSValue weir_parse_text(WeirParser *p)
{
    const uint8_t *start = p->at, *run = weir_parse_run(start, p->end);
    WeirMeasured measured;

    if (likely(run < p->end && *run == '"')) {
        p->at = run + 1;
        return js_new_string8_len(p->ctx, (const char *)start, run - start);
    }
    if (!weir_parse_measure(start, run, p->end, &measured))
        return weir_parse_odd_text(p);
    p->at = measured.end + 1;
    return weir_decode_text(p->ctx, start, measured.end, measured.length, measured.is_wide, measured.has_escapes);
}

/* ---- keys ---- */

static JSAtom weir_parse_other_key(WeirParser *p)
{
    JSValue text = weir_parse_text(p);
    JSAtom atom;
    if (JS_IsException(text))
        return JS_ATOM_NULL;
    atom = JS_ValueToAtom(p->ctx, text);
    JS_FreeValue(p->ctx, text);
    return atom;
}

/* A key, from behind its opening quotation mark; JS_ATOM_NULL: an exception is pending. */
static JSAtom weir_parse_key(WeirParser *p)
{
    const uint8_t *run = weir_parse_run(p->at, p->end);
    size_t length = run - p->at;
    unsigned slot;

    if (run >= p->end || *run != '"' || length == 0 || length > WEIR_KEY_BYTES_MAX)
        return weir_parse_other_key(p);
    slot = (p->at[0] * 7 + p->at[length - 1] * 31 + p->at[length / 2] * 3 + length) % WEIR_KEYS;
    if (p->known[slot].length != length || memcmp(p->known[slot].bytes, p->at, length) != 0) {
        JSAtom atom = JS_NewAtomLen(p->ctx, (const char *)p->at, length);
        if (atom == JS_ATOM_NULL)
            return atom;
        if (p->known[slot].length > 0)
            JS_FreeAtom(p->ctx, p->known[slot].atom);
        p->known[slot].atom = atom;
        p->known[slot].length = length;
        memcpy(p->known[slot].bytes, p->at, length);
    }
    p->at = run + 1;
    return JS_DupAtom(p->ctx, p->known[slot].atom);
}

/* ---- lists and objects ---- */

/* Whether the fields since `base` are those of a shape, in its order. */
static bool weir_parse_fits(WeirParser *p, size_t base, JSShape *sh)
{
    size_t i, count = p->size - base;
    JSShapeProperty *prs = get_shape_prop(sh);

    if (sh->prop_count != (int)count || sh->deleted_prop_count != 0 ||
        sh->proto != JS_VALUE_GET_OBJ(p->ctx->class_proto[JS_CLASS_OBJECT]))
        return false;
    for (i = 0; i < count; i++) {
        if (prs[i].atom != p->keys[base + i] || prs[i].flags != JS_PROP_C_W_E)
            return false;
    }
    return true;
}

/* Puts the fields since `base` into an object, one after another: of those with the same key, the last one's value. */
static bool weir_parse_fill(WeirParser *p, size_t base, JSObject *object)
{
    size_t i;
    for (i = base; i < p->size; i++) {
        JSProperty *pr;
        if (find_own_property(&pr, object, p->keys[i])) {
            set_value(p->ctx, &pr->u.value, p->stack[i]);
        } else {
            pr = add_property(p->ctx, object, p->keys[i], JS_PROP_C_W_E);
            if (!pr)
                return false;
            pr->u.value = p->stack[i];
        }
        p->stack[i] = JS_UNDEFINED;
    }
    return true;
}

/* The object of the fields since `base`, which are taken. `shape` is that of the object before it in its list. */
static JSValue weir_parse_make_object(WeirParser *p, size_t base, JSShape **shape)
{
    JSValue value;
    JSObject *object;
    size_t i, count = p->size - base;

    if (shape && *shape && weir_parse_fits(p, base, *shape)) {
        value = JS_NewObjectFromShape(p->ctx, js_dup_shape(*shape), JS_CLASS_OBJECT, NULL);
        if (JS_IsException(value))
            return value;
        object = JS_VALUE_GET_OBJ(value);
        for (i = 0; i < count; i++) {
            object->prop[i].u.value = p->stack[base + i];
            p->stack[base + i] = JS_UNDEFINED;
        }
        return value;
    }
    value = JS_NewObject(p->ctx);
    if (JS_IsException(value))
        return value;
    object = JS_VALUE_GET_OBJ(value);
    if (!weir_parse_fill(p, base, object)) {
        JS_FreeValue(p->ctx, value);
        return JS_EXCEPTION;
    }
    if (shape)
        *shape = object->shape->is_hashed ? object->shape : NULL;
    return value;
}

/* A field, from its key on. */
static bool weir_parse_field(WeirParser *p, bool is_first)
{
    JSAtom key;
    JSValue value;

    weir_parse_space(p);
    if (p->at >= p->end || *p->at != '"')
        return weir_parse_fail(p, is_first ? "Expected property name or '}' in JSON"
                                           : "Expected double-quoted property name in JSON");
    p->at++;
    key = weir_parse_key(p);
    if (key == JS_ATOM_NULL)
        return false;
    weir_parse_space(p);
    if (p->at >= p->end || *p->at != ':') {
        JS_FreeAtom(p->ctx, key);
        return weir_parse_fail(p, "Expected ':' after property name in JSON");
    }
    p->at++;
    if (!weir_parse_value(p, &value, NULL)) {
        JS_FreeAtom(p->ctx, key);
        return false;
    }
    return weir_parse_push(p, key, value);
}

static bool weir_parse_object(WeirParser *p, JSValue *value, JSShape **shape)
{
    size_t base = p->size;

    p->at++;
    weir_parse_space(p);
    if (p->at < p->end && *p->at == '}') {
        p->at++;
        *value = JS_NewObject(p->ctx);
        return !JS_IsException(*value);
    }
    for (;;) {
        if (!weir_parse_field(p, p->size == base))
            return false;
        weir_parse_space(p);
        if (p->at < p->end && *p->at == ',') {
            p->at++;
            continue;
        }
        if (p->at < p->end && *p->at == '}')
            break;
        return weir_parse_fail(p, "Expected ',' or '}' after property value in JSON");
    }
    p->at++;
    *value = weir_parse_make_object(p, base, shape);
    weir_parse_drop(p, base);
    return !JS_IsException(*value);
}

static bool weir_parse_list(WeirParser *p, JSValue *value)
{
    size_t base = p->size;
    JSShape *shape = NULL;

    p->at++;
    weir_parse_space(p);
    if (p->at < p->end && *p->at == ']') {
        p->at++;
        *value = JS_NewArray(p->ctx);
        return !JS_IsException(*value);
    }
    for (;;) {
        JSValue item;
        if (!weir_parse_value(p, &item, &shape) || !weir_parse_push(p, JS_ATOM_NULL, item))
            return false;
        weir_parse_space(p);
        if (p->at < p->end && *p->at == ',') {
            p->at++;
            continue;
        }
        if (p->at < p->end && *p->at == ']')
            break;
        return weir_parse_fail(p, "Expected ',' or ']' after array element in JSON");
    }
    p->at++;
    /* It takes the values. */
    *value = JS_NewArrayFrom(p->ctx, p->size - base, p->stack + base);
    p->size = base;
    return !JS_IsException(*value);
}

static bool weir_parse_word(WeirParser *p, const char *word, size_t size, JSValue word_value, JSValue *value)
{
    size_t i;
    for (i = 0; i < size; i++, p->at++) {
        if (p->at >= p->end || *p->at != (uint8_t)word[i])
            return weir_parse_unexpected(p);
    }
    *value = word_value;
    return true;
}

static bool weir_parse_nested(WeirParser *p, JSValue *value, JSShape **shape)
{
    bool is_parsed;
    if (p->depth >= WEIR_PARSE_DEPTH_MAX || js_check_stack_overflow(p->ctx->rt, 0)) {
        JS_ThrowStackOverflow(p->ctx);
        return false;
    }
    p->depth++;
    is_parsed = *p->at == '{' ? weir_parse_object(p, value, shape) : weir_parse_list(p, value);
    p->depth--;
    return is_parsed;
}

static bool weir_parse_value(WeirParser *p, JSValue *value, JSShape **shape)
{
    weir_parse_space(p);
    if (p->at >= p->end)
        return weir_parse_unexpected(p);
    switch (*p->at) {
    case '"':
        p->at++;
        *value = weir_parse_text(p);
        return !JS_IsException(*value);
    case '{':
    case '[':
        return weir_parse_nested(p, value, shape);
    case 't':
        return weir_parse_word(p, "true", 4, JS_TRUE, value);
    case 'f':
        return weir_parse_word(p, "false", 5, JS_FALSE, value);
    case 'n':
        return weir_parse_word(p, "null", 4, JS_NULL, value);
    case '-':
    case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        return weir_parse_number(p, value);
    default:
        return weir_parse_unexpected(p);
    }
}

static bool weir_parse_all(WeirParser *p, JSValue *value)
{
    if (!weir_parse_value(p, value, NULL))
        return false;
    weir_parse_space(p);
    if (p->at >= p->end)
        return true;
    JS_FreeValue(p->ctx, *value);
    weir_parse_fail(p, "Unexpected non-whitespace character after JSON");
    return false;
}

/* The value of a text with a zero behind it. */
JSValue JS_WeirParseJSON(JSContext *ctx, const char *text, size_t size)
{
    const uint8_t *start = (const uint8_t *)text;
    WeirParser p = { .ctx = ctx, .start = start, .at = start, .end = start + size };
    JSValue value;
    bool is_parsed = weir_parse_all(&p, &value);
    int i;

    weir_parse_drop(&p, 0);
    js_free(ctx, p.stack);
    js_free(ctx, p.keys);
    js_free(ctx, p.text);
    for (i = 0; i < WEIR_KEYS; i++) {
        if (p.known[i].length > 0)
            JS_FreeAtom(ctx, p.known[i].atom);
    }
    return is_parsed ? value : JS_EXCEPTION;
}
