/* Our ops against ONNX's operator tests: each is a small graph, its inputs and its outputs, as computed by NumPy
 * or exported from PyTorch. What our ops cannot express is counted with the reason. */
#include "tests/onnx/onnx.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include "common/conv.h"
#include "common/embedding.h"
#include "common/loss.h"
#include "common/norm.h"
#include "common/pool.h"
#include "common/recurrent.h"
#include "kernels/kernels.h"
#include "tests/devices.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "tests/near.h"
#include "tests/skip.h"

// Of one vector.
static Arena *keep;
static Params *params;
static Tape *tape;

#ifndef LAB_ONNX_DATA
#define LAB_ONNX_DATA "/usr/share/libonnx-testdata/data"
#endif

// What a graph's names stand for, and the node that is computed.
typedef struct Graph {
    const OnnxModel *model;
    const OnnxNode *node;
    const char *names[ONNX_MAX];
    Tensor *tensors[ONNX_MAX];
    int count;
} Graph;

static Tensor *find(const Graph *g, const char *name)
{
    for (int i = 0; i < g->count; i++)
        if (strcmp(g->names[i], name) == 0) return g->tensors[i];
    return NULL;
}

static void define(Graph *g, const char *name, Tensor *x)
{
    REQUIRE(g->count < ONNX_MAX, "more than %d tensors", ONNX_MAX);
    g->names[g->count] = name;
    g->tensors[g->count++] = x;
}

static Tensor *in(const Graph *g, int i)
{
    return i < g->node->inputs ? find(g, g->node->in[i]) : NULL;
}

// NULL, or why our tensors cannot hold it.
static const char *tensor_of_onnx(const OnnxTensor *x, Tensor **tensor)
{
    Shape shape = {.dims = x->dims};
    if (x->floats == NULL && x->ints == NULL) return "numbers of another type than ours";
    if (x->dims > TENSOR_MAX_DIMS) return "more than 4 dimensions";
    for (int i = 0; i < x->dims; i++) shape.size[i] = (int)x->size[i];
    *tensor = x->floats != NULL ? tensor_from(keep, shape, x->floats)
                                : tensor_from_ints(keep, shape, x->ints);
    return NULL;
}

static int64_t integer(const OnnxNode *node, const char *name, int64_t otherwise)
{
    const OnnxAttribute *a = onnx_attribute(node, name);
    return a != NULL ? a->integer : otherwise;
}

static float number(const OnnxNode *node, const char *name, float otherwise)
{
    const OnnxAttribute *a = onnx_attribute(node, name);
    return a != NULL ? a->number : otherwise;
}

// The one number that all of a list are, or -1.
static int same_in_all(const OnnxNode *node, const char *name, int otherwise)
{
    const OnnxAttribute *a = onnx_attribute(node, name);
    if (a == NULL) return otherwise;
    for (int i = 1; i < a->count; i++)
        if (a->integers[i] != a->integers[0]) return -1;
    return (int)a->integers[0];
}

// ---- the operators: each defines its first output, or says why our op cannot

static const char *images(const Graph *g, ConvConfig *config)
{
    const OnnxAttribute *auto_pad = onnx_attribute(g->node, "auto_pad");
    *config = (ConvConfig){.stride = same_in_all(g->node, "strides", 1),
                           .pad = same_in_all(g->node, "pads", 0),
                           .dilation = same_in_all(g->node, "dilations", 1),
                           .groups = (int)integer(g->node, "group", 1)};
    if (in(g, 0)->shape.dims != 4) return "images of 1 or 3 dimensions";
    if (in(g, 0)->type != DTYPE_F32) return "numbers of another type than ours";
    if (auto_pad != NULL && strncmp(auto_pad->text, "SAME", 4) == 0) return "padding by auto_pad";
    if (config->stride < 0 || config->pad < 0 || config->dilation < 0)
        return "a stride or pad that is not the same on all sides";
    if (integer(g->node, "ceil_mode", 0) != 0) return "ceil_mode";
    return NULL;
}

static const char *run_conv(Graph *g)
{
    ConvConfig config;
    const char *why = images(g, &config);
    if (why == NULL)
        define(g, g->node->out[0], op_conv2d(tape, in(g, 0), in(g, 1), in(g, 2), config));
    return why;
}

