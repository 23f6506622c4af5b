#include "labs/3_language/transformer/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "common/file.h"
#include "common/text.h"

enum { LOOKED_AT = 100 };    // windows of the validation set at each point of the curves

static size_t characters(const char *bytes, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) count += (bytes[i] & 0xc0) != 0x80;
    return count;
}

size_t text_line(const Text *text, size_t at)
{
    const char *line = text->bytes + at, *end = memchr(line, '\n', text->length - at);
    return end != NULL ? (size_t)(end - line) : text->length - at;
}

const char *text_beginning(const Text *text, Arena *arena)
{
    enum { MOST = 40 };
    const char *at = text->bytes, *end = at + text->length;
    while (at < end && (*at == '\n' || *at == '\r' || *at == '\0')) at++;
    size_t line = text_line(text, (size_t)(at - text->bytes)), bytes = 0;
    while (bytes < line && bytes < MOST) {
        size_t character = text_utf8_length(at + bytes, line - bytes);
        bytes += character > 0 ? character : 1;
    }
    return arena_print(arena, "%.*s", (int)bytes, at);
}

// ---- bytes ----

// The mapping lives as long as the process.
static bool read_file(Text *text, const char *path, Error *err)
{
    FileView view;
    if (!file_map(&view, path, err)) return false;
    text->origin = path;
    text->bytes = view.bytes;
    text->length = view.size;
    return true;
}

// ---- tokens ----

size_t text_place(const Text *text, const TokenWindows *windows, int index)
{
    return (size_t)(windows->tokens.ids - text->ids.ids) + token_window_first(windows, index);
}

static Tokenizer *open_tokenizer(const Text *text, const char *name, Error *err)
{
    if (strcmp(name, "chars") == 0) {
        Error why;
        Tokenizer *t = tokenizer_characters(text->bytes, text->length, &why);
        if (t == NULL)
            error_set(err, "%s: %s; --tokenizer bytes takes any file", text->origin, why.message);
        return t;
    }
    if (strcmp(name, "bytes") == 0) return tokenizer_bytes();
    if (strncmp(name, "bpe:", 4) != 0) {
        Tokenizer *t = tokenizer_open(name, err);
        if (t == NULL) error_wrap(err, "--tokenizer");
        return t;
    }
    char *end;
    long size = strtol(name + 4, &end, 10);
    static const char *const special[] = {"<|endoftext|>"};
    if (*end == '\0' && size > 256 && size <= 1 << 20)
        return tokenizer_train(
            text->bytes, text->length,
            (TokenizerTraining){.vocabulary = (int)size, .special = special, .special_count = 1},
            err);
    error_set(err, "--tokenizer %s: expected chars, bytes, a file, or bpe:SIZE from bpe:257", name);
    return NULL;
}

static void find_offsets(Text *text, Arena *keep)
{
    text->offsets = arena_alloc(keep, sizeof *text->offsets * (text->ids.count + 1));
    size_t at = 0;
    for (size_t i = 0; i < text->ids.count; i++) {
        size_t bytes;
        tokenizer_piece(text->tokenizer, text->ids.ids[i], &bytes);
        text->offsets[i] = at;
        at += bytes;
    }
    text->offsets[text->ids.count] = at;
}

// The tokens that begin a line.
static const size_t *find_starts(const Text *text, Arena *keep, size_t *count)
{
    size_t *starts = arena_alloc(keep, sizeof *starts * (text->ids.count + 1));
    *count = 0;
    for (size_t i = 0; i < text->ids.count; i++)
        if (i == 0 || text->bytes[text->offsets[i] - 1] == '\n') starts[(*count)++] = i;
    return starts;
}

