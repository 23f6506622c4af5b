#include "labs/5_frontier/key_numbers/app/output/reply.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>
#include <strings.h>
#include "labs/5_frontier/key_numbers/app/report/report.h"
#include "labs/5_frontier/key_numbers/app/formats/format.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/output/json.h"
#include "labs/5_frontier/key_numbers/app/question/hub.h"
#include "labs/5_frontier/key_numbers/app/question/sweep.h"
#include "labs/5_frontier/key_numbers/app/output/units.h"

enum { PATHS_MOST = 16, SHOWN_MAX = 64 };

// Takes the tree.
static char *print(Arena *arena, cJSON *tree)
{
    char *text = cJSON_PrintUnformatted(tree);
    REQUIRE(text != NULL, "no memory to print JSON");
    char *kept = arena_print(arena, "%s", text);
    cJSON_free(text);
    cJSON_Delete(tree);
    return kept;
}

// ---- the question ----

static const Model *model_of(Arena *arena, const Query *query, const cJSON *config, Error *err)
{
    const char *name = query_text(query, "model");
    if (config != NULL && name == NULL)
        return config_model(arena, config, "your config.json", "config.json", err);
    if (config == NULL && name != NULL) return catalogue_model(arena, hub_name(arena, name), err);
    error_set(err, config != NULL ? "expected either model=NAME or a config.json, not both"
                                  : "model is missing; /models lists those of the catalogue");
    return NULL;
}

// gpu_spec_find() would open a file as well, and ask this machine for its own: it is given a row's own id.
static bool settle(Arena *arena, Question *question, Error *err)
{
    GpuSpec spec;
    if (!gpu_spec_in_table(arena, question->gpu, &spec, err)) return false;
    question->gpu = spec.id;
    return question_settle(question, arena, err);
}

// All pairs but `model` and those that are named in `other`, a list ended by NULL.
static bool question_of(Arena *arena, const Query *query, const char *const *other,
                        Question *question, Error *err)
{
    *question = question_default();
    for (int i = 0; i < query->count; i++) {
        const char *name = query->pairs[i].name;
        const char *const *at = other;
        while (*at != NULL && strcmp(*at, name) != 0) at++;
        if (*at != NULL || strcmp(name, "model") == 0) continue;
        if (!question_set(question, arena, name, query->pairs[i].value, err)) return false;
    }
    return settle(arena, question, err);
}

// ---- one answer ----

static cJSON *explanations(Arena *arena, const Rows *rows)
{
    cJSON *all = cJSON_CreateObject();
    for (const Row *row = rows->first; row != NULL; row = row->next) {
        if (row->label == NULL && row->formula == NULL) continue;
        cJSON *one = cJSON_CreateObject();
        if (row->label != NULL) cJSON_AddStringToObject(one, "label", row->label);
        cJSON_AddStringToObject(one, "text", units_text(arena, row));
        cJSON_AddStringToObject(one, "short", units_short(arena, row));
        if (row->formula != NULL) cJSON_AddStringToObject(one, "formula", row->formula);
        if (row->filled != NULL) cJSON_AddStringToObject(one, "filled", row->filled);
        cJSON_AddItemToObjectCS(all, row->path, one);
    }
    return all;
}

static bool reply_answer(Arena *arena, const Query *query, const cJSON *config, char **json,
                         Error *err)
{
    const char *explain = query_text(query, "explain");
    Question question;
    const Model *model = model_of(arena, query, config, err);
    if (model == NULL ||
        !question_of(arena, query, (const char *[]){"explain", NULL}, &question, err))
        return false;
    if (explain != NULL && strcmp(explain, "1") != 0 && strcmp(explain, "0") != 0)
        return error_set(err, "explain: '%.*s' is not 0 or 1", SHOWN_MAX, explain);
    const Rows *rows = report_of(arena, model, &question, err);
    if (rows == NULL) return false;
    cJSON *tree = rows_tree(rows);
    if (explain != NULL && explain[0] == '1')
        cJSON_AddItemToObject(tree, "explain", explanations(arena, rows));
    *json = print(arena, tree);
    return true;
}

