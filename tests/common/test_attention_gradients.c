/* The derivatives of attention.c against central differences, in double precision. */
#include "common/attention.h"
#include "tests/gradcheck.h"
#include <cmocka.h>

typedef struct Heads {
    int heads, kv_heads;
} Heads;

static Tensor *attention(Tape *tape, Tensor *const in[], const void *context)
{
    const Heads *h = context;
    return op_attention(tape, in[0], h->heads, h->kv_heads);
}

static void attention_has_its_gradient_for_any_heads_and_tokens(void **state)
{
    (void)state;
    static const Heads heads[] = {{1, 1}, {2, 2}, {2, 1}, {6, 2}, {3, 3}};
    static const int tokens[] = {1, 2, 3, 7, 13}, numbers[] = {1, 2, 5};
    Arena *keep = arena_new("keep", 4u << 20);
    Rng rng = rng_from_seed(15);
    for (size_t h = 0; h < sizeof heads / sizeof *heads; h++)
        for (size_t t = 0; t < sizeof tokens / sizeof *tokens; t++)
            for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
                const int cols = (heads[h].heads + 2 * heads[h].kv_heads) * numbers[n];
                const Shape shape = SHAPE(1 + (int)t % 2, tokens[t], cols);
                gradcheck(attention, &heads[h], gradcheck_input(keep, shape, &rng));
                arena_reset(keep);
            }
    arena_free(keep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_has_its_gradient_for_any_heads_and_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
