#include "common/embedding.h"
#include "common/error.h"
#include "kernels/device.h"

static void require_ids(const Tensor *ids, int vocabulary)
{
    const int32_t *id = tensor_ints(ids);
    const size_t n = tensor_count(ids);
    for (size_t i = 0; device->on_host && i < n; i++)
        REQUIRE(id[i] >= 0 && id[i] < vocabulary, "id %d at %zu of %s; expected 0 to %d", id[i], i,
                TENSOR_TEXT(ids), vocabulary - 1);
}

// y_i = table[id_i]   =>   dtable[id_i] += dy_i
static void embedding_backward(const TapeNode *node)
{
    Tensor *ids = node->in[0], *table = node->in[1];
    float *dtable = tape_grad_sum(node, table);
    kernels.embedding_backward(dtable, tensor_ints(ids), node->out[0]->grad, tensor_count(ids),
                               table->shape.size[0], table->shape.size[1]);
}

Tensor *op_embedding(Tape *tape, Tensor *ids, Tensor *table)
{
    Shape shape = ids->shape;
    REQUIRE(table->shape.dims == 2 && shape.dims < TENSOR_MAX_DIMS,
            "ids are %s and table is %s; expected [...] and [V,d]", TENSOR_TEXT(ids),
            TENSOR_TEXT(table));
    require_ids(ids, table->shape.size[0]);
    shape.size[shape.dims++] = table->shape.size[1];
    Tensor *y = tensor_new(tape->arena, shape);
    kernels.embedding(y->data, tensor_ints(ids), tensor_floats(table), tensor_count(ids),
                      table->shape.size[1]);
    return tape_record(tape, y, embedding_backward, NULL, INPUTS(ids, table));
}

// A row of all T positions for each sequence.
typedef struct Positions {
    size_t at;    // the first number of the table that is added
    int rows, cols;
} Positions;

// y = x + table[first + t]   =>   dx += dy,   dtable[first + t] += sum over the sequences of dy
static void add_positions_backward(const TapeNode *node)
{
    const Positions *saved = node->saved;
    const Tensor *y = node->out[0];
    Grad dx = tape_grad(node, node->in[0]);
    float *dtable = tape_grad_sum(node, node->in[1]);
    if (dx.at) kernels.axpby(dx.at, y->grad, 1.0f, dx.beta, tensor_count(y));
    if (dtable) kernels.sum_rows(dtable + saved->at, y->grad, saved->rows, saved->cols, 1.0f);
}

Tensor *op_add_positions(Tape *tape, Tensor *x, Tensor *table, int first)
{
    const int last = x->shape.dims - 1;
    REQUIRE(last >= 1 && table->shape.dims == 2 && table->shape.size[1] == x->shape.size[last],
            "x is %s and table is %s; expected [...,T,d] and [P,d]", TENSOR_TEXT(x),
            TENSOR_TEXT(table));
    const int time = x->shape.size[last - 1], width = x->shape.size[last];
    REQUIRE(first >= 0 && first <= table->shape.size[0] - time,
            "positions %d to %d of %d: the sequence is longer than the table", first,
            first + time - 1, table->shape.size[0]);
    Positions *saved = arena_alloc(tape->arena, sizeof *saved);
    const size_t row = (size_t)time * (size_t)width;
    *saved = (Positions){(size_t)first * (size_t)width, row > 0 ? (int)(tensor_count(x) / row) : 0,
                         (int)row};
    Tensor *y = tensor_new(tape->arena, x->shape);
    kernels.add_row(y->data, tensor_floats(x), tensor_floats(table) + saved->at, saved->rows,
                    saved->cols);
    return tape_record(tape, y, add_positions_backward, saved, INPUTS(x, table));
}
