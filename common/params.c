#include "common/params.h"
#include "common/error.h"
#include "kernels/kernels.h"
#include <string.h>

Params *params_new(Arena *keep)
{
    Params *params = arena_zeros(keep, sizeof *params);
    params->arena  = keep;
    return params;
}

static void append(Params *params, const char *name, Tensor *x)
{
    REQUIRE(params->count < PARAMS_MAX, "no room for '%s' after %d parameters", name, params->count);
    REQUIRE(params_find(params, name) == NULL, "there is already a parameter '%s'", name);
    params->items[params->count++] = (Param){name, x};
}

Tensor *params_add(Params *params, const char *name, Shape shape)
{
    Tensor *x = tensor_zeros(params->arena, shape);
    x->grad   = arena_zeros(params->arena, tensor_count(x) * sizeof *x->grad);
    append(params, arena_print(params->arena, "%s", name), x);
    return x;
}

void params_include(Params *params, const Params *part)
{
    for (int i = 0; i < part->count; i++) append(params, part->items[i].name, part->items[i].tensor);
}

Tensor *params_find(const Params *params, const char *name)
{
    for (int i = 0; i < params->count; i++)
        if (strcmp(params->items[i].name, name) == 0) return params->items[i].tensor;
    return NULL;
}

size_t params_total(const Params *params)
{
    size_t total = 0;
    for (int i = 0; i < params->count; i++) total += tensor_count(params->items[i].tensor);
    return total;
}

void params_clear_grads(Params *params)
{
    for (int i = 0; i < params->count; i++) {
        Tensor *x = params->items[i].tensor;
        kernels.fill(x->grad, 0.0f, tensor_count(x));
    }
}
