/* main.c -- a small convolutional network by hand: one image batch, forward and backward. */
#include <math.h>
#include "common/host.h"
#include "common/story.h"
#include "labs/2_core/cnn/cnn.h"

typedef struct Lab {
    Run *run;
    Arena *keep;
    int images;
} Lab;

// Normal random numbers; 0 for the gradients.
static float *numbers(Lab *lab, int n, Rng *rng)
{
    float *x = arena_zeros(lab->keep, (size_t)n * sizeof *x);
    if (rng != NULL) rng_fill_normal(rng, x, (size_t)n);
    return x;
}

static bool part_layers(void *data, Error *err)
{
    (void)err;
    Lab *lab = data;
    Rng rng = rng_from_seed(lab->run->seed);
    int B = lab->images, n = B * 4 * 64, classes = 4;
    CnnConv conv = {.B = B, .C = 4, .H = 8, .W = 8, .O = 4, .K = 3, .stride = 1, .pad = 1};
    CnnPool halve = {.planes = B * 4, .H = 8, .W = 8, .K = 2, .stride = 2};
    CnnPool average = {.planes = B * 4, .H = 4, .W = 4, .K = 4, .stride = 4};
    CnnNorm norm = {.B = B, .C = 4, .P = 64, .eps = 1e-5f, .momentum = 0.1f};
    float *x = numbers(lab, n, &rng), *w = numbers(lab, 4 * 36, &rng),
          *columns = numbers(lab, 36 * 64, NULL), *loops = numbers(lab, n, NULL),
          *y = numbers(lab, n, NULL), *f = numbers(lab, n, NULL), *mask = numbers(lab, n, NULL),
          *r = numbers(lab, n, NULL), *small = numbers(lab, n, NULL),
          *z = numbers(lab, B * classes, NULL), *dz = numbers(lab, B * classes, NULL);
    float gamma[] = {1, 1, 1, 1}, shift[4] = {0}, mean[4], rstd[4], running_mean[4] = {0},
          running_var[] = {1, 1, 1, 1};
    int32_t *at = arena_zeros(lab->keep, (size_t)n * sizeof *at),
            *labels = arena_zeros(lab->keep, (size_t)B * sizeof *labels);
    for (int b = 0; b < B; b++) labels[b] = (int32_t)rng_below(&rng, (uint32_t)classes);

    Host host = host_begin(lab->keep);    // exercises work in the host's memory
    cnn_conv_loops(loops, x, w, NULL, conv);
    cnn_conv_matmul(y, x, w, NULL, columns, conv);
    float apart = 0;
    for (int i = 0; i < n; i++) apart = fmaxf(apart, fabsf(loops[i] - y[i]));
    cnn_batch_norm(f, mean, rstd, running_mean, running_var, y, gamma, shift, norm);
    cnn_batch_norm_inference(loops, y, running_mean, running_var, gamma, shift, norm);
    cnn_dropout(f, mask, f, (size_t)n, 0.1f, &rng);
    cnn_residual(r, f, x, (size_t)n);
    cnn_max_pool(small, at, r, halve);
    cnn_avg_pool(z, small, average);
    float loss = cnn_cross_entropy(dz, z, labels, B, classes);

    float *dsmall = numbers(lab, n, NULL), *dr = numbers(lab, n, NULL), *df = numbers(lab, n, NULL),
          *dx = numbers(lab, n, NULL), *dn = numbers(lab, n, NULL), *dy = numbers(lab, n, NULL),
          *dw = numbers(lab, 4 * 36, NULL), dgamma[4] = {0}, dshift[4] = {0};
    cnn_avg_pool_backward(dsmall, dz, average);
    cnn_max_pool_backward(dr, dsmall, at, halve);
    cnn_residual_backward(df, dx, dr, r, (size_t)n);
    cnn_dropout_backward(dn, df, mask, (size_t)n);
    cnn_batch_norm_backward(dy, dgamma, dshift, dn, y, mean, rstd, gamma, norm);
    cnn_conv_backward(dx, dw, NULL, dy, x, w, columns, conv);
    host_end(&host);
    double square = 0;
    for (int i = 0; i < 4 * 36; i++) square += (double)dw[i] * (double)dw[i];
    run_print(lab->run, "  The two convolutions differ by %.1e at most.", (double)apart);
    run_print(lab->run, "  cross-entropy %.4f, norm of the kernels' gradient %.4f", (double)loss,
              sqrt(square));
    return true;
}

static const Part parts[] = {
    {"layers", "One batch by hand", part_layers, .notices = {{"metrics.jsonl", "nothing yet"}}}};

int main(int argc, char **argv)
{
    Lab lab = {.keep = arena_new("keep", (size_t)1 << 28), .images = 8};
    Options *options = options_new(lab.keep, "cnn", "The layers of a convolutional network.");
    options_group(options, "This lab");
    options_int(options, "images", 'i', &lab.images, 1, 100, "images of the batch");
    Story story = {.parts = parts, .count = 1, .lesson = "labs/2_core/cnn/README.md"};
    int status;
    lab.run = story_begin(&story, lab.keep, options, argc, argv, &status);
    return lab.run == NULL ? status : story_run(&story, &lab);
}
