// An expression as V8 shows it in an error, `a.b(...).c`. It is found when something has failed, by following the
// function's bytecode up to where it stands with a stack of descriptions in place of values: it costs nothing before.

enum { DESCRIBED_MAX = 200, NODES = 256, STACK = 128, JUMPS = 64, NESTING = 16 };

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
