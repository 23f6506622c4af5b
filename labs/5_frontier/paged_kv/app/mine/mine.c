#include "labs/5_frontier/paged_kv/app/mine/mine.h"
#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/paged_kv/app/mine/guard.h"

bool mine_asked(void)
{
    return getenv("LAB_CHECK") != NULL;
}

// Without LAB_WRITTEN (`lab dev check`) all of them.
bool mine_has(const char *exercise)
{
    const char *written = getenv("LAB_WRITTEN");
    const size_t length = strlen(exercise);
    if (written == NULL) return true;
    for (const char *at = written; (at = strstr(at, exercise)) != NULL; at += length)
        if ((at == written || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

bool mine_plans(void)
{
    static const char *const exercises[] = {
        "slot",  "allocate",      "release", "hash",    "find",     "insert", "look_up",
        "evict", "copy_on_write", "append",  "preempt", "schedule", "commit"};
    for (size_t i = 0; i < sizeof exercises / sizeof *exercises; i++)
        if (mine_has(exercises[i])) return true;
    return false;
}

void mine_install(EngineOptions *options)
{
    guard_install();
    if (mine_plans()) options->planner = mine_planner;
    if (mine_has("sample") || mine_has("accept")) options->verify = mine_verify;
    if (mine_has("attention")) options->cache = DTYPE_F32;
    mine_use_kernels();
}

static double weights_of(const Projection *p)
{
    double sum = 0;
    for (int i = 0; i < p->count; i++)
        if (p->parts[i].type == DTYPE_Q8_0) sum += (double)p->parts[i].rows * p->parts[i].cols;
    return sum;
}

void mine_print(const Weights *w, FILE *stream)
{
    double ours = w->head.type == DTYPE_Q8_0 ? (double)w->head.rows * w->head.cols : 0;
    for (int i = 0; i < w->config.layers; i++) {
        const LayerWeights *l = &w->layers[i];
        ours +=
            weights_of(&l->qkv) + weights_of(&l->out) + weights_of(&l->up) + weights_of(&l->down);
    }
    if (mine_has("quantize") || mine_has("dot"))
        fprintf(stream, "  your quantize and dot multiply the weights of Q8_0: %.1fM\n",
                ours * 1e-6);
}
