#include "labs/5_frontier/key_numbers/app/report/measurements.h"
#include <string.h>
#include "common/json.h"
#include "datasets/root.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/report/report.h"

#define TABLE "labs/5_frontier/key_numbers/app/facts/measurements.json"

// The question of an entry's settings.
static bool read_question(Arena *arena, const cJSON *entry, Question *question, Error *err)
{
    const cJSON *setting;
    *question = question_default();
    cJSON_ArrayForEach(setting, cJSON_GetObjectItemCaseSensitive(entry, "settings"))
    {
        const char *text = cJSON_GetStringValue(setting);
        if (!question_set(question, arena, setting->string, text != NULL ? text : "", err))
            return false;
    }
    return question_settle(question, arena, err);
}

static bool read_path(Rows *rows, const char *path, Measured *one, Error *err)
{
    const Row *row = rows_find(rows, path);
    const Row *low = rows_find(rows, row_path(rows, "%s_low_bytes", path));
    const Row *high = rows_find(rows, row_path(rows, "%s_high_bytes", path));
    if (low == NULL || high == NULL) low = high = row;
    if (low == NULL) return error_set(err, "there is no quantity %s", path);
    one->low = row_number(low), one->high = row_number(high);
    return true;
}

static bool read_entry(Arena *arena, const cJSON *entry, Measured *one, Error *err)
{
    const char *path, *unit;
    const char *texts[5];
    static const char *const fields[] = {"what", "model", "source", "path", "unit"};
    for (int i = 0; i < 5; i++)
        if (!json_text(arena, entry, TABLE, fields[i], &texts[i], err)) return false;
    one->what = texts[0], one->model = texts[1], one->source = texts[2];
    path = texts[3], unit = texts[4];
    if (!json_number(entry, TABLE, "value", 0, 1e6, &one->value, err) ||
        !json_number(entry, TABLE, "within", 0, 1, &one->within, err))
        return false;
    one->value *= strcmp(unit, "GiB") == 0 ? 0x1p30 : 0x1p20;
    one->at_most = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "at_most"));
    const char *end = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "end"));
    if (end != NULL && strcmp(end, "low") != 0 && strcmp(end, "high") != 0)
        return error_set(err, "%s: end is '%.20s', expected low or high", one->what, end);
    if (end != NULL) one->end = strcmp(end, "low") == 0 ? END_LOW : END_HIGH;

    Question question;
    if (!read_question(arena, entry, &question, err)) return false;
    const Model *model = catalogue_model(arena, one->model, err);
    Rows *rows = model != NULL ? report_of(arena, model, &question, err) : NULL;
    return rows != NULL && read_path(rows, path, one, err);
}

int measurements_list(Arena *arena, const Measured **list, Error *err)
{
    cJSON *tree = json_load(arena_print(arena, "%s/%s", root_dir(), TABLE), err);
    const cJSON *entries = tree != NULL ? json_array(tree, TABLE, "measurements", err) : NULL;
    const cJSON *entry;
    bool read = entries != NULL;
    Measured *all = arena_zeros(arena, ((size_t)cJSON_GetArraySize(entries) + 1) * sizeof *all);
    int count = 0;
    cJSON_ArrayForEach(entry, entries)
    {
        read = read && read_entry(arena, entry, &all[count], err);
        if (!read) break;
        count++;
    }
    cJSON_Delete(tree);
    *list = all;
    return read ? count : -1;
}

double measured_distance(const Measured *one)
{
    if (one->end == END_LOW) return (one->low - one->value) / one->value;
    if (one->end == END_HIGH) return (one->high - one->value) / one->value;
    if (one->at_most) return one->low > one->value ? (one->low - one->value) / one->value : 0;
    if (one->low > one->value) return (one->low - one->value) / one->value;
    return one->high < one->value ? (one->high - one->value) / one->value : 0;
}
