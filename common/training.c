#include "common/training.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "common/error.h"
#include "common/loss.h"
#include "common/ops.h"
#include "common/progress.h"
#include "common/ranks.h"
#include "common/reduction.h"
#include "common/replay.h"
#include "common/report.h"
#include "common/text.h"
#include "kernels/kernels.h"

enum { TEST_BATCH = 500, ROOM = 1 << 30 };

// Streams of a run's seed, apart from those of the models' first weights.
enum { STREAM_TEST = 99, STREAM_LOSS = 100, STREAM_ORDER = 1000000 };

static long least(long a, long b)
{
    return a < b ? a : b;
}

// ---- the plan ----

static long steps_per_epoch(const Training *training)
{
    return (training->train.count + training->batch - 1) / training->batch;
}

// The samples of the first `steps` steps; without a source each step counts as one.
static long samples_until(const Training *training, long steps)
{
    if (training->train.count == 0) return steps;
    long per_epoch = steps_per_epoch(training), count = training->train.count;
    return steps / per_epoch * count + least(steps % per_epoch * training->batch, count);
}

static long point_step(const Training *training, int point)
{
    return least((point + 1) * training->point_every, training->steps);
}

static void add_record(Session *session, const char *name, void *values, int count, DType type)
{
    REQUIRE(session->record_count < RECORDS_MAX, "more than %d records", RECORDS_MAX);
    session->records[session->record_count++] =
        (Record){.name = name, .values = values, .count = count, .type = type};
}

static void plan_curves(Session *session, Training *training)
{
    Arena *keep = session->run->keep;
    const char *name = training->name;
    int points = training->points =
        (int)((training->steps + training->point_every - 1) / training->point_every);
    training->curve = arena_zeros(keep, 2 * (size_t)points * sizeof *training->curve);
    add_record(session, arena_print(keep, "%s.curve", name), training->curve, 2 * points,
               DTYPE_F32);
    add_record(session, arena_print(keep, "%s.running", name), &training->running, 1, DTYPE_F64);
    training->label = text_spaced(arena_print(keep, "%s", name));
    training->names[0] = arena_print(keep, "%s_train_loss", name);
    training->names[1] = arena_print(keep, "%s_%s_loss", name, training->held_out);
    training->held_out_loss = arena_print(keep, "%s loss", training->held_out);
    training->names[3] = arena_print(keep, "%s_perplexity", name);
    training->names[4] = arena_print(keep, "%s_bits_per_character", name);
    if (training->logits != NULL && training->test.count > 0) {
        training->names[2] = arena_print(keep, "%s_test_accuracy", name);
        training->accuracy = arena_zeros(keep, (size_t)points * sizeof *training->accuracy);
        add_record(session, arena_print(keep, "%s.accuracy", name), training->accuracy, points,
                   DTYPE_F32);
    }
    if (training->adapt == NULL || training->optimizer.clip_norm <= 0) return;
    training->grad_norm = arena_zeros(keep, (size_t)points * sizeof *training->grad_norm);
    add_record(session, arena_print(keep, "%s.grad_norm", name), training->grad_norm, points,
               DTYPE_F32);
}

