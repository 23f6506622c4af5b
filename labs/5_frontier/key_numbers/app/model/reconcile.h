/* reconcile.h -- a configuration's ledger held against the tensors that the files really have.
 *
 *     reconcile(model, &shards, arena, &err);
 *     // each weight knows its bytes; extras say what else stands there, notes what is missing
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"
#include "common/shards.h"

// False when not one tensor is of the ledger: the files are those of some other model.
bool reconcile(Model *model, const Shards *shards, Arena *arena, Error *err);
