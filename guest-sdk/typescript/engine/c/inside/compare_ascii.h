// Part of quickjs.c: texts of ASCII in a language's order, for Intl.

/* Texts of ASCII alone, by a table: 128 weights that decide first, character by
   character, then 128 that decide between texts whose first ones are alike
   (small and capital letters). 0 is a character that is not in the table.
   Gives -1, 0, 1; or 2: the host has to compare them. */
#define JS_WEIR_UNDECIDED 2

static const uint8_t *weir_ascii_of(JSValueConst v, uint32_t *len)
{
    JSString *p;

    if (JS_VALUE_GET_TAG(v) != JS_TAG_STRING)
        return NULL;
    p = JS_VALUE_GET_STRING(v);
    *len = p->len;
    return p->is_wide_char ? NULL : str8(p);
}

static bool weir_is_in_table(const uint8_t *text, uint32_t from, uint32_t len, const uint8_t *weights)
{
    uint32_t i;

    for (i = from; i < len; i++) {
        if (text[i] >= 128 || weights[text[i]] == 0)
            return false;
    }
    return true;
}

int JS_WeirCompareAscii(JSValueConst a, JSValueConst b, const uint8_t *weights)
{
    uint32_t i, a_len, b_len, len;
    int later = 0;
    const uint8_t *x = weir_ascii_of(a, &a_len), *y = weir_ascii_of(b, &b_len);

    if (!x || !y)
        return JS_WEIR_UNDECIDED;
    len = a_len < b_len ? a_len : b_len;
    for (i = 0; i < len; i++) {
        int first;
        if ((x[i] | y[i]) >= 128 || weights[x[i]] == 0 || weights[y[i]] == 0)
            return JS_WEIR_UNDECIDED;
        first = weights[x[i]] - weights[y[i]];
        if (first != 0) {
            // What follows might change the character that decides.
            if (!weir_is_in_table(x, i, a_len, weights) || !weir_is_in_table(y, i, b_len, weights))
                return JS_WEIR_UNDECIDED;
            return first < 0 ? -1 : 1;
        }
        if (later == 0)
            later = weights[128 + x[i]] - weights[128 + y[i]];
    }
    if (!weir_is_in_table(x, len, a_len, weights) || !weir_is_in_table(y, len, b_len, weights))
        return JS_WEIR_UNDECIDED;
    if (a_len != b_len)
        return a_len < b_len ? -1 : 1;
    return later < 0 ? -1 : later > 0;
}

/* A text whose characters are these bytes. */
JSValue JS_WeirBytesAsText(JSContext *ctx, const uint8_t *data, size_t size)
{
    return js_new_string8_len(ctx, (const char *)data, size);
}
