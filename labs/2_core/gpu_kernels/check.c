/* check.c -- the test cases of the exercises. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check gpu_kernels
 *     ./lab check gpu_kernels.transpose_tiled
 *
 * Expected values come from plain loops in double. No two elements of an input are equal, no size is a
 * multiple of a block (but where the contract says so), and no grid or matrix is square: a wrong index
 * gives a wrong number. Each launch runs in the emulator's checking mode, and a case fails with what that
 * finds. Where a rung is about memory, the counts of the launch are held against the ideal.
 */
#include "labs/2_core/gpu_kernels/check.h"
#include <stdlib.h>

const CaseList lab_cases[] = {memory_cases, row_cases, matmul_cases, attention_cases, NULL};

static void *room(size_t bytes)
{
    void *memory = malloc(bytes);
    assert_that(memory != NULL, "no memory for %zu bytes", bytes);
    return memory;
}

float *numbers(size_t n, unsigned seed)
{
    float *x = room(n * sizeof *x);
    // 65537 is prime: the multiples of 7919 go through all remainders.
    for (size_t i = 0; i < n; i++)
        x[i] = (float)((double)((i * 7919 + (size_t)seed * 4447) % 65537) - 32768.5) / 16384;
    return x;
}

float *blank(size_t n)
{
    float *x = room(n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = NAN;
    return x;
}

double *expected(size_t n)
{
    double *x = room(n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = 0;
    return x;
}

void expect_clean(void)
{
    const EmulatorReport *report = emulator_report();
    assert_that(report->faults == 0, "%s", report->fault[0].message);
    assert_that(shared_of(report) <= 48 << 10,
                "%zu bytes of shared memory, of which a block has 48 KB: nvcc refuses the kernel",
                shared_of(report));
}

static void expect_coalesced(bool writes, double most)
{
    const Traffic t = traffic_of(emulator_report(), SPACE_GLOBAL, writes);
    // A lane on its own moves no more sectors than it has to, but a warp would move fewer.
    const double full = t.bytes / 32, ideal = t.transactions > 4 * full ? full : t.ideal;
    assert_that(t.transactions <= most * ideal,
                "%s:%d: %s move %.0f sectors of global memory where %.0f would do: neighbouring "
                "threads have to access neighbouring elements",
                t.worst->at.file, t.worst->at.line, writes ? "writes" : "reads", t.transactions,
                ideal);
}

void expect_coalesced_reads(double most)
{
    expect_coalesced(false, most);
}

void expect_coalesced_writes(double most)
{
    expect_coalesced(true, most);
}

void expect_no_bank_conflicts(void)
{
    const Traffic t = traffic_of_both(emulator_report(), SPACE_SHARED);
    assert_that(t.transactions <= t.ideal,
                "%s:%d: bank conflicts: the accesses take %.0f wavefronts of shared memory where "
                "%.0f would do: two threads of a warp access different words of one bank",
                t.worst->at.file, t.worst->at.line, t.transactions, t.ideal);
}

void expect_shared_out(double of_threads, double of_block)
{
    const KernelLaunch *l = &emulator_report()->launch[0];
    const Interval *w = &l->worst;
    const double blocks = (double)l->grid[0] * l->grid[1] * l->grid[2];
    const double threads = (double)l->block[0] * l->block[1] * l->block[2];
    const double all = (double)l->accesses, span = (double)l->span;
    assert_that(all > 0, "no thread accesses memory");
    assert_that(
        (double)l->most_of_block <= of_block * all / blocks,
        "block (%u,%u,%u) makes %.0f of all %.0f accesses to memory, where the share of each "
        "of the %.0f blocks is %.0f: share the work out among the blocks",
        l->busiest_block[0], l->busiest_block[1], l->busiest_block[2], (double)l->most_of_block,
        all, blocks, all / blocks);
    char until[32] = "the kernel's end";
    if (w->end.line > 0) snprintf(until, sizeof until, "the barrier in line %d", w->end.line);
    assert_that(
        span <= of_threads * all / threads,
        "threads wait for others: up to %s thread (%u,%u,%u) of block (%u,%u,%u) makes %.0f "
        "accesses to memory, where the mean of the block's %.0f threads is %.1f; in the whole "
        "kernel %.0f follow one another where %.0f would do: share them out among the threads",
        until, w->thread[0], w->thread[1], w->thread[2], w->block[0], w->block[1], w->block[2],
        (double)w->most, threads, (double)w->accesses / threads, span, all / threads);
}

void expect_written_once(double elements)
{
    expect_at_most(traffic_of(emulator_report(), SPACE_GLOBAL, true).bytes / sizeof(float),
                   elements, 1, "writes to global memory for each element of the output");
}

void expect_at_most(double accesses, double unit, double most, const char *what)
{
    assert_that(accesses <= most * unit, "%.3g %s, expected at most %.3g", accesses / unit, what,
                most);
}
