/* likelihood.c -- what a model is worth: log-likelihood by the exact partition function and by AIS. */
#include <math.h>
#include "labs/2_core/boltzmann/lab.h"

enum { JUDGED = 500, RUNS = 400 };

static double *doubles(Arena *arena, size_t n)
{
    return arena_alloc(arena, n * sizeof(double));
}

// Test images, [rows,PIXELS] in the host's memory.
static const float *judged(const Lab *lab, int *rows)
{
    *rows = lab->test.count < JUDGED ? lab->test.count : JUDGED;
    return tensor_values(lab->step, source_first(lab->step, &lab->binary_test, *rows));
}

// Mean of log f(v) = -F(v): what log Z has to be taken from.
static double mean_log_f(Arena *arena, const Rbm *rbm, const float *v, int rows)
{
    double *f = doubles(arena, (size_t)rows), sum = 0;
    bm_free_energy(f, v, rbm, rows);
    for (int r = 0; r < rows; r++) sum -= f[r] / rows;
    return sum;
}

static double exact_log_z(Arena *arena, const Rbm *rbm)
{
    return bm_log_partition(rbm, doubles(arena, ((size_t)1 << rbm->H) + (size_t)rbm->V));
}

// ---- while it learns ----

void likelihood_point(void *context, const Training *training, long done)
{
    Trace *trace = context;
    Lab *lab = trace->lab;
    ArenaMark mark = arena_mark(lab->step);
    int rows, at = trace->count++;
    long epoch = done / (training->steps / training->epochs);
    const float *v = judged(lab, &rows);
    Host host = host_begin(lab->step);
    Rbm rbm = rbm_on_host(&host, trace->model);
    double value = mean_log_f(lab->step, &rbm, v, rows) - exact_log_z(lab->step, &rbm);
    host_end(&host);
    arena_rewind(lab->step, mark);
    trace->epoch[at] = (float)epoch;
    trace->value[at] = (float)value;
    metrics_write(lab->run->metrics, training->first + done, METRICS({"log_likelihood", value}));
}

// ---- annealed importance sampling ----

static float *floats(Arena *arena, int rows, int columns)
{
    return arena_alloc(arena, sizeof(float) * (size_t)rows * (size_t)columns);
}

// Temperatures lie closer where the RBM is near and its chains mix badly.
static double estimate_log_z(const Lab *lab, const Rbm *rbm, int steps, int runs, double *error)
{
    Arena *arena = lab->step;
    ArenaMark mark = arena_mark(arena);
    double *beta = doubles(arena, (size_t)steps + 1), *log_z = doubles(arena, (size_t)runs);
    for (int k = 0; k <= steps; k++) beta[k] = sqrt((double)k / steps);
    AisPath path = {.a = lab->base,
                    .beta = beta,
                    .steps = steps,
                    .runs = runs,
                    .v = floats(arena, runs, rbm->V),
                    .y = floats(arena, runs, rbm->V),
                    .h = floats(arena, runs, rbm->H),
                    .x = floats(arena, runs, rbm->H)};
    Rng rng = rng_stream(lab->run->seed, 12);
    bm_ais(log_z, rbm, &path, rbm_draw(&rng));
    double estimate = bm_ais_estimate(error, log_z, runs);
    arena_rewind(arena, mark);
    return estimate;
}

