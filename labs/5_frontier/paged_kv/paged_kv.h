/* paged_kv.h -- what you write in this lab: the memory, the schedule and the sampling of an LLM server.
 *
 * The KV cache is cut into blocks of `block_size` tokens. A block table lists the blocks of one
 * sequence; several tables may share a block, which counts them. All of it is plain arrays.
 *
 * Sizes are 1 or more, counts may be 0. Inputs are not modified; outputs never overlap inputs and
 * are overwritten. Nothing is kept from one call to the next but what is in the structs. A function
 * that fails changes nothing. The same input gives the same bits: ties are decided here.
 */
#pragma once
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// ---- the block pool ----

typedef struct KvPool {
    int blocks, block_size;
    int32_t *count;    // [blocks] the reference count: tables that hold the block
    // The free queue: blocks that no table holds, from the one that is free the longest. It is a ring:
    // next[blocks] is its first block, previous[blocks] its last; both are `blocks` when it is empty.
    int32_t *next,
        *previous;    // [blocks + 1]; of blocks that are in the queue, and of the ring's end
    int free;         // blocks in the queue
    // The prefix cache: full blocks that can be found by what they hold, in use or free.
    uint64_t *hash,
        *parent;        // [blocks] of the block (4), and of the one before; hash 0: not cached
    int32_t *tokens;    // [blocks, block_size] what a cached block holds
    int32_t *chain;     // [blocks] the next cached block of the same bucket; -1: none
    int32_t *bucket;    // [buckets] the first block of each bucket, -1: none
    int buckets;        // a power of two; a block is in bucket hash & (buckets - 1)
} KvPool;

// Provided: all blocks free, in the order of their numbers; nothing cached.
static inline void kv_pool_clear(KvPool *pool)
{
    for (int b = 0; b <= pool->blocks; b++) {
        pool->next[b] = b < pool->blocks ? b + 1 : 0;
        pool->previous[b] = b > 0 ? b - 1 : pool->blocks;
        if (b < pool->blocks) pool->count[b] = 0, pool->hash[b] = 0;
    }
    for (int i = 0; i < pool->buckets; i++) pool->bucket[i] = -1;
    pool->free = pool->blocks;
}

// The tokens of a sequence, in the order of their positions: token i is in block[i / block_size].
// The last block may be partly full, the others are full.
typedef struct KvTable {
    int32_t *block;    // room for as many as the sequence will need
    int blocks, tokens;
} KvTable;

// 1. The slot of token i: where its key and value are in the pool, counted in tokens from its start.
//    The product may exceed 32 bits.
int64_t kv_slot(const int32_t *block, int block_size, int i);

// 2. Takes the first block out of the free queue, for a table that is the only one to hold it. Returns
//    its number, or -1 where no block is free. The prefix cache is not touched.
int kv_allocate(KvPool *pool);

// 3. The table gives up all its blocks, from the last to the first, and is empty. A block that no
//    other table holds joins the end of the free queue; it stays in the prefix cache.
void kv_release(KvPool *pool, KvTable *table);

// ---- the prefix cache ----

// 4. The hash of a block of tokens and of all that is before it: FNV-1a in 64 bits over the 8 bytes
//    of the parent's hash, then 4 bytes of each token, all lowest byte first. It starts with
//    14695981039346656037; for each byte,  hash = (hash ^ byte) 1099511628211  modulo 2^64.
//    A result of 0 becomes 1, since 0 means "not cached".
uint64_t kv_hash(uint64_t parent, const int32_t *tokens, int count);

// 5. The cached block with this hash, in its bucket's chain, that has this parent and holds these
//    tokens; -1: none. The hash alone is no proof: other tokens may have the same one.
//    tokens: [block_size]
int kv_find(const KvPool *pool, uint64_t hash, uint64_t parent, const int32_t *tokens);

// 6. Puts a block, whose keys and values are computed, into the prefix cache: with its hash, its
//    parent and its tokens, as the first of its bucket. Nothing changes where the block is cached, or
//    another with the same parent and tokens is. Returns the hash (4) of these tokens in any case.
//    tokens: [block_size]
uint64_t kv_insert(KvPool *pool, int block, uint64_t parent, const int32_t *tokens);

// 7. The table, which is empty, takes the longest cached prefix of these tokens: full blocks, and
//    never all of the tokens, since one at least has to be computed. The parent of the first block is
//    `salt`, that of the others the hash of the one before. Each block has one more holder, and
//    leaves the free queue if it was there. Returns the number of tokens.
int kv_look_up(KvPool *pool, KvTable *table, uint64_t salt, const int32_t *tokens, int count);

