/* keynumbers.c -- the calculator as a program: `lab keynumbers MODEL ...`.
 *
 * 1. the question     2. the models     3. their plans, as rows     4. the output
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "common/options.h"
#include "common/console.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/output/charts.h"
#include "labs/5_frontier/key_numbers/app/output/json.h"
#include "labs/5_frontier/key_numbers/app/output/lists.h"
#include "labs/5_frontier/key_numbers/app/output/measurements_table.h"
#include "labs/5_frontier/key_numbers/app/output/table.h"
#include "labs/5_frontier/key_numbers/app/plan/plan.h"
#include "labs/5_frontier/key_numbers/app/question/hub.h"
#include "labs/5_frontier/key_numbers/app/question/question.h"
#include "labs/5_frontier/key_numbers/app/question/sweep.h"
#include "labs/5_frontier/key_numbers/app/report/report.h"

enum { STATUS_WRONG = 2, SETTINGS_MAX = 64 };

// What is printed, and how.
typedef struct OutputOptions {
    bool explain, json, csv, compare, serve, largest, measurements;
    const char *show, *sweep, *plot, *list, *address;
    int port;
    const char **models;
    int model_count;
} OutputOptions;

static void declare(Options *options, OutputOptions *output)
{
    options_rest(options, &output->models, &output->model_count, "MODEL...");
    options_group(options, "Output");
    options_flag(options, "explain", 'e', &output->explain,
                 "each formula, with its numbers filled in");
    options_flag(options, "json", 'j', &output->json, "one JSON object");
    options_flag(options, "csv", 0, &output->csv, "comma-separated, a row for each model or value");
    options_string(options, "show", 0, &output->show, "PARTS",
                   "of parameters,inference,training,compute,fit: those that are wanted");
    options_flag(options, "compare", 0, &output->compare, "several models side by side");
    options_string(options, "sweep", 0, &output->sweep, "SETTING=FROM..TO",
                   "the same for several values: context=1k..128k, weights=bf16,q8_0,q4_k_m");
    options_flag(options, "largest", 0, &output->largest,
                 "also the largest models that the GPU holds");
    options_string(options, "plot", 0, &output->plot, "DIR",
                   "draws memory, GPUs, the roofline and throughput there, as SVG and PNG");
    options_string(options, "list", 0, &output->list, "WHAT",
                   "models, families, gpus, formats or settings");
    options_flag(options, "measurements", 0, &output->measurements,
                 "published measurements, and how far from each the estimates are");
    options_flag(options, "serve", 0, &output->serve, "the same calculator as a web page");
    options_string(options, "address", 0, &output->address, "ADDRESS", "where --serve listens");
    options_int(options, "port", 0, &output->port, 0, 65535, "of --serve; 0: a free one");
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

// An option that the output asked for has no use for is refused, not left out.
static bool is_mode_consistent(const Options *options, const OutputOptions *output, Error *err)
{
    static const char *const reports[] = {"explain", "show", "compare", "sweep", "largest", "plot"};
    const char *mode = output->list != NULL   ? "--list"
                       : output->measurements ? "--measurements"
                       : output->serve        ? "--serve"
                                              : NULL;
    if (output->json && output->csv) return error_set(err, "--json and --csv: one of them");
    if (!output->serve && (options_given(options, "address") || options_given(options, "port")))
        return error_set(err, "--address and --port: expected --serve");
    if (mode == NULL) return true;
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++)
        if (options_given(options, reports[i]))
            return error_set(err, "%s: expected no --%s", mode, reports[i]);
    if (output->model_count > 0) return error_set(err, "%s: expected no model", mode);
    if (!output->measurements && (output->json || output->csv))
        return error_set(err, "%s: expected no --%s", mode, output->json ? "json" : "csv");
    return (output->list != NULL) + output->measurements + output->serve == 1 ||
           error_set(err, "--list, --measurements, --serve: expected one of them");
}

static bool is_output_consistent(const OutputOptions *output, Error *err)
{
    bool table = !output->json && !output->csv, one = output->model_count == 1;
    if (output->model_count == 0)
        return error_set(err, "of which model? ./lab keynumbers MODEL; --list models names %s",
                         "those of the catalogue, and a config.json or a file of weights will do");
    if (output->model_count > COLUMNS_MAX)
        return error_set(err, "%d models, expected at most %d", output->model_count, COLUMNS_MAX);
    if (output->explain && !(table && one && output->sweep == NULL))
        return error_set(err, "--explain: expected one model and a table");
    if (output->sweep != NULL && (output->largest || output->plot != NULL))
        return error_set(err, "--sweep: expected no --%s", output->largest ? "largest" : "plot");
    if (output->compare && output->model_count < 2)
        return error_set(err, "--compare: expected two models or more");
    if (output->sweep != NULL && output->model_count > 1)
        return error_set(err, "--sweep: expected one model");
    if (output->plot != NULL && output->model_count > 1)
        return error_set(err, "--plot: expected one model");
    return true;
}

// ---- output ----

static void print_one(const OutputOptions *output, const Rows *rows, unsigned parts)
{
    const Rows *shown = report_of_parts(rows, parts);
    if (output->json) puts(rows_json(shown));
    else if (output->csv) reports_csv(stdout, &shown, 1, NULL, NULL);
    else table_show(rows, parts, output->explain);
}

static void print_several(const OutputOptions *output, Arena *arena, const Rows *const *reports,
                          int count, const char *name, const char *const *values, unsigned parts)
{
    const Rows **shown = arena_alloc(arena, (size_t)count * sizeof *shown);
    for (int i = 0; i < count; i++) shown[i] = report_of_parts(reports[i], parts);
    if (output->json) puts(reports_json(arena, shown, count, name, values));
    else if (output->csv) reports_csv(stdout, shown, count, name, values);
    else columns_show(reports, name, values, count, parts, output->sweep != NULL);
}

static bool report_sweep(const OutputOptions *output, Arena *arena, const Model *model,
                         const Question *question, unsigned parts, Error *err)
{
    Sweep sweep;
    const Rows *reports[SWEEP_MOST];
    if (!sweep_read(arena, output->sweep, &sweep, err)) return false;
    for (int i = 0; i < sweep.count; i++) {
        Question one = *question;
        if (!question_set(&one, arena, sweep.field->name, sweep.values[i], err) ||
            !question_settle(&one, arena, err) ||
            (reports[i] = report_of(arena, model, &one, err)) == NULL)
            return false;
    }
    print_several(output, arena, reports, sweep.count, sweep.field->name, sweep.values, parts);
    return true;
}

static bool report_models(const OutputOptions *output, Arena *arena, const Question *question,
                          unsigned parts, Error *err)
{
    int count = output->model_count;
    const Model **models = arena_alloc(arena, (size_t)count * sizeof *models);
    const Rows **reports = arena_alloc(arena, (size_t)count * sizeof *reports);
    const char **names = arena_alloc(arena, (size_t)count * sizeof *names);
    for (int i = 0; i < count; i++) {
        models[i] = model_open(arena, hub_name(arena, output->models[i]), err);
        if (models[i] == NULL) return false;
        names[i] = models[i]->name;
    }
    if (output->sweep != NULL) return report_sweep(output, arena, models[0], question, parts, err);
    for (int i = 0; i < count; i++) {
        ModelPlan *plan = plan_new(arena, models[i], question, PARTS_ALL, err);
        if (plan == NULL) return false;
        if (output->largest && !plan_largest(arena, plan, question, err)) return false;
        if (output->plot != NULL && !charts_draw(arena, plan, output->plot, err)) return false;
        reports[i] = report_rows(arena, plan);
    }
    if (count == 1) print_one(output, reports[0], parts);
    else print_several(output, arena, reports, count, "model", names, parts);
    return true;
}

static MeasurementsAs measurements_as(const OutputOptions *output)
{
    return output->json ? MEASUREMENTS_JSON : output->csv ? MEASUREMENTS_CSV : MEASUREMENTS_TABLE;
}

static int fail(const Error *err)
{
    error_report(err);
    return STATUS_WRONG;
}

// In this process, under its name: the server is a program of its own (keynumbers_serve.c).
static bool start_server(const OutputOptions *output, Error *err)
{
    char port[16], *const argv[] = {(char[]){"keynumbers"}, (char *)output->address, port, NULL};
    snprintf(port, sizeof port, "%d", output->port);
    execv(LAB_KEYNUMBERS_SERVE, argv);
    return error_set(err, "%s: %s", LAB_KEYNUMBERS_SERVE, strerror(errno));
}

int main(int argc, char **argv)
{
    Arena *arena = arena_new("answer", (size_t)1 << 30);
    Question question = question_default();
    OutputOptions output = {.address = "127.0.0.1", .port = 8020};
    Given given[SETTINGS_MAX];
    Options *options =
        options_new(arena, "keynumbers",
                    "Parameters, GPU memory, FLOPs and the GPUs for a model: a name of the "
                    "catalogue, a Hugging Face config.json, a folder or file of safetensors, "
                    "or a GGUF file.");
    declare(options, &output);
    declare_settings(arena, options, &question, given);
    int status;
    Error err = {""};
    if (!options_parse(options, argc, argv, &status)) return status;

    if (!is_mode_consistent(options, &output, &err)) return fail(&err);
    if (output.list != NULL)
        return lists_show(arena, output.list, &err) ? EXIT_SUCCESS : fail(&err);
    if (output.measurements)
        return measurements_show(arena, measurements_as(&output), &err) ? EXIT_SUCCESS : fail(&err);
    if (output.serve) return start_server(&output, &err) ? EXIT_SUCCESS : fail(&err);

    unsigned parts = output.show != NULL ? parts_named(output.show, &err) : PARTS_ALL;
    if (parts == 0 || !is_output_consistent(&output, &err) ||
        !ask(arena, options, &question, given, &err) ||
        !report_models(&output, arena, &question, parts, &err))
        return fail(&err);
    return EXIT_SUCCESS;
}
