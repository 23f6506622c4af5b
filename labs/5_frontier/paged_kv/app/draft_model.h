/* draft_model.h -- the engine's own: a small model that drafts tokens for the large one.
 *
 *     DraftModel *draft = draft_model_open(weights, &target->config, &pool, options, &err);
 *     const int count = scheduler_step(scheduler, &list);           // sequence->drafts: how many, no tokens yet
 *     draft_model_step(draft, list, count, &scheduler->copies);     // the tokens
 *     runner_step(...);
 *     const Distribution *q = draft_model_distributions(draft, i);  // of entry i: [drafts + 1]
 *     draft_model_close(draft);
 *
 * It computes each token that the large model computes, into the same blocks of a KV cache of its own. So a
 * prefix hit, a fork, a copy or a preemption holds for both, and the draft model never falls behind.
 *
 * Every position has a distribution q, also that behind the last draft: there the draft is drawn when it is
 * verified. So what a position draws depends on the two models and the tokens before it alone, and not on how
 * many tokens were drafted in a step: a text has the same bits for any number, in any company.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/model/runner.h"
#include "labs/5_frontier/paged_kv/app/sampling/speculation.h"

typedef struct DraftModel DraftModel;

// NULL and why: the models do not fit together. options.drafts is the most in a step. Weights and pool are borrowed.
DraftModel *draft_model_open(const Weights *weights, const ModelConfig *target,
                             const BlockPool *pool, RunnerOptions options, Error *err);
void draft_model_close(DraftModel *draft);    // NULL is fine

// A step allocates nothing.
void draft_model_step(DraftModel *draft, const Scheduled *list, int count,
                      const BlockCopies *copies);

// Of an entry that samples, until the next step. Without entries where none could be made.
const Distribution *draft_model_distributions(const DraftModel *draft, int entry);
