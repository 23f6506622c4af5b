#include "labs/5_frontier/paged_kv/app/replay/trace.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "common/file.h"
#include "common/json.h"

enum { MAX_TOKENS = 1 << 22, MAX_CHATS = 1 << 24 };

int32_t request_token(const Request *request, int position)
{
    const int block = position / TRACE_BLOCK;
    const bool known = block < request->id_count;
    uint64_t hash =
        known ? (uint64_t)(uint32_t)request->ids[block] << 8 | (uint64_t)(position % TRACE_BLOCK)
              : ~((uint64_t)request->id << 32 | (uint32_t)position);
    hash = (hash ^ hash >> 31) * 0xbf58476d1ce4e5b9u;
    return (int32_t)((hash ^ hash >> 29) * 0x94d049bb133111ebu >> 33);
}

// ---- one line ----

typedef struct Line {
    Request request;
    int chat, parent;    // or -1
} Line;

static bool read_ids(Arena *keep, const cJSON *tree, const char *where, Request *request,
                     Error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(tree, "hash_ids"), *id;
    if (list == NULL) return true;
    if (!cJSON_IsArray(list)) return error_set(err, "%s: \"hash_ids\" is not a list", where);
    const int most = (request->prompt + TRACE_BLOCK - 1) / TRACE_BLOCK;
    int32_t *ids = arena_alloc(keep, (size_t)(most + 1) * sizeof *ids);
    request->ids = ids;
    cJSON_ArrayForEach(id, list)
    {
        if (!cJSON_IsNumber(id) || id->valuedouble < 0 || id->valuedouble > INT32_MAX ||
            id->valuedouble != (double)(int32_t)id->valuedouble)
            return error_set(
                err, "%s: \"hash_ids\" holds a value that is not an integer from 0 to 2147483647",
                where);
        if (request->id_count < most) ids[request->id_count++] = (int32_t)id->valuedouble;
    }
    return true;
}

// -1: none.
static int chat_of(const cJSON *tree, const char *field)
{
    const cJSON *chat = cJSON_GetObjectItemCaseSensitive(tree, field);
    return cJSON_IsNumber(chat) && chat->valuedouble >= 0 && chat->valuedouble < MAX_CHATS
               ? (int)chat->valuedouble
               : -1;
}

static bool read_line(Arena *keep, const char *text, size_t bytes, const char *where, Line *line,
                      Error *err)
{
    cJSON *tree = json_parse(text, bytes, where, err);
    double prompt = 0, output = 0;
    bool good = tree != NULL &&
                json_number(tree, where, "timestamp", 0, 1e12, &line->request.arrival, err) &&
                json_number(tree, where, "input_length", 1, MAX_TOKENS, &prompt, err) &&
                json_number(tree, where, "output_length", 0, MAX_TOKENS, &output, err);
    line->request.prompt = (int)prompt;
    line->request.output = output < 1 ? 1 : (int)output;
    line->chat = chat_of(tree, "chat_id");
    line->parent = chat_of(tree, "parent_chat_id");
    good = good && read_ids(keep, tree, where, &line->request, err);
    cJSON_Delete(tree);
    return good;
}

// ---- the file ----

// The next turn's prompt begins with the parent's prompt and output.
static void link_parents(Line *lines, int count)
{
    int most = -1;
    for (int i = 0; i < count; i++)
        if (lines[i].chat > most) most = lines[i].chat;
    int *line_of = calloc((size_t)most + 2, sizeof *line_of);    // its number, from 1; 0: none
    REQUIRE(line_of != NULL, "no memory for %d chats", most);
    for (int i = 0; i < count; i++)
        if (lines[i].chat >= 0) line_of[lines[i].chat] = i + 1;
    for (int i = 0; i < count; i++) {
        if (lines[i].parent < 0 || lines[i].parent > most || line_of[lines[i].parent] == 0)
            continue;
        Request *parent = &lines[line_of[lines[i].parent] - 1].request;
        const Request *child = &lines[i].request;
        const int same = parent->prompt / TRACE_BLOCK;    // full blocks
        if (child->prompt <= parent->prompt || child->id_count == 0 || child->id_count < same ||
            parent->id_count < same ||
            (same > 0 && memcmp(child->ids, parent->ids, (size_t)same * sizeof *child->ids) != 0))
            continue;
        parent->ids = child->ids;
        parent->id_count = child->prompt / TRACE_BLOCK;
        if (parent->id_count > child->id_count) parent->id_count = child->id_count;
    }
    free(line_of);
}

static int by_arrival(const void *a, const void *b)
{
    const Request *x = a, *y = b;
    if (x->arrival != y->arrival) return x->arrival < y->arrival ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static int count_lines(const char *text, size_t bytes)
{
    int lines = 1;
    for (size_t i = 0; i < bytes; i++) lines += text[i] == '\n';
    return lines;
}

// Ends each line of the text with a 0.
static bool read_text(Arena *keep, const char *path, char *text, size_t bytes, Trace *trace,
                      Error *err)
{
    Line *lines = calloc((size_t)count_lines(text, bytes), sizeof *lines);
    REQUIRE(lines != NULL, "no memory for a trace of %zu bytes", bytes);
    bool good = true;
    int count = 0;
    char *const end = text + bytes;
    for (int number = 1; good && text < end; number++) {
        char *stop = memchr(text, '\n', (size_t)(end - text));
        if (stop == NULL) stop = end;
        *stop = '\0';
        char where[300];
        snprintf(where, sizeof where, "%.250s:%d", path, number);
        if (text + strspn(text, " \t\r") < stop) {
            good = read_line(keep, text, (size_t)(stop - text), where, &lines[count], err);
            count++;
        }
        text = stop + 1;
    }
    if (good && count == 0) good = error_set(err, "%s: holds no request", path);
    if (good) {
        link_parents(lines, count);
        trace->requests = arena_alloc(keep, (size_t)count * sizeof *trace->requests);
        trace->count = count;
        for (int i = 0; i < count; i++) {
            trace->requests[i] = lines[i].request;
            trace->requests[i].id = i;
        }
        qsort(trace->requests, (size_t)count, sizeof *trace->requests, by_arrival);
        for (int i = 0; i < count; i++) trace->requests[i].id = i;
    }
    free(lines);
    return good;
}

bool trace_read(Arena *keep, const char *path, Trace *trace, Error *err)
{
    FileView view;
    if (!file_map(&view, path, err)) return false;
    char *text = malloc(view.size + 1);
    REQUIRE(text != NULL, "no memory for a trace of %zu bytes", view.size);
    if (view.size > 0) memcpy(text, view.bytes, view.size);
    text[view.size] = '\0';
    bool good = read_text(keep, path, text, view.size, trace, err);
    free(text);
    file_unmap(view);
    return good;
}
