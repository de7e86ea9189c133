// Part of quickjs.c: whether a value needs to be converted for the host.

/* Whether JSON and Convex's encoding write a value alike, so that it
   needs no conversion: it has no bigint, bytes, special number, accessor,
   toJSON, undefined in a list, or key that Convex refuses. Costs a walk in C where
   the encoding's own JavaScript costs ten times as much. */
#define JS_WEIR_PLAIN_DEPTH_MAX 64

static bool weir_is_plain(JSContext *ctx, JSValueConst v, int depth);

static bool weir_is_plain_key(JSContext *ctx, JSAtom atom)
{
    JSAtomStruct *p;
    uint32_t i;

    if (__JS_AtomIsTaggedInt(atom))
        return true;
    p = ctx->rt->atom_array[atom];
    if (p->atom_type != JS_ATOM_TYPE_STRING || p->is_wide_char ||
        p->len == 0 || p->len > 1024 || str8(p)[0] == '$')
        return false;
    for (i = 0; i < p->len; i++) {
        if (str8(p)[i] < 32 || str8(p)[i] >= 127)
            return false;
    }
    return true;
}

static bool weir_is_plain_array(JSContext *ctx, JSObject *p, int depth)
{
    JSShape *sh = p->shape;
    uint32_t i;

    if (!p->fast_array || sh->prop_count != 1 ||
        sh->proto != JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_ARRAY]) ||
        JS_VALUE_GET_TAG(p->prop[0].u.value) != JS_TAG_INT ||
        JS_VALUE_GET_INT(p->prop[0].u.value) != (int)p->u.array.count)
        return false;
    for (i = 0; i < p->u.array.count; i++) {
        if (!weir_is_plain(ctx, p->u.array.u.values[i], depth + 1))
            return false;
    }
    return true;
}

static bool weir_is_plain_object(JSContext *ctx, JSObject *p, int depth)
{
    JSShape *sh = p->shape;
    JSShapeProperty *prs = get_shape_prop(sh);
    int i;

    if (p->class_id != JS_CLASS_OBJECT || p->is_exotic ||
        (sh->proto && sh->proto != JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_OBJECT])))
        return false;
    for (i = 0; i < sh->prop_count; i++) {
        if (prs[i].atom == JS_ATOM_NULL)
            continue;
        if ((prs[i].flags & JS_PROP_TMASK) || !(prs[i].flags & JS_PROP_ENUMERABLE) ||
            !weir_is_plain_key(ctx, prs[i].atom))
            return false;
        /* JSON leaves an undefined field out, and so does Convex. */
        if (JS_VALUE_GET_TAG(p->prop[i].u.value) != JS_TAG_UNDEFINED &&
            !weir_is_plain(ctx, p->prop[i].u.value, depth + 1))
            return false;
    }
    return true;
}

static bool weir_is_plain(JSContext *ctx, JSValueConst v, int depth)
{
    double d;
    JSObject *p;

    switch (JS_VALUE_GET_NORM_TAG(v)) {
    case JS_TAG_INT:
    case JS_TAG_BOOL:
    case JS_TAG_NULL:
    case JS_TAG_STRING:
    case JS_TAG_STRING_ROPE:
        return true;
    case JS_TAG_FLOAT64:
        d = JS_VALUE_GET_FLOAT64(v);
        return isfinite(d) && !(d == 0 && signbit(d));
    case JS_TAG_OBJECT:
        p = JS_VALUE_GET_OBJ(v);
        if (depth > JS_WEIR_PLAIN_DEPTH_MAX)
            return false;
        if (p->class_id == JS_CLASS_ARRAY)
            return weir_is_plain_array(ctx, p, depth);
        return weir_is_plain_object(ctx, p, depth);
    default:
        return false;
    }
}

bool JS_WeirIsPlain(JSContext *ctx, JSValueConst v)
{
    return weir_is_plain(ctx, v, 0);
}
