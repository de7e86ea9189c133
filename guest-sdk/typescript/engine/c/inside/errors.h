// What an error says, in V8's words: values and expressions as it shows them. An expression is found when something has
// failed, by following the function's bytecode up to where it stands with a stack of descriptions in place of values; so
// that it costs nothing before.

enum { SHOWN_MAX = 128, DESCRIBED_MAX = 200, NODES = 256, STACK = 128, JUMPS = 64, NESTING = 16 };

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

// ---- Expressions ----

typedef enum { OTHER, NAME, FIELD, ELEMENT, CALL, INTEGER, TEXT, WORD, BINARY, UNARY, OBJECT, ARRAY } NodeKind;

// `left` and `right` are nodes, by number; so are `value` an atom, an integer, an index of a constant.
typedef struct {
  uint32_t number, left, right, value;
  const char *word;
  uint8_t kind;
  bool is_optional, is_below;
} Node;

typedef struct {
  JSContext *ctx;
  JSFunctionBytecode *b;
  int op, pos;
  uint32_t made;
  int depth;  // -1 while it is unknown
  uint32_t stack[STACK];
  Node nodes[NODES];
  int jump_count;
  struct {
    int to, depth;
    uint32_t top;
  } jumps[JUMPS];
} Trace;

typedef struct {
  uint8_t size, pops, pushes, format;
} Operation;

static const Operation operations[] = {
#define FMT(f)
#define DEF(id, size, n_pop, n_push, f) {size, n_pop, n_push, OP_FMT_##f},
#define def(id, size, n_pop, n_push, f)
#include "quickjs-opcode.h"
};

static uint32_t make(Trace *t, NodeKind kind, uint32_t left, uint32_t right, uint32_t value, const char *word) {
  uint32_t number = ++t->made;
  t->nodes[number % NODES] = (Node){number, left, right, value, word, kind, false, false};
  return number;
}

// A node, unless it was long ago.
static Node *node_of(Trace *t, uint32_t number) {
  Node *node = &t->nodes[number % NODES];
  return number && node->number == number && node->kind != OTHER ? node : NULL;
}

// What is `below` the top of the stack.
static uint32_t at(Trace *t, int below) {
  int i = t->depth - 1 - below;
  return i >= 0 && i < STACK ? t->stack[i] : 0;
}

static void push(Trace *t, uint32_t number) {
  if (t->depth < STACK) t->stack[t->depth] = number;
  t->depth++;
}

static void pop(Trace *t, int count) {
  t->depth = t->depth < count ? 0 : t->depth - count;
}

static int count_arguments(const Trace *t) {
  const uint8_t *pc = t->b->byte_code_buf + t->pos;
  switch (operations[t->op].format) {
    case OP_FMT_npop:
    case OP_FMT_npop_u16:
      return get_u16(pc + 1);
    case OP_FMT_npopx:
      return t->op - OP_call0;
    default:
      return 0;
  }
}

static void add_jump(Trace *t, int to, int depth) {
  if (to <= t->pos || t->jump_count == JUMPS) return;
  t->jumps[t->jump_count].to = to;
  t->jumps[t->jump_count].depth = depth;
  t->jumps[t->jump_count++].top = depth > 0 && depth <= STACK ? t->stack[depth - 1] : 0;
}

// Where jumps arrive, what is on top may be either's.
static void arrive(Trace *t) {
  for (int i = 0; i < t->jump_count; i++) {
    if (t->jumps[i].to != t->pos) continue;
    if (t->depth < 0) {
      t->depth = t->jumps[i].depth;
      if (t->depth > 0 && t->depth <= STACK) t->stack[t->depth - 1] = t->jumps[i].top;
    } else if (t->depth > 0 && t->depth <= STACK && t->stack[t->depth - 1] != t->jumps[i].top) {
      t->stack[t->depth - 1] = 0;
    }
    t->jumps[i--] = t->jumps[--t->jump_count];
  }
}

static uint32_t name_node(Trace *t, JSAtom name) {
  return name == JS_ATOM_NULL ? 0 : make(t, NAME, 0, 0, name, NULL);
}

