/* The bytes of the KV cache, beside what the calculator of `lab keynumbers` predicts for the same model. */
#include "labs/3_language/transformer/tests/opened.h"
#include "labs/5_frontier/key_numbers/key_numbers.h"
#include "labs/5_frontier/paged_kv/app/model/runner.h"
#include "tests/facts.h"
#include "tests/skip.h"

static const struct {
    DType type;
    KnFormat format;
} CACHES[] = {{DTYPE_F32, {.bits = 32}},
              {DTYPE_F16, {.bits = 16}},
              {DTYPE_BF16, {.bits = 16}},
              {DTYPE_Q8_0, {.bits = 8, .block = 32, .block_bits = 16}}};

// From the first array's start to the last one's end.
static double allocated(const Weights *w, DType type, int blocks, int size)
{
    Error err = {""};
    BlockPool pool = block_pool_new(names, blocks, size, NULL);
    Runner *r =
        runner_open(w, &pool, (RunnerOptions){.rows = 8, .sequences = 2, .cache = type}, &err);
    if (r == NULL) fail_msg("%s", err.message);
    const PagedKv last = r->caches[w->config.layers - 1];
    const char *end = (const char *)last.v + (size_t)blocks * paged_block_bytes(last);
    const double bytes = (double)(end - (const char *)r->caches[0].k);
    runner_close(r);
    return bytes;
}

static void assert_bytes(const Weights *w, int layers, KnBlock layer)
{
    enum { TOKENS = 512 };
    for (size_t f = 0; f < sizeof CACHES / sizeof *CACHES; f++)
        for (int size = 1; size <= 64; size *= 8) {
            if (CACHES[f].type == DTYPE_Q8_0 && w->config.head % 32 != 0) continue;
            const double got = allocated(w, CACHES[f].type, TOKENS / size, size),
                         want = (double)kn_kv_bytes(&layer, &CACHES[f].format) * layers * TOKENS;
            assert_that(fabs(got - want) <= .03 * want,
                        "cache %zu, blocks of %d: %.0f bytes, expected %.0f", f, size, got, want);
        }
}

static void the_matrices_of_smollm2_have_the_bytes_that_keynumbers_predicts(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        KnFormat format;
    } stored[] = {{"random:135m:Q4_0", {.bits = 4, .block = 32, .block_bits = 16}},
                  {"random:135m:Q8_0", {.bits = 8, .block = 32, .block_bits = 16}},
                  {"random:135m:F32", {.bits = 32}}};
    // Without norms, which the engine keeps as floats beside them; the embedding is the head.
    const KnBlock layer = {
        .width = 576, .heads = 9, .kv_heads = 3, .head_dim = 64, .ffn = 1536, .gated = true};
    const uint64_t count = 30 * kn_block_params(&layer).total + (uint64_t)49152 * 576;
    for (size_t i = 0; i < sizeof stored / sizeof *stored; i++) {
        Error err = {""};
        Weights *w = weights_open(stored[i].path, (WeightsOptions){0}, &err);
        if (w == NULL) fail_msg("%s", err.message);
        const double got = (double)weights_bytes(w),
                     want = (double)kn_format_bytes(&stored[i].format, count);
        weights_close(w);
        assert_that(fabs(got - want) <= .03 * want, "%s: %.0f bytes, expected %.0f", stored[i].path,
                    got, want);
    }
}

static void the_pool_of_smollm2_has_the_bytes_that_keynumbers_predicts(void **state)
{
    (void)state;
    Error err = {""};
    Weights *w = weights_open("random:135m:Q4_0", (WeightsOptions){0}, &err);
    if (w == NULL) fail_msg("%s", err.message);
    assert_bytes(w, 30, (KnBlock){.width = 576, .heads = 9, .kv_heads = 3, .head_dim = 64});
    weights_close(w);
}

static void the_pool_of_stories260k_has_the_bytes_that_keynumbers_predicts(void **state)
{
    (void)state;
    const char *path =
        arena_print(names, "%s/../shared/data/stories260k/stories260K.bin", root_dir());
    char data[PATH_MAX];
    root_data_dir(data);
    if (access(path, R_OK) != 0) path = arena_print(names, "%s/stories260k/stories260K.bin", data);
    if (access(path, R_OK) != 0)
        SKIP("no stories260k in the data folder", "LAB_DATA=... ./lab test");
    Error err = {""};
    Weights *w = weights_open(path, (WeightsOptions){0}, &err);
    if (w == NULL) fail_msg("%s", err.message);
    assert_bytes(w, 5, (KnBlock){.width = 64, .heads = 8, .kv_heads = 4, .head_dim = 8});
    weights_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_matrices_of_smollm2_have_the_bytes_that_keynumbers_predicts),
        cmocka_unit_test(the_pool_of_smollm2_has_the_bytes_that_keynumbers_predicts),
        cmocka_unit_test(the_pool_of_stories260k_has_the_bytes_that_keynumbers_predicts),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
