// Q-learning with a learner in each lane of a vector of 64-bit integers or doubles, for 4 actions.
#include "labs/2_core/mdp/solve/qlearn.h"
#if defined __x86_64__ && defined __linux__
#include <float.h>
#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include "labs/2_core/mdp/mdp.h"

#define VECTORS       __attribute__((target("avx512f,avx512dq,avx512vl")))
#define VECTOR_INLINE VECTORS __attribute__((always_inline)) static inline

enum { LANES = 8, GROUPS = LEARNERS / LANES, ACTIONS = 4 };

typedef __m512i Integers;
typedef __m512d Doubles;
typedef __mmask8 Mask;

bool learners_lanes(const Mdp *mdp)
{
    for (size_t p = 0; p < (size_t)mdp->states * (size_t)mdp->actions; p++)
        if (mdp->actions != ACTIONS || mdp->first[p + 1] - mdp->first[p] > 1) return false;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

typedef struct Group {
    Integers state, random, increment;
    Doubles row[ACTIONS];    // the action values of the state
    double *q;               // of the first lane; the next lane's are `stride` further
    size_t stride;
} Group;

VECTOR_INLINE Integers low_half(Integers x)
{
    return _mm512_and_si512(x, _mm512_set1_epi64(0xffffffff));
}

// PCG32 as in common/rng.c, drawn in the lanes of `mask` only.
VECTOR_INLINE Integers bits(Group *g, Mask mask)
{
    Integers state = g->random, factor = _mm512_set1_epi64(6364136223846793005);
    g->random = _mm512_mask_add_epi64(state, mask, _mm512_mullo_epi64(state, factor), g->increment);
    Integers mixed = _mm512_srli_epi64(_mm512_xor_si512(_mm512_srli_epi64(state, 18), state), 27);
    return low_half(_mm512_rorv_epi32(low_half(mixed), _mm512_srli_epi64(state, 59)));
}

// The lanes' rows of 4 numbers as a vector for each action: a gather, but of whole rows.
VECTOR_INLINE void load_rows(Doubles *row, const Group *g, Integers states)
{
    int64_t at[LANES] __attribute__((aligned(64)));
    Doubles two[ACTIONS];    // lanes i and i + 4
    _mm512_store_si512(at, _mm512_slli_epi64(states, 2));
    for (int i = 0; i < 4; i++) {
        const double *half = g->q + (size_t)i * g->stride, *other = half + 4 * g->stride;
        two[i] = _mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_loadu_pd(half + at[i])),
                                    _mm256_loadu_pd(other + at[i + 4]), 1);
    }
    Doubles even01 = _mm512_unpacklo_pd(two[0], two[1]), odd01 = _mm512_unpackhi_pd(two[0], two[1]),
            even23 = _mm512_unpacklo_pd(two[2], two[3]), odd23 = _mm512_unpackhi_pd(two[2], two[3]);
    Integers low = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13),
             high = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    row[0] = _mm512_permutex2var_pd(even01, low, even23);
    row[1] = _mm512_permutex2var_pd(odd01, low, odd23);
    row[2] = _mm512_permutex2var_pd(even01, high, even23);
    row[3] = _mm512_permutex2var_pd(odd01, high, odd23);
}

// Of equal ones the first, so that a zero has the sign it has in qlearn.c.
VECTOR_INLINE Doubles largest(const Doubles *row)
{
    return _mm512_max_pd(_mm512_max_pd(row[3], row[2]), _mm512_max_pd(row[1], row[0]));
}

// Below `count`, 1 to 4, in the lanes of `mask`; 0 in the others. 2^32 modulo count is 0 but for 3,
// where it is 1: only then is a draw rejected, one of 2^32.
VECTOR_INLINE Integers below(Group *g, Integers count, Mask mask)
{
    Integers product = _mm512_mul_epu32(bits(g, mask), count), ones = _mm512_set1_epi64(0xffffffff);
    Mask reject = mask & _mm512_cmpeq_epi64_mask(count, _mm512_set1_epi64(3));
    while ((reject &= _mm512_testn_epi64_mask(product, ones)) != 0)
        product = _mm512_mask_mul_epu32(product, reject, bits(g, reject), count);
    return _mm512_maskz_srli_epi64(mask, product, 32);
}