// 8. Takes a block out of the prefix cache: out of its bucket's chain, and its hash becomes 0. The
//    others stay cached, in the same order. Nothing changes where it is not cached.
void kv_evict(KvPool *pool, int block);

// ---- tables that grow ----

// Provided, on top of your 2 and 8: a block to write into. Where it was cached, it is evicted.
int kv_new_block(KvPool *pool);

// Provided: `child`, which is empty, becomes a second table of the same blocks.
void kv_fork(KvPool *pool, KvTable *child, const KvTable *parent);

// A block whose keys and values are to be copied into another. {-1, -1}: none.
typedef struct KvCopy {
    int from, to;
} KvCopy;

// 9. Copy-on-write. Makes sure that no other table holds the last block of this table, which has one
//    or more: if one does, a new block (kv_new_block) takes its place here, and *copy says so. False
//    where no block is free for it; true otherwise. Where nothing is copied, *copy is {-1, -1}: also
//    where it fails. The last block may be full, and cached: that changes nothing.
bool kv_copy_on_write(KvPool *pool, KvTable *table, KvCopy *copy);

// 10. One more token: returns its slot (1). It is in a new block (kv_new_block) where all blocks are
//     full; else in the last one, after 9. -1 where no block is free. *copy as in 9.
int64_t kv_append(KvPool *pool, KvTable *table, KvCopy *copy);

// ---- attention ----

typedef struct KvHeads {
    int H, KV, D;    // query heads; key and value heads, of which H is a multiple; width of a head
    int block_size;
} KvHeads;

// 11. Attention of the last of `seen` tokens, 1 or more, straight from the blocks:
//     y[h] = sum_i p[i] v[i],   p = softmax over i < seen of q[h] . k[i] / sqrt(D)    q, y [H,D]
//     Head h uses key and value head h / (H / KV). k, v: [blocks,block_size,KV,D]; token i is in slot
//     kv_slot(block, block_size, i), and its row's index may exceed 32 bits. Other slots are not read.
//     Scores, sums and exponentials are in double; finite scores have finite results. y has the same
//     bits for every block size and whichever blocks hold the tokens.    room: `seen` doubles
void kv_attention(float *y, const float *q, const float *k, const float *v, double *room,
                  const int32_t *block, int seen, KvHeads s);

// ---- the scheduler ----

typedef enum KvState { KV_WAITING, KV_RUNNING, KV_FINISHED } KvState;

typedef struct KvRequest {
    KvState state;
    int32_t *ids;     // the prompt, and what was generated so far; room for what will be
    int tokens;       // of those
    int computed;     // of those, whose keys and values are in the table's blocks: 0 while it waits
    int scheduled;    // to compute in this step
    uint64_t salt;    // requests with different salts share nothing
    KvTable table;    // holds `computed` tokens, between the steps
} KvRequest;

// Provided: blocks that `count` more tokens of this table take from the free queue, a copy-on-write
// included.
static inline int kv_blocks_needed(const KvPool *pool, const KvTable *table, int count)
{
    int size = pool->block_size;
    if (count == 0) return 0;
    bool copies = table->tokens % size != 0 && pool->count[table->block[table->blocks - 1]] > 1;
    return (table->tokens + count + size - 1) / size - table->blocks + copies;
}

// 12. Preemption: the last running request, in their order, gives up its blocks (3) and waits, with
//     nothing computed and nothing scheduled. Its ids stay: it will compute them all again, the
//     generated ones as well. Returns its index, -1 where none is running.
int kv_preempt(KvPool *pool, KvRequest *requests, int count);

typedef struct KvLimits {
    int budget;    // tokens that a step computes
    int chunk;     // of those, for one request
} KvLimits;

// 13. Plans one step: sets `scheduled` of each of the requests, which are in the order of arrival,
//     and returns the sum. No block is allocated: blocks are reserved, those that the tokens scheduled
//     so far need (kv_blocks_needed).
//     - First the running requests with one token left to compute (decodes), then the running ones
//       with more (prefills), then those that wait; in each group in order.
//     - Each gets as many of its tokens - computed as `chunk` and the rest of the budget allow. When
//       nothing is left of the budget it gets 0, and needs no block.
//     - When a running request needs more blocks than are free and not reserved, preempt (12) and try
//       again, until they are there or the one preempted was itself. What was scheduled for another
//       one returns to the budget, also for this one, and what was reserved for it is free.
//     - One that waits first takes what is cached (7), which counts as computed. If the blocks that it
//       needs besides are there, it runs. Otherwise it gives up what it took (3), computed is 0 again,
//       and no other one is admitted in this step.
//     - In a step that preempts, and when nothing is left of the budget, no one is admitted, and no
//       one takes what is cached: that would change the order of the free queue.
//     The caller has refused what needs more than the whole pool.
int kv_schedule(KvPool *pool, KvRequest *requests, int count, KvLimits limits);

