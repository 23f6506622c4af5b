#include "labs/5_frontier/key_numbers/app/plan/runtime.h"
#include <math.h>
#include "labs/5_frontier/key_numbers/key_numbers.h"

enum {
    FLOAT = 4,
    SORTED = 38,                 // bytes for a logit while vLLM's sampler sorts them,
    SORTED_BESIDE = 51 << 20,    // and what is left over in all six logs, 0.04 to 0.07 GiB
    SCORE_VECTORS = 6,           // of the residual stream, beside llama.cpp's scores
    CELLS = 256                  // llama.cpp pads a cache to
};

// ---- work space ----

static Range vllm_work(const Workspace *work, const Workload *w)
{
    double tokens = (double)w->step_tokens, sequences = (double)w->sequences;
    double low = workspace_bytes(work, tokens, 0);
    double sorted = work->vocab > 0 ? SORTED * sequences * (double)work->vocab + SORTED_BESIDE : 0;
    double stream = tokens * (double)work->hidden / 2 * (double)work->number;
    return (Range){low, fmax(low, sorted + stream)};
}

// Of a micro-batch, whatever the requests are: the buffers are made at the start.
static Range llama_cpp_work(const Workspace *work, const Workload *w, double requests)
{
    double t = (double)w->step_tokens, h = (double)work->hidden / 2;
    double layer = (double)(work->attention > work->mlp ? work->attention : work->mlp) + 2 * h;
    double low = FLOAT * t * fmax((double)work->vocab + h, layer);
    double cells = requests * (double)w->context;
    double scores = FLOAT * t * ((double)work->heads * cells + SCORE_VECTORS * h);
    return (Range){low, fmax(low, scores)};
}

// All logits in the model's numbers and as floats.
static Range transformers_work(const Workspace *work, const Workload *w, double requests)
{
    double tokens = (double)w->context * requests, low = workspace_bytes(work, tokens, requests);
    double all = tokens * ((double)work->vocab * (double)(work->number + FLOAT) +
                           (double)(work->hidden * work->number));
    return (Range){low, fmax(low, all)};
}

Range runtime_work(const Workspace *work, const Workload *w, double tokens, double requests)
{
    switch (w->runtime) {
    case RUNTIME_VLLM: return vllm_work(work, w);
    case RUNTIME_LLAMA_CPP: return llama_cpp_work(work, w, requests);
    case RUNTIME_TRANSFORMERS: return transformers_work(work, w, requests);
    case RUNTIME_ANY:
    case RUNTIME_COUNT: break;
    }
    double bytes = workspace_bytes(work, tokens, requests);
    return (Range){bytes, bytes};
}

// ---- overhead ----

Range runtime_overhead(const Workload *w, const MemoryLimit *limit, Split split)
{
    double gib = limit->overhead_gib;
    // Logs of vLLM of 2024 and 2025 (non-torch memory), with NCCL's buffers from two GPUs on. Of the others one
    // log each of a context: an A100 with 78.84 of 79.25 GiB free before vLLM starts; llama.cpp's 749 MiB
    // unaccounted for on an RTX PRO 6000 (ggml-org/llama.cpp #27953). Transformers is taken to be alike.
    static const Range own[RUNTIME_COUNT][2] = {
        [RUNTIME_VLLM] = {{0.05, 1.79}, {0.55, 3.58}},
        [RUNTIME_LLAMA_CPP] = {{0.41, 0.73}, {0.41, 0.73}},
        [RUNTIME_TRANSFORMERS] = {{0.41, 0.73}, {0.55, 3.58}}};
    if (gib >= 0 || w->runtime == RUNTIME_ANY) return (Range){gib * 0x1p30, gib * 0x1p30};
    Range range = own[w->runtime][split.tp * split.ep > 1];
    return (Range){range.low * 0x1p30, range.high * 0x1p30};
}

// ---- cache ----

uint64_t runtime_cached(const Workload *w, uint64_t context, uint64_t window)
{
    if (w->runtime != RUNTIME_LLAMA_CPP) return kn_cached_tokens(context, window, w->page);
    uint64_t cells = context;
    if (window > 0 && window + w->step_tokens < cells) cells = window + w->step_tokens;
    return (cells + CELLS - 1) / CELLS * CELLS;
}

RuntimeWords runtime_decides(Runtime runtime)
{
    static const char *const context = "the driver, and the kernels that are loaded";
    static const RuntimeWords words[RUNTIME_COUNT] = {
        [RUNTIME_VLLM] = {"low: no sampling of all sequences; high: top-p sorts their logits, as "
                          "in logs of 2024 and 2025",
                          "low: logs of 2025; high: a log of 2024; several GPUs have NCCL's "
                          "buffers"},
        [RUNTIME_LLAMA_CPP] = {"low: flash attention; high: without, the scores of the whole cache",
                               context},
        [RUNTIME_TRANSFORMERS] = {"low: the last token's logits; high: all tokens', as before "
                                  "version 4.45",
                                  context}};
    return words[runtime];
}
