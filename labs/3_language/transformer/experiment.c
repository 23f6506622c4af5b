#include "labs/3_language/transformer/experiment.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "common/file.h"
#include "kernels/seconds.h"
#include "labs/3_language/transformer/by_hand.h"
#include "labs/3_language/transformer/files/folder.h"
#include "labs/3_language/transformer/files/model_file.h"

enum { SAMPLED = 100 };    // tokens of a sample while it learns

static const Sampling PLAIN = {.temperature = 1};

// ---- the model and its training ----

// Without dropout nothing is drawn, so that a device may replay a step.
static Tensor *loss(Tape *tape, const void *of, const Batch *batch)
{
    const Model *model = of;
    uint64_t seed = 0;
    if (model->dropout > 0) seed = (uint64_t)rng_next(batch->rng) << 32 | rng_next(batch->rng);
    return model_loss(tape, model, batch->x, batch->labels, draw_at(seed, 0, 0));
}

// A sample at the points 1, 2, 4, 8, ... and at the last.
static void on_point(void *context, const Training *training, long done)
{
    const Experiment *lab = context;
    long point = (done + training->point_every - 1) / training->point_every;
    bool last = point == training->points;
    if ((point & (point - 1)) != 0 && !last) return;
    const float *curve = training->curve + 2 * (point - 1);
    char validation[64] = "";
    if (training->test.count > 0)
        snprintf(validation, sizeof validation, ", validation %.4f", (double)curve[1]);
    Error err = {""};
    const char *text =
        sample_text(lab, lab->scratch, lab->prompt, SAMPLED, PLAIN, 0x5A + (uint64_t)point, &err);
    run_print(lab->run, "step %ld: training loss %.4f%s", done, (double)curve[0], validation);
    run_print(lab->run, "  %s", text != NULL ? sample_shown(lab->scratch, text) : err.message);
    arena_reset(lab->scratch);
}

static bool make_model(Experiment *lab, Error *err)
{
    lab->params = params_new(lab->keep);
    if (lab->model_path != NULL) {
        ModelFile *file = model_file_open(lab->model_path, err);
        if (file == NULL) return false;
        lab->model = model_file_read(file, lab->params);
        model_file_close(file);
    } else {
        lab->size.vocabulary = tokenizer_size(lab->text.tokenizer);
        bool llama = strcmp(lab->style, "llama") == 0;
        ModelConfig config = llama ? model_config_llama(lab->size) : model_config_gpt2(lab->size);
        if (!model_config_check(&config, "the options", err)) return false;
        Rng rng = rng_stream(lab->run->seed, 1);
        lab->model = model_new(lab->params, config, &rng);
    }
    lab->model.dropout = lab->dropout;
    if (strcmp(lab->ops, "exercises") == 0) lab->model.ops = &exercise_ops;
    return true;
}

static void plan(Experiment *lab)
{
    const Text *text = &lab->text;
    if (lab->steps == 0) return;
    lab->training = (Training){
        .name = "transformer",
        .model = &lab->model,
        .params = lab->params,
        .loss = loss,
        .repeats = true,
        .optimizer = {.kind = OPTIMIZER_ADAM,
                      .beta2 = 0.99f,    // a batch holds few tokens: a shorter memory than 0.999
                      .decay = lab->decay,
                      .clip_norm = lab->clip,
                      .schedule = {.shape = SCHEDULE_COSINE,
                                   .peak = lab->learning_rate,
                                   .floor = lab->learning_rate / 10,
                                   .warmup = lab->warmup}},
        .train = token_batches(&text->train),
        .test = text->validated ? token_batches(&text->validate) : (Batches){0},
        .held_out = "validation",
        .batch = lab->batch,
        .micro_batch = lab->micro_batch,
        .test_batch = lab->batch,
        .tokens = text->context,
        .tokens_per_character = text->tokens_per_character,
        .room = (size_t)64 << 30,    // address space: what is not touched is not used
        .steps = lab->steps,
        .point_every = (lab->steps + lab->points - 1) / lab->points,
        .on_point = on_point,
        .context = lab,
    };
    training_plan(&lab->session, &lab->training);
}

