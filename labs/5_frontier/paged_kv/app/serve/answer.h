/* answer.h -- a job's answer as JSON: completions, chat completions and their chunks.
 *
 *     answer_piece(&out, job, k, text, bytes, finish, NULL);    // {"id":...,"choices":[{"index":0,...}],...}
 *     answer_whole(&out, job);
 *     answer_usage(&out, job);                                  // the last chunk: no choices
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/serve/job.h"

// A choice's next piece, with the log-probabilities that it has; its calls come with the last one, or NULL.
void answer_piece(Bytes *out, const Job *job, int choice, const char *text, size_t bytes,
                  FinishReason finish, const ChatAnswer *calls);
void answer_whole(Bytes *out, const Job *job);
void answer_usage(Bytes *out, const Job *job);

// The calls in a choice's text, and the text without them.
void answer_read_calls(ChatAnswer *answer, Arena *arena, const Job *job, int choice);
