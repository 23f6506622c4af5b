#include "labs/5_frontier/key_numbers/app/output/measurements_table.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include "common/console.h"
#include "labs/5_frontier/key_numbers/app/output/json.h"
#include "labs/5_frontier/key_numbers/app/report/measurements.h"

static const char *const end_names[] = {
    [END_NEARER] = "nearer", [END_LOW] = "low", [END_HIGH] = "high"};

static void show_json(const Measured *list, int count)
{
    cJSON *all = cJSON_CreateArray();
    for (int i = 0; i < count; i++) {
        const Measured *m = &list[i];
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToArray(all, one);
        cJSON_AddStringToObject(one, "what", m->what + strspn(m->what, " "));
        cJSON_AddStringToObject(one, "model", m->model);
        cJSON_AddNumberToObject(one, "measured_bytes", m->value);
        cJSON_AddNumberToObject(one, "low_bytes", m->low);
        cJSON_AddNumberToObject(one, "high_bytes", m->high);
        cJSON_AddStringToObject(one, "end", end_names[m->end]);
        cJSON_AddNumberToObject(one, "distance", measured_distance(m));
        cJSON_AddStringToObject(one, "source", m->source);
    }
    char *text = cJSON_Print(all);
    puts(text);
    cJSON_free(text);
    cJSON_Delete(all);
}

static void show_csv(const Measured *list, int count)
{
    puts("what,model,measured_bytes,low_bytes,high_bytes,end,distance,source");
    for (int i = 0; i < count; i++) {
        const Measured *m = &list[i];
        csv_field(stdout, m->what + strspn(m->what, " "));
        putchar(',');
        csv_field(stdout, m->model);
        printf(",%.0f,%.0f,%.0f,%s,%.6g,", m->value, m->low, m->high, end_names[m->end],
               measured_distance(m));
        csv_field(stdout, m->source);
        putchar('\n');
    }
}

static const char *range_text(Arena *arena, const Measured *m)
{
    if (m->high - m->low < 0.001 * m->high) return arena_print(arena, "%.2f", m->low / 0x1p30);
    return arena_print(arena, "%.2f to %.2f", m->low / 0x1p30, m->high / 0x1p30);
}

static const char *distance_text(Arena *arena, const Measured *m)
{
    static const char *const ends[] = {
        [END_NEARER] = "", [END_LOW] = " of low", [END_HIGH] = " of high"};
    double distance = 100 * measured_distance(m);
    if (distance == 0) return m->at_most ? "holds" : "within";
    return arena_print(arena, "%+.1f %%%s", distance, ends[m->end]);
}

static void show_table(Arena *arena, const Measured *list, int count)
{
    Console console = console_begin();
    printf("%s%-46s %9s %16s  %s%s\n", console_on(&console, CONSOLE_BOLD), "what (GiB)", "measured",
           "low to high", "distance", console_off(&console, CONSOLE_BOLD));
    for (int i = 0; i < count; i++)
        printf("%-46s %9.2f %16s  %s\n", list[i].what, list[i].value / 0x1p30,
               range_text(arena, &list[i]), distance_text(arena, &list[i]));
    putchar('\n');
    const char *last = "";
    for (int i = 0; i < count; i++) {
        if (list[i].what[0] == ' ' && strcmp(list[i].source, last) == 0) continue;
        last = list[i].source;
        console_item(&console, 2, 30, list[i].model, last);
    }
}

bool measurements_show(Arena *arena, MeasurementsAs as, Error *err)
{
    const Measured *list;
    int count = measurements_list(arena, &list, err);
    if (count < 0) return false;
    switch (as) {
    case MEASUREMENTS_JSON: show_json(list, count); break;
    case MEASUREMENTS_CSV: show_csv(list, count); break;
    case MEASUREMENTS_TABLE: show_table(arena, list, count); break;
    }
    return true;
}
