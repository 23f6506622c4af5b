/* Exercises 1 and 2: tokens and positions. check.c says how cases are made. */
#include <math.h>
#include "labs/3_language/transformer/check.h"
#include "tests/floats.h"
#include "tests/near.h"

static const char embedding_formula[] = "y[b,t] = tokens[ids[b,t]] + positions[t]";
static const char backward_formula[] =
    "dtokens[ids[b,t]] += dy[b,t] and dpositions[t] += sum_b dy[b,t]";

typedef struct Lookup {
    int B, T, C, V;
    size_t y_size, table_size, position_size;
    int *ids;
    float *tokens, *positions, *dy;    // positions: NULL without
} Lookup;

static const int lookup_shapes[][4] = {
    {1, 1, 1, 1}, {2, 3, 4, 5},     {3, 2, 5, 7},       {1, 7, 2, 3},
    {5, 1, 3, 2}, {2, 64, 33, 101}, {2, 131, 67, 1031},
};
enum { LOOKUP_SHAPES = sizeof lookup_shapes / sizeof *lookup_shapes };

static Lookup lookup_new(const int shape[4], bool with_positions, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    Lookup l = {.B = shape[0], .T = shape[1], .C = shape[2], .V = shape[3]};
    size_t tokens = (size_t)(l.B * l.T);
    l.y_size = tokens * (size_t)l.C, l.table_size = (size_t)(l.V * l.C);
    l.position_size = (size_t)(l.T * l.C);
    l.ids = ints_filled(tokens, 0);
    for (size_t n = 0; n < tokens; n++) l.ids[n] = (int)rng_below(&rng, (uint32_t)l.V);
    l.ids[tokens - 1] = l.V - 1;
    l.tokens = floats_normal(&rng, l.table_size);
    l.positions = with_positions ? floats_normal(&rng, l.position_size) : NULL;
    l.dy = floats_normal(&rng, l.y_size);
    return l;
}

static void assert_embedding(Lookup l)
{
    float *y = floats_filled(l.y_size, 7), *before = floats_copy(y, l.y_size);
    float *tokens = floats_copy(l.tokens, l.table_size), *positions = NULL;
    if (l.positions != NULL) positions = floats_copy(l.positions, l.position_size);
    double *want = doubles_zero(l.y_size);
    for (int n = 0; n < l.B * l.T; n++)
        for (int c = 0; c < l.C; c++) {
            float position = l.positions != NULL ? l.positions[n % l.T * l.C + c] : 0;
            want[n * l.C + c] = (double)(l.tokens[l.ids[n] * l.C + c] + position);
        }
    tf_embedding(y, l.ids, l.tokens, l.positions, l.B, l.T, l.C);
    assert_near(y, want, SHAPE(l.B, l.T, l.C), .name = "y", .replaces = before, .exact = true,
                .formula = embedding_formula);
    assert_kept("tokens", l.tokens, tokens, l.table_size);
    if (positions != NULL) assert_kept("positions", l.positions, positions, l.position_size);
}

CASE(embedding__matches_an_example_computed_by_hand)
{
    float *y = floats_filled(8, NAN);
    tf_embedding(y, INTS(2, 0, 2, 1), FLOATS(1, 2, 3, 4, 5, 6), FLOATS(10, 20, 30, 40), 2, 2, 2);
    assert_near(y, ((double[]){15, 26, 31, 42, 15, 26, 33, 44}), SHAPE(2, 2, 2), .name = "y",
                .exact = true, .formula = embedding_formula);
}

CASE(embedding__looks_up_every_token_of_the_batch)
{
    for (int i = 0; i < LOOKUP_SHAPES; i++)
        assert_embedding(lookup_new(lookup_shapes[i], true, 100 + (uint64_t)i));
}

CASE(embedding__without_positions_copies_rows_of_the_table)
{
    for (int i = 0; i < LOOKUP_SHAPES; i++)
        assert_embedding(lookup_new(lookup_shapes[i], false, 110 + (uint64_t)i));
}

CASE(embedding__propagates_nan_and_takes_large_and_small_numbers)
{
    Lookup l = lookup_new((int[]){2, 4, 3, 3}, true, 120);
    l.tokens[1] = NAN, l.tokens[3] = INFINITY, l.tokens[4] = 1e30f, l.tokens[7] = 1e-30f;
    l.positions[2] = NAN, l.positions[4] = -1e30f, l.positions[5] = 3e38f;
    for (int n = 0; n < 8; n++) l.ids[n] = n % 3;
    assert_embedding(l);
}

CASE(embedding__takes_the_same_arrays_again_with_other_contents)
{
    Lookup l = lookup_new((int[]){2, 3, 4, 5}, true, 121);
    assert_embedding(l);
    floats_scale(l.tokens, l.table_size, -2);
    floats_scale(l.positions, l.position_size, 3);
    l.ids[0] = (l.ids[0] + 1) % 5, l.ids[4] = (l.ids[4] + 2) % 5;
    assert_embedding(l);
    assert_embedding(lookup_new((int[]){3, 2, 4, 5}, true, 122));
    assert_embedding(l);
}

