/* Exercises 4 and 6: backpropagation through a graph. check.c says how cases are made. */
#include <math.h>
#include <stdlib.h>
#include "labs/1_foundations/calculus/check.h"
#include "labs/1_foundations/calculus/moons.h"
#include "tests/guarded.h"

// ---- 4: one node pushes ----

// Local derivatives, written independently of the reference.
static void local_derivatives(Op op, double a, double b, double *to_a, double *to_b)
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

// An independent push: given to backward, and compared with the tape.
static void push_ours(Value *node)
{
    double to_a, to_b;
    if (node->op == OP_INPUT) return;
    local_derivatives(node->op, node->a->data, node->b ? node->b->data : 0, &to_a, &to_b);
    node->a->grad += node->grad * to_a;
    if (node->b != NULL) node->b->grad += node->grad * to_b;
}

static void check_push(Op op, double a_data, double b_data, double grad, double held)
{
    Arena *arena = nodes_new();
    Value *a = value_input(arena, a_data), *b = has_two(op) ? value_input(arena, b_data) : NULL;
    Value *node = value_of(arena, op, a, b);
    double to_a, to_b;
    node->grad = grad;
    a->grad = held;
    if (b != NULL) b->grad = held;
    local_derivatives(op, a_data, b_data, &to_a, &to_b);
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

static void push__of_add_passes_the_gradient_to_both_operands(void **state)
{
    (void)state;
    check_op(OP_ADD);
}

static void push__of_sub_negates_the_gradient_of_b(void **state)
{
    (void)state;
    check_op(OP_SUB);
}

static void push__of_mul_multiplies_by_the_other_factor(void **state)
{
    (void)state;
    check_op(OP_MUL);
    check_push(OP_MUL, 0.3, 0.7, 0.1, 0);
}

static void push__of_div(void **state)
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

static void push__accumulates_twice_when_both_operands_are_the_same_node(void **state)
{
    (void)state;
    static const struct {
        Op op;
        double want;
    } both[] = {{OP_ADD, 2}, {OP_SUB, 0}, {OP_MUL, 6}, {OP_DIV, 0}};
    for (int i = 0; i < 4; i++) {
        Arena *arena = nodes_new();
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
    Value *x = value_input(nodes_new(), 3);
    x->grad = 5;
    calc_push(x);
    assert_number(x->grad, 5, .exact = true, .name = "grad of an input",
                  .formula = "an input has no operands to push to");
}

static void push__modifies_only_the_grad_of_the_operands(void **state)
{
    (void)state;
    for (Op op = OP_ADD; op < OP_COUNT; op++) {
        Arena *arena = nodes_new();
        Value *a = value_input(arena, 2), *b = has_two(op) ? value_input(arena, 4) : NULL;
        Value *node = value_of(arena, op, a, b);
        node->grad = 3;
        node->tangent = 5;
        a->tangent = 6;
        Value before = *node;
        calc_push(node);
        const double got[] = {node->data, node->grad, node->tangent,
                              a->data,    a->tangent, b ? b->data : 4};
        const double want[] = {before.data, 3, 5, 2, 6, 4};
        assert_near(got, want, SHAPE(6), .exact = true,
                    .name = "data, grad, tangent, a's data and tangent, b's data",
                    .formula = "push modifies a->grad and b->grad only");
        assert_pointer("node->a", node->a, a);
        assert_pointer("node->b", node->b, b);
        assert_integer("node->op", node->op, op);
        assert_boolean("a->seen", a->seen, false);
        assert_boolean("node->seen", node->seen, false);
    }
}

typedef struct Network {    // of the story, on a few points
    double weights[NET_WEIGHTS], want[NET_WEIGHTS];
    Value **weight, **order;
    int count;
} Network;

static void network_new(Network *network)
{
    enum { N = 8 };
    Arena *arena = nodes_new();
    Rng rng = rng_from_seed(11);
    Moons moons = moons_draw(arena, N, 0.2, &rng);
    const int chosen[N] = {0, 1, 2, 3, 4, 5, 6, 7};
    net_init(network->weights, &rng);
    network->weight = values_new(arena, network->weights, NET_WEIGHTS);
    Value *loss = net_loss(arena, network->weight, &moons, chosen, N);
    network->order = order_by_age(loss, &network->count);
    net_loss_tensors(nodes_new(), nodes_new(), network->weights, &moons, chosen, N, network->want);
}

static void network_assert(const Network *network)
{
    double got[NET_WEIGHTS];
    for (int i = 0; i < NET_WEIGHTS; i++) got[i] = network->weight[i]->grad;
    assert_near(got, network->want, SHAPE(NET_WEIGHTS), .atol = 1e-6, .rtol = 1e-6,
                .name = "d(loss)/d(weight)",
                .formula = "the gradient of a 2-12-12-1 network, as the tensor tape has it");
}

static void push__matches_the_tensor_tape_on_a_network(void **state)
{
    (void)state;
    Network network;
    network_new(&network);
    network.order[network.count - 1]->grad = 1;
    for (int i = network.count - 1; i >= 0; i--) calc_push(network.order[i]);
    network_assert(&network);
}

CASE(push__of_tanh_saturates)
{
    for (double a = 20; a < 1e5; a *= 20) {
        check_push(OP_TANH, a, 0, 3, 1);
        check_push(OP_TANH, -a, 0, 3, 1);
    }
}

CASE(push__pushes_again_when_it_is_called_again)
{
    Arena *arena = nodes_new();
    Value *a = value_input(arena, 3), *b = value_input(arena, 5),
          *node = value_of(arena, OP_MUL, a, b);
    node->grad = 1;
    calc_push(node);
    b->data = 7, node->data = 21, node->grad = 2;
    calc_push(node);
    assert_number(a->grad, 5 + 14, .name = "a->grad after two calls",
                  .formula = "a->grad += grad d(node)/da");
    assert_number(b->grad, 3 + 6, .name = "b->grad after two calls",
                  .formula = "b->grad += grad d(node)/db");
}

CASE(push__divides_at_any_magnitude)
{
    // b^2 is no double, the gradient of a / b is.
    for (double size = 1e-200; size < 1e201; size *= 1e200) {
        Arena *arena = nodes_new();
        Value *a = value_input(arena, size), *b = value_input(arena, size);
        Value *node = value_of(arena, OP_DIV, a, b);
        node->grad = size;
        calc_push(node);
        assert_number(a->grad, 1, .name = "a->grad", .formula = "a->grad += grad / b");
        assert_number(b->grad, -1, .name = "b->grad", .formula = "b->grad -= grad (a / b) / b");
    }
}

CASE(push__propagates_nan)
{
    for (Op op = OP_ADD; op < OP_COUNT; op++) {
        Arena *arena = nodes_new();
        Value *a = value_input(arena, 0.5), *b = has_two(op) ? value_input(arena, 2) : NULL;
        Value *node = value_of(arena, op, a, b);
        node->grad = NAN;
        calc_push(node);
        assert_number(a->grad, NAN, .name = op_name(op), .formula = "grad is NaN");
        if (b != NULL) assert_number(b->grad, NAN, .name = op_name(op), .formula = "grad is NaN");
    }
    for (Op op = OP_MUL; op < OP_COUNT; op++) {    // 0 times NaN is NaN
        Arena *arena = nodes_new();
        Value *a = value_input(arena, NAN), *b = has_two(op) ? value_input(arena, 2) : NULL;
        Value *node = value_of(arena, op, a, b);
        calc_push(node);
        assert_number(b != NULL ? b->grad : a->grad, NAN, .name = op_name(op),
                      .formula = "a is NaN, and grad is 0");
    }
}

// ---- 6: backpropagation ----

static Value *pushed[8];
static int pushes;

static void push_noted(Value *node)
{
    if (pushes < 8) pushed[pushes] = node;
    pushes++;
}

static void backward__pushes_each_node_once_in_reverse_order(void **state)
{
    (void)state;
    Arena *arena = nodes_new();
    Value **order = empty_order(5);
    for (int i = 0; i < 5; i++) order[i] = value_input(arena, i);
    pushes = 0;
    calc_backward(order, 5, push_noted);
    assert_integer("pushes of 5 nodes", pushes, 5);
    for (int i = 0; i < 5; i++)
        if (pushed[i] != order[4 - i]) fail_msg("push %d should be of node %d", i, 4 - i);
}

static void backward__seeds_the_last_grad_with_1_and_the_others_with_0(void **state)
{
    (void)state;
    Arena *arena = nodes_new();
    Value **order = empty_order(4);
    double got[4];
    for (int i = 0; i < 4; i++) {
        order[i] = value_input(arena, i);
        order[i]->grad = 7;
    }
    calc_backward(order, 4, push_noted);
    for (int i = 0; i < 4; i++) got[i] = order[i]->grad;
    assert_near(got, ((double[]){0, 0, 0, 1}), SHAPE(4), .exact = true, .name = "grad",
                .formula = "before the first push: 1 for the last, 0 for the others");
}

static void backward__handles_one_node_and_none(void **state)
{
    (void)state;
    Value **order = empty_order(1);
    order[0] = value_input(nodes_new(), 3);
    calc_backward(order, 1, push_ours);
    assert_number(order[0]->grad, 1, .exact = true, .name = "grad of the result",
                  .formula = "d(result)/d(result) = 1");
    pushes = 0;
    order[0]->grad = 5;    // stands before an order of 0 nodes, which ends at a guard page
    calc_backward(order + 1, 0, push_noted);
    assert_integer("pushes of no node", pushes, 0);
    assert_number(order[0]->grad, 5, .exact = true,
                  .name = "grad of a node that is not in the order",
                  .formula = "an order of 0 nodes has no last node");
}

static void backward__sums_over_all_paths(void **state)
{
    (void)state;
    // z = x y + sin x:  dz/dx = y + cos x,  dz/dy = x. Run twice: nothing of the first pass may remain.
    Arena *arena = nodes_new();
    Value *x = value_input(arena, 3), *y = value_input(arena, 2);
    Value *z =
        value_of(arena, OP_ADD, value_of(arena, OP_MUL, x, y), value_of(arena, OP_SIN, x, NULL));
    int count;
    Value **order = order_by_age(z, &count);
    for (int run = 0; run < 2; run++) {
        calc_backward(order, count, push_ours);
        const double got[] = {x->grad, y->grad};
        assert_near(got, ((double[]){2 + cos(3.0), 3}), SHAPE(2), .name = "dz/d(x, y)",
                    .formula = "z = x y + sin x");
    }
}

static void backward__matches_the_tensor_tape_on_a_network(void **state)
{
    (void)state;
    Network network;
    network_new(&network);
    calc_backward(network.order, network.count, push_ours);
    network_assert(&network);
}

const struct CMUnitTest push_cases[] = {
    cmocka_unit_test(push__of_add_passes_the_gradient_to_both_operands),
    cmocka_unit_test(push__of_sub_negates_the_gradient_of_b),
    cmocka_unit_test(push__of_mul_multiplies_by_the_other_factor),
    cmocka_unit_test(push__of_div),
    cmocka_unit_test(push__of_exp_and_log),
    cmocka_unit_test(push__of_sin_and_tanh),
    cmocka_unit_test(push__accumulates_twice_when_both_operands_are_the_same_node),
    cmocka_unit_test(push__of_an_input_does_nothing),
    cmocka_unit_test(push__modifies_only_the_grad_of_the_operands),
    cmocka_unit_test(push__matches_the_tensor_tape_on_a_network),
    cmocka_unit_test(push__of_tanh_saturates),
    cmocka_unit_test(push__pushes_again_when_it_is_called_again),
    cmocka_unit_test(push__divides_at_any_magnitude),
    cmocka_unit_test(push__propagates_nan),
    {0},
};

const struct CMUnitTest backward_cases[] = {
    cmocka_unit_test(backward__pushes_each_node_once_in_reverse_order),
    cmocka_unit_test(backward__seeds_the_last_grad_with_1_and_the_others_with_0),
    cmocka_unit_test(backward__handles_one_node_and_none),
    cmocka_unit_test(backward__sums_over_all_paths),
    cmocka_unit_test(backward__matches_the_tensor_tape_on_a_network),
    {0},
};
