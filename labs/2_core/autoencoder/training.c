#include "labs/2_core/autoencoder/training.h"
#include <math.h>
#include "common/checkpoint.h"
#include "common/error.h"
#include "common/progress.h"

enum { TEST_BATCH = 500 };

// Streams of a run's seed, apart from those of the networks' first weights.
enum { STREAM_TEST = 99, STREAM_LOSS = 100, STREAM_ORDER = 1000000 };

static long steps_per_epoch(const Session *session, const Training *training)
{
    return (session->train->count + training->batch - 1) / training->batch;
}

void training_plan(Session *session, Training *training)
{
    REQUIRE(session->count < TRAININGS_MAX, "more than %d trainings", TRAININGS_MAX);
    Arena *keep = session->state->arena;
    const Training *before = session->count > 0 ? session->trainings[session->count - 1] : NULL;
    training->first = before ? before->first + before->steps : 0;
    training->steps = training->epochs * steps_per_epoch(session, training);
    training->curve = arena_zeros(keep, 2 * (size_t)training->epochs * sizeof *training->curve);
    session->records[2 * session->count] = (Record){arena_print(keep, "%s.curve", training->name),
                                                    training->curve, 2 * training->epochs};
    session->records[2 * session->count + 1] =
        (Record){arena_print(keep, "%s.running", training->name), &training->running, 1};
    training->rng = rng_stream(session->run->seed, STREAM_LOSS + (uint64_t)session->count);
    training->adam = optimizer_new(keep, training->params,
                                   (OptimizerConfig){
                                       .kind = OPTIMIZER_ADAM,
                                       .schedule = {.shape = SCHEDULE_COSINE,
                                                    .peak = training->rate,
                                                    .floor = training->rate / 100,
                                                    .total = training->steps},
                                   });
    params_include(session->state, training->params);
    session->trainings[session->count++] = training;
}

bool training_begun(const Session *session, const Training *training)
{
    return session->resumed > training->first;
}

float training_test_loss(const Training *training)
{
    return training->curve[2 * training->epochs - 1];
}

static Batch batch_of(Arena *arena, const Images *images, const int *index, int rows, Rng *rng)
{
    return (Batch){images_batch(arena, images, index, rows),
                   images_labels(arena, images, index, rows), rng};
}

float training_evaluate(const Session *session, const Training *training, const Images *images)
{
    Rng rng = rng_stream(session->run->seed, STREAM_TEST);
    Arena *arena = arena_new("evaluation", (size_t)1 << 30);
    Tape *tape = tape_new(arena);
    double sum = 0;
    tape_quiet(tape, true);
    for (int first = 0; first < images->count; first += TEST_BATCH) {
        int index[TEST_BATCH], rows = images->count - first;
        if (rows > TEST_BATCH) rows = TEST_BATCH;
        for (int i = 0; i < rows; i++) index[i] = first + i;
        Batch batch = batch_of(arena, images, index, rows, &rng);
        sum += (double)rows * tensor_item(training->loss(tape, training->net, &batch));
        tape_reset(tape);
    }
    arena_free(arena);
    return (float)(sum / images->count);
}

// An epoch's order follows from the seed and the epoch alone: a resumed run need not remember it.
static void shuffle_epoch(int *order, int count, uint64_t seed, long epoch)
{
    Rng rng = rng_stream(seed, STREAM_ORDER + (uint64_t)epoch);
    for (int i = 0; i < count; i++) order[i] = i;
    rng_shuffle(&rng, order, count);
}

// One step: forward, backward, move. Returns the batch's loss, summed over its rows.
static float train_step(Tape *tape, Training *training, const Images *images, const int *index,
                        int rows)
{
    Batch batch = batch_of(tape->arena, images, index, rows, &training->rng);
    Tensor *loss = training->loss(tape, training->net, &batch);
    tape_backward(tape, loss);
    optimizer_step(training->adam);
    float sum = tensor_item(loss) * (float)rows;
    tape_reset(tape);
    return sum;
}

static void end_epoch(const Session *session, Training *training, long epoch)
{
    float *curve = training->curve + 2 * epoch;
    Arena *scratch = arena_new("metric names", 4096);
    curve[0] = training->running / (float)session->train->count;
    curve[1] = training_evaluate(session, training, session->test);
    training->running = 0;
    metrics_write(
        session->run->metrics, training->first + (epoch + 1) * steps_per_epoch(session, training),
        METRICS({arena_print(scratch, "%s_train", training->name), curve[0]},
                {arena_print(scratch, "%s_test", training->name), curve[1]},
                {"rate", schedule_rate(&training->adam->config.schedule, training->adam->step)}));
    arena_free(scratch);
}

// What of a training stands in a checkpoint; `done` is the number of its steps.
static Checkpoint checkpoint_of(const Session *session, Training *training, long done)
{
    return (Checkpoint){.params = session->state,
                        .records = session->records,
                        .record_count = 2 * session->count,
                        .optimizer = training->adam,
                        .rng = &training->rng,
                        .step = training->first + done,
                        .config = session->config};
}

static bool save(const Session *session, Training *training, long done, Error *err)
{
    Checkpoint point = checkpoint_of(session, training, done);
    return checkpoint_save(run_path(session->run, CHECKPOINT), &point, err);
}

bool session_resume(Session *session, Error *err)
{
    const char *path = session->run->resume;
    if (path == NULL) return true;
    if (!checkpoint_step(path, &session->resumed, err)) return false;
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

bool training_run(const Session *session, Training *training, Error *err)
{
    const Images *images = session->train;
    long per_epoch = steps_per_epoch(session, training);
    long done = session->resumed - training->first;    // may lie before or behind this training
    if (done >= training->steps) return true;
    if (done < 0) done = 0;

    Arena *arena = arena_new("step", (size_t)1 << 30);
    int *order = arena_alloc(session->state->arena, sizeof *order * (size_t)images->count);
    Tape *tape = tape_new(arena);
    Progress progress = progress_begin(training->name, "images", done * training->batch,
                                       training->steps * training->batch);
    bool ok = true;
    while (ok && done < training->steps && !run_interrupted(session->run)) {
        long epoch = done / per_epoch, first = done % per_epoch * training->batch;
        shuffle_epoch(order, images->count, session->run->seed, epoch);
        for (; first < images->count && !run_interrupted(session->run); first += training->batch) {
            int rows = images->count - (int)first;
            if (rows > training->batch) rows = training->batch;
            training->running += train_step(tape, training, images, order + first, rows);
            done++;
            progress_step(&progress, done * training->batch, "epoch %ld", epoch + 1);
        }
        if (first >= images->count) {    // the epoch was not cut short
            end_epoch(session, training, epoch);
            ok = isfinite(training->curve[2 * epoch]) ||
                 error_set(
                     err,
                     "%s: the loss is not a number any more after epoch %ld; try a lower --rate",
                     training->name, epoch + 1);
        }
        ok = ok && save(session, training, done, err);
    }
    progress_end(&progress);
    arena_free(arena);
    return ok && done == training->steps;
}