// ---- backward ----

// Starts from `held` in dtokens and `held` + 1 in dpositions.
static void assert_embedding_backward(Lookup l, float held)
{
    float *dtokens = floats_filled(l.table_size, held), *dpositions = NULL;
    float *before = floats_copy(dtokens, l.table_size), *dy = floats_copy(l.dy, l.y_size);
    double *want = floats_wide(dtokens, l.table_size);
    double *positions_want = doubles_filled(l.position_size, (double)held + 1);
    if (l.positions != NULL) dpositions = floats_filled(l.position_size, held + 1);
    for (int n = 0; n < l.B * l.T; n++)
        for (int c = 0; c < l.C; c++) {
            want[l.ids[n] * l.C + c] += (double)l.dy[n * l.C + c];
            positions_want[n % l.T * l.C + c] += (double)l.dy[n * l.C + c];
        }
    tf_embedding_backward(dtokens, dpositions, l.dy, l.ids, l.B, l.T, l.C);
    assert_near(dtokens, want, SHAPE(l.V, l.C), .name = "dtokens", .added_to = before,
                .formula = backward_formula);
    if (dpositions != NULL)
        assert_near(dpositions, positions_want, SHAPE(l.T, l.C), .name = "dpositions",
                    .added_to = floats_filled(l.position_size, held + 1),
                    .formula = backward_formula);
    assert_kept("dy", l.dy, dy, l.y_size);
}

CASE(embedding_backward__matches_an_example_computed_by_hand)
{
    float *dtokens = floats_filled(6, 0), *dpositions = floats_filled(4, 0);
    tf_embedding_backward(dtokens, dpositions, FLOATS(1, 2, 3, 4, 5, 6, 7, 8), INTS(2, 0, 2, 2), 2,
                          2, 2);
    assert_near(dtokens, ((double[]){3, 4, 0, 0, 13, 16}), SHAPE(3, 2), .name = "dtokens",
                .exact = true, .formula = backward_formula);
    assert_near(dpositions, ((double[]){6, 8, 10, 12}), SHAPE(2, 2), .name = "dpositions",
                .exact = true, .formula = backward_formula);
}

CASE(embedding_backward__adds_to_the_rows_that_were_looked_up)
{
    for (int i = 0; i < LOOKUP_SHAPES; i++)
        assert_embedding_backward(lookup_new(lookup_shapes[i], true, 130 + (uint64_t)i), 0);
}

CASE(embedding_backward__accumulates_into_both_gradients)
{
    assert_embedding_backward(lookup_new(lookup_shapes[1], true, 140), 7);
}

CASE(embedding_backward__skips_positions_that_are_null)
{
    for (int i = 0; i < LOOKUP_SHAPES; i++)
        assert_embedding_backward(lookup_new(lookup_shapes[i], false, 141 + (uint64_t)i), 0.5f);
}

CASE(embedding_backward__propagates_nan_and_takes_large_gradients)
{
    Lookup l = lookup_new((int[]){2, 3, 2, 4}, true, 150);
    l.dy[3] = NAN, l.dy[5] = 1e30f, l.dy[8] = -3e38f, l.dy[10] = 1e-30f;
    assert_embedding_backward(l, 0);
}

CASE(embedding_backward__takes_the_same_arrays_again_with_other_contents)
{
    Lookup l = lookup_new((int[]){2, 3, 4, 5}, true, 151);
    assert_embedding_backward(l, 0);
    floats_scale(l.dy, l.y_size, -2);
    l.ids[0] = (l.ids[0] + 1) % 5;
    assert_embedding_backward(l, 0);
    assert_embedding_backward(lookup_new((int[]){3, 2, 4, 5}, true, 152), 0);
    assert_embedding_backward(l, 0);
}

const struct CMUnitTest embedding_cases[] = {
    cmocka_unit_test(embedding__matches_an_example_computed_by_hand),
    cmocka_unit_test(embedding__looks_up_every_token_of_the_batch),
    cmocka_unit_test(embedding__without_positions_copies_rows_of_the_table),
    cmocka_unit_test(embedding__propagates_nan_and_takes_large_and_small_numbers),
    cmocka_unit_test(embedding__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(embedding_backward__matches_an_example_computed_by_hand),
    cmocka_unit_test(embedding_backward__adds_to_the_rows_that_were_looked_up),
    cmocka_unit_test(embedding_backward__accumulates_into_both_gradients),
    cmocka_unit_test(embedding_backward__skips_positions_that_are_null),
    cmocka_unit_test(embedding_backward__propagates_nan_and_takes_large_gradients),
    cmocka_unit_test(embedding_backward__takes_the_same_arrays_again_with_other_contents),
    {0},
};