bool experiment_prepare(Experiment *lab, const char *data, Error *err)
{
    Run *run = lab->run;
    Text *text = &lab->text;
    if (lab->model_path != NULL && lab->tokenizer == NULL) {
        Error why;
        text->tokenizer = tokenizer_open(lab->model_path, &why);
        if (text->tokenizer == NULL)
            return error_set(err, "%s; --tokenizer FILE gives the model one", why.message);
    }
    const char *tokenizer = lab->tokenizer != NULL ? lab->tokenizer : "chars";
    if (!text_load(text, lab->keep, data, run->seed, tokenizer, err)) return false;
    if (!make_model(lab, err)) return false;
    const ModelConfig *c = &lab->model.config;
    if (text->context > c->context)
        return error_set(err, "--context %d: the model has %d", text->context, c->context);
    if (tokenizer_size(text->tokenizer) > c->vocabulary)
        return error_set(err, "the tokenizer has %d tokens, the model %d",
                         tokenizer_size(text->tokenizer), c->vocabulary);
    if (lab->prompt == NULL)
        lab->prompt = text->grammar != NULL ? "Lily had a" : text_beginning(text, lab->keep);
    if (!sample_check_prompt(lab, err)) return false;
    lab->session = (Session){
        .run = run,
        .config = arena_print(lab->keep,
                              "%d layers, %d heads, %d for keys, width %d, ff %d, %s, context %d, "
                              "batch %d, steps %d, "
                              "warm-up %d, rate %g, decay %g, dropout %g, clip %g, seed %" PRIu64
                              ", %d windows of tokens with CRC-32 %08lx",
                              c->layers, c->heads, c->kv_heads, c->width, c->ff,
                              c->rotary ? "llama" : "gpt2", text->context, lab->batch, lab->steps,
                              lab->warmup, (double)lab->learning_rate, (double)lab->decay,
                              (double)lab->dropout, (double)lab->clip, run->seed, text->train.count,
                              text_crc32(text))};
    plan(lab);
    return session_resume(&lab->session, err);
}

// ---- the text ----

static double bits(const Text *text, double nats)    // per character
{
    return nats / log(2) * text->tokens_per_character;
}

bool part_text(void *argument, Error *err)
{
    (void)err;
    Experiment *lab = argument;
    const Text *text = &lab->text;
    run_print(lab->run, "%s: %zu bytes, %zu tokens, a vocabulary of %d.", text->origin,
              text->length, text->ids.count, tokenizer_size(text->tokenizer));
    size_t shown = text_line(text, 0);
    run_print(lab->run, "It begins: %.*s", shown < 300 ? (int)shown : 300, text->bytes);
    if (!text->validated) {
        run_print(lab->run, "No validation set: the text is too short for one, or --validation 0.");
        return true;
    }
    Table table =
        table_new(lab->scratch, "predictor|cross-entropy [nats/token]|bits per character");
    double uniform = log(tokenizer_size(text->tokenizer));
    table_row(&table, "every token alike|%.4f|%.4f", uniform, bits(text, uniform));
    for (int order = 0; order < 2; order++) {
        double nats = text_ngram_loss(text, order);
        table_row(&table, "%s|%.4f|%.4f",
                  order == 0 ? "frequencies (unigrams)" : "given the token before (bigrams)", nats,
                  bits(text, nats));
    }
    if (text->grammar != NULL)
        table_row(&table, "entropy rate of the grammar|%.4f|%.4f", text->floor,
                  bits(text, text->floor));
    run_table(lab->run, &table);
    return true;
}

// ---- training ----

