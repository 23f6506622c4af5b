#include "labs/2_core/mdp/solve/sweeper.h"
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#if defined __x86_64__ && defined __linux__
#include <immintrin.h>
#define VECTORS __attribute__((target("avx512f")))
#endif

enum {
    SLICE = 16,
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

// What of an action is summed: outcomes that lead to a terminal state, whose value is 0, are not.
static int outcomes_of(const Mdp *mdp, size_t pair)
{
    int count = 0;
    for (int i = mdp->first[pair]; i < mdp->first[pair + 1]; i++)
        count += !mdp->terminal[mdp->outcomes[i].next];
    return count;
}

static void pack_pair(Sweeper *p, const Mdp *mdp, size_t pair, size_t row, size_t lane)
{
    double reward = 0;
    size_t at = p->columns[row] * SLICE + lane;
    for (int i = mdp->first[pair]; i < mdp->first[pair + 1]; i++) {
        const Transition *t = &mdp->outcomes[i];
        reward += t->probability * t->reward;
        if (mdp->terminal[t->next]) continue;
        p->next[at] = t->next;
        p->weight[at] = mdp->discount * t->probability;
        p->weight_float[at] = (float)p->weight[at];
        at += SLICE;
    }
    p->reward[row * SLICE + lane] = reward;
    p->reward_float[row * SLICE + lane] = (float)reward;
}

// Lays out rows and columns; fills them where they have their arrays. pairs: [SLICE,actions], scratch.
static void pack(Sweeper *p, const Mdp *mdp, size_t *pairs)
{
    size_t actions = (size_t)mdp->actions, column = 0;
    int row = 0;
    for (int slice = 0; slice < p->slices; slice++) {
        int counts[SLICE] = {0}, most = 1;    // a terminal state has a row without columns
        for (int lane = 0; lane < SLICE; lane++) {
            int s = slice * SLICE + lane;
            for (int a = 0; s < mdp->states && !mdp->terminal[s] && a < mdp->actions; a++)
                if (mdp_allowed(mdp, s, a))
                    pairs[(size_t)lane * actions + (size_t)counts[lane]++] =
                        (size_t)s * actions + (size_t)a;
            if (counts[lane] == 0 && p->next != NULL)
                p->reward[row * SLICE + lane] = p->reward_float[row * SLICE + lane] = 0;
            most = counts[lane] > most ? counts[lane] : most;
        }
        p->rows[slice] = row;
        for (int r = 0; r < most; r++, row++) {
            int widest = 0;
            p->columns[row] = column;
            for (int lane = 0; lane < SLICE; lane++) {
                if (r >= counts[lane]) continue;
                size_t pair = pairs[(size_t)lane * actions + (size_t)r];
                int width = outcomes_of(mdp, pair);
                widest = width > widest ? width : widest;
                if (p->next != NULL) pack_pair(p, mdp, pair, (size_t)row, (size_t)lane);
            }
            column += (size_t)widest;
        }
    }
    p->rows[p->slices] = row;
    p->columns[row] = column;
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
VECTORS static double vector_float(const Sweeper *p, void *to, const void *from, int slice)
{
    float *v = (float *)to + (size_t)slice * SLICE;
    __m512 best = _mm512_set1_ps(-INFINITY);
    for (int r = p->rows[slice]; r < p->rows[slice + 1]; r++) {
        __m512 q = _mm512_loadu_ps(p->reward_float + (size_t)r * SLICE);
        for (size_t c = p->columns[r] * SLICE; c < p->columns[r + 1] * SLICE; c += SLICE) {
            __m512 values = _mm512_i32gather_ps(_mm512_loadu_si512(p->next + c), from, 4);
            q = _mm512_add_ps(q, _mm512_mul_ps(_mm512_loadu_ps(p->weight_float + c), values));
        }
        best = _mm512_max_ps(q, best);
    }
    __m512 before = _mm512_loadu_ps((const float *)from + (size_t)slice * SLICE);
    _mm512_storeu_ps(v, best);
    return (double)_mm512_reduce_max_ps(
        _mm512_max_ps(_mm512_abs_ps(_mm512_sub_ps(best, before)), _mm512_setzero_ps()));
}

VECTORS static double vector_double(const Sweeper *p, void *to, const void *from, int slice)
{
    double *v = (double *)to + (size_t)slice * SLICE;
    __m512d best[2] = {_mm512_set1_pd(-INFINITY), _mm512_set1_pd(-INFINITY)};
    for (int r = p->rows[slice]; r < p->rows[slice + 1]; r++) {
        const double *reward = p->reward + (size_t)r * SLICE;
        __m512d q[2] = {_mm512_loadu_pd(reward), _mm512_loadu_pd(reward + 8)};
        for (size_t c = p->columns[r] * SLICE; c < p->columns[r + 1] * SLICE; c += SLICE)
            for (int half = 0; half < 2; half++) {
                const int *next = p->next + c + 8 * half;
                __m256i place = _mm256_loadu_si256((const __m256i *)next);
                __m512d weight = _mm512_loadu_pd(p->weight + c + 8 * half);
                q[half] = _mm512_add_pd(q[half],
                                        _mm512_mul_pd(weight, _mm512_i32gather_pd(place, from, 8)));
            }
        for (int half = 0; half < 2; half++) best[half] = _mm512_max_pd(q[half], best[half]);
    }
    __m512d change = _mm512_setzero_pd();
    for (int half = 0; half < 2; half++) {
        __m512d before = _mm512_loadu_pd((const double *)from + (size_t)slice * SLICE + 8 * half);
        change = _mm512_max_pd(_mm512_abs_pd(_mm512_sub_pd(best[half], before)), change);
        _mm512_storeu_pd(v + 8 * half, best[half]);
    }
    return _mm512_reduce_max_pd(change);
}
#endif

static double sweep(const Sweeper *p, SliceSweep *slice_sweep, void *to, const void *from)
{
    double change = 0;
#pragma omp parallel for reduction(max : change) schedule(dynamic, BLOCK) if (p->states > 2000)
    for (int slice = 0; slice < p->slices; slice++)
        change = fmax(change, slice_sweep(p, to, from, slice));
    return change;
}

double sweeper_sweep(const Sweeper *p, double *to, const double *from)
{
    return sweep(p, p->sweep, to, from);
}

double sweeper_sweep_float(const Sweeper *p, float *to, const float *from)
{
    return sweep(p, p->sweep_float, to, from);
}

// ---- a sweeper ----

void sweeper_vectors(Sweeper *p, bool allowed)
{
    p->sweep = plain_double;
    p->sweep_float = plain_float;
#ifdef VECTORS
    if (!allowed || !__builtin_cpu_supports("avx512f")) return;
    p->sweep = vector_double;
    p->sweep_float = vector_float;
#else
    (void)allowed;
#endif
}

Sweeper *sweeper_new(Arena *arena, const Mdp *mdp)
{
    int slices = (mdp->states + SLICE - 1) / SLICE;
    size_t actions = (size_t)mdp->actions, most_rows = (size_t)slices * actions;
    size_t *pairs = arena_alloc(arena, SLICE * actions * sizeof *pairs);
    Sweeper *p = arena_alloc(arena, sizeof *p);
    *p = (Sweeper){.states = mdp->states,
                   .slices = slices,
                   .rows = arena_alloc(arena, ((size_t)slices + 1) * sizeof *p->rows),
                   .columns = arena_alloc(arena, (most_rows + 1) * sizeof *p->columns)};
    pack(p, mdp, pairs);
    size_t rewards = (size_t)p->rows[slices] * SLICE,
           outcomes = p->columns[p->rows[slices]] * SLICE;
    p->reward = arena_alloc(arena, rewards * sizeof *p->reward);
    p->reward_float = arena_alloc(arena, rewards * sizeof *p->reward_float);
    p->weight = large_pages(arena, outcomes * sizeof *p->weight);
    p->weight_float = large_pages(arena, outcomes * sizeof *p->weight_float);
    p->next = large_pages(arena, (outcomes + AHEAD * SLICE) * sizeof *p->next);
    for (size_t i = 0; i < rewards; i++) p->reward[i] = p->reward_float[i] = -INFINITY;
    for (size_t i = 0; i < outcomes; i++) p->weight[i] = p->weight_float[i] = 0;
    for (size_t i = 0; i < outcomes + AHEAD * SLICE; i++) p->next[i] = slices * SLICE;
    pack(p, mdp, pairs);
    sweeper_vectors(p, true);
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
