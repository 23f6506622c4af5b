/* paged_kv.c -- the reference solutions; paged_kv.h is their contract. */
#include "labs/5_frontier/paged_kv/paged_kv.h"

// ---- the block pool ----

int64_t kv_slot(const int32_t *block, int block_size, int i)
{
    // solution slot
    return (int64_t)block[i / block_size] * block_size + i % block_size;
    // end slot
}

static void queue_remove(KvPool *pool, int block)
{
    pool->next[pool->previous[block]] = pool->next[block];
    pool->previous[pool->next[block]] = pool->previous[block];
    pool->free--;
}

static void queue_append(KvPool *pool, int block)
{
    int end = pool->blocks, last = pool->previous[end];
    pool->previous[block] = last;
    pool->next[block] = end;
    pool->next[last] = pool->previous[end] = block;
    pool->free++;
}

int kv_allocate(KvPool *pool)
{
    // solution allocate
    if (pool->free == 0) return -1;
    int block = pool->next[pool->blocks];
    queue_remove(pool, block);
    pool->count[block] = 1;
    return block;
    // end allocate
}

void kv_release(KvPool *pool, KvTable *table)
{
    // solution release
    for (int i = table->blocks - 1; i >= 0; i--)
        if (--pool->count[table->block[i]] == 0) queue_append(pool, table->block[i]);
    table->blocks = table->tokens = 0;
    // end release
}

// ---- the prefix cache ----

static uint64_t fnv1a(uint64_t hash, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) hash = (hash ^ (value >> 8 * i & 255)) * 1099511628211u;
    return hash;
}

uint64_t kv_hash(uint64_t parent, const int32_t *tokens, int count)
{
    // solution hash
    uint64_t hash = fnv1a(14695981039346656037u, parent, 8);
    for (int i = 0; i < count; i++) hash = fnv1a(hash, (uint32_t)tokens[i], 4);
    return hash != 0 ? hash : 1;
    // end hash
}

int kv_find(const KvPool *pool, uint64_t hash, uint64_t parent, const int32_t *tokens)
{
    // solution find
    size_t size = (size_t)pool->block_size;
    int b = pool->bucket[hash & (uint64_t)(pool->buckets - 1)];
    while (b >= 0 && (pool->hash[b] != hash || pool->parent[b] != parent ||
                      memcmp(pool->tokens + (size_t)b * size, tokens, size * sizeof *tokens) != 0))
        b = pool->chain[b];
    return b;
    // end find
}

uint64_t kv_insert(KvPool *pool, int block, uint64_t parent, const int32_t *tokens)
{
    // solution insert
    size_t size = (size_t)pool->block_size;
    uint64_t hash = kv_hash(parent, tokens, pool->block_size);
    int32_t *first = &pool->bucket[hash & (uint64_t)(pool->buckets - 1)];
    if (pool->hash[block] != 0 || kv_find(pool, hash, parent, tokens) >= 0) return hash;
    pool->hash[block] = hash;
    pool->parent[block] = parent;
    memcpy(pool->tokens + (size_t)block * size, tokens, size * sizeof *tokens);
    pool->chain[block] = *first;
    *first = block;
    return hash;
    // end insert
}

int kv_look_up(KvPool *pool, KvTable *table, uint64_t salt, const int32_t *tokens, int count)
{
    // solution look_up
    uint64_t parent = salt;
    for (int size = pool->block_size; table->tokens + size < count; table->tokens += size) {
        const int32_t *here = tokens + table->tokens;
        uint64_t hash = kv_hash(parent, here, size);
        int block = kv_find(pool, hash, parent, here);
        if (block < 0) break;
        if (pool->count[block]++ == 0) queue_remove(pool, block);
        table->block[table->blocks++] = block;
        parent = hash;
    }
    return table->tokens;
    // end look_up
}

void kv_evict(KvPool *pool, int block)
{
    // solution evict
    if (pool->hash[block] == 0) return;
    int32_t *link = &pool->bucket[pool->hash[block] & (uint64_t)(pool->buckets - 1)];
    while (*link != block) link = &pool->chain[*link];
    *link = pool->chain[block];
    pool->hash[block] = 0;
    // end evict
}

// ---- tables that grow ----

