/* Dictionary learning against scikit-learn's, and atoms that were planted. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "labs/2_core/sparse_coding/dictionary.h"
#include "tests/facts.h"

#include "labs/2_core/sparse_coding/tests/sklearn.inc"

static void epochs_match_dictionary_learning_of_scikit_learn(void **state)
{
    (void)state;
    Arena *arena = arena_new("arena", 1u << 20);
    double *d = doubles(arena, LEARN_K * LEARN_P);
    memcpy(d, learn_start, sizeof learn_start);
    Learning learning = {LEARN_K, LEARN_P, LEARN_COUNT, learn_x, d, LEARN_LAMBDA, 1e-13, 0};
    for (int e = 0; e < LEARN_EPOCHS; e++)
        assert_close(dictionary_epoch(&learning, arena).objective * LEARN_COUNT, learn_objective[e],
                     1e-6);
    for (int i = 0; i < LEARN_K * LEARN_P; i++) assert_close(d[i], learn_end[i], 1e-6);
    arena_free(arena);
}

// scikit-learn recovers as large a share of such atoms: sklearn.inc says which.
static void planted_atoms_are_recovered(void **state)
{
    (void)state;
    enum { K = 50, P = 20, COUNT = 1500, OF = 3 };
    Arena *arena = arena_new("arena", 8u << 20);
    Rng rng = rng_from_seed(1);
    const double *truth = random_atoms(arena, K, P, &rng);
    Learning learning = {.K = K, .P = P, .count = COUNT, .atoms = OF};
    learning.x = planted_signals(arena, truth, (Planted){K, P, COUNT, OF}, &rng);
    learning.d = first_atoms(arena, &learning, &rng);
    double before = recovered_share(learning.d, truth, K, P);
    assert_that(before < 0.3, "%g of the atoms are there before learning", before);
    for (int e = 0; e < 30; e++) dictionary_epoch(&learning, arena);
    double after = recovered_share(learning.d, truth, K, P);
    assert_that(after >= 0.9, "%g of the atoms are recovered, expected 0.9", after);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_match_dictionary_learning_of_scikit_learn),
        cmocka_unit_test(planted_atoms_are_recovered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
