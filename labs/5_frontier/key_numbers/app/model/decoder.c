/* decoder.c -- the layout that most families share: embedding, layers of attention and an MLP or experts,
 * a norm, a head. */
#include <inttypes.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/family.h"

void lay_linear(Model *model, int kind, Component component, Role role, const char *name,
                uint64_t rows, uint64_t cols, bool bias)
{
    build_weight(model, kind, component, role, build_name(model, "%s.weight", name), rows, cols);
    if (bias)
        build_vector(model, kind, component, ROLE_BIAS, build_name(model, "%s.bias", name), rows);
}

void lay_norm(Model *model, int kind, Component component, const char *name, uint64_t size,
              bool bias)
{
    build_vector(model, kind, component, ROLE_NORM, build_name(model, "%s.weight", name), size);
    if (bias)
        build_vector(model, kind, component, ROLE_NORM, build_name(model, "%s.bias", name), size);
}

void lay_mlp(Model *model, int kind, Component component, const MlpNames *names, uint64_t width,
             uint64_t ffn, bool bias)
{
    if (names->gate != NULL)
        lay_linear(model, kind, component, ROLE_GATE, names->gate, ffn, width, bias);
    if (names->both != NULL)
        lay_linear(model, kind, component, ROLE_GATE_UP, names->both, 2 * ffn, width, bias);
    else lay_linear(model, kind, component, ROLE_UP, names->up, ffn, width, bias);
    lay_linear(model, kind, component, ROLE_DOWN, names->down, width, ffn, bias);
}

static void lay_grouped(Model *model, const Decoder *d, int kind, const KnBlock *b, unsigned has)
{
    const Names *n = &d->names;
    uint64_t h = b->width, q = b->heads * b->head_dim, kv = b->kv_heads * b->head_dim;
    bool values = kv > 0 && !(d->k_is_v && (has & LAYER_FULL));
    if (n->qkv != NULL) {
        lay_linear(model, kind, COMPONENT_ATTN, ROLE_QKV, n->qkv, q + 2 * kv, h, b->qkv_bias);
    } else {
        lay_linear(model, kind, COMPONENT_ATTN, ROLE_Q, n->q, d->q_gate ? 2 * q : q, h,
                   b->qkv_bias);
        if (kv > 0) lay_linear(model, kind, COMPONENT_ATTN, ROLE_K, n->k, kv, h, b->qkv_bias);
        if (values) lay_linear(model, kind, COMPONENT_ATTN, ROLE_V, n->v, kv, h, b->qkv_bias);
    }
    lay_linear(model, kind, COMPONENT_ATTN, ROLE_O, n->o, h, q, b->out_bias);
    uint64_t q_norm = b->qk_norm ? b->head_dim : d->q_norm;
    uint64_t k_norm = b->qk_norm ? b->head_dim : d->k_norm;
    if (q_norm > 0) lay_norm(model, kind, COMPONENT_ATTN, n->q_norm, q_norm, d->norm_bias);
    if (k_norm > 0 && kv > 0)
        lay_norm(model, kind, COMPONENT_ATTN, n->k_norm, k_norm, d->norm_bias);
}

// DeepSeek-AI 2024 (V2), section 2.1: keys and values come from one small latent, cached instead of them.
static void lay_latent(Model *model, int kind, const KnBlock *b)
{
    Component attn = COMPONENT_ATTN;
    uint64_t h = b->width, q = b->heads * (b->nope_dim + b->rope_dim);
    if (b->q_rank > 0) {
        lay_linear(model, kind, attn, ROLE_Q_A, "self_attn.q_a_proj", b->q_rank, h, b->qkv_bias);
        lay_norm(model, kind, attn, "self_attn.q_a_layernorm", b->q_rank, false);
        lay_linear(model, kind, attn, ROLE_Q_B, "self_attn.q_b_proj", q, b->q_rank, false);
    } else {
        lay_linear(model, kind, attn, ROLE_Q, "self_attn.q_proj", q, h, false);
    }
    lay_linear(model, kind, attn, ROLE_KV_A, "self_attn.kv_a_proj_with_mqa",
               b->kv_rank + b->rope_dim, h, b->qkv_bias);
    lay_norm(model, kind, attn, "self_attn.kv_a_layernorm", b->kv_rank, false);
    lay_linear(model, kind, attn, ROLE_KV_B, "self_attn.kv_b_proj",
               b->heads * (b->nope_dim + b->value_dim), b->kv_rank, false);
    lay_linear(model, kind, attn, ROLE_O, "self_attn.o_proj", h, b->heads * b->value_dim,
               b->out_bias);
}

