#include "labs/5_frontier/key_numbers/tell/table.h"
#include <stdio.h>
#include <string.h>
#include "common/page.h"
#include "labs/5_frontier/key_numbers/tell/units.h"

enum { LABEL_COLUMN = 38, NAME_COLUMN = 30, GAP = 2, LEAST_COLUMN = 10 };

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
        int    found  = 0;
        while (found < PART_COUNT && !holds(parts[found].word, at, length)) found++;
        if (found == PART_COUNT) {
            error_set(err, "--show: '%.*s' is none of parameters, inference, training, compute, fit",
                      (int)length, at);
            return 0;
        }
        named |= 1u << found;
        at += length + (at[length] == ',');
    }
    if (named == 0) error_set(err, "--show: expected parameters, inference, training, compute or fit");
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
    int  last = -1;
    for (int part = 0; part < PART_COUNT; part++)
        for (const Entry *entry = sheet->first; entry != NULL; entry = entry->next) {
            if (part_of(entry) != part || !is_shown(entry, shown, explain)) continue;
            show_title(&page, part, &last);
            if (explain)
                show_explained(&page, sheet->arena, entry);
            else
                page_item(&page, 2, LABEL_COLUMN, entry->label, entry_text(sheet->arena, entry));
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
    int                 count, width, first, end;    // those of one block: first .. end - 1
    unsigned            shown;
    bool                differing;
} Columns;

static bool is_row(const Columns *columns, const Entry *entry, int part)
{
    return part_of(entry) == part && is_shown(entry, columns->shown, false) &&
           (!columns->differing || differs(columns->sheets, columns->count, entry->path));
}

// Whether an earlier sheet has had this row.
static bool is_known(const Columns *columns, int sheet, const char *path)
{
    for (int s = 0; s < sheet; s++)
        if (sheet_find(columns->sheets[s], path) != NULL) return true;
    return false;
}

static void show_row(const Page *page, const Columns *columns, const char *label, const char *path,
                     const char *const *names)
{
    printf("  %-*s", NAME_COLUMN, label);
    for (int s = columns->first; s < columns->end; s++) {
        const char *text  = names != NULL ? names[s] : cell(columns->sheets[s], path);
        int         width = columns->width, used = columns_of(text);
        if (used > width) {    // its end tells more: "...3.1-8B"
            text += used - width;
            used = width;
        }
        printf("%*s%s%s%s", GAP + width - used, "", names ? page_on(page, PAGE_BOLD) : "", text,
               names ? page_off(page, PAGE_BOLD) : "");
    }
    putchar('\n');
}

static void show_block(const Page *page, const Columns *columns, const char *const *names)
{
    int last = -1;
    show_row(page, columns, "", NULL, names);
    for (int part = 0; part < PART_COUNT; part++)
        for (int s = 0; s < columns->count; s++)
            for (const Entry *e = columns->sheets[s]->first; e != NULL; e = e->next) {
                if (!is_row(columns, e, part) || is_known(columns, s, e->path)) continue;
                show_title(page, part, &last);
                show_row(page, columns, e->label, e->path, NULL);
            }
}

void columns_show(const Sheet *const *sheets, const char *const *names, int count, unsigned shown,
                  bool differing)
{
    Page    page    = page_begin();
    Columns columns = {sheets, count, LEAST_COLUMN, 0, 0, shown, differing};
    for (int s = 0; s < count; s++)
        for (const Entry *e = sheets[s]->first; e != NULL; e = e->next) {
            int used = e->label != NULL && (shown >> part_of(e) & 1) ? columns_of(cell(sheets[s], e->path)) : 0;
            if (used > columns.width) columns.width = used;
        }
    int room = page.columns - 2 - NAME_COLUMN;
    if (columns.width > room - GAP) columns.width = room - GAP;
    int in_block = room / (columns.width + GAP);
    if (in_block < 1) in_block = 1;
    for (columns.first = 0; columns.first < count; columns.first = columns.end) {
        if (columns.first > 0) putchar('\n');
        columns.end = columns.first + in_block < count ? columns.first + in_block : count;
        show_block(&page, &columns, names);
    }
}
