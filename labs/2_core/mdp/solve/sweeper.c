#include "labs/2_core/mdp/solve/sweeper.h"
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include "kernels/device.h"
#if defined __x86_64__ && defined __linux__
#include <immintrin.h>
#define VECTORS __attribute__((target("avx512f,avx512vl")))
#endif

enum {
    SLICE = VALUE_SLICE,
    BLOCK = 16,      // slices that a thread takes at a time
    FAR = 100000,    // states from which on their values leave a core's own cache
    AHEAD = 4        // columns: how far ahead plain loops ask for a value, as long as memory takes
};

// to[] of one slice; the largest change.
typedef double SliceSweep(const Sweeper *p, void *to, const void *from, int slice);

// Row r of a slice holds the r-th allowed action of each of its states, a column one outcome of each.
// Weights are probabilities times the discount, rewards expected ones; -infinity: no such action.
struct Sweeper {
    int states, slices;
    int *rows;          // [slices+1]: the rows of a slice are rows[slice] .. rows[slice+1]-1
    size_t *columns;    // [rows+1]: the columns of a row, likewise
    double *reward;     // [rows,SLICE]
    float *reward_float;
    double *weight;    // [columns,SLICE]
    float *weight_float;
    int *
        next;    // [columns,SLICE], and AHEAD more; of padding a place behind the states, where 0 stays
    SliceSweep *sweep, *sweep_float;
    // The same on a device with memory of its own (kernels/value_sweep.h); `to` is NULL elsewhere.
    struct {
        int32_t *rows, *next;
        uint64_t *columns;
        double *reward, *weight, *to, *from, *change;
        const double *copy_of;    // the host's values that lie in `from`; NULL: none do
    } device;
};

// Pages of 2 MiB where the system has them: a random access then finds its page at once.
static void *large_pages(Arena *arena, size_t bytes)
{
    enum { PAGE = 2 << 20 };
    char *start = arena_alloc(arena, bytes + 1);
    size_t before = -(uintptr_t)start & (PAGE - 1);
#ifdef MADV_HUGEPAGE
    if (bytes > before + PAGE)
        madvise(start + before, (bytes - before) & ~(size_t)(PAGE - 1), MADV_HUGEPAGE);
#endif
    return start;
}

// ---- packing ----

// Where the outcomes of the r-th allowed action of each state of a slice begin and end.
typedef struct Slice {
    int counts[SLICE];     // allowed actions; 0 where the state is terminal or behind the last
    const int **ranges;    // [SLICE,actions]: outcomes range[0] .. range[1]-1
    int rows;              // one at least: a state without actions has one without columns, value 0
} Slice;

static void find_rows(Slice *slice, const Mdp *mdp, int index)
{
    size_t actions = (size_t)mdp->actions;
    slice->rows = 1;
    for (int lane = 0; lane < SLICE; lane++) {
        int s = index * SLICE + lane, count = 0;
        for (int a = 0; s < mdp->states && !mdp->terminal[s] && a < mdp->actions; a++)
            if (mdp_allowed(mdp, s, a))
                slice->ranges[(size_t)lane * actions + (size_t)count++] =
                    mdp->first + (size_t)s * actions + a;
        slice->counts[lane] = count;
        slice->rows = count > slice->rows ? count : slice->rows;
    }
}

static const int *range_of(const Slice *slice, const Mdp *mdp, int row, int lane)
{
    static const int none[2];
    return row < slice->counts[lane] ? slice->ranges[lane * mdp->actions + row] : none;
}

// What a lane needs of a row: outcomes that lead to a terminal state, whose value is 0, are left out.
static int width_of(const Mdp *mdp, const int *range)
{
    int width = 0;
    for (int i = range[0]; i < range[1]; i++) width += !mdp->terminal[mdp->outcomes[i].next];
    return width;
}

static void find_columns(Sweeper *p, const Mdp *mdp, Slice *slice)
{
    int row = 0;
    p->columns[0] = 0;
    for (int i = 0; i < p->slices; i++) {
        find_rows(slice, mdp, i);
        p->rows[i] = row;
        for (int r = 0; r < slice->rows; r++, row++) {
            int widest = 0;
            for (int lane = 0; lane < SLICE; lane++) {
                int width = width_of(mdp, range_of(slice, mdp, r, lane));
                widest = width > widest ? width : widest;
            }
            p->columns[row + 1] = p->columns[row] + (size_t)widest;
        }
    }
    p->rows[p->slices] = row;
}

