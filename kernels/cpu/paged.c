/* paged.c -- attention over a KV cache in blocks. See paged.h for what decides a result's bits.
 *
 * Keys are taken a tile of KEYS at a time, at positions that are multiples of KEYS; tiles come in splits of
 * SPLIT tokens, within which an online softmax runs. Splits are merged in their order by their largest scores
 * and sums (Dao et al. 2023, Flash-Decoding). So a long context is shared by threads, and who makes a split,
 * or whether it is merged at once or kept until all are there, changes no bit.
 *
 * A row is a query of a head. A group of rows are the query heads of a kv head for some queries of a sequence,
 * which have a tile made once for all of them. Scores are a row's chain of additions over the head's numbers,
 * values its chain over a tile's keys, whatever rows are beside it.
 */
#include "kernels/cpu/paged_split.h"

// ---- units

static Part kept_part(const Paged *x, const Group *g, size_t kv_head, size_t split)
{
    const size_t rows = rows_of(x, g) * g->heads, each = lines_of(part_floats(rows, x->width));
    return part_at(x->kept + g->kept + (kv_head / g->heads * g->splits + split) * each, rows);
}

static void set_workspace(const Paged *x, const Group *g, const Workspace *d, size_t kv_head)
{
    for (size_t r = 0; r < rows_of(x, g) * g->heads; r++) {
        const float *q = x->q + place_of(x, g, kv_head, r, x->q_row);
        for (size_t c = 0; c < x->head; c++) d->q[r * x->head + c] = x->scale * LOG2_E * q[c];
        d->seen[r] = seen_by(x, query_of(x, g, r));
    }
}

static void whole_group(const Paged *x, const Group *g, const Workspace *d, size_t kv_head)
{
    const size_t rows = rows_of(x, g) * g->heads;
    for (size_t split = 0; split < g->splits; split++) {
        attend(x, g, d, kv_head, split);
        if (split == 0) copy_part(d->total, d->now, rows, x->width);
        else merge(d->total, d->now, d->seen, rows, x->width, split * SPLIT);
    }
    store(x, g, kv_head, d->total);
}

// Who makes the last split of a group merges all.
static void one_split(const Paged *x, const Group *g, const Workspace *d, size_t kv_head,
                      size_t split)
{
    const size_t rows = rows_of(x, g) * g->heads;
    Workspace to = *d;
    to.now = kept_part(x, g, kv_head, split);
    attend(x, g, &to, kv_head, split);
    const size_t arrived = __atomic_add_fetch(&g->arrived[kv_head / g->heads], 1, __ATOMIC_ACQ_REL);
    if (arrived < g->splits) return;
    const Part total = kept_part(x, g, kv_head, 0);
    for (split = 1; split < g->splits; split++)
        merge(total, kept_part(x, g, kv_head, split), d->seen, rows, x->width, split * SPLIT);
    store(x, g, kv_head, total);
}

static void share(Paged *x, size_t t)
{
    size_t here = 0, unit;    // the group of the last unit
    while ((unit = __atomic_fetch_add(&x->next, 1, __ATOMIC_RELAXED)) < x->units) {
        while (here + 1 < x->group_count && unit >= x->groups[here + 1].unit) here++;
        const Group *g = &x->groups[here];
        const size_t number = unit - g->unit, kv_head = number % g->parts * g->heads;
        const Workspace d =
            workspace_at(x->room + t * x->own, rows_of(x, g) * g->heads, x->head, x->width);
        set_workspace(x, g, &d, kv_head);
        if (g->apart) one_split(x, g, &d, kv_head, number / g->parts);
        else whole_group(x, g, &d, kv_head);
    }
}

// ---- the plan

// The group that begins with query `first`. One of more work than `large` for a kv head is cut into splits.
static Group group_at(const Paged *x, size_t first, size_t large)
{
    Group g = {.table = x->tables + x->query[first].table, .first = first};
    const size_t most = MAX(GROUP_ROWS / x->heads_each, 1);
    for (size_t i = first; i < x->queries && g.queries < most; i++, g.queries++) {
        if (x->query[i].table != x->query[first].table) break;
        g.end = MAX(g.end, seen_by(x, i));
    }
    g.splits = MAX(blocks_of(g.end, SPLIT), 1);
    g.heads = rows_of(x, &g) <= TURNS_ROWS ? (size_t)x->kv.kv_heads : 1;
    g.work = rows_of(x, &g) * g.end;
    g.apart = g.splits > 1 && g.work * g.heads > large;
    g.parts = (size_t)x->kv.kv_heads / g.heads;
    return g;
}

static size_t kept_floats(const Paged *x, const Group *g)
{
    if (!g->apart) return 0;
    return g->parts * g->splits * lines_of(part_floats(rows_of(x, g) * g->heads, x->width));
}

void CPU(paged_attention)(float *y, size_t y_row, const float *q, size_t q_row, PagedKv kv,
                          const int32_t *tables, const PagedQuery *query, int queries, int heads,
                          float scale)
{
    Paged x = {.y = y,
               .q = q,
               .y_row = y_row,
               .q_row = q_row,
               .kv = kv,
               .tables = tables,
               .query = query,
               .queries = (size_t)queries,
               .heads_each = (size_t)(heads / kv.kv_heads),
               .head = (size_t)kv.head,
               .slot_bytes = paged_slot_bytes(kv),
               .head_bytes = paged_head_bytes(kv),
               .scale = scale,
               .read = paged_readers[kv.type]};
    if (queries == 0 || heads == 0 || kv.head == 0) return;
    x.width = (x.head + LANES - 1) / LANES * LANES;

    const size_t kv_heads = (size_t)kv.kv_heads;
    size_t work = 0, most_rows = 0, kept = 0;
    for (size_t i = 0; i < x.queries; x.group_count++) {
        const Group g = group_at(&x, i, SIZE_MAX);
        work += g.work * kv_heads;
        most_rows = MAX(most_rows, rows_of(&x, &g) * g.heads);
        i += g.queries;
    }
    const size_t multiplications = 2 * work * x.head;
    const int threads = team_size(multiplications, ATTENTION_SERIAL);
    const size_t large = threads == 1 ? SIZE_MAX : work / (SHARES * (size_t)threads);
    for (size_t i = 0; threads > 1 && i < x.queries;) {
        const Group g = group_at(&x, i, large);
        kept += kept_floats(&x, &g);
        i += g.queries;
    }

    // Memory: groups, counters, what is kept, and each thread's.
    const size_t group_floats = lines_of(x.group_count * sizeof(Group) / sizeof(float)),
                 counter_floats = lines_of(2 * x.group_count * kv_heads);
    x.own = workspace_floats(most_rows, x.head, x.width);
    float *room = workspace(workspace_room(group_floats + counter_floats + kept, x.own));
    x.groups = (Group *)(void *)room;
    size_t *arrived = (size_t *)(void *)(room + group_floats);
    x.kept = room + group_floats + counter_floats;
    x.room = x.kept + kept;
    memset(arrived, 0, counter_floats * sizeof(float));

    kept = 0;
    for (size_t i = 0, n = 0; i < x.queries; n++) {
        Group g = group_at(&x, i, large);
        g.unit = x.units;
        g.kept = kept;
        g.arrived = arrived + n * kv_heads;
        x.units += g.parts * (g.apart ? g.splits : 1);
        kept += kept_floats(&x, &g);
        x.groups[n] = g;
        i += g.queries;
    }
    ON_TEAM(threads, multiplications, ATTENTION_SERIAL, share(&x, t));
}