static uint32_t local(Trace *t, int i) {
  JSFunctionBytecode *b = t->b;
  return b->vardefs && i < b->var_count ? name_node(t, b->vardefs[b->arg_count + i].var_name) : 0;
}

static uint32_t argument(Trace *t, int i) {
  return t->b->vardefs && i < t->b->arg_count ? name_node(t, t->b->vardefs[i].var_name) : 0;
}

static uint32_t outer(Trace *t, int i) {
  return i < t->b->closure_var_count ? name_node(t, t->b->closure_var[i].var_name) : 0;
}

static uint32_t constant(Trace *t, uint32_t i) {
  return JS_IsString(t->b->cpool[i]) ? make(t, TEXT, 0, 0, i, NULL) : 0;
}

static const char *const binary_words[] = {"*",  "/", "%",  "+", "-",  "<<",         ">>", ">>>", "&",  "^",   "|",
                                           "**", "<", "<=", ">", ">=", "instanceof", "in", "==",  "!=", "===", "!=="};

// A node for what the operation gives, if it is one of those that read something or compute one value.
static bool give(Trace *t, const uint8_t *pc) {
  int op = t->op;
  uint32_t node;
  switch (op) {
    case OP_push_i32: node = make(t, INTEGER, 0, 0, get_u32(pc + 1), NULL); break;
    case OP_push_i8: node = make(t, INTEGER, 0, 0, (uint32_t)get_i8(pc + 1), NULL); break;
    case OP_push_i16: node = make(t, INTEGER, 0, 0, (uint32_t)get_i16(pc + 1), NULL); break;
    case OP_push_minus1: case OP_push_0: case OP_push_1: case OP_push_2: case OP_push_3: case OP_push_4:
    case OP_push_5: case OP_push_6: case OP_push_7:
      node = make(t, INTEGER, 0, 0, (uint32_t)(op - OP_push_0), NULL);
      break;
    case OP_push_const: node = constant(t, get_u32(pc + 1)); break;
    case OP_push_const8: node = constant(t, pc[1]); break;
    case OP_push_atom_value: node = make(t, NAME, 0, 0, get_u32(pc + 1), "\""); break;
    case OP_undefined: node = make(t, WORD, 0, 0, 0, "undefined"); break;
    case OP_null: node = make(t, WORD, 0, 0, 0, "null"); break;
    case OP_push_true: node = make(t, WORD, 0, 0, 0, "true"); break;
    case OP_push_false: node = make(t, WORD, 0, 0, 0, "false"); break;
    case OP_push_empty_string: node = make(t, WORD, 0, 0, 0, "\"\""); break;
    case OP_push_this: node = make(t, WORD, 0, 0, 0, "this"); break;
    case OP_object: node = make(t, OBJECT, 0, 0, 0, NULL); break;
    case OP_get_loc: case OP_get_loc_check: node = local(t, get_u16(pc + 1)); break;
    case OP_get_loc8: node = local(t, pc[1]); break;
    case OP_get_loc0: case OP_get_loc1: case OP_get_loc2: case OP_get_loc3: node = local(t, op - OP_get_loc0); break;
    case OP_get_arg: node = argument(t, get_u16(pc + 1)); break;
    case OP_get_arg0: case OP_get_arg1: case OP_get_arg2: case OP_get_arg3:
      node = argument(t, op - OP_get_arg0);
      break;
    case OP_get_var_ref: case OP_get_var_ref_check: node = outer(t, get_u16(pc + 1)); break;
    case OP_get_var_ref0: case OP_get_var_ref1: case OP_get_var_ref2: case OP_get_var_ref3:
      node = outer(t, op - OP_get_var_ref0);
      break;
    case OP_get_var: case OP_get_var_undef: node = name_node(t, get_u32(pc + 1)); break;
    case OP_get_length: node = make(t, FIELD, at(t, 0), 0, JS_ATOM_length, NULL); break;
    case OP_get_field: case OP_get_field2: node = make(t, FIELD, at(t, 0), 0, get_u32(pc + 1), NULL); break;
    case OP_get_array_el: case OP_get_array_el2: case OP_get_private_field:
      node = make(t, ELEMENT, at(t, 1), at(t, 0), 0, NULL);
      break;
    case OP_call: case OP_call_method: case OP_call0: case OP_call1: case OP_call2: case OP_call3:
      node = make(t, CALL, at(t, count_arguments(t)), 0, 0, NULL);
      break;
    case OP_apply: node = get_u16(pc + 1) ? 0 : make(t, CALL, at(t, 2), 0, 0, NULL); break;
    case OP_array_from: node = count_arguments(t) ? 0 : make(t, ARRAY, 0, 0, 0, NULL); break;
    case OP_neg: node = make(t, UNARY, at(t, 0), 0, 0, "-"); break;
    case OP_plus: node = make(t, UNARY, at(t, 0), 0, 0, "+"); break;
    case OP_not: node = make(t, UNARY, at(t, 0), 0, 0, "~"); break;
    case OP_lnot: node = make(t, UNARY, at(t, 0), 0, 0, "!"); break;
    case OP_typeof: node = make(t, UNARY, at(t, 0), 0, 0, "typeof "); break;
    default:
      if (op < OP_mul || op > OP_strict_neq) return false;
      node = make(t, BINARY, at(t, 1), at(t, 0), 0, binary_words[op - OP_mul]);
  }
  // What is looked up for a call leaves the object below it.
  bool is_kept = op == OP_get_field2 || op == OP_get_array_el2;
  if (is_kept && node) t->nodes[node % NODES].is_below = true;
  pop(t, operations[op].pops + count_arguments(t) - (is_kept ? 1 : 0));
  push(t, node);
  return true;
}

