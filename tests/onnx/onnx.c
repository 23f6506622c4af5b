#include "tests/onnx/onnx.h"
#include <string.h>
#include "common/file.h"

// ---- protocol buffers: a message is fields, each with a number, a kind and a value

typedef enum Kind { VARINT = 0, EIGHT_BYTES = 1, BYTES = 2, FOUR_BYTES = 5 } Kind;

typedef struct Message {
    Arena *arena;
    const unsigned char *at, *end;
    bool broken;
} Message;

typedef struct Field {
    int number;
    Kind kind;
    uint64_t value;    // of a varint
    Message bytes;     // of any other
} Field;

static uint64_t read_varint(Message *m)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && m->at < m->end; shift += 7) {
        const unsigned char byte = *m->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return value;
    }
    m->broken = true;
    return 0;
}

static bool next_field(Message *m, Field *field)
{
    if (m->broken || m->at >= m->end) return false;
    const uint64_t key = read_varint(m);
    *field = (Field){.number = (int)(key >> 3), .kind = (Kind)(key & 7)};
    uint64_t length = 0;
    switch (field->kind) {
    case VARINT: field->value = read_varint(m); break;
    case EIGHT_BYTES: length = 8; break;
    case FOUR_BYTES: length = 4; break;
    case BYTES: length = read_varint(m); break;
    default: m->broken = true;
    }
    if (length > (uint64_t)(m->end - m->at)) m->broken = true;
    if (m->broken) return false;
    field->bytes = (Message){m->arena, m->at, m->at + length, false};
    m->at += length;
    return true;
}

static const char *text_of(Field field)
{
    return arena_print(field.bytes.arena, "%.*s", (int)(field.bytes.end - field.bytes.at),
                       (const char *)field.bytes.at);
}

static float number_of(Field field)
{
    float number = 0;
    if (field.kind == FOUR_BYTES) memcpy(&number, field.bytes.at, sizeof number);
    return number;
}

// A repeated integer comes one a field, or all in one.
static void add_integers(Message *m, Field field, int64_t *list, int *count)
{
    while (field.kind == VARINT || field.bytes.at < field.bytes.end) {
        if (*count == ONNX_DIMS || field.bytes.broken) {
            m->broken = true;
            return;
        }
        list[(*count)++] =
            (int64_t)(field.kind == VARINT ? field.value : read_varint(&field.bytes));
        if (field.kind == VARINT) return;
    }
}

// ---- onnx.proto

static void read_raw(OnnxTensor *x, Message raw, Message *m)
{
    const size_t size = x->type == ONNX_INT64 ? 8 : 4;
    m->broken |= (size_t)(raw.end - raw.at) != x->count * size;
    for (size_t i = 0; !m->broken && i < x->count; i++, raw.at += size) {
        int64_t wide;
        if (x->type == ONNX_FLOAT) memcpy(&x->floats[i], raw.at, 4);
        else if (x->type == ONNX_INT32) memcpy(&x->ints[i], raw.at, 4);
        else memcpy(&wide, raw.at, 8), x->ints[i] = (int32_t)wide;
    }
}

static void read_integers(OnnxTensor *x, Message list, Message *m)
{
    for (size_t i = 0; i < x->count; i++) x->ints[i] = (int32_t)read_varint(&list);
    m->broken |= list.broken || list.at != list.end;
}

static OnnxTensor read_tensor(Message *m)
{
    OnnxTensor x = {.count = 1, .name = ""};
    Field field, values = {0};
    while (next_field(m, &field)) switch (field.number) {
        case 1: add_integers(m, field, x.size, &x.dims); break;
        case 2: x.type = (OnnxType)field.value; break;
        case 8: x.name = text_of(field); break;
        case 4:    // float_data, int32_data, int64_data, raw_data
        case 5:
        case 7:
        case 9: values = field; break;
        default: break;
        }
    for (int i = 0; i < x.dims; i++) x.count *= (size_t)x.size[i];
    if (x.type == ONNX_FLOAT) x.floats = arena_zeros(m->arena, x.count * sizeof *x.floats);
    else if (x.type == ONNX_INT32 || x.type == ONNX_INT64)
        x.ints = arena_zeros(m->arena, x.count * sizeof *x.ints);
    else return x;
    if (x.count == 0) return x;
    if (values.number == 9 || values.number == 4) read_raw(&x, values.bytes, m);
    else if (values.number == 5 || values.number == 7) read_integers(&x, values.bytes, m);
    else m->broken = true;
    return x;
}

