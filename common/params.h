/* params.h -- tensors by name: what an optimizer moves and a file stores.
 *
 *     Params *params = params_new(keep);
 *     Tensor *w = params_add(params, "encoder.0.weight", SHAPE(256, 784));    // zeros
 *     params->frozen = true;                                                  // from here on
 *     Tensor *e = params_add(params, "embedding", SHAPE(5000, 64));           // is never trained
 *
 * Names are unique; by convention they are PyTorch's (module.index.weight), so that files travel. There
 * may be any number.
 *
 * Trained parameters lie end to end in one block, each at a cache line with zeros up to the next, and
 * so do their gradients: one kernel call takes the norm, clips or steps. A frozen parameter has no
 * gradient and no moments.
 */
#pragma once
#include "common/tensor.h"

typedef struct Param {
    const char *name;    // owned by the arena
    Tensor *tensor;
    // For an optimizer that is made later:
    bool decay;    // whether weight decay applies: unless changed, from two dimensions on, which
                   // spares biases and norms
    float rate;    // multiplies the learning rate: 1 unless changed
} Param;

// Numbers end to end on the device.
typedef struct Block {
    float *at;
    size_t count;    // with the zeros between the parameters
} Block;

typedef struct Params {
    Arena *arena;
    bool frozen;    // whether what is added next is frozen: false unless changed
    int count;
    Param *items;    // in the order of adding, which is the order in the block
    Block trained, grads;
    // Inside: where names are found, and what was reserved.
    int *slots;
    int slot_count, room;
    struct Reservation *reserved;
} Params;

Params *params_new(Arena *keep);    // its blocks may be as large as the arena
Tensor *params_add(Params *params, const char *name, Shape shape);

// part's, shared: same tensors and names. For files; an optimizer takes a part's own Params.
void params_include(Params *params, const Params *part);

Param *params_item(const Params *params, const char *name);     // NULL when there is none
Tensor *params_find(const Params *params, const char *name);    // the same
size_t params_total(const Params *params);                      // number of elements in all
void params_clear_grads(Params *params);                        // what comes next is the first