static const char *pool_config(const Graph *g, PoolConfig *pool)
{
    ConvConfig config;
    const char *why = images(g, &config);
    if (why != NULL) return why;
    *pool = (PoolConfig){same_in_all(g->node, "kernel_shape", -1), config.stride, config.pad};
    if (pool->kernel < 0) return "a window that is not square";
    if (config.dilation != 1) return "a window with dilation";
    if (2 * pool->pad > pool->kernel) return "padding by more than half the window";
    return NULL;
}

static const char *run_max_pool(Graph *g)
{
    PoolConfig config;
    const char *why = pool_config(g, &config);
    if (why == NULL) define(g, g->node->out[0], op_max_pool(tape, in(g, 0), config));
    return why;
}

static const char *run_average_pool(Graph *g)
{
    PoolConfig config;
    const char *why = pool_config(g, &config);
    if (why == NULL && config.pad > 0 && integer(g->node, "count_include_pad", 0) == 0)
        why = "padding that does not count";
    if (why == NULL) define(g, g->node->out[0], op_avg_pool(tape, in(g, 0), config));
    return why;
}

static const char *run_global_average_pool(Graph *g)
{
    const Tensor *x = in(g, 0);
    if (x->shape.dims != 4) return "images of 1 or 3 dimensions";
    Tensor *y = op_global_avg_pool(tape, in(g, 0));    // ONNX keeps two sides of 1
    define(g, g->node->out[0],
           tensor_view(tape->arena, y, SHAPE(x->shape.size[0], x->shape.size[1], 1, 1)));
    return NULL;
}

static const char *run_global_max_pool(Graph *g)
{
    const int *size = in(g, 0)->shape.size;
    if (in(g, 0)->shape.dims != 4 || size[2] != size[3]) return "a window that is not square";
    define(g, g->node->out[0], op_max_pool(tape, in(g, 0), (PoolConfig){.kernel = size[2]}));
    return NULL;
}

static const char *run_batch_norm(Graph *g)
{
    const OnnxNode *node = g->node;
    const int channels = in(g, 1)->shape.size[0];
    const bool training = integer(node, "training_mode", 0) != 0;
    BatchNorm norm = batch_norm_new(params, "bn", channels);
    norm.eps = number(node, "epsilon", 1e-5f);
    norm.momentum = 1.0f - number(node, "momentum", 0.9f);    // ONNX's is what stays
    tensor_copy(norm.weight, in(g, 1));
    tensor_copy(norm.bias, in(g, 2));
    tensor_copy(norm.running_mean, in(g, 3));
    tensor_copy(norm.running_var, in(g, 4));
    tape_quiet(tape, !training);
    define(g, node->out[0], batch_norm_forward(tape, &norm, in(g, 0)));
    if (!training) return NULL;
    define(g, node->out[1], norm.running_mean);
    // ONNX remembers the variance by n, PyTorch and we by n - 1: the batch's share of ours, scaled.
    const float n = (float)tensor_count(in(g, 0)) / (float)channels, share = (n - 1) / n;
    const float *before = in(g, 4)->data;
    kernels.axpby(norm.running_var->data, before, (1 - norm.momentum) * (1 - share), share,
                  (size_t)channels);
    define(g, node->out[2], norm.running_var);
    return NULL;
}

// Over all dimensions from the axis on: a row of ours.
static const char *run_layer_norm(Graph *g)
{
    Tensor *x = in(g, 0), *shift = in(g, 2);
    int64_t axis = integer(g->node, "axis", -1);
    if (axis < 0) axis += x->shape.dims;
    int rows = 1;
    for (int i = 0; i < axis; i++) rows *= x->shape.size[i];
    const int cols = (int)(tensor_count(x) / (size_t)rows);
    Tensor *y = op_layer_norm(
        tape, tensor_view(keep, x, SHAPE(rows, cols)), tensor_view(keep, in(g, 1), SHAPE(cols)),
        shift ? tensor_view(keep, shift, SHAPE(cols)) : NULL, number(g->node, "epsilon", 1e-5f));
    define(g, g->node->out[0], tensor_view(tape->arena, y, x->shape));
    return NULL;
}