// 14. After the step, for a request whose scheduled tokens were appended (10) and computed: they count
//     as computed, and none is scheduled. If that filled a block, all full blocks of the table are put
//     into the prefix cache (6); the salt is the parent of the first. When all of its ids are
//     computed, `next` is the token that follows: it is added to the ids; returns true. While some are
//     left, `next` means nothing; returns false.
bool kv_commit(KvPool *pool, KvRequest *request, int32_t next);

// ---- sampling ----

// Provided: the first i with  w[0] + .. + w[i] > u sum(w);  where rounding leaves none, the last with a
// weight.  0 <= u < 1; no weight is negative, and one is not 0.
int kv_draw(const double *w, int n, double u);

typedef struct KvSampling {
    float temperature, top_p;
    double u;    // 0 <= u < 1
} KvSampling;

// 15. The next token. p = softmax(logits / temperature); kept are the fewest tokens, from the most
//     probable on, whose sum is at least top_p; of equal ones the first. Then kv_draw() among them, in
//     the order of their ids. Temperature 0, or top_p <= 0: the first of the largest logits, whatever u
//     is. top_p >= 1: all are kept. A logit of -infinity has the probability 0; one is finite at least,
//     and none is NaN or infinity. Finite for any finite logits, and any finite temperature from 0 on.
//     room: V doubles, to use as you like
int kv_sample(const float *logits, int V, KvSampling s, double *room);

// 16. Speculative decoding: which of the tokens that a draft model proposed the target model accepts.
//     p[i] are the target's probabilities of the token after the first i of draft; q[i] are those of
//     the draft model, from which draft[i] was drawn. Token i is accepted if  u[i] q[i,x] < p[i,x],
//     x = draft[i]. At the first that is not, *next is drawn, by kv_draw() and u[count], with the
//     weights  max(p[i,x] - q[i,x], 0);  where rounding leaves them all 0, with p[i]. Where all are
//     accepted, *next is drawn with the weights p[count]. Returns how many were accepted. The accepted
//     ones and *next are distributed exactly as if p alone had made them.
//     q NULL: the draft is a look-up, without chance: q[i,x] is 1 for x = draft[i], else 0.
//     p [count + 1,V], q [count,V], u [count + 1], room: V doubles; differences are in double
int kv_accept(int32_t *next, const float *p, const float *q, const int32_t *draft, int count, int V,
              const double *u, double *room);

// ---- quantization ----

enum { KV_Q8 = 32 };

typedef struct KvQ8 {
    uint16_t scale;     // a half, an IEEE number of 16 bits
    int8_t q[KV_Q8];    // the numbers are scale q[i]: 34 bytes for 32, ggml's Q8_0
} KvQ8;

// Provided: a number from 0 to 65504 as the nearest half, and back.
static inline uint16_t kv_half(float x)
{
    uint32_t bits;
    if (x < 0x1p-14f) return (uint16_t)lrintf(x * 0x1p24f);
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0xfff + (bits >> 13 & 1) - (112u << 23)) >> 13);
}

static inline float kv_float(uint16_t half)
{
    uint32_t bits = ((uint32_t)half << 13) + (112u << 23);
    float x;
    if (half < 0x400) return (float)half * 0x1p-24f;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// 17. Each 32 numbers become one block: with d = max |x| / 127,  q[i] = x[i] / d rounded to the
//     nearest integer, halves away from 0, and scale = kv_half(d). d and the quotient are floats; the
//     quotient is x[i] times 1 / d, as in ggml. All 0: all 0.
//     x: [32 blocks], |x| <= 65504; where x is not 0, max |x| >= 1e-30
void kv_quantize(KvQ8 *out, const float *x, int blocks);

// 18. The dot product of two rows of blocks: for each pair of blocks, the sum of the products of their
//     integers, as an int, times the two scales. These products and their sum are in double.
float kv_dot(const KvQ8 *a, const KvQ8 *b, int blocks);
