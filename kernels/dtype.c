/* dtype.c -- the table of number types, and conversions between floating-point types. */
#include "kernels/dtype.h"
#include <string.h>

const DTypeInfo dtype_info[DTYPE_COUNT] = {
#define X(name, kind, block, bytes, safetensors, gguf)                                             \
    [DTYPE_##name] = {#name, DTYPE_KIND_##kind, block, bytes, safetensors, gguf},
    DTYPE_LIST(X)
#undef X
};

const char *dtype_name(DType type)
{
    return dtype_info[type].name;
}

uint64_t dtype_bytes(DType type, uint64_t count)
{
    const DTypeInfo *info = &dtype_info[type];
    uint64_t blocks = count / info->block + (count % info->block != 0), bytes;
    return __builtin_mul_overflow(blocks, info->bytes, &bytes) ? UINT64_MAX : bytes;
}

DType dtype_from_safetensors(const char *name)
{
    int type = 0;
    while (type < DTYPE_COUNT &&
           !(dtype_info[type].safetensors && strcmp(name, dtype_info[type].name) == 0))
        type++;
    return (DType)type;
}

DType dtype_from_gguf(uint32_t number)
{
    int type = 0;
    while (type < DTYPE_COUNT && !(dtype_info[type].gguf == (int64_t)number)) type++;
    return (DType)type;
}
