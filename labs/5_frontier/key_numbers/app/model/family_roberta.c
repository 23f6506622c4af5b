/* family_roberta.c -- encoders after BERT: RoBERTa and XLM-R, DistilBERT, MPNet, ModernBERT. */
#include "labs/5_frontier/key_numbers/app/model/family.h"

static void lay_dense(ConfigFields *s, const char *name, uint64_t rows, uint64_t cols)
{
    lay_linear(s->model, OUTSIDE, COMPONENT_HEAD, ROLE_OTHER, name, rows, cols, true);
}

static bool is_labels(ConfigFields *s, Head head)
{
    if (head != HEAD_NONE && head != HEAD_MASKED && head != HEAD_LABELS && head != HEAD_TOKENS &&
        head != HEAD_ANSWERS)
        config_fail(s, "\"architectures\" has a head that this family does not have here");
    return head == HEAD_LABELS;
}

// Tokens and answers have one matrix, in all of these.
static void lay_plain_head(ConfigFields *s, Head head, uint64_t h)
{
    if (head == HEAD_TOKENS) lay_dense(s, "classifier", config_labels(s), h);
    if (head == HEAD_ANSWERS) lay_dense(s, "qa_outputs", config_labels(s), h);
}

static Decoder read_encoder(ConfigFields *s, const Names *names, uint64_t vocab, uint64_t positions)
{
    Decoder d = {.head = HEAD_NONE, .names = *names, .norm_bias = true, .both_ways = true};
    KnBlock *b = &d.block;
    b->width = config_need(s, "hidden_size|dim");
    d.layers = decoder_layers(s, "num_hidden_layers|n_layers");
    b->heads = b->kv_heads = config_size(s, "num_attention_heads|n_heads", 12);
    b->head_dim = decoder_head_dim(s, b->width, b->heads, 0);
    b->ffn = config_size(s, "intermediate_size|hidden_dim", 3072);
    b->qkv_bias = b->out_bias = b->mlp_bias = true;
    d.vocab = config_size(s, "vocab_size", vocab);
    d.max_context = d.positions = config_size(s, "max_position_embeddings", positions);
    return d;
}