// Operations that move what is on the stack, or leave it there.
static bool move(Trace *t) {
  uint32_t a = at(t, 0), b = at(t, 1), c = at(t, 2);
  switch (t->op) {
    case OP_dup: push(t, a); return true;
    case OP_dup1: pop(t, 1); push(t, b); push(t, a); return true;
    case OP_dup2: push(t, b); push(t, a); return true;
    case OP_insert2: pop(t, 2); push(t, a); push(t, b); push(t, a); return true;
    case OP_insert3: pop(t, 3); push(t, a); push(t, c); push(t, b); push(t, a); return true;
    case OP_perm3: pop(t, 3); push(t, b); push(t, c); push(t, a); return true;
    case OP_swap: pop(t, 2); push(t, a); push(t, b); return true;
    case OP_rot3l: pop(t, 3); push(t, b); push(t, a); push(t, c); return true;
    case OP_rot3r: pop(t, 3); push(t, a); push(t, c); push(t, b); return true;
    case OP_nip: pop(t, 2); push(t, a); return true;
    case OP_set_loc: case OP_set_loc8: case OP_set_loc0: case OP_set_loc1: case OP_set_loc2: case OP_set_loc3:
    case OP_set_arg: case OP_set_arg0: case OP_set_arg1: case OP_set_arg2: case OP_set_arg3:
    case OP_set_var_ref: case OP_set_var_ref0: case OP_set_var_ref1: case OP_set_var_ref2: case OP_set_var_ref3:
    case OP_to_object: case OP_to_propkey: case OP_to_propkey2: case OP_set_name: case OP_check_brand:
      return true;
    case OP_get_loc0_loc1: push(t, local(t, 0)); push(t, local(t, 1)); return true;
    case OP_define_field: {
      Node *object = node_of(t, b);
      if (object && object->kind == OBJECT) object->value++;
      pop(t, 1);
      return true;
    }
    case OP_is_undefined_or_null: {
      Node *node = node_of(t, a);
      if (node) node->is_optional = true;
      pop(t, 1);
      push(t, 0);
      return true;
    }
    default:
      return false;
  }
}