// A row is all that lies behind the first axis.
static const char *run_gather(Graph *g)
{
    const Tensor *id = in(g, 1);
    Tensor *table = in(g, 0);
    if (table->type != DTYPE_F32) return "numbers of another type than ours";
    if (integer(g->node, "axis", 0) != 0) return "an axis that is not the first";
    if (table->shape.dims + id->shape.dims - 1 > TENSOR_MAX_DIMS) return "more than 4 dimensions";
    const size_t n = tensor_count(id);
    int32_t *ids = arena_alloc(keep, n * sizeof *ids);
    tensor_read_ints(id, ids);
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0) return "an index from the end";
    const int rows = table->shape.size[0], cols = (int)(tensor_count(table) / (size_t)rows);
    Tensor *y = op_embedding(tape, in(g, 1), tensor_view(keep, table, SHAPE(rows, cols)));
    Shape shape = id->shape;
    for (int i = 1; i < table->shape.dims; i++) shape.size[shape.dims++] = table->shape.size[i];
    define(g, g->node->out[0], tensor_view(tape->arena, y, shape));
    return NULL;
}

static const char *run_softmax(Graph *g)
{
    const Tensor *x = in(g, 0);
    const int64_t axis = integer(g->node, "axis", g->model->opset < 13 ? 1 : -1);
    const int last = x->shape.dims - 1;
    if (axis != last && axis != -1) return "an axis that is not the last";
    Tensor *y = tensor_new(tape->arena, x->shape);
    const int cols = x->shape.size[last];
    kernels.softmax_rows(y->data, tensor_floats(x), (int)(tensor_count(x) / (size_t)cols), cols);
    define(g, g->node->out[0], y);
    return NULL;
}

// ONNX's ignored label may be any number, ours is any below 0.
static Tensor *labels_without(const Tensor *labels, int32_t ignored)
{
    const size_t n = tensor_count(labels);
    int32_t *label = arena_alloc(keep, n * sizeof *label);
    tensor_read_ints(labels, label);
    for (size_t i = 0; i < n; i++)
        if (label[i] == ignored) label[i] = -1;
    return tensor_from_ints(keep, labels->shape, label);
}

static const char *run_cross_entropy(Graph *g)
{
    const OnnxAttribute *reduction = onnx_attribute(g->node, "reduction");
    if (in(g, 0) == NULL || in(g, 0)->shape.dims != 2) return "a loss of pixels";
    if (g->node->inputs > 2) return "a loss with weights";
    if (reduction != NULL && strcmp(reduction->text, "mean") != 0)
        return "a loss that is not a mean";
    const OnnxAttribute *ignored = onnx_attribute(g->node, "ignore_index");
    Tensor *labels = ignored ? labels_without(in(g, 1), (int32_t)ignored->integer) : in(g, 1);
    define(g, g->node->out[0], loss_cross_entropy(tape, in(g, 0), labels));
    return NULL;
}

typedef Tensor *Unary(Tape *tape, Tensor *x);
typedef Tensor *Binary(Tape *tape, Tensor *a, Tensor *b);

static const char *run_unary(Graph *g, Unary *op)
{
    if (in(g, 0)->type != DTYPE_F32) return "numbers of another type than ours";
    define(g, g->node->out[0], op(tape, in(g, 0)));
    return NULL;
}

static const char *run_binary(Graph *g, Binary *op)
{
    Tensor *a = in(g, 0), *b = in(g, 1);
    if (a->type != DTYPE_F32) return "numbers of another type than ours";
    if (!shape_equal(a->shape, b->shape)) return "broadcasting";
    define(g, g->node->out[0], op(tape, a, b));
    return NULL;
}

static const char *run_relu(Graph *g)
{
    return run_unary(g, op_relu);
}

static const char *run_sigmoid(Graph *g)
{
    return run_unary(g, op_sigmoid);
}

static const char *run_tanh(Graph *g)
{
    return run_unary(g, op_tanh);
}

static const char *run_exp(Graph *g)
{
    return run_unary(g, op_exp);
}

static const char *run_add(Graph *g)
{
    return run_binary(g, op_add);
}

static const char *run_mul(Graph *g)
{
    return run_binary(g, op_mul);
}