void training_plan(Session *session, Training *training)
{
    const char *name = training->name;
    bool source = training->train.count > 0;
    REQUIRE(session->count < TRAININGS_MAX, "more than %d trainings", TRAININGS_MAX);
    REQUIRE((training->loss != NULL) + (training->logits != NULL) + (training->update != NULL) == 1,
            "%s: expected one of loss, logits and update", name);
    REQUIRE(training->update != NULL || source, "%s: a loss needs samples", name);
    if (training->criterion == NULL) training->criterion = loss_cross_entropy;
    REQUIRE(!source || training->batch > 0, "%s: a batch of %d", name, training->batch);
    REQUIRE(source || training->epochs == 0, "%s: epochs of no samples", name);
    REQUIRE((training->epochs > 0) != (training->steps > 0), "%s: expected either epochs or steps",
            name);
    if (training->epochs > 0) training->steps = training->epochs * steps_per_epoch(training);
    if (training->point_every == 0)
        training->point_every = source ? steps_per_epoch(training) : training->steps;
    if (training->held_out == NULL) training->held_out = "test";
    if (training->micro_batch == 0) training->micro_batch = training->batch;
    if (training->test_batch == 0) training->test_batch = TEST_BATCH;
    if (training->rng.increment == 0)
        training->rng = rng_stream(session->run->seed, STREAM_LOSS + (uint64_t)session->count);

    if (session->state == NULL) session->state = params_new(session->run->keep);
    const Training *before = session->count > 0 ? session->trainings[session->count - 1] : NULL;
    training->first = before ? before->first + before->steps : session->first;
    if (training->optimizer.schedule.total == 0)
        training->optimizer.schedule.total = training->steps;
    if (training->params != NULL) {
        training->adapt = optimizer_new(session->run->keep, training->params, training->optimizer);
        params_include(session->state, training->params);
    }
    plan_curves(session, training);
    for (int i = 0; i < training->record_count; i++) {
        const Record *record = &training->records[i];
        add_record(session, record->name, record->values, record->count, record->type);
    }
    session->trainings[session->count++] = training;
}

bool training_begun(const Session *session, const Training *training)
{
    return session->resumed > training->first;
}

float training_test_loss(const Training *training)
{
    return training->curve[2 * training->points - 1];
}

float training_test_accuracy(const Training *training)
{
    return training->accuracy[training->points - 1];
}

// ---- checkpoints ----

// What of a training stands in a checkpoint; `done` is the number of its steps.
static Checkpoint checkpoint_of(const Session *session, Training *training, long done)
{
    return (Checkpoint){.params = session->state,
                        .records = session->records,
                        .record_count = session->record_count,
                        .optimizer = training->adapt,
                        .rng = &training->rng,
                        .step = training->first + done,
                        .config = session->config};
}

static bool records_finite(const Training *training)
{
    for (int i = 0; i < training->record_count; i++) {
        const Record *record = &training->records[i];
        for (int j = 0; j < record->count; j++)
            if (!isfinite(record->type == DTYPE_F64 ? ((const double *)record->values)[j]
                                                    : (double)((const float *)record->values)[j]))
                return false;
    }
    return true;
}

// A NaN makes the norm NaN. It is no float where a few are large, but the scale that brings it down
// to FLT_MAX is above 0 unless one of them is infinite.
static bool block_finite(Arena *arena, const float *numbers, size_t count)
{
    Tensor *clip = tensor_new(arena, SHAPE(2));
    kernels.clip_scale(tensor_floats(clip), numbers, count, FLT_MAX);
    const float *values = tensor_values(arena, clip);    // the scale, and the norm
    return values[0] > 0 && !isnan(values[1]);
}

// A finite loss may have left numbers that are not: such a step must not replace the last checkpoint.
// Names the first kind of them; NULL: all are finite.
static const char *not_finite(Arena *arena, const Training *training)
{
    if (training->params == NULL) return records_finite(training) ? NULL : "a weight";
    size_t count = training->params->trained.count;
    if (!block_finite(arena, training->params->trained.at, count)) return "a weight";
    for (int i = 0; i < 2; i++) {
        const float *moments = training->adapt->moments[i];
        if (moments != NULL && !block_finite(arena, moments, count))
            return "a moment of the optimizer";
    }
    return NULL;
}

static const char *advice(const Run *run)
{
    return options_has(run->options, "rate") ? "try a lower --rate" : "try a lower learning rate";
}

static bool lost(Error *err)
{
    return error_set(err, "another process of this run has ended");
}

