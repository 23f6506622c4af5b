/* Every library that is installed computes what `ref` does, in each of the three forms. */
#include "bench/rivals.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include "tests/facts.h"
#include "common/rng.h"
#include "kernels/kernels.h"

enum { M = 7, N = 11, K = 5 };    // all different: a swapped pair shows

static void rivals_agree_with_ref_in_every_form(void **state)
{
    Arena *keep = *state;
    Rival rivals[RIVAL_COUNT];
    float a[M * K], b[K * N], want[M * N], got[M * N];
    Rng rng = rng_from_seed(3);
    rng_fill_normal(&rng, a, M * K);
    rng_fill_normal(&rng, b, K * N);
    rivals_open(keep, rivals);
    for (int kind = PRODUCT_NN; kind <= PRODUCT_TN; kind++) {
        if (kind == PRODUCT_NN) matmul(want, a, b, M, N, K, 0);
        if (kind == PRODUCT_NT) matmul_nt(want, a, b, M, N, K, 0);
        if (kind == PRODUCT_TN) matmul_tn(want, a, b, M, N, K, 0);
        for (int i = 0; i < RIVAL_COUNT; i++) {
            if (rivals[i].absent != NULL) continue;
            memset(got, 0xff, sizeof got);    // NaN: what is not written shows
            MatrixProduct product =
                matrix_product_dense((MatrixProductKind)kind, M, N, K, got, a, b);
            rival_multiply(&rivals[i], &product);
            for (int j = 0; j < M * N; j++) assert_close((double)got[j], (double)want[j], 1e-5);
        }
    }
}

// Three heads inside a row: [T,heads,width] q and k give scores [heads,T,T].
static void rivals_agree_with_ref_on_strided_batches(void **state)
{
    enum { T = 6, HEADS = 3, D = 4 };
    Arena *keep = *state;
    Rival rivals[RIVAL_COUNT];
    float q[T * HEADS * D], k[T * HEADS * D], want[HEADS * T * T], got[HEADS * T * T];
    Rng rng = rng_from_seed(4);
    rng_fill_normal(&rng, q, T * HEADS * D);
    rng_fill_normal(&rng, k, T * HEADS * D);
    kernels_ref.matmul(want, T, T * T, (Mat){q, HEADS * D, 1, D}, (Mat){k, 1, HEADS * D, D}, HEADS,
                       T, T, D, 0);
    rivals_open(keep, rivals);
    for (int i = 0; i < RIVAL_COUNT; i++) {
        if (rivals[i].absent != NULL) continue;
        MatrixProduct scores = matrix_product_dense(PRODUCT_NT, T, T, D, got, q, k);
        scores.batch = HEADS;
        scores.row_a = scores.row_b = HEADS * D;
        scores.batch_a = scores.batch_b = D;
        scores.batch_c = T * T;
        memset(got, 0xff, sizeof got);
        rival_multiply(&rivals[i], &scores);
        for (int j = 0; j < HEADS * T * T; j++) assert_close((double)got[j], (double)want[j], 1e-5);
    }
}

static void a_missing_rival_gives_a_reason_and_a_present_one_its_version(void **state)
{
    Arena *keep = *state;
    Rival rivals[RIVAL_COUNT];
    rivals_open(keep, rivals);
    const char *text = rivals_text(keep, rivals);
    for (int i = 0; i < RIVAL_COUNT; i++) {
        assert_non_null(strstr(text, rivals[i].name));
        if (rivals[i].absent != NULL) assert_true(strlen(rivals[i].absent) > 0);
        else assert_non_null(strchr(rivals[i].version, '.'));
    }
}

static int make_arena(void **state)
{
    *state = arena_new("keep", 1u << 20);
    return 0;
}

static int free_arena(void **state)
{
    arena_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rivals_agree_with_ref_in_every_form, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(rivals_agree_with_ref_on_strided_batches, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(
            a_missing_rival_gives_a_reason_and_a_present_one_its_version, make_arena, free_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