// gpt-oss keeps a layer's experts in one tensor [E, in, out], named as it is.
static void lay_stacked(Model *model, int kind, const MlpNames *names, const KnBlock *b)
{
    uint64_t h = b->width, f = b->expert_ffn;
    build_weight(model, kind, COMPONENT_EXPERTS, ROLE_GATE_UP, names->both, 2 * f, h);
    build_weight(model, kind, COMPONENT_EXPERTS, ROLE_DOWN, names->down, h, f);
    if (!b->mlp_bias) return;
    build_vector(model, kind, COMPONENT_EXPERTS, ROLE_BIAS,
                 build_name(model, "%s_bias", names->both), 2 * f);
    build_vector(model, kind, COMPONENT_EXPERTS, ROLE_BIAS,
                 build_name(model, "%s_bias", names->down), h);
}

static void lay_experts(Model *model, const Decoder *d, int kind, const KnBlock *b)
{
    const Names *n = &d->names;
    build_weight(model, kind, COMPONENT_ROUTER, ROLE_ROUTER,
                 build_name(model, "%s.weight", n->router), b->experts, b->width);
    if (b->router_bias)
        build_vector(model, kind, COMPONENT_ROUTER, ROLE_BIAS, n->router_bias, b->experts);
    int first = model->weight_count;
    if (d->stacked) lay_stacked(model, kind, &n->expert, b);
    else
        lay_mlp(model, kind, COMPONENT_EXPERTS, &n->expert,
                d->expert_width > 0 ? d->expert_width : b->width, d->block.expert_ffn, b->mlp_bias);
    for (int i = first; i < model->weight_count; i++) model->weights[i].copies = b->experts;
    if (b->shared_ffn > 0)
        lay_mlp(model, kind, COMPONENT_SHARED, &n->shared, b->width, b->shared_ffn, b->mlp_bias);
    if (b->shared_ffn > 0 && d->shared_gate)
        build_vector(model, kind, COMPONENT_SHARED, ROLE_OTHER, "mlp.shared_expert_gate.weight",
                     b->width);
}

// DeepSeek-AI 2025 (V3.2): small heads of its own rank what each query should look at.
static void lay_indexer(Model *model, const Decoder *d, int kind)
{
    LayerKind *k = &model->kinds[kind];
    Component attn = COMPONENT_ATTN;
    k->index_dim = d->index_dim;
    lay_linear(model, kind, attn, ROLE_OTHER, "self_attn.indexer.wq_b",
               d->index_heads * d->index_dim, k->block.q_rank, false);
    lay_linear(model, kind, attn, ROLE_OTHER, "self_attn.indexer.wk", d->index_dim, k->block.width,
               false);
    lay_norm(model, kind, attn, "self_attn.indexer.k_norm", d->index_dim, true);
    lay_linear(model, kind, attn, ROLE_OTHER, "self_attn.indexer.weights_proj", d->index_heads,
               k->block.width, false);
}

void decoder_part(Decoder *d, unsigned in, Component component, Role role, const char *name,
                  uint64_t rows, uint64_t cols)
{
    REQUIRE(d->part_count < PARTS_MAX, "%s is one of over %d parts", name, PARTS_MAX);
    d->parts[d->part_count++] = (Part){in, component, role, name, rows, cols, 0};
}

