/* family_encoder.c -- models with an encoder: BERT, which is nothing else, and T5. */
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/family.h"

// ---- BERT ----

// BertModel has the pooler; BertForMaskedLM has none, and guesses words by a matrix, a norm and the embedding.
static void lay_bert_head(ConfigFields *s, Head head, uint64_t h, uint64_t vocab)
{
    Model *model = s->model;
    const Component at = COMPONENT_HEAD;
    if (head != HEAD_MASKED && head != HEAD_TOKENS && head != HEAD_ANSWERS)
        lay_linear(model, OUTSIDE, COMPONENT_POOLER, ROLE_OTHER, "pooler.dense", h, h, true);
    if (head == HEAD_MASKED || head == HEAD_PRETRAINING) {
        model->tied = config_flag(s, "tie_word_embeddings", true);
        if (!model->tied)
            build_weight(model, OUTSIDE, at, ROLE_HEAD, "cls.predictions.decoder.weight", vocab, h);
        build_vector(model, OUTSIDE, at, ROLE_BIAS, "cls.predictions.bias", vocab);
        lay_linear(model, OUTSIDE, at, ROLE_OTHER, "cls.predictions.transform.dense", h, h, true);
        lay_norm(model, OUTSIDE, at, "cls.predictions.transform.LayerNorm", h, true);
    }
    if (head == HEAD_PRETRAINING)
        lay_linear(model, OUTSIDE, at, ROLE_OTHER, "cls.seq_relationship", 2, h, true);
    if (head == HEAD_LABELS || head == HEAD_TOKENS)
        lay_linear(model, OUTSIDE, at, ROLE_OTHER, "classifier", config_labels(s), h, true);
    if (head == HEAD_ANSWERS)
        lay_linear(model, OUTSIDE, at, ROLE_OTHER, "qa_outputs", config_labels(s), h, true);
}

// models/bert/modeling_bert.py. Norms stand behind attention and MLP.
void family_bert(ConfigFields *s, Head head)
{
    static const Names names = {
        .embed = "embeddings.word_embeddings",
        .positions = "embeddings.position_embeddings",
        .embed_norm = "embeddings.LayerNorm",
        .q = "attention.self.query",
        .k = "attention.self.key",
        .v = "attention.self.value",
        .o = "attention.output.dense",
        .norms = {"attention.output.LayerNorm", "output.LayerNorm"},
        .mlp = {.up = "intermediate.dense", .down = "output.dense"},
    };
    Decoder d = {.head = HEAD_NONE, .names = names, .norm_bias = true, .both_ways = true};
    KnBlock *b = &d.block;
    b->width = config_need(s, "hidden_size");
    d.layers = decoder_layers(s, "num_hidden_layers");
    b->heads = b->kv_heads = config_size(s, "num_attention_heads", 12);
    b->head_dim = decoder_head_dim(s, b->width, b->heads, 0);
    b->ffn = config_size(s, "intermediate_size", 3072);
    b->qkv_bias = b->out_bias = b->mlp_bias = true;
    d.vocab = config_size(s, "vocab_size", 30522);
    d.max_context = d.positions = config_size(s, "max_position_embeddings", 512);
    uint64_t types = config_size(s, "type_vocab_size", 2);
    if (strcmp(config_text(s, "position_embedding_type", "absolute"), "absolute") != 0)
        config_fail(s,
                    "\"position_embedding_type\" is not absolute, and others are not known here");
    if (head == HEAD_WORDS || head == HEAD_ENCODER || head == HEAD_REWARD || head == HEAD_STEPS)
        config_fail(s, "\"architectures\" is no head of BERT that is known here");
    decoder_lay(s, &d);
    if (s->failed) return;
    lay_linear(s->model, OUTSIDE, COMPONENT_POS, ROLE_POSITION, "embeddings.token_type_embeddings",
               types, b->width, false);
    lay_bert_head(s, head, b->width, d.vocab);
}

// ---- T5 ----

typedef struct T5 {
    KnBlock block;
    uint64_t encoder, decoder, vocab, buckets, max_context;    // layers of each
    bool tied;
} T5;

static void lay_attention(Model *model, int kind, const KnBlock *b, const char *prefix)
{
    uint64_t h = b->width, q = b->heads * b->head_dim;
    lay_linear(model, kind, COMPONENT_ATTN, ROLE_Q, build_name(model, "%s.q", prefix), q, h, false);
    lay_linear(model, kind, COMPONENT_ATTN, ROLE_K, build_name(model, "%s.k", prefix), q, h, false);
    lay_linear(model, kind, COMPONENT_ATTN, ROLE_V, build_name(model, "%s.v", prefix), q, h, false);
    lay_linear(model, kind, COMPONENT_ATTN, ROLE_O, build_name(model, "%s.o", prefix), h, q, false);
}

