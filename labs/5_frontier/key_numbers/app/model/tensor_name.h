/* tensor_name.h -- what a tensor's name says in the checkpoints of Hugging Face.
 *
 *     TensorName name;
 *     tensor_name_read(&name, "model.layers.3.mlp.experts.17.gate_proj.weight");
 *     // layer 3, "mlp.experts.gate_proj.weight"
 *     tensor_name_classify(name.plain, &component, &role);    // routed experts, gate
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"

enum { TENSOR_NAME_MAX = 256 };

typedef struct TensorName {
    int layer;    // OUTSIDE: not in one, or in one of an image tower
    char plain
        [TENSOR_NAME_MAX];    // in a layer what follows its number, outside without "model.", and without
                              // the numbers of experts or of an image tower's layers
    bool vision,
        ahead;       // of a tower for images or sound; of a module that predicts further tokens
    bool decoder;    // of the second stack, where there are two
} TensorName;

void tensor_name_read(TensorName *out, const char *name);

// By the words that the usual classes use. False where they say nothing: an MLP's, then.
bool tensor_name_classify(const char *plain, Component *component, Role *role);

// Tensors that are no parameters, by the ending of their names; NULL: none that is known.
typedef struct TensorBeside {
    const char *ends, *what;
} TensorBeside;

const TensorBeside *tensor_name_beside(const char *plain);

// The ending of a matrix that is stored as packed integers (".qweight"), and what it takes the place of; NULL: none.
const char *tensor_name_packed(const char *plain, const char **instead);
