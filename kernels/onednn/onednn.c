/* onednn.c -- one plan for each shape: oneDNN's primitive, and the reorders between our layout and the one
 * that it works in. A plan is made at its first use, and the one that was used longest ago goes when there
 * are too many. After that a call allocates nothing of its own.
 */
#include "kernels/onednn/onednn.h"
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <omp.h>
#include <stdint.h>
#include <string.h>
#include "kernels/device.h"

// ---- the library

#define FUNCTIONS(X)                                                                               \
    X(engine_create)                                                                               \
    X(stream_create)                                                                               \
    X(stream_wait)                                                                                 \
    X(sgemm)                                                                                       \
    X(memory_create)                                                                               \
    X(memory_destroy)                                                                              \
    X(memory_set_data_handle)                                                                      \
    X(memory_desc_init_by_tag)                                                                     \
    X(memory_desc_equal)                                                                           \
    X(dilated_convolution_forward_desc_init)                                                       \
    X(dilated_convolution_backward_data_desc_init)                                                 \
    X(dilated_convolution_backward_weights_desc_init)                                              \
    X(primitive_desc_create)                                                                       \
    X(primitive_desc_destroy)                                                                      \
    X(primitive_desc_query_md)                                                                     \
    X(reorder_primitive_desc_create)                                                               \
    X(primitive_create)                                                                            \
    X(primitive_destroy)                                                                           \
    X(primitive_execute)                                                                           \
    X(primitive_attr_create)                                                                       \
    X(primitive_attr_destroy)                                                                      \
    X(primitive_attr_set_post_ops)                                                                 \
    X(post_ops_create)                                                                             \
    X(post_ops_destroy)                                                                            \
    X(post_ops_append_sum)

#define X(name) __typeof__(&dnnl_##name) name;
static struct {
    FUNCTIONS(X)
} dnnl;
#undef X

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static bool load(const char **why)
{
    void *library = dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL);
    *why = "libdnnl.so.2 is not there; ./lab setup --peers brings it";
    if (library == NULL) return false;
    *why = "libdnnl.so.2 lacks a function that libdnnl-dev 2.6 has";
#define X(name)                                                                                    \
    dnnl.name = (__typeof__(dnnl.name))dlsym(library, "dnnl_" #name);                              \
    if (dnnl.name == NULL) return false;
    FUNCTIONS(X)
#undef X
    *why = "oneDNN finds no processor that it can use";
    return dnnl.engine_create(&engine, dnnl_cpu, 0) == dnnl_success &&
           dnnl.stream_create(&stream, engine, dnnl_stream_default_flags) == dnnl_success;
}

// Stops the program where oneDNN cannot: nothing else takes its place, or it would be measured for it.
static void must(dnnl_status_t status, const char *kernel)
{
    if (status != dnnl_success) device_refuse("onednn", kernel, "oneDNN cannot do this shape");
}

// ---- plans

typedef enum Pass { FORWARD, BACKWARD_INPUT, BACKWARD_WEIGHT } Pass;
static const char *const pass_names[] = {"conv2d", "conv2d_backward_input",
                                         "conv2d_backward_weight"};

typedef struct Key {
    int pass, bias, threads;
    float beta;
    ConvShape shape;
} Key;

// An array as we have it and as the primitive wants it; the same where there is no reorder.
typedef struct Operand {
    dnnl_memory_t ours, theirs;
    dnnl_primitive_t reorder;
} Operand;