static void jump(Trace *t, const uint8_t *pc) {
  int next = t->pos + 1;
  switch (t->op) {
    case OP_if_false: case OP_if_true: case OP_goto: case OP_catch:
      add_jump(t, next + (int)get_u32(pc + 1), t->depth);
      break;
    case OP_gosub: add_jump(t, next + (int)get_u32(pc + 1), t->depth + 1); break;
    case OP_if_false8: case OP_if_true8: case OP_goto8: add_jump(t, next + get_i8(pc + 1), t->depth); break;
    case OP_goto16: add_jump(t, next + get_i16(pc + 1), t->depth); break;
  }
  switch (t->op) {
    case OP_goto: case OP_goto8: case OP_goto16: case OP_return: case OP_return_undef: case OP_return_async:
    case OP_throw: case OP_throw_error: case OP_tail_call: case OP_tail_call_method: case OP_ret:
      t->depth = -1;
  }
}

static void step(Trace *t) {
  const uint8_t *pc = t->b->byte_code_buf + t->pos;
  const Operation *operation = &operations[t->op];
  if (t->depth < 0 || give(t, pc) || move(t)) return;
  pop(t, operation->pops + count_arguments(t));
  for (int i = 0; i < operation->pushes; i++) push(t, 0);
  jump(t, pc);
}

// Follows the running function up to where it stands: false if it is not in JavaScript.
static bool trace(Trace *t, JSContext *ctx) {
  JSStackFrame *sf = ctx->rt->current_stack_frame;
  if (!sf || !JS_IsObject(sf->cur_func) || !sf->cur_pc) return false;
  t->b = JS_GetFunctionBytecode(sf->cur_func);
  if (!t->b) return false;
  t->ctx = ctx;
  t->made = t->jump_count = t->depth = t->pos = 0;
  memset(t->nodes, 0, sizeof t->nodes);
  for (int end = sf->cur_pc - t->b->byte_code_buf - 1;; t->pos += operations[t->op].size) {
    t->op = t->b->byte_code_buf[t->pos];
    arrive(t);
    if (t->pos + operations[t->op].size > end) return true;
    step(t);
  }
}

// What is taken apart where the function stands. A pattern's code is before its initializer's, which jumps back to it.
static Node *taken_apart(Trace *t) {
  const uint8_t *code = t->b->byte_code_buf;
  int end = t->pos, begin = end > 0 && code[end - 1] == OP_dup ? end - 1 : end;
  uint32_t given = t->depth < 0 ? 0 : at(t, 0);
  while (t->pos + operations[t->op].size < t->b->byte_code_len) {
    step(t);
    t->pos += operations[t->op].size;
    t->op = code[t->pos];
    arrive(t);
    int to = -1;
    if (t->op == OP_goto) to = t->pos + 1 + (int)get_u32(code + t->pos + 1);
    if (t->op == OP_goto8) to = t->pos + 1 + get_i8(code + t->pos + 1);
    if (t->op == OP_goto16) to = t->pos + 1 + get_i16(code + t->pos + 1);
    if (to == begin || to == end) return t->depth < 0 ? NULL : node_of(t, at(t, 0));
  }
  return node_of(t, given);
}

static void write_node(Trace *t, Written *out, uint32_t number, int nesting);

static void write_number(Written *out, int32_t number) {
  char digits[16];
  snprintf(digits, sizeof digits, "%d", number);
  write_text(out, digits);
}

static void write_quoted(Trace *t, Written *out, const Node *node, bool is_quoted) {
  char name[SHOWN_MAX];
  if (is_quoted) write_text(out, "\"");
  if (node->kind == TEXT) write_value(t->ctx, out, t->b->cpool[node->value]);
  else write_text(out, JS_AtomGetStr(t->ctx, name, sizeof name, node->value));
  if (is_quoted) write_text(out, "\"");
}

static void write_element(Trace *t, Written *out, const Node *node, int nesting) {
  write_node(t, out, node->left, nesting);
  const Node *key = node_of(t, node->right);
  if (key && (key->kind == TEXT || (key->kind == NAME && key->word))) {
    write_text(out, ".");
    return write_quoted(t, out, key, false);
  }
  write_text(out, "[");
  write_node(t, out, node->right, nesting);
  write_text(out, "]");
}

