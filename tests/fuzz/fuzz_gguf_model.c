/* fuzz_gguf_model.c -- any metadata and tensors as a model: they are refused with a sentence, or make a
 * ledger whose parts add up. Nothing stops the program: sums and shapes of the file are not trusted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "labs/5_frontier/key_numbers/app/model/open.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void expect(int holds)
{
    if (!holds) abort();
}

static void expect_model(const Model *model)
{
    uint64_t numbers = 0, bytes = 0, all = 0, layers = 0;
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        expect(w->kind >= OUTSIDE && w->kind < model->kind_count && w->copies > 0);
        expect(weight_active(model, w) <= weight_elements(model, w));
        numbers += weight_elements(model, w);
        bytes += w->stored_bytes;
    }
    for (int i = 0; i < model->extra_count; i++)
        numbers += model->extras[i].elements, bytes += model->extras[i].bytes;
    for (int i = 0; i < model->stored_count; i++) all += model->stored[i].bytes;
    expect(numbers == model_stored(model) && bytes == all);
    for (int k = 0; k < model->kind_count; k++) {
        const KnBlock *b = &model->kinds[k].block;
        layers += (uint64_t)model->kinds[k].count;
        expect(b->heads > 0 && b->kv_heads > 0 && b->heads % b->kv_heads == 0);
        expect(b->active_experts <= b->experts);
    }
    expect(layers == (uint64_t)model->layers);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static int file;
    static Arena *arena;
    char path[64];
    if (file == 0) file = memfd_create("fuzz.gguf", 0), arena = arena_new("fuzz", 32u << 20);
    expect(file > 0 && ftruncate(file, 0) == 0);
    expect(pwrite(file, bytes, size, 0) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    Error err = {""};
    Model *model = gguf_model(arena, path, &err);
    if (model != NULL) expect_model(model);
    else expect(strlen(err.message) > 10);    // a refusal has its sentence
    arena_reset(arena);
    return 0;
}
