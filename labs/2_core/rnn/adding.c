/* adding.c -- part: the adding problem (Hochreiter & Schmidhuber 1997). */
#include <math.h>
#include "common/loss.h"
#include "labs/2_core/rnn/lab.h"

enum { HIDDEN = 32, TRAINED = 20000, TESTED = 500, BATCH = 50 };

typedef struct Problems {
    uint64_t seed;
    int length;
} Problems;

static Problems problems[2];

// x [T+1,B,2]: a number of [0,1) and whether it is marked, one in each half; then the sum of the marked two.
static void make_batch(Batch *batch, const void *data, const int *index)
{
    const Problems *p = data;
    const size_t B = (size_t)batch->rows, T = (size_t)p->length;
    float *x = arena_zeros(batch->arena, (T + 1) * B * 2 * sizeof *x);
    for (size_t b = 0; b < B; b++) {
        Rng rng = rng_stream(p->seed, (uint64_t)index[b]);
        for (size_t t = 0; t < T; t++) x[(t * B + b) * 2] = rng_uniform(&rng);
        const uint32_t half = (uint32_t)T / 2;
        const size_t marked[] = {rng_below(&rng, half), half + rng_below(&rng, (uint32_t)T - half)};
        for (int k = 0; k < 2; k++) {
            x[(marked[k] * B + b) * 2 + 1] = 1;
            x[(T * B + b) * 2] += x[(marked[k] * B + b) * 2];
        }
    }
    batch->x = tensor_from(batch->arena, SHAPE(p->length + 1, batch->rows, 2), x);
}

static Tensor *loss(Tape *tape, const void *model, const Batch *batch)
{
    const Adder *adder = model;
    const int T = batch->x->shape.size[0] - 1, B = batch->rows;
    const float *all = tensor_values(tape->arena, batch->x);
    float *sum = arena_alloc(tape->arena, (size_t)B * sizeof *sum);
    for (int b = 0; b < B; b++) sum[b] = all[2 * ((size_t)T * (size_t)B + (size_t)b)];
    Tensor *h = recurrent_run(tape, &adder->cell, tensor_rows(tape->arena, batch->x, 0, T), NULL);
    h = tensor_view(tape->arena, tensor_rows(tape->arena, h, T - 1, 1), SHAPE(B, HIDDEN));
    return loss_mse(tape, linear_forward(tape, &adder->out, h),
                    tensor_from(tape->arena, SHAPE(B, 1), sum));
}

void adding_plan(Lab *lab)
{
    Rng seeds = rng_stream(lab->run->seed, 31);
    for (int side = 0; side < 2; side++) problems[side] = (Problems){rng_next(&seeds), lab->length};
    for (int k = 0; k < CELL_KINDS; k++) {
        static const char *const names[CELL_KINDS] = {"elman", "lstm", "gru"};
        Adder *adder = &lab->adders[k];
        Rng rng = rng_stream(lab->run->seed, 30);
        Params *params = params_new(lab->keep);
        adder->cell = recurrent_new(params, names[k], (CellKind)k, 2, HIDDEN, &rng);
        adder->out = linear_new(params, arena_print(lab->keep, "%s.out", names[k]), HIDDEN, 1,
                                init_glorot, &rng);
        adder->training = (Training){
            .name = names[k],
            .model = adder,
            .params = params,
            .loss = loss,
            .optimizer = {.kind = OPTIMIZER_ADAM, .schedule = {.peak = 5e-3f}, .clip_norm = 1},
            .train = {TRAINED, make_batch, &problems[0]},
            .test = {TESTED, make_batch, &problems[1]},
            .batch = BATCH,
            .test_batch = BATCH,
            .room = ROOM,
            .steps = lab->adding_steps,
            .point_every = lab->adding_steps >= 20 ? lab->adding_steps / 20 : 1};
        training_plan(&lab->session, &adder->training);
    }
}

bool part_adding(void *context, Error *err)
{
    Lab *lab = context;
    Training *trainings[CELL_KINDS];
    Table table = table_new(lab->keep, "cell|weights|test MSE|RMSE");
    for (int k = 0; k < CELL_KINDS; k++) {
        trainings[k] = &lab->adders[k].training;
        if (!training_run(&lab->session, trainings[k], err)) return false;
        const double mse = (double)training_test_loss(trainings[k]);
        table_row(&table, "%s|%zu|%.4f|%.3f", cell_names[k], params_total(trainings[k]->params),
                  mse, sqrt(mse));
    }
    run_print(lab->run,
              "Sequences of %d numbers, two of them marked. Always answering 1 has an MSE of 1/6 = "
              "0.1667.",
              lab->length);
    run_table(lab->run, &table);
    training_plot(lab->run,
                  &(Plot){.title = "The adding problem",
                          .x_label = "step",
                          .y_label = "mean squared error",
                          .log_y = true},
                  "adding", trainings, CELL_KINDS, 0);
    return true;
}
