#include "labs/2_core/autoencoder/experiment.h"
#include <stdlib.h>
#include "common/loss.h"
#include "labs/2_core/autoencoder/pca.h"
#include "labs/2_core/autoencoder/report.h"

// ---- the losses ----

typedef Tensor *Loss(Tape *tape, const void *model, const Batch *batch);

static Tensor *autoencoder_loss(Tape *tape, const void *model, const Batch *batch)
{
    Tensor *code = autoencoder_encode(tape, model, batch->x);
    return reconstruction_loss(tape, autoencoder_decode(tape, model, code), batch->x);
}

static Tensor *denoising_loss(Tape *tape, const void *model, const Batch *batch)
{
    const Denoiser *denoiser = model;
    Tensor *noisy = corrupted(tape->arena, batch->x, denoiser->noise, batch->rng);
    Tensor *features = autoencoder_encode(tape, &denoiser->net, noisy);
    return reconstruction_loss(tape, autoencoder_decode(tape, &denoiser->net, features), batch->x);
}

// The negative ELBO for one sample (Kingma & Welling 2014, eq. 10), with a squared error.
static Tensor *vae_loss(Tape *tape, const void *model, const Batch *batch)
{
    Tensor *mean, *logvar;
    vae_encode(tape, model, batch->x, &mean, &logvar);
    Tensor *code = sample_code(tape, mean, logvar, batch->rng);
    Tensor *error = reconstruction_loss(tape, autoencoder_decode(tape, model, code), batch->x);
    return op_add(tape, error, kl_loss(tape, mean, logvar));
}

static Tensor *class_scores(Tape *tape, const Classifier *net, Tensor *x)
{
    return linear_forward(tape, &net->scores,
                          op_relu(tape, linear_forward(tape, &net->features, x)));
}

static Tensor *classifier_loss(Tape *tape, const void *model, const Batch *batch)
{
    return loss_cross_entropy(tape, class_scores(tape, model, batch->x), batch->labels);
}

// ---- the models ----

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

static void plan(Experiment *lab, Training *training, const char *name, Params *params, void *model,
                 Loss *loss)
{
    *training = (Training){
        .name = name,
        .model = model,
        .params = params,
        .loss = loss,
        .repeats = true,
        .optimizer = {.kind = OPTIMIZER_ADAM,
                      .schedule = {.shape = SCHEDULE_COSINE,
                                   .peak = lab->learning_rate,
                                   .floor = lab->learning_rate / 100}},
        .train = images_batches(&lab->train),
        .test = images_batches(&lab->test),
        .epochs = lab->epochs,
        .batch = lab->batch,
    };
    training_plan(&lab->session, training);
}

// Every model is made before the first is trained, so that a checkpoint always holds them all, and each
// has random numbers of its own, so that leaving a part out changes nothing in the others.
bool experiment_plan(Experiment *lab, const Story *story, Error *err)
{
    Arena *keep = lab->keep;
    uint64_t seed = lab->run->seed;
    AutoencoderConfig sizes = {.tied = lab->tied};
    if (!parse_hidden(&sizes, lab->hidden, lab->code, err)) return false;
    if (story_has(story, "reconstruct")) {
        Params *params = params_new(keep);
        Rng rng = rng_stream(seed, 1);
        lab->autoencoder = autoencoder_new(params, "reconstruct", &sizes, &rng);
        plan(lab, &lab->reconstruct, "reconstruct", params, &lab->autoencoder, autoencoder_loss);
    }
    if (story_has(story, "denoise")) {
        AutoencoderConfig config = {.sizes = {PIXELS, FEATURES}, .depth = 1, .relu_code = true};
        Params *params = params_new(keep), *fresh = params_new(keep), *tuned = params_new(keep);
        Rng rng = rng_stream(seed, 2), fresh_rng = rng_stream(seed, 3), tuned_rng = fresh_rng;
        lab->denoiser = (Denoiser){autoencoder_new(params, "denoise", &config, &rng), lab->noise};
        lab->scratch_net = classifier_new(fresh, "from_scratch", keep, &fresh_rng);
        lab->tuned_net = classifier_new(tuned, "pretrained", keep, &tuned_rng);
        plan(lab, &lab->denoise, "denoise", params, &lab->denoiser, denoising_loss);
        plan(lab, &lab->from_scratch, "from_scratch", fresh, &lab->scratch_net, classifier_loss);
        plan(lab, &lab->pretrained, "pretrained", tuned, &lab->tuned_net, classifier_loss);
    }
    if (story_has(story, "generate")) {
        AutoencoderConfig config = {.sizes = {PIXELS, 256, 2}, .depth = 2, .variational = true};
        Params *params = params_new(keep);
        Rng rng = rng_stream(seed, 4);
        lab->vae = autoencoder_new(params, "generate", &config, &rng);
        plan(lab, &lab->generate, "generate", params, &lab->vae, vae_loss);
    }
    return true;
}

// ---- what is measured on the test set ----

enum { TEST_BATCH = 500 };

// Rows first .. first+count-1 of the images, as a batch.
static Tensor *images_from(Arena *scratch, const Images *images, int first, int count)
{
    int index[TEST_BATCH];
    for (int i = 0; i < count; i++) index[i] = first + i;
    return images_batch(scratch, images, index, count);
}

static int rows_left(const Images *images, int first)
{
    return images->count - first < TEST_BATCH ? images->count - first : TEST_BATCH;
}

