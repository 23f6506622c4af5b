#include "common/reduction.h"
#include "common/ranks.h"
#include "kernels/kernels.h"

// A bucket is worth a message, and several fit into a block; numbers.
enum { LEAST = 16 << 10, MOST = 1 << 20, PARTS = 8 };

typedef struct Bucket {
    int first, end;          // params; the bucket's gradients lie end to end
    const TapeNode *node;    // the first op that uses one of them; NULL for none
} Bucket;

struct Reduction {
    Params *params;
    Bucket *buckets;    // from the end of the block to its start
    int count, sent;
};

static const Tensor *param(const Reduction *r, int i)
{
    return r->params->items[i].tensor;
}

// Where a parameter's gradient lies in the block; frozen ones lie nowhere.
static size_t place(const Reduction *r, int i)
{
    return (size_t)(param(r, i)->grad - r->params->grads.at);
}

Reduction *reduction_new(Arena *keep, Params *params)
{
    Reduction *r = arena_zeros(keep, sizeof *r);
    r->params = params;
    r->buckets = arena_zeros(keep, ((size_t)params->count + 1) * sizeof *r->buckets);
    size_t least = params->grads.count / PARTS, end = params->grads.count;
    least = least < LEAST ? LEAST : least > MOST ? MOST : least;
    for (int i = params->count, last = i; i-- > 0;) {
        if (!param(r, i)->wants_grad || (end - place(r, i) < least && place(r, i) > 0)) continue;
        r->buckets[r->count++] = (Bucket){.first = i, .end = last};
        last = i;
        end = place(r, i);
    }
    return r;
}

static void send(Reduction *r, const Bucket *bucket)
{
    size_t from = place(r, bucket->first), to = r->params->grads.count;
    for (int i = bucket->first; i < bucket->end; i++) {
        Tensor *x = r->params->items[i].tensor;
        if (x->wants_grad && !x->has_grad) kernels.fill(x->grad, 0.0f, tensor_count(x));
        x->has_grad |= x->wants_grad;
    }
    if (bucket > r->buckets) to = place(r, bucket[-1].first);
    ranks_sum_begin(r->params->grads.at + from, to - from);
}

// ---- backward ----

static void after(void *context, const TapeNode *node)
{
    Reduction *r = context;
    while (r->sent < r->count && r->buckets[r->sent].node == node) send(r, &r->buckets[r->sent++]);
    ranks_advance();
}

static Bucket *bucket_of(Reduction *r, const Tensor *x)
{
    const Block *grads = &r->params->grads;
    if (x->grad < grads->at || x->grad >= grads->at + grads->count) return NULL;
    Bucket *bucket = r->buckets;
    while (x->grad < param(r, bucket->first)->grad) bucket++;
    return bucket;
}

void reduction_follow(Reduction *r, Tape *tape)
{
    for (int b = 0; b < r->count; b++) r->buckets[b].node = NULL;
    // Backward visits the nodes in this order: the last one that is found is the first use. A part that is
    // computed again may use any.
    for (const TapeNode *node = tape->last; node != NULL; node = node->before) {
        for (int b = 0; node->hides_inputs && b < r->count; b++) r->buckets[b].node = node;
        for (int i = 0; i < node->inputs; i++) {
            const Tensor *x = node->in[i];
            if (x == NULL || !x->wants_grad) continue;
            Bucket *bucket = bucket_of(r, x->base != NULL ? x->base : x);
            if (bucket != NULL) bucket->node = node;
        }
    }
    // They are sent in their order: each waits for those before it.
    const TapeNode *node = tape->last;
    for (int b = 0; b < r->count; b++) {
        const TapeNode *first = r->buckets[b].node, *at = node;
        while (first != NULL && at != first && at != NULL) at = at->before;
        if (first == NULL || at == NULL) r->buckets[b].node = node;
        else node = first;
    }
    tape->after = after;
    tape->context = r;
}

bool reduction_finish(Reduction *r)
{
    for (; r->sent < r->count; r->sent++) send(r, &r->buckets[r->sent]);
    r->sent = 0;
    return ranks_wait();
}
