/* The forward pass over paged keys and values: greedy tokens and logits are those of the transformer lab's own
 * model, and a sequence's logits have the same bits whatever its neighbours, chunks, blocks, hits, preemptions
 * and threads.
 */
#include "labs/5_frontier/paged_kv/app/model/runner.h"
#include <omp.h>
#include "kernels/cpu/team.h"
#include "labs/3_language/transformer/tests/opened.h"
#include "tests/facts.h"

enum { PROMPTS = 6, LENGTH_MAX = 32 };

static const char *const fixtures[] = {"gpt2",       "gpt2_untied",   "llama",   "llama_biases",
                                       "llama_f16",  "llama_sharded", "mistral", "qwen2",
                                       "qwen2_bf16", "qwen3"};
enum { FIXTURE_COUNT = sizeof fixtures / sizeof *fixtures };

// ---- what is run ----

typedef struct Prompt {
    int32_t tokens[LENGTH_MAX];
    int count, most;
} Prompt;

// Of several lengths; some begin alike, and two are the same.
static void make_prompts(Prompt *prompts, int vocabulary, int context)
{
    static const int lengths[PROMPTS] = {1, 5, 9, 16, 17, 16},
                     shared[PROMPTS] = {0, 0, 5, 8, 16, 16};
    const int most = context < LENGTH_MAX ? context : LENGTH_MAX;
    for (int i = 0; i < PROMPTS; i++) {
        Prompt *p = &prompts[i];
        p->count = lengths[i];
        p->most = most - i;
        for (int t = 0; t < p->count; t++)
            p->tokens[t] = (t < shared[i] ? 3 + 7 * t : 11 + 5 * t + 3 * i) % vocabulary;
    }
}

typedef struct Setting {
    int block_size, blocks, chunk, budget, running, threads;
    const PrefixKind *kind;
    int first, step;      // the prompts that run: first, first + step, ...
    int preempt_every;    // steps
    int drafts;           // guesses, all wrong but one
    DType cache;
    Activations activations;
} Setting;

static const Setting alone = {
    .block_size = 16, .blocks = 64, .budget = 64, .running = 1, .threads = 1};

// What came out: the tokens, and the logits before each of those that were sampled.
typedef struct Outcome {
    int count[PROMPTS];
    int32_t tokens[PROMPTS][LENGTH_MAX];
    float *logits;    // [PROMPTS,LENGTH_MAX,V]
    int vocabulary, preemptions, hits, steps;
} Outcome;

static float *logits_at(const Outcome *o, int prompt, int position)
{
    return o->logits + ((size_t)prompt * LENGTH_MAX + (size_t)position) * (size_t)o->vocabulary;
}

static Outcome *outcome_new(Arena *arena, int vocabulary)
{
    Outcome *o = arena_zeros(arena, sizeof *o);
    o->vocabulary = vocabulary;
    o->logits = arena_zeros(arena, sizeof(float) * PROMPTS * LENGTH_MAX * (size_t)vocabulary);
    return o;
}

static int32_t largest(const float *x, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return best;
}

// ---- by the transformer lab ----

static void run_model(Opened *opened, const Prompt *prompts, Outcome *out)
{
    for (int i = 0; i < PROMPTS; i++) {
        KvCache *cache = kv_cache_new(opened->keep, &opened->model, LENGTH_MAX);
        int32_t *tokens = out->tokens[i];
        int known = prompts[i].count, computed = 0;
        memcpy(tokens, prompts[i].tokens, sizeof prompts[i].tokens);
        while (known < prompts[i].most) {
            Tensor *ids = tensor_from_ints(opened->tape->arena, SHAPE(1, known - computed),
                                           tokens + computed);
            Tensor *logits = model_extend(opened->tape, &opened->model, cache, ids);
            float *at = logits_at(out, i, known - 1);
            tensor_read(logits, at);
            computed = known;
            tokens[known++] = largest(at, out->vocabulary);
            tape_reset(opened->tape);
        }
        out->count[i] = known;
    }
}

