#include "labs/driver/commands.h"
#include "labs/driver/changes.h"
#include "labs/driver/events.h"
#include "labs/driver/keys.h"
#include "labs/driver/launch.h"
#include "labs/driver/process.h"
#include "labs/driver/workspace.h"
#include "common/file.h"
#include "common/json.h"
#include "common/plot.h"
#include "common/table.h"
#include "common/text.h"
#include "datasets/root.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A run's numbers, metrics.jsonl, as curves in the terminal: drawn anew whenever the run writes a line. In a
 * pipe they are drawn once.
 */
enum { SERIES_MAX = 256, KEEP = 64 << 20, NUMBERS = 1 << 30 };
static const double MOMENT = 0.2;    // seconds between two looks at the file

typedef struct Series {
    const char *name;
    float *steps, *values;
    int count;
} Series;

typedef struct Numbers {
    Series series[SERIES_MAX];
    int count, lines;
} Numbers;

// ---- metrics.jsonl ----

static Series *series_of(Numbers *numbers, Arena *arena, const char *name)
{
    for (int i = 0; i < numbers->count; i++)
        if (strcmp(numbers->series[i].name, name) == 0) return &numbers->series[i];
    if (numbers->count == SERIES_MAX) return NULL;
    Series *series = &numbers->series[numbers->count++];
    const size_t bytes = (size_t)numbers->lines * sizeof *series->values;
    char *shown = arena_print(arena, "%s", name);
    text_clean(shown);
    *series = (Series){
        .name = shown, .steps = arena_alloc(arena, bytes), .values = arena_alloc(arena, bytes)};
    return series;
}

static bool read_line(Numbers *numbers, Arena *arena, const cJSON *line)
{
    const cJSON *step = cJSON_GetObjectItemCaseSensitive(line, "step"), *item;
    if (!cJSON_IsNumber(step)) return false;
    cJSON_ArrayForEach(item, line)
    {
        // NaN and infinity are texts, and gaps in a curve.
        if (item == step || (!cJSON_IsNumber(item) && !cJSON_IsString(item))) continue;
        Series *series = series_of(numbers, arena, item->string);
        if (series == NULL || series->count == numbers->lines) continue;
        series->steps[series->count] = (float)step->valuedouble;
        series->values[series->count++] = cJSON_IsNumber(item) ? (float)item->valuedouble : NAN;
    }
    return true;
}

// A last line without an end is still being written.
static bool read_numbers(Numbers *numbers, Arena *arena, const char *path, Error *err)
{
    FileView view;
    *numbers = (Numbers){0};
    if (!file_map(&view, path, err)) return false;
    const char *at = view.bytes, *end = at + view.size;
    bool good = true;
    for (const char *c = at; c < end; c++) numbers->lines += *c == '\n';
    for (int row = 1; good && at < end; row++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL) break;
        cJSON *line = cJSON_ParseWithLength(at, (size_t)(stop - at));
        good = line != NULL && read_line(numbers, arena, line);
        if (line == NULL) error_set(err, "%s:%d: is no line of JSON", path, row);
        else if (!good) error_set(err, "%s:%d: \"step\" is missing, expected a number", path, row);
        cJSON_Delete(line);
        at = stop + 1;
    }
    file_unmap(view);
    return good;
}

// ---- on the screen ----

static bool is_loss(const Series *series)
{
    return strstr(series->name, "loss") != NULL;
}

// Losses, and where there is none the first series. gnuplot reads a file, which is removed again.
static void draw_curves(const Numbers *numbers, Arena *arena)
{
    Error err;
    Plot plot = {.title = "loss", .x_label = "step", .log_y = true};
    for (int i = 0; i < numbers->count && plot.count < PLOT_MAX_SERIES; i++) {
        const Series *s = &numbers->series[i];
        if (!is_loss(s)) continue;
        for (int j = 0; j < s->count; j++) plot.log_y &= !(s->values[j] <= 0);
        plot_series(&plot, s->name, s->steps, s->values, (size_t)s->count);
    }
    if (plot.count == 0 && numbers->count > 0) {
        const Series *s = &numbers->series[0];
        plot.title = s->name, plot.log_y = false;
        plot_series(&plot, s->name, s->steps, s->values, (size_t)s->count);
    }
    const char *place = getenv("TMPDIR");
    char *folder = arena_print(arena, "%s/lab-XXXXXX", place != NULL ? place : "/tmp");
    if (plot.count == 0 || mkdtemp(folder) == NULL) return;
    const char *file = arena_print(arena, "%s/curves", folder);
    fflush(stdout);
    if (plot_save(&plot, file, "terminal", &err)) putchar('\n');
    else puts("(no curves: gnuplot is not installed)");
    unlink(arena_print(arena, "%s.csv", file));
    unlink(arena_print(arena, "%s.gp", file));
    rmdir(folder);
}

