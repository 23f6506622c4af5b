#include "labs/3_language/transformer/experiment.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "common/attention.h"
#include "common/font.h"

enum {
    TOKENS = 40,
    MAPS = 4,
    CELL = 16,
    LABEL = 8,
    MARGIN = 24,
    SCALE = 2
};    // CELL, MARGIN: pixels

typedef struct Map {
    int layer, head;
    const float *p;    // [count,count], a row for each query
    float sharpness;
} Map;

// A token as it stands beside its row and under its column: a blank is '_', a control character '/',
// what is not ASCII '?'.
static char *label_of(const Text *text, int id, Arena *arena)
{
    size_t bytes;
    const char *piece = tokenizer_piece(text->tokenizer, id, &bytes);
    char *label = arena_zeros(arena, LABEL + 1);
    for (size_t i = 0, n = 0; i < bytes && n < LABEL; i++) {
        const uint8_t byte = (uint8_t)piece[i];
        if (byte < 0x80) label[n++] = byte == ' ' ? '_' : byte < ' ' ? '/' : piece[i];
        else if (byte >= 0xc0) label[n++] = '?';
    }
    return label;
}

// The mean over the queries of the largest p.
static float sharpness(const float *p, int count)
{
    float sum = 0;
    for (int i = 0; i < count; i++) {
        float most = 0;
        for (int j = 0; j <= i; j++) most = fmaxf(most, p[i * count + j]);
        sum += most;
    }
    return sum / (float)count;
}

// The sharpest heads, in the order of the model.
static int choose_maps(const Experiment *lab, int count, float *const maps[], Map chosen[MAPS])
{
    const int heads = lab->model.config.heads, all = lab->model.config.layers * heads;
    Map *map = arena_alloc(lab->scratch, sizeof *map * (size_t)all);
    for (int m = 0; m < all; m++) {
        const float *p = maps[m / heads] + (size_t)(m % heads) * (size_t)(count * count);
        map[m] = (Map){m / heads, m % heads, p, sharpness(p, count)};
    }
    int shown = 0;
    for (int m = 0; m < all && shown < MAPS; m++) {
        int sharper = 0;
        for (int other = 0; other < all; other++)
            sharper += map[other].sharpness > map[m].sharpness;
        if (sharper < MAPS) chosen[shown++] = map[m];
    }
    return shown;
}

static void draw_map(Picture *picture, int left, int top, const Map *map, char *const labels[],
                     int count)
{
    const float masked[] = {0.93f, 0.93f, 0.93f};
    for (int i = 0; i < count; i++) {
        const int width = picture_text_width(labels[i], SCALE);
        picture_text(picture, left - width - 4, top + i * CELL, labels[i], SCALE);
        for (int j = 0; j < count; j++) {
            const float shade = sqrtf(map->p[i * count + j]);
            const float blue[] = {1 - shade, 1 - 0.8f * shade, 1 - 0.4f * shade};
            picture_tile(picture, left + j * CELL, top + i * CELL, j > i ? masked : blue, 1, 1, 3,
                         CELL - 1);
        }
        for (int n = 0; labels[i][n] != '\0'; n++)
            picture_text(picture, left + i * CELL + 2,
                         top + count * CELL + 2 + n * FONT_HEIGHT * SCALE,
                         (char[]){labels[i][n], '\0'}, SCALE);
    }
}

// Two maps side by side. Rows are queries, columns keys.
static Picture *draw_maps(const Experiment *lab, const int32_t *ids, int count, float *const maps[])
{
    Map chosen[MAPS];
    const int shown = choose_maps(lab, count, maps, chosen), across = shown < 2 ? shown : 2;
    char **labels = arena_alloc(lab->scratch, sizeof *labels * (size_t)count);
    int longest = 1;
    for (int i = 0; i < count; i++) {
        labels[i] = label_of(&lab->text, ids[i], lab->scratch);
        longest = (int)strlen(labels[i]) > longest ? (int)strlen(labels[i]) : longest;
    }
    const int title = 12 * SCALE, beside = longest * FONT_ADVANCE * SCALE + 4;
    const int width = beside + count * CELL + MARGIN;
    const int height = title + count * CELL + longest * FONT_HEIGHT * SCALE + MARGIN;
    Picture *picture =
        picture_new(lab->scratch, across * width + MARGIN, (shown + 1) / 2 * height + MARGIN);
    for (int m = 0; m < shown; m++) {
        const int left = MARGIN + m % 2 * width + beside, top = MARGIN + m / 2 * height;
        picture_text(
            picture, left, top,
            arena_print(lab->scratch, "layer %d, head %d", chosen[m].layer, chosen[m].head), SCALE);
        draw_map(picture, left, top + title, &chosen[m], labels, count);
    }
    return picture;
}

