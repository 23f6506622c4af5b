#include "labs/5_frontier/key_numbers/app/output/table.h"
#include <stdio.h>
#include <string.h>
#include "common/page.h"
#include "labs/5_frontier/key_numbers/app/output/units.h"

enum { LABEL_COLUMN = 38, GAP = 2, LEAST_COLUMN = 10, WIDEST_COLUMN = 20 };

static const struct {
    const char *word, *prefixes, *title;
} parts[PART_COUNT] = {
#define X(name, word, prefixes, title) {word, prefixes, title},
    PART_LIST(X)
#undef X
};

// Whether a list of words with bars between them holds the first `length` characters of `word`.
static bool holds(const char *words, const char *word, size_t length)
{
    for (const char *at = words; at != NULL; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strcspn(at, "|") == length && strncmp(at, word, length) == 0) return true;
    return false;
}

static int part_of(const Entry *entry)
{
    for (int p = 0; p < PART_COUNT; p++)
        if (holds(parts[p].prefixes, entry->path, strcspn(entry->path, ".["))) return p;
    REQUIRE(false, "%s belongs to no part", entry->path);
    return 0;
}

unsigned parts_named(const char *words, Error *err)
{
    unsigned named = 0;
    for (const char *at = words; *at != '\0';) {
        size_t length = strcspn(at, ",");
        int found = 0;
        while (found < PART_COUNT && !holds(parts[found].word, at, length)) found++;
        if (found == PART_COUNT) {
            error_set(err,
                      "--show: '%.*s' is none of parameters, inference, training, compute, fit",
                      (int)length, at);
            return 0;
        }
        named |= 1u << found;
        at += length + (at[length] == ',');
    }
    if (named == 0)
        error_set(err, "--show: expected parameters, inference, training, compute or fit");
    return named;
}

static bool is_shown(const Entry *entry, unsigned shown, bool explain)
{
    if (!(shown >> part_of(entry) & 1)) return false;
    return entry->label != NULL || (explain && entry->formula != NULL);
}

static void show_title(const Page *page, int part, int *last)
{
    if (part == *last) return;
    if (*last >= 0) putchar('\n');
    page_text(page, PAGE_BOLD, 0, parts[part].title);
    *last = part;
}

static void show_explained(const Page *page, Arena *arena, const Entry *entry)
{
    const char *name = entry->label != NULL ? entry->label : entry->path;
    if (entry->formula == NULL) {
        page_item(page, 2, LABEL_COLUMN, name, entry_text(arena, entry));
        return;
    }
    page_text(page, PAGE_BOLD, 2, name);
    page_text(page, PAGE_PLAIN, 4, arena_print(arena, "= %s", entry->formula));
    page_text(page, PAGE_PLAIN, 4, arena_print(arena, "= %s", entry->filled));
    page_text(page, PAGE_PLAIN, 4, arena_print(arena, "= %s", entry_text(arena, entry)));
}

void table_show(const Sheet *sheet, unsigned shown, bool explain)
{
    Page page = page_begin();
    int last = -1;
    for (int part = 0; part < PART_COUNT; part++)
        for (const Entry *entry = sheet->first; entry != NULL; entry = entry->next) {
            if (part_of(entry) != part || !is_shown(entry, shown, explain)) continue;
            show_title(&page, part, &last);
            if (explain) show_explained(&page, sheet->arena, entry);
            else page_item(&page, 2, LABEL_COLUMN, entry->label, entry_text(sheet->arena, entry));
        }
}

// ---- several sheets, side by side ----