// ---- many answers ----

typedef struct Paths {
    int count;
    const char *items[PATHS_MOST];
} Paths;

static bool paths_read(Arena *arena, const char *text, Paths *paths, Error *err)
{
    paths->count = 0;
    for (const char *at = text; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (paths->count == PATHS_MOST) return error_set(err, "paths: more than %d", PATHS_MOST);
        paths->items[paths->count++] = arena_print(arena, "%.*s", (int)length, at);
        at += length + (at[length] == ',');
    }
    return paths->count > 0 ||
           error_set(err, "paths is missing; expected places in the JSON of an answer");
}

// Only what one of the paths asks for is worked out: a chart needs a point in well under a millisecond.
// Parameters are the same in every answer and are not asked for here.
static unsigned parts_of(const Paths *paths)
{
    unsigned parts = 0;
    for (int i = 0; i < paths->count; i++) parts |= 1u << part_of(paths->items[i]);
    return parts & PARTS_ALL & ~(1u << PART_PARAMETERS);
}

static cJSON *number_of(const Row *row)
{
    double number = row != NULL ? row_number(row) : NAN;
    return isfinite(number) ? cJSON_CreateNumber(number) : cJSON_CreateNull();
}

static bool add_point(const Rows *rows, const Paths *paths, cJSON *series, Error *err)
{
    for (int p = 0; p < paths->count; p++) {
        const Row *row = rows_find(rows, paths->items[p]);
        if (row == NULL)
            return error_set(err, "paths: '%.*s' is no quantity of an answer", SHOWN_MAX,
                             paths->items[p]);
        cJSON_AddItemToArray(cJSON_GetArrayItem(series, p), number_of(row));
    }
    return true;
}

static bool add_points(Arena *arena, const Model *model, const Question *question,
                       const Sweep *sweep, const Paths *paths, cJSON *series, Error *err)
{
    // Other settings leave the GPU as it was found.
    bool machine = strcmp(sweep->field->group, question_field("gpu")->group) == 0;
    for (int i = 0; i < sweep->count; i++) {
        Question one = *question;
        if (!question_set(&one, arena, sweep->field->name, sweep->values[i], err)) return false;
        if (machine && !settle(arena, &one, err)) return false;
        const ModelPlan *plan = plan_new(arena, model, &one, parts_of(paths), err);
        if (plan == NULL || !add_point(report_rows(arena, plan), paths, series, err)) return false;
    }
    return true;
}

static bool reply_answers(Arena *arena, const Query *query, const cJSON *config, char **json,
                          Error *err)
{
    Question question;
    Sweep sweep;
    Paths paths;
    const char *text = query_text(query, "sweep");
    const Model *model = model_of(arena, query, config, err);
    if (model == NULL || !paths_read(arena, query_text(query, "paths"), &paths, err) ||
        !question_of(arena, query, (const char *[]){"sweep", "paths", NULL}, &question, err) ||
        !sweep_read(arena, text != NULL ? text : "", &sweep, err))
        return false;

    cJSON *tree = cJSON_CreateObject(), *values, *series;
    cJSON_AddStringToObject(tree, "setting", sweep.field->name);
    values = cJSON_AddArrayToObject(tree, "values");
    for (int i = 0; i < sweep.count; i++)
        cJSON_AddItemToArray(values, cJSON_CreateString(sweep.values[i]));
    series = cJSON_AddObjectToObject(tree, "series");
    for (int p = 0; p < paths.count; p++) cJSON_AddArrayToObject(series, paths.items[p]);
    if (!add_points(arena, model, &question, &sweep, &paths, series, err)) {
        cJSON_Delete(tree);
        return false;
    }
    *json = print(arena, tree);
    return true;
}

// ---- what may be asked for ----