static void pack(Sweeper *p, const Mdp *mdp, const int *range, double reward, size_t row,
                 size_t lane)
{
    size_t at = p->columns[row] * SLICE + lane;
    for (int i = range[0]; i < range[1]; i++) {
        const Transition *t = &mdp->outcomes[i];
        reward += t->probability * t->reward;
        if (mdp->terminal[t->next]) continue;
        p->next[at] = t->next;
        p->weight[at] = mdp->discount * t->probability;
        p->weight_float[at] = (float)p->weight[at];
        at += SLICE;
    }
    for (; at < p->columns[row + 1] * SLICE; at += SLICE) {
        p->next[at] = p->slices * SLICE;
        p->weight[at] = p->weight_float[at] = 0;
    }
    p->reward[row * SLICE + lane] = reward;
    p->reward_float[row * SLICE + lane] = (float)reward;
}

static void pack_all(Sweeper *p, const Mdp *mdp, Slice *slice)
{
    for (int i = 0; i < p->slices; i++) {
        find_rows(slice, mdp, i);
        for (int r = 0; r < slice->rows; r++)
            for (int lane = 0; lane < SLICE; lane++)
                pack(p, mdp, range_of(slice, mdp, r, lane),
                     0 < slice->counts[lane] && slice->counts[lane] <= r ? -INFINITY : 0,
                     (size_t)p->rows[i] + (size_t)r, (size_t)lane);
    }
}

// ---- sweeps ----

#define PLAIN(name, number, reward, weight)                                                        \
    static double name(const Sweeper *p, void *to, const void *from, int slice)                    \
    {                                                                                              \
        const number *v = from;                                                                    \
        number *best = (number *)to + (size_t)slice * SLICE, change = 0, q[SLICE];                 \
        for (int i = 0; i < SLICE; i++) best[i] = -INFINITY;                                       \
        for (int r = p->rows[slice]; r < p->rows[slice + 1]; r++) {                                \
            memcpy(q, p->reward + (size_t)r * SLICE, sizeof q);                                    \
            for (size_t c = p->columns[r] * SLICE; c < p->columns[r + 1] * SLICE; c += SLICE) {    \
                for (int i = 0; p->states >= FAR && i < SLICE; i++)                                \
                    __builtin_prefetch(&v[p->next[c + AHEAD * SLICE + (size_t)i]]);                \
                for (size_t i = 0; i < SLICE; i++) q[i] += p->weight[c + i] * v[p->next[c + i]];   \
            }                                                                                      \
            for (int i = 0; i < SLICE; i++) best[i] = q[i] > best[i] ? q[i] : best[i];             \
        }                                                                                          \
        for (int i = 0; i < SLICE; i++) {                                                          \
            number by = best[i] - v[slice * SLICE + i];                                            \
            change = by > change ? by : -by > change ? -by : change;                               \
        }                                                                                          \
        return (double)change;                                                                     \
    }
PLAIN(plain_double, double, reward, weight)
PLAIN(plain_float, float, reward_float, weight_float)

#ifdef VECTORS
// What is read once passes by the second cache, which keeps the values.
VECTORS static inline void prefetch_once(const void *at)
{
    enum { BYTES = 24 * SLICE * 4 };    // ahead, as long as memory takes
    _mm_prefetch((const char *)at + BYTES, _MM_HINT_NTA);
}

// The values at next[], 0 for padding. A gather keeps what its mask leaves out: with a mask that the
// compiler does not know and a fresh zero, it need not wait for the register's use before.
VECTORS static inline __m512 gather_float(const float *from, const int *next, int padding)
{
    __m512i place = _mm512_loadu_si512(next);
    __mmask16 mask = _mm512_cmpneq_epi32_mask(place, _mm512_set1_epi32(padding));
    return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask, place, from, sizeof *from);
}

VECTORS static inline __m512d gather_double(const double *from, const int *next, int padding)
{
    __m256i place = _mm256_loadu_si256((const __m256i *)next);
    __mmask8 mask = _mm256_cmpneq_epi32_mask(place, _mm256_set1_epi32(padding));
    return _mm512_mask_i32gather_pd(_mm512_setzero_pd(), mask, place, from, sizeof *from);
}