// In UTF-8, of which only first bytes take a column.
static int columns_of(const char *text)
{
    int columns = 0;
    for (; *text != '\0'; text++) columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

static const char *cell(const Sheet *sheet, const char *path)
{
    const Entry *entry = sheet_find(sheet, path);
    return entry != NULL ? entry_short(sheet->arena, entry) : "";
}

static bool differs(const Sheet *const *sheets, int count, const char *path)
{
    for (int s = 1; s < count; s++)
        if (strcmp(cell(sheets[0], path), cell(sheets[s], path)) != 0) return true;
    return false;
}

typedef struct Columns {
    const Sheet *const *sheets;
    int count, labels, width;    // widths of the labels, and of a column
    int first, end;              // those of one block: first .. end - 1
    unsigned shown;
    bool differing;
} Columns;

// A row is what is short in all columns. The elements of lists have nothing to do with one another.
static bool is_row(const Columns *columns, const Entry *entry, int part)
{
    if (part_of(entry) != part || !is_shown(entry, columns->shown, false)) return false;
    if (strchr(entry->path, '[') != NULL || strcmp(entry->path, "model.name") == 0) return false;
    for (int s = 0; s < columns->count; s++)
        if (columns_of(cell(columns->sheets[s], entry->path)) > WIDEST_COLUMN) return false;
    return !columns->differing || differs(columns->sheets, columns->count, entry->path);
}

// Whether an earlier sheet has had this row.
static bool is_known(const Columns *columns, int sheet, const char *path)
{
    for (int s = 0; s < sheet; s++)
        if (sheet_find(columns->sheets[s], path) != NULL) return true;
    return false;
}

// "requests of 4096 tokens at once" and "... 8192 ..." head one row: words that differ become "n".
static const char *common_label(const Columns *columns, const char *path)
{
    const char *label = "", *space = "";
    Arena *arena = columns->sheets[0]->arena;
    const char *rest[COLUMNS_MAX];
    int count = 0;
    for (int s = 0; s < columns->count; s++) {
        const Entry *entry = sheet_find(columns->sheets[s], path);
        if (entry != NULL && entry->label != NULL) rest[count++] = entry->label;
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

static void show_head(const Page *page, const Columns *columns, const char *heading,
                      const char *const *names)
{
    printf("%s  %-*s", page_on(page, PAGE_BOLD), columns->labels, heading);
    for (int s = columns->first; s < columns->end; s++) {
        const char *slash = strrchr(names[s], '/');    // whose model it is takes too much room
        show_cell(columns, slash != NULL && slash[1] != '\0' ? slash + 1 : names[s]);
    }
    printf("%s\n", page_off(page, PAGE_BOLD));
}

static bool is_empty(const Columns *columns, const char *path)
{
    for (int s = columns->first; s < columns->end; s++)
        if (cell(columns->sheets[s], path)[0] != '\0') return false;
    return true;
}

static void show_block(const Page *page, const Columns *columns, const char *heading,
                       const char *const *names)
{
    int last = -1;
    show_head(page, columns, heading, names);
    for (int part = 0; part < PART_COUNT; part++)
        for (int s = 0; s < columns->count; s++)
            for (const Entry *e = columns->sheets[s]->first; e != NULL; e = e->next) {
                if (!is_row(columns, e, part) || is_known(columns, s, e->path) ||
                    is_empty(columns, e->path))
                    continue;
                show_title(page, part, &last);
                printf("  %-*s", columns->labels, common_label(columns, e->path));
                for (int c = columns->first; c < columns->end; c++)
                    show_cell(columns, cell(columns->sheets[c], e->path));
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
        for (const Entry *e = columns->sheets[s]->first; e != NULL; e = e->next) {
            if (!is_row(columns, e, part_of(e))) continue;
            int used = columns_of(cell(columns->sheets[s], e->path)),
                label = columns_of(common_label(columns, e->path));
            if (used > columns->width) columns->width = used;
            if (label > columns->labels) columns->labels = label;
        }
    }
}

void columns_show(const Sheet *const *sheets, const char *heading, const char *const *names,
                  int count, unsigned shown, bool differing)
{
    REQUIRE(count <= COLUMNS_MAX, "%d columns, expected at most %d", count, COLUMNS_MAX);
    Page page = page_begin();
    Columns columns = {.sheets = sheets,
                       .count = count,
                       .width = LEAST_COLUMN,
                       .shown = shown,
                       .differing = differing};
    measure(&columns, names);
    int in_block = (page.columns - 2 - columns.labels) / (columns.width + GAP);
    if (in_block < 1) in_block = 1;
    for (columns.first = 0; columns.first < count; columns.first = columns.end) {
        if (columns.first > 0) putchar('\n');
        columns.end = columns.first + in_block < count ? columns.first + in_block : count;
        show_block(&page, &columns, heading, names);
    }
}