static void lay_layer(Model *model, const Decoder *d, int kind, unsigned has)
{
    KnBlock *b = &model->kinds[kind].block;
    uint64_t vectors = d->norm_bias ? 2 : 1;
    for (int i = 0; i < 4 && d->names.norms[i] != NULL; i++) {
        lay_norm(model, kind, COMPONENT_NORM, d->names.norms[i], b->width, d->norm_bias);
        b->norms += vectors * b->width;
    }
    bool attends = (has & LAYER_ATTENDS) != 0;
    if (attends && b->kv_rank > 0 && d->compress == NULL) lay_latent(model, kind, b);
    else if (attends && d->names.o != NULL) lay_grouped(model, d, kind, b, has);
    for (int i = 0; i < d->part_count; i++) {
        const Part *p = &d->parts[i];
        bool fits = p->compress == 0 || p->compress == model->kinds[kind].compress;
        if (fits && (p->in & has))
            build_weight(model, kind, p->component, p->role, p->name, p->rows, p->cols);
    }
    if (attends && d->index_heads > 0 && (has & LAYER_UNMARKED) == 0) lay_indexer(model, d, kind);
    if (attends && d->sinks)
        build_vector(model, kind, COMPONENT_ATTN, ROLE_OTHER, "self_attn.sinks", b->heads);
    Component mlp = d->block.experts > 0 ? COMPONENT_DENSE_MLP : COMPONENT_MLP;
    if (b->ffn > 0) lay_mlp(model, kind, mlp, &d->names.mlp, b->width, b->ffn, b->mlp_bias);
    if (b->experts > 0) lay_experts(model, d, kind, b);
    // The formula knows no biases of latent attention: they are among what the layer has beside it.
    if (b->kv_rank > 0) b->qkv_bias = b->out_bias = false;
}

// The name's first word: bidirectional; it is one of the JSON's.
static const char *mixer_name(const Decoder *d, const KnBlock *block, unsigned has)
{
    if (has & LAYER_STATE) return d->mixer;
    if ((has & LAYER_ATTENDS) == 0) return "no attention";
    return d->both_ways         ? "attention both ways"    // image: both ways
           : block->kv_rank > 0 ? "latent attention"
           : has & LAYER_SLIDES ? "sliding attention"
                                : "full attention";
}

static int add_kind(ConfigFields *s, const Decoder *d, unsigned has, uint64_t ffn,
                    uint64_t compress)
{
    KnBlock block = d->block;
    bool mixes = (has & LAYER_STATE) != 0, slides = (has & LAYER_SLIDES) != 0;
    block.ffn = ffn;
    if ((has & LAYER_ROUTED) == 0) {
        block.experts = block.active_experts = block.expert_ffn = block.shared_ffn = 0;
        block.router_bias = false;
    }
    if ((has & LAYER_ATTENDS) == 0) {
        block.heads = block.kv_heads = block.head_dim = block.kv_rank = block.q_rank = 0;
        block.qkv_bias = block.out_bias = block.qk_norm = false;
    }
    // The formula's expert is as wide as the layer, and so much smaller.
    if (d->expert_width > 0) block.expert_ffn = block.expert_ffn * d->expert_width / block.width;
    if (d->shape != NULL) d->shape(d, has, &block);
    const char *mlp = has & LAYER_ROUTED         ? ", experts"
                      : (has & LAYER_DENSE) == 0 ? ", no MLP"
                      : d->block.experts > 0     ? ", dense MLP"
                                                 : "";
    if (d->ffns != NULL && ffn > 0) mlp = build_name(s->model, ", MLP of %" PRIu64, ffn);
    const char *borrows = has & LAYER_BORROWS ? ", earlier keys and values" : "";
    return build_kind(
        s->model,
        (LayerKind){.name =
                        build_name(s->model, "%s%s%s", mixer_name(d, &block, has), borrows, mlp),
                    .block = block,
                    .window = slides ? d->window : 0,
                    .value_dim = d->value_dim,
                    .state = mixes ? 2 * d->conv + 4 * d->state : 0,
                    .compress = compress,
                    .index_dim = compress > 0 && compress == d->indexed ? d->index_dim : 0,
                    .borrows = (has & LAYER_BORROWS) != 0,
                    .caches = !d->both_ways,
                    .causal = !d->both_ways});
}

