/* gguf_layer.h -- one layer of a GGUF: its tensors, and the block that they and the settings describe.
 *
 *     gguf_layer_add(&layer, &name, tensor, &source, &err);    // each of its tensors, then
 *     gguf_layer_describe(&layer, 3, &source, &err);           // block, window: or why they do not agree
 *     if (gguf_layer_same(&layer, &other)) ...             // of one kind
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/gguf_name.h"
#include "labs/5_frontier/key_numbers/app/model/gguf_source.h"

// A tensor, or those of all experts of one matrix.
typedef struct GgufItem {
    const char *name;
    int order;
    Component component;
    Role role;
    uint64_t rows, cols, copies;
    uint64_t bytes;    // of all copies
} GgufItem;

enum { GGUF_MAX_ITEMS = 48 };

typedef struct GgufLayer {
    GgufItem items[GGUF_MAX_ITEMS];    // in the order of their names' table
    int count;
    KnBlock block;
    uint64_t window, index_dim;
    bool cross;    // attends to an encoder's output as well
    int kind;
} GgufLayer;

bool gguf_layer_add(GgufLayer *layer, const GgufName *name, const GgufTensor *tensor,
                    const GgufSource *source, Error *err);
bool gguf_layer_describe(GgufLayer *layer, int number, const GgufSource *source, Error *err);
bool gguf_layer_same(const GgufLayer *a, const GgufLayer *b);
uint64_t gguf_layer_elements(const GgufLayer *layer);
