/* calculus.h -- what you write in this lab: fourteen functions of a few lines each, all in double.
 *
 * A curve is a function of one number, a field a function of n. Each gets the context it is called
 * with, for whatever else it needs; yours only hand it on:
 *
 *     double slope = calc_difference(my_curve, context, 1.0, 1e-5);
 *
 * An array that is not const is written, and no other. NaN and infinity are numbers: what comes in
 * may come out, but no loop may go on for ever because of it.
 */
#pragma once
#include <stdbool.h>
#include "labs/1_foundations/calculus/graph.h"

typedef double Curve(double x, const void *context);
typedef double Field(const double *x, int n, const void *context);

// ---- slopes by small steps ----

// 1. The central difference: the slope of f between x - h and x + h. Divides by the distance that
//    these two numbers have after they were rounded, which is not always 2h. h > 0.
double calc_difference(Curve *f, const void *context, double x, double h);

// 2. The step h at which the central difference is best: where  E(h) = noise / h + third h^2 / 6,
//    rounding and curvature together, is smallest.
//    noise > 0: how far a value of f may be off; third > 0: the size of f''' around x.
double calc_best_step(double noise, double third);

// ---- slopes by the rules: forward ----

// 3. One step of a computation, carried out on dual numbers: the value of  a op b  (or op a), and
//    its slope, when a and b have these values and move with these slopes.
//    OP_INPUT gives a back. Ops of one operand do not look at b.
typedef struct Dual {
    double value, slope;
} Dual;

Dual calc_dual(Op op, Dual a, Dual b);

// ---- slopes by the rules: backward ----

// 4. Hands a node's gradient on to its operands: adds to a->grad and to b->grad how fast the result
//    grows with each, when it grows node->grad times as fast as the node. Nothing else changes.
//    An input has no operands. a and b may be the same node; b is NULL for ops of one operand.
void calc_push(Value *node);

// 5. Appends `node` and all that it was computed from to order[count...], each node once and after
//    its operands, and returns the new count. A node that is `seen` already is there and is left
//    out; those that are appended become seen. NULL is nobody.
int calc_order(Value **order, int count, Value *node);

// 6. The gradients of the last node in the order with respect to all of them: every grad is set to
//    0, the last one's to 1, and then each node pushes, from the last to the first. An order of 0
//    nodes is fine. `push` is your calc_push, or another that somebody brings.
void calc_backward(Value *const *order, int count, void (*push)(Value *node));

// 7. Holds a gradient [n] against central differences of step h, in each direction alone. Returns
//    the largest of  |g - d| / max(1, |g|, |d|), or NaN when any of these is NaN. x is moved
//    for that, and at the end holds exactly what it held.
double calc_gradient_check(Field *f, const void *context, double *x, const double *gradient, int n,
                           double h);

// ---- downhill ----

// 8. A step of gradient descent with momentum:  v = mu v + g,  then  x = x - rate v.  All [n].
//    v starts at 0. With mu = 0 this is plain gradient descent.
void calc_descend(double *x, double *v, const double *g, int n, double rate, double mu);

// 9. A step of Adam (Kingma & Ba 2015, Algorithm 1), with b1 = 0.9, b2 = 0.999, eps = 1e-8:
//        m = b1 m + (1 - b1) g        v = b2 v + (1 - b2) g^2
//        x = x - rate (m / (1 - b1^step)) / (sqrt(v / (1 - b2^step)) + eps)
//    m and v start at 0, step at 1. All [n].
void calc_adam(double *x, double *m, double *v, const double *g, int n, int step, double rate);

// 10. A step of Newton in the plane: x = x - H^-1 g, where H = {fxx, fxy, fyy}.
//     False, and x as it was, when the determinant of H is 0 or not a finite number.
bool calc_newton(double x[2], const double g[2], const double H[3]);

// ---- sums that stand for functions ----

// 11. The Taylor polynomial of this degree, at a distance h from where the derivatives are known:
//         sum_k derivative[k] h^k / k!,   k = 0..degree.        derivative: [degree + 1]
//     The degree may be in the hundreds: no k! and no h^k by itself, they overflow.
double calc_taylor(const double *derivative, int degree, double h);

// 12. Simpson's rule on n equal pieces from a to b, n even and at least 2:
//         w/3 (f0 + 4 f1 + 2 f2 + 4 f3 + ... + 4 f[n-1] + fn),   w = (b - a) / n
//     f may be costly: it is asked once at each of the n + 1 places.
double calc_simpson(Curve *f, const void *context, double a, double b, int n);

// 13. Adaptive quadrature. With S1 = Simpson's rule on [a,b] with n = 2, and S2 with n = 4, the
//     error of S2 is about (S2 - S1) / 15. Where that is at most `tolerance`, or depth is 0, or it
//     is NaN, returns S2 + (S2 - S1) / 15. Otherwise the sum of both halves, each with half the
//     tolerance and one less depth.
double calc_adaptive(Curve *f, const void *context, double a, double b, double tolerance,
                     int depth);

// ---- downhill along a wall ----

// 14. Spends a budget: the x [n] that makes  sum_i weight[i] ln x[i]  largest among those with
//     sum_i price[i] x[i] = budget.  Returns the multiplier: how much the sum grows for each unit
//     that the budget grows. All weights, prices and the budget are positive.
double calc_lagrange(double *x, const double *weight, const double *price, int n, double budget);