// Mean over the images of PCA's squared error, summed over the pixels: what ae_loss measures too.
static float pca_error(Arena *scratch, const Pca *pca, const Images *images)
{
    double sum = 0;
    for (int first = 0; first < images->count; first += TEST_BATCH) {
        Tape *tape = tape_new(scratch);
        int rows = rows_left(images, first);
        Tensor *x = images_from(scratch, images, first, rows);
        Tensor *back = pca_reconstruct(scratch, pca, x);
        sum += (double)rows * (double)tensor_item(loss_squared_error(tape, back, x));
    }
    return (float)(sum / images->count);
}

// In percent: the images whose highest score is not their label's.
static double misclassification_rate(Arena *scratch, const Classifier *net, const Images *images)
{
    int wrong = 0;
    for (int first = 0; first < images->count; first += TEST_BATCH) {
        Tape *tape = tape_new(scratch);
        tape_quiet(tape, true);
        int rows = rows_left(images, first);
        const float *scores = tensor_values(
            scratch, class_scores(tape, net, images_from(scratch, images, first, rows)));
        for (int r = 0; r < rows; r++) {
            const float *row = scores + (size_t)r * CLASSES;
            int best = 0;
            for (int c = 1; c < CLASSES; c++)
                if (row[c] > row[best]) best = c;
            wrong += best != images->labels[first + r];
        }
    }
    return 100.0 * wrong / images->count;
}

// ---- the parts ----

bool part_reconstruct(void *argument, Error *err)
{
    Experiment *lab = argument;
    run_print(lab->run, "A latent code of %d numbers for %d pixels.", lab->code, PIXELS);
    Pca pca = pca_fit(lab->keep, &lab->train, lab->code);
    float linear = pca_error(lab->scratch, &pca, &lab->test);
    if (!training_run(&lab->session, &lab->reconstruct, err)) return false;
    float deep = training_test_loss(&lab->reconstruct);
    Table table = table_new(lab->keep, "test set|squared error per image");
    table_row(&table, "PCA|%.2f", (double)linear);
    table_row(&table, "autoencoder|%.2f", (double)deep);
    run_table(lab->run, &table);
    run_print(lab->run, "The error of PCA is %.1f times that of the autoencoder.",
              (double)(linear / deep));
    report_reconstructions(lab->run, lab->scratch, &lab->test, &pca, &lab->autoencoder);
    return true;
}

bool part_denoise(void *argument, Error *err)
{
    Experiment *lab = argument;
    run_print(lab->run, "%.0f %% of the pixels are set to 0; %d features reconstruct the image.",
              (double)(100 * lab->noise), FEATURES);
    if (!training_run(&lab->session, &lab->denoise, err)) return false;
    run_print(lab->run, "Squared error per test image: %.2f.",
              (double)training_test_loss(&lab->denoise));
    report_denoised(lab->run, lab->scratch, &lab->test, &lab->denoiser.net, lab->noise);

    if (!training_run(&lab->session, &lab->from_scratch, err)) return false;
    if (!training_begun(&lab->session, &lab->pretrained)) {
        const Linear *learned = &lab->denoiser.net.encoder[0];
        tensor_copy(lab->tuned_net.features.weight, learned->weight);
        tensor_copy(lab->tuned_net.features.bias, learned->bias);
    }
    if (!training_run(&lab->session, &lab->pretrained, err)) return false;
    Table table = table_new(lab->keep, "classifier|misclassified test images [%]");
    table_row(&table, "trained from scratch|%.2f",
              misclassification_rate(lab->scratch, &lab->scratch_net, &lab->test));
    table_row(&table, "pretrained as a denoiser, fine-tuned|%.2f",
              misclassification_rate(lab->scratch, &lab->tuned_net, &lab->test));
    run_table(lab->run, &table);
    return true;
}

bool part_generate(void *argument, Error *err)
{
    Experiment *lab = argument;
    run_print(lab->run, "A variational autoencoder with a latent code of two numbers.");
    if (!training_run(&lab->session, &lab->generate, err)) return false;
    run_print(lab->run, "Squared error + KL divergence per test image: %.2f.",
              (double)training_test_loss(&lab->generate));
    report_latent(lab->run, lab->scratch, &lab->test, &lab->vae);
    report_samples(lab->run, lab->scratch, &lab->vae);
    return true;
}

bool part_losses(void *argument, Error *err)
{
    (void)err;
    const Experiment *lab = argument;
    Training *images[TRAININGS_MAX] = {NULL}, *classifiers[TRAININGS_MAX] = {NULL};
    int image_count = 0, classifier_count = 0;
    for (int t = 0; t < lab->session.count; t++) {
        Training *training = lab->session.trainings[t];
        if (training->loss == classifier_loss) classifiers[classifier_count++] = training;
        else images[image_count++] = training;
    }
    Plot losses = {.title = "Loss per image",
                   .x_label = "epoch",
                   .y_label = "squared error (generate: + KL)",
                   .log_y = true};
    if (image_count > 0) training_plot(lab->run, &losses, "losses", images, image_count, 0);
    Plot entropy = {.title = "Classifiers: from scratch and pretrained",
                    .x_label = "epoch",
                    .y_label = "cross-entropy [nats]",
                    .log_y = true};
    if (classifier_count > 0)
        training_plot(lab->run, &entropy, "classifiers", classifiers, classifier_count, 0);
    return true;
}