int kv_new_block(KvPool *pool)
{
    int block = kv_allocate(pool);
    if (block >= 0 && pool->hash[block] != 0) kv_evict(pool, block);
    return block;
}

void kv_fork(KvPool *pool, KvTable *child, const KvTable *parent)
{
    for (int i = 0; i < parent->blocks; i++) pool->count[child->block[i] = parent->block[i]]++;
    child->blocks = parent->blocks;
    child->tokens = parent->tokens;
}

bool kv_copy_on_write(KvPool *pool, KvTable *table, KvCopy *copy)
{
    // solution copy_on_write
    int32_t *last = &table->block[table->blocks - 1];
    *copy = (KvCopy){-1, -1};
    if (pool->count[*last] == 1) return true;
    int block = kv_new_block(pool);
    if (block < 0) return false;
    pool->count[*last]--;    // another table holds it still: it is not free
    *copy = (KvCopy){*last, block};
    *last = block;
    return true;
    // end copy_on_write
}

int64_t kv_append(KvPool *pool, KvTable *table, KvCopy *copy)
{
    // solution append
    *copy = (KvCopy){-1, -1};
    if (table->tokens % pool->block_size == 0) {
        int block = kv_new_block(pool);
        if (block < 0) return -1;
        table->block[table->blocks++] = block;
    } else if (!kv_copy_on_write(pool, table, copy)) {
        return -1;
    }
    return kv_slot(table->block, pool->block_size, table->tokens++);
    // end append
}

// ---- attention ----

static double dot(const float *a, const float *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

void kv_attention(float *y, const float *q, const float *k, const float *v, double *room,
                  const int32_t *block, int seen, KvHeads s)
{
    // solution attention
    for (int h = 0; h < s.H; h++, q += s.D) {
        double max = -INFINITY, total = 0;
        for (int i = 0; i < seen; i++) {
            int64_t row = kv_slot(block, s.block_size, i) * s.KV + h / (s.H / s.KV);
            room[i] = dot(q, k + row * s.D, s.D) / sqrt(s.D);
            max = fmax(max, room[i]);
        }
        for (int i = 0; i < seen; i++) total += room[i] = exp(room[i] - max);
        for (int d = 0; d < s.D; d++) {
            double sum = 0;
            for (int i = 0; i < seen; i++) {
                int64_t row = kv_slot(block, s.block_size, i) * s.KV + h / (s.H / s.KV);
                sum += room[i] * (double)v[row * s.D + d];
            }
            *y++ = (float)(sum / total);
        }
    }
    // end attention
}

// ---- the scheduler ----

int kv_preempt(KvPool *pool, KvRequest *requests, int count)
{
    // solution preempt
    int last = count - 1;
    while (last >= 0 && requests[last].state != KV_RUNNING) last--;
    if (last < 0) return -1;
    KvRequest *victim = &requests[last];
    kv_release(pool, &victim->table);
    victim->state = KV_WAITING;
    victim->computed = victim->scheduled = 0;
    return last;
    // end preempt
}

// What the requests have been given in this step: tokens of the budget, and blocks of the free queue.
static int scheduled_tokens(const KvRequest *requests, int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++) sum += requests[i].scheduled;
    return sum;
}

static int reserved_blocks(const KvPool *pool, const KvRequest *requests, int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++)
        sum += kv_blocks_needed(pool, &requests[i].table, requests[i].scheduled);
    return sum;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

int kv_schedule(KvPool *pool, KvRequest *requests, int count, KvLimits limits)
{
    // solution schedule
    bool admits = true;
    for (int i = 0; i < count; i++) requests[i].scheduled = 0;
    for (int group = 0; group < 3; group++)
        for (int i = 0; i < count; i++) {
            KvRequest *r = &requests[i];
            bool waits = r->state == KV_WAITING, decodes = r->tokens - r->computed == 1;
            if (r->state == KV_FINISHED || group != (waits ? 2 : !decodes)) continue;
            if (waits && !admits) continue;
            if (scheduled_tokens(requests, count) >= limits.budget) continue;
            if (waits) r->computed = kv_look_up(pool, &r->table, r->salt, r->ids, r->tokens);
            for (;;) {
                int budget = limits.budget - scheduled_tokens(requests, count);
                int tokens = least(r->tokens - r->computed, least(limits.chunk, budget));
                int needed = kv_blocks_needed(pool, &r->table, tokens);
                if (needed <= pool->free - reserved_blocks(pool, requests, count)) {
                    r->scheduled = tokens;
                    r->state = KV_RUNNING;
                    break;
                }
                admits = false;
                if (waits) {
                    kv_release(pool, &r->table);
                    r->computed = 0;
                    break;
                }
                if (kv_preempt(pool, requests, count) == i) break;
            }
        }
    return scheduled_tokens(requests, count);
    // end schedule
}