static bool save(const Session *session, Training *training, Tape *tape, long done, Error *err)
{
    const char *what = not_finite(tape->arena, training);
    tape_reset(tape);
    if (what != NULL)
        return error_set(err, "%s: %s is not finite after step %ld; %s", training->name, what, done,
                         advice(session->run));
    Checkpoint point = checkpoint_of(session, training, done);
    bool saved =
        session->run->rank > 0 || checkpoint_save(run_path(session->run, CHECKPOINT), &point, err);
    // None goes on, or ends, before it is there.
    double failures = saved ? 0 : 1;
    if (!ranks_sum(&failures, 1)) return lost(err);
    return failures == 0 ||
           (saved ? error_set(err, "rank 0 could not save the checkpoint") : false);
}

bool session_resume(Session *session, Error *err)
{
    const char *path = session->run->resume;
    if (path == NULL) return true;
    if (!checkpoint_step(path, session->config, &session->resumed, err)) return false;
    // The optimizer in the file is that of the training which took the last step.
    for (int i = 0; i < session->count; i++) {
        Training *training = session->trainings[i];
        long done = session->resumed - training->first;
        if (done < 0 || done > training->steps || (done == 0 && i > 0)) continue;
        Checkpoint point = checkpoint_of(session, training, done);
        return checkpoint_load(path, &point, err) &&
               run_resumed(session->run, session->resumed, err);
    }
    return error_set(err, "%s: is at step %ld; this run has fewer", path, session->resumed);
}

// ---- one step, and the loss on samples that are not trained on ----

static Batch make_batch(Arena *arena, const Batches *source, const int *index, int rows, Rng *rng)
{
    Batch batch = {.rows = rows, .rng = rng, .arena = arena};
    if (source->make != NULL) source->make(&batch, source->data, index);
    return batch;
}

// How many of the batch's rows the loss is a mean over: those whose labels are negative do not count, of
// several labels in a row each is a part of it.
static double weight_of(const Batch *batch)
{
    if (batch->labels == NULL || batch->rows == 0) return batch->rows;
    size_t count = tensor_count(batch->labels), counted = 0;
    int32_t *label = arena_alloc(batch->arena, sizeof *label * count);
    tensor_read_ints(batch->labels, label);
    for (size_t i = 0; i < count; i++) counted += label[i] >= 0;
    return (double)batch->rows * (double)counted / (double)count;
}

// The ranks share a batch; what each draws is its own. With one rank the numbers are the training's,
// with more of them they follow from it, and it moves on alike everywhere.
static Rng own_rng(Rng *rng)
{
    if (ranks_count() == 1) return *rng;
    uint64_t seed = (uint64_t)rng_next(rng) << 32;
    seed |= rng_next(rng);
    return rng_stream(seed, (uint64_t)ranks_own());
}

// The loss of a batch. correct: NULL, or raised by the rows whose largest logit, the first of several,
// is the label's.
static Tensor *loss_of(Tape *tape, const Training *training, const Batch *batch, long *correct)
{
    if (training->loss != NULL) return training->loss(tape, training->model, batch);
    Tensor *logits = training->logits(tape, training->model, batch);
    if (correct != NULL) {
        int classes = logits->shape.size[1];
        const float *row = tensor_values(tape->arena, logits);
        int32_t *label = arena_alloc(tape->arena, sizeof *label * (size_t)batch->rows);
        tensor_read_ints(batch->labels, label);
        for (int r = 0; r < batch->rows; r++, row += classes) {
            int best = 0;
            for (int c = 1; c < classes; c++)
                if (row[c] > row[best]) best = c;
            *correct += best == label[r];
        }
    }
    return training->criterion(tape, logits, batch->labels);
}