// The action of each lane, as a mask for each action.
VECTOR_INLINE void choose(Mask *takes, Group *g, Integers explore)
{
    const Integers one = _mm512_set1_epi64(1);
    Mask explores = _mm512_cmplt_epu64_mask(_mm512_srli_epi64(bits(g, 0xff), 8), explore);
    Doubles best = largest(g->row), size = _mm512_max_pd(_mm512_abs_pd(best), _mm512_set1_pd(1));
    Doubles tied = _mm512_sub_pd(best, _mm512_mul_pd(_mm512_set1_pd(MDP_TIE), size));
    Doubles least = _mm512_mask_mov_pd(tied, explores, _mm512_set1_pd(-DBL_MAX));
    Integers count = _mm512_setzero_si512();
    for (int a = 0; a < ACTIONS; a++) {
        takes[a] = _mm512_cmp_pd_mask(g->row[a], least, _CMP_GE_OQ);
        count = _mm512_mask_add_epi64(count, takes[a], count, one);
    }
    Integers left = below(g, count, _mm512_cmpgt_epu64_mask(count, one));
    for (int a = 0; a < ACTIONS; a++) {
        Mask candidate = takes[a];
        takes[a] &= _mm512_testn_epi64_mask(left, left);
        left = _mm512_mask_sub_epi64(left, candidate, left, one);
    }
}

VECTOR_INLINE void learn(const Learners *l, Group *g, Integers explore)
{
    Mask takes[ACTIONS];
    choose(takes, g, explore);
    Integers pair = _mm512_slli_epi64(g->state, 2);
    Doubles old = g->row[0], after[ACTIONS];
    for (int a = 1; a < ACTIONS; a++) {
        old = _mm512_mask_mov_pd(old, takes[a], g->row[a]);
        pair = _mm512_mask_add_epi64(pair, takes[a], pair, _mm512_set1_epi64(a));
    }
    const char *pairs = (const char *)l->pairs;
    Integers place = _mm512_mullo_epi64(pair, _mm512_set1_epi64(sizeof(Pair)));
    Integers both = _mm512_i64gather_epi64(place, pairs + offsetof(Pair, next), 1);
    Integers next = low_half(both), then = _mm512_srli_epi64(both, 32);
    Doubles reward = _mm512_i64gather_pd(place, pairs + offsetof(Pair, reward), 1);

    load_rows(after, g, next);
    Doubles future = _mm512_mul_pd(_mm512_set1_pd(l->mdp->discount), largest(after));
    Doubles delta = _mm512_sub_pd(_mm512_add_pd(reward, future), old);
    Doubles value = _mm512_add_pd(old, _mm512_mul_pd(_mm512_set1_pd(l->step), delta));
    if (_mm512_cmpneq_epi64_mask(next, then)) load_rows(after, g, then);
    Mask same = _mm512_cmpeq_epi64_mask(then, g->state);    // what was loaded is the row before
    for (int a = 0; a < ACTIONS; a++)
        g->row[a] = _mm512_mask_mov_pd(after[a], same & takes[a], value);
    g->state = then;

    int64_t at[LANES] __attribute__((aligned(64)));
    double values[LANES] __attribute__((aligned(64)));
    _mm512_store_si512(at, pair);
    _mm512_store_pd(values, value);
    for (int i = 0; i < LANES; i++) g->q[(size_t)i * g->stride + (size_t)at[i]] = values[i];
}

VECTORS void learners_step_lanes(Learners *l, long steps)
{
    Group groups[GROUPS];    // they take turns: while one waits the other computes
    int64_t state[LANES], random[LANES], increment[LANES];
    for (int k = 0; k < GROUPS; k++) {
        int first = k * LANES;
        for (int i = 0; i < LANES; i++) {
            state[i] = l->state[first + i];
            random[i] = (int64_t)l->rng[first + i].state;
            increment[i] = (int64_t)l->rng[first + i].increment;
        }
        groups[k] = (Group){.state = _mm512_loadu_si512(state),
                            .random = _mm512_loadu_si512(random),
                            .increment = _mm512_loadu_si512(increment),
                            .q = l->q[first],
                            .stride = (size_t)(l->q[1] - l->q[0])};
        load_rows(groups[k].row, &groups[k], groups[k].state);
    }
    // A uniform number has 24 bits: it is below epsilon when those are below this.
    Integers explore = _mm512_set1_epi64((long long)ceil(l->epsilon * 0x1p24));
    for (long i = 0; i < steps; i++)
        for (int k = 0; k < GROUPS; k++) learn(l, &groups[k], explore);
    for (int k = 0; k < GROUPS; k++) {
        _mm512_storeu_si512(state, groups[k].state);
        _mm512_storeu_si512(random, groups[k].random);
        for (int i = 0; i < LANES; i++) {
            l->state[k * LANES + i] = (int)state[i];
            l->rng[k * LANES + i].state = (uint64_t)random[i];
        }
    }
}

#else

bool learners_lanes(const Mdp *mdp)
{
    (void)mdp;
    return false;
}

void learners_step_lanes(Learners *l, long steps)
{
    (void)l, (void)steps;
}

#endif
