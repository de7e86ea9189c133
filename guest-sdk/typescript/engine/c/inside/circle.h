// What JSON.stringify says of an object that holds itself.

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
