#include "labs/2_core/rnn/text.h"
#include <math.h>
#include <string.h>
#include "common/file.h"

enum { LOOKED_AT = 100 };    // windows of the validation set at each point of the curves

static bool read_bytes(Text *text, Arena *keep, const char *path, uint64_t seed, Error *err)
{
    if (path == NULL) {
        text->origin = "tiny stories by a stochastic grammar";
        text->grammar = grammar_new(keep, grammar_stories);
        text->bytes = grammar_text(keep, text->grammar, seed, 0, text->stories, &text->length);
        return true;
    }
    FileView view;    // lives as long as the process
    if (!file_map(&view, path, err)) return false;
    text->origin = path;
    text->bytes = view.bytes;
    text->length = view.size;
    return text->length > 0 || error_set(err, "%s: is empty", path);
}

static void number_bytes(Text *text, Arena *keep)
{
    bool seen[256] = {false};
    for (size_t i = 0; i < text->length; i++) seen[(uint8_t)text->bytes[i]] = true;
    text->vocabulary = 0;
    for (int byte = 0; byte < 256; byte++) {
        text->id_of[byte] = seen[byte] ? text->vocabulary : -1;
        if (seen[byte]) text->symbols[text->vocabulary++] = (char)byte;
    }
    text->ids = arena_alloc(keep, text->length * sizeof *text->ids);
    for (size_t i = 0; i < text->length; i++) text->ids[i] = text->id_of[(uint8_t)text->bytes[i]];
}

bool text_load(Text *text, Arena *keep, const char *path, uint64_t seed, Error *err)
{
    if (!read_bytes(text, keep, path, seed, err)) return false;
    number_bytes(text, keep);
    Tokens all = {.ids = text->ids, .count = text->length}, train, validation;
    if (text->grammar != NULL) {
        size_t *starts = arena_alloc(keep, text->length * sizeof *starts);
        for (size_t i = 0; i < text->length; i++)
            if (i == 0 || text->bytes[i - 1] == '\n') starts[all.start_count++] = i;
        all.starts = starts;
    }
    tokens_split(&all, 0.1f, &train, &validation);
    size_t stride = text->grammar != NULL ? 1 : (size_t)text->context;
    if (!token_windows(&text->train, train, text->context, 1,
                       arena_print(keep, "%s, training set", text->origin), err) ||
        !token_windows(&text->all, validation, text->context, stride,
                       arena_print(keep, "%s, validation set", text->origin), err))
        return false;
    text->validate = text->all;
    token_windows_limit(&text->validate, LOOKED_AT);
    return true;
}

static void make_batch(Batch *batch, const void *data, const int *index)
{
    const TokenWindows *windows = data;
    const size_t rows = (size_t)batch->rows;
    int32_t *ids = arena_alloc(batch->arena, rows * ((size_t)windows->length + 1) * sizeof *ids);
    for (size_t b = 0; b < rows; b++) {
        const int32_t *from = windows->tokens.ids + token_window_first(windows, index[b]);
        for (size_t t = 0; t <= (size_t)windows->length; t++) ids[t * rows + b] = from[t];
    }
    batch->x = tensor_from_ints(batch->arena, SHAPE(windows->length + 1, batch->rows), ids);
}

Batches text_batches(const TokenWindows *windows)
{
    return (Batches){.count = windows->count, .make = make_batch, .data = windows};
}

// ---- what it costs ----

// Where in the text a window begins.
static size_t window_at(const Text *text, const TokenWindows *windows, int index)
{
    return (size_t)(windows->tokens.ids - text->ids) + token_window_first(windows, index);
}

double text_true_loss(const Text *text, const TokenWindows *windows)
{
    Arena *arena = arena_new("reader", (size_t)64 << 20);
    GrammarReader *reader = grammar_reader_new(arena, text->grammar);
    double nats = 0;
    for (int w = 0; w < windows->count; w++) {
        const char *at = text->bytes + window_at(text, windows, w);
        grammar_reader_restart(reader);
        for (int t = 0; t <= windows->length; t++) {
            double p = grammar_read(reader, at[t]);
            if (t > 0) nats -= log(p);
        }
    }
    arena_free(arena);
    return nats / ((double)windows->count * windows->length);
}

double text_ngram_loss(const Text *text, int order, const TokenWindows *windows)
{
    static double count[256][256], sum[256];
    memset(count, 0, sizeof count);
    memset(sum, 0, sizeof sum);
    const Tokens *train = &text->train.tokens;
    for (size_t i = 1; i < train->count; i++) {
        const int before = order == 1 ? train->ids[i - 1] : 0;
        count[before][train->ids[i]]++;
        sum[before]++;
    }
    double nats = 0;
    for (int w = 0; w < windows->count; w++) {
        const int32_t *at = windows->tokens.ids + token_window_first(windows, w);
        for (int t = 1; t <= windows->length; t++) {
            const int before = order == 1 ? at[t - 1] : 0;
            nats -= log((count[before][at[t]] + 1) / (sum[before] + text->vocabulary));
        }
    }
    return nats / ((double)windows->count * windows->length);
}
