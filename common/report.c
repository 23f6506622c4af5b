#include "common/report.h"
#include "common/file.h"
#include "common/html.h"
#include "kernels/seconds.h"
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "report_css.inc"    // static const char css[]: report.css

enum {
    FILE_LARGEST = 4 << 20,     // that is embedded
    PAGE_LARGEST = 64 << 20,    // with all that is embedded
    CURVE = 240,                // points of it
    VALUES = 8,
};
static const double SECONDS_BETWEEN = 1.0;    // two writes of the page

// These bytes begin every page. report_cut_short() writes the third over the second.
#define HEAD "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
// clang-format off
#define RUNS   "<meta http-equiv=\"refresh\" content=\"2\"><style>.cut { display: none }</style>\n"
#define IS_CUT "<style>.runs { display: none }</style>                                      \n"
// clang-format on
_Static_assert(sizeof RUNS == sizeof IS_CUT, "the one is written over the other");

typedef struct Piece {
    const char *html;
    struct Piece *next;
} Piece;

// A loop that the page follows.
typedef struct Loop {
    const char *label, *unit;    // NULL: there is none
    long first, done, total;
    double began;
    Metric values[VALUES + 1];
    int points, every, calls;    // a point of the curve stands for `every` writes
    double curve[CURVE];
} Loop;

struct Report {
    Arena *arena;
    const char *path, *title, *facts, *command, *lesson;
    const char *outcome;               // NULL while the run goes on
    bool silent;                       // no page is written
    Piece *contents, *contents_end;    // links to the headings
    Piece *body, *body_end;
    int headings;
    size_t size;       // of the pieces
    double written;    // when; 0 for not yet
    Loop loop;
    Error err;    // of the last write
};

// A process has one: what atexit() and a signal handler end.
static Report *current;

// ---- the page ----

// The file as the target of a link: by its name where it lies beside the page, else by its whole path.
// NULL where there is no such file.
static const char *address(const Report *report, const char *path)
{
    char whole[PATH_MAX];
    const char *slash = strrchr(report->path, '/');
    size_t folder = slash != NULL ? (size_t)(slash - report->path) + 1 : 0;
    if (path == NULL || realpath(path, whole) == NULL) return NULL;
    bool beside = folder > 0 && strncmp(path, report->path, folder) == 0;
    return html_url(report->arena, beside ? path + folder : whole);
}

// "0:12 left", "1:01:15 left"
static void write_time_left(FILE *page, Arena *arena, const Loop *loop, double spent)
{
    double moved = (double)(loop->done - loop->first);
    if (!(spent > 0) || !(moved > 0)) return;
    long left = (long)(spent * (double)(loop->total - loop->done) / moved + 0.5);
    double speed = moved / spent;
    fprintf(page,
            speed < 1000 ? " <span>%.3g %s/s</span> <span>" : " <span>%.0f %s/s</span> <span>",
            speed, html_escaped(arena, loop->unit));
    if (left >= 3600)
        fprintf(page, "%ld:%02ld:%02ld left</span>", left / 3600, left / 60 % 60, left % 60);
    else fprintf(page, "%ld:%02ld left</span>", left / 60, left % 60);
}

static void write_curve(FILE *page, Arena *arena, const Loop *loop)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < loop->points; i++) {
        low = fmin(low, loop->curve[i]);
        high = fmax(high, loop->curve[i]);
    }
    if (loop->points < 2) return;
    const char *name = html_escaped(arena, loop->values[0].name);
    fprintf(page,
            "<svg viewBox=\"0 -2 %d 104\" preserveAspectRatio=\"none\" role=\"img\" "
            "aria-label=\"%s\"><polyline points=\"",
            CURVE, name);
    for (int i = 0; i < loop->points; i++)
        fprintf(page, "%.1f,%.1f ", (double)i * CURVE / (loop->points - 1),
                high > low ? 100 * (high - loop->curve[i]) / (high - low) : 50.0);
    fprintf(page, "\"/></svg>\n<p>%s between %.4g and %.4g</p>", name, low, high);
}

static void write_loop(FILE *page, Arena *arena, const Loop *loop)
{
    fprintf(page, "<section class=\"progress runs\"><b>%s</b>: %ld of %ld %s<br>\n",
            html_escaped(arena, loop->label), loop->done, loop->total,
            html_escaped(arena, loop->unit));
    fprintf(page, "<progress value=\"%ld\" max=\"%ld\"></progress>\n<p>", loop->done, loop->total);
    for (const Metric *value = loop->values; value->name != NULL; value++)
        fprintf(page, "<span>%s %.5g</span> ", html_escaped(arena, value->name), value->value);
    write_time_left(page, arena, loop, seconds_now() - loop->began);
    fputs("</p>\n", page);
    write_curve(page, arena, loop);
    fputs("</section>\n", page);
}

