#include "labs/2_core/cnn/experiment.h"
#include <math.h>
#include <string.h>
#include "kernels/kernels.h"
#include "kernels/seconds.h"
#include "labs/2_core/cnn/by_hand.h"
#include "labs/2_core/cnn/model.h"
#include "labs/2_core/cnn/report.h"
#include "common/text.h"

enum { TEST_BATCH = 100 };    // the residual network's maps of 500 images would fill the arena

static Tensor *logits(Tape *tape, const void *model, const Batch *batch)
{
    return network_logits(tape, model, batch->x, batch->rng, NULL);
}

void experiment_plan(Experiment *lab)
{
    Rng rng = rng_stream(lab->run->seed, 1);
    bool by_hand = strcmp(lab->layers, "exercises") == 0;
    NetworkKind kind;
    network_kind(&kind, lab->net);
    lab->params = params_new(lab->keep);
    lab->network = network_new(lab->params, kind, lab->train.classes,
                               by_hand ? &exercise_layers : &kernel_layers, &rng);
    lab->network.dropout = lab->dropout;
    lab->training = (Training){
        .name = lab->net,
        .model = &lab->network,
        .params = lab->params,
        .logits = logits,
        .repeats = true,
        .criterion = lab->network.layers->cross_entropy,
        .optimizer = {.kind = OPTIMIZER_SGD,
                      .momentum = 0.9f,
                      .decay = lab->decay,
                      .schedule = {.shape = SCHEDULE_COSINE, .peak = lab->learning_rate}},
        .train = (lab->augment ? images_augmented : images_batches)(&lab->train),
        .test = images_batches(&lab->test),
        .epochs = lab->epochs,
        .batch = lab->batch,
        .test_batch = TEST_BATCH,
        .room = ((size_t)1 << 30) + ((size_t)lab->batch << 21),    // the residual network's maps
    };
    training_plan(&lab->session, &lab->training);
}

// ---- the training, which every other part needs ----

static void classify_test_set(Experiment *lab)
{
    int classes = lab->test.classes, index[TEST_BATCH];
    float *to = arena_alloc(lab->keep, sizeof *to * (size_t)lab->test.count * (size_t)classes);
    lab->probabilities = to;
    Tape *tape = tape_new(lab->scratch);
    for (int first = 0; first < lab->test.count; first += TEST_BATCH, tape_reset(tape)) {
        int rows = lab->test.count - first < TEST_BATCH ? lab->test.count - first : TEST_BATCH;
        for (int i = 0; i < rows; i++) index[i] = first + i;
        tensor_read(network_probabilities(tape, &lab->network,
                                          images_batch(lab->scratch, &lab->test, index, rows)),
                    to + (size_t)first * (size_t)classes);
    }
}

static bool train(Experiment *lab, Error *err)
{
    if (lab->probabilities != NULL) return true;
    if (!training_run(&lab->session, &lab->training, err)) return false;
    classify_test_set(lab);
    return model_save(run_path(lab->run, MODEL_FILE), lab->params, &lab->network, &lab->train, err);
}

bool part_train(void *argument, Error *err)
{
    Experiment *lab = argument;
    run_print(lab->run, "%s: %zu parameters, layers by %s.", lab->net, params_total(lab->params),
              strcmp(lab->layers, "kernels") == 0 ? "the kernel table"
                                                  : "the exercises' functions");
    double start = seconds_now();
    if (!train(lab, err)) return false;
    double seconds = seconds_now() - start;
    if (lab->session.resumed == 0)
        run_print(lab->run, "%d epoch%s in %.1f s: %.0f images per second, with their tests.",
                  lab->epochs, text_plural(lab->epochs), seconds,
                  (double)lab->epochs * lab->train.count / seconds);
    double accuracy = (double)training_test_accuracy(&lab->training);
    int count = lab->test.count;
    run_print(lab->run,
              "Test accuracy: %.2f %%, %d of %d images misclassified; standard error %.2f %%.",
              100 * accuracy, (int)lround((1 - accuracy) * count), count,
              100 * sqrt(accuracy * (1 - accuracy) / count));
    run_print(lab->run, "--classify FILE.png asks this network about a picture of your own.");
    Training *trainings[] = {&lab->training};
    Plot losses = {.title = "Loss per image",
                   .x_label = "epoch",
                   .y_label = "cross-entropy [nats]",
                   .log_y = true};
    training_plot(lab->run, &losses, "loss", trainings, 1, 0);
    Plot curve = {.title = "Test accuracy", .x_label = "epoch", .y_label = "accuracy [%]"};
    training_plot_accuracy(lab->run, &curve, "accuracy", trainings, 1);
    return true;
}