static bool flag(const bool *flags, uint64_t layer, bool otherwise)
{
    return flags != NULL ? flags[layer] : otherwise;
}

static unsigned layer_has(const Decoder *d, uint64_t i)
{
    bool slides = d->window > 0 && flag(d->slides, i, true), bare = flag(d->bare, i, false);
    bool mixes = flag(d->mixes, i, false), idle = flag(d->idle, i, false);
    unsigned has = 0;
    if (mixes || d->beside) has |= LAYER_STATE;
    if (!mixes && !bare) has |= slides ? LAYER_SLIDES : LAYER_FULL;
    if (!mixes && !bare && flag(d->borrows, i, false)) has |= LAYER_BORROWS;
    if (!idle) has |= d->block.experts > 0 && flag(d->routed, i, true) ? LAYER_ROUTED : LAYER_DENSE;
    if (d->marked != NULL) has |= d->marked[i] ? LAYER_MARKED : LAYER_UNMARKED;
    if (d->ffns != NULL && d->ffns[i] == 0) has &= ~(unsigned)LAYER_DENSE;
    return has;
}

// Layers that have the same are of one kind. Kinds are numbered as they come.
static void lay_layers(ConfigFields *s, const Decoder *d)
{
    Model *model = s->model;
    struct {
        unsigned has;
        uint64_t ffn, compress;
    } kinds[KINDS_MAX] = {{0, 0, 0}};
    model->layers = (int)d->layers;
    model->kind_of = arena_alloc(s->arena, d->layers * sizeof *model->kind_of);
    for (uint64_t i = 0; i < d->layers && !s->failed; i++) {
        unsigned has = layer_has(d, i);
        uint64_t ffn = (has & LAYER_DENSE) == 0 ? 0 : d->ffns != NULL ? d->ffns[i] : d->block.ffn;
        uint64_t compress = d->compress != NULL ? d->compress[i] : 0;
        int k = 0;
        while (k < model->kind_count &&
               (kinds[k].has != has || kinds[k].ffn != ffn || kinds[k].compress != compress))
            k++;
        if (k == KINDS_MAX) config_fail(s, "has layers of over %d kinds", KINDS_MAX);
        if (k == KINDS_MAX) return;
        if (k == model->kind_count) {
            add_kind(s, d, has, ffn, compress);
            kinds[k].has = has, kinds[k].ffn = ffn, kinds[k].compress = compress;
        }
        model->kind_of[i] = k;
        model->kinds[k].count++;
    }
    for (int k = 0; k < model->kind_count; k++) lay_layer(model, d, k, kinds[k].has);
}

