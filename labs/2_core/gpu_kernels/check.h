/* check.h -- the cases of each part of the lab, in the order of the exercises, and what they hold a launch
 * against besides its numbers; {0} ends a list.
 */
#pragma once
#include "labs/2_core/gpu_kernels/cost.h"
#include "labs/2_core/gpu_kernels/launch.h"
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/near.h"

extern const struct CMUnitTest memory_cases[];       // vector_add .. reduce_shuffle
extern const struct CMUnitTest row_cases[];          // softmax_rows, layer_norm
extern const struct CMUnitTest matmul_cases[];       // matmul_naive .. matmul_tensor
extern const struct CMUnitTest attention_cases[];    // flash_attention, paged_attention

// Sums of some hundred products of size 1, in float and in any order.
#define SUM_TOLERANCE .atol = 2e-4, .rtol = 1e-4

// n numbers between -2 and 2, no two of them equal and none of them 0.
float *numbers(size_t n, unsigned seed);
float *blank(size_t n);        // NaN everywhere
double *expected(size_t n);    // 0 everywhere

// The last launch is without a fault; else its sentence: line, block, thread.
void expect_clean(void);

// At most so many times the sectors of global memory that the same bytes would fit into.
void expect_coalesced_reads(double most);
void expect_coalesced_writes(double most);

void expect_no_bank_conflicts(void);

// The work is shared out. From one barrier to the next a block takes as long as its busiest thread: the accesses to
// memory of these, added up, are at most `of_threads` times what they would be if all threads made equally many.
// And no block makes more than `of_block` times its share.
void expect_shared_out(double of_threads, double of_block);

// Each element of an output is written once: `elements` of four bytes.
void expect_written_once(double elements);

// `what` is said of the accesses of single threads: "reads from shared memory for a product".
void expect_at_most(double accesses, double unit, double most, const char *what);
