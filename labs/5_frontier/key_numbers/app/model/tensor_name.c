#include "labs/5_frontier/key_numbers/app/model/tensor_name.h"
#include "common/text.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

// A word between two dots.
typedef struct Word {
    const char *at;
    size_t length;
} Word;

static bool next_word(Word *word)
{
    const char *at = word->at + word->length;
    if (word->length > 0 && *at == '\0') return false;
    word->at = word->length > 0 ? at + 1 : at;
    word->length = strcspn(word->at, ".");
    return word->length > 0;
}

static bool is(Word word, const char *text)
{
    return strlen(text) == word.length && memcmp(word.at, text, word.length) == 0;
}

static bool is_number(Word word)
{
    return strspn(word.at, "0123456789") >= word.length;
}

// "a|b|c" has the word.
static bool is_one_of(Word word, const char *words)
{
    for (const char *at = words; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        size_t length = strcspn(at, "|");
        if (length == word.length && memcmp(at, word.at, length) == 0) return true;
    }
    return false;
}

static bool holds(Word word, const char *part)
{
    return memmem(word.at, word.length, part, strlen(part)) != NULL;
}

// Whole words, unless the ending begins within one: "attn.bias" does not end "c_attn.bias".
static bool ends_in_words(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return text_ends(text, end) &&
           (length == tail || end[0] == '.' || end[0] == '_' || text[length - tail - 1] == '.');
}

void tensor_name_read(TensorName *out, const char *name)
{
    *out = (TensorName){.layer = OUTSIDE};
    size_t used = 0;
    Word before = {"", 0};
    for (Word word = {name, 0}; next_word(&word); before = word) {
        bool number = is_number(word);
        if (out->layer == OUTSIDE && !number) {
            out->vision |= holds(word, "vision") || holds(word, "audio") ||
                           is_one_of(word, "visual|multi_modal_projector|mm_projector|patch_merge_"
                                           "mlp|vit_large_projector");
            out->ahead |= is(word, "mtp");
            out->decoder |= is(word, "decoder");
        }
        bool in_layer = number && out->layer == OUTSIDE && !out->vision &&
                        is_one_of(before, "layers|layer|h|block|blocks");
        if (in_layer) {
            long layer = strtol(word.at, NULL, 10);
            out->layer = layer < INT_MAX ? (int)layer : INT_MAX;
            used = 0;    // what stood before names no tensor
            continue;
        }
        bool left_out = out->layer == OUTSIDE ? number || is(word, "model")
                                              : number && holds(before, "experts");
        if (left_out || used + word.length + 2 > sizeof out->plain) continue;
        if (used > 0) out->plain[used++] = '.';
        memcpy(out->plain + used, word.at, word.length);
        used += word.length;
        out->plain[used] = '\0';
    }
    out->plain[used] = '\0';
}

// ---- what it is ----

typedef struct Module {
    const char *words;     // of the module, the last word before "weight"
    const char *within;    // part of a word before it; NULL: anywhere
    Component component;
    Role role;
} Module;

// The first that fits counts.
static const Module MODULES[] = {
    {"shared_expert_gate", NULL, COMPONENT_SHARED, ROLE_OTHER},
    {"gate|router|classifier_gate", "mlp", COMPONENT_ROUTER, ROLE_ROUTER},
    {"gate|router", "moe", COMPONENT_ROUTER, ROLE_ROUTER},
    {"router|e_score_correction_bias", NULL, COMPONENT_ROUTER, ROLE_ROUTER},
    {"embed_tokens|wte|word_embeddings|embed_in|tok_embeddings|embeddings|embedding|shared|embed",
     NULL, COMPONENT_EMBED, ROLE_EMBED},
    {"wpe|position_embeddings|embed_positions|token_type_embeddings|position_embedding", NULL,
     COMPONENT_POS, ROLE_POSITION},
    {"relative_attention_bias", NULL, COMPONENT_POS, ROLE_OTHER},
    {"lm_head|embed_out|output_layer|output|decoder", NULL, COMPONENT_HEAD, ROLE_HEAD},
    {"q_a_proj", NULL, COMPONENT_ATTN, ROLE_Q_A},
    {"q_b_proj", NULL, COMPONENT_ATTN, ROLE_Q_B},
    {"kv_a_proj_with_mqa", NULL, COMPONENT_ATTN, ROLE_KV_A},
    {"kv_b_proj", NULL, COMPONENT_ATTN, ROLE_KV_B},
    {"q_norm|k_norm|q_a_layernorm|kv_a_layernorm|q_layernorm|k_layernorm", NULL, COMPONENT_ATTN,
     ROLE_NORM},
    {"q_proj|query|q|wq|q_lin", NULL, COMPONENT_ATTN, ROLE_Q},
    {"k_proj|key|k|wk|k_lin", NULL, COMPONENT_ATTN, ROLE_K},
    {"v_proj|value|v|wv|v_lin", NULL, COMPONENT_ATTN, ROLE_V},
    {"c_attn|query_key_value|qkv_proj|qkv|W_pack|Wqkv|wqkv|in_proj", NULL, COMPONENT_ATTN,
     ROLE_QKV},
    {"o_proj|out_proj|o|wo|out_lin", "att", COMPONENT_ATTN, ROLE_O},
    {"o|wo", "Att", COMPONENT_ATTN, ROLE_O},
    {"c_proj|dense", "att", COMPONENT_ATTN, ROLE_O},
    {"sinks", NULL, COMPONENT_ATTN, ROLE_OTHER},
    {"gate_up_proj", NULL, COMPONENT_MLP, ROLE_GATE_UP},
    {"gate_proj|w1|wi_0", NULL, COMPONENT_MLP, ROLE_GATE},
    {"up_proj|w3|wi|wi_1|fc1|c_fc|dense_h_to_4h|lin1", NULL, COMPONENT_MLP, ROLE_UP},
    {"dense", "intermediate", COMPONENT_MLP, ROLE_UP},
    {"down_proj|w2|wo|fc2|dense_4h_to_h|lin2", NULL, COMPONENT_MLP, ROLE_DOWN},
    {"c_proj", "mlp", COMPONENT_MLP, ROLE_DOWN},
    {"dense", "pooler", COMPONENT_POOLER, ROLE_OTHER},
    {"dense", "output", COMPONENT_MLP, ROLE_DOWN},
    {"classifier|score|seq_relationship", NULL, COMPONENT_POOLER, ROLE_OTHER},
};

