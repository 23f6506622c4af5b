/* loops.h -- the two ways in which the `cpu` backend walks over arrays.
 *
 *     EACH(i, n, LIGHT, y[i] = a[i] + b[i]);
 *     TOTAL(sum, n, LIGHT, first, end, squares(x, first, end));
 *
 * EACH is a vector loop, TOTAL adds what a function returns for parts of the range. Both share the
 * work among the threads from so many elements on that it pays. A smaller loop does not enter
 * OpenMP at all, nor does any loop when there is one thread: a team of one costs a malloc.
 */
#pragma once
#include <omp.h>
#include "kernels/cpu/team.h"
#include "kernels/cpu/variant.h"

// How many elements are worth a thread, for work at the speed of memory and for exp and the like:
// from about here on two threads were faster in bench/threads.c.
enum { LIGHT = 64 * 1024, HEAVY = 8 * 1024 };

#define PRAGMA(text) _Pragma(#text)

// Runs `alone` on the caller, or `shared` on each thread of a team.
#define SHARE(n, enough, alone, shared)                                                            \
    do {                                                                                           \
        const int threads_ = team_size(n, enough);                                                 \
        if (threads_ == 1) {                                                                       \
            alone                                                                                  \
        } else {                                                                                   \
            Team team_ = team_begin();                                                             \
            PRAGMA(omp parallel num_threads(threads_))                                             \
            {                                                                                      \
                shared team_arrive(&team_);                                                        \
            }                                                                                      \
            team_end(&team_, n, enough);                                                           \
        }                                                                                          \
    } while (0)

#define EACH(i, n, enough, ...)                                                                    \
    SHARE(n, enough, PRAGMA(omp simd) for (size_t i = 0; i < (n); i++) { __VA_ARGS__; },           \
          PRAGMA(omp for simd schedule(static) nowait) for (size_t i = 0; i < (n); i++) { __VA_ARGS__; })

// A thread takes whole rows of [rows,cols]: of a matrix, or the planes and channels of images.
#define EACH_ROW(r, rows, cols, enough, ...)                                                       \
    SHARE((size_t)(rows) * (size_t)(cols), enough,                                                 \
          for (size_t r = 0; r < (size_t)(rows); r++) { __VA_ARGS__; },                            \
          PRAGMA(omp for schedule(static) nowait) for (size_t r = 0; r < (size_t)(rows); r++) { __VA_ARGS__; })

// y = value where beta is 0, which never reads y, and y = beta y + value elsewhere.
#define BLEND(i, n, enough, beta, y, value)                                                        \
    do {                                                                                           \
        if ((beta) == 0.0f) EACH(i, n, enough, (y) = (value));                                     \
        else EACH(i, n, enough, (y) = (beta) * (y) + (value));                                     \
    } while (0)

// A large sum is cut into PARTS by the array's size alone, so that neither the number of threads
// nor their order changes a bit of it.
enum { PARTS = 64 };

#define SUM_OF_PART(n, first, end, sum_of_part)                                                    \
    const size_t first = (n) * (size_t)part_ / (size_t)parts_;                                     \
    const size_t end = (n) * (size_t)(part_ + 1) / (size_t)parts_;                                 \
    sums_[part_] = (sum_of_part)

#define SUM_OF_PARTS(n, first, end, sum_of_part)                                                   \
    for (int part_ = 0; part_ < parts_; part_++) {                                                 \
        SUM_OF_PART(n, first, end, sum_of_part);                                                   \
    }

#define TOTAL(total, n, enough, first, end, sum_of_part)                                           \
    do {                                                                                           \
        const int parts_ = (n) < (size_t)(enough) ? 1 : PARTS;                                     \
        double sums_[PARTS];                                                                       \
        SHARE(n, enough, SUM_OF_PARTS(n, first, end, sum_of_part),                                 \
              PRAGMA(omp for schedule(static) nowait) SUM_OF_PARTS(n, first, end, sum_of_part));   \
        (total) = 0;                                                                               \
        for (int part_ = 0; part_ < parts_; part_++) (total) += sums_[part_];                      \
    } while (0)