static const char *run_matmul(Graph *g)
{
    const Tensor *a = in(g, 0), *b = in(g, 1);
    const int dims = a->shape.dims;
    if (dims != b->shape.dims || dims < 2) return "broadcasting";
    for (int i = 0; i < dims - 2; i++)
        if (a->shape.size[i] != b->shape.size[i]) return "broadcasting";
    define(g, g->node->out[0], op_matmul(tape, in(g, 0), in(g, 1)));
    return NULL;
}

// y = alpha a b + beta c, where our layer has a b^T + c with a row c.
static const char *run_gemm(Graph *g)
{
    Tensor *c = in(g, 2), *w = in(g, 1);
    const bool transposed = integer(g->node, "transB", 0) != 0;
    const int out = w->shape.size[transposed ? 0 : 1];
    if (integer(g->node, "transA", 0) != 0) return "a transposed first matrix";
    if (number(g->node, "alpha", 1) != 1.0f || number(g->node, "beta", 1) != 1.0f)
        return "factors at a product";
    if (c != NULL && tensor_count(c) != (size_t)out) return "broadcasting";
    if (c != NULL) c = tensor_view(keep, c, SHAPE(out));
    Tensor *y = transposed ? op_linear(tape, in(g, 0), w, c) : op_matmul(tape, in(g, 0), w);
    if (!transposed && c != NULL) kernels.add_row(y->data, y->data, c->data, y->shape.size[0], out);
    define(g, g->node->out[0], y);
    return NULL;
}

static const char *run_flatten(Graph *g)
{
    Tensor *x = in(g, 0);
    int64_t axis = integer(g->node, "axis", 1), rows = 1;
    if (axis < 0) axis += x->shape.dims;
    for (int i = 0; i < axis; i++) rows *= x->shape.size[i];
    const int cols = (int)(tensor_count(x) / (size_t)rows);
    define(g, g->node->out[0], tensor_view(tape->arena, x, SHAPE((int)rows, cols)));
    return NULL;
}

static const char *run_dropout(Graph *g)
{
    if (g->node->inputs > 2) return "masks by another generator";
    if (g->node->outputs > 1) return "a mask as an output";
    tape_quiet(tape, true);
    define(g, g->node->out[0], op_dropout(tape, in(g, 0), 0.5f, (Draw){1, 1}));
    return NULL;
}

// Blocks of a [1,blocks n,cols] of ONNX in the order of ours, from block `first` on.
static Tensor *blocks_of(const Tensor *x, const int *order, int blocks, int first, Shape shape)
{
    const size_t n = shape_count(shape) / (size_t)blocks;
    const float *from = values_of(x);
    float *to = arena_alloc(keep, shape_count(shape) * sizeof *to);
    for (int k = 0; k < blocks; k++)
        memcpy(to + (size_t)k * n, from + (size_t)(first + order[k]) * n, n * sizeof *to);
    return tensor_from(keep, shape, to);
}

// The layer's weights, its two biases as one. NULL, or why our ops have no such layer.
static const char *recurrent_weights(const Graph *g, const int *order, int blocks, Tensor *w[3])
{
    Tensor *x = in(g, 0), *both = in(g, 3);
    const OnnxAttribute *direction = onnx_attribute(g->node, "direction");
    if (direction != NULL && strcmp(direction->text, "forward") != 0) return "another direction";
    if (integer(g->node, "layout", 0) != 0) return "the batch first";
    if (in(g, 4) != NULL || in(g, 7) != NULL) return "lengths of sequences, or peepholes";
    if (in(g, 5) != NULL || in(g, 6) != NULL) return "a state before the first step";
    const int H = (int)integer(g->node, "hidden_size", 0), I = x->shape.size[2];
    w[0] = blocks_of(in(g, 1), order, blocks, 0, SHAPE(blocks * H, I));
    w[1] = blocks_of(in(g, 2), order, blocks, 0, SHAPE(blocks * H, H));
    w[2] = tensor_zeros(keep, SHAPE(blocks * H));
    for (int k = 0; both != NULL && k < 2; k++) {
        Tensor *b = blocks_of(both, order, blocks, k * blocks, w[2]->shape);
        kernels.add(w[2]->data, w[2]->data, b->data, tensor_count(b));
    }
    return NULL;
}

