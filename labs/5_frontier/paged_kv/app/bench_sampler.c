/* sampler -- what choosing the next token costs beside the model, at the vocabularies of SmolLM2 and Qwen.
 *
 * Peaked logits are what a language model mostly has: a few tokens have nearly all of the probability. Of flat
 * ones the nucleus has thousands of tokens.
 */
#include <stdio.h>
#include "bench/command.h"
#include "bench/report.h"
#include "common/rng.h"
#include "labs/5_frontier/paged_kv/app/sampling/sampler.h"

enum { COUNT = 7, PROMPT = 200 };

static const struct {
    const char *name;
    SamplerOptions options;
} SETTINGS[COUNT] = {
    {"greedy", {.log_probabilities = -1}},
    {"temperature", {.temperature = .8f, .log_probabilities = -1}},
    {"top_k 40", {.temperature = .8f, .top_k = 40, .log_probabilities = -1}},
    {"top_p .95", {.temperature = .8f, .top_p = .95f, .log_probabilities = -1}},
    {"min_p .05", {.temperature = .8f, .min_p = .05f, .log_probabilities = -1}},
    {"all, penalties",
     {.temperature = .8f,
      .top_k = 40,
      .top_p = .95f,
      .min_p = .05f,
      .repetition_penalty = 1.1f,
      .log_probabilities = -1}},
    {"20 logprobs", {.log_probabilities = 20}},
};

typedef struct Work {
    Sampler *sampler;
    const SamplerOptions *options;
    const float *logits;
    const int32_t *tokens;
} Work;

static double run_step(void *argument, long calls, Error *err)
{
    const Work *work = argument;
    const double start = bench_now();
    for (long i = 0; i < calls; i++) {
        Sampled sampled;
        const SamplerContext context = {.logits = work->logits,
                                        .tokens = work->tokens,
                                        .prompt = PROMPT / 2,
                                        .count = PROMPT / 2 + (int)(i % (PROMPT / 2))};
        if (!sampler_step(work->sampler, work->options, &context, &sampled, err)) return -1;
    }
    return bench_now() - start;
}

static const float *new_logits(Arena *keep, int vocabulary, bool peaked)
{
    Rng rng = rng_from_seed(5);
    float *logits = arena_alloc(keep, (size_t)vocabulary * sizeof *logits);
    for (int i = 0; i < vocabulary; i++) logits[i] = 2 * rng_normal(&rng);
    for (int i = 0; peaked && i < 30; i++)
        logits[rng_below(&rng, (uint32_t)vocabulary)] = 19 - .3f * (float)i;
    return logits;
}

int main(int argc, char **argv)
{
    Error err = {""};
    int status;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", 64u << 20);
    Options *options =
        command_options(keep, &command, "sampler", "The time to choose a token from its logits.");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;
    BenchReport *report = bench_report_new(keep, "sampler", "");
    int32_t *tokens = arena_zeros(keep, PROMPT * sizeof *tokens);
    for (int i = 0; i < PROMPT; i++) tokens[i] = 37 * i;
    static const int vocabularies[] = {49152, 151936};
    for (int v = 0; v < 2; v++)
        for (int peaked = 1; peaked >= 0; peaked--) {
            Sampler *sampler = sampler_new(vocabularies[v]);
            const float *logits = new_logits(keep, vocabularies[v], peaked);
            Work works[COUNT];
            Contender contenders[COUNT];
            Timing timings[COUNT];
            if (sampler == NULL) return error_print("no memory");
            for (int i = 0; i < COUNT; i++) {
                works[i] = (Work){sampler, &SETTINGS[i].options, logits, tokens};
                contenders[i] = (Contender){SETTINGS[i].name, run_step, &works[i]};
            }
            if (!bench_compare(contenders, COUNT, command.plan, timings, &err))
                return error_report(&err);
            printf("\n%d tokens, %s logits\n", vocabularies[v], peaked ? "peaked" : "flat");
            cJSON *row = bench_report_row(report);
            cJSON_AddNumberToObject(row, "vocabulary", vocabularies[v]);
            cJSON_AddStringToObject(row, "logits", peaked ? "peaked" : "flat");
            for (int i = 0; i < COUNT; i++) {
                bench_report_timing(row, &timings[i]);
                printf("  %-16s %8.1f us  %5.2f x greedy%s\n", SETTINGS[i].name,
                       1e6 * timings[i].seconds.median,
                       timings[i].seconds.median / timings[0].seconds.median,
                       bench_noisy(timings[i].seconds) ? " ~" : "");
            }
            sampler_close(sampler);
        }
    puts("(~ noisy)");
    return bench_report_end(report, command.json, &err) ? 0 : error_report(&err);
}