bool kv_commit(KvPool *pool, KvRequest *request, int32_t next)
{
    // solution commit
    int size = pool->block_size, before = request->computed / size;
    request->computed += request->scheduled;
    request->scheduled = 0;
    int full = request->computed / size;
    uint64_t parent = request->salt;
    for (int b = 0; full > before && b < full; b++)
        parent = kv_insert(pool, request->table.block[b], parent, request->ids + b * size);
    if (request->computed < request->tokens) return false;
    request->ids[request->tokens++] = next;
    return true;
    // end commit
}

// ---- sampling ----

int kv_draw(const double *w, int n, double u)
{
    double total = 0, sum = 0;
    int last = 0;
    for (int i = 0; i < n; i++) total += w[i];
    for (int i = 0; i < n; i++) {
        if (w[i] > 0) last = i;
        if ((sum += w[i]) > u * total) return i;
    }
    return last;
}

static int largest(const double *x, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return best;
}

int kv_sample(const float *logits, int V, KvSampling s, double *room)
{
    // solution sample
    double total = 0, share = 0;
    for (int i = 0; i < V; i++) room[i] = (double)logits[i];
    int best = largest(room, V);
    if (s.temperature == 0 || s.top_p <= 0) return best;
    for (int i = 0; i < V; i++)
        room[i] = exp(((double)logits[i] - (double)logits[best]) / (double)s.temperature);
    for (int i = 0; i < V; i++) total += room[i];
    for (int i = 0; i < V; i++) room[i] /= total;
    if (s.top_p >= 1) return kv_draw(room, V, s.u);
    while (share < (double)s.top_p) {    // what is kept is marked by its sign
        best = largest(room, V);
        if (room[best] <= 0) break;
        share += room[best];
        room[best] = -room[best];
    }
    for (int i = 0; i < V; i++) room[i] = room[i] < 0 ? -room[i] : 0;
    return kv_draw(room, V, s.u);
    // end sample
}

int kv_accept(int32_t *next, const float *p, const float *q, const int32_t *draft, int count, int V,
              const double *u, double *room)
{
    // solution accept
    int i = 0;
    double left = 0;
    for (; i < count; i++, p += V) {
        double proposed = q != NULL ? (double)q[(size_t)i * (size_t)V + (size_t)draft[i]] : 1;
        if (!(u[i] * proposed < (double)p[draft[i]])) break;
    }
    for (int t = 0; t < V && i < count; t++) {
        double proposed = q != NULL ? (double)q[(size_t)i * (size_t)V + (size_t)t] : t == draft[i];
        room[t] = fmax((double)p[t] - proposed, 0);
        left += room[t];
    }
    for (int t = 0; t < V && left == 0; t++) room[t] = (double)p[t];
    *next = kv_draw(room, V, u[count]);
    return i;
    // end accept
}

// ---- quantization ----

void kv_quantize(KvQ8 *out, const float *x, int blocks)
{
    // solution quantize
    for (int b = 0; b < blocks; b++, x += KV_Q8) {
        float max = 0;
        for (int i = 0; i < KV_Q8; i++) max = fmaxf(max, fabsf(x[i]));
        float d = max / 127, inverse = d > 0 ? 1 / d : 0;
        out[b].scale = kv_half(d);
        for (int i = 0; i < KV_Q8; i++) out[b].q[i] = (int8_t)lroundf(x[i] * inverse);
    }
    // end quantize
}

float kv_dot(const KvQ8 *a, const KvQ8 *b, int blocks)
{
    // solution dot
    double sum = 0;
    for (; blocks > 0; blocks--, a++, b++) {
        int products = 0;
        for (int i = 0; i < KV_Q8; i++) products += a->q[i] * b->q[i];
        sum += products * (double)kv_float(a->scale) * (double)kv_float(b->scale);
    }
    return (float)sum;
    // end dot
}
