// What an error says, in V8's words.
#include "shown.h"
#include "expression.h"

static JSValue throw_about_callee(JSContext *ctx, JSValueConst callee, const char *what) {
  char described[DESCRIBED_MAX];
  Written out = {described, 0, sizeof described};
  Trace t;
  int below = trace(&t, ctx) ? callee_of(&t) : -1;
  if (below >= 0 && t.depth >= 0) write_node(&t, &out, at(&t, below), 0);
  else write_kind(ctx, &out, callee);
  return JS_ThrowTypeError(ctx, "%s is not a %s", described, what);
}

static JSValue weir_throw_not_a_function(JSContext *ctx, JSValueConst callee) {
  return throw_about_callee(ctx, callee, "function");
}

static JSValue weir_throw_not_a_constructor(JSContext *ctx, JSValueConst callee) {
  return throw_about_callee(ctx, callee, "constructor");
}

// For functions in C, which are given what they call.
static JSValue weir_throw_no_callback(JSContext *ctx, JSValueConst value) {
  char shown[SHOWN_MAX];
  return JS_ThrowTypeError(ctx, "%s is not a function", weir_show(ctx, value, shown));
}

static JSValue weir_throw_not_iterable(JSContext *ctx, JSValueConst value, bool is_async) {
  char described[DESCRIBED_MAX];
  Written out = {described, 0, sizeof described};
  const char *symbol = is_async ? "Symbol(Symbol.asyncIterator)" : "Symbol(Symbol.iterator)";
  const char *what = is_async ? "async iterable" : "iterable";
  Trace t;
  Node *node = NULL;
  if (trace(&t, ctx)) {
    if (t.op == OP_append && t.depth >= 0) node = node_of(&t, at(&t, 0));
    if (t.op == OP_for_of_start || t.op == OP_for_await_of_start) node = taken_apart(&t);
  }
  if (!node) {
    write_kind(ctx, &out, value);
    return JS_ThrowTypeError(ctx, "%s is not %s (cannot read property %s)", described, what, symbol);
  }
  if (node->kind == CALL) {
    write_node(&t, &out, node->left, 0);
    return JS_ThrowTypeError(ctx, "%s is not a function or its return value is not %s", described, what);
  }
  write_node(&t, &out, node->number, 0);
  return JS_ThrowTypeError(ctx, "%s is not %s", described, what);
}

static JSValue weir_throw_not_to_destructure(JSContext *ctx, JSValueConst value) {
  char described[DESCRIBED_MAX], key[SHOWN_MAX];
  const char *kind = JS_IsNull(value) ? "null" : "undefined";
  Written out = {described, 0, sizeof described};
  Trace t;
  if (!trace(&t, ctx)) return JS_ThrowTypeError(ctx, "Cannot convert undefined or null to object");
  // What is taken out first stands right behind.
  const uint8_t *next = t.b->byte_code_buf + t.pos + operations[t.op].size;
  while (*next == OP_dup || *next == OP_set_loc_uninitialized) next += operations[*next].size;
  bool is_named = *next == OP_get_field2 || *next == OP_get_field;
  if (is_named) weir_show_key(ctx, get_u32(next + 1), key);
  Node *node = taken_apart(&t);
  if (is_named && node && node->kind == FIELD && node->is_below)
    return JS_ThrowTypeError(ctx, "Cannot read properties of %s (reading '%s')", kind, key);
  if (node) write_node(&t, &out, node->number, 0);
  else write_kind(ctx, &out, value);
  if (is_named)
    return JS_ThrowTypeError(ctx, "Cannot destructure property '%s' of '%s' as it is %s.", key, described, kind);
  return JS_ThrowTypeError(ctx, "Cannot destructure '%s' as it is %s.", described, kind);
}