static void write_node(Trace *t, Written *out, uint32_t number, int nesting) {
  const Node *node = nesting > NESTING ? NULL : node_of(t, number);
  char shown[SHOWN_MAX];
  if (!node) return write_text(out, "(intermediate value)");
  nesting++;
  switch (node->kind) {
    case NAME:
    case TEXT:
      return write_quoted(t, out, node, node->kind == TEXT || node->word);
    case FIELD: {
      const Node *left = node_of(t, node->left);
      write_node(t, out, node->left, nesting);
      write_text(out, left && left->is_optional ? "?." : ".");
      return write_text(out, weir_show_key(t->ctx, node->value, shown));
    }
    case ELEMENT: return write_element(t, out, node, nesting);
    case CALL:
      write_node(t, out, node->left, nesting);
      return write_text(out, "(...)");
    case INTEGER: return write_number(out, (int32_t)node->value);
    case WORD: return write_text(out, node->word);
    case ARRAY: return write_text(out, "[]");
    case OBJECT:
      write_text(out, "{");
      for (uint32_t i = 0; i < node->value; i++) write_text(out, "(intermediate value)");
      return write_text(out, "}");
    case UNARY:
      write_text(out, "(");
      write_text(out, node->word);
      write_node(t, out, node->left, nesting);
      return write_text(out, ")");
    default:
      write_text(out, "(");
      write_node(t, out, node->left, nesting);
      write_text(out, " ");
      write_text(out, node->word);
      write_text(out, " ");
      write_node(t, out, node->right, nesting);
      return write_text(out, ")");
  }
}

// Where a call's callee is on the stack; -1 if the function does not stand at a call.
static int callee_of(const Trace *t) {
  switch (t->op) {
    case OP_call: case OP_call_method: case OP_tail_call: case OP_tail_call_method: case OP_eval:
    case OP_call0: case OP_call1: case OP_call2: case OP_call3:
      return count_arguments(t);
    case OP_call_constructor: return count_arguments(t) + 1;
    case OP_apply: return 2;
    case OP_apply_eval: return 1;
    default: return -1;
  }
}

// ---- Errors ----

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

// ---- JSON ----

static void write_constructor(JSContext *ctx, Written *out, JSValueConst object) {
  JSValueConst name = peek(ctx, peek(ctx, object, JS_ATOM_constructor), JS_ATOM_name);
  write_text(out, "object with constructor '");
  if (JS_IsString(name)) write_value(ctx, out, name);
  else write_text(out, "Object");
  write_text(out, "'");
}

// `property 'a'` or `index 0`, under which an object has a value.
static void write_place(JSContext *ctx, Written *out, JSValueConst object, JSValueConst value) {
  JSPropertyEnum *keys = NULL;
  uint32_t count = 0;
  char shown[SHOWN_MAX];
  JS_GetOwnPropertyNames(ctx, &keys, &count, object, JS_GPN_STRING_MASK);
  for (uint32_t i = 0; i < count; i++) {
    bool is_index = JS_VALUE_GET_OBJ(object)->class_id == JS_CLASS_ARRAY && __JS_AtomIsTaggedInt(keys[i].atom);
    JSValue held = is_index ? JS_GetPropertyUint32(ctx, object, __JS_AtomToUInt32(keys[i].atom))
                            : js_dup(peek(ctx, object, keys[i].atom));
    bool is_it = js_same_value(ctx, held, value);
    JS_FreeValue(ctx, held);
    if (!is_it) continue;
    write_text(out, is_index ? "index " : "property '");
    write_text(out, weir_show_key(ctx, keys[i].atom, shown));
    if (!is_index) write_text(out, "'");
    break;
  }
  JS_FreePropertyEnum(ctx, keys, count);
}

