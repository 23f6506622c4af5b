/* names.c -- part: names of several languages by one model, whose first input is the language. */
#include "labs/2_core/rnn/names.h"
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include "common/text.h"
#include "labs/2_core/rnn/lab.h"

enum { WIDTH = 32, HIDDEN = 128, BATCH = 64, DRAWN = 5, JUDGED = 500 };

static Tensor *loss(Tape *tape, const void *model, const Batch *batch)
{
    const int T = batch->x->shape.size[0] / 2;
    Tensor *read = tensor_rows(tape->arena, batch->x, 0, T),
           *tokens = tensor_rows(tape->arena, batch->x, T, T + 1);
    return op_sequence_loss(tape, model_logits(tape, model, read, NULL, batch->rng), tokens);
}

// The dictionary in the data folder; NULL for the grammar.
static const char *dictionary(const Run *run)
{
    struct stat info;
    if (run->data == NULL) return NULL;
    const char *file = arena_print(run->keep, "%s/nam_dict.txt", run->data);
    return stat(file, &info) == 0 ? file : NULL;
}

bool names_plan(Lab *lab, Error *err)
{
    Names *names = &lab->names;
    if (!names_load(names, lab->keep, dictionary(lab->run), lab->run->seed, err)) return false;
    const int trained = names->count - names->held_out;
    lab->name_samples[0] = (NameSamples){names, 0, -1};
    lab->name_samples[1] = (NameSamples){names, trained, -1};
    Rng rng = rng_stream(lab->run->seed, 35);
    Params *params = params_new(lab->keep);
    lab->namer = model_new(params, "names.",
                           (ModelShape){.kind = CELL_LSTM,
                                        .vocabulary = names->vocabulary,
                                        .width = WIDTH,
                                        .layers = 1,
                                        .hidden = HIDDEN,
                                        .fast = strcmp(lab->ops, "kernels") == 0},
                           &rng);
    lab->naming = (Training){
        .name = "names",
        .model = &lab->namer,
        .params = params,
        .loss = loss,
        .optimizer = {.kind = OPTIMIZER_ADAM,
                      .clip_norm = 1,
                      .schedule = {.shape = SCHEDULE_COSINE, .peak = 5e-3f, .floor = 5e-4f}},
        .train = names_batches(&lab->name_samples[0], trained),
        .test = names_batches(&lab->name_samples[1], names->held_out),
        .held_out = "validation",
        .batch = BATCH,
        .test_batch = BATCH,
        .steps = lab->name_steps,
        .point_every = lab->name_steps >= 10 ? lab->name_steps / 10 : 1};
    training_plan(&lab->session, &lab->naming);
    return true;
}

// Nats of each of the first held-out names and its end, if it were of this language: [count].
static void judge(const Lab *lab, int language, int count, double *nats, int *tokens)
{
    Arena *arena = arena_new("judge", (size_t)2 << 30);
    Tape *tape = tape_new(arena);
    tape_quiet(tape, true);
    const NameSamples samples = {&lab->names, lab->names.count - lab->names.held_out, language};
    int *index = arena_alloc(arena, sizeof *index * (size_t)count);
    for (int i = 0; i < count; i++) index[i] = i;
    Batch batch = {.rows = count, .arena = arena};
    make_names(&batch, &samples, index);
    Rng none = rng_from_seed(0);
    const size_t T = (size_t)lab->names.length;
    Tensor *read = tensor_rows(arena, batch.x, 0, (int)T);
    const float *z = tensor_values(arena, model_logits(tape, &lab->namer, read, NULL, &none));
    int32_t *x = arena_alloc(arena, tensor_bytes(batch.x));
    tensor_read_ints(batch.x, x);
    const size_t B = (size_t)count, V = (size_t)lab->names.vocabulary;
    *tokens = 0;
    memset(nats, 0, B * sizeof *nats);
    for (size_t t = 0; t < T; t++)
        for (size_t b = 0; b < B; b++) {
            const int32_t next = x[(T + t + 1) * B + b];
            const float *row = z + (t * B + b) * V;
            double total = 0, most = -INFINITY;
            if (next < 0) continue;
            for (size_t k = 0; k < V; k++) most = fmax(most, (double)row[k]);
            for (size_t k = 0; k < V; k++) total += exp((double)row[k] - most);
            nats[b] += most + log(total) - (double)row[next];
            ++*tokens;
        }
    arena_free(arena);
}

