/* onnx.h -- reads ONNX's operator tests: the tensors and the small graphs, as far as they need it.
 *
 *     OnnxModel *model = onnx_model_read(arena, "test_relu/model.onnx", &err);          // NULL: err says why
 *     OnnxTensor *x = onnx_tensor_read(arena, "test_relu/test_data_set_0/input_0.pb", &err);
 *
 * Both are protocol buffers (onnx.proto: ModelProto and TensorProto). Fields that are not below are passed
 * over. All of it lives in the arena.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "common/arena.h"
#include "common/error.h"

enum { ONNX_MAX = 64, ONNX_DIMS = 8 };

typedef enum OnnxType { ONNX_FLOAT = 1, ONNX_INT32 = 6, ONNX_INT64 = 7 } OnnxType;

typedef struct OnnxTensor {
    const char *name;
    OnnxType type;    // another number where it is another type: it then has no values
    int dims;
    int64_t size[ONNX_DIMS];
    size_t count;
    float *floats;    // of FLOAT
    int32_t *ints;    // of INT32 and INT64
} OnnxTensor;

typedef struct OnnxAttribute {
    const char *name, *text;
    float number;
    int64_t integer, integers[ONNX_DIMS];
    int count;    // of integers
} OnnxAttribute;

typedef struct OnnxNode {
    const char *op, *in[ONNX_DIMS], *out[ONNX_DIMS];    // "" where one is left out
    int inputs, outputs, attribute_count;
    OnnxAttribute attributes[ONNX_DIMS];
} OnnxNode;

typedef struct OnnxModel {
    int64_t opset;
    OnnxNode nodes[ONNX_MAX];
    OnnxTensor weights[ONNX_MAX];
    const char *in[ONNX_MAX], *out[ONNX_MAX];
    int node_count, weight_count, inputs, outputs;
} OnnxModel;

OnnxModel *onnx_model_read(Arena *arena, const char *path, Error *err);
OnnxTensor *onnx_tensor_read(Arena *arena, const char *path, Error *err);

// NULL where the node has none of that name.
const OnnxAttribute *onnx_attribute(const OnnxNode *node, const char *name);
