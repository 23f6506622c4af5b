/* reference.h -- the lab's reference functions by names of their own, beside the learner's.
 *
 *     int right = reference_sample(logits, V, sampling, room);
 *     int theirs = kv_sample(logits, V, sampling, room);
 */
#pragma once
#include "labs/5_frontier/paged_kv/paged_kv.h"

void reference_release(KvPool *pool, KvTable *table);
void reference_fork(KvPool *pool, KvTable *child, const KvTable *parent);
int64_t reference_append(KvPool *pool, KvTable *table, KvCopy *copy);
int reference_schedule(KvPool *pool, KvRequest *requests, int count, KvLimits limits);
bool reference_commit(KvPool *pool, KvRequest *request, int32_t next);
int reference_sample(const float *logits, int V, KvSampling s, double *room);
int reference_accept(int32_t *next, const float *p, const float *q, const int32_t *draft, int count,
                     int V, const double *u, double *room);
void reference_quantize(KvQ8 *out, const float *x, int blocks);
float reference_dot(const KvQ8 *a, const KvQ8 *b, int blocks);
