/* Exercise 5: the topological order of a graph. check.c says how cases are made. */
#include <math.h>
#include <stdlib.h>
#include "labs/1_foundations/calculus/check.h"

static const char order_formula[] = "each node once, after its operands; the result last";

// Fails unless order[first..count) is a topological order of the graph of `result`.
static void assert_order(Value *const *order, int first, int count, const Value *result, int want)
{
    int last = count < first + want ? count : first + want;    // a wrong count may lead anywhere
    for (int i = first; i < last; i++) {
        if (order[i] == NULL) fail_msg("%s\norder[%d] was not written", order_formula, i);
        bool a = order[i]->a == NULL, b = order[i]->b == NULL;
        for (int k = first; k < i; k++) {
            if (order[k] == order[i])
                fail_msg("%s\norder[%d] is there twice: at %d as well", order_formula, i, k);
            a = a || order[k] == order[i]->a;
            b = b || order[k] == order[i]->b;
        }
        if (!a || !b)
            fail_msg("%s\nnode %d (%s) comes before its operand %s", order_formula, i,
                     op_name(order[i]->op), a ? "b" : "a");
    }
    if (count - first != want)
        fail_msg("%s\n%d nodes were appended, the graph has %d", order_formula, count - first,
                 want);
    if (order[count - 1] != result) fail_msg("%s\nthe last node is not the result", order_formula);
}

enum { ROOM = 1000 };    // for orders that hold nodes twice, so that the message can say so

static void order__of_an_input_is_the_input_alone(void **state)
{
    (void)state;
    Value *x = value_input(nodes_new(), 1), **order = empty_order(1);
    assert_order(order, 0, calc_order(order, 0, x), x, 1);
}

static void order__is_topological(void **state)
{
    (void)state;
    Arena *arena = nodes_new();
    Value *x = value_input(arena, 1), *y = value_input(arena, 2);
    Value *product = value_of(arena, OP_MUL, x, y), *sine = value_of(arena, OP_SIN, x, NULL);
    Value *sum = value_of(arena, OP_ADD, sine, product), **order = empty_order(ROOM);
    assert_order(order, 0, calc_order(order, 0, sum), sum, 5);
}

static void order__of_a_random_graph_is_topological(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        enum { N = 60 };
        Arena *arena = nodes_new();
        Rng rng = rng_from_seed(seed);
        Value *made[N], *last;
        for (int i = 0; i < N; i++) {
            if (i < 3) made[i] = value_input(arena, i);
            else {
                Value *a = made[rng_below(&rng, (uint32_t)i)],
                      *b = made[rng_below(&rng, (uint32_t)i)];
                bool two = rng_below(&rng, 3) > 0;
                made[i] = value_of(arena, two ? OP_ADD : OP_SIN, a, two ? b : NULL);
            }
        }
        last = made[N - 1];
        int count;
        free(order_by_age(last, &count));    // how many lead to it; then forget that they were seen
        for (int i = 0; i < N; i++) made[i]->seen = false;
        Value **order = empty_order(count);
        assert_order(order, 0, calc_order(order, 0, last), last, count);
    }
}

// x + x, and that plus itself, and so on: n + 1 nodes, and 2^n paths through them.
static Value *doubled(int n)
{
    Arena *arena = nodes_new();
    Value *x = value_input(arena, 1);
    for (int i = 0; i < n; i++) x = value_of(arena, OP_ADD, x, x);
    return x;
}

static void order__visits_a_shared_node_once(void **state)
{
    (void)state;
    Value *x = doubled(3), **order = empty_order(ROOM);
    assert_order(order, 0, calc_order(order, 0, x), x, 4);
}

static void order__visits_each_node_once_however_many_paths_lead_to_it(void **state)
{
    (void)state;
    Value *x = doubled(40), **order = empty_order(41);
    assert_order(order, 0, calc_order(order, 0, x), x, 41);
}