static JSValue weir_throw_at_nothing(JSContext *ctx, JSValueConst value, JSAtom key, bool is_read) {
  char name[SHOWN_MAX];
  if (is_read && key == JS_ATOM_Symbol_iterator) return weir_throw_not_iterable(ctx, value, false);
  return JS_ThrowTypeError(ctx, "Cannot %s properties of %s (%s '%s')", is_read ? "read" : "set",
                           JS_IsNull(value) ? "null" : "undefined", is_read ? "reading" : "setting",
                           weir_show_key(ctx, key, name));
}

// `format` has places for the property's name and the object.
static JSValue weir_throw_about(JSContext *ctx, const char *format, JSAtom key, JSValueConst object) {
  char name[SHOWN_MAX], shown[SHOWN_MAX], message[2 * SHOWN_MAX + 100];
  snprintf(message, sizeof message, format, weir_show_key(ctx, key, name), weir_show(ctx, object, shown));
  return JS_ThrowTypeError(ctx, "%s", message);
}

// `format` has a place for the value.
static JSValue weir_throw_value(JSContext *ctx, JSErrorEnum kind, const char *format, JSValueConst value) {
  char shown[SHOWN_MAX], message[SHOWN_MAX + 128];
  snprintf(message, sizeof message, format, weir_show(ctx, value, shown));
  switch (kind) {
    case JS_RANGE_ERROR: return JS_ThrowRangeError(ctx, "%s", message);
    case JS_SYNTAX_ERROR: return JS_ThrowSyntaxError(ctx, "%s", message);
    default: return JS_ThrowTypeError(ctx, "%s", message);
  }
}

// An object's own words for where it cannot be written.
static JSValue weir_throw_read_only(JSContext *ctx, JSAtom key, JSValueConst object) {
  return weir_throw_about(ctx,
                          JS_IsObject(object) ? "Cannot assign to read only property '%s' of object '%s'"
                                              : "Cannot assign to read only property '%s' of string '%s'",
                          key, object);
}

static int weir_not_extensible(JSContext *ctx, int flags, const char *format, JSAtom key) {
  if (!(flags & JS_PROP_THROW) && !((flags & JS_PROP_THROW_STRICT) && is_strict_mode(ctx))) return false;
  weir_throw_about(ctx, format, key, JS_UNDEFINED);
  return -1;
}

static void weir_throw_primitive(JSContext *ctx, JSAtom key, JSValueConst value) {
  if (JS_IsString(value) && __JS_AtomIsTaggedInt(key)) {
    weir_throw_read_only(ctx, key, value);
    return;
  }
  char name[SHOWN_MAX], shown[SHOWN_MAX], type[ATOM_GET_STR_BUF_SIZE];
  JS_ThrowTypeError(ctx, "Cannot create property '%s' on %s '%s'", weir_show_key(ctx, key, name),
                    JS_AtomGetStr(ctx, type, sizeof type, js_operator_typeof(ctx, value)), weir_show(ctx, value, shown));
}

// The name of the function in C that runs.
static const char *method_name(JSContext *ctx, char *room) {
  JSStackFrame *sf = ctx->rt->current_stack_frame;
  return weir_show(ctx, sf ? peek(ctx, sf->cur_func, JS_ATOM_name) : ctx->global_obj, room);
}

// `format` has a place for the name of the function that runs.
static JSValue weir_throw_in_method(JSContext *ctx, const char *format) {
  char name[SHOWN_MAX], message[SHOWN_MAX + 100];
  snprintf(message, sizeof message, format, method_name(ctx, name));
  return JS_ThrowTypeError(ctx, "%s", message);
}

static JSValue weir_throw_receiver(JSContext *ctx, JSClassID class_id, JSValueConst receiver) {
  char name[SHOWN_MAX], shown[SHOWN_MAX], class_name[ATOM_GET_STR_BUF_SIZE];
  JS_AtomGetStr(ctx, class_name, sizeof class_name, ctx->rt->class_array[class_id].class_name);
  return JS_ThrowTypeError(ctx, "Method %s.prototype.%s called on incompatible receiver %s", class_name,
                           method_name(ctx, name), weir_show(ctx, receiver, shown));
}

