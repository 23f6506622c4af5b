/* linear_algebra.c -- the reference solutions; linear_algebra.h is their contract. */
#include "labs/1_foundations/linear_algebra/linear_algebra.h"
#include <string.h>

// ---- provided: tools for the exercises below ----

// Compiles the function once for each instruction set; the best is chosen when the program starts,
// before sanitizers are ready.
#if defined __x86_64__ && defined __linux__ && !defined __SANITIZE_ADDRESS__ && !defined __clang__
#define EACH_MACHINE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EACH_MACHINE
#endif

// Before a loop over a tile: unrolled, its array can live in registers.
#define UNROLL _Pragma("GCC unroll 8")

static int min(int a, int b)
{
    return a < b ? a : b;
}

// Packs an m x k block of A into strips of TILE_ROWS rows, column by column: the order in which
// la_tile reads. Rows past the edge of A are 0. `row` is the length of a row of A.
static void pack_rows(double *strips, const double *a, int row, int m, int k)
{
    for (int first = 0; first < m; first += TILE_ROWS)
        for (int p = 0; p < k; p++)
            for (int i = first; i < first + TILE_ROWS; i++)
                *strips++ = i < m ? a[(size_t)i * row + p] : 0;
}

// Packs a k x n block of B into panels of TILE_COLUMNS columns, each row by row.
static void pack_columns(double *panels, const double *b, int row, int k, int n)
{
    for (int first = 0; first < n; first += TILE_COLUMNS)
        for (int p = 0; p < k; p++)
            for (int j = first; j < first + TILE_COLUMNS; j++)
                *panels++ = j < n ? b[(size_t)p * row + j] : 0;
}

// c [m,n] += strips panels, tile by tile; tiles that cross the edge of C go through a buffer.
static void multiply_blocks(double *c, int row, const double *strips, const double *panels, int m,
                            int n, int k)
{
    for (int j = 0; j < n; j += TILE_COLUMNS)
        for (int i = 0; i < m; i += TILE_ROWS) {
            const double *a = strips + (size_t)i * k, *b = panels + (size_t)j * k;
            int rows = min(TILE_ROWS, m - i), columns = min(TILE_COLUMNS, n - j);
            double *out = c + (size_t)i * row + j;
            for (int r = 0; r < rows; r++) {    // prefetch: its rows lie far apart
                __builtin_prefetch(out + (size_t)r * row, 1);
                __builtin_prefetch(out + (size_t)r * row + columns - 1, 1);
            }
            if (rows == TILE_ROWS && columns == TILE_COLUMNS) {
                la_tile(out, (size_t)row, a, b, k);
                continue;
            }
            double tile[TILE_ROWS * TILE_COLUMNS] = {0};
            la_tile(tile, TILE_COLUMNS, a, b, k);
            for (int r = 0; r < rows; r++)
                for (int s = 0; s < columns; s++)
                    out[(size_t)r * row + s] += tile[r * TILE_COLUMNS + s];
        }
}

static double dot(const double *x, const double *y, int n)
{
    double sum[4] = {0};    // four independent sums
    int i = 0;
    for (; i + 4 <= n; i += 4)
        for (int lane = 0; lane < 4; lane++) sum[lane] += x[i + lane] * y[i + lane];
    for (; i < n; i++) sum[0] += x[i] * y[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// The power of 2 just below the largest absolute value of n elements, `stride` apart; 1 for zeros.
// To divide by it is exact, and the squares then neither overflow nor vanish.
static double scale_of(const double *x, size_t n, size_t stride)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(x[i * stride]));
    return largest > 0 ? scalbn(1, ilogb(largest)) : 1;
}

// Divides them by it and returns it.
static double rescale(double *x, size_t n, size_t stride)
{
    double scale = scale_of(x, n, stride);
    for (size_t i = 0; i < n; i++) x[i * stride] /= scale;
    return scale;
}

// Replaces x by c x - s y and y by s x + c y, over n elements `stride` apart: 1 for rows of a
// matrix, the length of a row for its columns.
static void rotate(double *x, double *y, int stride, int n, double c, double s)
{
    for (size_t i = 0, end = (size_t)n * (size_t)stride; i < end; i += (size_t)stride) {
        double held = x[i];
        x[i] = c * held - s * y[i];
        y[i] = s * held + c * y[i];
    }
}

