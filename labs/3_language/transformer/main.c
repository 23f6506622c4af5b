/* main.c -- a GPT or a LLaMA on text: trained against a known floor, sampled, looked into, saved. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "labs/3_language/transformer/experiment.h"

static const Part parts[] = {
    {"text", "The text, and what it costs to predict it", part_text,
     .notices = {{"entropy rate", "no model can go below it: what is left is chance"}}},
    {"train", "Training", part_train,
     .notices = {{"loss",
                  "how far above the entropy rate does it end, and where does it fall fastest?"},
                 {"samples", "first letters, then words, then sentences: what comes last?"},
                 {"schedule.svg",
                  "a rate this high from the first step on would break the training"}}},
    {"continue", "The prompt continued", part_continue,
     .notices = {{"temperature", "greedy repeats itself; hot makes words that are none"}}},
    {"attention", "Attention maps", part_attention,
     .notices = {{"attention.png", "which head looks at the character before, which at the word, "
                                   "which at where the word came before?"}}},
    {"by_hand", "The exercises beside the kernel table", part_by_hand,
     .notices = {{"exercises", "the same loss and gradients; what makes the difference in time?"}}},
};

// A file of --data; a folder's tinyshakespeare.txt; NULL for the grammar, also where LAB_DATA has no text.
static bool choose_data(const Run *run, const Options *options, const char **path, Error *err)
{
    struct stat info;
    *path = run->data;
    if (run->data == NULL || stat(run->data, &info) != 0 || !S_ISDIR(info.st_mode)) return true;
    const char *file = arena_print(run->keep, "%s/tinyshakespeare.txt", run->data);
    *path = stat(file, &info) == 0 ? file : NULL;
    if (*path != NULL || !options_given(options, "data")) return true;
    return error_set(err, "--data %s: a folder without tinyshakespeare.txt; expected a text file",
                     run->data);
}

static void declare_options(Options *options, Experiment *lab)
{
    ModelSize *size = &lab->size;
    options_group(options, "This lab");
    options_choice(options, "ops", 0, &lab->ops, "kernels|exercises",
                   "who computes; --mine: the exercises, your functions");
    options_choice(options, "style", 0, &lab->style, "gpt2|llama",
                   "learned positions, LayerNorm, GELU; or RoPE, RMSNorm, SwiGLU");
    options_int(options, "layers", 'l', &size->layers, 1, 1000, "blocks");
    options_int(options, "heads", 0, &size->heads, 1, 1000, "of attention");
    options_int(options, "kv-heads", 0, &size->kv_heads, 0, 1000,
                "heads of keys and values; 0: as many as heads");
    options_int(options, "width", 'w', &size->width, 1, 65536, "numbers of a token's vector");
    options_int(options, "context", 'c', &lab->text.context, 1, 1 << 20, "tokens of a window");
    options_int(options, "batch", 'b', &lab->batch, 1, 65536, "windows in a step");
    options_int(options, "micro-batch", 0, &lab->micro_batch, 0, 65536,
                "windows in memory at once, gradients added up; 0: the batch");
    options_int(options, "steps", 'n', &lab->steps, 0, 100000000, "0: no training, with --model");
    options_int(options, "points", 0, &lab->points, 1, 10000, "of the loss curves");
    options_float(options, "rate", 'r', &lab->learning_rate, 1e-7f, 1.0f,
                  "learning rate at its peak; it ends at a tenth");
    options_int(options, "warmup", 0, &lab->warmup, 0, 1000000,
                "steps in which the rate climbs; at most half of all");
    options_float(options, "decay", 0, &lab->decay, 0.0f, 1.0f, "weight decay of AdamW");
    options_float(options, "clip", 0, &lab->clip, 0.0f, 1e6f,
                  "largest norm of the gradients; 0: no clipping");
    options_float(options, "dropout", 0, &lab->dropout, 0.0f, 0.95f,
                  "the probability that a value is set to 0");
    options_float(options, "validation", 0, &lab->text.validation, 0.0f, 0.9f,
                  "share of the text that is not trained on");
    options_string(options, "tokenizer", 0, &lab->tokenizer, "KIND",
                   "chars (the default, or the model's own), bytes, bpe:SIZE or a file");
    options_string(options, "model", 'm', &lab->model_path, "PATH",
                   "go on from this model: a folder of Hugging Face, GGUF, llama2.c");
    options_string(options, "prompt", 0, &lab->prompt, "TEXT", "what is continued");
    options_int(options, "tokens", 0, &lab->tokens, 1, 1000000, "so many to continue it with");
    options_float(options, "temperature", 0, &lab->sampling.temperature, 0.0f, 100.0f,
                  "of the continuation; 0: greedy");
    options_int(options, "top-k", 0, &lab->sampling.top_k, 0, 1 << 30,
                "draw from the k likeliest tokens; 0: all");
    options_float(options, "top-p", 0, &lab->sampling.top_p, 0.0f, 1.0f,
                  "draw from the likeliest tokens that together have this probability; 0: all");
}

static void shrink(Experiment *lab, const Options *options)
{
    struct {
        const char *name;
        int *value, small;
    } sizes[] = {{"layers", &lab->size.layers, 2}, {"heads", &lab->size.heads, 2},
                 {"width", &lab->size.width, 32},  {"context", &lab->text.context, 32},
                 {"batch", &lab->batch, 4},        {"steps", &lab->steps, 20},
                 {"warmup", &lab->warmup, 5},      {"points", &lab->points, 4},
                 {"tokens", &lab->tokens, 40}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!options_given(options, sizes[i].name)) *sizes[i].value = sizes[i].small;
    lab->text.stories = 20000;
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)64 << 30),
          *scratch = arena_new("step", (size_t)8 << 30);
    Experiment lab = {.keep = keep,
                      .scratch = scratch,
                      .ops = getenv("LAB_CHECK") != NULL ? "exercises" : "kernels",    // --mine
                      .style = "llama",
                      .size = {.layers = 2, .heads = 4, .width = 128},
                      .text = {.context = 96, .validation = 0.1f, .stories = 4000000},
                      .batch = 8,
                      .steps = 3000,
                      .points = 20,
                      .learning_rate = 3e-3f,
                      .warmup = 100,
                      .decay = 0.1f,
                      .clip = 1,
                      .tokens = 200,
                      .sampling = {.temperature = 0.8f}};
    Options *options = options_new(keep, "transformer",
                                   "A GPT or a LLaMA, trained on text: its loss against the text's "
                                   "entropy, its samples, its attention.");
    declare_options(options, &lab);
    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/3_language/transformer/README.md",
                   .checkpoint = CHECKPOINT,
                   .step = scratch};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    if (lab.run->smoke) shrink(&lab, options);
    lab.size.context = lab.text.context;
    lab.text.share_given = options_given(options, "validation");
    if (lab.warmup > lab.steps / 2) lab.warmup = lab.steps / 2;
    if (lab.steps == 0 && lab.model_path == NULL) {
        error_print("--steps 0: expected --model PATH with it");
        return 2;
    }
    Error err = {""};
    const char *data;
    bool ready = choose_data(lab.run, options, &data, &err) && experiment_prepare(&lab, data, &err);
    status = ready ? story_run(&story, &lab) : run_fail(lab.run, &err);
    text_free(&lab.text);
    return status;
}
