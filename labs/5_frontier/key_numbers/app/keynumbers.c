/* keynumbers.c -- the calculator as a program: `lab keynumbers MODEL ...`.
 *
 * 1. what is asked     2. the models     3. the answer, told as it was wished
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/options.h"
#include "common/page.h"
#include "labs/5_frontier/key_numbers/app/report/answer.h"
#include "labs/5_frontier/key_numbers/app/plan/fit.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/output/charts.h"
#include "labs/5_frontier/key_numbers/app/output/json.h"
#include "labs/5_frontier/key_numbers/app/output/lists.h"
#include "labs/5_frontier/key_numbers/app/output/serve.h"
#include "labs/5_frontier/key_numbers/app/output/sweep.h"
#include "labs/5_frontier/key_numbers/app/output/table.h"

enum { STATUS_WRONG = 2, SETTINGS_MAX = 64 };

// How the answer is to be told.
typedef struct Wish {
    bool explain, json, csv, compare, serve, largest;
    const char *show, *sweep, *plot, *list, *address;
    int port;
    const char **models;
    int model_count;
} Wish;

static void declare(Options *options, Wish *wish)
{
    options_rest(options, &wish->models, &wish->model_count, "MODEL...");
    options_group(options, "How it is told");
    options_flag(options, "explain", 'e', &wish->explain,
                 "each formula, with its numbers filled in");
    options_flag(options, "json", 'j', &wish->json, "one JSON object");
    options_flag(options, "csv", 0, &wish->csv, "comma-separated, a row for each model or value");
    options_string(options, "show", 0, &wish->show, "PARTS",
                   "of parameters,inference,training,compute,fit: those that are wanted");
    options_flag(options, "compare", 0, &wish->compare, "several models side by side");
    options_string(options, "sweep", 0, &wish->sweep, "SETTING=FROM..TO",
                   "the same for several values: context=1k..128k, weights=bf16,q8_0,q4_k_m");
    options_flag(options, "largest", 0, &wish->largest,
                 "also the largest models that the GPU holds");
    options_string(options, "plot", 0, &wish->plot, "DIR",
                   "draws memory, GPUs and the roofline there, as SVG and PNG");
    options_string(options, "list", 0, &wish->list, "WHAT", "models, gpus, formats or settings");
    options_flag(options, "serve", 0, &wish->serve, "the same calculator as a web page");
    options_string(options, "address", 0, &wish->address, "ADDRESS", "where --serve listens");
    options_int(options, "port", 0, &wish->port, 0, 65535, "of --serve; 0: a free one");
}

// What the command line says of a setting.
typedef struct Given {
    const char *option;    // the setting's name, with dashes
    const char *text;
} Given;

static void declare_settings(Arena *arena, Options *options, const Question *question, Given *given)
{
    const char *group = "";
    for (int i = 0; i < question_field_count; i++) {
        const QuestionField *field = &question_fields[i];
        char *option = arena_print(arena, "%s", field->name);
        for (char *at = option; *at != '\0'; at++)
            if (*at == '_') *at = '-';
        given[i] = (Given){option, question_text(question, arena, field)};
        if (strcmp(group, field->group) != 0) options_group(options, field->group);
        group = field->group;
        if (field->choices != NULL || field->kind == QUESTION_FLAG)
            options_choice(options, option, 0, &given[i].text,
                           field->choices ? field->choices : "yes|no", field->about);
        else
            options_string(options, option, 0, &given[i].text,
                           field->kind == QUESTION_TEXT ? "NAME" : "N", field->about);
    }
}

static bool ask(Arena *arena, const Options *options, Question *question, const Given *given,
                Error *err)
{
    for (int i = 0; i < question_field_count; i++)
        if (options_given(options, given[i].option) &&
            !question_set(question, arena, given[i].option, given[i].text, err))
            return false;
    return question_settle(question, arena, err);
}

static bool is_wish_consistent(const Wish *wish, Error *err)
{
    if (wish->model_count == 0)
        return error_set(err, "of which model? ./lab keynumbers MODEL; --list models names %s",
                         "those of the catalogue, and a config.json or a file of weights will do");
    if (wish->model_count > COLUMNS_MAX)
        return error_set(err, "%d models, expected at most %d", wish->model_count, COLUMNS_MAX);
    if (wish->json && wish->csv) return error_set(err, "--json and --csv: one of them");
    if (wish->compare && wish->model_count < 2)
        return error_set(err, "--compare: expected two models or more");
    if (wish->sweep != NULL && wish->model_count > 1)
        return error_set(err, "--sweep: expected one model");
    if (wish->plot != NULL && wish->model_count > 1)
        return error_set(err, "--plot: expected one model");
    return true;
}

// ---- telling ----

static void tell_one(const Wish *wish, const Sheet *sheet, unsigned parts)
{
    if (wish->json) puts(sheet_json(sheet));
    else if (wish->csv) sheets_csv(stdout, &sheet, 1, NULL, NULL);
    else table_show(sheet, parts, wish->explain);
}

static void tell_several(const Wish *wish, Arena *arena, const Sheet *const *sheets, int count,
                         const char *name, const char *const *values, unsigned parts)
{
    if (wish->json) puts(sheets_json(arena, sheets, count, name, values));
    else if (wish->csv) sheets_csv(stdout, sheets, count, name, values);
    else columns_show(sheets, name, values, count, parts, wish->sweep != NULL);
}

static bool answer_sweep(const Wish *wish, Arena *arena, const Model *model,
                         const Question *question, unsigned parts, Error *err)
{
    Sweep sweep;
    const Sheet **sheets = NULL;
    if (!sweep_read(arena, wish->sweep, &sweep, err)) return false;
    sheets = sweep_run(arena, model, question, &sweep, err);
    if (sheets == NULL) return false;
    tell_several(wish, arena, sheets, sweep.count, sweep.field->name, sweep.values, parts);
    return true;
}

static bool answer_models(const Wish *wish, Arena *arena, const Question *question, unsigned parts,
                          Error *err)
{
    int count = wish->model_count;
    const Model **models = arena_alloc(arena, (size_t)count * sizeof *models);
    const Sheet **sheets = arena_alloc(arena, (size_t)count * sizeof *sheets);
    const char **names = arena_alloc(arena, (size_t)count * sizeof *names);
    for (int i = 0; i < count; i++) {
        models[i] = model_open(arena, wish->models[i], err);
        if (models[i] == NULL) return false;
        names[i] = models[i]->name;
    }
    if (wish->sweep != NULL) return answer_sweep(wish, arena, models[0], question, parts, err);
    for (int i = 0; i < count; i++) {
        Sheet *sheet = answer(arena, models[i], question, err);
        if (sheet == NULL) return false;
        if (wish->largest && !fit_largest_tell(sheet, question, err)) return false;
        sheets[i] = sheet;
    }
    if (wish->plot != NULL && !charts_draw(arena, models[0], question, wish->plot, err))
        return false;
    if (count == 1) tell_one(wish, sheets[0], parts);
    else tell_several(wish, arena, sheets, count, "model", names, parts);
    return true;
}

// What could not be said was not done, on a full disk for example.
static int finish(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return EXIT_SUCCESS;
    fputs("keynumbers: standard output could not be written\n", stderr);
    return STATUS_WRONG;
}

static int fail(const Error *err)
{
    error_report(err);
    return STATUS_WRONG;
}

int main(int argc, char **argv)
{
    Arena *arena = arena_new("answer", (size_t)1 << 30);
    Question question = question_default();
    Wish wish = {.address = "127.0.0.1", .port = 8020};
    Given given[SETTINGS_MAX];
    Options *options =
        options_new(arena, "keynumbers",
                    "Parameters, GPU memory, FLOPs and the GPUs for a model: a name of the "
                    "catalogue, a Hugging Face config.json, a folder or file of safetensors, "
                    "or a GGUF file.");
    declare(options, &wish);
    declare_settings(arena, options, &question, given);
    int status;
    Error err = {""};
    if (!options_parse(options, argc, argv, &status)) return status;

    if (wish.list != NULL) return lists_show(arena, wish.list, &err) ? finish() : fail(&err);
    if (wish.serve) return serve(wish.address, wish.port, &err) ? finish() : fail(&err);

    unsigned parts = wish.show != NULL ? parts_named(wish.show, &err) : SHOW_ALL;
    if (parts == 0 || !is_wish_consistent(&wish, &err) ||
        !ask(arena, options, &question, given, &err) ||
        !answer_models(&wish, arena, &question, parts, &err))
        return fail(&err);
    return finish();
}