enum { X_OR_DX, W_OR_DW, Y_OR_DY, OPERANDS };
static const int arguments[][OPERANDS] = {{DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                                          {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
                                          {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST}};
static const int outputs[] = {Y_OR_DY, X_OR_DX, W_OR_DW};    // of each pass

typedef struct Plan {
    Key key;
    long used;    // when, in calls
    Operand operands[OPERANDS];
    dnnl_memory_t bias;
    dnnl_primitive_t primitive;
} Plan;

enum { PLANS = 64 };
static Plan plans[PLANS];

// The layouts of x, w and y and of the bias: ours, or any, for oneDNN to choose.
typedef struct Layouts {
    dnnl_memory_desc_t of[OPERANDS], bias;
} Layouts;

static Layouts layouts(ConvShape s, bool ours)
{
    Layouts all;
    const dnnl_dim_t g = s.groups;
    const dnnl_dims_t x = {s.batch, s.in, s.height, s.width},
                      y = {s.batch, s.out, conv_out_height(s), conv_out_width(s)},
                      w = {s.out, s.in, s.kernel_height, s.kernel_width},
                      groups = {g, s.out / g, s.in / g, s.kernel_height, s.kernel_width},
                      bias = {s.out};
    const dnnl_format_tag_t any = dnnl_format_tag_any, images = ours ? dnnl_nchw : any,
                            weights = !ours    ? any
                                      : g == 1 ? dnnl_oihw
                                               : dnnl_goihw;
    dnnl.memory_desc_init_by_tag(&all.of[X_OR_DX], 4, x, dnnl_f32, images);
    dnnl.memory_desc_init_by_tag(&all.of[W_OR_DW], g == 1 ? 4 : 5, g == 1 ? w : groups, dnnl_f32,
                                 weights);
    dnnl.memory_desc_init_by_tag(&all.of[Y_OR_DY], 4, y, dnnl_f32, images);
    dnnl.memory_desc_init_by_tag(&all.bias, 1, bias, dnnl_f32, dnnl_a);
    return all;
}

// The descriptor of the pass; a gradient's asks for the forward's as a hint.
static dnnl_primitive_desc_t describe(const Key *key)
{
    const ConvShape s = key->shape;
    const Layouts any = layouts(s, false);
    const dnnl_memory_desc_t *x = &any.of[X_OR_DX], *w = &any.of[W_OR_DW], *y = &any.of[Y_OR_DY];
    const dnnl_dims_t stride = {s.stride, s.stride}, pad = {s.pad, s.pad},
                      dilation = {s.dilation - 1, s.dilation - 1};
    const dnnl_alg_kind_t direct = dnnl_convolution_direct;    // as PyTorch asks for it
    const char *name = pass_names[key->pass];
    dnnl_convolution_desc_t conv;
    dnnl_primitive_desc_t forward, backward;
    must(dnnl.dilated_convolution_forward_desc_init(&conv, dnnl_forward_training, direct, x, w,
                                                    key->bias ? &any.bias : NULL, y, stride,
                                                    dilation, pad, pad),
         name);
    must(dnnl.primitive_desc_create(&forward, &conv, NULL, engine, NULL), name);
    if (key->pass == FORWARD) return forward;
    must(key->pass == BACKWARD_INPUT
             ? dnnl.dilated_convolution_backward_data_desc_init(&conv, direct, x, w, y, stride,
                                                                dilation, pad, pad)
             : dnnl.dilated_convolution_backward_weights_desc_init(&conv, direct, x, w, NULL, y,
                                                                   stride, dilation, pad, pad),
         name);
    must(dnnl.primitive_desc_create(&backward, &conv, NULL, engine, forward), name);
    dnnl.primitive_desc_destroy(forward);
    return backward;
}

// From one layout to the other; to = beta to + from.
static dnnl_primitive_t reorder_new(const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to,
                                    float beta, const char *name)
{
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t after;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t reorder;
    must(dnnl.primitive_attr_create(&attributes), name);
    must(dnnl.post_ops_create(&after), name);
    if (beta != 0) must(dnnl.post_ops_append_sum(after, beta), name);
    must(dnnl.primitive_attr_set_post_ops(attributes, after), name);
    must(dnnl.reorder_primitive_desc_create(&description, from, engine, to, engine, attributes),
         name);
    must(dnnl.primitive_create(&reorder, description), name);
    dnnl.primitive_desc_destroy(description);
    dnnl.post_ops_destroy(after);
    dnnl.primitive_attr_destroy(attributes);
    return reorder;
}

static Operand operand_new(const dnnl_memory_desc_t *ours, const dnnl_memory_desc_t *theirs,
                           bool output, float beta, const char *name)
{
    Operand operand = {0};
    must(dnnl.memory_create(&operand.ours, ours, engine, DNNL_MEMORY_NONE), name);
    operand.theirs = operand.ours;
    if (dnnl.memory_desc_equal(ours, theirs) && !(output && beta != 0)) return operand;
    must(dnnl.memory_create(&operand.theirs, theirs, engine, DNNL_MEMORY_ALLOCATE), name);
    operand.reorder =
        output ? reorder_new(theirs, ours, beta, name) : reorder_new(ours, theirs, 0, name);
    return operand;
}

static void plan_make(Plan *plan, const Key *key)
{
    static const dnnl_query_t queries[][OPERANDS] = {
        {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
        {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md},
        {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md}};
    const char *name = pass_names[key->pass];
    const Layouts ours = layouts(key->shape, true);
    dnnl_primitive_desc_t description = describe(key);
    *plan = (Plan){.key = *key};
    for (int i = 0; i < OPERANDS; i++)
        plan->operands[i] = operand_new(
            &ours.of[i], dnnl.primitive_desc_query_md(description, queries[key->pass][i], 0),
            i == outputs[key->pass], key->beta, name);
    if (key->bias)
        must(dnnl.memory_create(&plan->bias, &ours.bias, engine, DNNL_MEMORY_NONE), name);
    must(dnnl.primitive_create(&plan->primitive, description), name);
    dnnl.primitive_desc_destroy(description);
}

static void plan_free(Plan *plan)
{
    if (plan->primitive == NULL) return;
    for (int i = 0; i < OPERANDS; i++) {
        const Operand *operand = &plan->operands[i];
        if (operand->reorder != NULL) dnnl.primitive_destroy(operand->reorder);
        if (operand->theirs != operand->ours) dnnl.memory_destroy(operand->theirs);
        dnnl.memory_destroy(operand->ours);
    }
    if (plan->bias != NULL) dnnl.memory_destroy(plan->bias);
    dnnl.primitive_destroy(plan->primitive);
}

static bool key_equal(const Key *a, const Key *b)
{
    return a->pass == b->pass && a->bias == b->bias && a->threads == b->threads &&
           a->beta == b->beta && memcmp(&a->shape, &b->shape, sizeof a->shape) == 0;
}

static Plan *plan_for(const Key *key)
{
    static long calls;
    Plan *oldest = plans;
    calls++;
    for (int i = 0; i < PLANS; i++) {
        if (plans[i].primitive != NULL && key_equal(&plans[i].key, key)) {
            plans[i].used = calls;
            return &plans[i];
        }
        if (plans[i].used < oldest->used) oldest = &plans[i];
    }
    plan_free(oldest);
    plan_make(oldest, key);
    oldest->used = calls;
    return oldest;
}

// ---- convolution

static void reorder(const Operand *operand, bool output)
{
    dnnl_memory_t from = output ? operand->theirs : operand->ours,
                  to = output ? operand->ours : operand->theirs;
    const dnnl_exec_arg_t both[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    must(dnnl.primitive_execute(operand->reorder, stream, 2, both), "reorder");
}

// oneDNN takes what it only reads without const, too.
static void set_data(dnnl_memory_t memory, const float *data)
{
    must(dnnl.memory_set_data_handle(memory, (void *)data), "set_data");
}

static void convolve(Pass pass, const float *x, const float *w, const float *y, const float *bias,
                     float beta, ConvShape s)
{
    const Key key = {(int)pass, bias != NULL, omp_get_max_threads(), beta, s};
    const Plan *plan = plan_for(&key);
    const float *data[] = {x, w, y};
    dnnl_exec_arg_t all[OPERANDS + 1];
    for (int i = 0; i < OPERANDS; i++) {
        const Operand *operand = &plan->operands[i];
        set_data(operand->ours, data[i]);
        if (operand->reorder != NULL && i != outputs[pass]) reorder(operand, false);
        all[i] = (dnnl_exec_arg_t){arguments[pass][i], operand->theirs};
    }
    if (bias != NULL) {
        set_data(plan->bias, bias);
        all[OPERANDS] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, plan->bias};
    }
    must(dnnl.primitive_execute(plan->primitive, stream, OPERANDS + (bias != NULL), all),
         pass_names[pass]);
    const Operand *output = &plan->operands[outputs[pass]];
    if (output->reorder != NULL) reorder(output, true);
    must(dnnl.stream_wait(stream), pass_names[pass]);
}

// oneDNN has no primitive for these.
static bool is_empty(ConvShape s)
{
    return s.batch == 0 || conv_image(s) == 0 || conv_out_image(s) == 0 || conv_weights(s) == 0;
}

static void onednn_conv2d(float *y, const float *x, const float *w, const float *bias, ConvShape s)
{
    if (is_empty(s)) kernels_ref.conv2d(y, x, w, bias, s);
    else convolve(FORWARD, x, w, y, bias, 0, s);
}

static void onednn_conv2d_backward_input(float *dx, const float *dy, const float *w, float beta,
                                         ConvShape s)
{
    if (is_empty(s)) kernels_ref.conv2d_backward_input(dx, dy, w, beta, s);
    else convolve(BACKWARD_INPUT, dx, w, dy, NULL, beta, s);
}

static void onednn_conv2d_backward_weight(float *dw, const float *dy, const float *x, float beta,
                                          ConvShape s)
{
    if (is_empty(s)) kernels_ref.conv2d_backward_weight(dw, dy, x, beta, s);
    else convolve(BACKWARD_WEIGHT, x, dw, dy, NULL, beta, s);
}

// ---- products

static Kernels table;
static const Kernels *cpu;

// A matrix of `rows` by `cols` with one of its strides 1: as it lies ('N'), or transposed.
static bool as_dense(Mat x, int rows, int cols, char *transposed, dnnl_dim_t *stride)
{
    const bool plain = x.col == 1 && x.row >= (size_t)cols;
    *transposed = plain ? 'N' : 'T';
    *stride = (dnnl_dim_t)(plain ? x.row : x.col);
    return plain || (x.row == 1 && x.col >= (size_t)rows);
}

static void onednn_matmul(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m,
                          int n, int k, float beta)
{
    char a_transposed, b_transposed;
    dnnl_dim_t a_stride, b_stride;
    if (m == 0 || n == 0 || k == 0 || !as_dense(a, m, k, &a_transposed, &a_stride) ||
        !as_dense(b, k, n, &b_transposed, &b_stride)) {
        cpu->matmul(c, c_row, c_batch, a, b, batch, m, n, k, beta);
        return;
    }
    for (size_t i = 0; i < (size_t)batch; i++)
        must(dnnl.sgemm(a_transposed, b_transposed, m, n, k, 1.0f, a.data + i * a.batch, a_stride,
                        b.data + i * b.batch, b_stride, beta, c + i * c_batch, (dnnl_dim_t)c_row),
             "matmul");
}

const Kernels *kernels_onednn(const char **why)
{
    if (table.variant != NULL) return &table;
    if (!load(why)) return NULL;
    cpu = kernels_cpu();
    table = *cpu;
    table.variant = "onednn";
    table.matmul = onednn_matmul;
    table.conv2d = onednn_conv2d;
    table.conv2d_backward_input = onednn_conv2d_backward_input;
    table.conv2d_backward_weight = onednn_conv2d_backward_weight;
    return &table;
}
