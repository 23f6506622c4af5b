/* Exercises 4 to 6: a gradient goes back through a graph. check.c says how cases are made. */
#include <math.h>
#include <stdlib.h>
#include "labs/1_foundations/calculus/check.h"
#include "labs/1_foundations/calculus/moons.h"
#include "tests/guarded.h"

static Arena *nodes(void)    // the end of the case's process frees it
{
    return arena_new("nodes", 2u << 20);
}

// ---- 4: one node pushes ----

// Local slopes, written as nowhere else in this lab: by e and by squares.
static void slopes_of(Op op, double a, double b, double *to_a, double *to_b)
{
    *to_a = *to_b = 0;
    switch (op) {
    case OP_ADD: *to_a = 1, *to_b = 1; break;
    case OP_SUB: *to_a = 1, *to_b = -1; break;
    case OP_MUL: *to_a = b, *to_b = a; break;
    case OP_DIV: *to_a = 1 / b, *to_b = -a / (b * b); break;
    case OP_EXP: *to_a = exp(a); break;
    case OP_LOG: *to_a = 1 / a; break;
    case OP_SIN: *to_a = cos(a); break;
    case OP_TANH: *to_a = 1 / (cosh(a) * cosh(a)); break;
    default: break;
    }
}

static bool has_two(Op op)
{
    return op >= OP_ADD && op <= OP_DIV;
}

// Our own push: what backward is given, and what the tape is held against.
static void push_ours(Value *node)
{
    double to_a, to_b;
    if (node->op == OP_INPUT) return;
    slopes_of(node->op, node->a->data, node->b ? node->b->data : 0, &to_a, &to_b);
    node->a->grad += node->grad * to_a;
    if (node->b != NULL) node->b->grad += node->grad * to_b;
}

static void check_push(Op op, double a_data, double b_data, double grad, double held)
{
    Arena *arena = nodes();
    Value *a = value_input(arena, a_data), *b = has_two(op) ? value_input(arena, b_data) : NULL;
    Value *node = value_of(arena, op, a, b);
    double to_a, to_b;
    node->grad = grad;
    a->grad = held;
    if (b != NULL) b->grad = held;
    slopes_of(op, a_data, b_data, &to_a, &to_b);
    calc_push(node);
    assert_number(a->grad, held + grad * to_a, .name = op_name(op),
                  .formula = "a->grad += grad d(node)/da");
    if (b != NULL)
        assert_number(b->grad, held + grad * to_b, .name = op_name(op),
                      .formula = "b->grad += grad d(node)/db");
}

static void check_op(Op op)
{
    for (double a = 0.3; a < 3; a += 0.8) {
        check_push(op, a, -1.7, 1, 0);
        check_push(op, a, 0.6, -2.5, 0);
        check_push(op, a, 2, 0.5, 7);
        if (op != OP_LOG) check_push(op, -a, 2.2, 1.5, -3);
    }
}

static void push__of_a_sum_hands_the_gradient_on(void **state)
{
    (void)state;
    check_op(OP_ADD);
}

static void push__of_a_difference_turns_the_sign_for_b(void **state)
{
    (void)state;
    check_op(OP_SUB);
}

static void push__of_a_product_weighs_by_the_other_factor(void **state)
{
    (void)state;
    check_op(OP_MUL);
}

static void push__of_a_quotient(void **state)
{
    (void)state;
    check_op(OP_DIV);
}

static void push__of_exp_and_log(void **state)
{
    (void)state;
    check_op(OP_EXP);
    check_op(OP_LOG);
}

static void push__of_sin_and_tanh(void **state)
{
    (void)state;
    check_op(OP_SIN);
    check_op(OP_TANH);
}

static void push__adds_twice_where_both_operands_are_one_node(void **state)
{
    (void)state;
    static const struct {
        Op op;
        double want;
    } both[] = {{OP_ADD, 2}, {OP_SUB, 0}, {OP_MUL, 6}, {OP_DIV, 0}};
    for (int i = 0; i < 4; i++) {
        Arena *arena = nodes();
        Value *x = value_input(arena, 3), *node = value_of(arena, both[i].op, x, x);
        node->grad = 1;
        calc_push(node);
        assert_number(x->grad, both[i].want, .name = op_name(both[i].op),
                      .formula = "x->grad after x op x, for x = 3");
    }
}

static void push__of_an_input_does_nothing(void **state)
{
    (void)state;
    Value *x = value_input(nodes(), 3);
    x->grad = 5;
    calc_push(x);
    assert_number(x->grad, 5, .exact = true, .name = "grad of an input",
                  .formula = "an input has nobody to push to");
}

