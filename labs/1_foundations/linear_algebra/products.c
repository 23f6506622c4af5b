#include <time.h>
#include "common/rng.h"
#include "labs/1_foundations/linear_algebra/linear_algebra.h"
#include "labs/1_foundations/linear_algebra/matrix.h"
#include "labs/1_foundations/linear_algebra/story.h"

typedef void Product(double *c, const double *a, const double *b, int m, int n, int k);

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// The best of three: what disturbs a measurement only ever adds to it.
static double seconds_of(Product *product, double *c, const double *a, const double *b, int n)
{
    double best = INFINITY;
    for (int i = 0; i < 3; i++) {
        double start = now();
        product(c, a, b, n, n, n);
        best = fmin(best, now() - start);
    }
    return best;
}

bool part_products(void *lab, Error *err)
{
    (void)err;
    const Experiment *experiment = lab;
    int n = experiment->size;
    size_t all = (size_t)n * (size_t)n;
    Arena *step = experiment->step;
    Rng rng = rng_stream(experiment->run->seed, 1);
    double *a = matrix_new(step, n, n), *b = matrix_new(step, n, n);
    double *c = matrix_new(step, n, n), *d = matrix_new(step, n, n), worst = 0;
    for (size_t i = 0; i < all; i++)
        a[i] = (double)rng_normal(&rng), b[i] = (double)rng_normal(&rng);

    double plain = seconds_of(la_matmul, c, a, b, n),
           blocked = seconds_of(la_matmul_blocked, d, a, b, n);
    double work = 2e-9 * (double)all * n;
    for (size_t i = 0; i < all; i++) worst = fmax(worst, fabs(c[i] - d[i]));
    run_print(experiment->run, "%d x %d times %d x %d", n, n, n, n);
    Table table = table_new(step, "method|time [ms]|GFLOP/s|speedup");
    table_row(&table, "by the definition|%.2f|%.2f|", 1e3 * plain, work / plain);
    table_row(&table, "by blocks and tiles|%.2f|%.2f|%.1f", 1e3 * blocked, work / blocked,
              plain / blocked);
    run_table(experiment->run, &table);
    run_print(experiment->run, "largest difference %.1e: the same sums, added in another order",
              worst);
    return true;
}