// ---- by the runner ----

// Guesses: the first of them is what comes next in `expected`, the others are not.
static void draft(Sequence *s, int drafts, const Outcome *expected)
{
    const int room = s->max_count - s->count - 1;
    s->drafts = drafts < room ? drafts : room > 0 ? room : 0;
    for (int i = 0; i < s->drafts; i++)
        s->tokens[s->count + i] =
            (expected->tokens[s->id][s->count + i] + (i > 0)) % expected->vocabulary;
}

// How many of an entry's rows are right, each the token after it; they are entered in the outcome.
static int sample(const Sequence *s, const float *logits, Outcome *out, int32_t *sampled)
{
    int count = 0;
    do {
        const int position = s->count - 1 + count;
        const float *row = logits + (size_t)count * (size_t)out->vocabulary;
        memcpy(logits_at(out, s->id, position), row, (size_t)out->vocabulary * sizeof *row);
        sampled[count] = largest(row, out->vocabulary);
    } while (count++ < s->drafts && s->tokens[s->count + count - 1] == sampled[count - 1]);
    return count;
}

static void run_step(Scheduler *s, Runner *runner, Outcome *out)
{
    const Scheduled *list;
    const int count = scheduler_step(s, &list);
    assert_that(count > 0, "a step of %d entries with sequences waiting", count);
    const float *logits = runner_step(runner, list, count, &s->copies);
    for (int e = 0; e < count; e++) {
        int32_t sampled[LENGTH_MAX];
        const int rows = list[e].samples ? 1 + list[e].sequence->drafts : 0;
        const int kept = rows > 0 ? sample(list[e].sequence, logits, out, sampled) : 0;
        logits += (size_t)rows * (size_t)out->vocabulary;
        scheduler_done(s, &list[e], sampled, kept);
    }
}

static void run_engine(const Weights *weights, const Prompt *prompts, Setting how,
                       const Outcome *expected, Outcome *out)
{
    Error err = {""};
    Arena *arena = arena_new("pool", (size_t)1 << 30);
    BlockPool pool = block_pool_new(arena, how.blocks, how.block_size, how.kind);
    Scheduler *s = scheduler_open(
        &pool,
        (SchedulerOptions){.budget = how.budget, .max_running = how.running, .chunk = how.chunk});
    Runner *runner = runner_open(weights, &pool,
                                 (RunnerOptions){.rows = how.budget,
                                                 .sequences = how.running,
                                                 .drafts = how.drafts,
                                                 .cache = how.cache,
                                                 .activations = how.activations},
                                 &err);
    if (runner == NULL) fail_msg("%s", err.message);
    Sequence *sequences[PROMPTS] = {NULL};
    const int threads = omp_get_max_threads(), step = how.step > 0 ? how.step : 1;
    omp_set_num_threads(how.threads > 0 ? how.threads : 1);
    team_scale(0);    // all of them, however little there is to do
    for (int i = how.first; i < PROMPTS; i += step) {
        sequences[i] =
            sequence_new(i, prompts[i].tokens, prompts[i].count, prompts[i].most, how.block_size);
        if (!scheduler_submit(s, sequences[i], &err)) fail_msg("%s", err.message);
    }
    for (out->steps = 1; !scheduler_is_idle(s); out->steps++) {
        for (int i = 0; i < s->running_count && how.drafts > 0; i++)
            draft(s->running[i], how.drafts, expected);
        run_step(s, runner, out);
        assert_that(out->steps < 4000, "%d steps", out->steps);
        if (how.preempt_every > 0 && out->steps % how.preempt_every == 0 && s->running_count > 0)
            scheduler_preempt(s, s->running[out->steps % s->running_count]);
    }
    omp_set_num_threads(threads);
    team_scale(1);
    for (int i = 0; i < PROMPTS; i++) {
        if (sequences[i] == NULL) continue;
        out->count[i] = sequences[i]->count;
        out->hits += sequences[i]->hits;
        out->preemptions += sequences[i]->preemptions;
        memcpy(out->tokens[i], sequences[i]->tokens, (size_t)sequences[i]->count * sizeof(int32_t));
        sequence_free(sequences[i]);
    }
    assert_int_equal(pool.idle, pool.blocks);
    runner_close(runner);
    scheduler_close(s);
    arena_free(arena);
}