static const Names names_bert = {
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

// RobertaModel, models/roberta/modeling_roberta.py; XLM-R is the same. Positions are counted from 2.
void family_roberta(ConfigFields *s, Head head)
{
    Decoder d = read_encoder(s, &names_bert, 50265, 514);
    uint64_t h = d.block.width, types = config_size(s, "type_vocab_size", 2);
    if (d.max_context > 2) d.max_context -= 2;
    bool labels = is_labels(s, head);
    decoder_lay(s, &d);
    if (s->failed) return;
    lay_linear(s->model, OUTSIDE, COMPONENT_POS, ROLE_POSITION, "embeddings.token_type_embeddings",
               types, h, false);
    if (head == HEAD_NONE)
        lay_linear(s->model, OUTSIDE, COMPONENT_POOLER, ROLE_OTHER, "pooler.dense", h, h, true);
    if (labels) lay_dense(s, "classifier.dense", h, h);
    if (labels) lay_dense(s, "classifier.out_proj", config_labels(s), h);
    lay_plain_head(s, head, h);
    if (head != HEAD_MASKED) return;
    s->model->tied = true;
    lay_dense(s, "lm_head.dense", h, h);
    lay_norm(s->model, OUTSIDE, COMPONENT_HEAD, "lm_head.layer_norm", h, true);
    build_vector(s->model, OUTSIDE, COMPONENT_HEAD, ROLE_BIAS, "lm_head.bias", d.vocab);
}

// DistilBertModel, models/distilbert/modeling_distilbert.py.
void family_distilbert(ConfigFields *s, Head head)
{
    static const Names names = {
        .embed = "embeddings.word_embeddings",
        .positions = "embeddings.position_embeddings",
        .embed_norm = "embeddings.LayerNorm",
        .q = "attention.q_lin",
        .k = "attention.k_lin",
        .v = "attention.v_lin",
        .o = "attention.out_lin",
        .norms = {"sa_layer_norm", "output_layer_norm"},
        .mlp = {.up = "ffn.lin1", .down = "ffn.lin2"},
    };
    Decoder d = read_encoder(s, &names, 30522, 512);
    uint64_t h = d.block.width;
    bool labels = is_labels(s, head);
    decoder_lay(s, &d);
    if (s->failed) return;
    if (labels) lay_dense(s, "pre_classifier", h, h);
    if (labels) lay_dense(s, "classifier", config_labels(s), h);
    lay_plain_head(s, head, h);
    if (head != HEAD_MASKED) return;
    s->model->tied = true;
    lay_dense(s, "vocab_transform", h, h);
    lay_norm(s->model, OUTSIDE, COMPONENT_HEAD, "vocab_layer_norm", h, true);
    build_vector(s->model, OUTSIDE, COMPONENT_HEAD, ROLE_BIAS, "vocab_projector.bias", d.vocab);
}

// MPNetModel, models/mpnet/modeling_mpnet.py: all-mpnet-base-v2. Distances as in T5.
void family_mpnet(ConfigFields *s, Head head)
{
    Names names = names_bert;
    names.q = "attention.attn.q", names.k = "attention.attn.k", names.v = "attention.attn.v";
    names.o = "attention.attn.o", names.norms[0] = "attention.LayerNorm";
    Decoder d = read_encoder(s, &names, 30527, 512);
    uint64_t h = d.block.width;
    if (d.max_context > 2) d.max_context -= 2;
    if (head != HEAD_NONE) config_fail(s, "\"architectures\" has a head that MPNet has not here");
    decoder_lay(s, &d);
    if (s->failed) return;
    lay_linear(s->model, OUTSIDE, COMPONENT_POS, ROLE_OTHER, "encoder.relative_attention_bias",
               config_size(s, "relative_attention_num_buckets", 32), d.block.heads, false);
    lay_linear(s->model, OUTSIDE, COMPONENT_POOLER, ROLE_OTHER, "pooler.dense", h, h, true);
}

// ModernBertModel, models/modernbert/modeling_modernbert.py: gated MLPs, norms before; two layers of three
// see 128 tokens. The first has no norm before attention.
void family_modernbert(ConfigFields *s, Head head)
{
    static const Names names = {
        .embed = "embeddings.tok_embeddings",
        .embed_norm = "embeddings.norm",
        .final_norm = "final_norm",
        .qkv = "attn.Wqkv",
        .o = "attn.Wo",
        .norms = {"mlp_norm"},
        .mlp = {.both = "mlp.Wi", .down = "mlp.Wo"},
    };
    Decoder d = read_encoder(s, &names, 50368, 8192);
    KnBlock *b = &d.block;
    uint64_t h = b->width;
    bool norm_bias = config_flag(s, "norm_bias", false), labels = is_labels(s, head);
    if (!config_has(s, "intermediate_size")) b->ffn = 1152;
    d.positions = 0;
    d.norm_bias = norm_bias;
    b->gated = true;
    b->qkv_bias = b->out_bias = config_flag(s, "attention_bias", false);
    b->mlp_bias = config_flag(s, "mlp_bias", false);
    uint64_t every = config_size(s, "global_attn_every_n_layers", 3);
    bool *marked = decoder_flags(s, d.layers), *slides = decoder_flags(s, d.layers);
    for (uint64_t i = 0; i < d.layers; i++) slides[i] = i % every != 0, marked[i] = i == 0;
    d.window = config_size(s, "local_attention", 128);
    d.slides = decoder_slides(s, d.layers, 0, slides);
    d.marked = marked;
    decoder_part(&d, LAYER_UNMARKED, COMPONENT_NORM, ROLE_NORM, "attn_norm.weight", 1, h);
    if (norm_bias)
        decoder_part(&d, LAYER_UNMARKED, COMPONENT_NORM, ROLE_NORM, "attn_norm.bias", 1, h);
    decoder_lay(s, &d);
    if (s->failed || head == HEAD_NONE) return;
    lay_linear(s->model, OUTSIDE, COMPONENT_HEAD, ROLE_OTHER, "head.dense", h, h,
               config_flag(s, "classifier_bias", false));
    lay_norm(s->model, OUTSIDE, COMPONENT_HEAD, "head.norm", h, norm_bias);
    if (labels) lay_dense(s, "classifier", config_labels(s), h);
    lay_plain_head(s, head, h);
    if (head != HEAD_MASKED) return;
    s->model->tied = config_flag(s, "tie_word_embeddings", true);
    if (!s->model->tied)
        build_weight(s->model, OUTSIDE, COMPONENT_HEAD, ROLE_HEAD, "decoder.weight", d.vocab, h);
    if (config_flag(s, "decoder_bias", true))
        build_vector(s->model, OUTSIDE, COMPONENT_HEAD, ROLE_BIAS, "decoder.bias", d.vocab);
}
