#include "datasets/csv.h"
#include <csv.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/file.h"
#include "common/text.h"

enum { FIELDS_MAX = 4096, SHOWN = 40 };    // in a row; bytes of a field that a message shows

typedef struct Place {
    long line, at;    // from 1; of a byte
} Place;

typedef struct Reader {
    Arena *keep;
    Csv *csv;
    const char *path;
    const char *asked;    // "area,price", as clean as the names; NULL for all
    char delimiter;
    Place here;     // of the byte that is read
    Place field;    // where the field in hand began
    Place row;      // and its row
    int fields;     // of this row so far
    int width;      // of the first row; 0 before it has ended
    const char *names[FIELDS_MAX];
    int column[FIELDS_MAX];    // for each field its column in csv, or -1
    double *values;            // grows; malloc
    size_t room;               // of values, in rows
    bool begun;                // this row: a line break inside quotes does not end it
    bool cr;                   // the byte before was a carriage return
    bool failed;
    Error *err;
} Reader;

static void fail(Reader *reader, Place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Only the first failure counts.
static void fail(Reader *reader, Place place, const char *format, ...)
{
    if (reader->failed) return;
    char what[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    text_clean(what);    // of a field with lines: a message is one
    error_set(reader->err, "%s:%ld:%ld: %s", reader->path, place.line, place.at, what);
    reader->failed = true;
}

// ---- the first row ----

// A comma where there is one outside of quotes; else the tab or the semicolon that is there.
static char delimiter_of(const char *row, size_t length)
{
    bool quoted = false, tab = false, semicolon = false;
    while (length > 0 && isspace((unsigned char)row[length - 1])) length--;
    for (size_t i = 0; i < length; i++) {
        if (row[i] == '"') quoted = !quoted;
        if (quoted) continue;
        if (row[i] == ',') return ',';
        tab = tab || (row[i] == '\t' && i > 0);
        semicolon = semicolon || row[i] == ';';
    }
    return tab ? '\t' : semicolon ? ';' : ',';
}

static const char *delimiter_name(const Reader *reader)
{
    return reader->delimiter == ',' ? "comma" : reader->delimiter == ';' ? "semicolon" : "tab";
}

// As it is asked for: in quotes where it holds commas or quotes.
static const char *quoted_name(Arena *arena, const char *name)
{
    if (strpbrk(name, ",\"") == NULL) return name;
    char *quoted = arena_alloc(arena, 2 * strlen(name) + 3), *to = quoted;
    *to++ = '"';
    for (; *name != '\0'; name++) {
        if (*name == '"') *to++ = '"';
        *to++ = *name;
    }
    *to++ = '"', *to = '\0';
    return quoted;
}

static int find_name(const Reader *reader, const char *name, size_t length)
{
    for (int i = 0; i < reader->width; i++)
        if (strlen(reader->names[i]) == length && memcmp(reader->names[i], name, length) == 0)
            return i;
    return -1;
}

static void ask_for(Reader *reader, const char *name, size_t length)
{
    Csv *csv = reader->csv;
    int field = find_name(reader, name, length);
    if (field < 0) {
        char all[240] = "";
        for (int i = 0; i < reader->width && strlen(all) < sizeof all - 1; i++)
            snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i > 0 ? ", " : "",
                     quoted_name(reader->keep, reader->names[i]));
        fail(reader, reader->row, "there is no column \"%.*s\"; there are %s", (int)length, name,
             all);
        return;
    }
    for (int i = field + 1; i < reader->width; i++)
        if (strcmp(reader->names[i], reader->names[field]) == 0)
            fail(reader, reader->row, "two columns are called \"%s\"", reader->names[field]);
    if (reader->column[field] >= 0) {
        fail(reader, reader->row, "column \"%s\" was asked for twice", reader->names[field]);
        return;
    }
    reader->column[field] = csv->columns;
    csv->names[csv->columns++] = reader->names[field];
}

// The name that begins here; what follows its comma, or NULL.
static const char *ask_next(Reader *reader, const char *at)
{
    const char *end = at + strspn(at, " ");
    char *name = arena_alloc(reader->keep, strlen(end) + 1);
    size_t length = 0;
    if (*end == '"') {
        for (end++; *end != '\0' && (*end != '"' || end[1] == '"'); end++) {
            if (*end == '"') end++;    // two stand for one
            name[length++] = *end;
        }
        if (*end == '"') end += 1 + strspn(end + 1, " ");
        else fail(reader, reader->row, "the columns asked for: a quote is never closed");
        if (*end != ',' && *end != '\0')
            fail(reader, reader->row, "the columns asked for: expected a comma after \"%.*s\"",
                 (int)length, name);
    } else {
        for (; *end != ',' && *end != '\0'; end++) name[length++] = *end;
        while (length > 0 && name[length - 1] == ' ') length--;
    }
    ask_for(reader, name, length);
    return *end == ',' ? end + 1 : NULL;
}

// Which fields become which columns.
static void choose_columns(Reader *reader)
{
    reader->width = reader->fields;
    reader->csv->names =
        arena_alloc(reader->keep, sizeof *reader->csv->names * (size_t)reader->width);
    for (int i = 0; i < reader->width; i++) reader->column[i] = -1;
    for (int i = 0; i < reader->width && reader->asked == NULL; i++)
        ask_for(reader, reader->names[i], strlen(reader->names[i]));
    for (const char *at = reader->asked; at != NULL && !reader->failed;) at = ask_next(reader, at);
}

// ---- the others ----

static void put_number(Reader *reader, const char *text, size_t length)
{
    int column = reader->column[reader->fields];
    char *end;
    if (column < 0) return;
    const char *name = reader->csv->names[column];
    if (length == 0) {
        fail(reader, reader->field, "%s is missing", name);
        return;
    }
    // strtod alone would take nan, infinity and hexadecimal numbers as well.
    double value = strtod(text, &end);
    bool decimal = strspn(text, "0123456789+-.eE") == length && end == text + length;
    if (!decimal)
        fail(reader, reader->field, "%s is \"%.*s%s\", expected a number%s", name, SHOWN, text,
             length > SHOWN ? "..." : "",
             memchr(text, ',', length) != NULL && strspn(text, "0123456789+-.,eE") == length
                 ? " with a decimal point and no commas"
                 : "");
    else if (!isfinite(value))
        fail(reader, reader->field, "%s is %.*s, too large for a double", name, SHOWN, text);
    reader->values[(size_t)reader->csv->rows * (size_t)reader->csv->columns + (size_t)column] =
        value;
}

static bool make_room(Reader *reader)
{
    if ((size_t)reader->csv->rows < reader->room) return true;
    size_t room = reader->room > 0 ? 2 * reader->room : 256;
    double *larger = realloc(reader->values, room * (size_t)reader->csv->columns * sizeof *larger);
    if (larger == NULL) {
        fail(reader, reader->row, "no memory for %zu rows", room);
        return false;
    }
    reader->values = larger;
    reader->room = room;
    return true;
}

// ---- what libcsv calls ----

// A name goes into tables and plots. A nameless one, as of an index, is called by its place.
static void name_field(Reader *reader, const char *text, size_t length)
{
    char *name = arena_print(reader->keep, "%.*s", (int)length, text);
    text_clean(name);
    if (name[strspn(name, " ")] == '\0')
        name = arena_print(reader->keep, "column %d", reader->fields + 1);
    reader->names[reader->fields] = name;
}

static void field_ended(void *text, size_t length, void *data)
{
    Reader *reader = data;
    if (reader->failed) return;
    if (reader->fields == FIELDS_MAX) {
        fail(reader, reader->row, "has more than %d fields", FIELDS_MAX);
        return;
    }
    if (reader->width == 0) name_field(reader, text, length);
    else if (reader->fields < reader->width && make_room(reader)) put_number(reader, text, length);
    reader->fields++;
}

static void row_ended(int end, void *data)
{
    (void)end;
    Reader *reader = data;
    if (reader->failed) return;
    if (reader->width == 0) choose_columns(reader);
    else if (reader->fields != reader->width)
        fail(reader, reader->row, "the row has %d field%s, expected %d%s", reader->fields,
             text_plural(reader->fields), reader->width,
             reader->delimiter == ','   ? ""
             : reader->delimiter == ';' ? " separated by semicolons"
                                        : " separated by tabs");
    else reader->csv->rows++;
    reader->fields = 0;
    reader->begun = false;
}

// ---- the file ----

// Byte by byte, so that a callback knows where it is.
static void read_byte(Reader *reader, struct csv_parser *parser, int byte)
{
    unsigned char one = (unsigned char)byte;
    int fields = reader->fields;
    if (byte == '\0') fail(reader, reader->here, "a byte of 0: this is not a text file");
    else if (csv_parse(parser, &one, 1, field_ended, row_ended, reader) != 1)
        fail(reader, reader->here,
             "a quote inside a field: expected \"\" in a quoted field, or a %s",
             delimiter_name(reader));
    bool broken = byte == '\n' || byte == '\r';
    if (byte == '\n' && reader->cr) reader->here.line--;    // CRLF is one
    reader->here = broken ? (Place){reader->here.line + 1, 1}
                          : (Place){reader->here.line, reader->here.at + 1};
    reader->cr = byte == '\r';
    if (!broken && (byte == reader->delimiter || (byte != ' ' && byte != '\t')))
        reader->begun = true;
    if (!reader->begun) reader->row = reader->field = reader->here;
    else if (reader->fields != fields) reader->field = reader->here;
}

// All but a byte order mark. The file may be a pipe: nothing is read twice.
static void read_bytes(Reader *reader, FILE *file, struct csv_parser *parser)
{
    static const char mark[] = "\xEF\xBB\xBF";
    char
        start[1 << 14];    // the first row, or what of it is needed to see how fields are separated
    size_t count = 0;
    bool quoted = false, blank = true;
    for (int byte; count < sizeof start && (byte = getc(file)) != EOF;) {
        start[count++] = (char)byte;
        quoted = quoted != (byte == '"');
        blank = blank && (isspace(byte) || (count <= 3 && start[count - 1] == mark[count - 1]));
        if (!blank && !quoted && (byte == '\n' || byte == '\r')) break;
    }
    size_t first = count >= 3 && memcmp(start, mark, 3) == 0 ? 3 : 0;
    reader->delimiter = delimiter_of(start + first, count - first);
    csv_set_delim(parser, (unsigned char)reader->delimiter);
    for (size_t i = first; i < count && !reader->failed; i++)
        read_byte(reader, parser, (unsigned char)start[i]);
    for (int byte; !reader->failed && (byte = getc(file)) != EOF;) read_byte(reader, parser, byte);
}

static void read_file(Reader *reader, FILE *file)
{
    struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0) {
        fail(reader, reader->here, "libcsv did not start");
        return;
    }
    read_bytes(reader, file, &parser);
    if (!reader->failed && ferror(file)) {
        error_set(reader->err, "%s: %s", reader->path, strerror(errno));
        reader->failed = true;
    }
    if (!reader->failed && csv_fini(&parser, field_ended, row_ended, reader) != 0)
        fail(reader, reader->field, "a quote that opens here is never closed");
    csv_free(&parser);
}

bool csv_read(Arena *keep, Csv *csv, const char *path, const char *columns, Error *err)
{
    FILE *file = file_open(path, err);
    if (file == NULL) return false;
    Reader *reader = arena_zeros(keep, sizeof *reader);
    *csv = (Csv){0};
    *reader = (Reader){.keep = keep, .csv = csv, .path = path, .err = err};
    if (columns != NULL) {
        char *asked = arena_print(keep, "%s", columns);
        text_clean(asked);
        reader->asked = asked;
    }
    reader->here = reader->field = reader->row = (Place){1, 1};
    read_file(reader, file);
    fclose(file);
    bool ok = !reader->failed;
    if (ok && reader->width == 0)
        ok = error_set(err, "%s: is empty, expected a row of names", path);
    if (ok && csv->rows == 0) ok = error_set(err, "%s: has no row below its names", path);
    if (ok) {
        size_t bytes = sizeof *csv->values * (size_t)csv->rows * (size_t)csv->columns;
        csv->values = memcpy(arena_alloc(keep, bytes), reader->values, bytes);
    }
    free(reader->values);
    return ok;
}