static bool make_windows(Text *text, Arena *keep, Error *err)
{
    Tokens all = {.ids = text->ids.ids, .count = text->ids.count}, train, validation;
    if (text->grammar != NULL) all.starts = find_starts(text, keep, &all.start_count);
    tokens_split(&all, text->validation, &train, &validation);
    const char *where = arena_print(keep, "%s, validation set", text->origin);
    Error none;
    text->validated = text->validation > 0 &&
                      token_windows(&text->validate, validation, text->context,
                                    all.starts != NULL ? 1 : (size_t)text->context, where, &none);
    if (text->validation > 0 && !text->validated && text->share_given)
        return error_set(err, "%s", none.message);
    if (!text->validated) train = all;
    if (!token_windows(&text->train, train, text->context, 1, text->origin, err)) return false;
    if (!text->validated) return true;
    text->validate_all = text->validate;
    token_windows_limit(&text->validate, LOOKED_AT);
    size_t from = text_place(text, &text->validate_all, 0), byte = text->offsets[from];
    text->tokens_per_character = (double)(text->ids.count - from) /
                                 (double)characters(text->bytes + byte, text->length - byte);
    return true;
}

bool text_load(Text *text, Arena *keep, const char *path, uint64_t seed, const char *tokenizer,
               Error *err)
{
    if (path == NULL) {
        text->origin = "tiny stories by a stochastic grammar";
        text->grammar = grammar_new(keep, grammar_stories);
        text->bytes = grammar_text(keep, text->grammar, seed, 0, text->stories, &text->length);
    } else if (!read_file(text, path, err)) {
        return false;
    }
    if (text->length == 0) return error_set(err, "%s: is empty", text->origin);
    if (text->tokenizer == NULL) text->tokenizer = open_tokenizer(text, tokenizer, err);
    if (text->tokenizer == NULL) return false;
    if (!tokenizer_encode(text->tokenizer, text->bytes, text->length, (EncodeOptions){0},
                          &text->ids, err))
        return error_wrap(err, "%s", text->origin);
    find_offsets(text, keep);
    if (!make_windows(text, keep, err)) return false;
    text->floor = NAN;
    if (text->grammar != NULL && text->validated)
        text->floor =
            grammar_rates(text->grammar).bits_per_character * log(2) / text->tokens_per_character;
    return true;
}

void text_free(Text *text)
{
    tokenizer_close(text->tokenizer);
    free(text->ids.ids);
}

unsigned long text_crc32(const Text *text)
{
    return crc32_z(0, (const unsigned char *)text->ids.ids,
                   sizeof *text->ids.ids * text->ids.count);
}

// ---- what it costs ----

double text_true_loss(const Text *text, const TokenWindows *windows)
{
    Arena *arena = arena_new("reader", (size_t)64 << 20);
    GrammarReader *reader = grammar_reader_new(arena, text->grammar);
    double nats = 0;
    for (int w = 0; w < windows->count; w++) {
        size_t first = text_place(text, windows, w);
        size_t second = text->offsets[first + 1];
        size_t end = text->offsets[first + (size_t)windows->length + 1];
        grammar_reader_restart(reader);
        for (size_t i = text->offsets[first]; i < end; i++) {
            double p = grammar_read(reader, text->bytes[i]);
            if (i >= second) nats -= log(p);
        }
    }
    arena_free(arena);
    return nats / ((double)windows->count * windows->length);
}

double text_ngram_loss(const Text *text, int order)
{
    REQUIRE(order == 0 || order == 1, "an order of %d", order);
    size_t v = (size_t)tokenizer_size(text->tokenizer);
    size_t rows = order == 1 ? v : 1;
    double *counts = calloc(rows * v, sizeof *counts), *sums = calloc(rows, sizeof *sums);
    REQUIRE(counts != NULL && sums != NULL, "no memory for %zu counts", rows * v);
    const Tokens *train = &text->train.tokens, *validation = &text->validate_all.tokens;
    for (size_t i = 1; i < train->count; i++) {
        size_t row = order == 1 ? (size_t)train->ids[i - 1] : 0;
        counts[row * v + (size_t)train->ids[i]]++;
        sums[row]++;
    }
    double nats = 0;
    size_t from = token_window_first(&text->validate_all, 0);
    for (size_t i = from + 1; i < validation->count; i++) {
        size_t row = order == 1 ? (size_t)validation->ids[i - 1] : 0;
        nats -= log((counts[row * v + (size_t)validation->ids[i]] + 1) / (sums[row] + (double)v));
    }
    free(counts);
    free(sums);
    return nats / (double)(validation->count - from - 1);
}