// ---- what is compared ----

static void assert_tokens(const char *what, const Outcome *got, const Outcome *want, int prompt)
{
    assert_that(got->count[prompt] == want->count[prompt],
                "%s: prompt %d has %d tokens, expected %d", what, prompt, got->count[prompt],
                want->count[prompt]);
    for (int t = 0; t < got->count[prompt]; t++)
        assert_that(got->tokens[prompt][t] == want->tokens[prompt][t],
                    "%s: prompt %d, token %d is %d, expected %d", what, prompt, t,
                    got->tokens[prompt][t], want->tokens[prompt][t]);
}

static void assert_same_bits(const char *what, const Outcome *got, const Outcome *want, int prompt,
                             int from)
{
    assert_tokens(what, got, want, prompt);
    for (int t = from - 1; t < got->count[prompt] - 1; t++) {
        const float *a = logits_at(got, prompt, t), *b = logits_at(want, prompt, t);
        for (int i = 0; i < got->vocabulary; i++)
            assert_that(memcmp(&a[i], &b[i], sizeof *a) == 0,
                        "%s: prompt %d, position %d, logit %d is %.9g, expected %.9g", what, prompt,
                        t, i, (double)a[i], (double)b[i]);
    }
}

// One fixture, everything that is compared of it, and memory for it.
typedef struct Subject {
    Weights *weights;
    Arena *arena;
    Prompt prompts[PROMPTS];
    Outcome *model, *alone;
} Subject;

static Subject subject_open(const char *name)
{
    Error err = {""};
    Subject s = {.weights = weights_open(fixture_path(name), (WeightsOptions){0}, &err),
                 .arena = arena_new("subject", (size_t)1 << 32)};
    if (s.weights == NULL) fail_msg("%s", err.message);
    const int V = s.weights->config.vocabulary;
    make_prompts(s.prompts, V, s.weights->config.context);
    s.model = outcome_new(s.arena, V);
    s.alone = outcome_new(s.arena, V);
    Opened *opened = open_fixture(name);
    run_model(opened, s.prompts, s.model);
    close_opened(opened);
    run_engine(s.weights, s.prompts, alone, NULL, s.alone);
    return s;
}

static void subject_close(Subject *s)
{
    weights_close(s->weights);
    arena_free(s->arena);
}

static void assert_setting(Subject *s, const char *name, Setting how, Outcome **result)
{
    Outcome *out = outcome_new(s->arena, s->alone->vocabulary);
    run_engine(s->weights, s->prompts, how, s->alone, out);
    const char *what = arena_print(
        s->arena,
        "%s, blocks of %d, chunks of %d, budget %d, %d running, %d threads, %s, drafts %d", name,
        how.block_size, how.chunk, how.budget, how.running, how.threads,
        how.kind ? how.kind->name : "no cache", how.drafts);
    for (int i = how.first; i<PROMPTS; i += how.step> 0 ? how.step : 1)
        assert_same_bits(what, out, s->alone, i, s->prompts[i].count);
    if (result != NULL) *result = out;
}

// ---- the cases ----

static void greedy_tokens_and_logits_are_those_of_the_transformer(void **state)
{
    (void)state;
    for (int f = 0; f < FIXTURE_COUNT; f++) {
        Subject s = subject_open(fixtures[f]);
        for (int i = 0; i < PROMPTS; i++) {
            assert_tokens(fixtures[f], s.alone, s.model, i);
            for (int t = s.prompts[i].count - 1; t < s.alone->count[i] - 1; t++) {
                const int V = s.alone->vocabulary;
                double *want = arena_alloc(s.arena, (size_t)V * sizeof *want);
                for (int v = 0; v < V; v++) want[v] = (double)logits_at(s.model, i, t)[v];
                assert_near(logits_at(s.alone, i, t), want, SHAPE(V), .name = fixtures[f],
                            .atol = 1e-5, .rtol = 1e-5);
            }
        }
        subject_close(&s);
    }
}