// The mean loss, and the share of correct rows where that is not NULL. Each rank takes its share of each
// batch. NaN where a rank is gone.
static float measure(const Session *session, const Training *training, const Batches *samples,
                     float *accuracy)
{
    long correct = 0;
    Rng rng = rng_stream(session->run->seed, STREAM_TEST);
    rng = own_rng(&rng);
    Arena *arena = arena_new("evaluation", training->room > 0 ? training->room : ROOM);
    Tape *tape = tape_new(arena);
    double sums[3] = {0};    // the losses, their weights, correct rows
    tape_quiet(tape, true);
    for (int first = 0; first < samples->count; first += training->test_batch) {
        RankShare own = ranks_share((int)least(samples->count - first, training->test_batch));
        if (own.count == 0) continue;
        int *index = arena_alloc(arena, sizeof *index * (size_t)own.count);
        for (int i = 0; i < own.count; i++) index[i] = first + own.first + i;
        Batch batch = make_batch(arena, samples, index, own.count, &rng);
        double weight = weight_of(&batch);
        Tensor *loss = loss_of(tape, training, &batch, accuracy != NULL ? &correct : NULL);
        sums[0] += weight * (double)tensor_item(loss);
        sums[1] += weight;
        tape_reset(tape);
    }
    arena_free(arena);
    sums[2] = (double)correct;
    if (!ranks_sum(sums, 3)) return NAN;
    if (accuracy != NULL) *accuracy = (float)sums[2] / (float)samples->count;
    return sums[1] > 0 ? (float)(sums[0] / sums[1]) : 0;
}

float training_evaluate(const Session *session, const Training *training, const Batches *samples)
{
    return measure(session, training, samples, NULL);
}

// What a step came to, on all ranks.
typedef struct Step {
    double loss;         // summed over the rows
    bool interrupted;    // a rank is asked to stop
    bool lost;           // a rank is gone
} Step;

// What a training's steps stand on, beside its parameters.
typedef struct Way {
    Tape *tape;
    Reduction *reduction;    // NULL with one rank
    Replay *replay;          // NULL: each step is computed directly
} Way;

// The mean over the batch is the sum of its parts' means, each weighed by its rows.
static void backward_part(Tape *tape, Tensor *loss, double weight, int rows, Reduction *last)
{
    if (weight < rows) loss = op_scale(tape, loss, (float)weight / (float)rows);
    if (last != NULL) reduction_follow(last, tape);
    tape_backward(tape, loss);
}

// Forward and backward of a part of the batch: its loss. Where that is not finite, forward alone.
static double part_loss(const Way *way, const Training *training, const Batch *batch, double weight,
                        int rows, Replay *replay, Reduction *last)
{
    const float scale = (float)weight / (float)rows;
    float value;
    if (replay_forward(replay, way->tape, batch->rows, scale, batch->rng, &value)) {
        if (isfinite(value)) replay_backward(replay);
    } else {
        Tensor *loss = loss_of(way->tape, training, batch, NULL);
        replay_end_forward(replay, loss, batch->rng);
        value = tensor_item(loss);
        if (isfinite(value)) {
            replay_begin_backward(replay);
            backward_part(way->tape, loss, weight, rows, last);
            replay_end_backward(replay);
        }
    }
    if (isfinite(value)) tape_reset(way->tape);
    return (double)value;
}

// Forward and backward of this rank's share, a micro-batch at a time, and the optimizer's step. Where the
// loss is not finite nothing was moved.
static Step loss_step(const Run *run, const Way *way, Training *training, const int *index,
                      int rows)
{
    double sums[3] = {0};    // the losses, their weights, ranks that are asked to stop
    Reduction *reduction = way->reduction;
    RankShare own = ranks_share(rows);
    Rng ours = own_rng(&training->rng), *rng = ranks_count() > 1 ? &ours : &training->rng;
    for (int first = 0; first < own.count; first += training->micro_batch) {
        int part = (int)least(own.count - first, training->micro_batch);
        Batch batch =
            make_batch(way->tape->arena, &training->train, index + own.first + first, part, rng);
        double weight = part < rows ? weight_of(&batch) : part;
        // Of several parts each adds to the gradients of those before.
        Replay *replay = part == own.count ? way->replay : NULL;
        Reduction *last = replay == NULL && first + part == own.count ? reduction : NULL;
        sums[0] += weight * part_loss(way, training, &batch, weight, rows, replay, last);
        sums[1] += weight;
        if (!isfinite(sums[0])) break;
    }
    sums[2] = run_interrupted(run);
    if ((reduction != NULL && !reduction_finish(reduction)) || !ranks_sum(sums, 3))
        return (Step){.lost = true};
    // Labels that do not count are known only now.
    const double unweighed = sums[1] > 0 ? rows / sums[1] : 1;
    const Block *grads = &training->params->grads;
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what is trained has parameters
    if (unweighed != 1) kernels.axpby(grads->at, grads->at, (float)unweighed, 0.0f, grads->count);
    if (isfinite(sums[0])) optimizer_step(training->adapt);
    return (Step){.loss = sums[0] * unweighed, .interrupted = sums[2] > 0};
}

