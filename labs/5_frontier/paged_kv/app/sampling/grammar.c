#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/paged_kv/app/sampling/grammar_parts.h"

// ---- lists and tables ----

int grammar_list_add(Grammar *g, List *list, const void *item, size_t size)
{
    if (list->count == list->room) {
        const int room = 2 * list->room + 64;
        void *items = realloc(list->items, (size_t)room * size);
        if (items == NULL) {
            g->no_memory = true;
            return -1;
        }
        list->items = items;
        list->room = room;
    }
    memcpy((char *)list->items + (size_t)list->count * size, item, size);
    return list->count++;
}

int32_t *grammar_table_new(int size)
{
    int32_t *table = malloc((size_t)size * sizeof *table);
    for (int i = 0; i < size && table != NULL; i++) table[i] = -1;
    return table;
}

Grammar *grammar_new(void)
{
    Grammar *g = calloc(1, sizeof *g);
    if (g == NULL) return NULL;
    g->frame_table = grammar_table_new(g->frame_table_size = 256);
    g->state_table = grammar_table_new(g->state_table_size = 256);
    if (grammar_list_add(g, &g->frames, &(Frame){0}, sizeof(Frame)) >= 0 &&
        g->frame_table != NULL && g->state_table != NULL)
        return g;
    grammar_free(g);
    return NULL;
}

void grammar_free(Grammar *g)
{
    if (g == NULL) return;
    for (int i = 0; i < g->states.count; i++) free(states_of(g)[i].next);
    List *const lists[] = {&g->nodes,  &g->sets,   &g->rules, &g->frames,
                           &g->states, &g->places, &g->calls};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) free(lists[i]->items);
    free(g->frame_table);
    free(g->state_table);
    free(g);
}

// ---- building ----

static int add_node(Grammar *g, NodeKind kind, int next, int other)
{
    if (g->nodes.count >= GRAMMAR_NODES_MAX) g->full = true;
    const int made =
        g->full ? -1 : grammar_list_add(g, &g->nodes, &(Node){kind, next, other}, sizeof(Node));
    g->full = made < 0;
    return g->full ? 0 : made;
}

int grammar_bytes(Grammar *g, ByteSet set, int next)
{
    const ByteSet *sets = g->sets.items;
    int i = 0;
    while (i < g->sets.count && memcmp(&sets[i], &set, sizeof set) != 0) i++;
    if (i == g->sets.count && grammar_list_add(g, &g->sets, &set, sizeof set) < 0) g->full = true;
    return add_node(g, NODE_BYTES, next, i);
}

int grammar_range(Grammar *g, int first, int last, int next)
{
    ByteSet set = {{0}};
    for (int c = first; c <= last; c++) set.bits[c / 64] |= (uint64_t)1 << c % 64;
    return grammar_bytes(g, set, next);
}

int grammar_literal(Grammar *g, const char *text, int next)
{
    for (size_t i = strlen(text); i-- > 0;)
        next = grammar_range(g, (uint8_t)text[i], (uint8_t)text[i], next);
    return next;
}

int grammar_split(Grammar *g, int a, int b)
{
    return add_node(g, NODE_SPLIT, a, b);
}

int grammar_call(Grammar *g, int rule, int next)
{
    return add_node(g, NODE_CALL, next, rule);
}

int grammar_return(Grammar *g)
{
    return add_node(g, NODE_RETURN, 0, 0);
}

int grammar_later(Grammar *g)
{
    return add_node(g, NODE_SPLIT, 0, 0);
}

void grammar_set_split(Grammar *g, int later, int a, int b)
{
    if (!g->full) nodes_of(g)[later] = (Node){NODE_SPLIT, a, b};
}

int grammar_rule(Grammar *g)
{
    const int made = grammar_list_add(g, &g->rules, &(int){0}, sizeof(int));
    if (made < 0) g->full = true;
    return made;
}

void grammar_set_rule(Grammar *g, int rule, int start)
{
    if (rule >= 0) ((int *)g->rules.items)[rule] = start;
}

void grammar_set_start(Grammar *g, int start)
{
    g->start = start;
}

bool grammar_full(const Grammar *g)
{
    return g->full;
}
