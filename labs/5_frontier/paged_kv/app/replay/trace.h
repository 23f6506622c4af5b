/* trace.h -- requests as a server saw them: when each came, how long it was, what it shares.
 *
 *     Trace trace;
 *     if (!trace_read(keep, "qwen_traceA.jsonl", &trace, &err)) ...
 *     int32_t token = request_token(&trace.requests[i], place);
 *
 * A line of the file is one request, as in the Qwen-Bailian traces (Alibaba, Apache-2.0):
 *     {"timestamp": 61.1, "input_length": 521, "output_length": 132, "hash_ids": [7, 8, 9],
 *      "chat_id": 12, "parent_chat_id": 3}
 * The ids stand for blocks of 16 tokens: two requests whose lists begin alike share that many tokens.
 * They are all that is known of a text, and all that a replay needs. A request whose parent is named
 * goes on from the parent's answer, so that the parent's output is known as well.
 */
#pragma once
#include <stdint.h>
#include "common/arena.h"
#include "common/error.h"

enum { TRACE_BLOCK = 16 };

typedef struct Request {
    double arrival;        // seconds
    int prompt, output;    // tokens, each at least 1
    int id;                // its place in the trace
    const int32_t *ids;    // of the whole text, as far as it is known
    int id_count;
} Request;

typedef struct Trace {
    Request *requests;    // by arrival
    int count;
} Trace;

bool trace_read(Arena *keep, const char *path, Trace *trace, Error *err);

// The token at a place of prompt and output. Where the trace knows no id, no other request has it.
int32_t request_token(const Request *request, int place);
