#include "labs/3_language/transformer/experiment.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "common/attention.h"
#include "common/font.h"

enum { SHOWN = 72, CELL = 8, GAP = 14, MARGIN = 8 };    // tokens of the sentence; pixels

// The letter that stands for a token beside a row or a column.
static void letter(const Text *text, int id, char out[2])
{
    size_t bytes;
    const char *piece = tokenizer_piece(text->tokenizer, id, &bytes);
    while (bytes > 1 && (*piece == ' ' || (*piece & 0x80) != 0)) piece++, bytes--;
    out[0] = bytes == 0 || *piece == ' ' ? '_' : *piece < 33 ? '/' : *piece;
    out[1] = '\0';
}

// All maps of the model: a row of heads for each layer; in a map a row for each token that looks.
static Picture *draw_maps(const Experiment *lab, const int32_t *ids, int count, float *const maps[])
{
    const ModelConfig *c = &lab->model.config;
    int side = count * CELL + FONT_ADVANCE + 4, step = side + GAP;
    Picture *picture =
        picture_new(lab->scratch, c->heads * step + MARGIN, c->layers * (step + CELL) + MARGIN);
    float *shade = arena_alloc(lab->scratch, sizeof *shade * (size_t)(count * count));
    for (int layer = 0; layer < c->layers; layer++)
        for (int head = 0; head < c->heads; head++) {
            int left = MARGIN + head * step, top = MARGIN + layer * (step + CELL);
            picture_text(picture, left, top,
                         arena_print(lab->scratch, "layer %d, head %d", layer, head), 1);
            left += FONT_ADVANCE + 4, top += 2 * CELL;
            const float *map = maps[layer] + (size_t)head * (size_t)(count * count);
            for (int i = 0; i < count * count; i++)
                shade[i] = i % count > i / count ? 0.93f : 1 - sqrtf(map[i]);
            picture_tile(picture, left, top, shade, count, count, 1, CELL);
            for (int i = 0; i < count; i++) {
                char name[2];
                letter(&lab->text, ids[i], name);
                picture_text(picture, left - FONT_ADVANCE - 2, top + i * CELL, name, 1);
                picture_text(picture, left + i * CELL + 1, top + count * CELL + 2, name, 1);
            }
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

// The first window of the validation set with a short line whose first word comes again, a name as a
// rule; else the first window.
static size_t find_sentence(const Text *text, int *count)
{
    const TokenWindows *windows = &text->validate_all;
    for (int w = 0; w < windows->count; w++) {
        size_t first = text_place(text, windows, w);
        const char *line = text->bytes + text->offsets[first];
        size_t length = text_line(text, text->offsets[first]);
        const char *blank = memchr(line, ' ', length);
        size_t word = blank != NULL ? (size_t)(blank - line) : length;
        int tokens = 0;
        while (text->offsets[first + (size_t)tokens] < text->offsets[first] + length) tokens++;
        if (word < 3 || tokens > *count) continue;
        const char *again = memmem(line + word, length - word, line, word);
        if (again == NULL) continue;
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
    int count = text->context < SHOWN ? text->context : SHOWN;
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
        run_picture(lab->run, draw_maps(lab, ids, count, maps),
                    "Attention maps: dark is much; a row looks at columns", "attention");
    }
    free(prompt.ids);
    arena_free(work);
    return true;
}
