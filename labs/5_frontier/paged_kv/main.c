/* main.c -- serving with a paged KV cache: memory, a burst of requests, speculation, 8-bit numbers. */
#include "labs/5_frontier/paged_kv/story.h"

static const Part parts[] = {
    {"memory", "Memory: reservations against blocks", part_memory,
     .notices = {{"memory",
                  "whoever reserves for the longest possible answer keeps most of the memory "
                  "empty; blocks lose half a block per request"}}},
    {"serve", "Continuous batching: a burst of requests that share a prompt", part_serve,
     .notices = {{"replay.html", "who holds a block, step by step: the arrow keys go through it"},
                 {"blocks",
                  "the digits on the left: one copy of the shared prompt; letters that vanish "
                  "and come back: a preemption, and a quick return through the prefix "
                  "cache"}}},
    {"alone", "The same requests with other sizes, and each one alone", part_alone,
     .notices = {{"as each one alone",
                  "memory, batch, chunks and preemptions change when a token is "
                  "computed, never which token it is"}}},
    {"speculation", "Speculative decoding: tokens per round", part_speculation,
     .notices = {{"tokens per round",
                  "a poor draft model costs speed, not quality: chi-square stays "
                  "near its degrees of freedom"}}},
    {"quantization", "Quantization: 8-bit dot products", part_quantization,
     .notices = {{"RMS error",
                  "why does it hardly depend on the width, and why does one large number "
                  "in a block make it worse?"}}},
};

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)1 << 32), *step = arena_new("step", (size_t)1 << 32);
    Lab lab = {
        .step = step, .blocks = 24, .block_size = 4, .budget = 16, .chunk = 8, .requests = 400};
    Options *options =
        options_new(keep, "paged_kv",
                    "How a server of language models shares its memory: blocks, prefix "
                    "cache, scheduler, sampling.");
    options_group(options, "This lab");
    options_string(options, "model", 'm', &lab.model, "MODEL",
                   "a path, or a name of `lab chat`; else a small one that is trained once");
    options_flag(options, "animate", 'a', &lab.animate,
                 "show the blocks step by step, on a terminal");
    options_int(options, "blocks", 0, &lab.blocks, 1, 96, "blocks of the pool");
    options_int(options, "block-size", 0, &lab.block_size, 1, 64, "tokens of a block");
    options_int(options, "budget", 0, &lab.budget, 8, 1000, "tokens that a step computes");
    options_int(options, "chunk", 0, &lab.chunk, 1, 1000, "of those, for one request");
    options_int(options, "requests", 0, &lab.requests, 50, 10000, "that wait for memory");
    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/5_frontier/paged_kv/README.md",
                   .step = step};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    if (lab.run->smoke && !options_given(options, "requests")) lab.requests = 60;
    status = story_run(&story, &lab);
    story_close_model(&lab);
    return status;
}
