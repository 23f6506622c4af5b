/* item.h -- the tensors of a checkpoint as the matrices they stand for: what named.h counts.
 *
 *     Naming n = {.shards = shards, .config = config, .text = config, .arena = arena};
 *     items_read(&n);    // n.items: sorted by layer and name, experts of one shape as one
 *
 * A packed matrix has the shape that it unpacks to. Scales, masks and modules that predict further tokens are
 * in `beside`, integers of which nothing says how many parameters they hold in `packed`.
 */
#pragma once
#include <cjson/cJSON.h>
#include "common/shards.h"
#include "labs/5_frontier/key_numbers/app/model/model.h"

typedef struct Matrix {
    uint64_t rows, cols, copies;
} Matrix;

typedef struct Item {
    const char *plain;
    Component component;
    Role role;
    int layer;    // OUTSIDE, or from 0; a second stack behind the first
    Matrix shape;
    uint64_t bytes;
} Item;

typedef struct Rest {
    uint64_t elements, bytes;
} Rest;

typedef struct Naming {
    const Shards *shards;
    const cJSON *config, *text;    // of the decoder, within the first or the same
    Model *model;
    Arena *arena;
    Item *items;
    int count, layers, encoder;    // all layers; those before a second stack
    uint64_t width;                // of the residual stream: a norm's size; 0: not known
    Rest packed, beside;
    const char *unclear;    // the first name that is not recognized
    int *first_of;          // [layers] the first item
} Naming;

void items_read(Naming *n);
// The first of "one|other" that the configuration has as a number from 1; else 0.
uint64_t item_field(const Naming *n, const char *names);
bool item_same(const Item *a, const Item *b);    // name and shape; copies may differ
