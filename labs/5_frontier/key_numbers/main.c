/* main.c -- a model's key numbers: parameters, bytes, KV cache, training memory, speed, budget. */
#include "labs/5_frontier/key_numbers/story.h"

static const Part parts[] = {
    {"parameters", "Parameters: one layer by formula, times the layers", part_parameters,
     .notices = {{"parameters",
                  "your formula for a layer, times the layers, does not come near the published "
                  "count: it is equal to it"}}},
    {"quantization", "Quantization: bytes of weights by format", part_quantization,
     .notices = {{"formats.svg",
                  "a 4-bit model never takes 4 bits per weight: scales, norms and embeddings add "
                  "to it"}}},
    {"kv_cache", "KV cache and concurrent requests", part_kv_cache,
     .notices = {{"cache.svg",
                  "a line bends where the sliding window is full; it is low where heads share keys "
                  "and values"}}},
    {"training", "Training memory: ZeRO and activations", part_training,
     .notices = {{"activations.svg",
                  "the scores grow with the square of the length; flash attention and selective "
                  "recomputation store none, and their lines coincide"}}},
    {"inference", "Decoding: latency and throughput by the roofline", part_inference,
     .notices = {{"speed.svg",
                  "grouped-query attention leaves memory for more concurrent requests, and reads "
                  "fewer bytes for each"}}},
    {"compute_optimal", "Compute-optimal models: Chinchilla", part_compute_optimal,
     .notices = {{"lab keynumbers", "the calculator answers for any model and GPU: --help"}}},
};

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)64 << 20), *step = arena_new("step", (size_t)1 << 30);
    Setup setup = {.step = step, .question = question_default()};
    Options *options = options_new(keep, "key_numbers",
                                   "Parameters, memory and FLOPs of language models, for training "
                                   "and inference. `lab keynumbers MODEL` does it for any model.");
    options_group(options, "This lab");
    options_string(options, "gpu", 0, &setup.question.gpu, "GPU",
                   "of ./lab keynumbers --list gpus");
    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/5_frontier/key_numbers/README.md",
                   .step = step};
    int status;
    setup.run = story_begin(&story, keep, options, argc, argv, &status);
    if (setup.run == NULL) return status;
    Error err = {""};
    if (!question_settle(&setup.question, keep, &err)) return run_fail(setup.run, &err), 2;
    return story_run(&story, &setup);
}