// A plain function's step is the same on each rank.
static Step take_step(const Run *run, const Way *way, Training *training, const int *index,
                      int rows, long done)
{
    if (training->update == NULL) return loss_step(run, way, training, index, rows);
    Tape *tape = way->tape;
    Batch batch = make_batch(tape->arena, &training->train, index, rows, &training->rng);
    double rate = (double)schedule_rate(&training->optimizer.schedule, done);
    double loss = training->update(training->model, &batch, done + 1, rate);
    double interrupted = run_interrupted(run);
    tape_reset(tape);
    bool there = ranks_sum(&interrupted, 1);
    return (Step){loss * (rows > 0 ? rows : 1), interrupted > 0, !there};
}

// Why no step is replayed, for a reader who asked for it.
static const char *no_replay(const Training *training, const Run *run)
{
    if (!training->repeats) return ": its steps differ from one another";
    if (run->profile || run->check_numbers) return ": each kernel is looked at by itself";
    return ": the device records no graphs";
}

// ---- the loop ----

static bool diverged(const Session *session, const Training *training, const char *what,
                     double loss, long step, Error *err)
{
    return error_set(err, "%s: the %s is %s at step %ld; %s", training->name, what,
                     isnan(loss) ? "NaN" : "infinite", step, advice(session->run));
}

// The mean loss over the samples since the last point, after step `done`.
static double running_mean(const Training *training, long done)
{
    long point = (done - 1) / training->point_every * training->point_every;
    return training->running /
           (double)(samples_until(training, done) - samples_until(training, point));
}

// A point of the curves, after step `done`.
static bool end_point(const Session *session, Training *training, long done, Error *err)
{
    int point = (int)((done - 1) / training->point_every);
    float *curve = training->curve + 2 * point;
    curve[0] = (float)running_mean(training, done);
    training->running = 0;
    bool test = training->test.count > 0;
    float *accuracy = training->accuracy != NULL ? &training->accuracy[point] : NULL;
    curve[1] = test ? measure(session, training, &training->test, accuracy) : NAN;
    if (ranks_lost()) return lost(err);
    if (test && !isfinite(curve[1]))
        return diverged(session, training, training->held_out_loss, (double)curve[1], done, err);

    Metric metrics[8] = {{training->names[0], (double)curve[0]}};
    int count = 1;
    if (test) metrics[count++] = (Metric){training->names[1], (double)curve[1]};
    if (accuracy != NULL) metrics[count++] = (Metric){training->names[2], (double)*accuracy};
    if (test && training->tokens_per_character > 0) {
        double bits = (double)curve[1] / log(2) * training->tokens_per_character;
        metrics[count++] = (Metric){training->names[3], exp((double)curve[1])};
        metrics[count++] = (Metric){training->names[4], bits};
    }
    metrics[count++] =
        (Metric){"learning_rate", (double)schedule_rate(&training->optimizer.schedule, done)};
    if (training->grad_norm != NULL) {
        training->grad_norm[point] = optimizer_grad_norm(training->adapt);
        metrics[count++] = (Metric){"grad_norm", (double)training->grad_norm[point]};
    }
    metrics_write(session->run->metrics, training->first + done, metrics);
    return true;
}

