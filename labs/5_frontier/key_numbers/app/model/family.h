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
    X("minimax_m2",      "MiniMaxM2Config",   "MiniMaxM2",   family_minimax_m2)   \
    X("minimax_m3",      "MiniMaxM3Config",   "MiniMaxM3",   family_minimax_m3)   \
    X("minimax_m3_vl",   "MiniMaxM3VLConfig", "MiniMaxM3Sparse", family_minimax_m3_vl) \
    X("qwen3_next",      "Qwen3NextConfig",   "Qwen3Next",   family_qwen3_next)   \
    X("qwen3_5",         "Qwen3_5Config",     "Qwen3_5",     family_qwen3_5)      \
    X("qwen3_5_text",    "Qwen3_5TextConfig", "Qwen3_5",     family_qwen3_5_text) \
    X("qwen3_5_moe",     "Qwen3_5MoeConfig",  "Qwen3_5Moe",  family_qwen3_5_moe)  \
    X("qwen3_5_moe_text", "Qwen3_5MoeTextConfig", "Qwen3_5Moe", family_qwen3_5_moe_text) \
    X("qwen3_vl",        "Qwen3VLConfig",     "Qwen3VL",     family_qwen3_vl)     \
    X("qwen3_vl_moe",    "Qwen3VLMoeConfig",  "Qwen3VLMoe",  family_qwen3_vl_moe) \
    X("qwen2_vl",        "Qwen2VLConfig",     "Qwen2VL",     family_qwen2_vl)     \
    X("qwen2_5_vl",      "Qwen2_5_VLConfig",  "Qwen2_5_VL",  family_qwen2_5_vl)   \
    X("llama4",          "Llama4Config",      "Llama4",      family_llama4)       \
    X("llama4_text",     "Llama4TextConfig",  "Llama4",      family_llama4_text)  \
    X("gemma4",          "Gemma4Config",      "Gemma4",      family_gemma4)       \
    X("gemma4_text",     "Gemma4TextConfig",  "Gemma4",      family_gemma4_text)  \
    X("gemma3n_text",    "Gemma3nTextConfig", "Gemma3n",     family_gemma3n_text) \
    X("mistral3",        "Mistral3Config",    "Mistral3",    family_mistral3)     \
    X("ministral3",      "Ministral3Config",  "Ministral3",  family_ministral3)   \
    X("ministral",       "MinistralConfig",   "Ministral",   family_ministral)    \
    X("nemotron_h",      "NemotronHConfig",   "NemotronH",   family_nemotron_h)   \
    X("nemotron",        "NemotronConfig",    "Nemotron",    family_nemotron)     \
    X("nemotron-nas",    "DeciLMConfig",      "DeciLM",      family_nemotron_nas) \
    X("mamba",           "MambaConfig",       "Mamba",       family_mamba)        \
    X("mamba2",          "Mamba2Config",      "Mamba2",      family_mamba2)       \
    X("granite",         "GraniteConfig",     "Granite",     family_granite)      \
    X("granitemoe",      "GraniteMoeConfig",  "GraniteMoe",  family_granitemoe)   \
    X("granitemoehybrid", "GraniteMoeHybridConfig", "GraniteMoeHybrid", family_granitemoehybrid) \
    X("jamba",           "JambaConfig",       "Jamba",       family_jamba)        \
    X("bamba",           "BambaConfig",       "Bamba",       family_bamba)        \
    X("falcon_h1",       "FalconH1Config",    "FalconH1",    family_falcon_h1)    \
    X("lfm2",            "Lfm2Config",        "Lfm2",        family_lfm2)         \
    X("lfm2_moe",        "Lfm2MoeConfig",     "Lfm2Moe",     family_lfm2_moe)     \
    X("minimax",         "MiniMaxConfig",     "MiniMax",     family_minimax)      \
    X("deepseek_v4",     "DeepseekV4Config",  "DeepseekV4",  family_deepseek_v4)  \
    X("deepseek_ref",    "DeepseekV4Config",  "DeepseekV4",  family_deepseek_v4)  \
    X("kimi_k25",        "KimiK25Config",     "KimiK25",     family_kimi_k25)     \
    X("kimi_linear",     "KimiLinearConfig",  "KimiLinear",  family_kimi_linear)  \
    X("kimi_k3",         "KimiK3Config",      "KimiK3",      family_kimi_k3)      \
    X("step3p5",         "Step3p5Config",     "Step3p5",     family_step3p5)      \
    X("step3p7",         "Step3p7Config",     "Step3p7",     family_step3p7)      \
    X("glm4v_moe",       "Glm4vMoeConfig",    "Glm4vMoe",    family_glm4v_moe)    \
    X("glm4_moe_lite",   "Glm4MoeLiteConfig", "Glm4MoeLite", family_glm4_moe_lite) \
    X("exaone4",         "Exaone4Config",     "Exaone4",     family_exaone4)      \
    X("smollm3",         "SmolLM3Config",     "SmolLM3",     family_smollm3)      \
    X("hunyuan_v1_dense", "HunYuanDenseV1Config", "HunYuanDenseV1", family_hunyuan_dense) \
    X("hunyuan_v1_moe",  "HunYuanMoEV1Config", "HunYuanMoEV1", family_hunyuan_moe) \
    X("ernie4_5",        "Ernie4_5Config",    "Ernie4_5",    family_ernie4_5)     \
    X("ernie4_5_moe",    "Ernie4_5_MoeConfig", "Ernie4_5_Moe", family_ernie4_5_moe) \
    X("seed_oss",        "SeedOssConfig",     "SeedOss",     family_seed_oss)     \
    X("arcee",           "ArceeConfig",       "Arcee",       family_arcee)        \
    X("apertus",         "ApertusConfig",     "Apertus",     family_apertus)      \
    X("mimo",            "MiMoConfig",        "MiMo",        family_mimo)         \
    X("mimo_v2_flash",   "MiMoV2FlashConfig", "MiMoV2Flash", family_mimo_v2_flash) \
    X("dots1",           "Dots1Config",       "Dots1",       family_dots1)        \
    X("cohere",          "CohereConfig",      "Cohere",      family_cohere)       \
    X("cohere2",         "Cohere2Config",     "Cohere2",     family_cohere2)      \
    X("starcoder2",      "Starcoder2Config",  "Starcoder2",  family_starcoder2)   \
    X("gpt_bigcode",     "GPTBigCodeConfig",  "GPTBigCode",  family_gpt_bigcode)  \
    X("gptj",            "GPTJConfig",        "GPTJ",        family_gptj)         \
    X("stablelm",        "StableLmConfig",    "StableLm",    family_stablelm)     \
    X("roberta",         "RobertaConfig",     "Roberta",     family_roberta)      \
    X("xlm-roberta",     "XLMRobertaConfig",  "XLMRoberta",  family_roberta)      \
    X("camembert",       "CamembertConfig",   "Camembert",   family_roberta)      \
    X("distilbert",      "DistilBertConfig",  "DistilBert",  family_distilbert)   \
    X("mpnet",           "MPNetConfig",       "MPNet",       family_mpnet)        \
    X("modernbert",      "ModernBertConfig",  "ModernBert",  family_modernbert)
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

