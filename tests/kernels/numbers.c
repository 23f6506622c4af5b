#include "tests/kernels/numbers.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "common/error.h"
#include "common/rng.h"
#include "tests/guarded.h"

const size_t numbers_sizes[NUMBERS_SIZES] = {0,  1,  3,  4,   7,    8,     15,   16,
                                             17, 31, 97, 257, 1000, 65537, 70001};

double numbers_most = INFINITY;

const float numbers_betas[NUMBERS_BETAS] = {0, 1, 0.5f};

enum { KEPT = 64 };
static Block kept[KEPT];
static int kept_count;

static void *keep(size_t bytes)
{
    REQUIRE(kept_count < KEPT, "more than %d arrays without numbers_free()", KEPT);
    kept[kept_count] = (Block){guarded_new(bytes, 1), bytes};
    return kept[kept_count++].start;
}

void numbers_free(void)
{
    while (kept_count > 0) {
        kept_count--;
        guarded_free(kept[kept_count].start, kept[kept_count].bytes);
    }
}

Block block_of(const void *address)
{
    const char *p = address;
    int i = 0;
    while (i < kept_count && !(p >= kept[i].start && p <= kept[i].start + kept[i].bytes)) i++;
    REQUIRE(i < kept_count, "%p lies in no array of numbers.h", address);
    return kept[i];
}

// Of a fixed row of normal numbers, made once: to draw each anew takes as long as the kernels. Its length
// is a prime, so that no row or tile of an array begins where another one does.
static float normal(size_t i)
{
    enum { NORMALS = 65521 };
    static float row[NORMALS];
    if (row[0] == 0) {
        Rng rng = rng_from_seed(1);
        for (size_t k = 0; k < NORMALS; k++) row[k] = rng_normal(&rng);
    }
    return row[i % NORMALS];
}

// The i-th of an array's.
static float number(Rng *rng, Fill fill, size_t i)
{
    static const float special[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1e-40f, -1e-40f, 3e38f};
    switch (fill) {
    case NORMAL: return normal(i);
    case WIDE: return 30 * normal(i);
    case UNIT: return rng_uniform(rng);
    case SPECIAL: return rng_below(rng, 4) ? normal(i) : special[rng_below(rng, 8)];
    case NANS: return NAN;
    case ZEROS: return 0;
    }
    return 0;
}

float *numbers_new(size_t n, Fill fill)
{
    static uint64_t stream;    // no two arrays alike, every run the same
    Rng rng = rng_stream(1, stream++);
    float *x = keep(n * sizeof *x);
    const size_t start = rng_below(&rng, 1u << 16);
    for (size_t i = 0; i < n; i++) x[i] = number(&rng, fill, start + i);
    return x;
}

int32_t *labels_new(size_t n, int classes)
{
    Rng rng = rng_from_seed(n);
    int32_t *label = keep(n * sizeof *label);
    for (size_t i = 0; i < n; i++) label[i] = (int32_t)rng_below(&rng, (uint32_t)classes);
    return label;
}

void *block_copy(const void *from, size_t bytes)
{
    return memcpy(keep(bytes), from, bytes);
}

float *numbers_copy(const float *x, size_t n)
{
    return block_copy(x, n * sizeof *x);
}

Pair pair_new(size_t n, Fill fill)
{
    float *x = numbers_new(n, fill);
    return (Pair){x, numbers_copy(x, n), n};
}

Pair pair_before(size_t n, float beta)
{
    return pair_new(n, beta == 0 ? NANS : NORMAL);
}

static bool near(float got, float want, double bound)
{
    if (isnan(want)) return isnan(got);
    if (isinf(want)) return got == want;
    return fabs((double)got - (double)want) <= bound;
}

// With sanitizers no loop is vectorized and no product fused: what lanes sum is one long chain there.
#ifdef __SANITIZE_ADDRESS__
enum { CHAIN = 4 };
#else
enum { CHAIN = 1 };
#endif

static void check(const char *what, Pair y, double tolerance, const double *bound)
{
    tolerance *= CHAIN;
    size_t wrong = 0, first = 0;
    for (size_t i = y.n; i-- > 0;) {
        double within = bound ? bound[i] : tolerance * (1 + fabs((double)y.want[i]));
        if (near(y.got[i], y.want[i], within)) continue;
        wrong++;
        first = i;
    }
    if (wrong == 0) return;
    fail_msg("%s: %zu of %zu differ, first [%zu]: got %.9g, want %.9g within %.3g", what, wrong,
             y.n, first, (double)y.got[first], (double)y.want[first],
             bound ? bound[first] : tolerance * (1 + fabs((double)y.want[first])));
}

void pair_check(const char *what, Pair y, double tolerance)
{
    check(what, y, tolerance, NULL);
}

void pair_check_within(const char *what, Pair y, const double *bound)
{
    check(what, y, 0, bound);
}
