/* packing.h -- how one tensor is stored in the formats of Python's world: matrices with scales for rows,
 * tiles or groups of numbers, everything else in 16 bits.
 *
 *     const Packing nf4 = {.scope = SCOPE_MODULES, .type = "NF4", .numbers = {4, 64, 32}, .rest = "BF16"};
 *     Packed packed;
 *     if (!packing_apply(&packed, &nf4, model, weight, err)) ...    // packed.bytes in one layer
 *
 * Of the file types of llama.cpp, which look at the whole model, see ggml_mix.h.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"

// Which matrices are packed.
typedef enum Scope {
    SCOPE_ALL,        // and all vectors
    SCOPE_LINEAR,     // projections of the layers: no embedding, head, router or vision tower
    SCOPE_MODULES,    // what transformers replaces for bitsandbytes: each nn.Linear but the head
    SCOPE_TABLES,     // what mlx does: embeddings, head and routers as well
    SCOPE_EXPERTS     // routed experts; of a model that has none, SCOPE_LINEAR
} Scope;

typedef enum Layout {
    LAYOUT_FLAT,     // one number after the other
    LAYOUT_TILES,    // a scale for each tile of 128 rows and columns
    LAYOUT_GPTQ,     // in words of 32 bits; the groups' zeros as well; the group of each column
    LAYOUT_AWQ       // the same without the last
} Layout;

enum { WHOLE_ROW = 1u << 30 };    // as Packing.numbers.block: one block in each row

typedef struct Packing {
    Scope scope;
    Layout layout;
    const char *type;    // of what is packed: "NF4"
    KnFormat numbers;
    uint64_t multiple;    // of which the rows must be, or 0
    uint64_t once;        // bits for each matrix: one scale more, an offset
    uint64_t tile;        // bits of a tile's scale
    const char *rest;     // the type of all else, 16 bits: "BF16"
    bool wide;            // but floats for biases, and for modules that a list keeps (HQQ),
    bool floats;          // or for all but biases (auto-round on a CPU)
} Packing;

typedef struct Packed {
    const char *type;
    uint64_t bytes;    // of all copies in one layer
} Packed;

// False, and why, when the format cannot hold it. `kept`: it stays as it is, though the scope has it.
bool packing_apply(Packed *packed, const Packing *packing, const Model *model, const Weight *weight,
                   bool kept, Error *err);
