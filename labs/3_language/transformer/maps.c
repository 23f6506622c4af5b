#include "labs/3_language/transformer/experiment.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "common/attention.h"
#include "common/font.h"

enum { SHOWN = 48, CELL = 8, GAP = 14, MARGIN = 8 };    // tokens of the sentence; pixels

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

bool part_attention(void *argument, Error *err)
{
    Experiment *lab = argument;
    const Text *text = &lab->text;
    const int layers = lab->model.config.layers;
    const char *sentence = lab->prompt;
    TokenIds ids = {0};
    if (text->validated) {
        const Tokens *tokens = &text->validate_all.tokens;
        size_t first = token_window_first(&text->validate_all, 0);
        ids.count = (size_t)text->context < SHOWN ? (size_t)text->context : SHOWN;
        ids.ids = malloc(sizeof *ids.ids * ids.count);
        memcpy(ids.ids, tokens->ids + first, sizeof *ids.ids * ids.count);
    } else if (!tokenizer_encode(text->tokenizer, sentence, strlen(sentence), (EncodeOptions){0},
                                 &ids, err)) {
        return false;
    }
    int count = ids.count < SHOWN ? (int)ids.count : SHOWN;
    if (count > lab->model.config.context) count = lab->model.config.context;
    Arena *work = arena_new("forward", (size_t)8 << 30);
    Tape *tape = tape_new(work);
    model_logits(tape, &lab->model, tensor_from_ints(work, SHAPE(1, count), ids.ids));
    float **maps = arena_zeros(lab->scratch, sizeof *maps * (size_t)layers);
    int found = find_maps(lab, tape, maps, layers);
    if (found == layers) {
        size_t bytes;
        char *shown =
            tokenizer_decode(text->tokenizer, ids.ids, (size_t)count, (DecodeOptions){0}, &bytes);
        run_print(lab->run, "Attention of every head over: %s", sample_shown(lab->scratch, shown));
        free(shown);
        describe(lab, count, maps);
        run_picture(lab->run, draw_maps(lab, ids.ids, count, maps),
                    "Attention maps: dark is much; a row looks at columns", "attention");
    }
    free(ids.ids);
    arena_free(work);
    return true;
}
