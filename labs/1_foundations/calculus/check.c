/* check.c -- the test cases of the exercises. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check calculus
 *     ./lab check calculus.dual
 *
 * Expected values never come from calculus.c: they are closed forms, values computed by hand, and the
 * course's own tensors. A case calls functions of its own exercise only. Every array ends at a guard
 * page.
 */
#include "labs/1_foundations/calculus/check.h"
#include <stdlib.h>
#include "tests/guarded.h"

const CaseList lab_cases[] = {derivative_cases, push_cases,    order_cases, backward_cases,
                              gradient_cases,   descent_cases, sum_cases,   NULL};

Arena *nodes_new(void)
{
    return arena_new("nodes", 2u << 20);
}

Value **empty_order(int n)
{
    Value **order = guarded_new((size_t)n, sizeof *order);
    for (int i = 0; i < n; i++) order[i] = NULL;
    return order;
}

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

Value **order_by_age(Value *result, int *count)
{
    Value **order = malloc(sizeof *order << 16);
    *count = gather(order, 0, result);
    qsort(order, (size_t)*count, sizeof *order, by_age);
    return order;
}
