#include "tests/devices.h"
#include "kernels/device.h"
#include "tests/guarded.h"

void device_for_case(const char *name)
{
    const char *why = "";
    if (!device_use(name != NULL ? name : "ref", &why)) fail_msg("%s", why);
}

float *numbers_at(const float *numbers, size_t n)
{
    float *copy = guarded_new(n, sizeof *copy);
    device->get(copy, numbers, n * sizeof *copy);
    return copy;
}

float *values_of(const Tensor *x)
{
    return numbers_at(tensor_floats(x), tensor_count(x));
}

float *grad_of(const Tensor *x)
{
    const Tensor *owner = x->base != NULL ? x->base : x;
    if (!owner->has_grad) fail_msg("%s has no gradient", TENSOR_TEXT(x));
    return numbers_at(owner->grad + x->offset, tensor_count(x));
}
