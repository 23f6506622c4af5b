/* encoder.c -- LISTA, trained on patches and their optimal codes, beside ISTA and FISTA of as many iterations. */
#include "labs/2_core/sparse_coding/lab.h"
#include <math.h>
#include <string.h>

enum { TRAIN = 2000, TEST = 300, BATCH = 20, EPOCHS = 12, DEPTHS = 4, DOUBLINGS = 8 };
static const int depths[DEPTHS] = {1, 2, 4, 8};    // the first powers of 2, as for ISTA

typedef struct Patches {
    int count;
    double *x, *best;    // [count,PATCH]; [count,K], the optimal codes
} Patches;

typedef struct Task {
    Lab *lab;
    Dictionary dict;
    double L;
    Patches train, test;
} Task;

static Patches patches_new(const Task *task, int count, Rng *rng)
{
    Arena *step = task->lab->step;
    size_t K = (size_t)task->dict.K;
    Patches patches = {count, training_patches(task->lab, step, count, rng),
                       doubles(step, (size_t)count * K)};
    double *work = doubles(step, PATCH);
    for (size_t n = 0; n < (size_t)count; n++)
        sc_coordinate_descent(patches.best + n * K, patches.x + n * PATCH, &task->dict,
                              (double)task->lab->lambda, 1e-7, 2000, work);
    return patches;
}

// ---- the network ----

// W, S and the thresholds, one after the other, and as many gradients and moments of Adam.
typedef struct Network {
    Encoder encoder;
    size_t count;
    double *p, *g, *m, *v;
    double *codes, *work;
} Network;

static Network network_new(const Task *task, int layers)
{
    Arena *step = task->lab->step;
    const double *d = task->dict.d;
    size_t K = (size_t)task->dict.K, count = K * (PATCH + K + 1);
    double *p = doubles(step, count), *S = p + K * PATCH, *threshold = S + K * K;
    for (size_t i = 0; i < K * PATCH; i++) p[i] = d[i] / task->L;    // begins as ISTA
    for (size_t k = 0; k < K; k++) {
        for (size_t j = 0; j < K; j++)
            for (int i = 0; i < PATCH; i++)
                S[k * K + j] -= d[k * PATCH + (size_t)i] * d[j * PATCH + (size_t)i] / task->L;
        S[k * K + k] += 1;
        threshold[k] = (double)task->lab->lambda / task->L;
    }
    return (Network){.encoder = {task->dict.K, PATCH, layers, p, S, threshold},
                     .count = count,
                     .p = p,
                     .g = doubles(step, count),
                     .m = doubles(step, count),
                     .v = doubles(step, count),
                     .codes = doubles(step, (size_t)layers * K),
                     .work = doubles(step, 2 * K)};
}

// The last layer's codes.
static const double *network_encode(const Network *net, const double *x)
{
    sc_lista(net->codes, x, &net->encoder, net->work);
    return net->codes + (net->encoder.layers - 1) * net->encoder.K;
}

static void network_step(Network *net, int step, double rate)    // Adam
{
    for (size_t i = 0; i < net->count; i++) {
        net->m[i] += 0.1 * (net->g[i] - net->m[i]);
        net->v[i] += 0.001 * (net->g[i] * net->g[i] - net->v[i]);
        net->p[i] -= rate * net->m[i] / (1 - pow(0.9, step)) /
                     (sqrt(net->v[i] / (1 - pow(0.999, step))) + 1e-8);
    }
    double *threshold = net->p + net->count - net->encoder.K;
    for (int k = 0; k < net->encoder.K; k++) threshold[k] = fmax(threshold[k], 0);
    memset(net->g, 0, net->count * sizeof *net->g);
}

// Against 1/2 |code - optimal code|^2, of batches; the rate falls to 0.
static void network_train(Network *net, const Task *task, int epochs)
{
    size_t K = (size_t)task->dict.K;
    double *g_code = doubles(task->lab->step, K), *S = net->g + K * PATCH;
    EncoderGradient g = {net->g, S, S + K * K};
    int steps = epochs * task->train.count / BATCH;
    for (int s = 0; s < steps && !run_interrupted(task->lab->run); s++) {
        for (int b = 0; b < BATCH; b++) {
            size_t n = (size_t)(s * BATCH + b) % (size_t)task->train.count;
            const double *x = task->train.x + n * PATCH, *code = network_encode(net, x);
            for (size_t k = 0; k < K; k++)
                g_code[k] = (code[k] - task->train.best[n * K + k]) / BATCH;
            sc_lista_backward(g, g_code, net->codes, x, &net->encoder, net->work);
        }
        network_step(net, s + 1, 1e-3 * (1 - (double)s / steps));
    }
}

// ---- errors of the test patches ----

static double squared_length(const double *a, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * a[i];
    return sum;
}

