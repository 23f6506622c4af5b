/* A user's Markov decision process, from JSON. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "common/json.h"
#include "common/text.h"
#include "labs/2_core/mdp/worlds/names.h"
#include "labs/2_core/mdp/worlds/world.h"

enum { MOST_STATES = 1000000, MOST_ACTIONS = 100000, MOST_PAIRS = 10000000 };
static const double SUM_TOLERANCE = 1.5e-6;    // 0.333333 three times

typedef struct Reader {
    Arena *arena;
    const char *where;
    Names states, actions;
    double discount;
    int start_count, *starts;    // 0: not given
    struct Outcome *outcomes;
    int count;
    const char **notes;
    int note_count;
} Reader;

typedef struct Outcome {
    int state, action, next;
    double probability, reward;
    bool done;
} Outcome;

// ---- the fields ----

// A state, or a list of them; none when the field is missing.
static bool read_states(const Reader *r, const cJSON *tree, const char *field, int *list,
                        int *count, Error *err)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(tree, field), *node;
    *count = 0;
    if (array == NULL) return true;
    if (!cJSON_IsArray(array)) {
        *count = 1;
        return names_find(r->arena, &r->states, array, "state", list, err) ||
               error_wrap(err, "%s: \"%s\"", r->where, field);
    }
    cJSON_ArrayForEach(node, array)
    {
        if (*count == r->states.count)
            return error_set(err, "%s: \"%s\" has more entries than there are states", r->where,
                             field);
        if (!names_find(r->arena, &r->states, node, "state", &list[*count], err))
            return error_wrap(err, "%s: \"%s\"[%d]", r->where, field, *count);
        ++*count;
    }
    return true;
}

static bool read_field(const Reader *r, const cJSON *node, const char *field, const Names *names,
                       const char *what, int *index, Error *err)
{
    return names_find(r->arena, names, cJSON_GetObjectItemCaseSensitive(node, field), what, index,
                      err) ||
           error_wrap(err, "\"%s\"", field);
}

// `at` is where it stands: "w.json: "transitions"[3]".
static bool read_outcome(const Reader *r, const cJSON *node, const char *at, Outcome *o, Error *err)
{
    static const char *const fields[] = {"state",       "action", "next",
                                         "probability", "reward", "done"};
    if (!cJSON_IsObject(node))
        return error_set(err,
                         "%s: no object, expected {\"state\": ..., \"action\": ..., "
                         "\"next\": ..., \"probability\": ...}",
                         at);
    if (!json_fields(node, at, fields, 6, err)) return false;
    if (!read_field(r, node, "state", &r->states, "state", &o->state, err) ||
        !read_field(r, node, "action", &r->actions, "action", &o->action, err) ||
        !read_field(r, node, "next", &r->states, "state", &o->next, err))
        return error_wrap(err, "%s", at);
    o->reward = 0;
    if (!json_number(node, at, "probability", 0, 1, &o->probability, err)) return false;
    if (cJSON_HasObjectItem(node, "reward") &&
        !json_number(node, at, "reward", -1e300, 1e300, &o->reward, err))
        return false;
    const cJSON *done = cJSON_GetObjectItemCaseSensitive(node, "done");
    if (done != NULL && !cJSON_IsBool(done))
        return error_set(err, "%s: \"done\" is neither true nor false", at);
    o->done = cJSON_IsTrue(done);
    return true;
}

static bool read_outcomes(Reader *r, const cJSON *tree, Error *err)
{
    const cJSON *array = json_array(tree, r->where, "transitions", err), *node;
    if (array == NULL) return false;
    size_t room = (size_t)cJSON_GetArraySize(array);
    r->outcomes = arena_alloc(r->arena, (room + 1) * sizeof *r->outcomes);
    int index = 0;
    cJSON_ArrayForEach(node, array)
    {
        char at[400];
        snprintf(at, sizeof at, "%.300s: \"transitions\"[%d]", r->where, index++);
        Outcome *o = &r->outcomes[r->count];
        if (!read_outcome(r, node, at, o, err)) return false;
        r->count += o->probability > 0;    // what never happens is no outcome
    }
    return r->count > 0 || error_set(err,
                                     "%s: \"transitions\" is empty, expected one for each "
                                     "outcome of an action",
                                     r->where);
}

// ---- what ends an episode ----

static void note(Reader *r, const char *text)
{
    enum { MOST = 12 };
    if (r->notes == NULL) r->notes = arena_zeros(r->arena, (MOST + 1) * sizeof(char *));
    if (r->note_count < MOST) r->notes[r->note_count++] = text;
}

// Adds to the states that are listed: those without actions, those that only lead to themselves and
// without a reward, and those that every way in ends the episode in, which are no start. What a table
// lists for such a state, as Gymnasium's do, is not followed.
static void find_terminal(Reader *r, bool *terminal)
{
    size_t n = (size_t)r->states.count;
    bool *acts = arena_zeros(r->arena, n), *goes_on = arena_zeros(r->arena, n);
    bool *done = arena_zeros(r->arena, n), *entered = arena_zeros(r->arena, n);
    for (int i = 0; i < r->start_count; i++) entered[r->starts[i]] = true;
    for (int i = 0; i < r->count; i++) {
        const Outcome *o = &r->outcomes[i];
        acts[o->state] = true;
        if (o->next != o->state || o->reward != 0) goes_on[o->state] = true;
        if (o->next != o->state) (o->done ? done : entered)[o->next] = true;
    }
    for (int s = 0; s < r->states.count; s++) {
        bool ends = done[s] && !entered[s];
        if (!terminal[s] && !acts[s])
            note(r, arena_print(r->arena, "State '%.80s' has no actions: it is terminal.",
                                r->states.names[s]));
        else if (!terminal[s] && goes_on[s] && ends)
            note(r, arena_print(r->arena,
                                "State '%.80s' is only entered by transitions with \"done\": it is "
                                "terminal, and its own transitions are not followed.",
                                r->states.names[s]));
        terminal[s] = terminal[s] || !goes_on[s] || ends;
    }
}

// ---- checks ----

static size_t row_of(const Reader *r, const Outcome *o)
{
    return (size_t)o->state * (size_t)r->actions.count + (size_t)o->action;
}

// Sums over each state and action, as written.
static bool check_sums(Reader *r, Error *err)
{
    size_t rows = (size_t)r->states.count * (size_t)r->actions.count;
    ArenaMark mark = arena_mark(r->arena);
    double *sums = arena_zeros(r->arena, rows * sizeof *sums);
    int *counts = arena_zeros(r->arena, rows * sizeof *counts);
    for (int i = 0; i < r->count; i++) {
        sums[row_of(r, &r->outcomes[i])] += r->outcomes[i].probability;
        counts[row_of(r, &r->outcomes[i])]++;
    }
    bool right = true;
    for (int i = 0; i < r->count && right; i++) {
        const Outcome *o = &r->outcomes[i];
        size_t row = row_of(r, o);
        if (!(fabs(sums[row] - 1) <= SUM_TOLERANCE))
            right = error_set(err,
                              "%s: state '%.80s', action '%.80s': the probabilities of %d "
                              "outcome%s sum to %.9g, expected 1",
                              r->where, r->states.names[o->state], r->actions.names[o->action],
                              counts[row], text_plural(counts[row]), sums[row]);
    }
    arena_rewind(r->arena, mark);
    return right;
}

// Of an action with a usual name; else the name.
static const char *arrow_of(const char *name)
{
    static const char *const arrows[][2] = {{"up", "^"},    {"north", "^"}, {"down", "v"},
                                            {"south", "v"}, {"left", "<"},  {"west", "<"},
                                            {"right", ">"}, {"east", ">"}};
    for (size_t i = 0; i < sizeof arrows / sizeof *arrows; i++)
        if (strcasecmp(arrows[i][0], name) == 0) return arrows[i][1];
    return name;
}

// The outcomes as a world: those with "done" into a state that goes on lead to one state more.
static World *build(Reader *r, const bool *terminal)
{
    int states = r->states.count, end = -1;
    for (int i = 0; i < r->count; i++)
        if (r->outcomes[i].done && !terminal[r->outcomes[i].next]) end = states;
    WorldBuilder b = builder_begin(r->arena, r->where, r->where, NULL, states + (end >= 0),
                                   r->actions.count, r->discount);
    for (int s = 0; s < states; s++) {
        b.terminal[s] = terminal[s];
        b.world->state_names[s] = r->states.names[s];
    }
    if (end >= 0) {
        b.terminal[end] = true;
        b.world->state_names[end] = "(end)";
    }
    size_t rows = (size_t)states * (size_t)r->actions.count;
    double *sums = arena_zeros(r->arena, rows * sizeof *sums);
    for (int i = 0; i < r->count; i++)
        sums[row_of(r, &r->outcomes[i])] += r->outcomes[i].probability;
    for (int i = 0; i < r->count; i++) {
        const Outcome *o = &r->outcomes[i];
        double sum = sums[row_of(r, o)];
        bool rounded = fabs(sum - 1) > 1e-12;    // 0.333333 three times
        if (terminal[o->state]) continue;
        builder_add(&b, o->state, o->action, o->done && !terminal[o->next] ? end : o->next,
                    rounded ? o->probability / sum : o->probability, o->reward);
    }
    const char **arrows = arena_alloc(r->arena, (size_t)r->actions.count * sizeof *arrows);
    for (int a = 0; a < r->actions.count; a++) arrows[a] = arrow_of(r->actions.names[a]);
    builder_actions(&b, r->actions.names, arrows);
    b.world->notes = r->notes;
    if (r->start_count > 0) {
        memcpy(b.starts, r->starts, (size_t)r->start_count * sizeof(int));
        b.world->start_count = r->start_count;
    } else
        while (b.starts[0] < states - 1 && terminal[b.starts[0]]) b.starts[0]++;
    builder_end(&b);
    return b.world;
}

// "layout": rows of states as they lie in the plane, null where there is none.
static bool read_layout(Reader *r, const cJSON *tree, World *world, Error *err)
{
    const cJSON *layout = cJSON_GetObjectItemCaseSensitive(tree, "layout"), *row, *node;
    if (layout == NULL) return true;
    int rows = cJSON_GetArraySize(layout), columns = cJSON_GetArraySize(layout->child);
    if (!cJSON_IsArray(layout) || !cJSON_IsArray(layout->child) || rows < 1 || columns < 1 ||
        rows > MOST_STATES / columns)
        return error_set(err, "%s: \"layout\" is not a list of rows, expected [[\"a\", null], ...]",
                         r->where);
    int *cells = arena_alloc(r->arena, (size_t)rows * (size_t)columns * sizeof *cells), at = 0;
    int *place = arena_zeros(r->arena, (size_t)r->states.count * sizeof *place),
        placed = 0;    // + 1
    cJSON_ArrayForEach(row, layout)
    {
        if (!cJSON_IsArray(row) || cJSON_GetArraySize(row) != columns)
            return error_set(err, "%s: \"layout\"[%d] has %d entr%s, expected %d as the first row",
                             r->where, at / columns, cJSON_GetArraySize(row),
                             cJSON_GetArraySize(row) == 1 ? "y" : "ies", columns);
        cJSON_ArrayForEach(node, row)
        {
            cells[at] = -1;
            if (!cJSON_IsNull(node) &&
                !names_find(r->arena, &r->states, node, "state", &cells[at], err))
                return error_wrap(err, "%s: \"layout\"[%d][%d]", r->where, at / columns,
                                  at % columns);
            int *before = cells[at] >= 0 ? &place[cells[at]] : NULL;
            if (before != NULL && *before > 0)
                return error_set(
                    err,
                    "%s: \"layout\" has '%.80s' at [%d][%d] and at [%d][%d], expected a "
                    "state once",
                    r->where, r->states.names[cells[at]], (*before - 1) / columns,
                    (*before - 1) % columns, at / columns, at % columns);
            if (before != NULL) placed++, *before = at + 1;
            at++;
        }
    }
    if (placed == 0)
        return error_set(err, "%s: \"layout\" has no state, expected one at least", r->where);
    world->rows = rows;
    world->columns = columns;
    world->cells = cells;
    return true;
}

static World *read_world(Reader *r, const cJSON *tree, Error *err)
{
    static const char *const fields[] = {"discount", "states",   "actions", "transitions",
                                         "start",    "terminal", "layout"};
    if (!json_fields(tree, r->where, fields, 7, err) ||
        !json_number(tree, r->where, "discount", 0, 1, &r->discount, err) ||
        !names_read(r->arena, tree, r->where, "states", MOST_STATES, &r->states, err) ||
        !names_read(r->arena, tree, r->where, "actions", MOST_ACTIONS, &r->actions, err))
        return NULL;
    size_t n = (size_t)r->states.count, pairs = n * (size_t)r->actions.count;
    if (pairs > MOST_PAIRS) {
        error_set(err, "%s: %d states with %d actions are %zu pairs, expected at most %d", r->where,
                  r->states.count, r->actions.count, pairs, MOST_PAIRS);
        return NULL;
    }
    bool *terminal = arena_zeros(r->arena, n);
    int *listed = arena_alloc(r->arena, n * sizeof *listed), listed_count;
    r->starts = arena_alloc(r->arena, n * sizeof *r->starts);
    if (!read_states(r, tree, "start", r->starts, &r->start_count, err) ||
        !read_states(r, tree, "terminal", listed, &listed_count, err) ||
        !read_outcomes(r, tree, err) || !check_sums(r, err))
        return NULL;
    for (int i = 0; i < listed_count; i++) terminal[listed[i]] = true;
    find_terminal(r, terminal);
    World *world = build(r, terminal);
    return read_layout(r, tree, world, err) ? world : NULL;
}

World *world_parse(Arena *arena, const char *text, size_t bytes, const char *where, Error *err)
{
    cJSON *tree = json_parse(text, bytes, where, err);
    Reader reader = {.arena = arena, .where = where};
    World *world = NULL;
    if (tree != NULL && !cJSON_IsObject(tree))
        error_set(err, "%s: holds no object, expected {\"discount\": ..., \"states\": ...}", where);
    else if (tree != NULL) world = read_world(&reader, tree, err);
    cJSON_Delete(tree);
    return world;
}

World *world_load(Arena *arena, const char *path, Error *err)
{
    cJSON *tree = json_load(path, err);
    char *where = arena_print(arena, "%s", path);
    text_clean(where);
    Reader reader = {.arena = arena, .where = where};
    World *world = tree != NULL ? read_world(&reader, tree, err) : NULL;
    cJSON_Delete(tree);
    return world;
}
