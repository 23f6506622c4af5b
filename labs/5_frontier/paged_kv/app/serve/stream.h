/* stream.h -- server-sent events: an answer in pieces, as soon as they are certain.
 *
 *     stream_piece(&out, job, k, finish);    // what has come of choice k since the last one
 *     stream_end(&out, job);                 // the usage, if it was asked for, and "data: [DONE]"
 *
 * In sum the pieces are what the answer as a whole says. Text that may be the start of a call waits until the
 * choice ends; so does white space before it. A call comes in one piece.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/serve/job.h"

void stream_piece(Bytes *out, Job *job, int k, FinishReason finish);
void stream_end(Bytes *out, const Job *job);
void stream_error(Bytes *out, const Refusal *refusal);

// How many of the bytes may be shown while more are to come.
size_t stream_certain(const char *text, size_t bytes, bool json_calls);
