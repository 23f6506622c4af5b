/* params.h -- tensors by name: what an optimizer moves and a file stores.
 *
 *     Params *params = params_new(keep);
 *     Tensor *w = params_add(params, "encoder.0.weight", SHAPE(256, 784));    // zeros, has a grad
 *
 * Names are unique; by convention they are PyTorch's (module.index.weight), so that files travel.
 */
#pragma once
#include "common/tensor.h"

enum { PARAMS_MAX = 512 };

typedef struct Param {
    const char *name;      // owned by the arena
    Tensor     *tensor;    // data and grad
} Param;

typedef struct Params {
    Arena *arena;
    int    count;
    Param  items[PARAMS_MAX];
} Params;

Params *params_new(Arena *keep);
Tensor *params_add(Params *params, const char *name, Shape shape);
void    params_include(Params *params, const Params *part);         // part's, shared: same tensors and names
Tensor *params_find(const Params *params, const char *name);    // NULL when there is none
size_t  params_total(const Params *params);                     // number of elements in all
void    params_clear_grads(Params *params);                     // every grad to 0
