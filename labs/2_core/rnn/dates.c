/* dates.c -- part: sequence to sequence with attention, and where it looks. */
#include "labs/2_core/rnn/dates.h"
#include <math.h>
#include <string.h>
#include "common/embedding.h"
#include "common/font.h"
#include "labs/2_core/rnn/lab.h"

enum { WIDTH = 16, HIDDEN = 64, TRAINED = 20000, TESTED = 500, BATCH = 64, DRAWN = 4 };

// ---- the model ----

typedef struct Reading {
    Tensor *states;       // [S,B,H]
    const int *length;    // [B]
} Reading;

static Reading encode(Tape *tape, const Translator *model, Tensor *x)
{
    const int B = x->shape.size[1];
    int *length = arena_alloc(tape->arena, sizeof *length * (size_t)B);
    tensor_read_ints(tensor_rows(tape->arena, x, 0, 1), length);
    Tensor *e = op_embedding(tape, tensor_rows(tape->arena, x, 1, DATE_SOURCE), model->source);
    return (Reading){bidirectional_run(tape, model->encoder, e, length), length};
}

// tokens [T,B] -> logits [T,B,V]. tanh(W_h h + W_c context): Luong et al. 2015, eq. 5.
static Tensor *decode(Tape *tape, const Translator *model, const Reading *read, Tensor *tokens,
                      Tensor **alpha)
{
    Tensor *h =
        recurrent_run(tape, &model->decoder, op_embedding(tape, tokens, model->target), NULL);
    Tensor *context = op_look(tape, h, read->states, read->length, alpha);
    Tensor *both = op_add(tape, linear_forward(tape, &model->mixed, h),
                          linear_forward(tape, &model->context, context));
    return linear_forward(tape, &model->out, op_tanh(tape, both));
}

static Tensor *loss(Tape *tape, const void *model, const Batch *batch)
{
    const Reading read = encode(tape, model, batch->x);
    Tensor *tokens = tensor_rows(tape->arena, batch->x, 1 + DATE_SOURCE, 1 + DATE_TARGET);
    Tensor *before = tensor_rows(tape->arena, tokens, 0, DATE_TARGET);
    return op_sequence_loss(tape, decode(tape, model, &read, before, NULL), tokens);
}

static Tensor *embedding(Params *params, const char *name, int size, Rng *rng)
{
    Tensor *table = params_add(params, name, SHAPE(size, WIDTH));
    float *e = arena_alloc(params->arena, tensor_bytes(table));
    rng_fill_normal(rng, e, tensor_count(table));
    tensor_write(table, e);
    return table;
}

void dates_plan(Lab *lab)
{
    Rng rng = rng_stream(lab->run->seed, 33);
    for (int side = 0; side < 2; side++)
        lab->dates[side] = (Dates){rng_next(&rng), side == 0 ? TRAINED : TESTED};
    Params *params = params_new(lab->keep);
    Translator *model = &lab->translator;
    model->source = embedding(params, "source.weight", DATE_CHARACTERS, &rng);
    model->target = embedding(params, "target.weight", DATE_SYMBOLS, &rng);
    for (int end = 0; end < 2; end++)
        model->encoder[end] = recurrent_new(params, arena_print(lab->keep, "encoder.%d", end),
                                            CELL_ELMAN, WIDTH, HIDDEN / 2, &rng);
    model->decoder = recurrent_new(params, "decoder", CELL_GRU, WIDTH, HIDDEN, &rng);
    model->decoder.fast = strcmp(lab->ops, "kernels") == 0;
    model->mixed = linear_new(params, "state", HIDDEN, HIDDEN, init_glorot, &rng);
    model->context = linear_new(params, "context", HIDDEN, HIDDEN, init_glorot, &rng);
    model->out = linear_new(params, "dates.out", HIDDEN, DATE_SYMBOLS, init_glorot, &rng);
    model->training = (Training){
        .name = "dates",
        .model = model,
        .params = params,
        .loss = loss,
        .optimizer = {.kind = OPTIMIZER_ADAM, .schedule = {.peak = 5e-3f}, .clip_norm = 1},
        .train = dates_batches(&lab->dates[0]),
        .test = dates_batches(&lab->dates[1]),
        .batch = BATCH,
        .steps = lab->date_steps,
        .point_every = lab->date_steps >= 10 ? lab->date_steps / 10 : 1};
    training_plan(&lab->session, &model->training);
}

// ---- what it does with the test set ----

typedef struct Translation {
    char source[DATE_TEXT], want[DATE_TARGET + 1], got[DATE_TARGET + 1];
    float alpha[DATE_TARGET][DATE_SOURCE];
} Translation;