static void compare_estimates(const Lab *lab, const RbmModel *model)
{
    enum { ROWS = 4 };
    static const int temperatures[ROWS] = {10, 100, 1000, 3000};
    int count = lab->run->smoke ? 1 : ROWS;
    float at[ROWS], middle[ROWS], exact[ROWS], band_x[2 * ROWS], band_y[2 * ROWS];
    Table table = table_new(lab->step, "temperatures|AIS log Z|standard error|exact log Z|"
                                       "AIS - exact");
    Host host = host_begin(lab->step);
    Rbm rbm = rbm_on_host(&host, model);
    double truth = exact_log_z(lab->step, &rbm), errors[ROWS] = {0}, estimates[ROWS] = {0};
    for (int i = 0; i < count; i++)
        estimates[i] = estimate_log_z(lab, &rbm, temperatures[i], RUNS, &errors[i]);
    host_end(&host);
    for (int i = 0; i < count; i++) {
        table_row(&table, "%d|%.3f|%.3f|%.3f|%+.3f", temperatures[i], estimates[i], errors[i],
                  truth, estimates[i] - truth);
        at[i] = (float)temperatures[i];
        middle[i] = (float)estimates[i];
        band_x[i] = band_x[2 * count - 1 - i] = at[i];    // along below, back above
        band_y[i] = (float)(estimates[i] - 3 * errors[i]);
        band_y[2 * count - 1 - i] = (float)(estimates[i] + 3 * errors[i]);
        exact[i] = (float)truth;
    }
    run_table(lab->run, &table);
    metrics_write(
        lab->run->metrics, lab->small_pcd.training.first + lab->small_pcd.training.steps,
        METRICS({"ais_in_standard_errors", (estimates[count - 1] - truth) / errors[count - 1]}));
    Plot plot = {.title = "Annealed importance sampling, 400 runs, +- 3 standard errors",
                 .x_label = "temperatures",
                 .y_label = "log Z",
                 .log_x = true};
    plot_shape(&plot, PLOT_BAND, "3 standard errors", band_x, band_y, 2 * (size_t)count);
    plot_series(&plot, "estimate", at, middle, (size_t)count);
    plot_shape(&plot, PLOT_LIMIT, "exact", at, exact, (size_t)count);
    run_plot(lab->run, &plot, "ais");
}

// The large RBMs, whose Z can only be estimated.
static void judge_large(const Lab *lab)
{
    const char *const names[] = {"CD-1", "PCD"};
    const RbmModel *models[] = {&lab->cd.model, &lab->pcd.model};
    int steps = lab->run->smoke ? 10 : 1000, rows;
    const float *v = judged(lab, &rows);
    Table table = table_new(lab->step, "hidden units|trained by|AIS log Z|standard error|"
                                       "log-likelihood of a test image");
    for (int i = 0; i < 2; i++) {
        double error;
        Host host = host_begin(lab->step);
        Rbm rbm = rbm_on_host(&host, models[i]);
        double log_z = estimate_log_z(lab, &rbm, steps, RUNS / 8, &error),
               value = mean_log_f(lab->step, &rbm, v, rows) - log_z;
        host_end(&host);
        table_row(&table, "%d|%s|%.2f|%.2f|%.2f", lab->hidden, names[i], log_z, error, value);
    }
    run_table(lab->run, &table);
}

bool part_likelihood(void *context, Error *err)
{
    Lab *lab = context;
    const char *const names[] = {"CD-1", "PCD"};
    Learner *learners[] = {&lab->small_cd, &lab->small_pcd};
    for (int i = 0; i < 2; i++)
        if (!training_run(&lab->session, &learners[i]->training, err)) return false;
    Plot plot = {.title =
                     arena_print(lab->step, "Exact log-likelihood, %d hidden units", lab->small),
                 .x_label = "epoch",
                 .y_label = "nats per test image"};
    Table table = table_new(lab->step, "hidden units|trained by|exact log-likelihood");
    for (int i = 0; i < 2; i++) {
        Trace *trace = &learners[i]->trace;
        const Training *training = &learners[i]->training;
        if (trace->count == 0) likelihood_point(trace, training, training->steps);
        table_row(&table, "%d|%s|%.2f", lab->small, names[i], trace_last(trace));
        plot_series(&plot, names[i], trace->epoch, trace->value, (size_t)trace->count);
    }
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, "likelihood");
    compare_estimates(lab, &lab->small_pcd.model);
    if (lab->pcd.model.w != NULL) judge_large(lab);
    return true;
}
