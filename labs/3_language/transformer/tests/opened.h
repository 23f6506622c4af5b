/* opened.h -- models of fixtures/ and of files that a case wrote, opened; for one test program.
 *
 *     Opened *opened = open_fixture("llama");                 // fails the case when it is refused
 *     assert_logits(opened, "llama", &expected);              // those that transformers computed
 *     const char *path = scratch_path("model.gguf");          // in a folder that goes when the program ends
 *     assert_refused(path, "lacks 'model.norm.weight' [16]"); // by a sentence that contains this
 */
#pragma once
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "datasets/root.h"
#include "kernels/device.h"
#include "labs/3_language/transformer/files/folder.h"
#include "labs/3_language/transformer/files/gguf_model.h"
#include "labs/3_language/transformer/files/model_file.h"
#include "tests/cases.h"
#include "tests/devices.h"
#include "tests/near.h"

typedef struct Opened {
    Arena *keep;
    Params *params;
    Model model;
    Tape *tape;    // quiet
    char format[16];
} Opened;

static Arena *names;
static char scratch[] = "/tmp/test_transformer_XXXXXX";

static inline int begin(void **state)
{
    (void)state;
    names = arena_new("names", (size_t)1 << 26);
    device_for_case("cpu");
    return mkdtemp(scratch) == NULL ? -1 : 0;
}

static inline int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status, (void)kind, (void)at;
    return remove(path);
}

static inline int end(void **state)
{
    (void)state;
    arena_free(names);
    return nftw(scratch, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline const char *scratch_path(const char *name)
{
    return arena_print(names, "%s/%s", scratch, name);
}

static inline const char *fixture_path(const char *name)
{
    return arena_print(names, "%s/labs/3_language/transformer/tests/fixtures/%s", root_dir(), name);
}

static inline Opened *open_path(const char *path)
{
    Error err = {""};
    ModelFile *file = model_file_open(path, &err);
    if (file == NULL) fail_msg("%s", err.message);
    const size_t caches = (size_t)16 << 20;
    Arena *keep = arena_new("keep", model_config_room(&file->config) + caches);
    Opened *opened = arena_alloc(keep, sizeof *opened);
    *opened = (Opened){.keep = keep,
                       .params = params_new(keep),
                       .tape = tape_new(arena_new("step", (size_t)1 << 28))};
    opened->params->frozen = true;
    opened->model = model_file_read(file, opened->params);
    snprintf(opened->format, sizeof opened->format, "%s", file->format);
    tape_quiet(opened->tape, true);
    model_file_close(file);
    return opened;
}

static inline Opened *open_fixture(const char *name)
{
    return open_path(fixture_path(name));
}

static inline void close_opened(Opened *opened)
{
    arena_free(opened->tape->arena);
    arena_free(opened->keep);
}

static inline void assert_refused(const char *path, const char *sentence)
{
    Error err = {""};
    ModelFile *file = model_file_open(path, &err);
    if (file != NULL) fail_msg("%s was opened, expected: %s", path, sentence);
    if (strstr(err.message, sentence) == NULL)
        fail_msg("got:      %s\nexpected: ... %s ...", err.message, sentence);
    if (strchr(err.message, '\n') != NULL) fail_msg("more than one line: %s", err.message);
}

// ---- what transformers computed ----

static inline const SafetensorsEntry *entry_of(const Safetensors *file, const char *name)
{
    const SafetensorsEntry *entry = safetensors_find(file, name);
    if (entry == NULL) fail_msg("%s lacks '%s'", file->path, name);
    return entry;
}

// Holds the model's logits against those of the fixture.
static inline void assert_logits(const Opened *opened, const char *fixture)
{
    Error err = {""};
    Safetensors *file = safetensors_open(
        arena_print(names, "%s/expected.safetensors", fixture_path(fixture)), &err);
    if (file == NULL) fail_msg("%s", err.message);
    const SafetensorsEntry *ids = entry_of(file, "ids"), *logits = entry_of(file, "logits");
    const int B = (int)ids->shape[0], T = (int)ids->shape[1], V = (int)logits->shape[2];
    float *want = arena_alloc(names, logits->count * sizeof *want);
    double *wide = arena_alloc(names, logits->count * sizeof *wide);
    memcpy(want, logits->data, logits->count * sizeof *want);
    for (size_t i = 0; i < logits->count; i++) wide[i] = (double)want[i];
    int32_t *tokens = arena_alloc(names, ids->count * sizeof *tokens);
    memcpy(tokens, ids->data, ids->count * sizeof *tokens);
    Tensor *input = tensor_from_ints(opened->tape->arena, SHAPE(B, T), tokens);
    Tensor *got = model_logits(opened->tape, &opened->model, input);
    assert_near(values_of(got), wide, SHAPE(B, T, V), .name = fixture, .atol = 1e-5, .rtol = 1e-5);
    safetensors_close(file);
    tape_reset(opened->tape);
}

// Both have the same parameters, to the bit.
static inline void assert_same_params(const Opened *a, const Opened *b)
{
    assert_int_equal(a->params->count, b->params->count);
    for (int i = 0; i < a->params->count; i++) {
        const Param *x = &a->params->items[i], *y = &b->params->items[i];
        assert_string_equal(x->name, y->name);
        assert_true(shape_equal(x->tensor->shape, y->tensor->shape));
        const size_t n = tensor_count(x->tensor);
        if (memcmp(values_of(x->tensor), values_of(y->tensor), n * sizeof(float)) != 0)
            fail_msg("'%s' differs", x->name);
    }
}