// models of transformers 4.57: GenericForTokenClassification and the like; the rewards are remote code of
// Qwen2.5-Math and InternLM2.
static void lay_other_head(ConfigFields *s, const Decoder *d, uint64_t width)
{
    const Component at = COMPONENT_HEAD;
    Model *model = s->model;
    uint64_t h = d->block.width;
    bool score = strcmp(model->family, "gpt2") != 0 && strcmp(model->family, "bloom") != 0 &&
                 strcmp(model->family, "falcon") != 0 && strcmp(model->family, "phi") != 0 &&
                 strcmp(model->family, "gpt_neox") != 0;
    switch (d->head) {
    case HEAD_LABELS:
        build_weight(model, OUTSIDE, at, ROLE_OTHER, "score.weight", config_labels(s), width);
        return;
    case HEAD_TOKENS:
        lay_linear(model, OUTSIDE, at, ROLE_OTHER, score ? "score" : "classifier", config_labels(s),
                   h, true);
        return;
    case HEAD_ANSWERS:
        lay_linear(model, OUTSIDE, at, ROLE_OTHER, "qa_outputs", 2, width, true);
        return;
    case HEAD_REWARD:
        if (strcmp(model->family, "internlm2") == 0) {
            build_weight(model, OUTSIDE, at, ROLE_OTHER, "v_head.weight", 1, h);
            return;
        }
        // fall through
    case HEAD_STEPS:
        lay_linear(model, OUTSIDE, at, ROLE_OTHER, "score.0", h, h, true);
        lay_linear(model, OUTSIDE, at, ROLE_OTHER, "score.2",
                   d->head == HEAD_REWARD ? 1 : config_labels(s), h, true);
        return;
    default: return;
    }
}

static void lay_head(ConfigFields *s, const Decoder *d, uint64_t width)
{
    Model *model = s->model;
    lay_other_head(s, d, width);
    if (d->head != HEAD_WORDS) return;
    if (d->tied) model->tied = true;
    else
        lay_linear(model, OUTSIDE, COMPONENT_HEAD, ROLE_HEAD, d->names.head, d->vocab, width,
                   false);
    if (d->head_bias)
        build_vector(model, OUTSIDE, COMPONENT_HEAD, ROLE_BIAS,
                     build_name(model, "%s.bias", d->names.head), d->vocab);
}

static void check(ConfigFields *s, const Decoder *d)
{
    const KnBlock *b = &d->block;
    if (b->kv_rank == 0 && b->kv_heads > 0 && b->heads % b->kv_heads != 0)
        config_fail(
            s, "%" PRIu64 " heads cannot share %" PRIu64 " key and value heads: expected a divisor",
            b->heads, b->kv_heads);
    if (b->active_experts > b->experts)
        config_fail(s, "a token goes to %" PRIu64 " experts, and there are %" PRIu64,
                    b->active_experts, b->experts);
    if (d->head > HEAD_STEPS)
        config_fail(s, "\"architectures\" has a head that this family does not have here");
    bool known = strcmp(s->model->family, "qwen2") == 0 ||
                 (strcmp(s->model->family, "internlm2") == 0 && d->head == HEAD_REWARD);
    if ((d->head == HEAD_REWARD || d->head == HEAD_STEPS) && !known)
        config_fail(s, "\"architectures\" is a reward model, whose head is not known here");
}

void decoder_lay(ConfigFields *s, Decoder *d)
{
    Model *model = s->model;
    KnBlock *b = &d->block;
    uint64_t width = d->embed_width > 0 ? d->embed_width : b->width;
    check(s, d);
    if (s->failed) return;
    model->width = b->width, model->vocab = d->vocab, model->max_context = d->max_context;
    lay_linear(model, OUTSIDE, COMPONENT_EMBED, ROLE_EMBED, d->names.embed, d->vocab, width, false);
    if (d->positions > 0)
        lay_linear(model, OUTSIDE, COMPONENT_POS, ROLE_POSITION, d->names.positions, d->positions,
                   b->width, false);
    if (d->names.embed_norm != NULL)
        lay_norm(model, OUTSIDE, COMPONENT_NORM, d->names.embed_norm, b->width, d->norm_bias);
    lay_layers(s, d);
    if (d->names.final_norm != NULL)
        lay_norm(model, OUTSIDE, COMPONENT_NORM, d->names.final_norm, b->width, d->norm_bias);
    lay_head(s, d, width);
    if (d->mixes != NULL || d->beside)
        build_note(model, "FLOPs and activations leave out what the recurrence of %s computes",
                   d->mixer);
}
