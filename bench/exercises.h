/* exercises.h -- what a lab's exercises cost at the sizes of its training, whoever solved them.
 *
 *     static void loss(Solution *solution, float *const *a)
 *     {
 *         a[3][0] = AS(ae_loss, solution)(a[0], a[1], a[2], B, P);
 *     }
 *     static const Workload workloads[] = {
 *         {"loss", "ae_loss", "128 x 784", loss,
 *          .arrays = {WRITES(B * P), READS(B * P), READS(B * P), WRITES(1)}},
 *         {0}};
 *     int main(int argc, char **argv) { return exercises_main("autoencoder", workloads, argc, argv); }
 *
 * This is the program of `lab bench LAB`. The reference is timed, the same on the plain kernels, the
 * products alone by OpenBLAS, and with --mine=LIBRARY a learner's solutions, all in the same rounds.
 */
#pragma once
#include <stdbool.h>
#include "bench/rivals.h"
#include "bench/solutions.h"

enum { WORKLOAD_ARRAYS = 8, WORKLOAD_PRODUCTS = 2, WORKLOAD_RIVALS = 2 };

// An array of floats that an exercise is called with. Those that it reads hold normal random
// numbers, the others start at 0. Each touch of an element counts as four bytes.
typedef struct WorkArray {
    int count;
    bool read, written;
} WorkArray;
#define READS(n)                                                                                   \
    {                                                                                              \
        (n), true, false                                                                           \
    }
#define WRITES(n)                                                                                  \
    {                                                                                              \
        (n), false, true                                                                           \
    }
#define ADDS(n)                                                                                    \
    {                                                                                              \
        (n), true, true                                                                            \
    }

// A matrix product that is all or most of an exercise; a, b and c are numbers of its arrays.
typedef struct WorkloadProduct {
    MatrixProductKind kind;
    int m, n, k, c, a, b;
} WorkloadProduct;

// Another library that does the same work.
typedef struct WorkloadRival {
    const char *name;
    void (*call)(float *const *arrays);
} WorkloadRival;

typedef struct Workload {
    const char *exercise, *function, *size;    // function: NULL where there is nothing to solve
    void (*call)(Solution *solution, float *const *arrays);
    WorkArray arrays[WORKLOAD_ARRAYS];
    bool kernels;    // the reference calls the kernel table: show it on the plain one as well
    WorkloadProduct products[WORKLOAD_PRODUCTS];
    WorkloadRival rivals[WORKLOAD_RIVALS];
    double double_flops;    // operations in double, which has half the peak of float
    double numbers;         // made by a call, where numbers a second are the measure
} Workload;

// `workloads` ends with {0}.
int exercises_main(const char *lab, const Workload *workloads, int argc, char **argv);
