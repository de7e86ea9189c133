// Part of quickjs.c: what a function keeps for `toString` alone.

/* Frees the source text of every function that there is: a function inside another has its text once more, and all of
   them stand in every component. `toString` then shows it as the engine's own. */
void JS_WeirForgetSources(JSRuntime *rt)
{
    struct list_head *el;

    list_for_each(el, &rt->gc_obj_list) {
        JSGCObjectHeader *header = list_entry(el, JSGCObjectHeader, link);
        if (JS_GC_TYPE(header) == JS_GC_OBJ_TYPE_FUNCTION_BYTECODE) {
            JSFunctionBytecode *b = (JSFunctionBytecode *)header;
            js_free_rt(rt, b->source);
            b->source = NULL;
            b->source_len = 0;
        }
    }
}
