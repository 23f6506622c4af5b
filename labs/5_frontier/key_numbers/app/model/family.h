/* family.h -- families of models as Hugging Face configures them: who reads which config.json, and the
 * description of a decoder that most of them fill in.
 *
 *     void family_mistral(ConfigFields *s, Head head)
 *     {
 *         Decoder d = decoder_read(s, head, (Usual){.vocab = 32000, .heads = 32, .kv_heads = 8, ...});
 *         d.window  = decoder_window(s, 4096);
 *         decoder_lay(s, &d);                // its weights and layers are in s->model
 *     }
 *
 * Each family names its class in transformers (src/transformers/models/) or the remote code of its
 * model's page. Tensors are named as in the published file, without the base model's prefix ("model.",
 * "transformer."), which some files have and others do not, and without the numbers of layers and experts.
 */
#pragma once
#include "common/config_fields.h"
#include "labs/5_frontier/key_numbers/app/model/build.h"

// model_type, class of the configuration, beginning of its architectures, who describes it
// clang-format off
#define FAMILY_LIST(X) \
    X("gpt2",            "GPT2Config",        "GPT2",        family_gpt2)         \
    X("bert",            "BertConfig",        "Bert",        family_bert)         \
    X("t5",              "T5Config",          "T5",          family_t5)           \
    X("mt5",             "MT5Config",         "MT5",         family_mt5)          \
    X("opt",             "OPTConfig",         "OPT",         family_opt)          \
    X("bloom",           "BloomConfig",       "Bloom",       family_bloom)        \
    X("gpt_neox",        "GPTNeoXConfig",     "GPTNeoX",     family_gpt_neox)     \
    X("falcon",          "FalconConfig",      "Falcon",      family_falcon)       \
    X("RefinedWebModel", "RWConfig",          "RW",          family_falcon)       \
    X("RefinedWeb",      "RWConfig",          "RW",          family_falcon)       \
    X("phi",             "PhiConfig",         "Phi",         family_phi)          \
    X("phi3",            "Phi3Config",        "Phi3",        family_phi3)         \
    X("phimoe",          "PhimoeConfig",      "PhiMoE",      family_phimoe)       \
    X("llama",           "LlamaConfig",       "Llama",       family_llama)        \
    X("Yi",              "YiConfig",          "Yi",          family_llama)        \
    X("mistral",         "MistralConfig",     "Mistral",     family_mistral)      \
    X("mixtral",         "MixtralConfig",     "Mixtral",     family_mixtral)      \
    X("qwen",            "QWenConfig",        "QWen",        family_qwen)         \
    X("qwen2",           "Qwen2Config",       "Qwen2",       family_qwen2)        \
    X("qwen3",           "Qwen3Config",       "Qwen3",       family_qwen3)        \
    X("qwen2_moe",       "Qwen2MoeConfig",    "Qwen2Moe",    family_qwen2_moe)    \
    X("qwen3_moe",       "Qwen3MoeConfig",    "Qwen3Moe",    family_qwen3_moe)    \
    X("gemma",           "GemmaConfig",       "Gemma",       family_gemma)        \
    X("gemma2",          "Gemma2Config",      "Gemma2",      family_gemma2)       \
    X("gemma3_text",     "Gemma3TextConfig",  "Gemma3",      family_gemma3_text)  \
    X("gemma3",          "Gemma3Config",      "Gemma3",      family_gemma3)       \
    X("chatglm",         "ChatGLMConfig",     "ChatGLM",     family_chatglm)      \
    X("glm",             "GlmConfig",         "Glm",         family_glm)          \
    X("glm4",            "Glm4Config",        "Glm4",        family_glm4)         \
    X("glm4_moe",        "Glm4MoeConfig",     "Glm4Moe",     family_glm4_moe)     \
    X("baichuan",        "BaichuanConfig",    "Baichuan",    family_baichuan)     \
    X("internlm2",       "InternLM2Config",   "InternLM2",   family_internlm2)    \
    X("olmo",            "OlmoConfig",        "Olmo",        family_olmo)         \
    X("olmo2",           "Olmo2Config",       "Olmo2",       family_olmo2)        \
    X("olmo3",           "Olmo3Config",       "Olmo3",       family_olmo3)        \
    X("olmoe",           "OlmoeConfig",       "Olmoe",       family_olmoe)        \
    X("deepseek_v2",     "DeepseekV2Config",  "DeepseekV2",  family_deepseek_v2)  \
    X("deepseek_v3",     "DeepseekV3Config",  "DeepseekV3",  family_deepseek_v3)  \
    X("kimi_k2",         "DeepseekV3Config",  "DeepseekV3",  family_deepseek_v3)  \
    X("deepseek_v32",    "DeepseekV32Config", "DeepseekV32", family_deepseek_v32) \
    X("glm_moe_dsa",     "GlmMoeDsaConfig",   "GlmMoeDsa",   family_glm_moe_dsa)  \
    X("gpt_oss",         "GptOssConfig",      "GptOss",      family_gpt_oss)      \
    X("minimax_m2",      "MiniMaxM2Config",   "MiniMaxM2",   family_minimax_m2)