static void logits_do_not_depend_on_the_other_sequences(void **state)
{
    (void)state;
    for (int f = 0; f < FIXTURE_COUNT; f++) {
        Subject s = subject_open(fixtures[f]);
        for (int running = 2; running <= PROMPTS; running++)
            for (int first = 0; first < 2; first++)
                assert_setting(&s, fixtures[f],
                               (Setting){.block_size = 16,
                                         .blocks = 64,
                                         .budget = 40,
                                         .running = running,
                                         .first = first,
                                         .step = 1 + first},
                               NULL);
        subject_close(&s);
    }
}

static void logits_do_not_depend_on_block_size_chunks_and_budget(void **state)
{
    (void)state;
    static const int sizes[] = {1, 2, 3, 7, 16, 64, 256}, chunks[] = {0, 1, 3, 16};
    for (int f = 0; f < FIXTURE_COUNT; f++) {
        Subject s = subject_open(fixtures[f]);
        for (size_t b = 0; b < sizeof sizes / sizeof *sizes; b++)
            for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++)
                for (int budget = PROMPTS; budget < 128; budget *= 4)
                    assert_setting(&s, fixtures[f],
                                   (Setting){.block_size = sizes[b],
                                             .blocks = 256,
                                             .chunk = chunks[c],
                                             .budget = budget,
                                             .running = PROMPTS},
                                   NULL);
        subject_close(&s);
    }
}

static void logits_do_not_depend_on_prefix_hits(void **state)
{
    (void)state;
    const PrefixKind *const kinds[] = {&hash_chain, &radix_tree};
    for (int f = 0; f < FIXTURE_COUNT; f++) {
        Subject s = subject_open(fixtures[f]);
        for (int k = 0; k < 2; k++)
            for (int size = 1; size <= 16; size *= 2)
                for (int running = 1; running <= PROMPTS; running += PROMPTS - 1) {
                    Outcome *out;
                    assert_setting(&s, fixtures[f],
                                   (Setting){.block_size = size,
                                             .blocks = 256,
                                             .budget = 64,
                                             .running = running,
                                             .kind = kinds[k]},
                                   &out);
                    assert_that(out->hits > 0, "blocks of %d: nothing was found in the cache",
                                size);
                }
        subject_close(&s);
    }
}

static void logits_do_not_depend_on_preemptions(void **state)
{
    (void)state;
    const PrefixKind *const kinds[] = {NULL, &hash_chain, &radix_tree};
    for (int f = 0; f < FIXTURE_COUNT; f++) {
        Subject s = subject_open(fixtures[f]);
        for (int k = 0; k < 3; k++)
            for (int size = 1; size <= 16; size *= 4) {
                Outcome *out;
                // Room for little more than one: others are preempted when it grows.
                Setting how = {.block_size = size,
                               .blocks = 48 / size,
                               .budget = 12,
                               .running = PROMPTS,
                               .kind = kinds[k]};
                assert_setting(&s, fixtures[f], how, &out);
                assert_that(out->preemptions > 0, "blocks of %d: nothing was preempted", size);
                // Several run, and one is preempted after each step.
                how.blocks = 256;
                how.preempt_every = 1;
                how.budget = 64;
                assert_setting(&s, fixtures[f], how, &out);
                assert_that(out->preemptions > out->steps / 2, "%d preemptions in %d steps",
                            out->preemptions, out->steps);
            }
        subject_close(&s);
    }
}