// Attention over itself, of a decoder over the encoder's output as well, and the MLP: a norm before each.
static void lay_stack(ConfigFields *s, const T5 *t5, bool decoder)
{
    Model *model = s->model;
    KnBlock block = t5->block;
    int mlp = decoder ? 2 : 1, count = (int)(decoder ? t5->decoder : t5->encoder);
    block.norms = (uint64_t)(mlp + 1) * block.width;
    int kind = build_kind(model, (LayerKind){.name = decoder ? "decoder" : "encoder",
                                             .count = count,
                                             .block = block,
                                             .caches = decoder,
                                             .cross = decoder,
                                             .causal = decoder});
    lay_attention(model, kind, &block, "layer.0.SelfAttention");
    if (decoder) lay_attention(model, kind, &block, "layer.1.EncDecAttention");
    const char *dense = build_name(model, "layer.%d.DenseReluDense", mlp);
    MlpNames names = {.up = build_name(model, "%s.wi", dense),
                      .down = build_name(model, "%s.wo", dense)};
    if (block.gated)
        names.gate = build_name(model, "%s.wi_0", dense),
        names.up = build_name(model, "%s.wi_1", dense);
    lay_mlp(model, kind, COMPONENT_MLP, &names, block.width, block.ffn, false);
    for (int i = 0; i <= mlp; i++)
        lay_norm(model, kind, COMPONENT_NORM, build_name(model, "layer.%d.layer_norm", i),
                 block.width, false);
}

static void lay_t5(ConfigFields *s, const T5 *t5, Head head)
{
    Model *model = s->model;
    bool decoder = head != HEAD_ENCODER;
    uint64_t h = t5->block.width;
    model->width = h, model->vocab = t5->vocab, model->max_context = t5->max_context;
    build_weight(model, OUTSIDE, COMPONENT_EMBED, ROLE_EMBED, "shared.weight", t5->vocab, h);
    // By distance; only the first layer has them, and the others take them from there.
    build_weight(model, OUTSIDE, COMPONENT_POS, ROLE_OTHER,
                 "layer.0.SelfAttention.relative_attention_bias.weight", t5->buckets,
                 t5->block.heads)
        ->copies = decoder ? 2 : 1;
    lay_stack(s, t5, false);
    lay_norm(model, OUTSIDE, COMPONENT_NORM, "encoder.final_layer_norm", h, false);
    if (decoder) lay_stack(s, t5, true);
    if (decoder) lay_norm(model, OUTSIDE, COMPONENT_NORM, "decoder.final_layer_norm", h, false);
    model->tied = head == HEAD_WORDS && t5->tied;
    if (head == HEAD_WORDS && !t5->tied)
        build_weight(model, OUTSIDE, COMPONENT_HEAD, ROLE_HEAD, "lm_head.weight", t5->vocab, h);
}

// T5ForConditionalGeneration, models/t5/modeling_t5.py. From 1.1 on MLPs are gated and the head is apart.
static void read_t5(ConfigFields *s, Head head, Usual usual, const char *mlp)
{
    T5 t5 = {.max_context = config_count(s, "n_positions", 0)};
    KnBlock *b = &t5.block;
    b->width = config_need(s, "d_model");
    t5.encoder = decoder_layers(s, "num_layers");
    t5.decoder =
        config_has(s, "num_decoder_layers") ? decoder_layers(s, "num_decoder_layers") : t5.encoder;
    b->heads = b->kv_heads = config_size(s, "num_heads", usual.heads);
    b->head_dim = config_size(s, "d_kv", usual.head_dim);
    b->ffn = config_size(s, "d_ff", usual.ffn);
    b->gated = strncmp(config_text(s, "feed_forward_proj", mlp), "gated-", 6) == 0;
    t5.vocab = config_size(s, "vocab_size", usual.vocab);
    t5.buckets = config_count(s, "relative_attention_num_buckets", 32);
    t5.tied = config_flag(s, "tie_word_embeddings", usual.tied);
    if (head != HEAD_WORDS && head != HEAD_NONE && head != HEAD_ENCODER)
        config_fail(s, "\"architectures\" is no head of T5 that is known here");
    if (!s->failed) lay_t5(s, &t5, head);
}

void family_t5(ConfigFields *s, Head head)
{
    read_t5(s, head, (Usual){.vocab = 32128, .heads = 8, .head_dim = 64, .ffn = 2048, .tied = true},
            "relu");
}

// models/mt5/modeling_mt5.py: T5 1.1 for many languages.
void family_mt5(ConfigFields *s, Head head)
{
    read_t5(s, head, (Usual){.vocab = 250112, .heads = 6, .head_dim = 64, .ffn = 1024},
            "gated-gelu");
}