// |code - optimal code|^2 over |optimal code|^2, both summed over the test patches. By the network, or, where
// it is NULL, after so many iterations of ISTA or FISTA.
static float error_of(const Task *task, const Network *net, bool momentum, int iterations)
{
    int K = task->dict.K;
    double wrong = 0, lambda = (double)task->lab->lambda, *a = doubles(task->lab->step, (size_t)K),
           *work = doubles(task->lab->step, PATCH + 2 * (size_t)K);
    for (int n = 0; n < task->test.count; n++) {
        const double *x = task->test.x + (size_t)n * PATCH,
                     *best = task->test.best + (size_t)n * (size_t)K;
        memset(a, 0, (size_t)K * sizeof *a);
        if (net != NULL) memcpy(a, network_encode(net, x), (size_t)K * sizeof *a);
        else if (momentum) sc_fista(a, x, &task->dict, lambda, task->L, iterations, work);
        else sc_ista(a, x, &task->dict, lambda, task->L, iterations, work);
        for (int k = 0; k < K; k++) a[k] -= best[k];
        wrong += squared_length(a, K);
    }
    return (float)(wrong / squared_length(task->test.best, task->test.count * K));
}

// ---- the part ----

// The code of the first test patch: the optimal one, the network's and ISTA's.
static void plot_codes(const Task *task, const Network *net)
{
    Lab *lab = task->lab;
    size_t K = (size_t)task->dict.K;
    double *a = doubles(lab->step, K), *work = doubles(lab->step, PATCH);
    sc_ista(a, task->test.x, &task->dict, (double)lab->lambda, task->L, net->encoder.layers, work);
    const double *codes[] = {task->test.best, network_encode(net, task->test.x), a};
    float *at = arena_zeros(lab->step, K * sizeof *at), *y[3];
    Plot plot = {.title = arena_print(lab->step, "The code of a patch: %d layers or iterations",
                                      net->encoder.layers),
                 .x_label = "atom",
                 .y_label = "coefficient"};
    static const char *const names[] = {"optimal", "LISTA", "ISTA"};
    for (int c = 0; c < 3; c++) {
        y[c] = arena_zeros(lab->step, K * sizeof *at);
        for (size_t k = 0; k < K; k++)
            at[k] = (float)k, y[c][k] = codes[c][k] == 0 ? NAN : (float)codes[c][k];
        plot_shape(&plot, c == 0 ? PLOT_BARS : PLOT_POINTS, names[c], at, y[c], K);
    }
    run_plot(lab->run, &plot, "code");
}

bool part_lista(void *context, Error *err)
{
    (void)err;
    Lab *lab = context;
    if (!learned(lab, false)) return false;
    bool smoke = lab->run->smoke;
    Task task = {.lab = lab, .dict = {lab->atoms, PATCH, lab->learned}};
    double *work = doubles(lab->step, (size_t)lab->atoms + PATCH);
    task.L = sc_spectral_norm(&task.dict, 200, work) * 1.01;
    Rng rng = rng_stream(lab->run->seed, 7);
    task.train = patches_new(&task, smoke ? 100 : TRAIN, &rng);
    task.test = patches_new(&task, smoke ? 20 : TEST, &rng);
    run_print(lab->run, "%d patches to train on, %d to test; optimal codes by coordinate descent",
              task.train.count, task.test.count);

    if (squared_length(task.test.best, task.test.count * lab->atoms) == 0) {
        run_print(lab->run, "All optimal codes are 0: lambda %g is too large for these patches.",
                  (double)lab->lambda);
        return true;
    }
    float at[DOUBLINGS], ista[DOUBLINGS], fista[DOUBLINGS], layers[DEPTHS], lista[DEPTHS];
    for (int t = 0; t < DOUBLINGS; t++) {
        at[t] = (float)(1 << t);
        ista[t] = error_of(&task, NULL, false, 1 << t);
        fista[t] = error_of(&task, NULL, true, 1 << t);
    }
    Table table = table_new(lab->step, "iterations or layers|ISTA|FISTA|LISTA");
    for (int t = 0; t < DEPTHS; t++) {
        Network net = network_new(&task, depths[t]);
        network_train(&net, &task, smoke ? 2 : EPOCHS);
        if (run_interrupted(lab->run)) return false;
        layers[t] = (float)depths[t];
        lista[t] = error_of(&task, &net, false, 0);
        metrics_write(lab->run->metrics, depths[t], METRICS({"lista_error", (double)lista[t]}));
        table_row(&table, "%d|%.4f|%.4f|%.4f", depths[t], (double)ista[t], (double)fista[t],
                  (double)lista[t]);
        if (depths[t] == 4) plot_codes(&task, &net);
    }
    run_table(lab->run, &table);
    Plot plot = {.title = "Distance of a code from the optimal code",
                 .x_label = "iterations or layers",
                 .y_label = "|a - a*|^2 / |a*|^2",
                 .log_x = true,
                 .log_y = true};
    plot_series(&plot, "ISTA", at, ista, DOUBLINGS);
    plot_series(&plot, "FISTA", at, fista, DOUBLINGS);
    plot_series(&plot, "LISTA", layers, lista, DEPTHS);
    run_plot(lab->run, &plot, "lista");
    return true;
}
