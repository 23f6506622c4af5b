/* characters.c -- part: a character model, its loss against the entropy of its source, its samples. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include "common/embedding.h"
#include "common/text.h"
#include "labs/2_core/rnn/lab.h"

enum { WIDTH = 64, SHOWN = 100 };

static Draw draw_of(Rng *rng, uint64_t layer)
{
    uint64_t seed = (uint64_t)rng_next(rng) << 32;
    return (Draw){.seed = seed | rng_next(rng), .stream = layer};
}

// tokens [T,B] -> logits [T,B,V]; states: one for each layer, or NULL. rng: for dropout.
static Tensor *logits(Tape *tape, const Model *model, Tensor *tokens, RecurrentState *states,
                      Rng *rng)
{
    Tensor *h = op_embedding(tape, tokens, model->embedding);
    for (int l = 0; l < model->depth; l++) {
        h = recurrent_run(tape, &model->layers[l], h, states != NULL ? &states[l] : NULL);
        if (model->dropout > 0) h = op_dropout(tape, h, model->dropout, draw_of(rng, (uint64_t)l));
    }
    return linear_forward(tape, &model->out, h);
}

static Tensor *loss(Tape *tape, const void *model, const Batch *batch)
{
    const int T = batch->x->shape.size[0] - 1;
    Tensor *z = logits(tape, model, tensor_rows(tape->arena, batch->x, 0, T), NULL, batch->rng);
    return op_sequence_loss(tape, z, batch->x);
}

// A character with which a window begins and what the model draws after it, `count` in all, a new line as '/'; in the lab's step arena.
static char *sample(const Lab *lab, int count, float temperature, uint64_t stream)
{
    const Model *model = &lab->model;
    const TokenWindows *windows = &lab->text.all;
    Arena *arena = arena_new("sample", (size_t)1 << 30);
    Rng rng = rng_stream(lab->run->seed, stream);
    Tape *tape = tape_new(arena);
    tape_quiet(tape, true);
    RecurrentState states[LAYERS_MAX];
    for (int l = 0; l < model->depth; l++)
        states[l] = (RecurrentState){tensor_zeros(lab->step, SHAPE(1, lab->hidden)),
                                     tensor_zeros(lab->step, SHAPE(1, lab->hidden))};
    char *text = arena_zeros(lab->step, (size_t)count + 1);
    int32_t id = windows->tokens.ids[token_window_first(windows, 0)];
    for (int i = 0; i < count && id >= 0; i++) {
        text[i] = lab->text.symbols[id];
        if (text[i] == '\n') text[i] = '/';
        if (text[i] == '\0') text[i] = '?';    // would end it
        const float *z = tensor_values(
            arena, logits(tape, model, tensor_from_ints(arena, SHAPE(1, 1), &id), states, &rng));
        id = rn_sample(z, lab->text.vocabulary, temperature, rng_uniform(&rng));
        tape_reset(tape);
    }
    arena_free(arena);
    text_clean(text);
    return text;
}

static void on_point(void *context, const Training *training, long done)
{
    const Lab *lab = context;
    const long point = (done + training->point_every - 1) / training->point_every;
    if ((point & (point - 1)) != 0) return;    // points 1, 2, 4, 8, ...
    run_print(lab->run, "step %ld: %s", done,
              sample(lab, 80, lab->temperature, 40 + (uint64_t)point));
}

// A file of --data; a folder's tinyshakespeare.txt; NULL for the grammar, also where LAB_DATA has no text.
static bool choose_data(const Run *run, const char **path, Error *err)
{
    struct stat info;
    *path = run->data;
    if (run->data == NULL || stat(run->data, &info) != 0 || !S_ISDIR(info.st_mode)) return true;
    const char *file = arena_print(run->keep, "%s/tinyshakespeare.txt", run->data);
    *path = stat(file, &info) == 0 ? file : NULL;
    if (*path != NULL || !options_given(run->options, "data")) return true;
    return error_set(err, "--data %s: a folder without tinyshakespeare.txt; expected a text file",
                     run->data);
}

bool characters_plan(Lab *lab, Error *err)
{
    const char *path;
    lab->text.context = lab->context;
    if (!choose_data(lab->run, &path, err) ||
        !text_load(&lab->text, lab->keep, path, lab->run->seed, err))
        return false;
    const Text *text = &lab->text;
    Model *model = &lab->model;
    Rng rng = rng_stream(lab->run->seed, 32);
    Params *params = params_new(lab->keep);
    model->embedding = params_add(params, "embedding.weight", SHAPE(text->vocabulary, WIDTH));
    float *e = arena_alloc(lab->keep, tensor_bytes(model->embedding));
    rng_fill_normal(&rng, e, tensor_count(model->embedding));
    tensor_write(model->embedding, e);
    CellKind kind = CELL_LSTM;
    for (int k = 0; k < CELL_KINDS; k++)
        if (strcasecmp(lab->cell, cell_names[k]) == 0) kind = (CellKind)k;
    model->depth = lab->layers;
    model->dropout = lab->dropout;
    for (int l = 0; l < lab->layers; l++) {
        model->layers[l] = recurrent_new(params, arena_print(lab->keep, "rnn.%d", l), kind,
                                         l == 0 ? WIDTH : lab->hidden, lab->hidden, &rng);
        model->layers[l].fast = strcmp(lab->ops, "kernels") == 0;
    }
    model->out = linear_new(params, "out", lab->hidden, text->vocabulary, init_glorot, &rng);
    model->training =
        (Training){.name = "characters",
                   .model = model,
                   .params = params,
                   .loss = loss,
                   .optimizer = {.kind = OPTIMIZER_ADAM,
                                 .clip_norm = lab->clip,
                                 .schedule = {.shape = SCHEDULE_COSINE,
                                              .peak = lab->learning_rate,
                                              .floor = lab->learning_rate / 10}},
                   .train = text_batches(&text->train),
                   .test = text_batches(&text->validate),
                   .held_out = "validation",
                   .batch = lab->batch,
                   .test_batch = lab->batch,
                   .tokens = text->context,
                   .tokens_per_character = 1,
                   .room = (size_t)16 << 30,    // address space: what is not touched is not used
                   .steps = lab->steps,
                   .point_every = lab->steps >= 20 ? lab->steps / 20 : 1,
                   .on_point = on_point,
                   .context = lab};
    training_plan(&lab->session, &model->training);
    return true;
}

static void add_level(Plot *plot, const Lab *lab, const char *name, double value)
{
    float *x = arena_alloc(lab->step, 2 * sizeof *x), *y = arena_alloc(lab->step, 2 * sizeof *y);
    x[0] = 0, x[1] = (float)lab->steps;
    y[0] = y[1] = (float)value;
    plot_shape(plot, PLOT_LIMIT, name, x, y, 2);
}

bool part_characters(void *context, Error *err)
{
    Lab *lab = context;
    const Text *text = &lab->text;
    Training *training = &lab->model.training;
    Run *run = lab->run;
    run_print(run,
              "%s: %zu characters, %d different; windows of %d: %d for training, %d for validation",
              text->origin, text->length, text->vocabulary, text->context, text->train.count,
              text->all.count);
    if (!training_run(&lab->session, training, err)) return false;
    const double bits = 1 / log(2);
    const Batches all = text_batches(&text->all);
    const double measured = (double)training_evaluate(&lab->session, training, &all);
    Plot plot = {.title = "Character model", .x_label = "step", .y_label = "nats per character"};
    Table table = table_new(lab->step, "predicted by|nats per character|bits per character");
    const double single = text_ngram_loss(text, 0, &text->all),
                 pairs = text_ngram_loss(text, 1, &text->all);
    table_row(&table, "frequencies of characters|%.4f|%.4f", single, single * bits);
    table_row(&table, "frequencies of pairs|%.4f|%.4f", pairs, pairs * bits);
    table_row(&table, "%s of %d x %d|%.4f|%.4f", lab->cell, lab->layers, lab->hidden, measured,
              measured * bits);
    add_level(&plot, lab, "pairs", pairs);
    if (text->grammar != NULL) {
        const double floor = text_true_loss(text, &text->all);
        table_row(&table, "the source itself: its entropy|%.4f|%.4f", floor, floor * bits);
        add_level(&plot, lab, "entropy of the source", floor);
        run_print(run, "Entropy rate of whole stories: %.4f bits per character.",
                  grammar_rates(text->grammar).bits_per_character);
    }
    run_table(run, &table);
    training_plot(run, &plot, "characters", (Training *[]){training}, 1, 0);
    const float temperatures[] = {0, 0.5f, 1, 2};
    Table samples = table_new(lab->step, "temperature|sample");
    for (int i = 0; i < 4; i++)
        table_row(&samples, "%.1f|%s", (double)temperatures[i],
                  sample(lab, SHOWN, temperatures[i], 60));
    run_table(run, &samples);
    return true;
}
