/* calculus.c -- the mathematics of the lab; calculus.h says what each function promises. */
#include "labs/1_foundations/calculus/calculus.h"
#include <math.h>

double calc_difference(Curve *f, const void *context, double x, double h)
{
    // solution difference
    double left = x - h, right = x + h;
    return (f(right, context) - f(left, context)) / (right - left);
    // end difference
}

double calc_best_step(double noise, double third)
{
    // solution best_step
    return cbrt(3 * noise / third);
    // end best_step
}

Dual calc_dual(Op op, Dual a, Dual b)
{
    // solution dual
    double u = a.value, v = b.value, du = a.derivative, dv = b.derivative;
    switch (op) {
    case OP_ADD: return (Dual){u + v, du + dv};
    case OP_SUB: return (Dual){u - v, du - dv};
    case OP_MUL: return (Dual){u * v, du * v + u * dv};
    case OP_DIV: return (Dual){u / v, (du - u / v * dv) / v};
    case OP_EXP: return (Dual){exp(u), exp(u) * du};
    case OP_LOG: return (Dual){log(u), du / u};
    case OP_SIN: return (Dual){sin(u), cos(u) * du};
    case OP_TANH: return (Dual){tanh(u), (1 - tanh(u) * tanh(u)) * du};
    default: return a;
    }
    // end dual
}

void calc_push(Value *node)
{
    // solution push
    Value *a = node->a, *b = node->b;
    double g = node->grad;
    switch (node->op) {
    case OP_ADD:
        a->grad += g;
        b->grad += g;
        break;
    case OP_SUB:
        a->grad += g;
        b->grad -= g;
        break;
    case OP_MUL:
        a->grad += g * b->data;
        b->grad += g * a->data;
        break;
    case OP_DIV:
        a->grad += g / b->data;
        b->grad -= g * node->data / b->data;
        break;
    case OP_EXP: a->grad += g * node->data; break;
    case OP_LOG: a->grad += g / a->data; break;
    case OP_SIN: a->grad += g * cos(a->data); break;
    case OP_TANH: a->grad += g * (1 - node->data * node->data); break;
    default: break;
    }
    // end push
}

int calc_order(Value **order, int count, Value *node)
{
    // solution order
    if (node == NULL || node->seen) return count;
    node->seen = true;
    count = calc_order(order, count, node->a);
    count = calc_order(order, count, node->b);
    order[count] = node;
    return count + 1;
    // end order
}

void calc_backward(Value *const *order, int count, void (*push)(Value *node))
{
    // solution backward
    for (int i = 0; i < count; i++) order[i]->grad = i == count - 1 ? 1 : 0;
    for (int i = count - 1; i >= 0; i--) push(order[i]);
    // end backward
}

double calc_gradient_check(Field *f, const void *context, double *x, const double *gradient, int n,
                           double h)
{
    // solution gradient_check
    double worst = 0;
    for (int i = 0; i < n; i++) {
        double here = x[i], g = gradient[i];
        x[i] = here + h;
        double right = f(x, n, context);
        x[i] = here - h;
        double left = f(x, n, context);
        x[i] = here;
        double d = (right - left) / (2 * h);
        double error = fabs(g - d) / fmax(1, fmax(fabs(g), fabs(d)));
        if (isnan(error)) return NAN;
        worst = fmax(worst, error);
    }
    return worst;
    // end gradient_check
}

void calc_descend(double *x, double *v, const double *g, int n, double rate, double mu)
{
    // solution descend
    for (int i = 0; i < n; i++) {
        v[i] = mu * v[i] + g[i];
        x[i] -= rate * v[i];
    }
    // end descend
}

void calc_adam(double *x, double *m, double *v, const double *g, int n, int step, double rate)
{
    // solution adam
    const double b1 = 0.9, b2 = 0.999, eps = 1e-8;
    double seen1 = 1 - pow(b1, step), seen2 = 1 - pow(b2, step);
    for (int i = 0; i < n; i++) {
        m[i] = b1 * m[i] + (1 - b1) * g[i];
        v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
        x[i] -= rate * (m[i] / seen1) / (sqrt(v[i] / seen2) + eps);
    }
    // end adam
}

bool calc_newton(double x[2], const double g[2], const double H[3])
{
    // solution newton
    // Each row by a power of 2 near its largest element: exact, and no product is out of range.
    double r = scalbn(1, ilogb(fmax(fabs(H[0]), fabs(H[1]))));
    double s = scalbn(1, ilogb(fmax(fabs(H[1]), fabs(H[2]))));
    double xx = H[0] / r, xy = H[1] / r, yx = H[1] / s, yy = H[2] / s, det = xx * yy - xy * yx;
    if (det == 0 || !isfinite(det)) return false;
    double gx = g[0] / r, gy = g[1] / s;
    x[0] -= (yy * gx - xy * gy) / det;
    x[1] -= (xx * gy - yx * gx) / det;
    return true;
    // end newton
}

double calc_taylor(const double *derivative, int degree, double h)
{
    // solution taylor
    double sum = derivative[degree];
    for (int k = degree; k > 0; k--) sum = derivative[k - 1] + sum * h / k;
    return sum;
    // end taylor
}

double calc_simpson(Curve *f, const void *context, double a, double b, int n)
{
    // solution simpson
    double width = (b - a) / n, sum = f(a, context) + f(b, context);
    for (int i = 1; i < n; i++) sum += (i % 2 == 1 ? 4 : 2) * f(a + i * width, context);
    return sum * width / 3;
    // end simpson
}

double calc_adaptive(Curve *f, const void *context, double a, double b, double tolerance, int depth)
{
    // solution adaptive
    double middle = (a + b) / 2, width = b - a;
    double fa = f(a, context), fl = f((a + middle) / 2, context), fm = f(middle, context),
           fr = f((middle + b) / 2, context), fb = f(b, context);
    double whole = width / 6 * (fa + 4 * fm + fb);
    double halves = width / 12 * (fa + 4 * fl + 2 * fm + 4 * fr + fb);
    double error = (halves - whole) / 15;
    if (depth == 0 || !(fabs(error) > tolerance)) return halves + error;
    return calc_adaptive(f, context, a, middle, tolerance / 2, depth - 1) +
           calc_adaptive(f, context, middle, b, tolerance / 2, depth - 1);
    // end adaptive
}

double calc_lagrange(double *x, const double *weight, const double *price, int n, double budget)
{
    // solution lagrange
    double total = 0;
    for (int i = 0; i < n; i++) total += weight[i];
    for (int i = 0; i < n; i++) x[i] = budget * (weight[i] / total) / price[i];
    return total / budget;
    // end lagrange
}
