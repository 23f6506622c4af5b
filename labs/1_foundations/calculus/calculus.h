/* calculus.h -- what you write in this lab: fourteen functions of a few lines each, all in double.
 *
 * A Curve is a function of one variable, a Field a function of n. Each takes a context pointer for
 * whatever else it needs; your functions pass it through:
 *
 *     double derivative = calc_difference(my_curve, context, 1.0, 1e-5);
 *
 * Only arrays that are not const are modified, and nothing is kept from one call to the next. A NaN in
 * the input propagates to the outputs that depend on it; NaN and infinity must not cause an endless loop.
 */
#pragma once
#include <stdbool.h>
#include "labs/1_foundations/calculus/graph.h"

typedef double Curve(double x, const void *context);
typedef double Field(const double *x, int n, const void *context);

// ---- finite differences ----

// 1. The central difference (f(x + h) - f(x - h)) / 2h. Divides by the distance of the two points
//    after rounding, which is not always exactly 2h. h > 0.
double calc_difference(Curve *f, const void *context, double x, double h);

// 2. The optimal step size h of the central difference: the minimum of  E(h) = noise / h + third h^2 / 6,
//    rounding error plus truncation error.
//    noise > 0: the rounding error of a value of f; third > 0: the magnitude of f''' around x.
double calc_best_step(double noise, double third);

// ---- automatic differentiation: forward mode ----

// 3. One op on dual numbers: the value of  a op b  (or op a), and its derivative, given the values and
//    derivatives of a and b. OP_INPUT returns a. Unary ops ignore b.
typedef struct Dual {
    double value, derivative;
} Dual;

Dual calc_dual(Op op, Dual a, Dual b);

// ---- automatic differentiation: backward mode ----

// 4. Propagates a node's gradient to its operands: accumulates node->grad * d(node)/da into a->grad, and
//    the same for b. Modifies nothing else. An input has no operands. a and b may be the same node; b
//    is NULL for unary ops.
void calc_push(Value *node);

// 5. Topological sort: appends `node` and everything it was computed from to order[count...], each node
//    once and after its operands, and returns the new count. Skips nodes that are already `seen`, and
//    NULL; marks those that it appends as seen.
int calc_order(Value **order, int count, Value *node);

// 6. Backpropagation: the gradient of the last node in the order with respect to every node. Sets every
//    grad to 0 and the last to 1, then calls push() on each node, from the last to the first. count
//    may be 0. `push` is your calc_push, or any other function.
void calc_backward(Value *const *order, int count, void (*push)(Value *node));

// 7. Compares a gradient g [n] with central differences d of step h, one coordinate at a time. Returns
//    the largest of  |g - d| / max(1, |g|, |d|), or NaN when any of these is NaN. Perturbs x, and
//    restores it exactly, also when it returns NaN.
double calc_gradient_check(Field *f, const void *context, double *x, const double *gradient, int n,
                           double h);

// ---- optimization ----

// 8. A step of gradient descent with momentum:  v = mu v + g,  then  x = x - rate v.  All [n].
//    v starts at 0. mu = 0 is plain gradient descent; rate is the learning rate.
void calc_descend(double *x, double *v, const double *g, int n, double rate, double mu);

// 9. A step of Adam (Kingma & Ba 2015, Algorithm 1), with b1 = 0.9, b2 = 0.999, eps = 1e-8:
//        m = b1 m + (1 - b1) g        v = b2 v + (1 - b2) g^2
//        x = x - rate (m / (1 - b1^step)) / (sqrt(v / (1 - b2^step)) + eps)
//    m and v start at 0, step at 1. All [n].
void calc_adam(double *x, double *m, double *v, const double *g, int n, int step, double rate);

// 10. A step of Newton's method in two variables: x = x - H^-1 g, with the Hessian H = {fxx, fxy, fyy}.
//     Returns false and leaves x unchanged when H is singular or not finite. The determinant of an H
//     of 1e200 or 1e-200 is no double, nor need one row be of the size of the other: scale the rows.
bool calc_newton(double x[2], const double g[2], const double H[3]);

// ---- Taylor polynomials and quadrature ----

// 11. The Taylor polynomial of this degree, at distance h from the expansion point:
//         sum_k derivative[k] h^k / k!,   k = 0..degree.        derivative: [degree + 1]
//     The degree may be in the hundreds: k! and h^k would overflow on their own.
double calc_taylor(const double *derivative, int degree, double h);

// 12. Simpson's rule on n equal intervals from a to b, n even and at least 2:
//         w/3 (f0 + 4 f1 + 2 f2 + 4 f3 + ... + 4 f[n-1] + fn),   w = (b - a) / n
//     Evaluates f, which may be expensive, once at each of the n + 1 points.
double calc_simpson(Curve *f, const void *context, double a, double b, int n);

// 13. Adaptive quadrature. With S1 = Simpson's rule on [a,b] with n = 2, and S2 with n = 4, the
//     error of S2 is about (S2 - S1) / 15. If its magnitude is at most `tolerance`, or depth is 0,
//     or it is NaN, returns S2 + (S2 - S1) / 15. Otherwise returns the sum over both halves, each
//     with half the tolerance and depth - 1.
double calc_adaptive(Curve *f, const void *context, double a, double b, double tolerance,
                     int depth);

// ---- constrained optimization ----

// 14. Maximizes  sum_i weight[i] ln x[i]  over x [n], subject to  sum_i price[i] x[i] = budget.  Returns
//     the Lagrange multiplier: the derivative of the maximum with respect to the budget. All weights,
//     prices and the budget are positive.
double calc_lagrange(double *x, const double *weight, const double *price, int n, double budget);