bool part_errors(void *argument, Error *err)
{
    Experiment *lab = argument;
    if (!train(lab, err)) return false;
    report_confusion(lab->run, lab->scratch, &lab->test, lab->probabilities);
    report_hardest(lab->run, lab->scratch, &lab->test, lab->probabilities);
    return true;
}

bool part_inside(void *argument, Error *err)
{
    Experiment *lab = argument;
    if (!train(lab, err)) return false;
    report_filters(lab->run, lab->scratch, &lab->network);
    report_feature_maps(lab->run, lab->scratch, &lab->network, &lab->test);
    report_saliency(lab->run, lab->scratch, &lab->network, &lab->test);
    params_clear_grads(lab->params);
    return true;
}

// ---- the exercises beside the kernel table ----

enum { HAND_BATCH = 4 };

// Loss and gradients of one batch; returns the seconds that they took.
static double one_step(Arena *scratch, const Network *net, Params *params, const Images *images,
                       float *loss, float *gradient)
{
    int index[HAND_BATCH];
    for (int i = 0; i < HAND_BATCH; i++) index[i] = i % images->count;
    Tape *tape = tape_new(scratch);
    Tensor *x = images_batch(scratch, images, index, HAND_BATCH);
    Tensor *labels = images_labels(scratch, images, index, HAND_BATCH);
    params_clear_grads(params);
    double start = seconds_now();
    Tensor *z = network_logits(tape, net, x, NULL, NULL);
    Tensor *mean = net->layers->cross_entropy(tape, z, labels);
    tape_backward(tape, mean);
    *loss = tensor_item(mean);    // waits for the device
    double seconds = seconds_now() - start;
    Tensor whole = {
        .data = params->grads.at, .shape = SHAPE((int)params->grads.count), .type = DTYPE_F32};
    tensor_read(&whole, gradient);
    tape_reset(tape);
    return seconds;
}

bool part_by_hand(void *argument, Error *err)
{
    (void)err;
    Experiment *lab = argument;
    Arena *keep = lab->keep;
    run_print(lab->run, "Loss and gradients of one batch of %d test images, untrained.",
              HAND_BATCH);
    Table table = table_new(keep, "network|layers by|cross-entropy|gradients: relative "
                                  "difference|time [ms]");
    static const char *const titles[] = {"kernel table", "exercises"};
    const Layers *const layers[] = {&kernel_layers, &exercise_layers};
    for (int kind = NETWORK_LENET; kind <= NETWORK_RESNET; kind++) {
        Params *params = params_new(keep);
        Rng rng = rng_stream(lab->run->seed, 2);
        Network net = network_new(params, (NetworkKind)kind, lab->test.classes, NULL, &rng);
        size_t count = params->grads.count;
        float loss, *gradients[2], apart = 0, largest = 0;
        for (int by = 0; by < 2; by++) {
            gradients[by] = arena_alloc(keep, count * sizeof(float));
            net.layers = layers[by];
            one_step(lab->scratch, &net, params, &lab->test, &loss, gradients[by]);    // warms up
            double seconds = one_step(lab->scratch, &net, params, &lab->test, &loss, gradients[by]);
            for (size_t i = 0; i < count && by > 0; i++) {
                float difference = fabsf(gradients[1][i] - gradients[0][i]);
                if (isnan(difference) || difference > apart) apart = difference;    // a NaN stays
                largest = fmaxf(largest, fabsf(gradients[0][i]));
            }
            table_row(
                &table, "%s|%s|%.6f|%s|%.1f", network_name(net.kind), titles[by], (double)loss,
                by > 0 ? arena_print(keep, "%.1e", (double)(apart / largest)) : "", 1e3 * seconds);
        }
    }
    run_table(lab->run, &table);
    return true;
}
