#include "labs/5_frontier/key_numbers/app/model/item.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/text.h"
#include "labs/5_frontier/key_numbers/app/model/tensor_name.h"

enum { LAYER_MOST = 4096, NAME_BYTES = 512 };

// ---- the numbers that a tensor holds ----

uint64_t item_field(const Naming *n, const char *names)
{
    for (const char *at = names; at != NULL; at = strchr(at, '|')) {
        char name[64];
        at += *at == '|';
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "|"), at);
        const cJSON *node = cJSON_GetObjectItemCaseSensitive(n->text, name);
        if (cJSON_IsNumber(node) && node->valuedouble >= 1 && node->valuedouble < 1e9)
            return (uint64_t)node->valuedouble;
    }
    return 0;
}

static const SafetensorsEntry *sibling(const Naming *n, const char *name, size_t cut,
                                       const char *end)
{
    char other[NAME_BYTES];
    size_t length = strlen(name);
    if (cut > length) return NULL;
    int written = snprintf(other, sizeof other, "%.*s%s", (int)(length - cut), name, end);
    if (written >= (int)sizeof other) return NULL;
    const ShardTensor *found = shards_find(n->shards, other);
    return found != NULL ? found->entry : NULL;
}

static Matrix plain_shape(const SafetensorsEntry *entry)
{
    Matrix shape = {1, 1, 1};
    for (int d = 0; d < entry->dims; d++) {
        uint64_t size = entry->shape[d];
        if (d == entry->dims - 1) shape.cols = size;
        else if (d == entry->dims - 2) shape.rows = size;
        else shape.copies *= size;
    }
    return shape;
}

// AutoGPTQ packs down the inputs, AutoAWQ along the outputs; zeros have as many bits.
static bool read_words(const Naming *n, const SafetensorsEntry *e, Matrix *shape)
{
    const SafetensorsEntry *scales = sibling(n, e->name, strlen("qweight"), "scales");
    const SafetensorsEntry *zeros = sibling(n, e->name, strlen("qweight"), "qzeros");
    if (scales == NULL || zeros == NULL || e->dims != 2 || scales->dims != 2 || zeros->dims != 2)
        return false;
    uint64_t out = scales->shape[1], bits = out > 0 ? 32 * zeros->shape[1] / out : 0;
    if (bits == 0 || bits > 8) return false;
    bool gptq = e->shape[1] == out;
    *shape = (Matrix){out, gptq ? e->shape[0] * 32 / bits : e->shape[0], 1};
    return true;
}

static uint64_t stated_bits(const Naming *n)
{
    const cJSON *q = cJSON_GetObjectItemCaseSensitive(n->config, "quantization_config");
    if (q == NULL) q = cJSON_GetObjectItemCaseSensitive(n->text, "quantization_config");
    if (q == NULL) q = cJSON_GetObjectItemCaseSensitive(n->config, "quantization");
    const cJSON *bits = cJSON_GetObjectItemCaseSensitive(q, "bits"), *group;
    cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(q, "config_groups"))
    {
        const cJSON *weights = cJSON_GetObjectItemCaseSensitive(group, "weights");
        if (bits == NULL) bits = cJSON_GetObjectItemCaseSensitive(weights, "num_bits");
    }
    return cJSON_IsNumber(bits) && bits->valueint >= 1 && bits->valueint <= 8
               ? (uint64_t)bits->valueint
               : 0;
}

// Words of 32 bits along the inputs, whose number only a configuration says.
static bool read_rows(const Naming *n, const SafetensorsEntry *e, Matrix *shape)
{
    uint64_t bits = stated_bits(n);
    if (bits == 0 || e->dims < 2) return false;
    *shape = plain_shape(e);
    shape->cols = shape->cols * 32 / bits;
    return true;
}

// bitsandbytes packs a matrix into one column: it is as wide as the stream, or as high.
static bool read_flat(const Naming *n, const SafetensorsEntry *e, Role role, Matrix *shape)
{
    uint64_t count = 2 * e->count;
    if (n->width == 0 || count % n->width != 0) return false;
    bool high = role == ROLE_O || role == ROLE_DOWN;
    *shape =
        high ? (Matrix){n->width, count / n->width, 1} : (Matrix){count / n->width, n->width, 1};
    return true;
}

typedef enum Kind { KIND_WEIGHT, KIND_PACKED, KIND_BESIDE } Kind;

