/* sse_client.h -- a streaming request to an OpenAI-compatible server, timed event by event.
 *
 *     SseClient client;
 *     if (!sse_begin(&client, "127.0.0.1", 8080, "/v1/completions", json)) ...
 *     while (!client.done) {
 *         // poll client.socket for client.wants
 *         sse_step(&client);
 *     }
 *     // client.first, client.gaps[0 .. client.gap_count), client.output_tokens, client.status
 *     sse_end(&client);
 */
#pragma once
#include <stdbool.h>
#include "labs/3_language/tokenizer/app/text/bytes.h"

typedef struct SseClient {
    int socket;                     // -1: none
    short wants;                    // of poll(): POLLOUT, then POLLIN
    bool done;                      // the answer has ended, or failed
    bool complete;                  // "data: [DONE]" came
    int status;                     // HTTP's; 0: none came
    double begun, first, latest;    // seconds; 0: not yet
    double *gaps;                   // malloc: between two events with text
    int gap_count, gap_room;
    int prompt_tokens, output_tokens, cached_tokens;    // of the usage that came last
    Bytes sent, got;
    size_t written, read;
} SseClient;

bool sse_begin(SseClient *client, const char *host, int port, const char *path, const char *json);
void sse_step(SseClient *client);
void sse_end(SseClient *client);