static void order__appends_after_count_nodes(void **state)
{
    (void)state;
    Arena *arena = nodes_new();
    Value *x = value_input(arena, 1), *y = value_of(arena, OP_EXP, x, NULL),
          **order = empty_order(7);
    int count = calc_order(order, 5, y);
    if (count != 7) fail_msg("5 nodes before, 2 appended: got a count of %d, want 7", count);
    for (int i = 0; i < 5; i++) assert_pointer("a place before the count", order[i], NULL);
    assert_order(order, 5, count, y, 2);
}

static void order__skips_seen_nodes_and_null(void **state)
{
    (void)state;
    Arena *arena = nodes_new();
    Value *x = value_input(arena, 1), *y = value_of(arena, OP_EXP, x, NULL),
          *z = value_of(arena, OP_MUL, x, y), **order = empty_order(3);
    assert_integer("count after calc_order of NULL", calc_order(order, 0, NULL), 0);
    int count = calc_order(order, 0, y);
    assert_order(order, 0, count, y, 2);
    assert_integer("count after calc_order of what was seen", calc_order(order, 2, y), 2);
    count = calc_order(order, 2, z);
    assert_order(order, 0, count, z, 3);
}

static void order__marks_the_nodes_it_appends_and_modifies_nothing_else(void **state)
{
    (void)state;
    Arena *arena = nodes_new();
    Value *x = value_input(arena, 3), *y = value_of(arena, OP_EXP, x, NULL),
          **order = empty_order(2);
    Value *apart = value_of(arena, OP_EXP, x, NULL);
    x->grad = 5, y->grad = 6;
    calc_order(order, 0, y);
    assert_boolean("seen, of an operand", x->seen, true);
    assert_boolean("seen, of the result", y->seen, true);
    assert_boolean("seen, of a node that is not below the result", apart->seen, false);
    const double got[] = {x->data, x->grad, y->data, y->grad};
    assert_near(got, ((double[]){3, 5, exp(3.0), 6}), SHAPE(4), .name = "data and grad",
                .formula = "only `seen` is modified");
}

CASE(order__of_thousands_of_nodes_is_complete)
{
    enum { N = 5000 };
    Arena *arena = nodes_new();
    Value **terms = empty_order(N), **order = empty_order(2 * N - 1);
    for (int i = 0; i < N; i++) terms[i] = value_input(arena, i);
    Value *sum = value_sum(arena, terms, N);
    assert_integer("count of 5000 inputs and 4999 sums", calc_order(order, 0, sum), 2 * N - 1);
    assert_pointer("the last node", order[2 * N - 2], sum);
}

CASE(order__of_the_same_graph_is_found_again)
{
    Arena *arena = nodes_new();
    Value *x = value_input(arena, 1), *y = value_of(arena, OP_EXP, x, NULL),
          *other = value_of(arena, OP_SIN, value_input(arena, 2), NULL), **order = empty_order(2);
    for (int call = 0; call < 4; call++) {
        Value *result = call == 2 ? other : y;
        result->seen = result->a->seen = false;
        assert_order(order, 0, calc_order(order, 0, result), result, 2);
    }
}

const struct CMUnitTest order_cases[] = {
    cmocka_unit_test(order__of_an_input_is_the_input_alone),
    cmocka_unit_test(order__is_topological),
    cmocka_unit_test(order__of_a_random_graph_is_topological),
    cmocka_unit_test(order__visits_a_shared_node_once),
    cmocka_unit_test(order__visits_each_node_once_however_many_paths_lead_to_it),
    cmocka_unit_test(order__appends_after_count_nodes),
    cmocka_unit_test(order__skips_seen_nodes_and_null),
    cmocka_unit_test(order__marks_the_nodes_it_appends_and_modifies_nothing_else),
    cmocka_unit_test(order__of_thousands_of_nodes_is_complete),
    cmocka_unit_test(order__of_the_same_graph_is_found_again),
    {0},
};
