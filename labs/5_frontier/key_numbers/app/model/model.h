/* model.h -- what a model is: its layers, by kind, and a ledger of its weights, by shape.
 *
 *     Model *model = model_open(arena, "meta-llama/Llama-3.1-8B", &err);    // open.h
 *     uint64_t all = model_params(model);                                   // 8030261248, exact
 *     for (int i = 0; i < model->weight_count; i++) {
 *         const Weight *w = &model->weights[i];
 *         // "self_attn.q_proj.weight", attention, [4096,4096], once in each of 32 layers
 *     }
 *
 * Everything else is computed from here: bytes from the shapes (a quantiser looks at rows), the cache
 * and FLOPs from the kinds of layers. A model lives in its arena.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "common/arena.h"
#include "common/error.h"
#include "labs/5_frontier/key_numbers/key_numbers.h"

// Where a parameter is accounted for. The names are those of `parameters.components` in the JSON.
//   embed: token embeddings (an untied head is lm_head); pos: positions and token types; attn: with its
//   biases, q/k and latent norms, sinks and indexer; linear_attn: what stands in a layer in place of
//   attention or beside it and keeps a state (linear attention, Mamba, short convolutions); mlp: dense MLPs (dense_mlp in a model that has
//   experts); shared: experts that every token goes through, with their gate; norm: of the residual
//   stream; pooler: BERT's; vision, audio: tower and projector.
// clang-format off
#define COMPONENT_LIST(X) \
    X(EMBED, "embed") X(POS, "pos") X(ATTN, "attn") X(LINEAR, "linear_attn") X(MLP, "mlp") \
    X(DENSE_MLP, "dense_mlp") X(ROUTER, "router") X(EXPERTS, "experts") X(SHARED, "shared") \
    X(NORM, "norm") X(POOLER, "pooler") X(HEAD, "lm_head") X(VISION, "vision") X(AUDIO, "audio")
// clang-format on

typedef enum Component {
#define X(name, word) COMPONENT_##name,
    COMPONENT_LIST(X)
#undef X
        COMPONENT_COUNT
} Component;

extern const char *const component_names[COMPONENT_COUNT];

// What a matrix is for: quantisers, LoRA and tensor parallelism treat them differently.
typedef enum Role {
    ROLE_EMBED,    // [V,h] rows are looked up, not multiplied; multiplied as well when it is the tied head
    ROLE_HEAD,        // [V,h]
    ROLE_POSITION,    // looked up
    ROLE_Q,
    ROLE_K,
    ROLE_V,
    ROLE_QKV,    // the three in one, as GPT-2, Falcon, Phi-3 and others store them
    ROLE_O,
    ROLE_Q_A,
    ROLE_Q_B,
    ROLE_KV_A,
    ROLE_KV_B,    // latent attention: down (_A) and up (_B)
    ROLE_GATE,
    ROLE_UP,
    ROLE_DOWN,       // of a dense MLP, a shared expert or a routed one
    ROLE_GATE_UP,    // gate and up in one, [2 f,h]
    ROLE_ROUTER,
    ROLE_NORM,    // a vector
    ROLE_BIAS,    // a vector
    ROLE_OTHER    // anything else, a matrix or a vector
} Role;

enum { OUTSIDE = -1, KINDS_MAX = 32 };

// Tensors of one shape. In a layer's kind they stand in each layer of that kind.
typedef struct Weight {
    const char *name;    // without the layer's number: "self_attn.q_proj.weight"
    Component component;
    Role role;
    uint64_t rows, cols;      // [out,in] of a matrix; a vector has rows = 1
    uint64_t copies;          // in one layer (experts), or outside; 1 for most
    int kind;                 // of model->kinds, or OUTSIDE
    uint64_t stored_bytes;    // in all layers, all copies, of a model read from its files; else 0
    const char *
        *as;    // [layers], or [1] outside: the format there, of a file that mixes several; or NULL
    bool *kept;    // [layers], or [1] outside: not quantised in its published format; NULL: nowhere
} Weight;

// Layers that are alike.
typedef struct LayerKind {
    const char *name;      // "full attention, experts"; for people
    int count;             // layers of this kind
    KnBlock block;         // what the formulas of key_numbers.h ask for
    uint64_t window;       // of sliding attention; 0: sees everything
    uint64_t value_dim;    // of values shorter than keys, whose mean the block has (MiMo); else 0
    uint64_t index_dim;    // numbers that an indexer adds to each token's cache (DeepSeek V3.2)
    uint64_t compress;    // a row more for each so many tokens, which no window drops (DeepSeek V4)
    uint64_t state;       // bytes that linear attention or Mamba keeps of a request, however long
    bool caches;          // keeps keys and values: a decoder does, an encoder does not
    bool borrows;         // a decoder's layer that reads the keys and values of an earlier one
    bool cross;           // has a second attention over the encoder's output (T5's decoder)
    bool causal;
    int64_t other;    // parameters in one layer beside kn_block_params(): sinks, an indexer, linear
                      // attention, a shared expert's gate; negative: keys that are values too
    uint64_t
        vectors;    // of its active parameters: biases, norms, sinks; not multiplied as a matrix
} LayerKind;

// Numbers that a file stores beside the parameters, and why.
typedef struct Extra {
    const char *what;    // "12 causal masks of 1024 x 1024"
    uint64_t elements;
    uint64_t bytes;    // as the file stores them
} Extra;

typedef struct StoredType {
    const char *name;    // "BF16", "Q4_K"
    uint64_t elements, bytes;
} StoredType;

typedef struct Model {
    const char *name;      // "meta-llama/Llama-3.1-8B", or the path it was read from
    const char *source;    // "catalogue", "config.json", "safetensors", "gguf"
    const char *family;    // "llama"
    const char
        *published;         // the weights' format in which it is published: "bf16", "fp8", "mxfp4"
    bool rest_in_floats;    // of that format: embeddings, head and norms are not in 16 bits
    const char *cache;      // the cache's, where the file says one; else NULL
    uint64_t width, vocab, max_context;    // 0 where unknown
    bool tied;                             // the head is the embedding
    bool
        ends_again;    // a module that predicts further tokens has its own embedding and head (GLM-4.5)
    bool named;        // of no known family: counted by the names of its tensors (named.h)
    bool odd_modules;         // those modules are not laid out as the last layer is
    uint64_t rope_factors;    // floats that a GGUF adds for scaled positions (Llama 3.1: d/2)
    int layers;               // 0 when only tensors are known (safetensors without a config.json)
    int *kind_of;             // [layers], in their order
    LayerKind kinds[KINDS_MAX];
    int kind_count;
    Weight *weights;
    int weight_count;
    const char *const
        *notes;    // what was assumed: a missing field and the default that took its place
    int note_count;
    uint32_t warnings;    // a bit for each note that stands beside every output
    Extra *extras;
    int extra_count;
    // Of a model that was read from its weights' files: what really stands there.
    const StoredType *stored;
    int stored_count;
} Model;

// A matrix that projects, in a layer or a tower: what formats of a few bits are for. Not embeddings,
// heads and routers; of an indexer the two large ones.
bool weight_projects(const Weight *weight);
uint64_t weight_elements(const Model *model, const Weight *weight);    // in all layers, all copies
uint64_t weight_active(const Model *model, const Weight *weight);      // that a token goes through
int weight_layers(const Model *model, const Weight *weight);           // 1 outside

uint64_t model_params(const Model *model);
uint64_t model_active(const Model *model);    // all but the experts that a token is not sent to
uint64_t
model_looked_up(const Model *model);    // active, but only looked up: untied embeddings, positions
uint64_t model_stored(
    const Model *model);    // elements in the published file: params and extras, or as read
bool model_has_encoder(
    const Model *model);    // some layers keep nothing of the tokens they have seen
bool model_has_decoder(const Model *model);    // some layers keep a cache
uint64_t model_logits(const Model *model);     // words that the output head gives; 0 without a head
uint64_t model_component(const Model *model, Component component);
bool weight_in_tower(const Weight *weight);    // of a vision or audio encoder, or its projector
