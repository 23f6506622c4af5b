/* kernel_list.h -- what is timed of each kernel of kernels/list.h: its sizes, its FLOPs and its operands.
 *
 *     X(kernel, form, size, flops, operands, arguments)
 *
 * `n` is the size, of the kind that `size` names (kernel_work.h). FLOPs count an addition, a product, a quotient,
 * a comparison and a function (exp, tanh, sqrt, erf) as one each, however many instructions a machine needs for
 * it; a product with its addition is two. Operands come in the order in which `arguments` numbers them: F(0) is
 * the first as floats, A(0) as whatever it is. READS, WRITES and UPDATES say how many floats a call moves;
 * FILLED and PICKS those that hold something else than normal random numbers, or of which a call moves a part.
 * `form` tells two lines of one kernel apart, and is empty otherwise.
 */
#pragma once

// clang-format off
#define ELEMENT_WORK(X)                                                                                              \
    X(fill,  , ELEMENTS, 0,     (WRITES(n)),                     (F(0), 0.5f, (size_t)n))                            \
    X(add,   , ELEMENTS, n,     (WRITES(n), READS(n), READS(n)), (F(0), F(1), F(2), (size_t)n))                      \
    X(mul,   , ELEMENTS, n,     (WRITES(n), READS(n), READS(n)), (F(0), F(1), F(2), 0, (size_t)n))                   \
    X(axpby, , ELEMENTS, 3 * n, (UPDATES(n), READS(n)),          (F(0), F(1), 0.5f, 0.25f, (size_t)n))               \
    X(axpby_scalar, , ELEMENTS, 3 * n, (UPDATES(n), READS(n), READS(1)), (F(0), F(1), F(2), 0.25f, (size_t)n))       \
    X(exp,     , ELEMENTS, n,     (WRITES(n), READS(n)), (F(0), F(1), (size_t)n))                                    \
    X(relu,    , ELEMENTS, n,     (WRITES(n), READS(n)), (F(0), F(1), (size_t)n))                                    \
    X(sigmoid, , ELEMENTS, 4 * n, (WRITES(n), READS(n)), (F(0), F(1), (size_t)n))                                    \
    X(tanh,    , ELEMENTS, n,     (WRITES(n), READS(n)), (F(0), F(1), (size_t)n))                                    \
    X(relu_backward,    , ELEMENTS, n,     (WRITES(n), READS(n), READS(n)), (F(0), F(1), F(2), 0, (size_t)n))        \
    X(sigmoid_backward, , ELEMENTS, 3 * n, (WRITES(n), READS(n), READS(n)), (F(0), F(1), F(2), 0, (size_t)n))        \
    X(tanh_backward,    , ELEMENTS, 3 * n, (WRITES(n), READS(n), READS(n)), (F(0), F(1), F(2), 0, (size_t)n))        \
    X(gelu,     , ELEMENTS, 9 * n, (WRITES(n), READS(n)), (F(0), F(1), (size_t)n))                                   \
    X(gelu_erf, , ELEMENTS, 5 * n, (WRITES(n), READS(n)), (F(0), F(1), (size_t)n))                                   \
    X(silu,     , ELEMENTS, 5 * n, (WRITES(n), READS(n)), (F(0), F(1), (size_t)n))                                   \
    X(gelu_backward,     , ELEMENTS, 18 * n, (WRITES(n), READS(n), READS(n)), (F(0), F(1), F(2), 0, (size_t)n))      \
    X(gelu_erf_backward, , ELEMENTS, 11 * n, (WRITES(n), READS(n), READS(n)), (F(0), F(1), F(2), 0, (size_t)n))      \
    X(silu_backward,     , ELEMENTS, 9 * n,  (WRITES(n), READS(n), READS(n)), (F(0), F(1), F(2), 0, (size_t)n))      \
    X(sum,           , ELEMENTS, n,     (WRITES(1), READS(n)),           (F(0), F(1), (size_t)n))                    \
    X(sum_squares,   , ELEMENTS, 2 * n, (WRITES(1), READS(n)),           (F(0), F(1), (size_t)n))                    \
    X(squared_error, , ELEMENTS, 3 * n, (WRITES(1), READS(n), READS(n)), (F(0), F(1), F(2), (size_t)n))              \
    X(bce_logits,    , ELEMENTS, 8 * n, (WRITES(1), READS(n), READS(n)), (F(0), F(1), F(2), (size_t)n))              \
    X(squared_error_backward, , ELEMENTS, 2 * n, (WRITES(n), READS(1), READS(n), READS(n)),                          \
      (F(0), F(1), 0.5f, F(2), F(3), 0, (size_t)n))                                                                  \
    X(bce_logits_backward,    , ELEMENTS, 6 * n, (WRITES(n), READS(1), READS(n), READS(n)),                          \
      (F(0), F(1), 0.5f, F(2), F(3), 0, (size_t)n))                                                                  \
    X(label_factor, , ELEMENTS, n, (WRITES(1), FILLED(READ, labels, INTS(n), COLS)), (F(0), A(1), (size_t)n))        \
    X(clip_scale, , ELEMENTS, 2 * n, (WRITES(2), READS(n)), (F(0), F(1), (size_t)n, 1))                              \
    X(sgd_step,   , ELEMENTS, 7 * n,                                                                                 \
      (UPDATES(n), UPDATES(n), READS(n), FILLED(READ, positive, FLOATS(1), 0), FILLED(READ, spans, sizeof(Span), n)), \
      (F(0), F(1), F(2), F(3), A(4), 1, (size_t)n, (SgdStep){1e-3f, 0.9f}))                                          \
    X(adam_step,  , ELEMENTS, 17 * n,                                                                                \
      (UPDATES(n), UPDATES(n), FILLED(UPDATE, positive, FLOATS(n), 0), READS(n), FILLED(READ, positive, FLOATS(1), 0), \
       FILLED(READ, spans, sizeof(Span), n)),                                                                        \
      (F(0), F(1), F(2), F(3), F(4), A(5), 1, (size_t)n, (AdamStep){1e-3f, 0.9f, 0.999f, 1e-8f, 0.1f, 1e-3f}))       \
    X(random_uniform, , ELEMENTS, n,     (WRITES(n)),           (F(0), draw_at(1, 2, 3), (size_t)n))                 \
    X(random_normal,  , ELEMENTS, 4 * n, (WRITES(n)),           (F(0), draw_at(1, 2, 3), (size_t)n))                 \
    X(dropout,        , ELEMENTS, 2 * n, (WRITES(n), READS(n)), (F(0), F(1), 0.1f, draw_at(1, 2, 3), 0, (size_t)n))

