/* adapters.h -- LoRA: beside a frozen matrix [out,in] two small ones are trained, [r,in] and [out,r]
 * (Hu et al. 2021).
 *
 *     adapters_params(model, "qv", 8);    // 4194304 for Llama-2-7B, as PEFT prints
 *
 * Targets, of the layers only (no embedding, head or vision tower):
 *     qv         queries and values; of latent attention what makes the heads' queries, keys and values
 *     attention  all matrices of attention
 *     all        and those of the MLPs, of each expert too, but not the router. (PEFT's "all-linear"
 *                adds routers where they are nn.Linear: Mixtral, r = 16, 242225152 for our 240123904.)
 * Where q, k and v are one matrix it has one adapter, as in PEFT.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"

bool adapters_on(const Weight *weight, const char *targets);
uint64_t adapters_params(const Model *model, const char *targets, uint64_t rank);
