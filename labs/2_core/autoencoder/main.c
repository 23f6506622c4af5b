/* main.c -- the story of a squeeze: what a few numbers can hold of a picture of a digit.
 *
 * 1. data     2. the best linear code     3. a network does better     4. it repairs what is broken,
 * and what it learned by that helps to read digits     5. it draws digits that nobody wrote
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/loss.h"
#include "labs/2_core/autoencoder/autoencoder.h"
#include "labs/2_core/autoencoder/report.h"

enum { PIXELS = 784, CLASSES = 10, FEATURES = 500 };

typedef struct Settings {
    const char *part;      // "all", or one part of the story
    const char *hidden;    // units between the pixels and the code: "256", "1000,500,250"
    bool tied;
    int code, epochs, batch, images;
    float rate, noise;
} Settings;

// ---- the losses: what each network is asked for ----

static Tensor *plain_loss(Tape *tape, const void *net, const Batch *batch)
{
    Tensor *code = autoencoder_encode(tape, net, batch->x);
    return reconstruction_loss(tape, autoencoder_decode(tape, net, code), batch->x);
}

typedef struct Denoiser {
    Autoencoder net;
    float noise;    // the share of pixels that are knocked out
} Denoiser;

static Tensor *denoise_loss(Tape *tape, const void *net, const Batch *batch)
{
    const Denoiser *denoiser = net;
    Tensor *noisy = corrupted(tape->arena, batch->x, denoiser->noise, batch->rng);
    Tensor *features = autoencoder_encode(tape, &denoiser->net, noisy);
    return reconstruction_loss(tape, autoencoder_decode(tape, &denoiser->net, features), batch->x);
}

// Kingma & Welling 2014, eq. 10, for one sample: how far the picture is off, and how much the codes
// tell beyond what a standard normal would.
static Tensor *vae_loss(Tape *tape, const void *net, const Batch *batch)
{
    Tensor *mean, *logvar;
    vae_encode(tape, net, batch->x, &mean, &logvar);
    Tensor *code = sample_code(tape, mean, logvar, batch->rng);
    Tensor *miss = reconstruction_loss(tape, autoencoder_decode(tape, net, code), batch->x);
    return op_add(tape, miss, kl_loss(tape, mean, logvar));
}

typedef struct Classifier {
    Linear features, scores;
} Classifier;

static Tensor *class_scores(Tape *tape, const Classifier *net, Tensor *x)
{
    return linear_forward(tape, &net->scores,
                          op_relu(tape, linear_forward(tape, &net->features, x)));
}

static Tensor *classifier_loss(Tape *tape, const void *net, const Batch *batch)
{
    return loss_cross_entropy(tape, class_scores(tape, net, batch->x), batch->labels);
}

// ---- measures ----

enum { MEASURE_BATCH = 500 };

// Rows first .. first+count-1 of the images, as a batch.
static Tensor *images_from(Arena *step, const Images *images, int first, int count)
{
    int index[MEASURE_BATCH];
    for (int i = 0; i < count; i++) index[i] = first + i;
    return images_batch(step, images, index, count);
}

static int rows_left(const Images *images, int first)
{
    return images->count - first < MEASURE_BATCH ? images->count - first : MEASURE_BATCH;
}

// Mean over the images of PCA's squared error, summed over the pixels: what ae_loss measures too.
static float pca_error(Arena *step, const Pca *pca, const Images *images)
{
    double sum = 0;
    for (int first = 0; first < images->count; first += MEASURE_BATCH) {
        Tape *tape = tape_new(step);
        int rows = rows_left(images, first);
        Tensor *x = images_from(step, images, first, rows), *back = pca_reconstruct(step, pca, x);
        sum += (double)rows * tensor_item(loss_squared_error(tape, back, x));
    }
    return (float)(sum / images->count);
}

// The share of images, in percent, whose highest score is not their label's.
static float error_rate(Arena *step, const Classifier *net, const Images *images)
{
    int wrong = 0;
    for (int first = 0; first < images->count; first += MEASURE_BATCH) {
        Tape *tape = tape_new(step);
        tape_quiet(tape, true);
        int rows = rows_left(images, first);
        const float *scores =
            tensor_values(step, class_scores(tape, net, images_from(step, images, first, rows)));
        for (int r = 0; r < rows; r++) {
            const float *row = scores + (size_t)r * CLASSES;
            int best = 0;
            for (int c = 1; c < CLASSES; c++)
                if (row[c] > row[best]) best = c;
            wrong += best != images->labels[first + r];
        }
    }
    return 100.0f * (float)wrong / (float)images->count;
}

// ---- the story ----

typedef struct Story {
    Settings set;
    Run *run;
    Arena *keep, *step;
    Images train, test;
    Session session;
    Autoencoder squeezer, dreamer;    // 784-256-30-256-784 or as asked; a VAE with a code of two
    Denoiser denoiser;                // 784-500-784
    Classifier fresh, taught;         // 784-500-10: from nothing, and from the denoiser's features
    Training squeeze, denoise, read_fresh, read_taught, dream;
} Story;

static bool has_part(const Story *story, const char *part)
{
    return strcmp(story->set.part, "all") == 0 || strcmp(story->set.part, part) == 0;
}

// "1000,500" between 784 and the code: the sizes of an encoder. False when the text is something else.
static bool parse_hidden(AutoencoderConfig *config, const char *text, int code, Error *err)
{
    config->sizes[0] = PIXELS;
    config->depth = 0;
    for (const char *at = text; *at != '\0';) {
        char *end;
        long units = strtol(at, &end, 10);
        if (end == at || units < 1 || units > 100000 || (*end != ',' && *end != '\0') ||
            (*end == ',' && end[1] == '\0') || config->depth == DEPTH_MAX - 1)
            return error_set(err,
                             "--hidden %s: expected up to %d numbers of units such as 1000,500,250",
                             text, DEPTH_MAX - 1);
        config->sizes[++config->depth] = (int)units;
        at = *end == ',' ? end + 1 : end;
    }
    config->sizes[++config->depth] = code;
    return true;
}

static Classifier classifier_new(Params *params, const char *name, Arena *keep, Rng *rng)
{
    return (Classifier){
        .features = linear_new(params, arena_print(keep, "%s.features", name), PIXELS, FEATURES,
                               init_he, rng),
        .scores = linear_new(params, arena_print(keep, "%s.scores", name), FEATURES, CLASSES,
                             init_glorot, rng),
    };
}

static void plan(Story *story, Training *training, const char *name, Params *params, void *model,
                 Tensor *(*loss)(Tape *, const void *, const Batch *))
{
    *training = (Training){
        .name = name,
        .model = model,
        .params = params,
        .loss = loss,
        .optimizer = {.kind = OPTIMIZER_ADAM,
                      .schedule = {.shape = SCHEDULE_COSINE,
                                   .peak = story->set.rate,
                                   .floor = story->set.rate / 100}},
        .train = images_batches(&story->train),
        .test = images_batches(&story->test),
        .epochs = story->set.epochs,
        .batch = story->set.batch,
    };
    training_plan(&story->session, training);
}

// Every network is made before the first is trained, so that a checkpoint always holds them all, and
// each has random numbers of its own, so that leaving a part out changes nothing in the others.
static bool build_networks(Story *story, Error *err)
{
    Arena *keep = story->keep;
    uint64_t seed = story->run->seed;
    AutoencoderConfig squeezer = {.tied = story->set.tied};
    if (!parse_hidden(&squeezer, story->set.hidden, story->set.code, err)) return false;
    if (has_part(story, "squeeze")) {
        Params *params = params_new(keep);
        Rng rng = rng_stream(seed, 1);
        story->squeezer = autoencoder_new(params, "squeeze", &squeezer, &rng);
        plan(story, &story->squeeze, "squeeze", params, &story->squeezer, plain_loss);
    }
    if (has_part(story, "denoise")) {
        AutoencoderConfig config = {.sizes = {PIXELS, FEATURES}, .depth = 1, .relu_code = true};
        Params *params = params_new(keep), *fresh = params_new(keep), *taught = params_new(keep);
        Rng rng = rng_stream(seed, 2), fresh_rng = rng_stream(seed, 3), taught_rng = fresh_rng;
        story->denoiser =
            (Denoiser){autoencoder_new(params, "denoise", &config, &rng), story->set.noise};
        story->fresh = classifier_new(fresh, "fresh", keep, &fresh_rng);
        story->taught = classifier_new(taught, "taught", keep, &taught_rng);
        plan(story, &story->denoise, "denoise", params, &story->denoiser, denoise_loss);
        plan(story, &story->read_fresh, "read_fresh", fresh, &story->fresh, classifier_loss);
        plan(story, &story->read_taught, "read_taught", taught, &story->taught, classifier_loss);
    }
    if (has_part(story, "imagine")) {
        AutoencoderConfig config = {.sizes = {PIXELS, 256, 2}, .depth = 2, .variational = true};
        Params *params = params_new(keep);
        Rng rng = rng_stream(seed, 4);
        story->dreamer = autoencoder_new(params, "imagine", &config, &rng);
        plan(story, &story->dream, "imagine", params, &story->dreamer, vae_loss);
    }
    return true;
}

static bool squeeze(Story *story, Error *err)
{
    printf("\nSqueeze: %d numbers for %d pixels\n", story->set.code, PIXELS);
    Pca pca = pca_fit(story->keep, &story->train, story->set.code);
    float linear = pca_error(story->step, &pca, &story->test);
    if (!training_run(&story->session, &story->squeeze, err)) return false;
    float deep = training_test_loss(&story->squeeze);
    printf(
        "  squared error per test image     PCA %8.2f     autoencoder %8.2f     %.1f times less\n",
        (double)linear, (double)deep, (double)(linear / deep));
    report_reconstructions(story->run, story->step, &story->test, &pca, &story->squeezer);
    return true;
}

static bool repair(Story *story, Error *err)
{
    printf("\nRepair: %.0f %% of the pixels are knocked out, %d features restore them\n",
           (double)(100 * story->set.noise), FEATURES);
    if (!training_run(&story->session, &story->denoise, err)) return false;
    printf("  squared error per test image     repaired %8.2f\n",
           (double)training_test_loss(&story->denoise));
    report_denoised(story->run, story->step, &story->test, &story->denoiser.net, story->set.noise);

    if (!training_run(&story->session, &story->read_fresh, err)) return false;
    if (!training_begun(&story->session, &story->read_taught)) {
        const Linear *learned = &story->denoiser.net.encoder[0];
        tensor_copy(story->taught.features.weight, learned->weight);
        tensor_copy(story->taught.features.bias, learned->bias);
    }
    if (!training_run(&story->session, &story->read_taught, err)) return false;
    printf("  misread test images   features from nothing %5.2f %%   from the denoiser %5.2f %%\n",
           (double)error_rate(story->step, &story->fresh, &story->test),
           (double)error_rate(story->step, &story->taught, &story->test));
    return true;
}

static bool imagine(Story *story, Error *err)
{
    printf("\nImagine: a variational code of two numbers\n");
    if (!training_run(&story->session, &story->dream, err)) return false;
    printf("  squared error + KL per test image %8.2f\n",
           (double)training_test_loss(&story->dream));
    report_latent(story->run, story->step, &story->test, &story->dreamer);
    report_samples(story->run, story->step, &story->dreamer);
    return true;
}

static void say_what_to_notice(const Story *story)
{
    printf("\nTo notice\n");
    if (has_part(story, "squeeze"))
        printf("  reconstructions.png  PCA leaves grey ghosts around a stroke; the network, with "
               "as few\n"
               "                       numbers, knows that ink is ink. Which digits does it redraw "
               "as others?\n");
    if (has_part(story, "denoise"))
        printf("  denoised.png         strokes go on where pixels were knocked out: nothing in the "
               "input said so\n");
    if (has_part(story, "imagine"))
        printf("  latent, samples.png  nobody told the encoder which digit is which, and yet they "
               "gather;\n"
               "                       between two of them lie drawings that nobody wrote\n");
    printf("  curves, reading      where train and test part, a network begins to learn its images "
           "by heart\n"
           "labs/2_core/autoencoder/README.md is the lesson, with what to try next.\n");
}

static bool tell(Story *story, Error *err)
{
    const Settings *set = &story->set;
    ImagesSource source = {.data_dir = story->run->data,
                           .seed = story->run->seed,
                           .train = set->images,
                           .test = set->images / 5};
    if (!images_load(story->keep, &story->train, &story->test, source, err)) return false;
    printf("%d images to learn from, %d to be tested on: %s\n", story->train.count,
           story->test.count, story->train.origin);

    story->session = (Session){
        .run = story->run,
        .config = arena_print(story->keep,
                              "part %s, code %d, hidden %s%s, epochs %d, batch %d, rate %g, "
                              "noise %g, seed %" PRIu64 ", %d images: %s",
                              set->part, set->code, set->hidden, set->tied ? " tied" : "",
                              set->epochs, set->batch, (double)set->rate, (double)set->noise,
                              story->run->seed, story->train.count, story->train.origin),
    };
    if (!build_networks(story, err) || !session_resume(&story->session, err)) return false;

    if (has_part(story, "squeeze") && !squeeze(story, err)) return false;
    if (has_part(story, "denoise") && !repair(story, err)) return false;
    if (has_part(story, "imagine") && !imagine(story, err)) return false;
    report_curves(story->run, story->session.trainings, story->session.count);
    say_what_to_notice(story);
    return true;
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)4 << 30), *step = arena_new("step", (size_t)1 << 30);
    Settings set = {.part = "all",
                    .hidden = "256",
                    .code = 30,
                    .epochs = 10,
                    .batch = 128,
                    .rate = 3e-3f,
                    .noise = 0.3f};
    Options *options =
        options_new(keep, "autoencoder",
                    "Squeezes pictures of digits through a few numbers, repairs broken "
                    "ones, and draws some that nobody wrote.");
    options_group(options, "This lab");
    options_choice(options, "part", 0, &set.part, "all|squeeze|denoise|imagine",
                   "the part of the story to tell");
    options_int(options, "code", 'c', &set.code, 1, PIXELS,
                "numbers that the squeeze leaves of an image");
    options_string(options, "hidden", 0, &set.hidden, "UNITS",
                   "layers before the code, such as 1000,500,250");
    options_flag(options, "tied", 0, &set.tied, "the decoder uses the encoder's weights");
    options_int(options, "epochs", 'e', &set.epochs, 1, 1000, "passes over the images");
    options_int(options, "batch", 'b', &set.batch, 1, 10000, "images in a training step");
    options_float(options, "rate", 'r', &set.rate, 1e-6f, 1.0f,
                  "Adam's learning rate at the start");
    options_float(options, "noise", 'n', &set.noise, 0.0f, 0.95f,
                  "share of the pixels to knock out");
    options_int(options, "images", 'i', &set.images, 0, IMAGES_MAX,
                "images to learn from; 0 for all there are, or 20000 drawn");

    int status;
    Run *run = run_begin(keep, options, argc, argv, &status);
    if (run == NULL) return status;
    if (run->smoke && !options_given(options, "epochs")) set.epochs = 1;
    if (run->smoke && !options_given(options, "images")) set.images = 500;

    Story story = {.set = set, .run = run, .keep = keep, .step = step};
    Error err = {""};
    if (!tell(&story, &err) && !run_interrupted(run)) return error_report(&err);
    return run_end(run, CHECKPOINT);
}
