#include "common/params.h"
#include "common/error.h"
#include "common/range.h"
#include <string.h>

enum { LINE = 64 / sizeof(float) };    // floats of a cache line

typedef struct Reservation {
    Range trained, grads, frozen;    // what the blocks grow in
    Block frozen_block;
} Reservation;

static void release(void *what)
{
    Reservation *reserved = what;
    range_release(&reserved->trained);
    range_release(&reserved->grads);
    range_release(&reserved->frozen);
}

Params *params_new(Arena *keep)
{
    Params *params = arena_zeros(keep, sizeof *params);
    params->arena = keep;
    params->reserved = arena_zeros(keep, sizeof *params->reserved);
    arena_on_release(keep, release, params->reserved);
    return params;
}

// Room for one parameter more at the end of a block, all zeros.
static float *extend(Block *block, Range *range, size_t count, size_t capacity)
{
    if (range->device == NULL) {
        REQUIRE(range_reserve(range, capacity), "no room for %zu bytes of parameters on device %s",
                capacity, device->name);
        block->at = (float *)(void *)range->base;
    }
    REQUIRE(range->device == device, "the parameters are on device %s; %s is in use",
            range->device->name, device->name);
    float *at = block->at + block->count;
    size_t end = block->count + (count + LINE - 1) / LINE * LINE;
    REQUIRE(end * sizeof(float) <= range->capacity, "no room for %zu parameters more after %zu",
            count, block->count);
    range_commit(range, end * sizeof(float));
    block->count = end;
    return at;
}

static size_t hash(const char *name)    // FNV-1a
{
    uint64_t value = 14695981039346656037u;
    for (; *name != '\0'; name++) value = (value ^ (unsigned char)*name) * 1099511628211u;
    return (size_t)value;
}

// Where a name is, or where it would be put: slots hold an item's number plus 1, 0 is empty.
static int *slot_of(const Params *params, const char *name)
{
    size_t mask = (size_t)params->slot_count - 1, at = hash(name) & mask;
    while (params->slots[at] != 0 && strcmp(params->items[params->slots[at] - 1].name, name) != 0)
        at = (at + 1) & mask;
    return &params->slots[at];
}

// Twice the items, and four slots for each.
static void grow(Params *params)
{
    params->room = params->room > 0 ? 2 * params->room : 16;
    params->slot_count = 4 * params->room;
    Param *items = arena_alloc(params->arena, (size_t)params->room * sizeof *items);
    if (params->count > 0) memcpy(items, params->items, (size_t)params->count * sizeof *items);
    params->items = items;
    params->slots = arena_zeros(params->arena, (size_t)params->slot_count * sizeof *params->slots);
    for (int i = 0; i < params->count; i++) *slot_of(params, items[i].name) = i + 1;
}

static void append(Params *params, Param item)
{
    if (params->count == params->room) grow(params);
    int *slot = slot_of(params, item.name);
    REQUIRE(*slot == 0, "there is already a parameter '%s'", item.name);
    params->items[params->count++] = item;
    *slot = params->count;
}

Tensor *params_add(Params *params, const char *name, Shape shape)
{
    shape_require(shape);
    Reservation *reserved = params->reserved;
    size_t count = shape_count(shape), capacity = arena_capacity(params->arena);
    Tensor *x = arena_alloc(params->arena, sizeof *x);
    *x = (Tensor){.shape = shape, .wants_grad = !params->frozen};
    append(params, (Param){.name = arena_print(params->arena, "%s", name),
                           .tensor = x,
                           .decay = shape.dims >= 2,
                           .rate = 1.0f});
    if (params->frozen) {
        x->data = extend(&reserved->frozen_block, &reserved->frozen, count, capacity);
    } else {
        x->data = extend(&params->trained, &reserved->trained, count, capacity);
        x->grad = extend(&params->grads, &reserved->grads, count, capacity);
    }
    return x;
}

void params_include(Params *params, const Params *part)
{
    for (int i = 0; i < part->count; i++) append(params, part->items[i]);
}

Param *params_item(const Params *params, const char *name)
{
    if (params->count == 0) return NULL;
    int slot = *slot_of(params, name);
    return slot > 0 ? &params->items[slot - 1] : NULL;
}

Tensor *params_find(const Params *params, const char *name)
{
    const Param *item = params_item(params, name);
    return item != NULL ? item->tensor : NULL;
}

size_t params_total(const Params *params)
{
    size_t total = 0;
    for (int i = 0; i < params->count; i++) total += tensor_count(params->items[i].tensor);
    return total;
}

void params_clear_grads(Params *params)
{
    for (int i = 0; i < params->count; i++) params->items[i].tensor->has_grad = false;
}