// Bayes: as many names of each language, so the likeliest language is the one that gives the name the largest
// probability. Returns the loss per token given the true language.
static double classify(const Lab *lab, double *accuracy)
{
    const Names *names = &lab->names;
    const int count = names->held_out < JUDGED ? names->held_out : JUDGED,
              first = names->count - names->held_out;
    double *nats = arena_alloc(lab->step, sizeof *nats * LANGUAGES * (size_t)count), own = 0;
    int tokens = 0, right = 0;
    for (int l = 0; l < names->languages; l++) judge(lab, l, count, nats + l * count, &tokens);
    for (int i = 0; i < count; i++) {
        int best = 0;
        for (int l = 1; l < names->languages; l++)
            if (nats[l * count + i] < nats[best * count + i]) best = l;
        right += best == names->of[first + i];
        own += nats[names->of[first + i] * count + i];
    }
    *accuracy = (double)right / count;
    return own / tokens;
}

static bool is_trained(const Names *names, const char *text)
{
    for (int i = 0; i < names->count - names->held_out; i++)
        if (strcmp(names->text[i], text) == 0) return true;
    return false;
}

// Names that were drawn for a language, those of the training set in brackets.
static void draw_names(const Lab *lab, Table *table, int language)
{
    const Names *names = &lab->names;
    const char *all = "";
    Rng rng = rng_stream(lab->run->seed, 70 + (uint64_t)language);
    for (int i = 0; i < DRAWN; i++) {
        int32_t ids[NAME_LONGEST];
        char text[NAME_LONGEST + 1] = "";
        const int count = model_sample(&lab->namer, ids, NAME_LONGEST, language, names->end,
                                       lab->temperature, &rng);
        for (int k = 0; k < count; k++) text[k] = names->symbols[ids[k]];    // ends at a language
        const bool known = is_trained(names, text);
        text_clean(text);
        all = arena_print(lab->step, "%s%s%s%s%s", all, i > 0 ? ", " : "", known ? "[" : "", text,
                          known ? "]" : "");
    }
    table_row(table, "%s|%s", names->language[language], all);
}

bool part_names(void *context, Error *err)
{
    Lab *lab = context;
    const Names *names = &lab->names;
    run_print(lab->run, "%d names in %d languages: %s; %d held out", names->count, names->languages,
              names->origin, names->held_out);
    if (!training_run(&lab->session, &lab->naming, err)) return false;
    double accuracy;
    const double measured = classify(lab, &accuracy);
    Table losses = table_new(lab->step, "predicted by|nats per character");
    table_row(&losses, "frequencies of pairs|%.3f", names_pair_loss(names, false));
    table_row(&losses, "frequencies of pairs, given the language|%.3f",
              names_pair_loss(names, true));
    table_row(&losses, "LSTM, given the language|%.3f", measured);
    if (names->grammar != NULL)
        table_row(&losses, "the source itself, given the language|%.3f", names_true_loss(names));
    run_table(lab->run, &losses);
    Table drawn = table_new(
        lab->step, arena_print(lab->step, "language|drawn at temperature %g; [of the training set]",
                               (double)lab->temperature));
    for (int l = 0; l < names->languages; l++) draw_names(lab, &drawn, l);
    run_table(lab->run, &drawn);
    run_print(lab->run,
              "Asked which language makes a held-out name likeliest, it names the right one for "
              "%.1f %%.",
              100 * accuracy);
    metrics_write(lab->run->metrics, lab->naming.first + lab->naming.steps,
                  METRICS({"name_accuracy", accuracy}, {"name_nats", measured}));
    training_plot(lab->run,
                  &(Plot){.title = "Names: cross-entropy",
                          .x_label = "step",
                          .y_label = "nats per character"},
                  "names", (Training *[]){&lab->naming}, 1, 0);
    return true;
}
