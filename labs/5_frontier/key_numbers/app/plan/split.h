/* split.h -- one model on tp x pp x ep GPUs: which layers each stage has, what each GPU holds of them.
 *
 *     SplitBasis basis;
 *     split_basis(arena, model, format_find("fp8", NULL), &weights, &basis);    // once for a format
 *     Split split = {.tp = 8, .pp = 2, .ep = 1};
 *     if (!split_check(model, split, &err)) ...
 *     const StageWeights *stages = split_weights(arena, &basis, split, NULL);    // [pp], of one GPU each
 *
 * tp, tensor parallel: q, k, v, gate, up and a latent's up-projections are cut by rows, o and down by
 *     columns, embedding and head by vocabulary, each rounded up to whole rows or columns. Key/value
 *     heads are copied when there are fewer than GPUs. Norms, biases, routers, a latent's
 *     down-projections, an indexer, positions and a vision tower are whole on each (for biases that is
 *     a little too much: 26 MB of GPT-3's 350 GB).
 * pp, pipeline stages: each has a run of layers, as even as can be; what is left over goes to the last
 *     but one and those before it (vLLM, distributed/utils.py). The first has embeddings, positions
 *     and vision, the last the final norm and the head; a tied head is there a second time.
 * ep, expert parallel: ep groups of tp GPUs each answer requests of their own (attention is data-
 *     parallel), and the routed experts, whole ones, are divided over all tp x ep (as vLLM with
 *     --data-parallel-size ep --enable-expert-parallel, and DeepSeek). With ep = 1 each expert's
 *     matrices are cut by tp like a dense MLP's.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/formats/format.h"

typedef struct Split {
    uint64_t tp, pp, ep;
} Split;

uint64_t split_gpus(Split split);    // tp x pp x ep

// Bytes on one GPU. `idle` and `encoder` are what decoding does not read.
typedef struct StageWeights {
    int from, to;    // layers from..to-1 of the model
    uint64_t all;
    uint64_t experts;    // of `all`: routed experts
    uint64_t idle;       // of `all`: rows that are looked up, a vision tower, a pooler
    uint64_t encoder;    // of `all`: layers that keep no cache
} StageWeights;

// One or more layers whose weights are stored alike.
typedef struct LayerWeights {
    int kind;
    uint64_t *bytes;    // [weight_count]; 0 where the weight is not of this kind
} LayerWeights;

// What the splits of one model in one format share.
typedef struct SplitBasis {
    const Model *model;
    uint64_t *outside;         // [weight_count] bytes of those that stand in no layer
    LayerWeights *distinct;    // [distinct_count]
    int distinct_count;
    int *layer;    // [model->layers] which of distinct[] each layer is
} SplitBasis;

// `format` NULL: as the model stands in its files. `weights` is what format_weights() gives for the same.
void split_basis(Arena *arena, const Model *model, const FormatInfo *format,
                 const WeightBytes *weights, SplitBasis *basis);

bool split_check(const Model *model, Split split, Error *err);
// The split that is asked for. With a number of GPUs (0: none is given) the stages are as many as that
// leaves, and where nothing is split yet, as split_choose() says.
bool split_resolve(const Model *model, Split asked, uint64_t gpus, Split *split, Error *err);
// For so many GPUs in nodes of 8: tp is the largest power of two that the heads and a node allow, the
// rest are stages.
Split split_choose(const Model *model, uint64_t gpus);
void split_stage(int layers, uint64_t pp, uint64_t stage, int *from, int *to);
// What one GPU holds of `bytes` (or numbers) that a weight takes in one layer, all its copies.
uint64_t split_held(const Model *model, const Weight *weight, uint64_t bytes, Split split);
// Whether a weight that stands in no layer is on the first or last stage (both, when there is one).
bool split_has(const Model *model, const Weight *weight, bool first, bool last);
// ends [pp]: stage s has the layers before ends[s]; NULL: as even as can be.
const StageWeights *split_weights(Arena *arena, const SplitBasis *basis, Split split,
                                  const int *ends);
