/* model.h -- a character model: embedding, recurrent layers with dropout between them, logits.
 *
 *     Model model = model_new(params, (ModelShape){.kind = CELL_LSTM, .layers = 1, .hidden = 128, ...}, &rng);
 *     Tensor *z = model_logits(tape, &model, tokens, NULL, &rng);    // [T,B] -> [T,B,V]
 */
#pragma once
#include "common/layers.h"
#include "labs/2_core/rnn/recurrent.h"

enum { LAYERS_MAX = 8 };

typedef struct ModelShape {
    CellKind kind;
    int vocabulary, width, layers, hidden;    // width: of the embedding
    float dropout;
    bool fast;    // as in recurrent.h
} ModelShape;

typedef struct Model {
    ModelShape shape;
    Tensor *embedding;    // [V,width]
    Recurrent layers[LAYERS_MAX];
    Linear out;
} Model;

// Parameters NAME.embedding.weight, NAME.rnn.0.weight_ih ... and NAME.out.weight.
Model model_new(Params *params, const char *name, ModelShape shape, Rng *rng);

// states: one for each layer, or NULL. rng: for dropout.
Tensor *model_logits(Tape *tape, const Model *model, Tensor *tokens, RecurrentState *states,
                     Rng *rng);

// Draws the tokens after `first`, at most `count`, until `stop` is drawn (-1: none is) or a logit is NaN. Returns how
// many stand in ids, without `stop`.
int model_sample(const Model *model, int32_t *ids, int count, int32_t first, int32_t stop,
                 float temperature, Rng *rng);