// The last value of each number, and its least so far.
static void draw_last(const Numbers *numbers, Arena *arena)
{
    Table table = table_new(arena, "number|step|last|least");
    for (int i = 0; i < numbers->count; i++) {
        const Series *s = &numbers->series[i];
        float least = s->values[0];
        for (int j = 1; j < s->count; j++) least = fminf(least, s->values[j]);
        table_row(&table, "%s|%.0f|%.5g|%.5g", s->name, s->steps[s->count - 1],
                  s->values[s->count - 1], least);
    }
    table_print(&table, 2, stdout);
}

static bool draw(const char *path, bool screen, Error *err)
{
    Arena *arena = arena_new("numbers", NUMBERS);
    Numbers numbers;
    bool good = read_numbers(&numbers, arena, path, err);
    if (good && screen) fputs("\033[H\033[J", stdout);    // from the top of a screen that is clear
    if (good) {
        draw_curves(&numbers, arena);
        draw_last(&numbers, arena);
        if (screen) printf("\n%s; q quits\n", path);
    }
    fflush(stdout);
    arena_free(arena);
    return good;
}

// Until q or a signal.
static int follow(const char *path)
{
    Error err;
    Keys keys;
    Changes changes = changes_new(path);
    keys_open(&keys);
    for (int key = KEYS_DRAW; key != 'q' && key != KEYS_END; key = keys_wait(&keys, MOMENT)) {
        if (changes_poll(&changes, process_clock()) != CHANGES_SAVED && key != KEYS_DRAW) continue;
        // A line may be half written, or the file not yet there.
        if (!draw(path, true, &err)) printf("\033[H\033[J%s\nWaiting; q quits\n", err.message);
        fflush(stdout);
    }
    keys_close(&keys);
    return keys.signal > 0 ? 128 + keys.signal : 0;
}

// ---- for TensorBoard ----

static bool write_events(Arena *arena, const char *path, const char *folder, const char *run,
                         Error *err)
{
    Numbers numbers;
    struct stat file;
    if (!read_numbers(&numbers, arena, path, err)) return false;
    if (stat(path, &file) != 0) return error_set(err, "%s: is gone", path);
    Events *events = events_begin(folder, run, (double)file.st_mtime, err);
    if (events == NULL) return false;
    for (int i = 0; i < numbers.count; i++)
        for (int j = 0; j < numbers.series[i].count; j++)
            events_scalar(events, (long)numbers.series[i].steps[j], numbers.series[i].name,
                          numbers.series[i].values[j]);
    return events_end(events, err);
}

// ---- the command ----

// What LAB or FOLDER means: its metrics.jsonl, and a name for it. NULL after a message.
static const char *find_numbers(Arena *arena, const char *word, bool mine, const char **name)
{
    Error err;
    Course course;
    Choice choice;
    struct stat entry;
    if (word != NULL && (strchr(word, '/') != NULL || stat(word, &entry) == 0)) {
        char *whole = realpath(word, NULL);
        const char *last = whole != NULL ? strrchr(whole, '/') : NULL;
        *name = arena_print(arena, "%s", last != NULL ? last + 1 : "run");
        free(whole);
        return text_ends(word, ".jsonl")
                   ? word
                   : arena_print(arena, "%s%smetrics.jsonl", word, text_ends(word, "/") ? "" : "/");
    }
    if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err), NULL;
    if (!choose(&course, &(Progress){0}, word, &choice)) return NULL;
    *name = choice.lab->id;
    return arena_print(arena, "%s/%s/metrics.jsonl", launch_results(arena, mine), choice.lab->id);
}

int command_follow(int argc, char **argv)
{
    Arena *arena = arena_new("follow", KEEP);
    const char *word = workspace_word(&argc, argv), *name, *board = NULL;
    bool once = false, mine = false;
    int status;
    Error err;
    Options *options = workspace_options(arena, argv, "lab follow LAB|FOLDER [options]",
                                         "The curves of a run in the terminal, while it goes on.");
    options_flag(options, "mine", 0, &mine, "of the run on your functions");
    options_flag(options, "once", 0, &once, "draw them and stop, as in a pipe");
    options_string(options, "tensorboard", 0, &board, "DIR",
                   "write them there for TensorBoard, and stop");
    if (!options_parse(options, argc, argv, &status)) return status;
    const char *path = find_numbers(arena, word, mine, &name);
    if (path == NULL) return 2;
    if (board != NULL) return write_events(arena, path, board, name, &err) ? 0 : error_report(&err);
    if (!once && console_begin().colour && isatty(STDOUT_FILENO)) return follow(path);
    return draw(path, false, &err) ? 0 : error_report(&err);
}
