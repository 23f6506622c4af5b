/* learning.c -- the models and trainings of the story, and what an RBM looks like while it learns. */
#include <math.h>
#include <string.h>
#include "kernels/kernels.h"
#include "labs/2_core/boltzmann/lab.h"

enum { JUDGED = 50 };    // images whose pseudo-likelihood is taken

// ---- models and trainings ----

// Streams of the seed: a training's does not depend on which others there are.
enum {
    STREAM_CD = 40,
    STREAM_PCD,
    STREAM_SMALL_CD,
    STREAM_SMALL_PCD,
    STREAM_SECOND,
    STREAM_SCORES
};

typedef struct Plan {
    const char *name;
    const Source *train, *test;
    int hidden;
    float rate;
    uint64_t weights, chains,
        order;    // streams; chains: 0 for CD, that of the weights to go on with it
    void (*on_point)(void *trace, const Training *training, long done);
} Plan;

static void plan_rbm(Lab *lab, Learner *learner, Plan plan)
{
    Params *params = params_new(lab->keep);
    Rng rng = rng_stream(lab->run->seed, plan.weights);
    learner->model = rbm_new(params, plan.name, plan.train, plan.hidden, &rng);
    if (plan.chains != plan.weights) rng = rng_stream(lab->run->seed, plan.chains);
    if (plan.chains != 0) rbm_chains(params, plan.name, &learner->model, lab->chains, &rng);
    learner->trace = (Trace){.lab = lab, .model = &learner->model};
    learner->training = (Training){
        .name = plan.name,
        .model = &learner->model,
        .params = params,
        .loss = rbm_loss,
        .optimizer = {.kind = OPTIMIZER_SGD,
                      .momentum = 0.5f,
                      .decay = 1e-4f,
                      .schedule = {.shape = SCHEDULE_LINEAR,
                                   .peak = plan.rate,
                                   .floor = plan.rate / 100}},
        .train = source_batches(plan.train),
        .test = source_batches(plan.test),
        .epochs = lab->epochs,
        .batch = lab->batch,
        .room = ROOM,
        .rng = rng_stream(lab->run->seed, plan.order),
        .on_point = plan.on_point,
        .context = &learner->trace,
    };
    training_plan(&lab->session, &learner->training);
}

static Tensor *class_scores(Tape *tape, const void *model, const Batch *batch)
{
    return linear_forward(tape, model, batch->x);
}

static void plan_classifier(Lab *lab, Classifier *classifier, const char *name, const Source *train,
                            const Source *test)
{
    Params *params = params_new(lab->keep);
    Rng rng = rng_stream(lab->run->seed, 6);
    classifier->scores = linear_new(params, name, source_width(train), CLASSES, init_glorot, &rng);
    classifier->training = (Training){
        .name = name,
        .model = &classifier->scores,
        .params = params,
        .logits = class_scores,
        .optimizer = {.kind = OPTIMIZER_ADAM,
                      .schedule = {.shape = SCHEDULE_COSINE, .peak = 5e-3f, .floor = 5e-5f}},
        .train = source_batches(train),
        .test = source_batches(test),
        .epochs = lab->epochs,
        .batch = lab->batch,
        .room = ROOM,
        .rng = rng_stream(lab->run->seed, STREAM_SCORES),
    };
    training_plan(&lab->session, &classifier->training);
}

// Every model is made before the first is trained, so that a checkpoint always holds them all, and each
// has random numbers of its own.
void lab_plan(Lab *lab, const Story *story)
{
    float rate = lab->learning_rate;
    int hidden = lab->hidden, small = lab->small;
    Source *pixels = &lab->pixels, *pixels_test = &lab->pixels_test, *binary = &lab->binary,
           *binary_test = &lab->binary_test;
    bool learn = story_has(story, "learn"), classify = story_has(story, "classify");
    *pixels = (Source){.images = &lab->train};
    *pixels_test = (Source){.images = &lab->test};
    *binary = (Source){.images = &lab->train, .binary = true};
    *binary_test = (Source){.images = &lab->test, .binary = true};
    if (learn || classify) {
        plan_rbm(lab, &lab->cd,
                 (Plan){"cd", pixels, pixels_test, hidden, rate, 1, 0, STREAM_CD, learning_point});
        lab->base = tensor_values(lab->keep, lab->cd.model.b);
    }
    if (learn)
        plan_rbm(
            lab, &lab->pcd,
            (Plan){"pcd", pixels, pixels_test, hidden, rate / 2, 2, 2, STREAM_PCD, learning_point});
    if (story_has(story, "likelihood")) {
        plan_rbm(lab, &lab->small_cd,
                 (Plan){"small_cd", binary, binary_test, small, rate / 2, 3, 0, STREAM_SMALL_CD,
                        likelihood_point});
        plan_rbm(lab, &lab->small_pcd,
                 (Plan){"small_pcd", binary, binary_test, small, rate / 2, 3, 4, STREAM_SMALL_PCD,
                        likelihood_point});
        lab->base = tensor_values(lab->keep, lab->small_cd.model.b);
    }
    if (classify) {
        const RbmModel *cd = &lab->cd.model, *second = &lab->second.model;
        lab->features = (Source){&lab->train, false, {cd}, 1};
        lab->features_test = (Source){&lab->test, false, {cd}, 1};
        plan_rbm(lab, &lab->second,
                 (Plan){"second", &lab->features, &lab->features_test, hidden, rate, 5, 0,
                        STREAM_SECOND, NULL});
        lab->deep = (Source){&lab->train, false, {cd, second}, 2};
        lab->deep_test = (Source){&lab->test, false, {cd, second}, 2};
        plan_classifier(lab, &lab->on_pixels, "raw", pixels, pixels_test);
        plan_classifier(lab, &lab->on_features, "features", &lab->features, &lab->features_test);
        plan_classifier(lab, &lab->on_deep, "deep", &lab->deep, &lab->deep_test);
    }
}

