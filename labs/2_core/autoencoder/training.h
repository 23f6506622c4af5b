/* training.h -- a network's way from its first step to its last: measured, stopped, resumed.
 *
 *     Session  session = {.run = run, .state = params_new(keep), .train = &train, .test = &test};
 *     Training plain   = {.name = "plain", .params = params, .net = &net, .loss = plain_loss,
 *                         .epochs = 10, .batch = 128, .rate = 1e-3f};
 *     training_plan(&session, &plain);                      // all trainings, before the first runs
 *     if (!session_resume(&session, &err)) ...              // what --resume asks for
 *     if (!training_run(&session, &plain, &err)) ...
 *     printf("%.2f\n", training_test_loss(&plain));
 *
 * A session is a row of trainings. One checkpoint, OUT/checkpoint.safetensors, is written after
 * every epoch and upon Ctrl-C. It holds every network, the optimizer of the one at work, its random
 * numbers and the step: a run with --resume passes over the trainings that had ended and goes on to
 * the same bits as a run that was never stopped.
 *
 * After each epoch the mean loss over the training images (while it fell) and over the test images
 * goes to the metrics as NAME_train and NAME_test. The test draws the same noise every time.
 */
#pragma once
#include "common/checkpoint.h"
#include "common/optimizer.h"
#include "common/run.h"
#include "common/tape.h"
#include "datasets/images.h"

#define CHECKPOINT "checkpoint.safetensors"

typedef struct Batch {
    Tensor *x;         // [B,784] in [0,1]
    Tensor *labels;    // [B] of I32
    Rng *rng;          // for what a loss draws: corruption, samples
} Batch;

typedef struct Training {
    const char *name;
    Params *params;    // what it moves
    const void *net;
    Tensor *(*loss)(Tape *tape, const void *net,
                    const Batch *batch);    // [], a mean over the batch
    int epochs, batch;
    float rate;    // Adam's, falling to 1 % of it along half a cosine
    // Set by training_plan().
    Optimizer *adam;
    Rng rng;              // what the loss draws from
    long first, steps;    // where it stands in the session's count of steps
    float *curve;         // [epochs,2]: loss over train and over test, epoch by epoch
    float running;        // the sum over the current epoch so far
} Training;

enum { TRAININGS_MAX = 8 };

typedef struct Session {
    Run *run;
    Params *state;         // all that a checkpoint holds beside the optimizer
    const char *config;    // what a resumed run must have in common with this one
    const Images *train, *test;
    int count;
    Training *trainings[TRAININGS_MAX];    // in the order in which they run
    Record records[2 * TRAININGS_MAX];     // their curves and running sums
    long resumed;                          // steps that were done before this run
} Session;

void training_plan(Session *session, Training *training);

// Loads the checkpoint of --resume, if there is one.
bool session_resume(Session *session, Error *err);

// False when the run was interrupted (run_interrupted() tells), or with a message.
bool training_run(const Session *session, Training *training, Error *err);

// Whether a resumed run had already begun this training: what prepares it must not be done again.
bool training_begun(const Session *session, const Training *training);

// The mean loss over images, without training and with the same noise at every call.
float training_evaluate(const Session *session, const Training *training, const Images *images);

float training_test_loss(const Training *training);    // after the last epoch