#define ROW_WORK(X)    /* n rows of COLS */                                                                          \
    X(add_row,      , ROWS, n * COLS,     (WRITES(n * COLS), READS(n * COLS), READS(COLS)), (F(0), F(1), F(2), n, COLS)) \
    X(sum_rows,     , ROWS, n * COLS,     (UPDATES(COLS), READS(n * COLS)), (F(0), F(1), n, COLS, 1))                \
    X(softmax_rows, , ROWS, 5 * n * COLS, (WRITES(n * COLS), READS(n * COLS)), (F(0), F(1), n, COLS))                \
    X(cross_entropy, , ROWS, 5 * n * COLS,                                                                           \
      (WRITES(1), WRITES(n * COLS), READS(n * COLS), FILLED(READ, labels, INTS(n), COLS)),                           \
      (F(0), F(1), F(2), A(3), n, COLS))                                                                             \
    X(cross_entropy_backward, , ROWS, 2 * n * COLS,                                                                  \
      (WRITES(n * COLS), READS(1), READS(n * COLS), FILLED(READ, labels, INTS(n), COLS)),                            \
      (F(0), F(1), 0.5f, F(2), A(3), n, COLS, 0))                                                                    \
    X(layer_norm, , ROWS, 8 * n * COLS,                                                                              \
      (WRITES(n * COLS), WRITES(n), WRITES(n), READS(n * COLS), READS(COLS), READS(COLS)),                           \
      (F(0), F(1), F(2), F(3), F(4), F(5), 1e-5f, norm_rows(n, COLS)))                                               \
    X(layer_norm_backward, , ROWS, 13 * n * COLS,                                                                    \
      (WRITES(n * COLS), WRITES(COLS), WRITES(COLS), READS(n * COLS), READS(n * COLS), READS(COLS), READS(n),        \
       FILLED(READ, positive, FLOATS(n), 0)),                                                                        \
      (F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), 0, norm_rows(n, COLS)))                                       \
    X(rms_norm, , ROWS, 4 * n * COLS, (WRITES(n * COLS), WRITES(n), READS(n * COLS), READS(COLS)),                   \
      (F(0), F(1), F(2), F(3), 1e-5f, norm_rows(n, COLS)))                                                           \
    X(rms_norm_backward, , ROWS, 9 * n * COLS,                                                                       \
      (WRITES(n * COLS), WRITES(COLS), READS(n * COLS), READS(n * COLS), READS(COLS),                                \
       FILLED(READ, positive, FLOATS(n), 0)),                                                                        \
      (F(0), F(1), F(2), F(3), F(4), F(5), 0, norm_rows(n, COLS)))                                                   \
    X(swiglu,          , ROWS, 6 * n * COLS,  (WRITES(n * COLS), READS(2 * n * COLS)), (F(0), F(1), n, COLS))        \
    X(swiglu_backward, , ROWS, 12 * n * COLS, (WRITES(2 * n * COLS), READS(n * COLS), READS(2 * n * COLS)),          \
      (F(0), F(1), F(2), 0, n, COLS))                                                                                \
    X(rows_write, q8_0, ROWS, 2 * n * COLS,                                                                          \
      (FILLED(WRITE, nothing, ROW_BYTES(n, COLS), 0), READS(n * COLS)),                               \
      (A(0), DTYPE_Q8_0, F(1), n, COLS))                                                                             \
    X(rows_read, q8_0, ROWS, n * COLS,                                                                               \
      (WRITES(n * COLS), PICKS(READ, q8_0, ROW_BYTES(TABLE, COLS), ROW_BYTES(n, COLS)),                              \
       FILLED(READ, labels, INTS(n), TABLE)),                                                                        \
      (F(0), (WeightRows){A(1), DTYPE_Q8_0, TABLE, COLS}, A(2), n))