// An epoch's order follows from the seed and the epoch alone: a resumed run need not remember it.
static void shuffle_epoch(int *order, int count, uint64_t seed, long epoch)
{
    Rng rng = rng_stream(seed, STREAM_ORDER + (uint64_t)epoch);
    for (int i = 0; i < count; i++) order[i] = i;
    rng_shuffle(&rng, order, count);
}

// On the terminal's line and on the run's page.
static void show_progress(const Run *run, const Training *training, Progress *progress, long done,
                          double loss)
{
    long each = training->tokens > 0 ? training->tokens : 1;
    long shown = each * samples_until(training, done);
    Metric values[5] = {
        {"training loss", loss},
        {"learning rate", (double)schedule_rate(&training->optimizer.schedule, done - 1)}};
    int point = (int)(done / training->point_every) - 1;    // the last, but for one at the end
    if (training->test.count > 0 && point >= 0)
        values[2] = (Metric){training->held_out_loss, (double)training->curve[2 * point + 1]};
    if (training->accuracy != NULL && point >= 0)
        values[3] = (Metric){"test accuracy", (double)training->accuracy[point]};
    report_progress(run->report, training->label, progress->unit, shown,
                    each * samples_until(training, training->steps), values);
    if (training->train.count == 0) progress_step(progress, shown, "loss %.4f", loss);
    else
        progress_step(progress, shown, "epoch %ld  loss %.4f",
                      (done - 1) / steps_per_epoch(training) + 1, loss);
}