static void swap(double *x, double *y, int n)
{
    for (int i = 0; i < n; i++) {
        double held = x[i];
        x[i] = y[i];
        y[i] = held;
    }
}

static void set_identity(double *a, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) a[(size_t)i * n + j] = i == j;
}

// In descending order, with the rows of x [n,width] and of y [n,height]; y may be NULL.
static void sort_descending(double *values, int n, double *x, int width, double *y, int height)
{
    for (int k = 0; k < n; k++) {
        int best = k;
        for (int i = k + 1; i < n; i++)
            if (values[i] > values[best]) best = i;
        swap(values + k, values + best, 1);
        swap(x + (size_t)k * width, x + (size_t)best * width, width);
        if (y != NULL) swap(y + (size_t)k * height, y + (size_t)best * height, height);
    }
}

// ---- the exercises ----

void la_matmul(double *c, const double *a, const double *b, int m, int n, int k)
{
    // solution matmul
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int p = 0; p < k; p++) sum += a[(size_t)i * k + p] * b[(size_t)p * n + j];
            c[(size_t)i * n + j] = sum;
        }
    // end matmul
}

// clang-format off: it does not know UNROLL
EACH_MACHINE void la_tile(double *c, size_t row, const double *a, const double *b, int k)
{
    // solution tile
    Vector sum[TILE_ROWS][TILE_VECTORS] = {{{0}}};
    for (int p = 0; p < k; p++, a += TILE_ROWS, b += TILE_COLUMNS) {
        const Vector *columns = (const Vector *)b;
        UNROLL
        for (int i = 0; i < TILE_ROWS; i++) UNROLL
        for (int j = 0; j < TILE_VECTORS; j++) sum[i][j] += a[i] * columns[j];
    }
    UNROLL
    for (int i = 0; i < TILE_ROWS; i++) UNROLL
    for (int j = 0; j < TILE_VECTORS; j++)
        *(Vector *)(c + (size_t)i * row + j * VECTOR) += sum[i][j];
    // end tile
}
// clang-format on

void la_matmul_blocked(double *c, const double *a, const double *b, int m, int n, int k)
{
    // solution matmul_blocked
    double strips[BLOCK_ROWS * BLOCK_DEPTH], panels[BLOCK_DEPTH * BLOCK_COLUMNS];
    for (size_t i = 0; i < (size_t)m * n; i++) c[i] = 0;
    for (int p = 0; p < k; p += BLOCK_DEPTH)
        for (int j = 0; j < n; j += BLOCK_COLUMNS) {
            int depth = min(BLOCK_DEPTH, k - p), width = min(BLOCK_COLUMNS, n - j);
            pack_columns(panels, b + (size_t)p * n + j, n, depth, width);
            for (int i = 0; i < m; i += BLOCK_ROWS) {
                int height = min(BLOCK_ROWS, m - i);
                pack_rows(strips, a + (size_t)i * k + p, k, height, depth);
                multiply_blocks(c + (size_t)i * n + j, n, strips, panels, height, width, depth);
            }
        }
    // end matmul_blocked
}

int la_lu(double *a, int *pivot, int n)
{
    // solution lu
    int singular = 0;
    for (int k = 0; k < n; k++) {
        double *top = a + (size_t)k * n;
        pivot[k] = k;
        for (int i = k + 1; i < n; i++)
            if (fabs(a[(size_t)i * n + k]) > fabs(a[(size_t)pivot[k] * n + k])) pivot[k] = i;
        swap(top, a + (size_t)pivot[k] * n, n);
        if (top[k] == 0 && singular == 0) singular = k + 1;
        for (int i = k + 1; i < n && top[k] != 0; i++) {
            double *row = a + (size_t)i * n;
            double factor = row[k] /= top[k];
            for (int j = k + 1; j < n; j++) row[j] -= factor * top[j];
        }
    }
    return singular;
    // end lu
}