static void define_states(Graph *g, Tensor *h)
{
    const int T = h->shape.size[0], B = h->shape.size[1], H = h->shape.size[2];
    define(g, g->node->out[0], tensor_view(keep, h, SHAPE(T, 1, B, H)));
    if (g->node->outputs > 1) define(g, g->node->out[1], tensor_rows(keep, h, T - 1, 1));
}

static const char *run_lstm(Graph *g)
{
    static const int order[] = {0, 2, 3, 1};    // of ONNX's i o f c
    Tensor *w[3];
    const char *why = recurrent_weights(g, order, 4, w);
    if (why == NULL) define_states(g, op_lstm(tape, in(g, 0), w[0], w[1], w[2], NULL));
    return why;
}

// In one step from a state of zeros the two forms of the reset gate are the same.
static const char *run_gru(Graph *g)
{
    static const int order[] = {1, 0, 2};    // of ONNX's z r h
    Tensor *w[3];
    if (in(g, 0)->shape.size[0] > 1) return "a reset gate before the product";
    const char *why = recurrent_weights(g, order, 3, w);
    if (why != NULL) return why;
    Tensor *c = tensor_zeros(keep, SHAPE(w[1]->shape.size[1]));
    define_states(g, op_gru(tape, in(g, 0), w[0], w[1], w[2], c, NULL));
    return NULL;
}

typedef struct Operator {
    const char *name;
    const char *(*run)(Graph *g);
} Operator;

static const Operator operators[] = {
    {"Conv", run_conv},
    {"MaxPool", run_max_pool},
    {"AveragePool", run_average_pool},
    {"GlobalAveragePool", run_global_average_pool},
    {"GlobalMaxPool", run_global_max_pool},
    {"BatchNormalization", run_batch_norm},
    {"LayerNormalization", run_layer_norm},
    {"Gather", run_gather},
    {"Softmax", run_softmax},
    {"SoftmaxCrossEntropyLoss", run_cross_entropy},
    {"Relu", run_relu},
    {"Sigmoid", run_sigmoid},
    {"Tanh", run_tanh},
    {"Exp", run_exp},
    {"Add", run_add},
    {"Mul", run_mul},
    {"MatMul", run_matmul},
    {"Gemm", run_gemm},
    {"Flatten", run_flatten},
    {"Dropout", run_dropout},
    {"LSTM", run_lstm},
    {"GRU", run_gru},
};
enum { OPERATORS = sizeof operators / sizeof *operators };

static const Operator *operator_of(const OnnxNode *node)
{
    for (int i = 0; i < OPERATORS; i++)
        if (strcmp(operators[i].name, node->op) == 0) return &operators[i];
    return NULL;
}

// ---- one test

static const char *run_nodes(Graph *g)
{
    for (int n = 0; n < g->model->node_count; n++) {
        g->node = &g->model->nodes[n];
        const Operator *op = operator_of(g->node);
        if (op == NULL) return "another operator than ours";
        if (in(g, 0) == NULL) return "an input that is left out";
        const char *why = op->run(g);
        if (why != NULL) return why;
    }
    return NULL;
}

static const char *define_weights(Graph *g)
{
    for (int i = 0; i < g->model->weight_count; i++) {
        Tensor *x;
        const char *why = tensor_of_onnx(&g->model->weights[i], &x);
        if (why != NULL) return why;
        define(g, g->model->weights[i].name, x);
    }
    return NULL;
}

// The inputs that no weight of the graph is, in order.
static const char *define_inputs(Graph *g, const char *folder)
{
    Error err;
    for (int i = 0, file = 0; i < g->model->inputs; i++) {
        if (find(g, g->model->in[i]) != NULL) continue;
        Tensor *x;
        const OnnxTensor *read =
            onnx_tensor_read(keep, arena_print(keep, "%s/input_%d.pb", folder, file++), &err);
        if (read == NULL) return "an input that is not a tensor";
        const char *why = tensor_of_onnx(read, &x);
        if (why != NULL) return why;
        define(g, g->model->in[i], x);
    }
    return NULL;
}

