/* table.c -- what the `cpu` backend does better than `ref`, for the instruction set that this file
 * is compiled for. A kernel that is missing here is ref's (kernels_complete).
 */
#include "kernels/cpu/variant.h"

#define TEXT(name)   #name
#define STRING(name) TEXT(name)

const Kernels CPU(table) = {
    .variant = STRING(CPU_VARIANT),

    .matmul = CPU(matmul),    // gemm.c

    .conv2d = CPU(conv2d),    // conv.c
    .conv2d_backward_input = CPU(conv2d_backward_input),
    .conv2d_backward_weight = CPU(conv2d_backward_weight),    // conv_weight.c

    .attention = CPU(attention),                      // attention.c
    .attention_backward = CPU(attention_backward),    // attention_backward.c

    .paged_attention = CPU(paged_attention),    // paged.c
    .paged_write = CPU(paged_write),            // paged_write.c

    .fill = CPU(fill),    // elements.c
    .add = CPU(add),
    .mul = CPU(mul),
    .axpby = CPU(axpby),
    .axpby_scalar = CPU(axpby_scalar),
    .exp = CPU(exp),
    .relu = CPU(relu),
    .sigmoid = CPU(sigmoid),
    .tanh = CPU(tanh),
    .relu_backward = CPU(relu_backward),
    .sigmoid_backward = CPU(sigmoid_backward),
    .tanh_backward = CPU(tanh_backward),
    .squared_error_backward = CPU(squared_error_backward),
    .bce_logits_backward = CPU(bce_logits_backward),
    .sgd_step = CPU(sgd_step),
    .adam_step = CPU(adam_step),

    .add_row = CPU(add_row),    // rows.c
    .sum_rows = CPU(sum_rows),
    .softmax_rows = CPU(softmax_rows),
    .cross_entropy = CPU(cross_entropy),
    .cross_entropy_backward = CPU(cross_entropy_backward),

    .sum = CPU(sum),    // sums.c
    .sum_squares = CPU(sum_squares),
    .clip_scale = CPU(clip_scale),
    .squared_error = CPU(squared_error),
    .bce_logits = CPU(bce_logits),
    .sum_channels = CPU(sum_channels),

    .max_pool = CPU(max_pool),    // pool.c
    .max_pool_backward = CPU(max_pool_backward),
    .avg_pool = CPU(avg_pool),
    .avg_pool_backward = CPU(avg_pool_backward),

    .batch_norm = CPU(batch_norm),    // norm.c
    .batch_norm_inference = CPU(batch_norm_inference),
    .batch_norm_backward = CPU(batch_norm_backward),
    .batch_norm_inference_backward = CPU(batch_norm_inference_backward),

    .layer_norm = CPU(layer_norm),    // row_norm.c
    .layer_norm_backward = CPU(layer_norm_backward),
    .rms_norm = CPU(rms_norm),
    .rms_norm_backward = CPU(rms_norm_backward),

    .gelu = CPU(gelu),    // gates.c
    .gelu_backward = CPU(gelu_backward),
    .gelu_erf = CPU(gelu_erf),
    .gelu_erf_backward = CPU(gelu_erf_backward),
    .silu = CPU(silu),
    .silu_backward = CPU(silu_backward),
    .swiglu = CPU(swiglu),
    .swiglu_backward = CPU(swiglu_backward),

    .embedding = CPU(embedding),    // tokens.c
    .embedding_backward = CPU(embedding_backward),
    .rope = CPU(rope),

    .random_uniform = CPU(random_uniform),    // random.c
    .random_normal = CPU(random_normal),
    .dropout = CPU(dropout),
};