void la_lu_solve(double *x, const double *lu, const int *pivot, const double *b, int n)
{
    // solution lu_solve
    for (int i = 0; i < n; i++) x[i] = b[i];
    for (int i = 0; i < n; i++) swap(x + i, x + pivot[i], 1);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) x[i] -= lu[(size_t)i * n + j] * x[j];
    for (int i = n - 1; i >= 0; i--) {
        for (int j = i + 1; j < n; j++) x[i] -= lu[(size_t)i * n + j] * x[j];
        x[i] /= lu[(size_t)i * n + i];
    }
    // end lu_solve
}

void la_qr(double *a, double *tau, int m, int n)
{
    // solution qr
    for (int k = 0; k < min(m, n); k++) {
        double *top = a + (size_t)k * n, squares = 0;
        double scale = rescale(top + k, (size_t)(m - k), (size_t)n);
        for (int i = k; i < m; i++) squares += a[(size_t)i * n + k] * a[(size_t)i * n + k];
        tau[k] = 0;
        if (squares == 0) continue;
        double beta = top[k] > 0 ? -sqrt(squares) : sqrt(squares);
        double v0 = top[k] - beta;    // same signs: no cancellation
        tau[k] = -v0 / beta;
        top[k] = beta * scale;
        for (int i = k + 1; i < m; i++) a[(size_t)i * n + k] /= v0;
        for (int j = k + 1; j < n; j++) {
            double sum = top[j];
            for (int i = k + 1; i < m; i++) sum += a[(size_t)i * n + k] * a[(size_t)i * n + j];
            top[j] -= tau[k] * sum;
            for (int i = k + 1; i < m; i++)
                a[(size_t)i * n + j] -= tau[k] * sum * a[(size_t)i * n + k];
        }
    }
    // end qr
}

bool la_least_squares(double *x, double *y, const double *qr, const double *tau, const double *b,
                      int m, int n)
{
    // solution least_squares
    double largest = 0;
    for (int i = 0; i < m; i++) y[i] = b[i];
    for (int k = 0; k < n; k++) {
        double sum = y[k];
        for (int i = k + 1; i < m; i++) sum += qr[(size_t)i * n + k] * y[i];
        y[k] -= tau[k] * sum;
        for (int i = k + 1; i < m; i++) y[i] -= tau[k] * sum * qr[(size_t)i * n + k];
        largest = fmax(largest, fabs(qr[(size_t)k * n + k]));
    }
    for (int i = n - 1; i >= 0; i--) {
        double diagonal = qr[(size_t)i * n + i];
        if (!(fabs(diagonal) > m * DBL_EPSILON * largest)) return false;
        x[i] = y[i];
        for (int j = i + 1; j < n; j++) x[i] -= qr[(size_t)i * n + j] * x[j];
        x[i] /= diagonal;
    }
    return true;
    // end least_squares
}

int la_power(double *value, double *x, double *y, const double *a, int n, int max_iterations,
             double tolerance)
{
    // solution power
    for (int iteration = 1; iteration <= max_iterations; iteration++) {
        rescale(x, (size_t)n, 1);
        double norm = sqrt(dot(x, x, n)), squares = 0;
        for (int i = 0; i < n; i++) x[i] /= norm;
        for (int i = 0; i < n; i++) y[i] = dot(a + (size_t)i * n, x, n);
        *value = dot(x, y, n);
        double scale = scale_of(y, (size_t)n, 1);
        for (int i = 0; i < n; i++) {
            double residual = (y[i] - *value * x[i]) / scale;
            squares += residual * residual;
        }
        if (scale * sqrt(squares) <= tolerance * fabs(*value)) return iteration;
        memcpy(x, y, sizeof *x * (size_t)n);
    }
    return 0;
    // end power
}

void la_rotation(double *c, double *s, double xx, double xy, double yy)
{
    // solution rotation
    *c = 1;
    *s = 0;
    if (xy == 0) return;
    double z = (yy / 2 - xx / 2) / xy;    // yy - xx and 2 xy may overflow
    double t = 1 / (fabs(z) + hypot(1, z));
    if (z < 0) t = -t;
    *c = 1 / hypot(1, t);
    *s = t * *c;
    // end rotation
}

