// reference.c -- paged_kv.c once more, in this program itself: its functions are named reference_* here.
// The contract comes first, so that its declarations keep their names.
#include "labs/5_frontier/paged_kv/app/mine/reference.h"
#define kv_slot          reference_slot
#define kv_allocate      reference_allocate
#define kv_release       reference_release
#define kv_hash          reference_hash
#define kv_find          reference_find
#define kv_insert        reference_insert
#define kv_look_up       reference_look_up
#define kv_evict         reference_evict
#define kv_new_block     reference_new_block
#define kv_fork          reference_fork
#define kv_copy_on_write reference_copy_on_write
#define kv_append        reference_append
#define kv_attention     reference_attention
#define kv_preempt       reference_preempt
#define kv_schedule      reference_schedule
#define kv_commit        reference_commit
#define kv_draw          reference_draw
#define kv_sample        reference_sample
#define kv_accept        reference_accept
#define kv_quantize      reference_quantize
#define kv_dot           reference_dot
int64_t reference_slot(const int32_t *block, int block_size, int i);
int reference_allocate(KvPool *pool);
uint64_t reference_hash(uint64_t parent, const int32_t *tokens, int count);
int reference_find(const KvPool *pool, uint64_t hash, uint64_t parent, const int32_t *tokens);
uint64_t reference_insert(KvPool *pool, int block, uint64_t parent, const int32_t *tokens);
int reference_look_up(KvPool *pool, KvTable *table, uint64_t salt, const int32_t *tokens,
                      int count);
void reference_evict(KvPool *pool, int block);
int reference_new_block(KvPool *pool);
bool reference_copy_on_write(KvPool *pool, KvTable *table, KvCopy *copy);
void reference_attention(float *y, const float *q, const float *k, const float *v, double *room,
                         const int32_t *block, int seen, KvHeads s);
int reference_preempt(KvPool *pool, KvRequest *requests, int count);
int reference_draw(const double *w, int n, double u);
// NOLINTNEXTLINE(bugprone-suspicious-include): under other names
#include "labs/5_frontier/paged_kv/paged_kv.c"
