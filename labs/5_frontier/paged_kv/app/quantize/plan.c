#include "labs/5_frontier/paged_kv/app/quantize/plan.h"
#include <string.h>
#include "labs/3_language/transformer/files/gguf_model.h"
#include "labs/3_language/transformer/files/rope_factors.h"

// ---- types ----

static bool is_quantized(DType type)
{
    return dtype_info[type].kind == DTYPE_KIND_QUANTIZED;
}

static DType wanted(const PlanTensor *t, TypeChoice choice, bool tied)
{
    const bool embedding = strcmp(t->name, "token_embd.weight") == 0;
    const bool head = strcmp(t->name, "output.weight") == 0 || (embedding && tied);
    if (t->dims < 2 || strcmp(t->name, "position_embd.weight") == 0) return DTYPE_F32;
    if (embedding && choice.embedding != DTYPE_NONE) return choice.embedding;
    if (head && choice.head != DTYPE_NONE) return choice.head;
    return head && is_quantized(choice.type) ? DTYPE_Q8_0 : choice.type;
}

static bool fits(DType type, uint64_t cols)
{
    return cols % dtype_info[type].block == 0;
}

static void choose_type(PlanTensor *t, TypeChoice choice, bool tied)
{
    t->type = wanted(t, choice, tied);
    t->falls_back = !fits(t->type, t->cols);
    if (t->falls_back) t->type = fits(DTYPE_Q8_0, t->cols) ? DTYPE_Q8_0 : DTYPE_F16;
}

// ---- tensors ----

static PlanTensor of_gguf(const GgufTensor *tensor)
{
    PlanTensor t = {.name = tensor->name,
                    .dims = tensor->dims,
                    .cols = tensor->shape[0],
                    .rows = tensor->count / tensor->shape[0],
                    .from = tensor->type,
                    .data = tensor->data};
    memcpy(t.shape, tensor->shape, sizeof t.shape);
    return t;
}

// `from` and `to` are the same rows of the same parameter, in the one format and in the other.
static PlanTensor of_piece(const Piece *from, const Piece *to, Stored stored, int index)
{
    PlanTensor t = {.name = to->name,
                    .dims = to->cols > 0 ? 2 : 1,
                    .rows = (uint64_t)to->rows,
                    .cols = to->cols > 0 ? (uint64_t)to->cols : 1,
                    .from = stored.type,
                    .data = stored.data,
                    .piece = from->layout == to->layout ? NULL : to,
                    .transposed = from->layout == LAYOUT_TRANSPOSED,
                    .index = index};
    t.shape[0] = t.dims == 2 ? t.cols : t.rows;
    t.shape[1] = t.dims == 2 ? t.rows : 1;
    if (t.transposed) t.piece = NULL;
    if (t.dims == 1 && t.piece == NULL) t.cols = t.rows, t.rows = 1;
    return t;
}

static PlanTensor of_factors(Arena *arena, const ModelConfig *config)
{
    const uint64_t half = (uint64_t)config->head / 2;
    float *factors = arena_alloc(arena, half * sizeof *factors);
    rope_factors_of(factors, config);
    return (PlanTensor){.name = gguf_model_factors,
                        .dims = 1,
                        .shape = {half, 1, 1, 1},
                        .rows = 1,
                        .cols = half,
                        .data = factors};
}

Plan plan_of(Arena *arena, const ModelFile *file, Format gguf, TypeChoice choice)
{
    const Pieces pieces = pieces_of(arena, &file->config, gguf);
    const int most = 1 + (file->gguf != NULL ? file->gguf->tensor_count : pieces.count);
    Plan plan = {0, arena_zeros(arena, (size_t)most * sizeof *plan.tensors)};
    if (file->gguf != NULL) {
        for (int i = 0; i < file->gguf->tensor_count; i++)
            plan.tensors[plan.count++] = of_gguf(&file->gguf->tensors[i]);
    } else {
        REQUIRE(pieces.count == file->pieces.count, "%d tensors in GGUF, %d in %s", pieces.count,
                file->pieces.count, file->path);
        if (file->config.rope.scaling.kind == ROPE_LLAMA3)
            plan.tensors[plan.count++] = of_factors(arena, &file->config);
        for (int i = 0; i < pieces.count; i++)
            plan.tensors[plan.count++] =
                of_piece(&file->pieces.list[i], &pieces.list[i], file->stored[i], i);
    }
    for (int i = 0; i < plan.count; i++) choose_type(&plan.tensors[i], choice, file->config.tied);
    return plan;
}