// "14:03:22": on a page of a killed run it stands still.
static const char *time_of_day(Arena *arena)
{
    time_t now = time(NULL);
    struct tm local;
    char text[16] = "";
    if (localtime_r(&now, &local) != NULL) strftime(text, sizeof text, "%H:%M:%S", &local);
    return arena_print(arena, "%s", text);
}

static void write_page(Report *report)
{
    ArenaMark mark = arena_mark(report->arena);
    Arena *arena = report->arena;
    NewFile file;
    if (report->silent) return;
    report->written = seconds_now();
    report->err = (Error){""};
    if (!file_begin(&file, report->path, &report->err)) return;
    FILE *page = file.stream;
    const char *lesson = address(report, report->lesson),
               *title = html_escaped(arena, report->title);
    fputs(HEAD, page);
    if (report->outcome == NULL) fputs(RUNS, page);
    fprintf(
        page,
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
        "style-src 'unsafe-inline'\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n<title>%s</title>\n<style>\n%s</style>\n<h1>%s</h1>\n"
        "<p><code>%s</code></p>\n<p>%s",
        title, css, title, html_escaped(arena, report->command),
        html_escaped(arena, report->facts));
    if (lesson != NULL) fprintf(page, ". <a href=\"%s\">The lesson</a>", lesson);
    if (report->outcome != NULL)
        fprintf(page, "</p>\n<p class=\"outcome\">%s</p>\n", html_escaped(arena, report->outcome));
    else
        fprintf(page,
                "</p>\n<p class=\"outcome runs\">Running at %s; this page reloads itself.</p>\n"
                "<p class=\"outcome cut\">The run was stopped before its end.</p>\n",
                time_of_day(arena));
    if (report->outcome == NULL && report->loop.label != NULL)
        write_loop(page, arena, &report->loop);
    fputs("<nav>", page);
    for (const Piece *piece = report->contents; piece != NULL; piece = piece->next)
        fputs(piece->html, page);
    fputs("</nav>\n", page);
    for (const Piece *piece = report->body; piece != NULL; piece = piece->next)
        fputs(piece->html, page);
    file_commit(&file, &report->err);
    arena_rewind(report->arena, mark);
}

static void append(Report *report, Piece **first, Piece **last, const char *html)
{
    Piece *piece = arena_alloc(report->arena, sizeof *piece);
    *piece = (Piece){.html = html};
    if (*last != NULL) (*last)->next = piece;
    else *first = piece;
    *last = piece;
}

static void add(Report *report, const char *html)
{
    if (report->size > PAGE_LARGEST) return;
    report->size += strlen(html);
    if (report->size > PAGE_LARGEST)
        html = "<p>The rest is left out: the page would be too large.</p>\n";
    append(report, &report->body, &report->body_end, html);
}

static void write_now_and_then(Report *report)
{
    if (report->headings > 0 && seconds_now() - report->written >= SECONDS_BETWEEN)
        write_page(report);
}

// ---- what is added ----

static void end_at_exit(void)
{
    report_stop("The run was stopped before its end.");
}

Report *report_new(const char *path, const char *title, const char *facts, const char *command)
{
    static bool registered;
    Arena *arena = arena_new("report", (size_t)16 * PAGE_LARGEST);
    Report *report = arena_zeros(arena, sizeof *report);
    *report =
        (Report){.arena = arena, .path = path, .title = title, .facts = facts, .command = command};
    if (!registered) atexit(end_at_exit);
    registered = true;
    current = report;
    return report;
}

void report_silence(Report *report)
{
    report->silent = true;
}

void report_lesson(Report *report, const char *path)
{
    report->lesson = path;
}

void report_heading(Report *report, const char *text)
{
    text = html_escaped(report->arena, text);
    int number = ++report->headings;
    append(report, &report->contents, &report->contents_end,
           arena_print(report->arena, "<a href=\"#part%d\">%s</a> ", number, text));
    add(report, arena_print(report->arena, "<h2 id=\"part%d\">%s</h2>\n", number, text));
    report->loop.label = NULL;
    write_page(report);
}

void report_text(Report *report, const char *text)
{
    add(report, arena_print(report->arena, "<p>%s</p>\n", html_escaped(report->arena, text)));
    write_now_and_then(report);
}

