#include "labs/driver/results.h"
#include "common/file.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *status_of(Verdict verdict)
{
    return verdict == VERDICT_PASS ? "pass" : verdict == VERDICT_WRONG ? "fail" : "error";
}

// ---- JSON ----

static cJSON *exercise_json(const Exercise *exercise, const ExerciseGrade *grade)
{
    bool passes = grade->verdict == VERDICT_PASS;
    cJSON *node = cJSON_CreateObject();
    cJSON_AddStringToObject(node, "id", exercise->id);
    cJSON_AddStringToObject(node, "verdict", verdict_name(grade->verdict));
    cJSON_AddNumberToObject(node, "points", passes ? exercise->points : 0);
    cJSON_AddNumberToObject(node, "of", exercise->points);
    cJSON_AddNumberToObject(node, "cases", grade->count);
    cJSON_AddNumberToObject(node, "passed", grade->passed);
    return node;
}

static cJSON *case_json(const Exercise *exercise, const CaseGrade *one)
{
    cJSON *node = cJSON_CreateObject();
    cJSON_AddStringToObject(node, "name", one->name);
    cJSON_AddStringToObject(node, "exercise", exercise->id);
    cJSON_AddStringToObject(node, "status", status_of(one->verdict));
    cJSON_AddStringToObject(node, "verdict", verdict_name(one->verdict));
    cJSON_AddStringToObject(node, "message", one->message);
    cJSON_AddStringToObject(node, "output", one->output);
    cJSON_AddNumberToObject(node, "line", one->line);
    cJSON_AddNumberToObject(node, "seconds", one->seconds);
    return node;
}

static cJSON *grade_json(const Lab *lab, const Grade *grade)
{
    int of = 0;
    cJSON *tree = cJSON_CreateObject();
    for (int e = 0; e < lab->exercise_count; e++)
        if (grade->exercises[e].asked) of += lab->exercises[e].points;
    cJSON_AddNumberToObject(tree, "version", 1);
    cJSON_AddStringToObject(tree, "lab", lab->id);
    cJSON_AddStringToObject(tree, "status",
                            grade->problem != NULL     ? "error"
                            : grade_passes(lab, grade) ? "pass"
                                                       : "fail");
    if (grade->problem != NULL) {
        cJSON_AddStringToObject(tree, "problem", grade->problem);
        cJSON_AddNumberToObject(tree, "line", grade->line);
    }
    cJSON_AddNumberToObject(tree, "points", grade_points(lab, grade));
    cJSON_AddNumberToObject(tree, "of", of);
    cJSON_AddNumberToObject(tree, "seconds", grade->seconds);
    cJSON *exercises = cJSON_AddArrayToObject(tree, "exercises");
    cJSON *cases = cJSON_AddArrayToObject(tree, "cases");
    for (int e = 0; e < lab->exercise_count; e++) {
        const ExerciseGrade *exercise = &grade->exercises[e];
        if (!exercise->asked) continue;
        cJSON_AddItemToArray(exercises, exercise_json(&lab->exercises[e], exercise));
        for (int c = 0; c < exercise->count; c++)
            cJSON_AddItemToArray(cases, case_json(&lab->exercises[e], &exercise->cases[c]));
    }
    return tree;
}

bool results_json(Arena *arena, const Lab *lab, const Grade *grade, const char *path, Error *err)
{
    cJSON *tree = grade_json(lab, grade);
    char *json = cJSON_Print(tree);
    const char *text = arena_print(arena, "%s\n", json);
    free(json);
    cJSON_Delete(tree);
    if (path != NULL) return file_write(path, text, err);
    return (fputs(text, stdout) >= 0 && fflush(stdout) == 0) ||
           error_set(err, "standard output could not be written");
}

// ---- JUnit ----

// As XML text or an attribute's value. What XML cannot hold at all is gone from a Grade (plain.h).
static const char *escaped(Arena *arena, const char *text)
{
    static const char *const names[256] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\n'] = "&#10;"};
    char *xml = arena_alloc(arena, 6 * strlen(text) + 1), *end = xml;
    for (; *text != '\0'; text++) {
        const char *name = names[(unsigned char)*text];
        if (name != NULL) end = stpcpy(end, name);
        else *end++ = *text;
    }
    *end = '\0';
    return xml;
}

static void put_case(FILE *out, Arena *arena, const Lab *lab, int e, const CaseGrade *one)
{
    fprintf(out, "    <testcase classname=\"%s.%s\" name=\"%s\" time=\"%.6f\">\n", lab->id,
            lab->exercises[e].id, one->name, one->seconds);
    const char *status = status_of(one->verdict);
    if (one->verdict == VERDICT_SKIPPED)
        fprintf(out, "      <skipped message=\"%s\"/>\n", escaped(arena, one->message));
    else if (one->verdict != VERDICT_PASS)
        fprintf(out, "      <%s type=\"%s\" message=\"%s\"/>\n",
                status[0] == 'f' ? "failure" : "error", verdict_name(one->verdict),
                escaped(arena, one->message));
    if (one->output[0] != '\0')
        fprintf(out, "      <system-out>%s</system-out>\n", escaped(arena, one->output));
    fprintf(out, "    </testcase>\n");
}

static void put_suite(FILE *out, Arena *arena, const Lab *lab, int e, const ExerciseGrade *exercise)
{
    int failures = 0, errors = 0, skipped = 0;
    double seconds = 0;
    for (int c = 0; c < exercise->count; c++) {
        Verdict verdict = exercise->cases[c].verdict;
        failures += verdict == VERDICT_WRONG;
        skipped += verdict == VERDICT_SKIPPED;
        errors += verdict != VERDICT_WRONG && verdict != VERDICT_SKIPPED && verdict != VERDICT_PASS;
        seconds += exercise->cases[c].seconds;
    }
    fprintf(out,
            "  <testsuite name=\"%s.%s\" tests=\"%d\" failures=\"%d\" errors=\"%d\" skipped=\"%d\" "
            "time=\"%.6f\">\n",
            lab->id, lab->exercises[e].id, exercise->count, failures, errors, skipped, seconds);
    for (int c = 0; c < exercise->count; c++) put_case(out, arena, lab, e, &exercise->cases[c]);
    fprintf(out, "  </testsuite>\n");
}

bool results_junit(Arena *arena, const Lab *lab, const Grade *grade, const char *path, Error *err)
{
    NewFile file;
    if (!file_begin(&file, path, err)) return false;
    fprintf(file.stream,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"%s\" time=\"%.6f\">\n",
            lab->id, grade->seconds);
    for (int e = 0; e < lab->exercise_count; e++)
        if (grade->exercises[e].asked) put_suite(file.stream, arena, lab, e, &grade->exercises[e]);
    fprintf(file.stream, "</testsuites>\n");
    return file_commit(&file, err);
}
