/* loaded.h -- what the programs have in common: a model by its name, opened, with an engine around it.
 *
 *     LoadOptions how = loaded_defaults;
 *     loaded_declare(options, &how);                // --threads, --cache, --drafts, ...
 *     Loaded loaded;
 *     if (!loaded_open(&loaded, keep, "smollm2", &how, &err)) ...
 *     loaded_close(&loaded);
 *
 * A model is a path (a GGUF file, a Hugging Face folder, llama2.c's .bin), or the name of a data set in the
 * data folder (`lab data get smollm2`) or of a folder there (`stories`, which the lab's tour trains), or
 * random weights to measure with (random:1.1b:Q4_0).
 */
#pragma once
#include "common/options.h"
#include "labs/5_frontier/paged_kv/app/engine.h"

typedef struct LoadOptions {
    const char *device, *tokenizer, *cache, *activations, *prefix, *draft;
    int threads, cache_mb, block_size, sequences, budget, chunk, drafts;
    bool huge_pages;
} LoadOptions;
extern const LoadOptions loaded_defaults;

void loaded_declare(Options *options, LoadOptions *how);

// Where a model is: the path itself, a data set's file, or the name of random weights. NULL and why.
const char *loaded_path(Arena *keep, const char *model, Error *err);
// Where its vocabulary is: the same, or what llama2.c keeps beside it.
const char *loaded_vocabulary(Arena *keep, const char *path);

typedef struct Loaded {
    const char *path;
    Weights *weights, *draft;    // draft: NULL without
    Tokenizer *tokenizer;
    Engine *engine;
} Loaded;

bool loaded_open(Loaded *loaded, Arena *keep, const char *model, const LoadOptions *how,
                 Error *err);    // upon failure nothing is open
// The same without an engine: for several of them, or none.
bool loaded_open_weights(Loaded *loaded, Arena *keep, const char *model, const LoadOptions *how,
                         Error *err);
void loaded_close(Loaded *loaded);

// "SmolLM2-135M-Instruct.Q4_1.gguf: 134.5M parameters, 98.1 MB a token, KV cache 64 MB (f32)" on stderr.
void loaded_print(const Loaded *loaded);
// "prompt 12 tokens (8 in the prefix cache), 40 tokens in 0.61 s: 65.6 tokens/s" on stderr.
void loaded_print_speed(const Loaded *loaded);
