#include "labs/5_frontier/key_numbers/app/plan/activations.h"
#include "common/text.h"
#include <string.h>

bool activations_dropout(const Model *model)
{
    // Rates above 0 in the families' own configurations; LLaMA and almost all after it train without.
    static const char *const families[] = {"gpt2", "bert", "opt", "t5", "mt5"};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strcmp(model->family, families[i]) == 0) return true;
    return false;
}

uint64_t activations_ffn(const KnBlock *block)
{
    return block->ffn + block->shared_ffn + block->active_experts * block->expert_ffn;
}

static double tokens_of(const KnPass *pass)
{
    return (double)pass->sequence * (double)pass->batch;
}

static double whole_by(const KnPass *pass)
{
    return pass->sequence_parallel ? (double)pass->tensor_parallel : 1;
}

// The formula's numbers take 2 bytes. In fp32 all are twice as large but those that never were 16 bits:
// dropout's masks, and the floats that flash attention keeps for its rows.
static double block_bytes(const KnBlock *block, const KnPass *pass, int number)
{
    double bytes = kn_activation_bytes(block, pass);
    if (number == 2) return bytes;
    double fixed = 0, a = (double)block->heads / (double)pass->tensor_parallel;
    if (pass->dropout && pass->recompute != KN_FULL)
        fixed += 2 * (double)block->width / whole_by(pass);
    if (pass->recompute == KN_KEEP_ALL)
        fixed += pass->flash ? 4 * a : pass->dropout ? a * (double)pass->sequence : 0;
    return 2 * bytes - fixed * tokens_of(pass);
}

// A second attention is a block without an MLP, and without the MLP's norm and dropout. Its keys' and
// values' input is the encoder's output, which is kept once for all layers.
static double cross_bytes(const KnBlock *block, const KnPass *pass, int number)
{
    KnBlock attention = *block;
    attention.ffn = attention.shared_ffn = attention.active_experts = 0;
    double mlp = (2 * number + (pass->dropout ? 1 : 0)) * (double)block->width;
    return block_bytes(&attention, pass, number) - mlp / whole_by(pass) * tokens_of(pass);
}

// Of the residual stream, in a layer. LayerNorm's bias is a second vector of the same norm.
static int norms_of(const Model *model, int kind)
{
    int count = 0;
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        count += w->kind == kind && w->component == COMPONENT_NORM && w->role == ROLE_NORM &&
                 !text_ends(w->name, ".bias");
    }
    return count;
}

LayerActivations activations_layer(const Model *model, int kind, const KnPass *pass, int number)
{
    const LayerKind *layer = &model->kinds[kind];
    const KnBlock *block = &layer->block;
    LayerActivations bytes = {.block = block_bytes(block, pass, number)};
    if (pass->recompute != KN_FULL) {
        int expected = layer->cross ? 3 : 2, norms = norms_of(model, kind);
        double h = (double)block->width / whole_by(pass) * tokens_of(pass);
        if (norms > expected) bytes.norms = (norms - expected) * number * h;
        bytes.router = 4 * (double)block->experts / whole_by(pass) * tokens_of(pass);
        if (layer->cross) bytes.cross = cross_bytes(block, pass, number);
    }
    bytes.total = bytes.block + bytes.norms + bytes.router + bytes.cross;
    return bytes;
}

Range activations_plain(const Model *model, int kind, const KnPass *pass, int number)
{
    const KnBlock *b = &model->kinds[kind].block;
    if (pass->recompute == KN_FULL) return (Range){0, 0};
    double h = (double)b->width / whole_by(pass), n = number, low, high;
    double f = (double)activations_ffn(b) / (double)pass->tensor_parallel;
    double a = (double)b->heads / (double)pass->tensor_parallel;
    double scores = a * (double)pass->sequence;
    double repeated = b->kv_rank > 0 ? 0
                                     : 2 * n * (double)((b->heads - b->kv_heads) * b->head_dim) /
                                           (double)pass->tensor_parallel;
    low = b->gated ? 8 * h + n * f : 0;
    double d = (double)b->head_dim, cached = pass->batch > 1 ? (double)b->kv_heads * d : 0;
    if (b->kv_rank > 0) d = cached = 0;
    double old = 2 * n * h + 2 * n * d + 2 * n * cached / (double)pass->tensor_parallel;
    high = b->gated ? low + old + repeated : 3 * n * f;
    if (pass->recompute == KN_KEEP_ALL && !pass->flash) {
        double twice = n == 2 ? 4 * scores : 0;    // fp32 is what the softmax works in
        low += twice + repeated;
        high += twice + n * scores;
    }
    return (Range){low * tokens_of(pass), high * tokens_of(pass)};
}

double activations_adapters(const Model *model, int kind, LoraTargets targets, uint64_t rank,
                            const KnPass *pass, int number)
{
    const KnBlock *block = &model->kinds[kind].block;
    uint64_t count = 0;
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        if (w->kind != kind || !adapters_on(w, targets)) continue;
        count += w->component == COMPONENT_EXPERTS ? block->active_experts : w->copies;
    }
    return number * (double)(count * rank) * (double)pass->sequence * (double)pass->batch;
}