// A word before the last one has the part.
static bool any_before(const char *plain, Word last, const char *part)
{
    for (Word word = {plain, 0}; next_word(&word) && word.at < last.at;)
        if (holds(word, part)) return true;
    return false;
}

// The word that tells what a tensor is: the one before "weight".
static Word module_of(const char *plain)
{
    Word last = {plain, 0};
    for (Word word = {plain, 0}; next_word(&word);)
        if (word.at == plain || !is_one_of(word, "weight|bias|gamma|beta|qweight|weight_packed"))
            last = word;
    return last;
}

static const Module *find_module(const char *plain, Word word)
{
    static const char *const ENDS[] = {"_bias",
                                       "_blocks"};    // of stacked experts: "gate_up_proj_blocks"
    for (size_t i = 0; i < sizeof MODULES / sizeof *MODULES; i++)
        if (is_one_of(word, MODULES[i].words) &&
            (MODULES[i].within == NULL || any_before(plain, word, MODULES[i].within)))
            return &MODULES[i];
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        size_t end = strlen(ENDS[i]);
        if (word.length > end && memcmp(word.at + word.length - end, ENDS[i], end) == 0)
            return find_module(plain, (Word){word.at, word.length - end});
    }
    return NULL;
}

bool tensor_name_classify(const char *plain, Component *component, Role *role)
{
    Word word = module_of(plain);
    const Module *module = find_module(plain, word);
    bool attn = any_before(plain, word, "att") || any_before(plain, word, "Att");
    bool audio = any_before(plain, word, "audio");
    bool vision = any_before(plain, word, "vision") || any_before(plain, word, "visual") ||
                  any_before(plain, word, "mm_projector") || any_before(plain, word, "multi_modal");
    bool norm = holds(word, "norm") || holds(word, "Norm") || strncmp(word.at, "ln", 2) == 0;
    *component = attn ? COMPONENT_ATTN : COMPONENT_MLP;
    *role = ROLE_OTHER;
    if (module != NULL) *component = module->component, *role = module->role;
    else if (norm) *component = COMPONENT_NORM, *role = ROLE_NORM;
    if (*role != ROLE_NORM && (text_ends(plain, "bias") || text_ends(plain, ".beta")))
        *role = ROLE_BIAS;
    if (*component == COMPONENT_MLP && any_before(plain, word, "shared_expert"))
        *component = COMPONENT_SHARED;
    if (*component == COMPONENT_MLP && any_before(plain, word, "experts"))
        *component = COMPONENT_EXPERTS;
    if (vision) *component = COMPONENT_VISION;
    if (audio) *component = COMPONENT_AUDIO;
    return module != NULL || norm || attn || vision || audio;
}

// ---- what it is not ----

const TensorBeside *tensor_name_beside(const char *plain)
{
    static const TensorBeside KNOWN[] = {
        {"attn.bias", "causal masks"},
        {"attention.bias", "causal masks"},
        {"masked_bias", "what masked scores are set to"},
        {"inv_freq", "frequencies of rotary positions"},
        {"position_ids", "positions, counted up"},
        {"_scale_inv", "scales of 8-bit matrices"},
        {"_scale", "scales of quantised matrices"},
        {"_scale_2", "scales of quantised matrices"},
        {"_scales", "scales of quantised matrices"},
        {".scales", "scales of quantised matrices"},
        {".biases", "minima of quantised matrices"},
        {".qzeros", "zero points of quantised matrices"},
        {"_zero_point", "zero points of quantised matrices"},
        {".g_idx", "the order of quantised groups"},
        {"_shape", "shapes of packed matrices"},
        {"absmax", "scales of quantised matrices"},
        {"nested_absmax", "scales of quantised matrices"},
        {"quant_map", "tables of quantised values"},
        {"nested_quant_map", "tables of quantised values"},
        {"bitsandbytes__nf4", "descriptions of quantised matrices"},
        {"bitsandbytes__fp4", "descriptions of quantised matrices"},
        {".SCB", "scales of 8-bit matrices"},
    };
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (ends_in_words(plain, KNOWN[i].ends)) return &KNOWN[i];
    return NULL;
}

const char *tensor_name_packed(const char *plain, const char **instead)
{
    static const struct {
        const char *ends, *instead;
    } PACKED[] = {{".qweight", ".weight"}, {".weight_packed", ".weight"}, {"_blocks", ""}};
    for (size_t i = 0; i < sizeof PACKED / sizeof *PACKED; i++)
        if (text_ends(plain, PACKED[i].ends)) {
            *instead = PACKED[i].instead;
            return PACKED[i].ends;
        }
    return NULL;
}
