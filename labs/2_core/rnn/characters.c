/* characters.c -- part: a character model, its loss against the entropy of its source, its samples. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include "common/memory.h"
#include "common/text.h"
#include "labs/2_core/rnn/lab.h"

enum { WIDTH = 64, SHOWN = 100, BYTES = 256 };

static Tensor *loss(Tape *tape, const void *model, const Batch *batch)
{
    const int T = batch->x->shape.size[0] - 1;
    Tensor *z =
        model_logits(tape, model, tensor_rows(tape->arena, batch->x, 0, T), NULL, batch->rng);
    return op_sequence_loss(tape, z, batch->x);
}

// A character with which a window begins and what the model draws after it, `count` in all, a new line as '/'; in the
// lab's step arena.
static char *sample(const Lab *lab, int count, float temperature, uint64_t stream)
{
    const TokenWindows *windows = &lab->text.all;
    Rng rng = rng_stream(lab->run->seed, stream);
    int32_t *ids = arena_alloc(lab->step, sizeof *ids * (size_t)count);
    ids[0] = windows->tokens.ids[token_window_first(windows, 0)];
    const int drawn =
        1 + model_sample(&lab->model, ids + 1, count - 1, ids[0], -1, temperature, &rng);
    char *text = arena_zeros(lab->step, (size_t)drawn + 1);
    for (int i = 0; i < drawn; i++) {
        text[i] = lab->text.symbols[ids[i]];
        if (text[i] == '\n') text[i] = '/';
        if (text[i] == '\0') text[i] = '?';    // would end it
    }
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

// Weights, gradients and Adam's two moments; the activations and their gradients of one step, a layer's being four
// gates, h, c and the gradients of six, and copies of h and c; at most two copies of the largest tensor in a file.
static bool fits(const Lab *lab, size_t *room, Error *err)
{
    const double H = lab->hidden, first = WIDTH + H + 1, others = (lab->layers - 1) * (2 * H + 1),
                 weights = 4 * H * (first + others) + BYTES * (H + 1 + WIDTH),
                 cells = (double)lab->context * lab->batch,
                 step = cells * (14 * H * lab->layers + 4 * BYTES + 2 * WIDTH);
    *room = ((size_t)1 << 30) + 2 * sizeof(float) * (size_t)step;
    return memory_suffices(sizeof(float) * (4 * weights + step + 8 * H * H),
                           arena_print(lab->keep, "--layers %d --hidden %d --context %d --batch %d",
                                       lab->layers, lab->hidden, lab->context, lab->batch),
                           err);
}

bool characters_plan(Lab *lab, Error *err)
{
    size_t room;
    const char *path;
    if (!fits(lab, &room, err)) return false;
    lab->text.context = lab->context;
    if (!choose_data(lab->run, &path, err) ||
        !text_load(&lab->text, lab->keep, path, lab->run->seed, err))
        return false;
    const Text *text = &lab->text;
    Rng rng = rng_stream(lab->run->seed, 32);
    Params *params = params_new(lab->keep);
    CellKind kind = CELL_LSTM;
    for (int k = 0; k < CELL_KINDS; k++)
        if (strcasecmp(lab->cell, cell_names[k]) == 0) kind = (CellKind)k;
    lab->model = model_new(params, "",
                           (ModelShape){.kind = kind,
                                        .vocabulary = text->vocabulary,
                                        .width = WIDTH,
                                        .layers = lab->layers,
                                        .hidden = lab->hidden,
                                        .dropout = lab->dropout,
                                        .fast = strcmp(lab->ops, "kernels") == 0},
                           &rng);
    lab->characters = (Training){.name = "characters",
                                 .model = &lab->model,
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
                                 .room = room,
                                 .steps = lab->steps,
                                 .point_every = lab->steps >= 20 ? lab->steps / 20 : 1,
                                 .on_point = on_point,
                                 .context = lab};
    training_plan(&lab->session, &lab->characters);
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
    Training *training = &lab->characters;
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
