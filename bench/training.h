/* training.h -- a training step of ours, timed beside the same step of others: what the benches train_* share.
 *
 *     static const TrainingForm form = {.batch = 64, .flops = flops, .make = make};
 *     int main(int argc, char **argv)
 *     {
 *         return training_bench(&(TrainingBench){.name = "train_lenet", .summary = "...",
 *                                                .unit = "images", .forms = &form, .count = 1}, argc, argv);
 *     }
 *
 * A step is forward, backward and the optimizer's step, on one fixed batch that stays in memory, so that only
 * training is timed and neither files nor shuffling. Every sample starts from the same new weights, so that
 * all sides are timed over the same stretch of training: later, units die, their moments in Adam decay into
 * denormal numbers, and a step of PyTorch's takes half as long again. With --peers, the same in PyTorch
 * (peers/NAME.py), in each of its forms, and in further programs, their rounds between ours. Each side says
 * how much its memory has grown by its first steps.
 */
#pragma once
#include "bench/command.h"
#include "common/layers.h"
#include "common/optimizer.h"

typedef struct Trainer {
    Params *params;
    Optimizer *optimizer;
    const void *model;
    Tensor *x, *labels;    // the batch
    Tensor *(*loss)(Tape *tape, const struct Trainer *trainer);
} Trainer;

typedef struct TrainingForm {
    const char *name;    // of --form; NULL where there is one
    const char
        *request;    // members of the JSON that tell a peer which: "\"layers\": 4"; NULL for none
    int batch;       // units in a step
    int rounds;      // at least; 0: 15
    double (*flops)(const struct TrainingForm *form);    // of a step's products
    Trainer (*make)(Arena *keep, const struct TrainingForm *form);
    const void *shape;    // for the two functions
} TrainingForm;

typedef struct TrainingBench {
    const char *name, *summary;
    const char *unit;       // "images"
    const char *program;    // an environment variable that names a further peer, and
    const char *label;      // what it is; NULL for none
    const TrainingForm *forms;
    int count;
} TrainingBench;

int training_bench(const TrainingBench *bench, int argc, char **argv);    // what main() returns
