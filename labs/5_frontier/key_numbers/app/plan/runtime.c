#include "labs/5_frontier/key_numbers/app/plan/runtime.h"
#include <math.h>
#include "labs/5_frontier/key_numbers/key_numbers.h"

enum {
    HALF = 2,
    FLOAT = 4,
    LONG = 8,
    // PyTorch's CUDAHooks.cpp: what cuBLAS works in, on Hopper; elsewhere 8 MiB.
    CUBLAS = 32 << 20,
    SEGMENTS = 128,    // rows from which PyTorch sorts each by itself
    CELLS = 256,       // llama.cpp pads a cache to
    MXFP4_BITS = 17    // of four numbers and their share of a scale
};

// ---- work space ----

// While PyTorch sorts the logits of `rows` requests (vLLM, topk_topp_sampler.py; PyTorch, SortStable.cu): they
// are there in 16 bits and as floats; sorted, with their places; the places before; and CUB sorts from one
// pair of buffers into another. Fewer rows are sorted as one, by value and then by row, in two pairs more.
static double sorted_bytes(double rows)
{
    double logits = HALF + FLOAT, sorted = FLOAT + LONG, buffers = FLOAT + LONG;
    double places = rows < SEGMENTS ? 2 * LONG + FLOAT : LONG;
    return logits + sorted + places + buffers;
}

static Range vllm_work(const Workspace *work, const Workload *w)
{
    double tokens = (double)w->step_tokens, rows = (double)w->sequences;
    double stream = (double)work->hidden / 2 * (double)work->number;    // of a token
    double low = workspace_bytes(work, tokens, 0) + CUBLAS;
    if (work->vocab == 0) return (Range){low, low};
    double sorted = rows * (double)work->vocab * sorted_bytes(rows);
    return (Range){low, fmax(low, sorted + (tokens + rows) * stream + CUBLAS)};
}

// Of a micro-batch, whatever the requests are: the buffers are made at the start, and a place that is free
// again counts. High was found on what llama_cpp_python 0.3.36 reserves on a CPU (measure_llama_cpp.py); logs of
// 2024 have one vector and the keys and values less.
static Range llama_cpp_work(const Workspace *work, const Workload *w, double requests)
{
    double t = (double)w->step_tokens, h = (double)work->hidden / 2, v = (double)work->vocab;
    double layer = (double)(work->attention > work->mlp ? work->attention : work->mlp);
    double cells = requests * (double)w->context;
    double scores = ((double)work->heads + 1) * cells + 3 * h + 2 * (double)work->queries +
                    2 * (double)work->keys;
    double high = fmax(v + 2 * h, fmax(scores, (double)work->mlp + 5 * h + cells));
    return (Range){FLOAT * t * fmax(v + h, layer + 2 * h), FLOAT * t * fmax(high, layer + 2 * h)};
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
    // Measured, not derived. Nine logs of vLLM, 2024 to 2026 (non-torch memory; measurements.json has them),
    // from two GPUs on with NCCL's buffers. Of the others one log each of a context: an A100 with 78.84 of
    // 79.25 GiB free before vLLM starts; llama.cpp's 749 MiB unaccounted for on an RTX PRO 6000
    // (ggml-org/llama.cpp #27953). Transformers is taken to be alike.
    static const Range own[RUNTIME_COUNT][2] = {
        [RUNTIME_VLLM] = {{0.02, 1.79}, {0.20, 3.58}},
        [RUNTIME_LLAMA_CPP] = {{0.41, 0.73}, {0.41, 0.73}},
        [RUNTIME_TRANSFORMERS] = {{0.41, 0.73}, {0.20, 3.58}}};
    if (gib >= 0 || w->runtime == RUNTIME_ANY) return (Range){gib * 0x1p30, gib * 0x1p30};
    Range range = own[w->runtime][split.tp * split.ep > 1];
    return (Range){range.low * 0x1p30, range.high * 0x1p30};
}

// ---- weights ----

static uint64_t whole(uint64_t n, uint64_t tile)
{
    return (n + tile - 1) / tile * tile;
}

// vLLM, fused_moe/oracle/mxfp4.py: Marlin's tiles are 256 of the width and 128 of what is inside; other kernels
// need less.
double runtime_padding(const KnBlock *block, Split split)
{
    if (block->experts == 0) return 0;
    uint64_t f = (block->expert_ffn + split.tp - 1) / split.tp, h = block->width;
    uint64_t experts = (block->experts + split.ep - 1) / split.ep, ups = block->gated ? 2 : 1;
    if (split.ep > 1) f = block->expert_ffn;
    double more = (double)(whole(f, 128) * whole(h, 256) - f * h);
    return (double)(experts * (ups + 1)) * more * MXFP4_BITS / 32;
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
        [RUNTIME_VLLM] = {"low: a sampler that does not sort; high: top-p sorts the logits of all "
                          "sequences, as up to 2025 and without FlashInfer",
                          "measured, not derived: logs of 2024 to 2026; several GPUs have NCCL's "
                          "buffers"},
        [RUNTIME_LLAMA_CPP] = {"low: flash attention; high: without, the scores of the whole cache",
                               context},
        [RUNTIME_TRANSFORMERS] = {"low: the last token's logits; high: all tokens', as before "
                                  "version 4.45",
                                  context}};
    return words[runtime];
}
