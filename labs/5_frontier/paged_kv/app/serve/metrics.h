/* metrics.h -- what the server has done, in the text format of Prometheus.
 *
 *     metrics_observe(&metrics.first_token, seconds);
 *     metrics_write(&out, &metrics, &statistics);
 *
 * Any thread may count.
 */
#pragma once
#include <stdatomic.h>
#include "labs/3_language/tokenizer/app/text/bytes.h"
#include "labs/5_frontier/paged_kv/app/engine.h"

enum { BUCKETS = 16 };

// Seconds: 1 ms, 2, 5, 10, ... 100, and more.
typedef struct Histogram {
    _Atomic uint64_t buckets[BUCKETS + 1];
    _Atomic uint64_t microseconds;
} Histogram;

typedef struct Metrics {
    Histogram first_token;    // from the whole request to its first token
    Histogram gap;            // between two tokens of a choice
    Histogram whole;          // from the whole request to the end of its answer
    _Atomic uint64_t requests, refused, overloaded, cancelled, failed;
} Metrics;

void metrics_observe(Histogram *histogram, double seconds);
void metrics_write(Bytes *out, const Metrics *metrics, const EngineStatistics *statistics);