static void push__changes_nothing_but_the_gradients_of_the_operands(void **state)
{
    (void)state;
    for (Op op = OP_ADD; op < OP_COUNT; op++) {
        Arena *arena = nodes();
        Value *a = value_input(arena, 2), *b = has_two(op) ? value_input(arena, 4) : NULL;
        Value *node = value_of(arena, op, a, b);
        node->grad = 3;
        Value before = *node;
        calc_push(node);
        const double got[] = {node->data, node->grad, a->data, b ? b->data : 4};
        const double want[] = {before.data, 3, 2, 4};
        assert_near(got, want, SHAPE(4), .exact = true, .name = "data, grad, a's data, b's data",
                    .formula = "a push changes a->grad and b->grad only");
        assert_pointer("node->a", node->a, a);
        assert_pointer("node->b", node->b, b);
        assert_integer("node->op", node->op, op);
        assert_boolean("a->seen", a->seen, false);
        assert_boolean("node->seen", node->seen, false);
    }
}

// Places nodes for cases of other exercises: by age, as an operand is older than what uses it.
static int by_age(const void *left, const void *right)
{
    const Value *a = *(Value *const *)left, *b = *(Value *const *)right;
    return a < b ? -1 : a > b;
}

static int gather(Value **order, int count, Value *node)
{
    if (node == NULL || node->seen) return count;
    node->seen = true;
    order[count++] = node;
    count = gather(order, count, node->a);
    return gather(order, count, node->b);
}

static Value **order_ours(Value *result, int *count)
{
    Value **order = malloc(sizeof *order << 16);
    *count = gather(order, 0, result);
    qsort(order, (size_t)*count, sizeof *order, by_age);
    return order;
}

typedef struct Network {    // of the story, on a few points
    double weights[NET_WEIGHTS], want[NET_WEIGHTS];
    Value **weight, **order;
    int count;
} Network;

static void network_new(Network *network)
{
    enum { N = 8 };
    Arena *arena = nodes();
    Rng rng = rng_from_seed(11);
    Moons moons = moons_draw(arena, N, 0.2, &rng);
    const int chosen[N] = {0, 1, 2, 3, 4, 5, 6, 7};
    net_start(network->weights, &rng);
    network->weight = values_new(arena, network->weights, NET_WEIGHTS);
    Value *loss = net_loss(arena, network->weight, &moons, chosen, N);
    network->order = order_ours(loss, &network->count);
    net_loss_tensors(nodes(), nodes(), network->weights, &moons, chosen, N, network->want);
}

static void network_assert(const Network *network)
{
    double got[NET_WEIGHTS];
    for (int i = 0; i < NET_WEIGHTS; i++) got[i] = network->weight[i]->grad;
    assert_near(got, network->want, SHAPE(NET_WEIGHTS), .atol = 1e-6, .rtol = 1e-6,
                .name = "d(loss)/d(weight)",
                .formula = "the gradient of a 2-12-12-1 network, as the tensor tape has it");
}

static void push__gives_a_network_the_gradient_that_the_tensor_tape_has(void **state)
{
    (void)state;
    Network network;
    network_new(&network);
    network.order[network.count - 1]->grad = 1;
    for (int i = network.count - 1; i >= 0; i--) calc_push(network.order[i]);
    network_assert(&network);
}

// ---- 5: the order ----

static const char order_formula[] = "each node once, after its operands; the result last";

// That order[first..count) holds the graph under `result`, rightly.
static void assert_order(Value *const *order, int first, int count, const Value *result, int want)
{
    int last = count < first + want ? count : first + want;    // a wrong count may lead anywhere
    for (int i = first; i < last; i++) {
        if (order[i] == NULL) fail_msg("%s\nplace %d was left empty", order_formula, i);
        bool a = order[i]->a == NULL, b = order[i]->b == NULL;
        for (int k = first; k < i; k++) {
            if (order[k] == order[i])
                fail_msg("%s\nnode %d is there twice: at %d as well", order_formula, i, k);
            a = a || order[k] == order[i]->a;
            b = b || order[k] == order[i]->b;
        }
        if (!a || !b)
            fail_msg("%s\nnode %d (%s) stands before its operand %s", order_formula, i,
                     op_name(order[i]->op), a ? "b" : "a");
    }
    if (count - first != want)
        fail_msg("%s\n%d nodes were placed, the graph has %d", order_formula, count - first, want);
    if (order[count - 1] != result) fail_msg("%s\nthe last is not the result", order_formula);
}