// ---- while it learns ----

// So many Gibbs steps of rows v [TILES,V], 0 and 1; p: the probabilities that the last v was drawn from.
static void walk(Arena *arena, const Rbm *rbm, float *v, float *p, int steps, Rng *rng)
{
    size_t hidden = (size_t)TILES * (size_t)rbm->H, visible = (size_t)TILES * (size_t)rbm->V;
    ArenaMark mark = arena_mark(arena);
    float *h = arena_alloc(arena, hidden * sizeof *h),
          *hs = arena_alloc(arena, hidden * sizeof *hs);
    for (int t = 0; t < steps; t++) {
        bm_hidden(h, v, rbm, TILES);
        bm_sample(hs, h, hidden, rbm_draw(rng));
        bm_visible(p, hs, rbm, TILES);
        bm_sample(v, p, visible, rbm_draw(rng));
    }
    arena_rewind(arena, mark);
}

// Those of the first units, gray for a weight of 0.
static void draw_filters(float *tiles, const Rbm *rbm)
{
    for (int j = 0; j < TILES; j++) {
        const float *w = rbm->w + (size_t)(j % rbm->H) * PIXELS;
        float most = 1e-30f;
        for (int i = 0; i < PIXELS; i++) most = fmaxf(most, fabsf(w[i]));
        for (int i = 0; i < PIXELS; i++) tiles[j * PIXELS + i] = 0.5f + w[i] / most / 2;
    }
}

static double mean(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] / n;
    return sum;
}

// Filters and samples are drawn after 1, 2, 5 and all epochs.
static bool wants_picture(int epoch, int epochs)
{
    return epoch == 1 || epoch == epochs || (epochs > 5 && (epoch == 2 || epoch == 5));
}

static float *tiles_new(Arena *arena)
{
    return arena_zeros(arena, sizeof(float) * TILES * PIXELS);
}

void learning_point(void *context, const Training *training, long done)
{
    Trace *trace = context;
    Lab *lab = trace->lab;
    Arena *step = lab->step;
    int epoch = (int)(done / (training->steps / training->epochs));
    if (!wants_picture(epoch, training->epochs)) return;
    int at = trace->count++, rows = lab->test.count < JUDGED ? lab->test.count : JUDGED;
    trace->filters[at] = tiles_new(lab->keep);
    trace->samples[at] = tiles_new(lab->keep);

    ArenaMark mark = arena_mark(step);
    const float *images = tensor_values(step, source_first(step, &lab->binary_test, rows));
    float *v = tiles_new(step);
    double *total = arena_alloc(step, sizeof *total * (size_t)rows),
           *work = arena_alloc(step, sizeof *work * PIXELS);
    Host host = host_begin(step);
    Rbm rbm = rbm_on_host(&host, trace->model);
    bm_pseudo_likelihood(total, images, &rbm, rows, work);
    draw_filters(trace->filters[at], &rbm);
    Rng rng = rng_stream(lab->run->seed, 10);
    for (int i = 0; i < TILES * PIXELS; i++) v[i] = rng_uniform(&rng) < 0.5f;
    walk(step, &rbm, v, trace->samples[at], lab->run->smoke ? 2 : 200, &rng);
    host_end(&host);
    trace->epoch[at] = (float)epoch;
    trace->value[at] = (float)mean(total, rows);
    arena_rewind(step, mark);
    metrics_write(lab->run->metrics, training->first + done,
                  METRICS({"log_pseudo_likelihood", (double)trace->value[at]}));
}

// ---- the part ----

bool lab_train_cd(Lab *lab, Error *err)
{
    if (lab->cd_ended) return true;
    if (!training_run(&lab->session, &lab->cd.training, err)) return false;
    return lab->cd_ended = true;
}

