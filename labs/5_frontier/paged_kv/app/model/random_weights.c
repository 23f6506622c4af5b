#include "labs/5_frontier/paged_kv/app/model/random_weights.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "kernels/philox.h"

static const char PREFIX[] = "random:";
static const float DEVIATION = 0.02f;

// ---- names ----

static const struct {
    const char *name;
    ModelSize size;
    bool tied;
    float theta;
} SIZES[] = {
    {"15m", {32000, 256, 288, 6, 6, 6, 48, 768}, true, 10000},
    {"42m", {32000, 1024, 512, 8, 8, 8, 64, 1376}, true, 10000},
    {"110m", {32000, 1024, 768, 12, 12, 12, 64, 2048}, true, 10000},
    {"135m", {49152, 8192, 576, 30, 9, 3, 64, 1536}, true, 100000},
    {"1.1b", {32000, 2048, 2048, 22, 32, 4, 64, 5632}, false, 10000},
};
static const DType TYPES[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_Q4_1};

bool random_weights_named(const char *path)
{
    return strncmp(path, PREFIX, strlen(PREFIX)) == 0;
}

bool random_weights_parse(const char *path, ModelConfig *config, DType *type, Error *err)
{
    const char *name = path + strlen(PREFIX), *colon = strchr(name, ':');
    const size_t length = colon != NULL ? (size_t)(colon - name) : strlen(name);
    const size_t sizes = sizeof SIZES / sizeof *SIZES, types = sizeof TYPES / sizeof *TYPES;
    size_t i = 0, k = 0;
    while (i < sizes &&
           (strlen(SIZES[i].name) != length || strncasecmp(name, SIZES[i].name, length) != 0))
        i++;
    while (colon != NULL && k < types && strcasecmp(colon + 1, dtype_name(TYPES[k])) != 0) k++;
    if (i == sizes)
        return error_set(err, "%.60s: there is no such size, expected 15m, 42m, 110m, 135m or 1.1b",
                         path);
    if (k == types)
        return error_set(
            err, "%.60s: there is no such type, expected F32, F16, BF16, Q8_0, Q4_0 or Q4_1", path);
    *config = model_config_llama(SIZES[i].size);
    config->tied = SIZES[i].tied;
    config->rope.theta = SIZES[i].theta;
    *type = TYPES[k];
    return true;
}

// ---- numbers ----

// Uniform numbers: their standard deviation is their range over sqrt(12).
static void fill_floats(void *out, DType type, size_t count, Draw draw)
{
    enum { CHUNK = 1024 };
    float numbers[CHUNK];
    const size_t bytes = dtype_info[type].bytes;
    for (size_t i = 0; i < count; i += CHUNK) {
        const size_t n = count - i < CHUNK ? count - i : CHUNK;
        for (size_t k = 0; k < n; k += 4) {
            const PhiloxBlock block = philox(draw, (i + k) / 4);
            for (size_t w = 0; w < 4 && k + w < n; w++)
                numbers[k + w] = (philox_uniform(block.word[w]) - .5f) * DEVIATION * 3.4641016f;
        }
        dtype_from_floats(type, (char *)out + i * bytes, numbers, n);
    }
}

// Blocks of 32: a scale, with Q4_1 a minimum, then random bits. Those of 4 bits are 0 to 15 with a standard
// deviation of 4.61, those of 8 bits -128 to 127 with 73.9.
static void fill_blocks(void *out, DType type, size_t count, Draw draw)
{
    const float scale = DEVIATION / (type == DTYPE_Q8_0 ? 73.9f : 4.61f), minimum = -7.5f * scale;
    const size_t bytes = dtype_info[type].bytes, head = type == DTYPE_Q4_1 ? 4 : 2;
    uint16_t halves[2];
    dtype_from_floats(DTYPE_F16, &halves[0], &scale, 1);
    dtype_from_floats(DTYPE_F16, &halves[1], &minimum, 1);
    for (size_t i = 0; i < count / dtype_info[type].block; i++) {
        char *block = (char *)out + i * bytes;
        memcpy(block, halves, head);
        for (size_t at = head, k = 0; at < bytes; at += sizeof(PhiloxBlock), k++) {
            const PhiloxBlock random = philox(draw, 2 * i + k);
            memcpy(block + at, &random, sizeof random);
        }
    }
}

void random_weights_fill(void *out, DType type, size_t count, Draw draw)
{
    if (dtype_info[type].kind == DTYPE_KIND_QUANTIZED) fill_blocks(out, type, count, draw);
    else fill_floats(out, type, count, draw);
}

bool random_weights_file(ModelFile *file, Arena *arena, const char *path, Error *err)
{
    DType type;
    *file = (ModelFile){.path = path, .format = "random"};
    if (!random_weights_parse(path, &file->config, &type, err)) return false;
    file->family = config_json_family(&file->config, err);
    file->pieces = pieces_of(arena, &file->config, FORMAT_LLAMA);
    file->stored = arena_zeros(arena, (size_t)file->pieces.count * sizeof *file->stored);
    for (int i = 0; i < file->pieces.count; i++) file->stored[i].type = type;
    return true;
}