void report_notice(Report *report, const char *subject, const char *text)
{
    add(report,
        arena_print(report->arena, "<aside><b>%s</b>: %s</aside>\n",
                    html_escaped(report->arena, subject), html_escaped(report->arena, text)));
    write_now_and_then(report);
}

static void add_row(Report *report, const Table *table, const char *element,
                    const char *const *cells)
{
    add(report, "<tr>");
    for (int c = 0; c < table->columns; c++)
        add(report, arena_print(report->arena, "<%s%s>%s</%s>", element,
                                table->numbers[c] ? " class=\"number\"" : "",
                                html_escaped(report->arena, cells[c]), element));
    add(report, "</tr>\n");
}

void report_table(Report *report, const Table *table)
{
    add(report, "<div class=\"scroll\" tabindex=\"0\"><table>\n");
    if (table_headed(table)) add_row(report, table, "th", table->headings);
    for (const TableRow *row = table->first; row != NULL; row = row->next)
        add_row(report, table, "td", row->cells);
    add(report, "</table></div>\n");
    write_now_and_then(report);
}

void report_file(Report *report, const char *title, const char *path)
{
    Arena *arena = report->arena;
    const char *image = html_data_url(arena, path, FILE_LARGEST), *link = address(report, path);
    const char *name = html_escaped(arena, path), *slash = strrchr(path, '/');
    const char *file_name = html_escaped(arena, slash != NULL ? slash + 1 : path);
    title = html_escaped(arena, title);
    if (image != NULL && report->size + strlen(image) < PAGE_LARGEST)
        add(report, arena_print(arena,
                                "<figure><figcaption>%s <code>%s</code></figcaption>"
                                "<img alt=\"%s\" src=\"%s\"></figure>\n",
                                title, file_name, title, image));
    else if (link != NULL)
        add(report, arena_print(arena, "<p>%s: <a href=\"%s\">%s</a></p>\n", title, link, name));
    else add(report, arena_print(arena, "<p>%s: %s</p>\n", title, name));
    write_now_and_then(report);
}

// Keeps every second point of a curve that is full.
static void add_point(Loop *loop, double value)
{
    if (!isfinite(value) || loop->calls++ % loop->every != 0) return;
    if (loop->points == CURVE) {
        for (int i = 0; i < CURVE / 2; i++) loop->curve[i] = loop->curve[2 * i];
        loop->points = CURVE / 2;
        loop->every *= 2;
    }
    loop->curve[loop->points++] = value;
}

void report_progress(Report *report, const char *label, const char *unit, long done, long total,
                     const Metric *values)
{
    Loop *loop = &report->loop;
    double now = seconds_now();
    bool begins = loop->label == NULL || strcmp(loop->label, label) != 0;
    if (begins)
        *loop = (Loop){.label = arena_print(report->arena, "%s", label),
                       .unit = arena_print(report->arena, "%s", unit),
                       .first = done,
                       .began = now,
                       .every = 1};
    loop->done = done;
    loop->total = total;
    if (done >= total) loop->label = NULL;
    if (!begins && now - report->written < SECONDS_BETWEEN) return;
    int count = 0;
    for (; count < VALUES && values[count].name != NULL; count++)
        loop->values[count] = values[count];
    loop->values[count].name = NULL;
    if (count > 0) add_point(loop, values[0].value);
    write_page(report);
}

// ---- the end ----

// Writes over a page that still runs, and over no other. Safe in a signal handler.
static void cut_short(const char *path)
{
    char there[sizeof RUNS - 1];
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    bool runs = pread(file, there, sizeof there, sizeof HEAD - 1) == sizeof there &&
                memcmp(there, RUNS, sizeof there) == 0;
    bool cut = runs && pwrite(file, IS_CUT, sizeof there, sizeof HEAD - 1) > 0;
    (void)cut;
    close(file);
}

bool report_end(Report *report, const char *outcome, Error *err)
{
    if (current == report) current = NULL;
    if (report->outcome != NULL) return true;
    report->outcome = arena_print(report->arena, "%s", outcome);
    if (report->body == NULL && report->written == 0) return true;
    write_page(report);
    if (report->err.message[0] == '\0') return true;
    cut_short(
        report->path);    // the last page that could be written must not say that the run goes on
    return error_set(err, "%s", report->err.message);
}

void report_stop(const char *outcome)
{
    if (current == NULL) return;
    if (current->written != 0) report_end(current, outcome, NULL);
    current = NULL;
}

void report_cut_short(void)
{
    if (current != NULL && current->written != 0) cut_short(current->path);
}