int la_eigen(double *values, double *vectors, double *a, int n)
{
    // solution eigen
    double scale = rescale(a, (size_t)n * (size_t)n, 1);
    double threshold = DBL_EPSILON * sqrt(dot(a, a, n * n)) / n;
    set_identity(vectors, n);
    for (int sweep = 1; sweep <= SWEEPS; sweep++) {
        int rotations = 0;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++) {
                double *x = a + (size_t)p * n, *y = a + (size_t)q * n, c, s;
                if (fabs(x[q]) <= threshold) continue;
                la_rotation(&c, &s, x[p], x[q], y[q]);
                rotate(x, y, 1, n, c, s);
                rotate(a + p, a + q, n, n, c, s);
                rotate(vectors + (size_t)p * n, vectors + (size_t)q * n, 1, n, c, s);
                rotations++;
            }
        for (int i = 0; i < n; i++) values[i] = scale * a[(size_t)i * n + i];
        if (rotations > 0) continue;
        sort_descending(values, n, vectors, n, NULL, 0);
        return sweep;
    }
    return -1;
    // end eigen
}

int la_svd(double *ut, double *s, double *vt, const double *a, int m, int n)
{
    // solution svd
    bool tall = m >= n;
    int k = min(m, n), l = tall ? m : n;
    double *w = tall ? ut : vt,
           *r = tall ? vt : ut;    // [k,l] becomes s u or s v; [k,k] the rotations
    for (size_t i = 0; i < (size_t)m; i++)
        for (size_t j = 0; j < (size_t)n; j++) w[tall ? j * m + i : i * n + j] = a[i * n + j];
    double scale = rescale(w, (size_t)k * (size_t)l, 1);
    set_identity(r, k);
    for (int sweep = 1; sweep <= SWEEPS; sweep++) {
        int rotations = 0;
        for (int p = 0; p < k; p++)
            for (int q = p + 1; q < k; q++) {
                double *x = w + (size_t)p * l, *y = w + (size_t)q * l, cosine, sine;
                double xx = dot(x, x, l), xy = dot(x, y, l), yy = dot(y, y, l);
                if (fabs(xy) <= l * DBL_EPSILON * sqrt(xx) * sqrt(yy)) continue;
                la_rotation(&cosine, &sine, xx, xy, yy);
                rotate(x, y, 1, l, cosine, sine);
                rotate(r + (size_t)p * k, r + (size_t)q * k, 1, k, cosine, sine);
                rotations++;
            }
        if (rotations > 0) continue;
        for (int j = 0; j < k; j++) {
            double norm = sqrt(dot(w + (size_t)j * l, w + (size_t)j * l, l));
            if (norm < 1e-150) norm = 0;    // its square has lost digits
            for (int i = 0; i < l && norm > 0; i++) w[(size_t)j * l + i] /= norm;
            s[j] = scale * norm;
        }
        sort_descending(s, k, ut, m, vt, n);
        return sweep;
    }
    return -1;
    // end svd
}

void la_low_rank(double *out, const double *ut, const double *s, const double *vt, int m, int n,
                 int k)
{
    // solution low_rank
    for (size_t i = 0; i < (size_t)m * n; i++) out[i] = 0;
    for (int j = 0; j < k; j++)
        for (int row = 0; row < m; row++) {
            double weight = s[j] * ut[(size_t)j * m + row];
            for (int i = 0; i < n; i++) out[(size_t)row * n + i] += weight * vt[(size_t)j * n + i];
        }
    // end low_rank
}

bool la_pca(double *mean, double *components, double *variances, const double *x, int n, int d,
            Arena *scratch)
{
    // solution pca
    double *centred = arena_alloc(scratch, sizeof *centred * (size_t)n * (size_t)d);
    double *scores = arena_alloc(scratch, sizeof *scores * (size_t)n * (size_t)min(n, d));
    for (int j = 0; j < d; j++) {
        mean[j] = 0;
        for (int i = 0; i < n; i++) mean[j] += x[(size_t)i * d + j] / n;
        for (int i = 0; i < n; i++) centred[(size_t)i * d + j] = x[(size_t)i * d + j] - mean[j];
    }
    if (la_svd(scores, variances, components, centred, n, d) < 0) return false;
    for (int k = 0; k < min(n, d); k++) variances[k] *= variances[k] / fmax(n - 1, 1);
    return true;
    // end pca
}
