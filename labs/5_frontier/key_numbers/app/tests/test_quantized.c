/* Folders that libraries of quantization wrote (make_quantized.py): bytes predicted from their config.json. */
#include <string.h>
#include "labs/5_frontier/key_numbers/app/formats/format.h"
#include "labs/5_frontier/key_numbers/app/tests/fixtures.h"
#include "labs/5_frontier/key_numbers/app/tests/scratch.h"

// Tables of values and settings in JSON, which a file has for each matrix and memory once or not at all.
static bool is_beside(const char *name)
{
    return strstr(name, "quant_map") != NULL || strstr(name, "quant_state") != NULL ||
           strstr(name, "weight_format") != NULL;
}

static void expect_folder(const cJSON *folder)
{
    Error err = {""};
    Model *model =
        config_model(arena, fixture_get(folder, "config"), folder->string, "config.json", &err);
    WeightBytes bytes;
    if (model == NULL || !format_weights(arena, model, NULL, &bytes, &err))
        fail_msg("%s: %s", folder->string, err.message);
    uint64_t held = 0, double_quantized = 0;
    const cJSON *tensor;
    cJSON_ArrayForEach(tensor, fixture_get(folder, "tensors"))
    {
        const char *name = cJSON_GetArrayItem(tensor, 0)->valuestring;
        uint64_t count = (uint64_t)cJSON_GetArrayItem(tensor, 4)->valuedouble;
        if (strstr(name, "nested_quant_map") != NULL) double_quantized += count;
        if (!is_beside(name)) held += count * (uint64_t)cJSON_GetArrayItem(tensor, 3)->valuedouble;
    }
    // The number that the scales are counted from is a tensor in memory, and text in the file.
    fixture_equal(folder->string, "bytes of the folder", bytes.bytes, held + 4 * double_quantized);
}

static void folders_hold_the_bytes_that_their_configuration_predicts(void **state)
{
    (void)state;
    cJSON *fixture = fixture_load("quantized.json");
    const cJSON *folder;
    int count = 0;
    cJSON_ArrayForEach(folder, fixture_get(fixture, "folders"))
    {
        expect_folder(folder);
        count++;
    }
    assert_true(count >= 6);
    cJSON_Delete(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_hold_the_bytes_that_their_configuration_predicts),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