static void logits_do_not_depend_on_drafts(void **state)
{
    (void)state;
    for (int f = 0; f < FIXTURE_COUNT; f++) {
        Subject s = subject_open(fixtures[f]);
        for (int drafts = 1; drafts <= 4; drafts++) {
            Outcome *out;
            assert_setting(&s, fixtures[f],
                           (Setting){.block_size = 1 + drafts,
                                     .blocks = 256,
                                     .budget = 64,
                                     .running = PROMPTS,
                                     .drafts = drafts,
                                     .kind = &radix_tree},
                           &out);
            assert_that(out->steps < s.alone->steps / 4, "%d steps with drafts, alone %d",
                        out->steps, s.alone->steps);
        }
        subject_close(&s);
    }
}

static void logits_do_not_depend_on_threads(void **state)
{
    (void)state;
    for (int f = 0; f < FIXTURE_COUNT; f++) {
        Subject s = subject_open(fixtures[f]);
        for (int threads = 2; threads <= 3; threads++)
            assert_setting(&s, fixtures[f],
                           (Setting){.block_size = 4,
                                     .blocks = 256,
                                     .budget = 64,
                                     .running = PROMPTS,
                                     .threads = threads},
                           NULL);
        subject_close(&s);
    }
}

// The largest difference, as a share of the largest logit.
static double difference(const Outcome *got, const Outcome *want, const Prompt *prompts)
{
    double most = 0, size = 0;
    for (int i = 0; i < PROMPTS; i++)
        for (int t = prompts[i].count - 1; t < want->count[i] - 1; t++)
            for (int v = 0; v < want->vocabulary; v++) {
                const double x = (double)logits_at(want, i, t)[v];
                most = fmax(most, fabs((double)logits_at(got, i, t)[v] - x));
                size = fmax(size, fabs(x));
            }
    return most / size;
}

// The fixtures have no weights in blocks.
static void activations_of_16_bits_give_the_logits_of_exact_ones(void **state)
{
    (void)state;
    static const char *const models[] = {"random:15m:Q8_0", "random:15m:Q4_0", "random:15m:Q4_1"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        Error err = {""};
        Subject s = {.weights = weights_open(models[i], (WeightsOptions){0}, &err),
                     .arena = arena_new("subject", (size_t)1 << 32)};
        if (s.weights == NULL) fail_msg("%s", err.message);
        const int V = s.weights->config.vocabulary;
        make_prompts(s.prompts, V, s.weights->config.context);
        Outcome *exact = outcome_new(s.arena, V);
        run_engine(s.weights, s.prompts, alone, NULL, exact);
        Setting how = alone;
        how.activations = ACTIVATIONS_Q16;
        s.alone = outcome_new(s.arena, V);
        run_engine(s.weights, s.prompts, how, NULL, s.alone);
        for (int p = 0; p < PROMPTS; p++) assert_tokens(models[i], s.alone, exact, p);
        const double off = difference(s.alone, exact, s.prompts);
        print_message("%s: off by %.1e of the largest logit\n", models[i], off);
        assert_that(off > 0 && off < 1e-4, "%s: off by %g of the largest logit", models[i], off);
        how = (Setting){.block_size = 4,
                        .blocks = 256,
                        .chunk = 7,
                        .budget = 64,
                        .running = PROMPTS,
                        .threads = 2,
                        .activations = ACTIVATIONS_Q16};
        assert_setting(&s, models[i], how, NULL);
        subject_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(greedy_tokens_and_logits_are_those_of_the_transformer),
        cmocka_unit_test(logits_do_not_depend_on_the_other_sequences),
        cmocka_unit_test(logits_do_not_depend_on_block_size_chunks_and_budget),
        cmocka_unit_test(logits_do_not_depend_on_prefix_hits),
        cmocka_unit_test(logits_do_not_depend_on_preemptions),
        cmocka_unit_test(logits_do_not_depend_on_drafts),
        cmocka_unit_test(logits_do_not_depend_on_threads),
        cmocka_unit_test(activations_of_16_bits_give_the_logits_of_exact_ones),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
