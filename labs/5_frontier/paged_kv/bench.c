/* bench.c -- what the exercises cost at the sizes of SmolLM2-135M: 9 query and 3 key and value heads of
 * 64, rows of 1536 numbers, a vocabulary of 49152, blocks of 16 tokens.
 *
 *     ./lab bench paged_kv --mine
 */
#include "bench/exercises.h"
#include "common/rng.h"
#include "labs/5_frontier/paged_kv/paged_kv.h"

enum { H = 9, KV = 3, D = 64, SIZE = 16, BLOCKS = 64, SEEN = SIZE * BLOCKS, ROW = 1536, V = 49152 };

// What the calls work on; as it is made at the start, all calls see the same.
static int32_t table[BLOCKS], tokens[SEEN];
static double room[V];
static KvQ8 a[ROW / KV_Q8], b[ROW / KV_Q8];

static int32_t count[BLOCKS], next[BLOCKS + 1], previous[BLOCKS + 1], held[BLOCKS * SIZE],
    chain[BLOCKS], bucket[BLOCKS], block[BLOCKS];
static uint64_t hash[BLOCKS], parent[BLOCKS];
static KvPool pool = {BLOCKS, SIZE,   count, next,  previous, 0,
                      hash,   parent, held,  chain, bucket,   BLOCKS};

static void inputs_make(void)
{
    Rng rng = rng_from_seed(1);
    for (int i = 0; i < BLOCKS; i++) table[i] = i;
    rng_shuffle(&rng, table, BLOCKS);
    for (int i = 0; i < SEEN; i++) tokens[i] = (int32_t)rng_below(&rng, V);
    for (int i = 0; i < ROW; i++) {
        a[i / KV_Q8].q[i % KV_Q8] = (int8_t)((int)rng_below(&rng, 255) - 127);
        b[i / KV_Q8].q[i % KV_Q8] = (int8_t)((int)rng_below(&rng, 255) - 127);
        a[i / KV_Q8].scale = b[i / KV_Q8].scale = kv_half(0.01f);
    }
}

static void attention(Solution *solution, float *const *x)
{
    AS(kv_attention, solution)
    (x[0], x[1], x[2], x[3], room, table, SEEN, (KvHeads){H, KV, D, SIZE});
}

static void sample(Solution *solution, float *const *x)
{
    // Divided by 0.2, random logits are about as far apart as those of a trained model.
    x[0][0] = (float)AS(kv_sample, solution)(x[1], V, (KvSampling){0.2f, 0.9f, 0.4}, room);
}

static void quantize(Solution *solution, float *const *x)
{
    KvQ8 rows[ROW / KV_Q8];
    AS(kv_quantize, solution)(rows, x[1], ROW / KV_Q8);
    x[0][0] = (float)rows[7].q[5];
}

static void dot(Solution *solution, float *const *x)
{
    x[0][0] = AS(kv_dot, solution)(a, b, ROW / KV_Q8);
}

static void hash_of(Solution *solution, float *const *x)
{
    x[0][0] = (float)(AS(kv_hash, solution)(7, tokens, SEEN) >> 40);
}

// A prompt is appended, block by block, to a pool in which nothing is cached.
static void append(Solution *solution, float *const *x)
{
    KvTable one = {block, 0, 0};
    KvCopy copy;
    kv_pool_clear(&pool);
    for (int i = 0; i < SEEN; i++) x[0][0] = (float)AS(kv_append, solution)(&pool, &one, &copy);
}

// clang-format off
static const Workload workloads[] = {
    {"hash", "kv_hash", "1024 tokens", hash_of, .arrays = {WRITES(1)}, .numbers = SEEN},
    {"append", "kv_append", "1024 tokens", append, .arrays = {WRITES(1)}, .numbers = SEEN},
    {"attention", "kv_attention", "1024 tokens", attention,
     .arrays = {WRITES(H * D), READS(H * D), READS(SEEN * KV * D), READS(SEEN * KV * D)},
     .double_flops = 4.0 * H * D * SEEN},
    {"sample", "kv_sample", "49152 tokens", sample, .arrays = {WRITES(1), READS(V)}},
    {"quantize", "kv_quantize", "1536 numbers", quantize, .arrays = {WRITES(1), READS(ROW)}, .numbers = ROW},
    {"dot", "kv_dot", "1536 numbers", dot, .arrays = {WRITES(1)}, .numbers = ROW},
    {0},
};
// clang-format on

int main(int argc, char **argv)
{
    inputs_make();
    return exercises_main("paged_kv", workloads, argc, argv);
}
