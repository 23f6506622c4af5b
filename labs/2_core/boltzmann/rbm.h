/* rbm.h -- a restricted Boltzmann machine that the shared training loop trains, and its data.
 *
 *     RbmModel model = rbm_new(params, "cd", &source, 500, &rng);
 *     Training training = {.model = &model, .loss = rbm_loss, .train = rbm_batches(&source), ...};
 *
 * Arithmetic is the exercises'; numbers live where the device keeps them (host.h).
 */
#pragma once
#include "common/host.h"
#include "common/params.h"
#include "common/tape.h"
#include "datasets/images.h"
#include "labs/2_core/boltzmann/boltzmann.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, LAYERS_MAX = 2 };

typedef struct RbmModel {
    int visible, hidden;
    Tensor *w, *b, *c;    // [H,V], [V], [H]
    int k;                // of CD-k and PCD-k
    Tensor *chains;       // PCD's, [P,V]; NULL: CD
} RbmModel;

// Images, their gray levels as probabilities or 0 and 1 (a pixel above half is 1); or the features that
// layers of RBMs make of them.
typedef struct Source {
    const Images *images;
    bool binary;
    const RbmModel *layers[LAYERS_MAX];
    int depth;    // 0: the pixels
} Source;

int source_width(const Source *source);    // numbers of a row
Batches source_batches(const Source *source);
Tensor *source_rows(Arena *arena, const Source *source, const int *index, int count);
Tensor *source_first(Arena *arena, const Source *source, int count);    // the first rows

// NAME.weight ~ N(0, 0.01^2), NAME.hidden_bias 0, NAME.visible_bias log(p / (1 - p)) of the share p of the
// rows in which the unit is 1: Hinton 2010, section 8.
RbmModel rbm_new(Params *params, const char *name, const Source *source, int hidden, Rng *rng);
// For PCD: as many chains, which begin at noise and stand in the checkpoint, as NAME.chains.
void rbm_chains(Params *params, const char *name, RbmModel *model, int count, Rng *rng);

// The squared reconstruction error of a row. What its backward gives the optimizer is the negative
// gradient of CD or PCD, which is the gradient of no loss.
Tensor *rbm_loss(Tape *tape, const void *model, const Batch *batch);

Rbm rbm_on_host(Host *host, const RbmModel *model);
Draw rbm_draw(Rng *rng);    // a new one at each call