VECTORS static double vector_float(const Sweeper *p, void *to, const void *from, int slice)
{
    const float *v = from;
    const int padding = p->slices * SLICE;
    __m512 best = _mm512_set1_ps(-INFINITY);
    for (int r = p->rows[slice], end = p->rows[slice + 1]; r < end; r++) {
        __m512 q = _mm512_loadu_ps(p->reward_float + (size_t)r * SLICE);
        for (size_t c = p->columns[r], last = p->columns[r + 1]; c < last; c++) {
            prefetch_once(p->next + c * SLICE);
            prefetch_once(p->weight_float + c * SLICE);
            __m512 values = gather_float(v, p->next + c * SLICE, padding);
            q = _mm512_add_ps(q,
                              _mm512_mul_ps(_mm512_loadu_ps(p->weight_float + c * SLICE), values));
        }
        best = _mm512_max_ps(q, best);
    }
    __m512 by = _mm512_abs_ps(_mm512_sub_ps(best, _mm512_loadu_ps(v + (size_t)slice * SLICE)));
    _mm512_storeu_ps((float *)to + (size_t)slice * SLICE, best);
    return (double)_mm512_reduce_max_ps(_mm512_max_ps(by, _mm512_setzero_ps()));
}

VECTORS static double vector_double(const Sweeper *p, void *to, const void *from, int slice)
{
    const double *v = from;
    const int padding = p->slices * SLICE;
    __m512d best[2] = {_mm512_set1_pd(-INFINITY), _mm512_set1_pd(-INFINITY)};
    __m512d change = _mm512_setzero_pd();
    for (int r = p->rows[slice], end = p->rows[slice + 1]; r < end; r++) {
        const double *reward = p->reward + (size_t)r * SLICE;
        __m512d q[2] = {_mm512_loadu_pd(reward), _mm512_loadu_pd(reward + 8)};
        for (size_t c = p->columns[r], last = p->columns[r + 1]; c < last; c++)
            for (size_t half = 0; half < 2; half++) {
                size_t at = c * SLICE + 8 * half;
                prefetch_once(p->next + at);
                prefetch_once(p->weight + at);
                __m512d values = gather_double(v, p->next + at, padding);
                q[half] =
                    _mm512_add_pd(q[half], _mm512_mul_pd(_mm512_loadu_pd(p->weight + at), values));
            }
        for (int half = 0; half < 2; half++) best[half] = _mm512_max_pd(q[half], best[half]);
    }
    for (size_t half = 0; half < 2; half++) {
        size_t at = (size_t)slice * SLICE + 8 * half;
        __m512d by = _mm512_abs_pd(_mm512_sub_pd(best[half], _mm512_loadu_pd(v + at)));
        _mm512_storeu_pd((double *)to + at, best[half]);
        change = _mm512_max_pd(by, change);
    }
    return _mm512_reduce_max_pd(change);
}
#endif

static double sweep(const Sweeper *p, SliceSweep *slice_sweep, void *to, const void *from)
{
    double change = 0;
#pragma omp parallel for reduction(max : change) schedule(dynamic, BLOCK) if (p->states > 2000)
    for (int slice = 0; slice < p->slices; slice++) {
        double by = slice_sweep(p, to, from, slice);
        change = by > change ? by : change;
    }
    return change;
}

// What one sweep gives the next one reads where it lies; the host gets the change alone.
static double sweep_on_device(Sweeper *p, double *to, const double *from)
{
    const size_t values = ((size_t)p->slices + 1) * SLICE;
    double change;
    if (p->device.copy_of != from) device->put(p->device.from, from, values * sizeof *from);
    kernels.value_sweep(p->device.to, p->device.change, p->device.from, p->device.rows,
                        p->device.columns, p->device.reward, p->device.weight, p->device.next,
                        p->slices);
    double *spare = p->device.from;
    p->device.from = p->device.to;
    p->device.to = spare;
    p->device.copy_of = to;
    device->get(&change, p->device.change, sizeof change);
    return change;
}

double sweeper_sweep(Sweeper *p, double *to, const double *from)
{
    if (p->device.to != NULL) return sweep_on_device(p, to, from);
    return sweep(p, p->sweep, to, from);
}

void sweeper_fetch(const Sweeper *p, double *values)
{
    const size_t bytes = (size_t)p->slices * SLICE * sizeof *values;
    if (p->device.to != NULL && p->device.copy_of == values)
        device->get(values, p->device.from, bytes);
}

