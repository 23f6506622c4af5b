/* asking.h -- a question in a test, as a command line asks it.
 *
 *     Question question = ASKING("runtime", "vllm", "context", "8k");
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/question/question.h"
#include "labs/5_frontier/key_numbers/app/tests/scratch.h"
#include "tests/cases.h"

// Pairs of names and values, ended by NULL.
static inline Question asking(const char *const *pairs)
{
    Question question = question_default();
    Error err = {""};
    for (; pairs[0] != NULL; pairs += 2)
        if (!question_set(&question, arena, pairs[0], pairs[1], &err)) fail_msg("%s", err.message);
    if (!question_settle(&question, arena, &err)) fail_msg("%s", err.message);
    return question;
}

#define ASKING(...) asking((const char *const[]){__VA_ARGS__, NULL, NULL})
