/* trace.h -- a server's requests: arrival time, lengths, shared prefixes.
 *
 *     Trace trace;
 *     if (!trace_read(keep, "qwen_traceA.jsonl", &trace, &err)) ...
 *     int32_t token = request_token(&trace.requests[i], position);
 *
 * A line of the file is one request, as in the Qwen-Bailian traces (Alibaba, Apache-2.0):
 *     {"timestamp": 61.1, "input_length": 521, "output_length": 132, "hash_ids": [7, 8, 9],
 *      "chat_id": 12, "parent_chat_id": 3}
 * Each id stands for 16 tokens of the prompt: two requests whose lists begin with the same ids share that
 * prefix. The tokens themselves are not in the trace, so request_token() makes them up from the ids. The
 * prompt of a request with a parent begins with the parent's prompt and output. Only the two lengths and
 * the timestamp (seconds) are needed.
 */
#pragma once
#include <stdint.h>
#include "common/arena.h"
#include "common/error.h"

enum { TRACE_BLOCK = 16 };

typedef struct Request {
    double arrival;        // seconds
    int prompt, output;    // tokens; at least 1, since a prefill samples one
    int id;                // its index in the trace
    const int32_t *ids;    // of prompt and output, as far as they are known
    int id_count;
} Request;

typedef struct Trace {
    Request *requests;    // by arrival
    int count;
} Trace;

bool trace_read(Arena *keep, const char *path, Trace *trace, Error *err);

// The token at a position in prompt and output. Where no id is known, it is unique to the request.
int32_t request_token(const Request *request, int position);