static Value **places(int n)    // all NULL; there is not one more
{
    Value **order = guarded_new((size_t)n, sizeof *order);
    for (int i = 0; i < n; i++) order[i] = NULL;
    return order;
}

enum { ROOM = 1000 };    // for all that is placed twice, so that it can be said

static void order__of_an_input_is_the_input(void **state)
{
    (void)state;
    Value *x = value_input(nodes(), 1), **order = places(1);
    assert_order(order, 0, calc_order(order, 0, x), x, 1);
}

static void order__places_operands_first(void **state)
{
    (void)state;
    Arena *arena = nodes();
    Value *x = value_input(arena, 1), *y = value_input(arena, 2);
    Value *product = value_of(arena, OP_MUL, x, y), *sine = value_of(arena, OP_SIN, x, NULL);
    Value *sum = value_of(arena, OP_ADD, sine, product), **order = places(ROOM);
    assert_order(order, 0, calc_order(order, 0, sum), sum, 5);
}

static void order__of_a_random_graph(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        enum { N = 60 };
        Arena *arena = nodes();
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
        free(order_ours(last, &count));    // how many lead to it; then forget that they were seen
        for (int i = 0; i < N; i++) made[i]->seen = false;
        Value **order = places(count);
        assert_order(order, 0, calc_order(order, 0, last), last, count);
    }
}

// x + x, and that plus itself, and so on: n + 1 nodes, and 2^n ways through them.
static Value *doubled(int n)
{
    Arena *arena = nodes();
    Value *x = value_input(arena, 1);
    for (int i = 0; i < n; i++) x = value_of(arena, OP_ADD, x, x);
    return x;
}

static void order__places_a_shared_node_once(void **state)
{
    (void)state;
    Value *x = doubled(3), **order = places(ROOM);
    assert_order(order, 0, calc_order(order, 0, x), x, 4);
}

static void order__takes_each_node_once_however_many_ways_lead_to_it(void **state)
{
    (void)state;
    Value *x = doubled(40), **order = places(41);
    assert_order(order, 0, calc_order(order, 0, x), x, 41);
}

static void order__goes_on_where_the_row_ends(void **state)
{
    (void)state;
    Arena *arena = nodes();
    Value *x = value_input(arena, 1), *y = value_of(arena, OP_EXP, x, NULL), **order = places(7);
    int count = calc_order(order, 5, y);
    if (count != 7) fail_msg("5 were there and 2 came: got a count of %d, want 7", count);
    for (int i = 0; i < 5; i++) assert_pointer("a place before the count", order[i], NULL);
    assert_order(order, 5, count, y, 2);
}

static void order__leaves_out_what_is_seen_and_nobody(void **state)
{
    (void)state;
    Arena *arena = nodes();
    Value *x = value_input(arena, 1), *y = value_of(arena, OP_EXP, x, NULL),
          *z = value_of(arena, OP_MUL, x, y), **order = places(3);
    assert_integer("count after calc_order of nobody", calc_order(order, 0, NULL), 0);
    int count = calc_order(order, 0, y);
    assert_order(order, 0, count, y, 2);
    assert_integer("count after calc_order of what was seen", calc_order(order, 2, y), 2);
    count = calc_order(order, 2, z);
    assert_order(order, 0, count, z, 3);
}

static void order__marks_what_it_places_and_changes_nothing_else(void **state)
{
    (void)state;
    Arena *arena = nodes();
    Value *x = value_input(arena, 3), *y = value_of(arena, OP_EXP, x, NULL), **order = places(2);
    Value *apart = value_of(arena, OP_EXP, x, NULL);
    x->grad = 5, y->grad = 6;
    calc_order(order, 0, y);
    assert_boolean("seen, of an operand", x->seen, true);
    assert_boolean("seen, of the result", y->seen, true);
    assert_boolean("seen, of a node that is not below the result", apart->seen, false);
    const double got[] = {x->data, x->grad, y->data, y->grad};
    assert_near(got, ((double[]){3, 5, exp(3.0), 6}), SHAPE(4), .name = "data and grad",
                .formula = "only `seen` changes");
}

// ---- 6: the way back ----

static Value *pushed[8];
static int pushes;

static void push_noted(Value *node)
{
    if (pushes < 8) pushed[pushes] = node;
    pushes++;
}