// `stack` has the objects around `value`, which is one of them.
static void weir_throw_circular(JSContext *ctx, JSValueConst stack, JSValueConst value) {
  static char message[2048];
  Written out = {message, 0, sizeof message};
  message[0] = 0;
  JSObject *around = JS_VALUE_GET_OBJ(stack);
  uint32_t first = 0, count = around->fast_array ? around->u.array.count : 0;
  JSValue *values = around->u.array.u.values;
  while (first < count && !js_same_value(ctx, values[first], value)) first++;
  write_text(&out, "Converting circular structure to JSON");
  if (first < count) {
    write_text(&out, "\n    --> starting at ");
    write_constructor(ctx, &out, value);
    for (uint32_t i = first + 1; i < count; i++) {
      bool is_left_out = i >= first + 3 && i + 1 < count;
      if (is_left_out && i > first + 3) continue;
      write_text(&out, "\n    |     ");
      if (is_left_out) {
        write_text(&out, "...");
        continue;
      }
      write_place(ctx, &out, values[i - 1], values[i]);
      write_text(&out, " -> ");
      write_constructor(ctx, &out, values[i]);
    }
    write_text(&out, "\n    --- ");
    write_place(ctx, &out, values[count - 1], value);
    write_text(&out, " closes the circle");
  }
  JSValue error = JS_MakeError2(ctx, JS_TYPE_ERROR, true, message);
  JS_Throw(ctx, error);
}

// The error that was thrown gets the frames that are there now.
static void weir_add_stack(JSContext *ctx) {
  JSValue error = JS_GetException(ctx);
  build_backtrace(ctx, error, JS_UNDEFINED, NULL, 0, 0, 0);
  JS_Throw(ctx, error);
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
  if (!strcmp(why, "unexpected end")) why = end && shown[end - 1] == '\\' ? "\\ at end of pattern" : "Unterminated character class";
  if (!strncmp(why, "invalid escape", 14) && strstr(shown, "\\u")) why = "Invalid Unicode escape";
  for (size_t i = 0; i < countof(regexp_errors); i++)
    if (!strncmp(why, regexp_errors[i][0], strlen(regexp_errors[i][0]))) why = regexp_errors[i][1];
  return JS_ThrowSyntaxError(ctx, "Invalid regular expression: /%s/%s: %s", shown, shown_flags, why);
}

// ---- Stacks ----

// `    at name (file:line:column)`, or without a name.
static void write_frame(JSContext *ctx, DynBuf *out, JSStackFrame *sf, const char *how) {
  JSFunctionBytecode *b = JS_GetFunctionBytecode(sf->cur_func);
  const char *name = get_func_name(ctx, sf->cur_func);
  bool is_named = name && *name && strcmp(name, "<eval>");
  dbuf_printf(out, "\n    at %s%s", is_named || *how == 'a' ? how : "", is_named ? name : "");
  JS_FreeCString(ctx, name);
  if (!b) {
    dbuf_printf(out, is_named ? " (<anonymous>)" : "<anonymous>");
    return;
  }
  int column, line = find_line_num(ctx, b, sf->cur_pc ? sf->cur_pc - b->byte_code_buf - 1 : 0, &column);
  const char *file = JS_AtomToCString(ctx, b->filename);
  dbuf_printf(out, is_named ? " (%s:%d:%d)" : "%s:%d:%d", file ? file : "<anonymous>", line, column);
  JS_FreeCString(ctx, file);
}

static void weir_write_frame(JSContext *ctx, DynBuf *out, JSStackFrame *sf) {
  write_frame(ctx, out, sf, sf->is_constructor ? "new " : "");
}

