/* experiment.h -- what the parts of the story share: options, the text, the model and its training. */
#pragma once
#include "common/story.h"
#include "common/training.h"
#include "labs/3_language/transformer/model/generate.h"
#include "labs/3_language/transformer/text.h"

#define MODEL_FOLDER "model"

typedef struct Experiment {
    // Options.
    const char *ops;      // "kernels" or "exercises"
    const char *style;    // "gpt2" or "llama"
    ModelSize size;
    const char *model_path;    // to go on from; NULL: a new model
    const char *tokenizer;     // NULL: characters, or the model's own
    const char *prompt;        // NULL: the text's beginning
    int batch, micro_batch, steps, warmup, points, tokens;
    float learning_rate, decay, dropout, clip;
    Sampling sampling;

    Run *run;
    Arena *keep, *scratch;
    Text text;
    Session session;
    Params *params;
    Model model;
    Training training;
    double trained;    // seconds
} Experiment;

// What the options leave to the text or the model's file: sizes, the prompt.
bool experiment_prepare(Experiment *lab, const char *data, Error *err);

bool part_text(void *lab, Error *err);
bool part_train(void *lab, Error *err);
bool part_continue(void *lab, Error *err);
bool part_attention(void *lab, Error *err);
bool part_by_hand(void *lab, Error *err);

// ---- samples.c ----

// Whether the prompt has tokens in this vocabulary: asked before the training.
bool sample_check_prompt(const Experiment *lab, Error *err);

// The prompt and `tokens` tokens more, in the arena; NULL and a message where the prompt cannot be encoded.
char *sample_text(const Experiment *lab, Arena *arena, const char *prompt, int tokens,
                  Sampling sampling, uint64_t stream, Error *err);
char *sample_shown(Arena *arena, const char *text);
