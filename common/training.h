/* training.h -- a model's way from its first step to its last: measured, stopped, resumed.
 *
 *     Session  session = {.run = run, .config = "hidden 256, code 30, seed 42"};
 *     Training plain   = {.name = "plain", .model = &net, .params = params, .loss = plain_loss,
 *                         .optimizer = {.kind = OPTIMIZER_ADAM, .schedule = {.peak = 1e-3f}},
 *                         .train = train, .test = test, .epochs = 10, .batch = 128};
 *     training_plan(&session, &plain);                   // all trainings, before the first runs
 *     if (!session_resume(&session, &err)) ...           // what --resume asks for
 *     if (!training_run(&session, &plain, &err)) ...
 *     printf("%.2f\n", training_test_loss(&plain));
 *     training_plot(run, &(Plot){.title = "Loss", .x_label = "epoch"}, "loss",
 *                   (Training *[]){&plain}, 1, 0);
 *     return run_end(run, CHECKPOINT);
 *
 * A session is a row of trainings with one checkpoint, OUT/checkpoint.safetensors. It holds every
 * model, the optimizer of the one at work, its random numbers and the step: a run stopped after any
 * step (Ctrl-C, SIGTERM, SIGHUP) and resumed passes over the trainings that had ended and goes on to
 * the same bits as a run that was never stopped.
 *
 * An epoch's order follows from the seed and the epoch's number alone. At each point of the curves
 * (after an epoch, or every so many steps) the metrics get NAME_train_loss, the mean over the samples
 * since the last point while the loss fell; NAME_test_loss, with the same noise every time;
 * NAME_test_accuracy of a classifier; learning_rate; and, where the optimizer clips, grad_norm of the
 * last step before clipping. Where samples are windows of text, NAME_perplexity and
 * NAME_bits_per_character of the test set too.
 *
 * While it runs, the terminal and the run's page show that mean so far, the learning rate and the time
 * left.
 *
 * A loss, a test loss, weights or moments that are not finite end the training with a sentence; the
 * checkpoint from before is left as it was. A step allocates from its arena only.
 */
#pragma once
#include "common/batches.h"
#include "common/checkpoint.h"
#include "common/run.h"
#include "common/tape.h"

#define CHECKPOINT "checkpoint.safetensors"

typedef struct Training {
    const char *name;
    void *model;
    // One of three. A loss, [], a mean over the batch's rows, whose gradients move the params by the
    // optimizer,
    Tensor *(*loss)(Tape *tape, const void *model, const Batch *batch);
    // or a classifier's logits, [B,C], whose loss is `criterion` of them and the labels, the mean
    // cross-entropy (loss.h) where that is NULL; its accuracy on the test set is measured too,
    Tensor *(*logits)(Tape *tape, const void *model, const Batch *batch);
    Tensor *(*criterion)(Tape *tape, Tensor *logits, Tensor *labels);
    Params *params;
    // or a step by a plain function, which returns the batch's loss; steps count from 1. What it
    // changes stands in the records.
    double (*update)(void *model, const Batch *batch, long step, double learning_rate);
    const Record *records;
    int record_count;

    // The loss calls the same kernels with the same arguments in each step but for what the batch holds, so that a
    // device may replay them (replay.h). Not where a number of the host enters that changes.
    bool repeats;

    OptimizerConfig optimizer;    // an update takes its schedule; .total 0 stands for all steps
    Batches train, test;          // no test: no test loss; an update may do without either
    const char *held_out;         // what the test set is called in metrics and plots; NULL: "test"
    int batch;                    // samples in a step
    int micro_batch;              // samples in memory at once, gradients added up; 0: the batch
    int test_batch;               // samples in memory at once while testing; 0: 500
    size_t room;                  // bytes that a step's tensors may take; 0: 1 GB
    int epochs;                   // either of them
    long steps;                   // (epochs set the steps)
    long point_every;             // steps between points of the curves; 0: an epoch
    long save_every;              // steps between checkpoints; 0: one at each point
    int tokens;                   // of a sample, a window of text: the progress counts them; else 0
    double tokens_per_character;    // of the test set's text; 0: not text
    // After each point of the curves, when the terminal's line is free to print; NULL for none.
    void (*on_point)(void *context, const struct Training *training, long done);
    void *context;
    Rng rng;    // what loss and update draw from; set by training_plan() if zero

    // Set by training_plan().
    Optimizer *adapt;    // NULL for an update
    long first;          // where it stands in the session's count of steps
    int points;          // of the curves
    float *curve,
        *grad_norm;     // [points,2]: training loss and test loss; [points], NULL without clipping
    float *accuracy;    // [points]: of a classifier on the test set, a share; else NULL
    long replayed;      // steps of this run that a device has launched as it had recorded them
    double running;     // the sum of the losses since the last point
    const char *names[5];         // of its losses, accuracy, perplexity and bits in the metrics
    const char *held_out_loss;    // "test loss"
    const char *label;            // its name in words, where a reader sees it
} Training;

enum { TRAININGS_MAX = 8, RECORDS_MAX = 64 };

typedef struct Session {
    Run *run;
    const char *config;    // what a resumed run must have in common with this one
    long first;            // steps of the metrics that come before the first training
    // Set by training_plan() and session_resume().
    int count;
    Training *trainings[TRAININGS_MAX];    // in the order in which they run
    Params *state;                         // all parameters
    int record_count;
    Record records[RECORDS_MAX];    // curves, running sums, and what updates change
    long resumed;                   // steps that were done before this run
} Session;

void training_plan(Session *session, Training *training);

// Loads the checkpoint of --resume, if there is one.
bool session_resume(Session *session, Error *err);

// False when the run was interrupted (run_interrupted() tells), or with a message.
bool training_run(const Session *session, Training *training, Error *err);

// Whether a resumed run had already begun this training: what prepares it must not be done again.
bool training_begun(const Session *session, const Training *training);

// The mean loss over all samples, without training and with the same noise at every call.
float training_evaluate(const Session *session, const Training *training, const Batches *samples);

float training_test_loss(const Training *training);        // after the last step
float training_test_accuracy(const Training *training);    // the same, of a classifier

// Draws training loss and test loss into out/FILE, against the epoch where `plot` has that for its
// x_label and else against the step. smooth: of the training loss, the share of the old in an
// exponential moving average; 0 for none.
void training_plot(const Run *run, Plot *plot, const char *file, Training *const trainings[],
                   int count, float smooth);

// The same for the test accuracy of classifiers, in percent.
void training_plot_accuracy(const Run *run, Plot *plot, const char *file,
                            Training *const trainings[], int count);