// The async function that waits for the one whose frame this is, if it does nothing but that; NULL otherwise.
static JSStackFrame *awaiting(JSContext *ctx, JSStackFrame *sf) {
  // Frames of functions in C do not say whose they are.
  JSFunctionBytecode *b = JS_GetFunctionBytecode(sf->cur_func);
  JSAsyncFunctionData *running = b && b->func_kind == JS_FUNC_ASYNC ? (JSAsyncFunctionData *)sf->cur_gc_obj : NULL;
  if (!running || JS_GC_TYPE(running) != JS_GC_OBJ_TYPE_ASYNC_FUNCTION) return NULL;
  JSPromiseFunctionData *resolve = JS_GetOpaque(running->resolving_funcs[0], JS_CLASS_PROMISE_RESOLVE_FUNCTION);
  JSPromiseData *promise = resolve ? JS_GetOpaque(resolve->promise, JS_CLASS_PROMISE) : NULL;
  if (!promise || list_empty(&promise->promise_reactions[0])) return NULL;
  JSPromiseReactionData *reaction = list_entry(promise->promise_reactions[0].next, JSPromiseReactionData, link);
  if (!JS_IsObject(reaction->handler)) return NULL;
  JSObject *handler = JS_VALUE_GET_OBJ(reaction->handler);
  if (handler->class_id != JS_CLASS_ASYNC_FUNCTION_RESOLVE || !handler->u.async_function_data->is_active) return NULL;
  return &handler->u.async_function_data->func_state.frame;
}

// `    at async name (file:line:column)` for what awaits the frame that is the last, and what awaits that.
static void weir_write_awaiting(JSContext *ctx, DynBuf *out, JSStackFrame *sf, int room) {
  for (; room > 0 && (sf = awaiting(ctx, sf)); room--) write_frame(ctx, out, sf, "async ");
}

// A function of the runtime that puts places in the source for those in the bundle, if there is one.
static JSValue map_frames = JS_UNDEFINED;

void JS_WeirMapFrames(JSContext *ctx, JSValueConst map) {
  JS_FreeValue(ctx, map_frames);
  map_frames = js_dup(map);
}

// The frames of an error, as the engine has seen them; undefined if it is none.
JSValue JS_WeirFrames(JSContext *ctx, JSValueConst error) {
  if (!JS_IsObject(error) || JS_VALUE_GET_OBJ(error)->class_id != JS_CLASS_ERROR) return JS_UNDEFINED;
  return js_dup(JS_VALUE_GET_OBJ(error)->u.object_data);
}

// The title and the frames, as code is to see them: most never looks, so that it is made when it is read.
static JSValue whole_stack(JSContext *ctx, JSValueConst error, JSValueConst frames) {
  char title[4096];
  Written out = {title, 0, sizeof title};
  title[0] = 0;
  write_title(ctx, &out, error);
  JSValue shown = js_dup(frames);
  if (JS_IsFunction(ctx, map_frames)) {
    JSValue mapped = JS_Call(ctx, map_frames, JS_UNDEFINED, 1, &frames);
    if (JS_IsString(mapped)) {
      JS_FreeValue(ctx, shown);
      shown = mapped;
    } else {
      JS_FreeValue(ctx, JS_IsException(mapped) ? JS_GetException(ctx) : mapped);
    }
  }
  return JS_ConcatString(ctx, JS_NewStringLen(ctx, title, out.size), shown);
}

static JSValue weir_stack_of(JSContext *ctx, JSObject *p) {
  JSValue frames = js_dup(p->u.object_data);
  if (!JS_IsString(frames)) return frames;
  JSValue stack = whole_stack(ctx, JS_MKPTR(JS_TAG_OBJECT, p), frames);
  JS_FreeValue(ctx, frames);
  return stack;
}

// `stack` of an error, which has its frames, or of another object.
static void weir_keep_stack(JSContext *ctx, JSValueConst error, JSValue frames) {
  JSObject *p = JS_VALUE_GET_OBJ(error);
  if (p->class_id == JS_CLASS_ERROR && p->extensible && JS_DeleteProperty(ctx, error, JS_ATOM_stack, 0) > 0) {
    JS_FreeValue(ctx, p->u.object_data);
    p->u.object_data = frames;
    JS_DefineAutoInitProperty(ctx, error, JS_ATOM_stack, JS_AUTOINIT_ID_PROP, NULL,
                              JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    return;
  }
  JS_DefinePropertyValue(ctx, error, JS_ATOM_stack, whole_stack(ctx, error, frames),
                         JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
  JS_FreeValue(ctx, frames);
}
