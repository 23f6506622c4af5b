/* fixtures.h -- reads tests/fixtures/NAME: what transformers makes of configurations (make_fixtures.py).
 *
 *     cJSON *tree = fixture_load("parameters.json");    // fails the test when it is not there
 *     uint64_t total = fixture_count(entry, "total");
 */
#pragma once
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <cjson/cJSON.h>
#include "common/json.h"
#include "datasets/root.h"
#include "labs/5_frontier/key_numbers/app/model/model.h"
#include "tests/cases.h"

static inline cJSON *fixture_load(const char *name)
{
    char path[PATH_MAX];
    Error err = {""};
    snprintf(path, sizeof path, "%s/labs/5_frontier/key_numbers/app/tests/fixtures/%s", root_dir(),
             name);
    cJSON *tree = json_load(path, &err);
    if (tree == NULL) fail_msg("%s", err.message);
    return tree;
}

static inline const cJSON *fixture_get(const cJSON *object, const char *field)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(object, field);
    if (node == NULL) fail_msg("the fixture has no %s", field);
    return node;
}

// All are under 2^53.
static inline uint64_t fixture_count(const cJSON *object, const char *field)
{
    return (uint64_t)fixture_get(object, field)->valuedouble;
}

static inline void fixture_equal(const char *name, const char *what, uint64_t got,
                                 uint64_t expected)
{
    if (got != expected)
        fail_msg("%s: %s is %" PRIu64 ", expected %" PRIu64, name, what, got, expected);
}

// Every component, those that are not there as well.
static inline void fixture_components(const Model *model, const char *name, const cJSON *components)
{
    for (int c = 0; c < COMPONENT_COUNT; c++) {
        const cJSON *node = cJSON_GetObjectItemCaseSensitive(components, component_names[c]);
        fixture_equal(name, component_names[c], model_component(model, (Component)c),
                      node != NULL ? (uint64_t)node->valuedouble : 0);
    }
}
