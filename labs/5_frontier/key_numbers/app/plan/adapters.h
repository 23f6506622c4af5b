/* adapters.h -- LoRA: beside a frozen matrix [out,in] two small ones are trained, [r,in] and [out,r]
 * (Hu et al. 2021).
 *
 *     adapters_params(model, TARGETS_QV, 8); // 4194304 for Llama-2-7B, as PEFT prints
 *
 * Targets, of the layers only (no embedding, head or vision tower):
 *     QV         queries and values; of latent attention what makes the heads' queries, keys and values
 *     ATTENTION  all matrices of attention
 *     ALL        and those of the MLPs, of each expert too, but not the router. (PEFT's "all-linear"
 *                adds routers where they are nn.Linear: Mixtral, r = 16, 242225152 for our 240123904.)
 * Where q, k and v are one matrix it has one adapter, as in PEFT.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"

// In the order of question.h's choices.
typedef enum LoraTargets { TARGETS_ALL, TARGETS_ATTENTION, TARGETS_QV } LoraTargets;

bool adapters_on(const Weight *weight, LoraTargets targets);
uint64_t adapters_params(const Model *model, LoraTargets targets, uint64_t rank);