// What a head does, in three numbers.
static void describe(const Experiment *lab, int count, float *const maps[])
{
    const ModelConfig *c = &lab->model.config;
    Table table = table_new(lab->scratch, "layer|head|to the token itself [%]|to the one before "
                                          "[%]|mean distance [tokens]");
    for (int layer = 0; layer < c->layers; layer++)
        for (int head = 0; head < c->heads; head++) {
            const float *map = maps[layer] + (size_t)head * (size_t)(count * count);
            double self = 0, before = 0, distance = 0;
            for (int i = 1; i < count; i++)
                for (int j = 0; j <= i; j++) {
                    double p = (double)map[i * count + j] / (count - 1);
                    self += j == i ? p : 0;
                    before += j == i - 1 ? p : 0;
                    distance += p * (i - j);
                }
            table_row(&table, "%d|%d|%.0f|%.0f|%.1f", layer, head, 100 * self, 100 * before,
                      distance);
        }
    run_table(lab->run, &table);
}

// The forward pass leaves q, k and v of each layer on the tape.
static int find_maps(const Experiment *lab, const Tape *tape, float *maps[], int layers)
{
    const ModelConfig *c = &lab->model.config;
    int found = 0;
    for (const TapeNode *node = tape->last; node != NULL; node = node->before)
        if (strcmp(node->op, "op_attention") == 0 && found < layers)
            maps[layers - ++found] =
                attention_weights(lab->scratch, node->in[0], 0, c->heads, c->kv_heads);
    return found;
}

// The bytes from `line` to the end of the second of two equal words, of four letters or more; 0 where
// there are none.
static size_t word_again(const char *line, size_t length)
{
    for (size_t at = 0, word; at < length; at += word + 1) {
        for (word = 0; at + word < length && isalpha((unsigned char)line[at + word]);) word++;
        if (word < 4) continue;
        const char *rest = line + at + word;
        const char *again = memmem(rest, (size_t)(line + length - rest), line + at, word);
        if (again != NULL) return (size_t)(again - line) + word;
    }
    return 0;
}

// The first window of the validation set in which a word comes again soon, up to its end; else the
// first window.
static size_t find_sentence(const Text *text, int *count)
{
    const TokenWindows *windows = &text->validate_all;
    for (int w = 0; w < windows->count; w++) {
        const size_t first = text_place(text, windows, w), *offsets = text->offsets + first;
        const size_t length = text_line(text, offsets[0]), shown = offsets[*count] - offsets[0];
        const size_t bytes = word_again(text->bytes + offsets[0], length < shown ? length : shown);
        if (bytes == 0) continue;
        int tokens = 0;
        while (offsets[tokens] < offsets[0] + bytes) tokens++;
        *count = tokens;
        return first;
    }
    return text_place(text, windows, 0);
}

bool part_attention(void *argument, Error *err)
{
    Experiment *lab = argument;
    const Text *text = &lab->text;
    const int layers = lab->model.config.layers;
    TokenIds prompt = {0};
    const int32_t *ids;
    int count = text->context < TOKENS ? text->context : TOKENS;
    if (text->validated) {
        ids = text->ids.ids + find_sentence(text, &count);
    } else {
        if (!tokenizer_encode(text->tokenizer, lab->prompt, strlen(lab->prompt),
                              (EncodeOptions){.add_special = true}, &prompt, err))
            return false;
        ids = prompt.ids;
        if ((size_t)count > prompt.count) count = (int)prompt.count;
    }
    Arena *work = arena_new("forward", (size_t)8 << 30);
    Tape *tape = tape_new(work);
    model_logits(tape, &lab->model, tensor_from_ints(work, SHAPE(1, count), ids));
    float **maps = arena_zeros(lab->scratch, sizeof *maps * (size_t)layers);
    int found = find_maps(lab, tape, maps, layers);
    if (found == layers) {
        size_t bytes;
        char *shown =
            tokenizer_decode(text->tokenizer, ids, (size_t)count, (DecodeOptions){0}, &bytes);
        run_print(lab->run, "Attention of every head over: %s", sample_shown(lab->scratch, shown));
        free(shown);
        describe(lab, count, maps);
        run_picture(
            lab->run, draw_maps(lab, ids, count, maps),
            "Attention maps of the sharpest heads: rows are queries, columns keys, dark is much",
            "attention");
    }
    free(prompt.ids);
    arena_free(work);
    return true;
}
