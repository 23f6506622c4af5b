#include "labs/5_frontier/key_numbers/app/model/gguf_name.h"
#include "common/text.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
// llama.cpp, gguf-py/gguf/constants.py: TENSOR_NAMES. The order is that of the ledger.
static const struct {
    const char *name;
    GgufPart    part;
    Component   component;
    Role        role;
} NAMES[] = {
#define P(name, component, role) {name, GGUF_PARAMETER, COMPONENT_##component, ROLE_##role}
    P("token_embd", EMBED, EMBED), P("position_embd", POS, POSITION), P("token_types", POS, POSITION),
    P("token_embd_norm", NORM, NORM),
    P("attn_norm", NORM, NORM), P("attn_norm_2", NORM, NORM),
    P("attn_q", ATTN, Q), P("attn_k", ATTN, K), P("attn_v", ATTN, V), P("attn_qkv", ATTN, QKV),
    P("attn_q_a", ATTN, Q_A), P("attn_q_a_norm", ATTN, NORM), P("attn_q_b", ATTN, Q_B),
    P("attn_kv_a_mqa", ATTN, KV_A), P("attn_kv_a_norm", ATTN, NORM), P("attn_kv_b", ATTN, KV_B),
    P("attn_k_b", ATTN, KV_B), P("attn_v_b", ATTN, KV_B),
    P("attn_rel_b", POS, OTHER), P("attn_o", ATTN, O),
    P("attn_q_norm", ATTN, NORM), P("attn_k_norm", ATTN, NORM), P("attn_sinks", ATTN, OTHER),
    P("attn_sub_norm", NORM, NORM), P("attn_output", ATTN, O), P("attn_gate", ATTN, OTHER),
    P("indexer.attn_q_b", ATTN, OTHER), P("indexer.attn_k", ATTN, OTHER),
    P("indexer.k_norm", ATTN, NORM), P("indexer.proj", ATTN, OTHER),
    P("attn_output_norm", NORM, NORM), P("post_attention_norm", NORM, NORM),
    P("cross_attn_norm", NORM, NORM), P("cross_attn_q", ATTN, Q), P("cross_attn_k", ATTN, K),
    P("cross_attn_v", ATTN, V), P("cross_attn_o", ATTN, O),
    P("ffn_norm", NORM, NORM),
    P("ffn_gate", MLP, GATE), P("ffn_up", MLP, UP), P("ffn_down", MLP, DOWN),
    P("ffn_gate_inp", ROUTER, ROUTER), P("exp_probs_b", ROUTER, BIAS),
    P("ffn_gate_exps", EXPERTS, GATE), P("ffn_up_exps", EXPERTS, UP),
    P("ffn_gate_up_exps", EXPERTS, GATE_UP), P("ffn_down_exps", EXPERTS, DOWN),
    P("ffn_gate_inp_shexp", SHARED, OTHER), P("ffn_gate_shexp", SHARED, GATE),
    P("ffn_up_shexp", SHARED, UP), P("ffn_down_shexp", SHARED, DOWN),
    P("ffn_norm_exps", NORM, NORM), P("ffn_sub_norm", NORM, NORM),
    P("post_ffw_norm", NORM, NORM), P("layer_output_norm", NORM, NORM),
    P("output_norm", NORM, NORM), P("output", HEAD, HEAD),
    P("cls", POOLER, OTHER), P("cls.output", POOLER, OTHER), P("cls.norm", POOLER, NORM),
#undef P
    {"rope_freqs", GGUF_CONSTANT, COMPONENT_POS, ROLE_OTHER},
    {"rope_factors_long", GGUF_CONSTANT, COMPONENT_POS, ROLE_OTHER},
    {"rope_factors_short", GGUF_CONSTANT, COMPONENT_POS, ROLE_OTHER},
    {"attn_rot_embd", GGUF_CONSTANT, COMPONENT_POS, ROLE_OTHER},
};
// clang-format on
enum { NAME_COUNT = sizeof NAMES / sizeof *NAMES, LAYERS = 1 << 20 };    // no name counts further

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

// "blk.12.x": 12, and *rest is "x".
static int layer_of(const char *name, const char **rest)
{
    *rest = name;
    if (!begins(name, "blk.") || !isdigit((unsigned char)name[4])) return OUTSIDE;
    char *end;
    long layer = strtol(name + 4, &end, 10);
    if (*end != '.' || layer > LAYERS) return OUTSIDE;
    *rest = end + 1;
    return (int)layer;
}

// "v.blk.3.ln1.weight": "v.blk.N.ln1.weight".
static void without_numbers(char *to, const char *name)
{
    for (const char *at = name; *at != '\0';) {
        size_t length = strcspn(at, ".");
        bool number = length > 0 && strspn(at, "0123456789") == length;
        memcpy(to, number ? "N" : at, number ? 1 : length);
        to += number ? 1 : length;
        at += length;
        if (*at == '.') *to++ = *at++;
    }
    *to = '\0';
}

// The first files with experts had a tensor for each: "ffn_up.7". All in one are "ffn_up_exps".
static bool is_of_one_expert(const char *base, size_t length, size_t *matrix)
{
    static const char *const MATRICES[] = {"ffn_gate", "ffn_up", "ffn_down"};
    for (size_t i = 0; i < sizeof MATRICES / sizeof *MATRICES; i++) {
        *matrix = strlen(MATRICES[i]);
        if (!begins(base, MATRICES[i]) || length < *matrix + 2 || base[*matrix] != '.') continue;
        if (strspn(base + *matrix + 1, "0123456789") >= length - *matrix - 1) return true;
    }
    return false;
}

void gguf_name_read(GgufName *out, const char *name)
{
    const char *rest;
    *out = (GgufName){.part = GGUF_UNKNOWN};
    out->decoder = begins(name, "dec.");
    out->layer = layer_of(name + (out->decoder || begins(name, "enc.") ? 4 : 0), &rest);
    if (strlen(rest) + sizeof "_exps" > sizeof out->plain) return;
    if (begins(rest, "nextn.")) {
        out->part = GGUF_AHEAD;
        return;
    }
    if (out->layer == OUTSIDE && (begins(rest, "v.") || begins(rest, "mm."))) {
        out->part = GGUF_VISION, out->component = COMPONENT_VISION, out->role = ROLE_OTHER;
        out->order = NAME_COUNT;
        without_numbers(out->plain, rest);
        return;
    }
    bool bias = text_ends(rest, ".bias");
    bool scale = text_ends(rest, ".scale") || text_ends(rest, ".input_scale");
    bool ending = bias || scale || text_ends(rest, ".weight");
    const char *end = ending ? strrchr(rest, '.') : rest + strlen(rest);
    size_t length = (size_t)(end - rest), matrix;
    bool one = is_of_one_expert(rest, length, &matrix);
    snprintf(out->plain, sizeof out->plain, "%.*s%s", (int)(one ? matrix : length), rest,
             one ? "_exps" : "");
    for (int i = 0; i < NAME_COUNT; i++) {
        if (strcmp(out->plain, NAMES[i].name) != 0) continue;
        out->part = scale ? GGUF_SCALE : NAMES[i].part;
        out->order = i;
        out->component = NAMES[i].component;
        out->role = bias ? ROLE_BIAS : NAMES[i].role;
        // T5's biases by distance stand in the first layer, for all of its stack.
        if (strcmp(out->plain, "attn_rel_b") == 0) out->layer = OUTSIDE;
        if (strcmp(out->plain, "attn_o") == 0) strcpy(out->plain, "attn_output");
        strcat(out->plain, end);
        return;
    }
}
