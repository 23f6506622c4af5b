/* runner.h -- the forward pass of a transformer over the tokens that a step lists, of many sequences at once.
 *
 *     Runner *runner = runner_open(weights, &pool, (RunnerOptions){.rows = 512, .sequences = 64}, &err);
 *     const int count = scheduler_step(scheduler, &list);
 *     const float *logits = runner_step(runner, list, count, &scheduler->copies);    // [sampled,V]
 *     runner_close(runner);
 *
 * Prefill chunks and decodes are rows of one batch. Each entry that samples has a row of logits for its last
 * token, and before it one for each of its drafts: in the order of the list.
 *
 * A row's logits have the same bits whatever the other rows are, however its prompt was cut into chunks, and
 * whatever the block size and the number of threads: every kernel that is called here computes a row alone.
 *
 * A step allocates nothing.
 */
#pragma once
#include "kernels/kernels.h"
#include "labs/5_frontier/paged_kv/app/model/weights.h"
#include "labs/5_frontier/paged_kv/app/schedule/scheduler.h"

typedef struct RunnerOptions {
    int rows;                   // tokens in a step, at most: the scheduler's budget
    int sequences;              // of a step, at most
    int drafts;                 // of a sequence, at most
    DType cache;                // of keys and values: F32, F16, BF16 or Q8_0
    Activations activations;    // with weights in blocks
} RunnerOptions;

typedef struct Runner {
    const Weights *weights;
    const BlockPool *pool;
    RunnerOptions options;
    PagedKv *caches;    // [layers]
    Rope *rope;         // or NULL
    // What a step is about, row by row.
    int rows, sampled;
    int32_t *token, *position;    // [rows]
    int64_t *slot;                // [rows]
    bool *written;                // [rows]: its keys and values are written
    PagedQuery *query;            // [rows]
    int32_t *tables;              // the block tables, one after the other
    int32_t *sampled_row;         // [sampled]
    // Activations.
    float *x, *h;                     // [rows,d]: the residual stream; what is added to it
    float *qkv, *turned;              // [rows,(H + 2 KV) D]
    float *mixed;                     // [rows,H D]
    float *up, *hidden;               // [rows,F], of SwiGLU [rows,2 F]; [rows,F]
    float *mean, *rstd;               // [rows,H]
    float *angles;                    // [2 rows,D/2]: cosines of each row's position, then sines
    float *last, *normed, *logits;    // [sampled,d] twice, [sampled,V]
    Arena *arena;
    size_t bytes;    // of the above, caches included
} Runner;

// NULL and why: a head that Q8_0 has no whole blocks of. Weights and pool are borrowed.
Runner *runner_open(const Weights *weights, const BlockPool *pool, RunnerOptions options,
                    Error *err);
void runner_close(Runner *runner);    // NULL is fine

// Makes the copies, then computes. The logits live until the next step.
const float *runner_step(Runner *runner, const Scheduled *list, int count,
                         const BlockCopies *copies);

// Bytes of keys and values of one token, over all layers.
size_t runner_token_bytes(const ModelConfig *config, DType cache);
