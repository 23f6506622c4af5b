#include "labs/5_frontier/key_numbers/app/output/table.h"
#include <stdio.h>
#include <string.h>
#include "common/console.h"
#include "labs/5_frontier/key_numbers/app/output/units.h"

enum { LABEL_COLUMN = 38, GAP = 2, LEAST_COLUMN = 10, WIDEST_COLUMN = 20 };

static int part_of_row(const Row *row)
{
    PlanPart part = part_of(row->path);
    REQUIRE(part < PART_COUNT, "%s belongs to no part", row->path);
    return part;
}

static bool is_shown(const Row *row, unsigned shown, bool explain)
{
    bool printed = row->label != NULL || (explain && row->formula != NULL);
    return printed && (shown >> part_of_row(row) & 1) != 0;
}

static void show_title(const Console *console, int part, int *last)
{
    if (part == *last) return;
    if (*last >= 0) putchar('\n');
    console_text(console, CONSOLE_BOLD, 0, part_titles[part]);
    *last = part;
}

static void show_explained(const Console *console, Arena *arena, const Row *row)
{
    const char *name = row->label != NULL ? row->label : row->path;
    if (row->formula == NULL) {
        console_item(console, 2, LABEL_COLUMN, name, units_text(arena, row));
        return;
    }
    console_text(console, CONSOLE_BOLD, 2, name);
    console_text(console, CONSOLE_PLAIN, 4, arena_print(arena, "= %s", row->formula));
    console_text(console, CONSOLE_PLAIN, 4, arena_print(arena, "= %s", row->filled));
    console_text(console, CONSOLE_PLAIN, 4, arena_print(arena, "= %s", units_text(arena, row)));
}

// Whether it concerns what is shown: a note about the model all, about a context what depends on it.
static bool is_warned(const Row *row, unsigned shown)
{
    static const unsigned by_context = 1u << PART_INFERENCE | 1u << PART_COMPUTE | 1u << PART_FIT;
    int part = row->warns ? part_of_row(row) : PART_COUNT;
    return part == PART_PARAMETERS || (part == PART_INFERENCE && (shown & by_context) != 0) ||
           (part < PART_COUNT && (shown >> part & 1) != 0);
}

// The answer in a sentence, of a part that has one.
static const char *verdict(const Rows *rows, int part)
{
    static const char *const paths[PART_COUNT] = {
        [PART_INFERENCE] = "inference.verdict", [PART_TRAINING] = "training.verdict"};
    const Row *row = paths[part] != NULL ? rows_find(rows, paths[part]) : NULL;
    return row != NULL ? row->text : NULL;
}

// The first of those that are shown; PART_COUNT: none has a verdict.
static int first_verdict(const Rows *rows, unsigned shown)
{
    int part = 0;
    while (part < PART_COUNT && !((shown >> part & 1) && verdict(rows, part) != NULL)) part++;
    return part;
}

void table_show(const Rows *rows, unsigned shown, bool explain)
{
    Console console = console_begin();
    int last = -1, first = first_verdict(rows, shown);
    if (first < PART_COUNT) {
        console_text(&console, CONSOLE_BOLD, 0, verdict(rows, first));
        putchar('\n');
    }
    // Warnings of a part that is not shown.
    for (const Row *row = rows->first; row != NULL; row = row->next)
        if (row->warns && is_warned(row, shown) && !(shown >> part_of_row(row) & 1))
            console_item(&console, 2, LABEL_COLUMN, row->label, row->text);
    // The rows of each part that are shown, which come in any order.
    const Row **list = arena_alloc(rows->arena, ((size_t)rows->count + 1) * sizeof(Row *));
    int count = 0;
    for (const Row *row = rows->first; row != NULL; row = row->next)
        if (is_shown(row, shown, explain)) list[count++] = row;
    for (int part = 0; part < PART_COUNT; part++)
        for (int i = 0; i < count; i++) {
            const Row *row = list[i];
            if (part_of_row(row) != part) continue;
            if (part != last && part != first && verdict(rows, part) != NULL) {
                show_title(&console, part, &last);
                console_text(&console, CONSOLE_PLAIN, 2, verdict(rows, part));
            }
            show_title(&console, part, &last);
            if (explain) show_explained(&console, rows->arena, row);
            else console_item(&console, 2, LABEL_COLUMN, row->label, units_text(rows->arena, row));
        }
}

