/* refusal.h -- why a request is not answered: an HTTP status and a sentence, in the OpenAI API's form.
 *
 *     return refuse(refusal, 400, "temperature", "temperature: is %g, expected 0 to 100", value);
 *     refusal_write(&out, refusal);    // {"error":{"message":"...","type":"invalid_request_error",...}}
 */
#pragma once
#include "common/error.h"
#include "labs/3_language/tokenizer/app/text/bytes.h"

typedef struct Refusal {
    int status;
    char param[64];      // the field that it is about, or ""
    const char *code;    // or NULL
    Error err;
} Refusal;

// False, so that a function can return it.
bool refuse(Refusal *refusal, int status, const char *param, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// The sentence of `err`.
bool refuse_with(Refusal *refusal, int status, const char *param, const char *code,
                 const Error *err);

void refusal_write(Bytes *out, const Refusal *refusal);
