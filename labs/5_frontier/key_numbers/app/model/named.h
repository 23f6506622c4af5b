/* named.h -- a model from the names and shapes of its tensors alone, whatever its family.
 *
 *     Model *model = named_model(&shards, arena, path, config, &err);    // config: beside it, or NULL
 *
 * Parameters are counted from headers; matrices that are packed into integers by their scales. Layers with the
 * same tensors are one kind, and the rows of keys and values are the cache. What names do not say is
 * taken from fields of a configuration, where there is one (heads, experts of a token), and else noted.
 */
#pragma once
#include <cjson/cJSON.h>
#include "common/shards.h"
#include "labs/5_frontier/key_numbers/app/model/model.h"

Model *named_model(const Shards *shards, Arena *arena, const char *path, const cJSON *config,
                   Error *err);
