// Element by element, on every size, in place where the list says so, with every beta, and on NaN and
// infinities.
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"
#include <string.h>

// A product and a sum may be one rounding (fused) or two; a function of ours may be 3 ulp from the
// truth and libm's 1.
#define FUSED    (2 * ROUNDING)
#define FUNCTION (8 * ROUNDING)

enum { CASES = 2 * NUMBERS_SIZES };

// A kernel's call on any table: y from a and b, and from one number behind a pointer.
typedef void Call(const Kernels *k, float *y, const float *a, const float *b, const float *one,
                  float beta, size_t n);

typedef enum InPlace { NEVER, BETA_0, ALWAYS } InPlace;    // when y may be a

// How a and b are filled, in two rounds.
typedef struct Fills {
    Fill a[2], b[2];
} Fills;

static const Fills plain = {{NORMAL, SPECIAL}, {NORMAL, SPECIAL}},
                   wide = {{WIDE, SPECIAL}, {UNIT, SPECIAL}},
                   slopes = {{NORMAL, NORMAL},
                             {NORMAL, SPECIAL}},    // 3e38 (1 - y^2) has few digits
    gates = {{NORMAL, NORMAL}, {WIDE, SPECIAL}};

static void check_call(const char *name, Call *call, const Kernels *table, Fills fills, int betas,
                       InPlace in_place, double tolerance)
{
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n = numbers_sizes[i / 2];
        if ((double)n > numbers_most) continue;
        const float *a = numbers_new(n, fills.a[i % 2]), *b = numbers_new(n, fills.b[i % 2]);
        const float *one = numbers_copy(&(float){-1.7f}, 1);
        for (int j = 0; j < betas; j++) {
            const float beta = numbers_betas[j];
            Pair y = pair_before(n, beta);
            call(&kernels_ref, y.want, a, b, one, beta, n);
            call(table, y.got, a, b, one, beta, n);
            pair_check(name, y, tolerance);

            if (in_place == NEVER || (in_place == BETA_0 && beta != 0)) continue;
            Pair x = {numbers_copy(a, n), numbers_copy(a, n), n};
            call(&kernels_ref, x.want, a, b, one, beta, n);
            call(table, x.got, x.got, b, one, beta, n);
            pair_check(name, x, tolerance);
        }
    }
}