// Rows of tiles under one another, one for each epoch that was drawn.
static void show_epochs(const Lab *lab, const Trace *traces[2], bool filters, const char *name,
                        const char *caption)
{
    PictureRow rows[2 * PICTURES];
    int count = 0;
    for (int t = 0; t < 2; t++)
        for (int i = 0; i < traces[t]->count; i++)
            rows[count++] =
                (PictureRow){arena_print(lab->step, "%s, epoch %.0f", t == 0 ? "CD-1" : "PCD",
                                         (double)traces[t]->epoch[i]),
                             filters ? traces[t]->filters[i] : traces[t]->samples[i]};
    PictureGrid grid = {.rows = rows,
                        .row_count = count,
                        .columns = TILES,
                        .height = SIDE,
                        .width = SIDE,
                        .caption = caption};
    run_picture(lab->run, picture_grid(lab->step, &grid), caption, name);
}

// The first image of each class.
static Tensor *one_of_each(const Lab *lab)
{
    int index[CLASSES] = {0};
    for (int i = lab->test.count - 1; i >= 0; i--) index[lab->test.labels[i]] = i;
    return source_rows(lab->step, &lab->binary_test, index, CLASSES);
}

// Chains that begin at test images: how far the model's samples are from the data.
static void show_chains(const Lab *lab)
{
    static const int steps[] = {1, 10, 100, 1000};
    enum { ROWS = 1 + 2 * 4 };
    Arena *step = lab->step;
    const float *data = tensor_values(step, one_of_each(lab));
    PictureRow rows[ROWS] = {{"test images", data}};
    for (int m = 0; m < 2; m++) {
        float *v = tiles_new(step), *tiles[4];
        memcpy(v, data, sizeof *v * TILES * PIXELS);
        for (int i = 0; i < 4; i++) {
            tiles[i] = tiles_new(step);
            rows[1 + 4 * m + i] = (PictureRow){
                arena_print(step, "%s, step %d", m == 0 ? "CD-1" : "PCD", steps[i]), tiles[i]};
        }
        Rng rng = rng_stream(lab->run->seed, 11);
        Host host = host_begin(step);
        Rbm rbm = rbm_on_host(&host, m == 0 ? &lab->cd.model : &lab->pcd.model);
        for (int i = 0; i < 4 && (i < 2 || !lab->run->smoke); i++)
            walk(step, &rbm, v, tiles[i], steps[i] - (i > 0 ? steps[i - 1] : 0), &rng);
        host_end(&host);
    }
    PictureGrid grid = {.rows = rows,
                        .row_count = ROWS,
                        .columns = TILES,
                        .height = SIDE,
                        .width = SIDE,
                        .caption = "Gibbs sampling from test images"};
    run_picture(lab->run, picture_grid(step, &grid), grid.caption, "chains");
}

// Mean of P(h = 1) over units and test images.
static double mean_activation(const Lab *lab, const RbmModel *model)
{
    int rows = lab->test.count < 500 ? lab->test.count : 500;
    const Source source = {&lab->test, false, {model}, 1};
    Tensor *h = source_first(lab->step, &source, rows), *sum = tensor_new(lab->step, SCALAR);
    kernels.sum(tensor_floats(sum), tensor_floats(h), tensor_count(h));
    return (double)tensor_item(sum) / (double)tensor_count(h);
}

bool part_learn(void *context, Error *err)
{
    Lab *lab = context;
    if (!lab_train_cd(lab, err) || !training_run(&lab->session, &lab->pcd.training, err))
        return false;
    const char *const names[] = {"CD-1", "PCD"};
    const Trace *traces[] = {&lab->cd.trace, &lab->pcd.trace};
    Training *trainings[] = {&lab->cd.training, &lab->pcd.training};
    Table table = table_new(lab->step, "trained by|reconstruction error|log pseudo-likelihood|per "
                                       "unit|mean hidden activation");
    Plot plot = {.title = "Log pseudo-likelihood of test images",
                 .x_label = "epoch",
                 .y_label = "sum over the units [nats]"};
    for (int i = 0; i < 2; i++) {
        // A resumed run may have nothing left to train.
        if (traces[i]->count == 0)
            learning_point(trainings[i]->context, trainings[i], trainings[i]->steps);
        double value = trace_last(traces[i]), activation = mean_activation(lab, traces[i]->model);
        table_row(&table, "%s|%.2f|%.2f|%.4f|%.3f", names[i],
                  (double)training_test_loss(trainings[i]), value, value / PIXELS, activation);
        if (!(activation > 0.001 && activation < 0.95))
            run_print(lab->run,
                      "%s: the hidden units are saturated, nearly all of them %d for every image; "
                      "try a lower --rate.",
                      names[i], activation > 0.5);
        plot_series(&plot, names[i], traces[i]->epoch, traces[i]->value, (size_t)traces[i]->count);
    }
    run_table(lab->run, &table);
    training_plot(lab->run,
                  &(Plot){.title = "Reconstruction error",
                          .x_label = "epoch",
                          .y_label = "squared error per image"},
                  "reconstruction", trainings, 2, 0);
    run_plot(lab->run, &plot, "pseudo_likelihood");
    show_epochs(lab, traces, true, "filters", "Filters of the first ten hidden units");
    show_epochs(lab, traces, false, "samples", "Samples after 200 Gibbs steps from noise");
    show_chains(lab);
    return true;
}