static void backward__pushes_each_node_from_the_last_to_the_first(void **state)
{
    (void)state;
    Arena *arena = nodes();
    Value **order = places(5);
    for (int i = 0; i < 5; i++) order[i] = value_input(arena, i);
    pushes = 0;
    calc_backward(order, 5, push_noted);
    assert_integer("pushes of 5 nodes", pushes, 5);
    for (int i = 0; i < 5; i++)
        if (pushed[i] != order[4 - i]) fail_msg("push %d was not of node %d", i, 4 - i);
}

static void backward__sets_all_to_0_and_the_last_to_1_before_it_pushes(void **state)
{
    (void)state;
    Arena *arena = nodes();
    Value **order = places(4);
    double got[4];
    for (int i = 0; i < 4; i++) {
        order[i] = value_input(arena, i);
        order[i]->grad = 7;
    }
    calc_backward(order, 4, push_noted);
    for (int i = 0; i < 4; i++) got[i] = order[i]->grad;
    assert_near(got, ((double[]){0, 0, 0, 1}), SHAPE(4), .exact = true, .name = "grad",
                .formula = "before the pushes: 0, and 1 for the last");
}

static void backward__of_one_node_and_of_none(void **state)
{
    (void)state;
    Value **order = places(1);
    order[0] = value_input(nodes(), 3);
    calc_backward(order, 1, push_ours);
    assert_number(order[0]->grad, 1, .exact = true, .name = "grad of the result",
                  .formula = "it grows with itself one to one");
    pushes = 0;
    order[0]->grad = 5;    // stands before an order of 0 nodes, which ends at a closed page
    calc_backward(order + 1, 0, push_noted);
    assert_integer("pushes of no node", pushes, 0);
    assert_number(order[0]->grad, 5, .exact = true,
                  .name = "grad of a node that is not in the order",
                  .formula = "an order of 0 nodes has no last one");
}

static void backward__adds_up_all_ways(void **state)
{
    (void)state;
    // z = x y + sin x:  dz/dx = y + cos x,  dz/dy = x. Run twice: nothing of the first is left.
    Arena *arena = nodes();
    Value *x = value_input(arena, 3), *y = value_input(arena, 2);
    Value *z =
        value_of(arena, OP_ADD, value_of(arena, OP_MUL, x, y), value_of(arena, OP_SIN, x, NULL));
    int count;
    Value **order = order_ours(z, &count);
    for (int run = 0; run < 2; run++) {
        calc_backward(order, count, push_ours);
        const double got[] = {x->grad, y->grad};
        assert_near(got, ((double[]){2 + cos(3.0), 3}), SHAPE(2), .name = "dz/d(x, y)",
                    .formula = "z = x y + sin x");
    }
}

static void backward__gives_a_network_the_gradient_that_the_tensor_tape_has(void **state)
{
    (void)state;
    Network network;
    network_new(&network);
    calc_backward(network.order, network.count, push_ours);
    network_assert(&network);
}

const struct CMUnitTest engine_cases[] = {
    cmocka_unit_test(push__of_a_sum_hands_the_gradient_on),
    cmocka_unit_test(push__of_a_difference_turns_the_sign_for_b),
    cmocka_unit_test(push__of_a_product_weighs_by_the_other_factor),
    cmocka_unit_test(push__of_a_quotient),
    cmocka_unit_test(push__of_exp_and_log),
    cmocka_unit_test(push__of_sin_and_tanh),
    cmocka_unit_test(push__adds_twice_where_both_operands_are_one_node),
    cmocka_unit_test(push__of_an_input_does_nothing),
    cmocka_unit_test(push__changes_nothing_but_the_gradients_of_the_operands),
    cmocka_unit_test(push__gives_a_network_the_gradient_that_the_tensor_tape_has),
    cmocka_unit_test(order__of_an_input_is_the_input),
    cmocka_unit_test(order__places_operands_first),
    cmocka_unit_test(order__of_a_random_graph),
    cmocka_unit_test(order__places_a_shared_node_once),
    cmocka_unit_test(order__takes_each_node_once_however_many_ways_lead_to_it),
    cmocka_unit_test(order__goes_on_where_the_row_ends),
    cmocka_unit_test(order__leaves_out_what_is_seen_and_nobody),
    cmocka_unit_test(order__marks_what_it_places_and_changes_nothing_else),
    cmocka_unit_test(backward__pushes_each_node_from_the_last_to_the_first),
    cmocka_unit_test(backward__sets_all_to_0_and_the_last_to_1_before_it_pushes),
    cmocka_unit_test(backward__of_one_node_and_of_none),
    cmocka_unit_test(backward__adds_up_all_ways),
    cmocka_unit_test(backward__gives_a_network_the_gradient_that_the_tensor_tape_has),
    {0},
};
