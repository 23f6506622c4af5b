/* gguf_name.h -- what the name of a tensor says in llama.cpp's files, the same for all architectures.
 *
 *     GgufName name;
 *     gguf_name_read(&name, "blk.12.attn_q.weight");
 *     // layer 12, "attn_q.weight", a parameter: attention, queries
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"

typedef enum GgufPart {
    GGUF_UNKNOWN,    // no name that is known here
    GGUF_PARAMETER,
    GGUF_VISION,      // of an image tower in the same file; numbers in its name are replaced by N
    GGUF_CONSTANT,    // computed from the settings: factors for rotary positions
    GGUF_SCALE,       // of a quantised matrix, beside it
    GGUF_AHEAD        // of a module that predicts further tokens
} GgufPart;

enum { GGUF_NAME_MAX = 96 };    // ggml itself takes 63 bytes

typedef struct GgufName {
    GgufPart part;
    int layer;                    // OUTSIDE: stands once
    bool decoder;                 // "dec.blk.0.x": of the second of two stacks
    char plain[GGUF_NAME_MAX];    // without the layer; an expert's as that of all in one
    int order;                    // in which a layer's tensors are listed
    Component component;
    Role role;
} GgufName;

void gguf_name_read(GgufName *out, const char *name);