static OnnxAttribute read_attribute(Message *m)
{
    OnnxAttribute a = {.name = "", .text = ""};
    Field field;
    while (next_field(m, &field)) switch (field.number) {
        case 1: a.name = text_of(field); break;
        case 2: a.number = number_of(field); break;
        case 3: a.integer = (int64_t)field.value; break;
        case 4: a.text = text_of(field); break;
        case 8: add_integers(m, field, a.integers, &a.count); break;
        default: break;
        }
    return a;
}

// One more in a list that has room for `most`.
#define APPEND(m, list, count, most, value)                                                        \
    do {                                                                                           \
        if ((count) < (most)) (list)[(count)++] = (value);                                         \
        else (m)->broken = true;                                                                   \
    } while (0)

static OnnxNode read_node(Message *m)
{
    OnnxNode node = {.op = ""};
    Field f;
    while (next_field(m, &f)) {
        switch (f.number) {
        case 1: APPEND(m, node.in, node.inputs, ONNX_DIMS, text_of(f)); break;
        case 2: APPEND(m, node.out, node.outputs, ONNX_DIMS, text_of(f)); break;
        case 4: node.op = text_of(f); break;
        case 5:
            APPEND(m, node.attributes, node.attribute_count, ONNX_DIMS, read_attribute(&f.bytes));
            m->broken |= f.bytes.broken;
            break;
        default: break;
        }
    }
    return node;
}

static const char *read_name(Message *m)    // of a ValueInfoProto
{
    Field field;
    while (next_field(m, &field))
        if (field.number == 1) return text_of(field);
    return "";
}

static void read_graph(OnnxModel *model, Message *m)
{
    Field f;
    while (next_field(m, &f)) {
        switch (f.number) {
        case 1: APPEND(m, model->nodes, model->node_count, ONNX_MAX, read_node(&f.bytes)); break;
        case 5:
            APPEND(m, model->weights, model->weight_count, ONNX_MAX, read_tensor(&f.bytes));
            break;
        case 11: APPEND(m, model->in, model->inputs, ONNX_MAX, read_name(&f.bytes)); break;
        case 12: APPEND(m, model->out, model->outputs, ONNX_MAX, read_name(&f.bytes)); break;
        default: break;
        }
        m->broken |= f.bytes.broken;
    }
}

static void read_model(OnnxModel *model, Message *m)
{
    Field field, inner;
    while (next_field(m, &field)) {
        if (field.number == 7) read_graph(model, &field.bytes);
        if (field.number == 8)    // an OperatorSetIdProto
            while (next_field(&field.bytes, &inner))
                if (inner.number == 2) model->opset = (int64_t)inner.value;
        m->broken |= field.bytes.broken;
    }
}

// ---- files

OnnxModel *onnx_model_read(Arena *arena, const char *path, Error *err)
{
    FileView view;
    OnnxModel *model = arena_zeros(arena, sizeof *model);
    if (!file_map(&view, path, err)) return NULL;
    Message m = {arena, view.bytes, (unsigned char *)view.bytes + view.size, false};
    read_model(model, &m);
    file_unmap(view);
    if (!m.broken) return model;
    error_set(err, "%s: not a model of the size that ONNX's operator tests have", path);
    return NULL;
}

OnnxTensor *onnx_tensor_read(Arena *arena, const char *path, Error *err)
{
    FileView view;
    OnnxTensor *x = arena_zeros(arena, sizeof *x);
    if (!file_map(&view, path, err)) return NULL;
    Message m = {arena, view.bytes, (unsigned char *)view.bytes + view.size, false};
    *x = read_tensor(&m);
    file_unmap(view);
    if (!m.broken) return x;
    error_set(err, "%s: not a tensor", path);
    return NULL;
}

const OnnxAttribute *onnx_attribute(const OnnxNode *node, const char *name)
{
    for (int i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].name, name) == 0) return &node->attributes[i];
    return NULL;
}
