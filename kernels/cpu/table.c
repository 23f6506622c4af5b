/* table.c -- what the `cpu` backend does better than `ref`, for the instruction set that this file
 * is compiled for. A kernel that is missing here is ref's (kernels_complete). CPU() is compiled for this
 * variant, BASE() perhaps for one with fewer instructions.
 */
#include "kernels/cpu/variant.h"

#define TEXT(name)   #name
#define STRING(name) TEXT(name)

const Kernels CPU(table) = {
    .variant = STRING(CPU_VARIANT),

    .matmul = BASE(matmul),    // gemm.c

    .conv2d = BASE(conv2d),    // conv.c
    .conv2d_backward_input = BASE(conv2d_backward_input),
    .conv2d_backward_weight = BASE(conv2d_backward_weight),    // conv_weight.c

    .attention = BASE(attention),                      // attention.c
    .attention_backward = BASE(attention_backward),    // attention_backward.c

    .paged_attention = BASE(paged_attention),    // paged.c
    .paged_write = BASE(paged_write),            // paged_write.c

    .fill = BASE(fill),    // elements.c
    .add = BASE(add),
    .mul = BASE(mul),
    .axpby = BASE(axpby),
    .axpby_scalar = BASE(axpby_scalar),
    .exp = BASE(exp),
    .relu = BASE(relu),
    .sigmoid = BASE(sigmoid),
    .tanh = BASE(tanh),
    .relu_backward = BASE(relu_backward),
    .sigmoid_backward = BASE(sigmoid_backward),
    .tanh_backward = BASE(tanh_backward),
    .squared_error_backward = BASE(squared_error_backward),
    .bce_logits_backward = BASE(bce_logits_backward),
    .sgd_step = BASE(sgd_step),
    .adam_step = BASE(adam_step),

    .add_row = BASE(add_row),    // rows.c
    .sum_rows = BASE(sum_rows),
    .softmax_rows = BASE(softmax_rows),
    .transpose = BASE(transpose),    // transpose.c
    .cross_entropy = BASE(cross_entropy),
    .cross_entropy_backward = BASE(cross_entropy_backward),

    .sum = BASE(sum),    // sums.c
    .sum_squares = BASE(sum_squares),
    .clip_scale = BASE(clip_scale),
    .squared_error = BASE(squared_error),
    .bce_logits = BASE(bce_logits),
    .sum_channels = BASE(sum_channels),

    .max_pool = BASE(max_pool),    // pool.c
    .max_pool_backward = BASE(max_pool_backward),
    .avg_pool = BASE(avg_pool),
    .avg_pool_backward = BASE(avg_pool_backward),

    .batch_norm = BASE(batch_norm),    // norm.c
    .batch_norm_inference = BASE(batch_norm_inference),
    .batch_norm_backward = BASE(batch_norm_backward),
    .batch_norm_inference_backward = BASE(batch_norm_inference_backward),

    .layer_norm = BASE(layer_norm),    // row_norm.c
    .layer_norm_backward = BASE(layer_norm_backward),
    .rms_norm = BASE(rms_norm),
    .rms_norm_backward = BASE(rms_norm_backward),

    .gelu = BASE(gelu),    // gates.c
    .gelu_backward = BASE(gelu_backward),
    .gelu_erf = BASE(gelu_erf),
    .gelu_erf_backward = BASE(gelu_erf_backward),
    .silu = BASE(silu),
    .silu_backward = BASE(silu_backward),
    .swiglu = BASE(swiglu),
    .swiglu_backward = BASE(swiglu_backward),

    .lstm_gates = BASE(lstm_gates),    // recurrent.c
    .lstm_gates_backward = BASE(lstm_gates_backward),
    .gru_gates = BASE(gru_gates),
    .gru_gates_backward = BASE(gru_gates_backward),

    .embedding = BASE(embedding),    // tokens.c
    .embedding_backward = BASE(embedding_backward),
    .rope = BASE(rope),

    .row_product = CPU(row_product),    // row_product.c
    .rows_read = BASE(rows_read),
    .rows_write = BASE(rows_write),

    .random_uniform = BASE(random_uniform),    // random.c
    .random_normal = BASE(random_normal),
    .dropout = BASE(dropout),
};