#define CHECK(name, arguments, ...)                                                                \
    static void call_##name(const Kernels *k, float *y, const float *a, const float *b,            \
                            const float *one, float beta, size_t n)                                \
    {                                                                                              \
        (void)a, (void)b, (void)one, (void)beta;                                                   \
        k->name arguments;                                                                         \
    }                                                                                              \
    void check_##name(const Kernels *table)                                                        \
    {                                                                                              \
        check_call(#name, call_##name, table, __VA_ARGS__);                                        \
    }

enum { NO_BETA = 1, BETAS = NUMBERS_BETAS };

// clang-format off
CHECK(fill,         (y, *one, n),                  plain, NO_BETA, NEVER,  0)
CHECK(add,          (y, a, b, n),                  plain, NO_BETA, ALWAYS, 0)
CHECK(mul,          (y, a, b, beta, n),            plain, BETAS,   ALWAYS, 4 * FUSED)
CHECK(axpby,        (y, a, -1.7f, beta, n),        plain, BETAS,   ALWAYS, 4 * FUSED)
CHECK(axpby_scalar, (y, a, one, beta, n),          plain, BETAS,   ALWAYS, 4 * FUSED)
CHECK(relu,         (y, a, n),                     plain, NO_BETA, ALWAYS, 0)
CHECK(exp,          (y, a, n),                     wide,  NO_BETA, ALWAYS, FUNCTION)
CHECK(sigmoid,      (y, a, n),                     wide,  NO_BETA, ALWAYS, FUNCTION)
CHECK(tanh,         (y, a, n),                     wide,  NO_BETA, ALWAYS, FUNCTION)
CHECK(relu_backward,    (y, a, b, beta, n),        slopes, BETAS, BETA_0, FUSED)
CHECK(sigmoid_backward, (y, a, b, beta, n),        slopes, BETAS, BETA_0, 32 * FUSED)    // terms up to about 10
CHECK(tanh_backward,    (y, a, b, beta, n),        slopes, BETAS, BETA_0, 32 * FUSED)    // that may cancel
CHECK(squared_error_backward, (y, one, 0.3f, a, b, beta, n), plain, BETAS, NEVER, 4 * FUSED)
CHECK(bce_logits_backward,    (y, one, 0.3f, a, b, beta, n), wide,  BETAS, NEVER, FUNCTION)
// Terms of a slope may cancel, and a tail's are tiny: what counts is the size of x.
CHECK(gelu,          (y, a, n),                    wide,  NO_BETA, ALWAYS, FUNCTION)
CHECK(gelu_erf,      (y, a, n),                    wide,  NO_BETA, ALWAYS, FUNCTION)
CHECK(silu,          (y, a, n),                    wide,  NO_BETA, ALWAYS, FUNCTION)
CHECK(gelu_backward,     (y, a, b, beta, n),       gates, BETAS, BETA_0, 8 * FUNCTION)
CHECK(gelu_erf_backward, (y, a, b, beta, n),       gates, BETAS, BETA_0, 8 * FUNCTION)
CHECK(silu_backward,     (y, a, b, beta, n),       gates, BETAS, BETA_0, 8 * FUNCTION)
// clang-format on

// Each size but the largest is a row's half, of three rows.
static void call_swiglu(const Kernels *k, float *y, const float *x, const float *dy, float beta,
                        size_t n)
{
    if (dy == NULL) k->swiglu(y, x, 3, (int)n);
    else k->swiglu_backward(y, dy, x, beta, 3, (int)n);
}

void check_swiglu(const Kernels *table)
{
    for (int i = 0; i < CASES - 4; i++, numbers_free()) {
        const size_t n = numbers_sizes[i / 2];
        const float *x = numbers_new(6 * n, i % 2 ? SPECIAL : WIDE);
        Pair y = pair_new(3 * n, NANS);
        call_swiglu(&kernels_ref, y.want, x, NULL, 0, n);
        call_swiglu(table, y.got, x, NULL, 0, n);
        pair_check("swiglu", y, FUNCTION);
    }
}

void check_swiglu_backward(const Kernels *table)
{
    for (int i = 0; i < (CASES - 4) * NUMBERS_BETAS; i++, numbers_free()) {
        const size_t n = numbers_sizes[i / 2 / NUMBERS_BETAS];
        const float beta = numbers_betas[i / 2 % NUMBERS_BETAS];
        float *x = numbers_new(6 * n, NORMAL);
        const float *gate = numbers_new(n, i % 2 ? SPECIAL : WIDE),
                    *dy = numbers_new(3 * n, NORMAL);
        for (size_t r = 0; r < 3; r++)    // 3e38 times a slope has few digits: gates alone
            memcpy(x + 2 * r * n, gate, n * sizeof *x);
        Pair dx = pair_before(6 * n, beta);
        call_swiglu(&kernels_ref, dx.want, x, dy, beta, n);
        call_swiglu(table, dx.got, x, dy, beta, n);
        pair_check("swiglu_backward", dx, 32 * FUSED);
    }
}

// ---- optimizers

void check_clip_scale(const Kernels *table)
{
    for (int i = 0; i < 6 * NUMBERS_SIZES; i++, numbers_free()) {
        const size_t n = numbers_sizes[i / 6];
        if ((double)n > numbers_most) continue;
        float *g = numbers_new(n, i % 2 ? SPECIAL : UNIT);
        const float max_norm = i % 3 ? 0.5f : 0;
        Pair clip = pair_new(2, NANS);
        kernels_ref.clip_scale(clip.want, g, n, max_norm);
        table->clip_scale(clip.got, g, n, max_norm);
        pair_check("clip_scale", clip, 4 * ROUNDING);
    }
}

// Parts of n elements, each with its own rate and decay: two are empty, two end past n.
enum { SPANS = 6 };
static const Span *spans_of(size_t n)
{
    const Span spans[SPANS] = {{0, 9, 9},        {n / 3, 1, 0.01f},
                               {n / 3, 9, 9},    {n - n / 4, 0.5f, 0},
                               {n + 7, 2, 0.1f}, {n + 9, 9, 9}};
    return block_copy(spans, sizeof spans);
}

void check_sgd_step(const Kernels *table)
{
    const SgdStep step = {.learning_rate = 0.1f, .momentum = 0.9f};
    for (int i = 0; i < 2 * CASES; i++, numbers_free()) {
        const size_t n = numbers_sizes[i / 4];
        if ((double)n > numbers_most) continue;
        const float *scale = i % 2 ? numbers_copy(&(float){0.5f}, 1) : NULL;
        const Span *spans = spans_of(n);
        Pair p = pair_new(n, NORMAL), v = pair_new(n, NORMAL),
             g = pair_new(n, i / 2 % 2 ? SPECIAL : NORMAL);
        kernels_ref.sgd_step(p.want, v.want, g.want, scale, spans, SPANS, n, step);
        table->sgd_step(p.got, v.got, g.got, scale, spans, SPANS, n, step);
        pair_check("sgd_step: p", p, 8 * FUSED);
        pair_check("sgd_step: v", v, 8 * FUSED);
        pair_check("sgd_step: g", g, 0);
    }
}

void check_adam_step(const Kernels *table)
{
    const AdamStep step = {.learning_rate = 0.1f,
                           .beta1 = 0.9f,
                           .beta2 = 0.99f,
                           .epsilon = 1e-6f,
                           .correction1 = 0.271f,
                           .correction2 = 0.029701f};
    for (int i = 0; i < 2 * CASES; i++, numbers_free()) {
        const size_t n = numbers_sizes[i / 4];
        if ((double)n > numbers_most) continue;
        const float *scale = i % 2 ? numbers_copy(&(float){0.5f}, 1) : NULL;
        const Span *spans = spans_of(n);
        Pair p = pair_new(n, NORMAL), m = pair_new(n, NORMAL), v = pair_new(n, UNIT);
        Pair g = pair_new(n, i / 2 % 2 ? SPECIAL : NORMAL);
        kernels_ref.adam_step(p.want, m.want, v.want, g.want, scale, spans, SPANS, n, step);
        table->adam_step(p.got, m.got, v.got, g.got, scale, spans, SPANS, n, step);
        pair_check("adam_step: p", p, 32 * FUSED);
        pair_check("adam_step: m", m, 4 * FUSED);
        pair_check("adam_step: v", v, 4 * FUSED);
        pair_check("adam_step: g", g, 0);
    }
}