// ---- several reports, side by side ----

// In UTF-8, of which only first bytes take a column.
static int columns_of(const char *text)
{
    int columns = 0;
    for (; *text != '\0'; text++) columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

static const char *cell(const Rows *rows, const char *path)
{
    const Row *row = rows_find(rows, path);
    return row != NULL ? units_short(rows->arena, row) : "";
}

static bool differs(const Rows *const *reports, int count, const char *path)
{
    for (int s = 1; s < count; s++)
        if (strcmp(cell(reports[0], path), cell(reports[s], path)) != 0) return true;
    return false;
}

typedef struct Columns {
    const Rows *const *reports;
    int count, labels, width;    // widths of the labels, and of a column
    int first, end;              // those of one block: first .. end - 1
    unsigned shown;
    bool differing;
} Columns;

// A row is what is short in all columns. The elements of lists have nothing to do with one another.
static bool is_row(const Columns *columns, const Row *row, int part)
{
    if (part_of_row(row) != part || !is_shown(row, columns->shown, false)) return false;
    if (strchr(row->path, '[') != NULL || strcmp(row->path, "model.name") == 0) return false;
    for (int s = 0; s < columns->count; s++)
        if (columns_of(cell(columns->reports[s], row->path)) > WIDEST_COLUMN) return false;
    return !columns->differing || differs(columns->reports, columns->count, row->path);
}

// Whether an earlier report has had this row.
static bool is_known(const Columns *columns, int rows, const char *path)
{
    for (int s = 0; s < rows; s++)
        if (rows_find(columns->reports[s], path) != NULL) return true;
    return false;
}

// "requests of 4096 tokens at once" and "... 8192 ..." head one row: words that differ become "n".
static const char *common_label(const Columns *columns, const char *path)
{
    const char *label = "", *space = "";
    Arena *arena = columns->reports[0]->arena;
    const char *rest[COLUMNS_MAX];
    int count = 0;
    for (int s = 0; s < columns->count; s++) {
        const Row *row = rows_find(columns->reports[s], path);
        if (row != NULL && row->label != NULL) rest[count++] = row->label;
    }
    for (int indent = 0; count > 0 && rest[0][indent] == ' '; indent++)
        label = arena_print(arena, "%s ", label);
    while (count > 0 && *rest[0] != '\0') {
        bool same = true;
        for (int i = 0; i < count; i++) {
            rest[i] += strspn(rest[i], " ");
            same = same && strcspn(rest[i], " ") == strcspn(rest[0], " ") &&
                   strncmp(rest[i], rest[0], strcspn(rest[0], " ")) == 0;
        }
        label = arena_print(arena, "%s%s%.*s", label, space, same ? (int)strcspn(rest[0], " ") : 1,
                            same ? rest[0] : "n");
        for (int i = 0; i < count; i++) rest[i] += strcspn(rest[i], " ");
        space = " ";
    }
    return label;
}

static void show_cell(const Columns *columns, const char *text)
{
    int used = columns_of(text), room = columns->width;
    printf("%*s%.*s", GAP + (used < room ? room - used : 0), "",
           used > room ? room : (int)strlen(text), text);
}

static void show_head(const Console *console, const Columns *columns, const char *heading,
                      const char *const *names)
{
    printf("%s  %-*s", console_on(console, CONSOLE_BOLD), columns->labels, heading);
    for (int s = columns->first; s < columns->end; s++) {
        const char *slash = strrchr(names[s], '/');    // whose model it is takes too much room
        show_cell(columns, slash != NULL && slash[1] != '\0' ? slash + 1 : names[s]);
    }
    printf("%s\n", console_off(console, CONSOLE_BOLD));
}

static bool is_empty(const Columns *columns, const char *path)
{
    for (int s = columns->first; s < columns->end; s++)
        if (cell(columns->reports[s], path)[0] != '\0') return false;
    return true;
}

static void show_block(const Console *console, const Columns *columns, const char *heading,
                       const char *const *names)
{
    int last = -1;
    show_head(console, columns, heading, names);
    for (int part = 0; part < PART_COUNT; part++)
        for (int s = 0; s < columns->count; s++)
            for (const Row *e = columns->reports[s]->first; e != NULL; e = e->next) {
                if (!is_row(columns, e, part) || is_known(columns, s, e->path) ||
                    is_empty(columns, e->path))
                    continue;
                show_title(console, part, &last);
                printf("  %-*s", columns->labels, common_label(columns, e->path));
                for (int c = columns->first; c < columns->end; c++)
                    show_cell(columns, cell(columns->reports[c], e->path));
                putchar('\n');
            }
}

// As wide as the widest of what stands in them.
static void measure(Columns *columns, const char *const *names)
{
    for (int s = 0; s < columns->count; s++) {
        const char *slash = strrchr(names[s], '/');
        int head = columns_of(slash != NULL ? slash + 1 : names[s]);
        if (head > columns->width && head <= WIDEST_COLUMN) columns->width = head;
        for (const Row *e = columns->reports[s]->first; e != NULL; e = e->next) {
            if (!is_row(columns, e, part_of_row(e))) continue;
            int used = columns_of(cell(columns->reports[s], e->path)),
                label = columns_of(common_label(columns, e->path));
            if (used > columns->width) columns->width = used;
            if (label > columns->labels) columns->labels = label;
        }
    }
}

static bool is_printed(const Rows *const *reports, int count, const Row *warning)
{
    for (int s = 0; s < count; s++)
        for (const Row *row = reports[s]->first; row != NULL; row = row->next) {
            if (row == warning) return false;
            if (row->warns && strcmp(row->text, warning->text) == 0) return true;
        }
    return false;
}

// Under the columns, for they are long: each once, with the names of the first column that has it.
static void show_warnings(const Console *console, const Columns *columns, const char *const *names)
{
    Arena *arena = columns->reports[0]->arena;
    bool first = true;
    for (int s = 0; s < columns->count; s++)
        for (const Row *row = columns->reports[s]->first; row != NULL; row = row->next) {
            if (!is_warned(row, columns->shown) ||
                is_printed(columns->reports, columns->count, row))
                continue;
            if (first) putchar('\n');
            first = false;
            console_item(console, 2, LABEL_COLUMN, arena_print(arena, "note, %s", names[s]),
                         row->text);
        }
}

void columns_show(const Rows *const *reports, const char *heading, const char *const *names,
                  int count, unsigned shown, bool differing)
{
    REQUIRE(count <= COLUMNS_MAX, "%d columns, expected at most %d", count, COLUMNS_MAX);
    Console console = console_begin();
    Columns columns = {.reports = reports,
                       .count = count,
                       .width = LEAST_COLUMN,
                       .shown = shown,
                       .differing = differing};
    for (int i = 0; i < count && !differing; i++) {
        int first = first_verdict(reports[i], shown);
        if (first == PART_COUNT) continue;
        console_text(&console, CONSOLE_BOLD, 0, verdict(reports[i], first));
        if (i == count - 1) putchar('\n');
    }
    measure(&columns, names);
    int in_block = (console.columns - 2 - columns.labels) / (columns.width + GAP);
    if (in_block < 1) in_block = 1;
    for (columns.first = 0; columns.first < count; columns.first = columns.end) {
        if (columns.first > 0) putchar('\n');
        columns.end = columns.first + in_block < count ? columns.first + in_block : count;
        show_block(&console, &columns, heading, names);
    }
    show_warnings(&console, &columns, names);
}