// Whether all ranks have the same model, text and options, and have resumed from the same step.
static bool ranks_agree(const Session *session, Error *err)
{
    uint32_t hash = 2166136261u ^ (uint32_t)session->resumed;    // FNV-1a
    for (const char *c = session->config; c != NULL && *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    double h = hash >> 16, sums[2] = {h, h * h}, n = ranks_count();
    if (!ranks_sum(sums, 2)) return lost(err);
    // Cauchy & Schwarz: only of equal numbers. They are whole numbers below 2^53 up to 2000 ranks.
    return n * sums[1] == sums[0] * sums[0] ||
           error_set(err, "the %d processes differ in options, data or checkpoint: %s",
                     ranks_count(), session->config);
}

bool training_run(const Session *session, Training *training, Error *err)
{
    const Run *run = session->run;
    int count = training->train.count;
    long begun = session->resumed - training->first;    // may lie before or behind this training
    if (begun >= training->steps) return true;
    if (begun < 0) begun = 0;
    if (!ranks_agree(session, err)) return false;
    // What an earlier run left behind must not pass for this one's, if it is stopped and resumed.
    if (session->resumed == 0 && training->first == session->first && session->first == 0 &&
        !metrics_rewind(run->metrics, -1, err))
        return false;

    Arena *arena = arena_new("step", training->room > 0 ? training->room : ROOM);
    int *order = arena_alloc(run->keep, sizeof *order * (size_t)count);
    Tape *tape = tape_new(arena);
    const char *unit = training->tokens > 0 ? "tokens" : count > 0 ? "samples" : "steps";
    long each = training->tokens > 0 ? training->tokens : 1;
    Progress progress = progress_begin(training->label, unit, each * samples_until(training, begun),
                                       each * samples_until(training, training->steps));
    const bool alone = ranks_count() == 1, moves = training->params != NULL;
    Way way = {.tape = tape,
               .reduction = !alone && moves ? reduction_new(run->keep, training->params) : NULL,
               // What is replayed passes by the profile and the check of numbers.
               .replay = training->repeats && !run->profile && !run->check_numbers
                             ? replay_new(run->keep, training->params)
                             : NULL};
    bool ok = true, stop = alone && run_interrupted(run);
    long done = begun, saved = begun;
    while (ok && done < training->steps && !stop) {
        long place = 0;
        if (count > 0) {
            place = done % steps_per_epoch(training) * training->batch;
            if (place == 0 || done == begun)
                shuffle_epoch(order, count, run->seed, done / steps_per_epoch(training));
        }
        int rows = count > 0 ? (int)least(count - place, training->batch) : 0;
        Step step = take_step(run, &way, training, order + place, rows, done);
        if (step.lost || !isfinite(step.loss)) {
            ok = step.lost ? lost(err)
                           : diverged(session, training, "loss", step.loss, done + 1, err);
            break;
        }
        training->running += step.loss;
        done++;
        double mean = running_mean(training, done);
        bool point = done % training->point_every == 0 || done == training->steps;
        if (point) ok = end_point(session, training, done, err);
        if (point && ok && training->on_point != NULL && run->rank == 0) {
            progress_clear(&progress);
            training->on_point(training->context, training, done);
        }
        show_progress(run, training, &progress, done, mean);
        bool due = training->save_every > 0 ? done % training->save_every == 0 : point;
        if (ok && (due || done == training->steps)) {
            ok = save(session, training, tape, done, err);
            saved = done;
        }
        // With more ranks they stop after the same step.
        if (step.interrupted) run_interrupt(run);
        stop = ranks_count() > 1 ? step.interrupted : run_interrupted(run);
    }
    if (ok && saved != done) ok = save(session, training, tape, done, err);
    progress_end(&progress);
    training->replayed = replay_count(way.replay);
    if (replay_asked())
        run_print(run, "CUDA graphs: %ld of %ld steps of this run were replayed%s.",
                  training->replayed, done - begun,
                  way.replay != NULL ? "" : no_replay(training, run));
    replay_free(way.replay);
    arena_free(arena);
    return ok && done == training->steps;
}

// ---- plots ----

// Where the points lie, in the plot's unit.
static float *points_of(Arena *arena, const Training *training, const Plot *plot)
{
    float *x = arena_alloc(arena, sizeof *x * (size_t)training->points);
    bool epochs = strcmp(plot->x_label, "epoch") == 0;
    for (int p = 0; p < training->points; p++) {
        long step = point_step(training, p);
        x[p] = epochs ? (float)step / (float)steps_per_epoch(training) : (float)step;
    }
    return x;
}

void training_plot(const Run *run, Plot *plot, const char *file, Training *const trainings[],
                   int count, float smooth)
{
    Arena *arena = arena_new("curves", (size_t)64 << 20);
    for (int t = 0; t < count; t++) {
        const Training *training = trainings[t];
        size_t points = (size_t)training->points;
        float *x = points_of(arena, training, plot);
        float *train = arena_alloc(arena, sizeof *train * points);
        float *test = arena_alloc(arena, sizeof *test * points);
        for (size_t p = 0; p < points; p++) {
            train[p] = training->curve[2 * p];
            if (p > 0) train[p] += smooth * (train[p - 1] - train[p]);
            test[p] = training->curve[2 * p + 1];
        }
        plot_series(plot, arena_print(arena, "%s, train", training->label), x, train, points);
        if (training->test.count > 0)
            plot_series(plot, arena_print(arena, "%s, %s", training->label, training->held_out), x,
                        test, points);
    }
    run_plot(run, plot, file);
    arena_free(arena);
}

void training_plot_accuracy(const Run *run, Plot *plot, const char *file,
                            Training *const trainings[], int count)
{
    Arena *arena = arena_new("curves", (size_t)64 << 20);
    for (int t = 0; t < count; t++) {
        const Training *training = trainings[t];
        float *percent = arena_alloc(arena, sizeof *percent * (size_t)training->points);
        for (int p = 0; p < training->points; p++) percent[p] = 100 * training->accuracy[p];
        plot_series(plot, training->name, points_of(arena, training, plot), percent,
                    (size_t)training->points);
    }
    run_plot(run, plot, file);
    arena_free(arena);
}