#define LAYER_WORK(X)    /* products, images, tokens and steps */                                                    \
    X(matmul, , SQUARE, 2 * n * n * n, (WRITES(n * n), READS(n * n), READS(n * n)),                                  \
      (F(0), (size_t)n, 0, (Mat){F(1), (size_t)n, 1, 0}, (Mat){F(2), (size_t)n, 1, 0}, 1, n, n, n, 0))               \
    X(transpose, , SQUARE, 0, (WRITES(n * n), READS(n * n)), (F(0), (size_t)n, F(1), n, n))                          \
    X(value_sweep, f64, SLICES, n * VALUE_SLICE * ACTIONS * (2 * OUTCOMES + 1),                                       \
      (FILLED(WRITE, nothing, DOUBLES((n + 1) * VALUE_SLICE), 0), FILLED(WRITE, nothing, DOUBLES(1), 0),             \
       FILLED(READ, doubles, DOUBLES((n + 1) * VALUE_SLICE), 1), FILLED(READ, steps, INTS(n + 1), ACTIONS),          \
       FILLED(READ, long_steps, sizeof(uint64_t) * (n * ACTIONS + 1), OUTCOMES),                                     \
       FILLED(READ, doubles, DOUBLES(n * ACTIONS * VALUE_SLICE), 1),                                                 \
       FILLED(READ, doubles, DOUBLES(n * ACTIONS * OUTCOMES * VALUE_SLICE), 1.0 / OUTCOMES),                         \
       FILLED(READ, labels, INTS(n * ACTIONS * OUTCOMES * VALUE_SLICE), n * VALUE_SLICE)),                           \
      (A(0), A(1), A(2), A(3), A(4), A(5), A(6), A(7), n))                                                           \
    X(conv2d, , IMAGES, conv_flops(image(n)), (WRITES(conv_y(n)), READS(conv_x(n)), READS(conv_w)),                  \
      (F(0), F(1), F(2), NULL, image(n)))                                                                            \
    X(conv2d_backward_input, , IMAGES, conv_flops(image(n)), (WRITES(conv_x(n)), READS(conv_y(n)), READS(conv_w)),   \
      (F(0), F(1), F(2), 0, image(n)))                                                                               \
    X(conv2d_backward_weight, , IMAGES, conv_flops(image(n)), (WRITES(conv_w), READS(conv_y(n)), READS(conv_x(n))),  \
      (F(0), F(1), F(2), 0, image(n)))                                                                               \
    X(sum_channels, , IMAGES, n * PLANES * PIXELS, (UPDATES(PLANES), READS(n * PLANES * PIXELS)),                    \
      (F(0), F(1), n, PLANES, PIXELS, 1))                                                                            \
    X(max_pool, , IMAGES, POOL_IN,                                                                                   \
      (WRITES(POOL_OUT), FILLED(WRITE, nothing, INTS(POOL_OUT), 0), READS(POOL_IN)), (F(0), A(1), F(2), pool(n)))    \
    X(max_pool_backward, , IMAGES, POOL_OUT,                                                                         \
      (WRITES(POOL_IN), READS(POOL_OUT), FILLED(READ, pooled, INTS(POOL_OUT), 0)), (F(0), F(1), A(2), 0, pool(n)))   \
    X(avg_pool,          , IMAGES, POOL_IN + POOL_OUT, (WRITES(POOL_OUT), READS(POOL_IN)), (F(0), F(1), pool(n)))    \
    X(avg_pool_backward, , IMAGES, POOL_IN,            (WRITES(POOL_IN), READS(POOL_OUT)), (F(0), F(1), 0, pool(n))) \
    X(batch_norm, , IMAGES, 8 * POOL_IN,                                                                             \
      (WRITES(POOL_IN), WRITES(PLANES), WRITES(PLANES), READS(POOL_IN), READS(PLANES), READS(PLANES)),               \
      (F(0), F(1), F(2), F(3), F(4), F(5), 1e-5f, channels(n)))                                                      \
    X(batch_norm_inference, , IMAGES, 4 * POOL_IN,                                                                   \
      (WRITES(POOL_IN), READS(POOL_IN), READS(PLANES), READS(PLANES), READS(PLANES),                                 \
       FILLED(READ, positive, FLOATS(PLANES), 0)),                                                                   \
      (F(0), F(1), F(2), F(3), F(4), F(5), 1e-5f, channels(n)))                                                      \
    X(batch_norm_backward, , IMAGES, 12 * POOL_IN,                                                                   \
      (WRITES(POOL_IN), WRITES(PLANES), WRITES(PLANES), READS(POOL_IN), READS(POOL_IN), READS(PLANES),               \
       READS(PLANES), FILLED(READ, positive, FLOATS(PLANES), 0)),                                                    \
      (F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), 1e-5f, 0, channels(n)))                                       \
    X(batch_norm_inference_backward, , IMAGES, 6 * POOL_IN,                                                          \
      (WRITES(POOL_IN), WRITES(PLANES), WRITES(PLANES), READS(POOL_IN), READS(POOL_IN), READS(PLANES),               \
       READS(PLANES), FILLED(READ, positive, FLOATS(PLANES), 0)),                                                    \
      (F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), 1e-5f, 0, channels(n)))                                       \
    X(attention, , TOKENS, attention_flops(causal(n)),                                                               \
      (WRITES(n * WIDTH), WRITES(n * HEADS), READS(n * WIDTH), READS(n * WIDTH), READS(n * WIDTH)),                  \
      (F(0), F(1), F(2), F(3), F(4), causal(n)))                                                                     \
    X(attention_backward, , TOKENS, attention_backward_flops(causal(n)),                                             \
      (WRITES(n * WIDTH), WRITES(n * WIDTH), WRITES(n * WIDTH), READS(n * WIDTH), READS(n * WIDTH),                  \
       FILLED(READ, log_sums, FLOATS(n * HEADS), n), READS(n * WIDTH), READS(n * WIDTH), READS(n * WIDTH)),          \
      (F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), F(8), 0, causal(n)))                                          \
    X(embedding, , TOKENS, 0,                                                                                        \
      (WRITES(n * WIDTH), FILLED(READ, labels, INTS(n), VOCABULARY),                                                 \
       PICKS(READ, normal, FLOATS(VOCABULARY * WIDTH), FLOATS(n * WIDTH))),                                          \
      (F(0), A(1), F(2), (size_t)n, WIDTH))                                                                          \
    X(embedding_backward, , TOKENS, n * WIDTH,                                                                       \
      (PICKS(UPDATE, normal, FLOATS(VOCABULARY * WIDTH), FLOATS(n * WIDTH)),                                         \
       FILLED(READ, labels, INTS(n), VOCABULARY), READS(n * WIDTH)),                                                 \
      (F(0), A(1), F(2), (size_t)n, VOCABULARY, WIDTH))                                                              \
    X(rope, , TOKENS, 3 * n * WIDTH, (UPDATES(n * WIDTH), READS(0.5 * PERIOD * HEAD), READS(0.5 * PERIOD * HEAD)),   \
      (F(0), F(1), F(2), rotation(n)))                                                                               \
    X(row_product, f16, BATCH, 2.0 * n * MLP * WIDTH,                                                                \
      (WRITES(n * MLP), READS(n * WIDTH), FILLED(READ, f16, 2.0 * MLP * WIDTH, 0)),                                  \
      (F(0), MLP, F(1), WIDTH, n, (WeightRows){A(2), DTYPE_F16, MLP, WIDTH}, ACTIVATIONS_F32))                       \
    X(row_product, q8_0, BATCH, 2.0 * n * MLP * WIDTH,                                                               \
      (WRITES(n * MLP), READS(n * WIDTH), FILLED(READ, q8_0, ROW_BYTES(MLP, WIDTH), 0)),                             \
      (F(0), MLP, F(1), WIDTH, n, (WeightRows){A(2), DTYPE_Q8_0, MLP, WIDTH}, ACTIVATIONS_Q8))                       \
    X(lstm_gates, , BATCH, 22 * n * HIDDEN,                                                                          \
      (WRITES(n * HIDDEN), WRITES(n * HIDDEN), UPDATES(4 * n * HIDDEN), READS(4 * HIDDEN), READS(n * HIDDEN)),       \
      (F(0), F(1), F(2), F(3), F(4), n, HIDDEN))                                                                     \
    X(lstm_gates_backward, , BATCH, 23 * n * HIDDEN,                                                                 \
      (WRITES(4 * n * HIDDEN), UPDATES(n * HIDDEN), READS(n * HIDDEN), READS(4 * n * HIDDEN), READS(n * HIDDEN),     \
       READS(n * HIDDEN)),                                                                                           \
      (F(0), F(1), F(2), F(3), F(4), F(5), n, HIDDEN))                                                               \
    X(gru_gates, , BATCH, 19 * n * HIDDEN,                                                                           \
      (WRITES(n * HIDDEN), UPDATES(4 * n * HIDDEN), READS(3 * HIDDEN), READS(HIDDEN), READS(n * HIDDEN)),            \
      (F(0), F(1), F(2), F(3), F(4), n, HIDDEN))                                                                     \
    X(gru_gates_backward, , BATCH, 18 * n * HIDDEN,                                                                  \
      (WRITES(4 * n * HIDDEN), UPDATES(n * HIDDEN), READS(n * HIDDEN), READS(4 * n * HIDDEN), READS(n * HIDDEN)),    \
      (F(0), F(1), F(2), F(3), F(4), n, HIDDEN))                                                                     \
    X(paged_write, f16, TOKENS, 0,                                                                                   \
      (FILLED(WRITE, nothing, KV_BYTES(n), 0), FILLED(WRITE, nothing, KV_BYTES(n), 0), READS(n * KV_WIDTH),          \
       READS(n * KV_WIDTH), FILLED(READ, slots, sizeof(int64_t) * n, n)),                                            \
      (cache(A(0), A(1), KV_BLOCK), F(2), KV_WIDTH, F(3), KV_WIDTH, A(4), n))                                        \
    X(paged_copy, f16, TOKENS, 0,    /* of one block of n tokens */                                                  \
      (PICKS(UPDATE, f16, 2 * KV_BYTES(n), KV_BYTES(n)), PICKS(UPDATE, f16, 2 * KV_BYTES(n), KV_BYTES(n))),          \
      (cache(A(0), A(1), n), 0, 1))                                                                                  \
    X(paged_attention, f16, TOKENS, 4.0 * SEQUENCES * n * QUERY_WIDTH,    /* the next token of each sequence */      \
      (WRITES(SEQUENCES * QUERY_WIDTH), READS(SEQUENCES * QUERY_WIDTH),                                              \
       FILLED(READ, f16, SEQUENCES * KV_BYTES(n), 0), FILLED(READ, f16, SEQUENCES * KV_BYTES(n), 0),                 \
       FILLED(READ, tables, INTS(SEQUENCES * blocks(n)), 0), FILLED(READ, queries, sizeof(PagedQuery) * SEQUENCES, n)), \
      (F(0), QUERY_WIDTH, F(1), QUERY_WIDTH, cache(A(2), A(3), KV_BLOCK), A(4), A(5), SEQUENCES, QUERY_HEADS, 0.088f))

#define KERNEL_WORK(X) ELEMENT_WORK(X) ROW_WORK(X) LAYER_WORK(X)
// clang-format on