// A variable that is constant, or, by its name, a private method or accessor.
static JSValue weir_throw_private(JSContext *ctx, const char *format, JSAtom name) {
  char shown[SHOWN_MAX];
  weir_show_key(ctx, name, shown);
  if (shown[0] != '#') return JS_ThrowTypeError(ctx, "Assignment to constant variable.");
  return JS_ThrowTypeErrorAtom(ctx, format, name);
}

static void weir_throw_class_called(JSContext *ctx, JSValueConst class) {
  if (JS_IsEmptyString(peek(ctx, class, JS_ATOM_name))) {
    JS_ThrowTypeError(ctx, "Class constructors cannot be invoked without 'new'");
    return;
  }
  weir_throw_value(ctx, JS_TYPE_ERROR, "Class constructor %s cannot be invoked without 'new'",
                   peek(ctx, class, JS_ATOM_name));
}

// A private method is called on what its class did not make.
static void weir_throw_not_an_instance(JSContext *ctx, JSValueConst method) {
  JSObject *home = JS_VALUE_GET_OBJ(method)->u.func.home_object;
  JSValueConst class = JS_MKPTR(JS_TAG_OBJECT, home);
  if (!JS_IsFunction(ctx, class)) class = peek(ctx, class, JS_ATOM_constructor);
  weir_throw_value(ctx, JS_TYPE_ERROR, "Receiver must be an instance of class %s", peek(ctx, class, JS_ATOM_name));
}

// ---- Regular expressions ----

// What libregexp says, and V8. The first that it begins with counts.
static const char *const regexp_errors[][2] = {
    {"expecting ')'", "Unterminated group"},
    {"extraneous characters", "Unmatched ')'"},
    {"nothing to repeat", "Nothing to repeat"},
    {"invalid repetition count", "numbers out of order in {} quantifier"},
    {"invalid class range", "Range out of order in character class"},
    {"duplicate group name", "Duplicate capture group name"},
    {"invalid group name", "Invalid capture group name"},
    {"group name not defined", "Invalid named capture referenced"},
    {"expecting group name", "Invalid named reference"},
    {"invalid group", "Invalid group"},
    {"invalid modifiers", "Invalid group"},
    {"invalid escape", "Invalid escape"},
    {"malformed unicode char", "Invalid Unicode escape"},
    {"unknown unicode", "Invalid property name"},
    {"expecting '{' after \\p", "Invalid property name"},
    {"back reference out of range", "Invalid escape"},
    {"invalid decimal escape", "Invalid decimal escape"},
    {"invalid class set operation", "Invalid set operation in character class"},
    {"invalid character in class", "Invalid character in character class"},
    {"syntax error", "Lone quantifier brackets"},
    {"stack overflow", "Regular expression too large"},
    {"too many captures", "Too many captures"},
};

static JSValue weir_throw_bad_regexp(JSContext *ctx, JSValueConst pattern, JSValueConst flags, const char *why) {
  char shown[SHOWN_MAX], shown_flags[SHOWN_MAX];
  weir_show(ctx, pattern, shown);
  if (JS_IsUndefined(flags)) shown_flags[0] = 0;
  else weir_show(ctx, flags, shown_flags);
  size_t end = strlen(shown);
  if (!strcmp(why, "unexpected end"))
    why = end && shown[end - 1] == '\\' ? "\\ at end of pattern" : "Unterminated character class";
  if (!strncmp(why, "invalid escape", 14) && strstr(shown, "\\u")) why = "Invalid Unicode escape";
  for (size_t i = 0; i < countof(regexp_errors); i++)
    if (!strncmp(why, regexp_errors[i][0], strlen(regexp_errors[i][0]))) why = regexp_errors[i][1];
  return JS_ThrowSyntaxError(ctx, "Invalid regular expression: /%s/%s: %s", shown, shown_flags, why);
}

#include "circle.h"
#include "stack.h"
