/* trained.h -- models of papers for tests of training, and a question on a GPU of 80 GB.
 *
 *     Question q = question();
 *     trained(llama_8b(), &q).per_gpu.weights
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/tests/planned.h"
#include "labs/5_frontier/key_numbers/app/tests/shapes.h"
#include "labs/5_frontier/key_numbers/app/tests/scratch.h"
#include "tests/facts.h"

// "Language Models are Few-Shot Learners", Table 2.1; with dropout.
static const KnBlock gpt3_block = {.width = 12288,
                                   .heads = 96,
                                   .kv_heads = 96,
                                   .head_dim = 128,
                                   .qkv_bias = true,
                                   .out_bias = true,
                                   .ffn = 49152,
                                   .mlp_bias = true,
                                   .norms = 4 * 12288};
static const KnBlock llama_block = {.width = 4096,
                                    .heads = 32,
                                    .kv_heads = 8,
                                    .head_dim = 128,
                                    .ffn = 14336,
                                    .gated = true,
                                    .norms = 2 * 4096};
static const KnBlock llama2_block = {.width = 4096,
                                     .heads = 32,
                                     .kv_heads = 32,
                                     .head_dim = 128,
                                     .ffn = 11008,
                                     .gated = true,
                                     .norms = 2 * 4096};
static const KnBlock mixtral_block = {.width = 4096,
                                      .heads = 32,
                                      .kv_heads = 8,
                                      .head_dim = 128,
                                      .gated = true,
                                      .experts = 8,
                                      .active_experts = 2,
                                      .expert_ffn = 14336,
                                      .norms = 2 * 4096};

static inline Model *shaped(const char *family, KnBlock block, int layers, uint64_t vocab,
                            bool tied)
{
    Model *model = shape_model(arena, family, block.width, vocab, 0, tied);
    model->family = family;
    shape_layers(model, layers, block, 0);
    build_finish(model);
    return model;
}

static inline Model *llama_8b(void)
{
    return shaped("llama", llama_block, 32, 128256, false);
}

static inline Question question(void)
{
    Question q = question_default();
    q.gpu_spec = (GpuSpec){.name = "80 GB", .memory = 80e9};
    q.overhead = 0;
    return q;
}

static inline TrainingMemory trained(const Model *model, const Question *q)
{
    return planned(arena, model, q, PART_TRAINING)->training;
}