// What a layer has, as a set.
enum {
    LAYER_FULL = 1,      // attention over all tokens
    LAYER_SLIDES = 2,    // over a window
    LAYER_STATE = 4,     // a mixer that keeps a state: linear attention, Mamba, a short convolution
    LAYER_DENSE = 8,
    LAYER_ROUTED = 16,     // experts
    LAYER_BORROWS = 32,    // no keys and values of its own
    LAYER_MARKED = 64,     // as the family says
    LAYER_UNMARKED = 128,
    LAYER_ATTENDS = LAYER_FULL | LAYER_SLIDES,
    LAYER_ANY = 255
};

// A tensor beside the usual ones, in all layers that have something of `in`. Named in full.
typedef struct Part {
    unsigned in;
    Component component;
    Role role;
    const char *name;
    uint64_t rows, cols;    // a vector has one row
    uint64_t compress;      // only where the layer compresses by so much; 0: anywhere
} Part;

enum { PARTS_MAX = 40 };

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
    uint64_t value_dim;                 // as in LayerKind
    uint64_t window;                    // of the layers that slide
    const bool *slides;                 // [layers]; NULL: all do, if there is a window
    const bool *routed;                 // [layers] has experts; NULL: all do, if there are experts
    // ---- what few have ----
    Part parts[PARTS_MAX];
    int part_count;
    const char *mixer;             // its name, where layers have one: "linear attention"
    const bool *mixes;             // [layers] has it in place of attention; NULL: none
    bool beside;                   // each layer has both
    uint64_t conv, state;          // numbers that it keeps of a request, in 16 and in 32 bits
    const bool *bare, *idle;       // [layers] has neither attention nor mixer; has no MLP
    const bool *marked;            // [layers] of two sorts that only the parts tell apart
    const bool *borrows;           // [layers] reads an earlier layer's keys and values
    const uint64_t *ffns;          // [layers] of MLPs of many sizes; 0: none
    uint64_t expert_width;         // of what experts see, where not the block's width
    bool k_is_v;                   // layers with full attention have no values of their own
    uint64_t slide_heads;          // query heads of layers with a window, for `shape`
    uint64_t full_dim, full_kv;    // of heads in layers with full attention, for `shape`
    bool q_gate;                   // q has as many rows again, which gate attention's output
    const uint64_t *compress;      // [layers], as in LayerKind
    uint64_t indexed;              // an indexer picks rows where they compress by so much
    // Last, of a layer with `has`: sizes that depend on it.
    void (*shape)(const struct Decoder *d, unsigned has, KnBlock *block);
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
// A tensor more in such layers.
void decoder_part(Decoder *d, unsigned in, Component component, Role role, const char *name,
                  uint64_t rows, uint64_t cols);

// sliding_window: what null says is none; a field that is missing is the class's default.
uint64_t decoder_window(ConfigFields *s, uint64_t fallback);
// layer_types, where it is there; else each period-th layer sees everything (0: as `otherwise` says).
const bool *decoder_slides(ConfigFields *s, uint64_t layers, uint64_t period,
                           const bool *otherwise);
bool *decoder_flags(ConfigFields *s, uint64_t layers);    // all false
// Layers whose entry of the list `field` is one of `types` ("mamba|linear_attention"), or whose number
// there is not 0; NULL: there is no such list.
const bool *decoder_typed(ConfigFields *s, const char *field, uint64_t layers, const char *types);

// One matrix and its bias.
void lay_linear(Model *model, int kind, Component component, Role role, const char *name,
                uint64_t rows, uint64_t cols, bool bias);
void lay_norm(Model *model, int kind, Component component, const char *name, uint64_t size,
              bool bias);
void lay_mlp(Model *model, int kind, Component component, const MlpNames *names, uint64_t width,
             uint64_t ffn, bool bias);
