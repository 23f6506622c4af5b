/* training.h -- memory while a model is trained, on the fullest GPU: training.* of the sheet. */
#pragma once
#include "labs/5_frontier/key_numbers/question.h"
#include "labs/5_frontier/key_numbers/model/model.h"
#include "labs/5_frontier/key_numbers/sheet.h"

typedef struct Training {
    uint64_t params, trained;          // of the model; that the optimizer changes (LoRA: the adapters)
    double   weights, gradients, state, activations, logits, work, total;    // bytes on the fullest GPU
    double   host;                     // bytes offloaded to the host's memory, for each GPU
    uint64_t gpus;                     // dp x tp x pp
    bool     fits;
    uint64_t fewest_gpus;              // data-parallel GPUs with which it fits at this ZeRO stage; 0: with none
} Training;

bool training_plan(Arena *arena, const Model *model, const Question *question, Training *training,
                   Error *err);
bool training_tell(Sheet *sheet, const Model *model, const Question *question, Error *err);
