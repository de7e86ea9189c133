// Stacks of errors, which are made when they are read.

// The error that was thrown gets the frames that are there now.
static void weir_add_stack(JSContext *ctx) {
  JSValue error = JS_GetException(ctx);
  build_backtrace(ctx, error, JS_UNDEFINED, NULL, 0, 0, 0);
  JS_Throw(ctx, error);
}

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
