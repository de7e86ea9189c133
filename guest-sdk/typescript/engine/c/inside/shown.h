// Values as V8 shows them in an error, without running code of anyone.

enum { SHOWN_MAX = 128 };

// A text that ends where its room does.
typedef struct {
  char *at;
  size_t size, room;
} Written;

static void write_text(Written *out, const char *text) {
  size_t length = strlen(text), room = out->room - 1 - out->size;
  if (length > room) {
    // Not within a character.
    for (length = room; length > 0 && (text[length] & 0xc0) == 0x80; length--) {
    }
  }
  memcpy(out->at + out->size, text, length);
  out->size += length;
  out->at[out->size] = 0;
}

static void write_value(JSContext *ctx, Written *out, JSValueConst value) {
  const char *text = JS_ToCString(ctx, value);
  if (text) write_text(out, text);
  else JS_FreeValue(ctx, JS_GetException(ctx));
  JS_FreeCString(ctx, text);
}

// A property that is plain, of the object or its prototypes, without running code of anyone; undefined otherwise.
static JSValueConst peek(JSContext *ctx, JSValueConst value, JSAtom name) {
  if (!JS_IsObject(value)) return JS_UNDEFINED;
  for (JSObject *p = JS_VALUE_GET_OBJ(value); p && p->class_id != JS_CLASS_PROXY; p = p->shape->proto) {
    JSProperty *pr;
    JSShapeProperty *prs = find_own_property(&pr, p, name);
    if (!prs) continue;
    if ((prs->flags & JS_PROP_TMASK) == JS_PROP_AUTOINIT && JS_AutoInitProperty(ctx, p, name, pr, prs)) break;
    prs = find_own_property(&pr, p, name);
    if (prs && (prs->flags & JS_PROP_TMASK) == JS_PROP_NORMAL) return pr->u.value;
    break;
  }
  JSValue none = JS_UNDEFINED;
  return none;
}

// The message's title, `Name: message`, of an error as it is now.
static void write_title(JSContext *ctx, Written *out, JSValueConst error) {
  JSValueConst name = peek(ctx, error, JS_ATOM_name), message = peek(ctx, error, JS_ATOM_message);
  size_t before = out->size;
  if (JS_IsUndefined(name)) write_text(out, "Error");
  else if (!JS_IsObject(name) && !JS_IsSymbol(name)) write_value(ctx, out, name);
  if (JS_IsUndefined(message) || JS_IsObject(message) || JS_IsSymbol(message) || JS_IsEmptyString(message)) return;
  if (out->size > before) write_text(out, ": ");
  write_value(ctx, out, message);
}

static void write_object(JSContext *ctx, Written *out, JSValueConst value) {
  JSClassID class_id = JS_VALUE_GET_OBJ(value)->class_id;
  if (class_id == JS_CLASS_ERROR) return write_title(ctx, out, value);
  if (js_class_has_bytecode(class_id)) {
    JSValue source = js_function_toString(ctx, value, 0, NULL);
    write_value(ctx, out, source);
    JS_FreeValue(ctx, source);
    return;
  }
  JSValueConst own = peek(ctx, value, JS_ATOM_toString);
  if (js_same_value(ctx, own, peek(ctx, ctx->class_proto[JS_CLASS_OBJECT], JS_ATOM_toString))) {
    JSValueConst name = peek(ctx, peek(ctx, value, JS_ATOM_constructor), JS_ATOM_name);
    if (JS_IsString(name) && !JS_IsEmptyString(name)) {
      write_text(out, "#<");
      write_value(ctx, out, name);
      return write_text(out, ">");
    }
  }
  JSValueConst tag = peek(ctx, value, JS_ATOM_Symbol_toStringTag);
  write_text(out, "[object ");
  if (JS_IsString(tag)) write_value(ctx, out, tag);
  else write_text(out, class_id == JS_CLASS_ARRAY ? "Array" : JS_IsFunction(ctx, value) ? "Function" : "Object");
  write_text(out, "]");
}

static void write_symbol(JSContext *ctx, Written *out, JSAtom atom) {
  char name[ATOM_GET_STR_BUF_SIZE];
  write_text(out, "Symbol(");
  write_text(out, JS_AtomGetStr(ctx, name, sizeof name, atom));
  write_text(out, ")");
}

// A value as V8 shows one in a message, `#<Object>`.
static const char *weir_show(JSContext *ctx, JSValueConst value, char *room) {
  Written out = {room, 0, SHOWN_MAX};
  room[0] = 0;
  if (JS_IsObject(value)) write_object(ctx, &out, value);
  else if (JS_IsSymbol(value)) write_symbol(ctx, &out, js_get_atom_index(ctx->rt, JS_VALUE_GET_PTR(value)));
  else write_value(ctx, &out, value);
  return room;
}

// A property's name, `Symbol(Symbol.iterator)` where it is a symbol.
static const char *weir_show_key(JSContext *ctx, JSAtom key, char *room) {
  Written out = {room, 0, SHOWN_MAX};
  room[0] = 0;
  char name[SHOWN_MAX];
  if (!__JS_AtomIsTaggedInt(key) && JS_AtomGetKind(ctx, key) == JS_ATOM_KIND_SYMBOL) write_symbol(ctx, &out, key);
  else write_text(&out, JS_AtomGetStr(ctx, name, sizeof name, key));
  return room;
}

// A value that no expression stands for: `number 5`, `object null`, `object`.
static void write_kind(JSContext *ctx, Written *out, JSValueConst value) {
  JSAtom type = js_operator_typeof(ctx, value);
  char name[ATOM_GET_STR_BUF_SIZE], shown[SHOWN_MAX];
  write_text(out, JS_AtomGetStr(ctx, name, sizeof name, type));
  bool is_text = JS_IsString(value);
  if (!is_text && !JS_IsNull(value) && !JS_IsBool(value) && !JS_IsNumber(value)) return;
  write_text(out, is_text ? " \"" : " ");
  write_text(out, weir_show(ctx, value, shown));
  if (is_text) write_text(out, "\"");
}