static void plot_losses(Experiment *lab)
{
    const Training *training = &lab->training;
    float ends[2] = {(float)training->point_every, (float)training->steps};
    float floor[2] = {(float)lab->text.floor, (float)lab->text.floor};
    Plot plot = {.title = "Loss per token", .x_label = "step", .y_label = "cross-entropy [nats]"};
    if (lab->text.grammar != NULL)
        plot_shape(&plot, PLOT_LIMIT, "entropy rate of the text", ends, floor, 2);
    training_plot(lab->run, &plot, "loss", (Training *[]){&lab->training}, 1, 0);
}

static void plot_schedule(const Experiment *lab)
{
    size_t steps = (size_t)lab->steps;
    float *x = arena_alloc(lab->scratch, sizeof *x * steps);
    float *rate = arena_alloc(lab->scratch, sizeof *rate * steps);
    for (size_t i = 0; i < steps; i++) {
        x[i] = (float)i;
        rate[i] = schedule_rate(&lab->training.adapt->config.schedule, (long)i);
    }
    Plot plot = {.title = "Learning rate: warm-up, then half a cosine",
                 .x_label = "step",
                 .y_label = "learning rate"};
    plot_series(&plot, "learning rate", x, rate, steps);
    run_plot(lab->run, &plot, "schedule");
}

static void report_losses(const Experiment *lab)
{
    const Text *text = &lab->text;
    double nats =
        (double)training_evaluate(&lab->session, &lab->training,
                                  &(Batches){.count = text->validate_all.count,
                                             .make = token_batches(&text->validate_all).make,
                                             .data = &text->validate_all});
    run_print(
        lab->run,
        "Validation loss over all %d windows: %.4f nats per token, a perplexity of %.2f, %.4f "
        "bits per character.",
        text->validate_all.count, nats, exp(nats), bits(text, nats));
    if (text->grammar == NULL) return;
    double best = text_true_loss(text, &text->validate_all);
    run_print(lab->run,
              "The entropy rate is %.4f nats per token, and the grammar itself has %.4f on these "
              "windows: the model is %.1f %% above the rate and %.1f %% above the grammar.",
              text->floor, best, 100 * (nats / text->floor - 1), 100 * (nats / best - 1));
}

static bool save(const Experiment *lab, Error *err)
{
    if (lab->run->rank > 0) return true;
    const char *folder = run_path(lab->run, MODEL_FOLDER);
    const char *tokenizer = arena_print(lab->keep, "%s/tokenizer.json", folder);
    if (!folder_write(folder, &lab->model.config, lab->params, (FolderOptions){0}, err) ||
        !tokenizer_save(lab->text.tokenizer, tokenizer, err))
        return false;
    run_print(lab->run, "The model is in %s, as transformers opens it; --model %s goes on from it.",
              file_shown(lab->keep, folder), file_shown(lab->keep, folder));
    return true;
}

bool part_train(void *argument, Error *err)
{
    Experiment *lab = argument;
    if (lab->steps == 0) return true;
    const ModelConfig *c = &lab->model.config;
    run_print(lab->run,
              "%" PRIu64 " parameters: %d layers, %d heads, width %d, context %d; batches of %d "
              "windows, %d tokens.",
              model_config_params(c), c->layers, c->heads, c->width, lab->text.context, lab->batch,
              lab->batch * lab->text.context);
    double start = seconds_now();
    if (!training_run(&lab->session, &lab->training, err)) return false;
    double seconds = seconds_now() - start;
    if (lab->session.resumed == 0)
        run_print(
            lab->run, "%d steps in %.1f s: %.0f tokens per second, with validation and samples.",
            lab->steps, seconds, (double)lab->steps * lab->batch * lab->text.context / seconds);
    if (lab->text.validated) report_losses(lab);
    plot_losses(lab);
    plot_schedule(lab);
    return save(lab, err);
}

bool part_by_hand(void *argument, Error *err)
{
    Experiment *lab = argument;
    return by_hand_compare(lab->run, lab->keep, lab->scratch, err);
}