// Outputs that the graph's last op of ours does not have are passed over: indices, log probabilities.
static void hold_outputs(const Graph *g, const char *name, const char *folder)
{
    Error err;
    int held = 0;
    for (int i = 0; i < g->model->outputs; i++) {
        const Tensor *y = find(g, g->model->out[i]);
        if (y == NULL) continue;
        const OnnxTensor *want =
            onnx_tensor_read(keep, arena_print(keep, "%s/output_%d.pb", folder, i), &err);
        assert_that(want != NULL && want->floats != NULL, "%s: output %d is not read", name, i);
        assert_integer(name, (int)tensor_count(y), (int)want->count);
        for (int d = 0; d < y->shape.dims; d++)
            assert_integer(name, y->shape.size[d], (int)want->size[d]);
        assert_near(values_of(y), floats_wide(want->floats, want->count), SHAPE((int)want->count),
                    .name = name, .atol = 1e-5, .rtol = 1e-5);
        held++;
    }
    assert_that(held > 0, "%s: no output was compared", name);
}

static const char *run_vector(const char *name, const char *path, const Operator **op)
{
    Error err;
    const OnnxModel *model = onnx_model_read(keep, arena_print(keep, "%s/model.onnx", path), &err);
    *op = NULL;
    if (model == NULL) return "a graph of another size";
    Graph g = {.model = model};
    const char *folder = arena_print(keep, "%s/test_data_set_0", path), *why;
    for (int n = 0; n < model->node_count; n++)
        if (operator_of(&model->nodes[n]) == NULL) return "another operator than ours";
    if (model->node_count == 0) return "a graph of another size";
    if ((why = define_weights(&g)) != NULL || (why = define_inputs(&g, folder)) != NULL ||
        (why = run_nodes(&g)) != NULL)
        return why;
    hold_outputs(&g, name, folder);
    *op = operator_of(&model->nodes[0]);
    return NULL;
}

// ---- all of them

typedef struct Tally {
    const char *reasons[32];
    int counts[32], kinds;
    int ran[OPERATORS], total;
} Tally;

static void count_reason(Tally *tally, const char *why)
{
    int i = 0;
    while (i < tally->kinds && strcmp(tally->reasons[i], why) != 0) i++;
    if (i == tally->kinds) tally->reasons[tally->kinds++] = why;
    tally->counts[i]++;
}

static void run_one(Tally *tally, const char *folder, const char *name)
{
    const Operator *op;
    keep = arena_new("keep", 64u << 20);
    params = params_new(keep);
    tape = tape_new(arena_new("step", 64u << 20));
    const char *why = run_vector(name, arena_print(keep, "%s/%s", folder, name), &op);
    if (why != NULL) count_reason(tally, why);
    else tally->ran[op - operators]++, tally->total++;
    arena_free(tape->arena);
    arena_free(keep);
}

static void run_folder(Tally *tally, const char *folder)
{
    struct dirent **entries;
    const int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (strncmp(entries[i]->d_name, "test_", 5) == 0)
            run_one(tally, folder, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
}

static void print_tally(const Tally *tally)
{
    print_message("%d of ONNX's operator tests agree:", tally->total);
    for (int i = 0; i < OPERATORS; i++) print_message(" %s %d", operators[i].name, tally->ran[i]);
    print_message("\nnot expressed:\n");
    for (int i = 0; i < tally->kinds; i++)
        print_message("  %4d  %s\n", tally->counts[i], tally->reasons[i]);
}

static void each_vector_that_our_ops_can_express_agrees(void **state)
{
#define FOLDER(name) LAB_ONNX_DATA "/" name
    static const char *const folders[] = {FOLDER("node"), FOLDER("pytorch-converted"),
                                          FOLDER("pytorch-operator"), FOLDER("simple")};
    Tally tally = {0};
    DIR *there = opendir(LAB_ONNX_DATA);
    if (there == NULL) SKIP("no " LAB_ONNX_DATA, "./lab setup --dev");
    closedir(there);
    for (int i = 0; i < 4; i++) run_folder(&tally, folders[i]);
    if (strcmp(*state, "cpu") == 0) print_tally(&tally);
    for (int i = 0; i < OPERATORS; i++)
        assert_that(tally.ran[i] > 0, "none of %s ran", operators[i].name);
}

static int setup(void **state)
{
    device_for_case(*state);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(each_vector_that_our_ops_can_express_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