static Kind decode(const Naming *n, const SafetensorsEntry *e, const TensorName *name, Role role,
                   Matrix *shape)
{
    const bool integers = dtype_info[e->type].kind == DTYPE_KIND_INTEGER;
    bool two = e->type == DTYPE_U8 || e->type == DTYPE_I8, known = false;
    bool bias = e->dims == 1 && strcmp(name->plain, "attn.bias") == 0;    // and no causal mask
    *shape = plain_shape(e);
    if (tensor_name_beside(name->plain) != NULL && !bias) return KIND_BESIDE;
    if (!integers) return dtype_info[e->type].kind == DTYPE_KIND_FLOAT ? KIND_WEIGHT : KIND_BESIDE;
    if (text_ends(e->name, ".qweight")) known = read_words(n, e, shape);
    else if (text_ends(e->name, "_blocks") && e->dims >= 3 && two) {
        uint64_t last = e->shape[e->dims - 1] * 2, blocks = e->shape[e->dims - 2];
        uint64_t rows = e->shape[e->dims - 3];
        *shape = (Matrix){rows, blocks * last, e->count * 2 / (rows * blocks * last)};
        known = true;
    } else if (text_ends(e->name, ".weight_packed")) {
        if (two) shape->cols *= 2, known = true;
        else known = read_rows(n, e, shape);
    } else if (sibling(n, e->name, 0, ".absmax") != NULL && two) {
        known = read_flat(n, e, role, shape);
    } else if (text_ends(e->name, ".weight") && sibling(n, e->name, 0, "_scale") != NULL &&
               e->type == DTYPE_U8) {
        shape->cols *= 2, known = true;
    } else if (text_ends(e->name, ".weight") &&
               sibling(n, e->name, strlen("weight"), "scales") != NULL) {
        known = read_rows(n, e, shape);
    } else if (text_ends(e->name, ".weight") && e->type == DTYPE_I8) {
        known = true;    // a byte for each
    } else {
        return tensor_name_packed(name->plain, &(const char *){NULL}) != NULL ? KIND_PACKED
                                                                              : KIND_BESIDE;
    }
    return known ? KIND_WEIGHT : KIND_PACKED;
}

// ---- tensors to items ----

bool item_same(const Item *a, const Item *b)
{
    return strcmp(a->plain, b->plain) == 0 && a->shape.rows == b->shape.rows &&
           a->shape.cols == b->shape.cols;
}

static const char *without_end(const Naming *n, const char *plain)
{
    const char *instead, *packed = tensor_name_packed(plain, &instead);
    if (packed == NULL) return plain;
    return arena_print(n->arena, "%.*s%s", (int)(strlen(plain) - strlen(packed)), plain, instead);
}

static int compare_items(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    if (x->layer != y->layer) return x->layer < y->layer ? -1 : 1;
    int order = strcmp(x->plain, y->plain);
    if (order != 0) return order;
    if (x->shape.rows != y->shape.rows) return x->shape.rows < y->shape.rows ? -1 : 1;
    return (x->shape.cols > y->shape.cols) - (x->shape.cols < y->shape.cols);
}

static void add_tensor(Naming *n, const SafetensorsEntry *e)
{
    TensorName name;
    Matrix shape;
    if (e->count == 0) return;
    tensor_name_read(&name, e->name);
    Item item = {.layer = name.ahead ? OUTSIDE : name.layer, .bytes = e->end - e->begin};
    const char *plain = without_end(n, name.plain);
    if (!tensor_name_classify(plain, &item.component, &item.role) && n->unclear == NULL)
        n->unclear = arena_print(n->arena, "%s", plain);
    Kind kind = decode(n, e, &name, item.role, &shape);
    if (kind != KIND_WEIGHT || name.ahead) {
        Rest *rest = kind == KIND_PACKED ? &n->packed : &n->beside;
        rest->elements += e->count, rest->bytes += item.bytes;
        return;
    }
    if (item.layer != OUTSIDE && name.decoder) item.layer += n->encoder;
    if (item.layer >= LAYER_MOST) item.layer = OUTSIDE;
    item.plain = arena_print(n->arena, "%s", plain), item.shape = shape;
    if (item.layer >= n->layers) n->layers = item.layer + 1;
    n->items[n->count++] = item;
}

// The layers of an encoder, where a decoder follows; the width is the size that norms have.
static void look_ahead(Naming *n)
{
    bool second = false;
    for (int i = 0; i < n->shards->count; i++) {
        const SafetensorsEntry *e = n->shards->tensors[i].entry;
        TensorName name;
        tensor_name_read(&name, e->name);
        second |= name.decoder && name.layer != OUTSIDE;
        if (!name.decoder && name.layer != OUTSIDE && name.layer >= n->encoder &&
            name.layer < LAYER_MOST && !name.ahead)
            n->encoder = name.layer + 1;
        Component component;
        Role role;
        tensor_name_classify(name.plain, &component, &role);
        if (component == COMPONENT_NORM && role == ROLE_NORM && e->dims == 1 && n->width == 0)
            n->width = e->shape[0];
    }
    if (!second) n->encoder = 0;
}

// One weight for the tensors of one name and shape in a layer.
static void join_items(Naming *n)
{
    int kept = 0;
    qsort(n->items, (size_t)n->count, sizeof *n->items, compare_items);
    for (int i = 0; i < n->count; i++) {
        Item *last = kept > 0 ? &n->items[kept - 1] : NULL;
        if (last != NULL && last->layer == n->items[i].layer && item_same(last, &n->items[i])) {
            last->shape.copies += n->items[i].shape.copies;
            last->bytes += n->items[i].bytes;
        } else n->items[kept++] = n->items[i];
    }
    n->count = kept;
}

void items_read(Naming *n)
{
    n->items = arena_alloc(n->arena, ((size_t)n->shards->count + 1) * sizeof *n->items);
    look_ahead(n);
    for (int i = 0; i < n->shards->count; i++) add_tensor(n, n->shards->tensors[i].entry);
    join_items(n);
}