double sweeper_sweep_float(const Sweeper *p, float *to, const float *from)
{
    return sweep(p, p->sweep_float, to, from);
}

// ---- a sweeper ----

static void *on_device(Arena *arena, const void *host, size_t bytes)
{
    void *copy = arena_numbers(arena, bytes);
    if (host != NULL) device->put(copy, host, bytes);
    return copy;
}

static void put_on_device(Sweeper *p, Arena *arena)
{
    const size_t slices = (size_t)p->slices, rows = (size_t)p->rows[slices], lanes = SLICE;
    const size_t numbers = p->columns[rows] * lanes, values = (slices + 1) * lanes;
    p->device.rows = on_device(arena, p->rows, (slices + 1) * sizeof *p->rows);
    p->device.columns = on_device(arena, p->columns, (rows + 1) * sizeof *p->columns);
    p->device.reward = on_device(arena, p->reward, rows * lanes * sizeof *p->reward);
    p->device.weight = on_device(arena, p->weight, numbers * sizeof *p->weight);
    p->device.next = on_device(arena, p->next, numbers * sizeof *p->next);
    p->device.from = on_device(arena, NULL, values * sizeof(double));
    p->device.to = on_device(arena, NULL, values * sizeof(double));
    // Padding points behind the states, and a sweep leaves that place alone.
    static const double zeros[SLICE];
    device->put(p->device.to + slices * lanes, zeros, sizeof zeros);
    p->device.change = on_device(arena, NULL, sizeof(double));
}

void sweeper_vectors(Sweeper *p, bool allowed)
{
    p->sweep = plain_double;
    p->sweep_float = plain_float;
#ifdef VECTORS
    if (!allowed || !__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl"))
        return;
    p->sweep = vector_double;
    p->sweep_float = vector_float;
#else
    (void)allowed;
#endif
}

Sweeper *sweeper_new(Arena *arena, const Mdp *mdp)
{
    size_t slices = ((size_t)mdp->states + SLICE - 1) / SLICE, actions = (size_t)mdp->actions;
    Slice slice = {.ranges = arena_alloc(arena, SLICE * actions * sizeof *slice.ranges)};
    Sweeper *p = arena_alloc(arena, sizeof *p);
    *p = (Sweeper){.states = mdp->states,
                   .slices = (int)slices,
                   .rows = arena_alloc(arena, (slices + 1) * sizeof *p->rows),
                   .columns = arena_alloc(arena, (slices * actions + 1) * sizeof *p->columns)};
    find_columns(p, mdp, &slice);
    size_t rows = (size_t)p->rows[slices], numbers = p->columns[rows] * SLICE;
    p->reward = arena_alloc(arena, rows * SLICE * sizeof *p->reward);
    p->reward_float = arena_alloc(arena, rows * SLICE * sizeof *p->reward_float);
    p->weight = large_pages(arena, numbers * sizeof *p->weight);
    p->weight_float = large_pages(arena, numbers * sizeof *p->weight_float);
    p->next = large_pages(arena, (numbers + AHEAD * SLICE) * sizeof *p->next);
    memset(p->next + numbers, 0, AHEAD * SLICE * sizeof *p->next);
    pack_all(p, mdp, &slice);
    sweeper_vectors(p, true);
    if (!device_is_host()) put_on_device(p, arena);
    return p;
}

static void *zeros(Arena *arena, const Sweeper *p, size_t number)
{
    size_t bytes = ((size_t)p->slices + 1) * SLICE * number;
    return memset(large_pages(arena, bytes), 0, bytes);
}

double *sweeper_values(Arena *arena, const Sweeper *p)
{
    return zeros(arena, p, sizeof(double));
}

float *sweeper_values_float(Arena *arena, const Sweeper *p)
{
    return zeros(arena, p, sizeof(float));
}

static size_t bytes_of(const Sweeper *p, size_t number)
{
    size_t rows = (size_t)p->rows[p->slices], columns = p->columns[rows];
    return SLICE *
               (columns * (sizeof(int) + number) + rows * number + (size_t)p->slices * 2 * number) +
           rows * sizeof *p->columns + (size_t)p->slices * sizeof *p->rows;
}

size_t sweeper_bytes(const Sweeper *p)
{
    return bytes_of(p, sizeof(double));
}

size_t sweeper_bytes_float(const Sweeper *p)
{
    return bytes_of(p, sizeof(float));
}