// Greedy: each symbol is the likeliest after those written so far.
static Translation *translate(const Lab *lab, int count)
{
    const Translator *model = &lab->translator;
    Arena *arena = lab->step;
    Tape *tape = tape_new(arena_new("translation", (size_t)4 << 30));
    tape_quiet(tape, true);
    int *index = arena_alloc(arena, sizeof *index * (size_t)count);
    for (int i = 0; i < count; i++) index[i] = i;
    Batch batch = {.rows = count, .arena = arena};
    const Batches test = dates_batches(&lab->dates[1]);
    test.make(&batch, test.data, index);
    const Reading read = encode(tape, model, batch.x);
    const size_t B = (size_t)count;
    int32_t *tokens = arena_zeros(arena, sizeof *tokens * B * (DATE_TARGET + 1));
    for (size_t b = 0; b < B; b++) tokens[b] = DATE_BEGIN;
    Tensor *alpha = NULL;
    for (int t = 0; t < DATE_TARGET; t++) {
        const float *z = tensor_values(
            arena, decode(tape, model, &read, tensor_from_ints(arena, SHAPE(t + 1, count), tokens),
                          &alpha));
        for (size_t b = 0; b < B; b++)
            tokens[((size_t)t + 1) * B + b] =
                rn_sample(z + ((size_t)t * B + b) * DATE_SYMBOLS, DATE_SYMBOLS, 0, 0);
    }
    const float *weights = tensor_values(arena, alpha);
    Translation *all = arena_zeros(arena, sizeof *all * B);
    for (size_t b = 0; b < B; b++) {
        date_write(&lab->dates[1], (int)b, all[b].source, all[b].want);
        for (size_t t = 0; t < DATE_TARGET; t++) {
            all[b].got[t] = "0123456789-?"[tokens[(t + 1) * B + b]];
            memcpy(all[b].alpha[t], weights + (t * B + b) * DATE_SOURCE, sizeof all[b].alpha[t]);
        }
    }
    arena_free(tape->arena);
    return all;
}

// Rows are what is written, columns what is read.
static void draw_alignment(Picture *picture, int left, int top, const Translation *date)
{
    enum { CELL = 16, SCALE = 2 };
    const int length = (int)strlen(date->source);
    for (int s = 0; s < length; s++)
        picture_text(picture, left + s * CELL + 2, top - 20, (char[]){date->source[s], '\0'},
                     SCALE);
    for (int t = 0; t < DATE_TARGET; t++) {
        picture_text(picture, left - 16, top + t * CELL, (char[]){date->got[t], '\0'}, SCALE);
        for (int s = 0; s < length; s++) {
            const float shade = sqrtf(date->alpha[t][s]);
            const float blue[] = {1 - shade, 1 - 0.8f * shade, 1 - 0.4f * shade};
            picture_tile(picture, left + s * CELL, top + t * CELL, blue, 1, 1, 3, CELL - 1);
        }
    }
}

static void show_alignments(const Lab *lab, const Translation *dates, int count)
{
    enum { HEIGHT = 200, LEFT = 30, TOP = 40 };
    // The longest, and the first three.
    int chosen[DRAWN] = {0, 0, 1, 2}, width[2] = {0};
    for (int i = 1; i < count; i++)
        if (strlen(dates[i].source) > strlen(dates[chosen[0]].source)) chosen[0] = i;
    for (int k = 0; k < DRAWN; k++) {
        const int length = (int)strlen(dates[chosen[k]].source);
        if (length > width[k % 2]) width[k % 2] = length;
    }
    Picture *picture =
        picture_new(lab->step, 3 * LEFT + 16 * (width[0] + width[1]), DRAWN / 2 * HEIGHT + 20);
    for (int k = 0; k < DRAWN; k++)
        draw_alignment(picture, LEFT + k % 2 * (LEFT + 16 * width[0]), TOP + k / 2 * HEIGHT,
                       &dates[chosen[k]]);
    run_picture(lab->run, picture, "Alignment: what is read (columns) for what is written (rows)",
                "alignment");
}

bool part_dates(void *context, Error *err)
{
    enum { EXAMPLES = 8 };
    Lab *lab = context;
    Training *training = &lab->translator.training;
    if (!training_run(&lab->session, training, err)) return false;
    const Translation *dates = translate(lab, TESTED);
    int right = 0;
    for (int i = 0; i < TESTED; i++) right += strcmp(dates[i].want, dates[i].got) == 0;
    Table table = table_new(lab->step, "read|written|right");
    for (int i = 0; i < EXAMPLES; i++)
        table_row(&table, "%s|%s|%s", dates[i].source, dates[i].got,
                  strcmp(dates[i].want, dates[i].got) == 0 ? "yes" : dates[i].want);
    run_table(lab->run, &table);
    run_print(lab->run, "%d of %d dates of the test set translated without an error: %.1f %%.",
              right, TESTED, 100.0 * right / TESTED);
    metrics_write(lab->run->metrics, training->first + training->steps,
                  METRICS({"date_accuracy", (double)right / TESTED}));
    training_plot(lab->run,
                  &(Plot){.title = "Dates: cross-entropy",
                          .x_label = "step",
                          .y_label = "nats per symbol",
                          .log_y = true},
                  "dates", (Training *[]){training}, 1, 0);
    show_alignments(lab, dates, TESTED);
    return true;
}
