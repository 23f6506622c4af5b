/* batches.h -- samples of any kind, made into batches: images, points, windows of tokens, sequences.
 *
 *     static void make(Batch *batch, const void *data, const int *index)
 *     {
 *         batch->x = images_batch(batch->arena, data, index, batch->rows);    // [B,784]
 *     }
 *     Batches train = {.count = images->count, .make = make, .data = images};
 *
 * A training (training.h) decides which samples make a batch; the source makes tensors of them.
 */
#pragma once
#include "common/rng.h"
#include "common/tensor.h"

typedef struct Batch {
    Tensor *x;         // [B,...]
    Tensor *labels;    // [B,...] of I32; NULL where there are none
    int rows;          // B; 0 without a source
    Rng *rng;          // for what a loss draws: corruption, latent samples, dropout
    Arena *arena;      // holds what the batch needs, until the end of the step
} Batch;

typedef struct Batches {
    int count;    // samples; 0: there is no source
    // Makes x and labels of the samples index[0..rows-1], each 0..count-1.
    void (*make)(Batch *batch, const void *data, const int *index);
    const void *data;    // borrowed
} Batches;