static bool takes_nothing(const Query *query, Error *err)
{
    return query->count == 0 ||
           error_set(err, "'%.*s' is no setting here", SHOWN_MAX, query->pairs[0].name);
}

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text != NULL) cJSON_AddStringToObject(object, name, text);
    else cJSON_AddNullToObject(object, name);
}

static cJSON *add_object(cJSON *list)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToArray(list, object);
    return object;
}

static bool reply_models(Arena *arena, const Query *query, const cJSON *config, char **json,
                         Error *err)
{
    const CatalogueEntry *entries;
    int count = takes_nothing(query, err) ? catalogue_list(arena, &entries, err) : -1;
    (void)config;
    if (count < 0) return false;
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < count; i++) {
        cJSON *object = add_object(list);
        add_text(object, "name", entries[i].name);
        add_text(object, "family", entries[i].family);
    }
    *json = print(arena, list);
    return true;
}

static bool reply_gpus(Arena *arena, const Query *query, const cJSON *config, char **json,
                       Error *err)
{
    const GpuSpec *specs;
    int count = takes_nothing(query, err) ? gpu_spec_list(arena, &specs, err) : -1;
    (void)config;
    if (count < 0) return false;
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < count; i++) {
        cJSON *object = add_object(list);
        add_text(object, "id", specs[i].id);
        add_text(object, "name", specs[i].name);
        add_text(object, "vendor", specs[i].vendor);
        cJSON_AddNumberToObject(object, "memory", specs[i].memory);
        cJSON_AddNumberToObject(object, "sheet_gb", specs[i].vendor_gb);
        cJSON_AddNumberToObject(object, "bandwidth", specs[i].bandwidth);
        cJSON_AddNumberToObject(object, "bf16", specs[i].bf16);
        add_text(object, "source", specs[i].source);
        add_text(object, "note", specs[i].note);
    }
    *json = print(arena, list);
    return true;
}

static bool reply_formats(Arena *arena, const Query *query, const cJSON *config, char **json,
                          Error *err)
{
    const FormatInfo *formats;
    (void)config;
    if (!takes_nothing(query, err)) return false;
    int count = format_list(&formats);
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < count; i++) {
        cJSON *object = add_object(list);
        add_text(object, "name", formats[i].name);
        add_text(object, "about", formats[i].about);
        cJSON_AddBoolToObject(object, "weights", formats[i].weights);
        cJSON_AddBoolToObject(object, "cache", formats[i].cache);
    }
    *json = print(arena, list);
    return true;
}

static bool reply_settings(Arena *arena, const Query *query, const cJSON *config, char **json,
                           Error *err)
{
    static const char *const kinds[] = {
        [QUESTION_TOKENS] = "tokens", [QUESTION_COUNT] = "count", [QUESTION_AMOUNT] = "amount",
        [QUESTION_REAL] = "real",     [QUESTION_TEXT] = "text",   [QUESTION_FLAG] = "flag"};
    Question question = question_default();
    (void)config;
    if (!takes_nothing(query, err)) return false;
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < question_field_count; i++) {
        const QuestionField *field = &question_fields[i];
        cJSON *object = add_object(list);
        add_text(object, "name", field->name);
        add_text(object, "kind", kinds[field->kind]);
        cJSON_AddNumberToObject(object, "least", field->least);
        cJSON_AddNumberToObject(object, "most", field->most);
        add_text(object, "choices", field->choices);
        add_text(object, "group", field->group);
        add_text(object, "about", field->about);
        add_text(object, "default", question_text(&question, arena, field));
    }
    *json = print(arena, list);
    return true;
}

Reply *reply_find(const char *path)
{
    static const struct {
        const char *path;
        Reply *reply;
    } replies[] = {{"/answer", reply_answer},   {"/answers", reply_answers},
                   {"/models", reply_models},   {"/gpus", reply_gpus},
                   {"/formats", reply_formats}, {"/settings", reply_settings}};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
        if (strcmp(replies[i].path, path) == 0) return replies[i].reply;
    return NULL;
}