// clang-format on

// What stands on the base model, by the end of an architecture's name.
typedef enum Head {
    HEAD_NONE,       // LlamaModel
    HEAD_WORDS,      // LlamaForCausalLM, GPT2LMHeadModel, T5ForConditionalGeneration
    HEAD_LABELS,     // LlamaForSequenceClassification
    HEAD_TOKENS,     // LlamaForTokenClassification: a label for each token, with biases
    HEAD_ANSWERS,    // LlamaForQuestionAnswering: where an answer begins and ends
    HEAD_REWARD,    // Qwen2ForRewardModel: a layer of the width, then a number; InternLM2's: a number
    HEAD_STEPS,          // Qwen2ForProcessRewardModel: the same, then labels
    HEAD_MASKED,         // BertForMaskedLM
    HEAD_PRETRAINING,    // BertForPreTraining
    HEAD_ENCODER         // T5EncoderModel
} Head;

#define X(type, owner, architecture, function) void function(ConfigFields *s, Head head);
FAMILY_LIST(X)
#undef X

// Of an MLP, without ".weight". `both`: gate and up in one matrix; a plain MLP has up and down.
typedef struct MlpNames {
    const char *gate, *up, *both, *down;
} MlpNames;

// Without ".weight" and ".bias"; NULL where there is no such tensor.
typedef struct Names {
    const char *embed, *positions, *embed_norm, *final_norm, *head;
    const char *q, *k, *v, *qkv, *o;    // qkv: the three in one matrix
    const char *q_norm, *k_norm;
    const char *norms[4];                // of the residual stream, in a layer
    const char *router, *router_bias;    // the second in full
    MlpNames mlp, expert, shared;
} Names;

extern const Names names_llama;    // which half of the world took over

typedef struct Decoder {
    Head head;
    Names names;
    KnBlock block;    // with the dense layers' ffn and the others' experts, where there are both
    uint64_t layers, vocab, max_context;
    uint64_t positions;      // that are learned
    uint64_t embed_width;    // of the embedding and the head, where not the block's (OPT-350m)
    bool tied, norm_bias, head_bias;
    bool both_ways;      // an encoder: not causal, and keeps no cache
    bool stacked;        // a layer's experts are one tensor
    bool shared_gate;    // a number for each token says how much of the shared expert it takes
    bool sinks;          // each head may look at nothing, as much as a number of its own says
    uint64_t q_norm, k_norm;            // sizes of norms on queries and keys
    uint64_t index_heads, index_dim;    // of an indexer, which chooses the positions to look at
    uint64_t window;                    // of the layers that slide
    const bool *slides;                 // [layers]; NULL: all do, if there is a window
    const bool *routed;                 // [layers] has experts; NULL: all do, if there are experts
} Decoder;

// What a class takes for usual fields that are missing. kv_heads 0: as many as heads; head_dim 0: width/heads.
typedef struct Usual {
    uint64_t vocab, heads, kv_heads, head_dim, ffn, positions;
    bool tied;
} Usual;

// hidden_size, num_hidden_layers, num_attention_heads, ... under their usual names, a gated MLP.
Decoder decoder_read(ConfigFields *s, Head head, Usual usual);
uint64_t decoder_layers(ConfigFields *s, const char *names);
// Heads of an own size, or width / heads, which must divide.
uint64_t decoder_head_dim(ConfigFields *s, uint64_t width, uint64_t heads, uint64_t fallback);
void decoder_lay(ConfigFields *s, Decoder *d);

// sliding_window: what null says is none; a field that is missing is the class's default.
uint64_t decoder_window(ConfigFields *s, uint64_t fallback);
// layer_types, where it is there; else each period-th layer sees everything (0: as `otherwise` says).
const bool *decoder_slides(ConfigFields *s, uint64_t layers, uint64_t period,
                           const bool *otherwise);
bool *decoder_flags(ConfigFields *s, uint64_t layers);    // all false

// One matrix and its bias.
void lay_linear(Model *model, int kind, Component component, Role role, const char *name,
                uint64_t rows, uint64_t cols, bool bias);
void lay_norm(Model *model, int kind, Component component, const char *name, uint64_t size,
              bool bias);
void lay_mlp(Model *model, int kind, Component component, const MlpNames *names, uint64_t width,
             uint64_t ffn, bool bias);
