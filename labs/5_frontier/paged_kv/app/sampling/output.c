#include "labs/5_frontier/paged_kv/app/sampling/output.h"
#include <stdlib.h>
#include <string.h>
#include "common/text.h"
#include "labs/3_language/tokenizer/app/text/bytes.h"
#include "labs/5_frontier/paged_kv/app/sampling/stop.h"

struct Output {
    TokenStream *stream;
    Stop *stop;
    Bytes whole;    // the latest tokens' text as valid UTF-8
};

static const char REPLACEMENT[] = "\xef\xbf\xbd";

Output *output_open(const Tokenizer *tokenizer, const char *const *stops, int stop_count,
                    OutputOptions options)
{
    // A token behind up to 3 bytes that were held back, of which each may become three.
    const size_t room = 3 * (tokenizer_longest(tokenizer) + 3);
    Output *o = calloc(1, sizeof *o);
    if (o == NULL) return NULL;
    o->stream = token_stream_open(
        tokenizer, (DecodeOptions){.skip_special = true, .continues = options.continues});
    o->stop = stop_new(stops, stop_count, options.include_stop, room);
    o->whole = (Bytes){.data = malloc(room), .room = room};
    if (o->stream != NULL && o->stop != NULL && o->whole.data != NULL) return o;
    output_close(o);
    return NULL;
}

void output_close(Output *o)
{
    if (o == NULL) return;
    token_stream_close(o->stream);
    stop_close(o->stop);
    free(o->whole.data);
    free(o);
}

// The stream never cuts a character, so that each chunk can be repaired by itself.
static const char *repair(Output *o, const char *text, size_t bytes)
{
    o->whole.count = 0;
    for (size_t i = 0, length; i<bytes; i += length> 0 ? length : 1) {
        length = text_utf8_length(text + i, bytes - i);
        if (length > 0) bytes_add(&o->whole, text + i, length);
        else bytes_add(&o->whole, REPLACEMENT, strlen(REPLACEMENT));
    }
    return (const char *)o->whole.data;
}

const char *output_step(Output *o, int token, size_t *bytes)
{
    size_t given;
    const char *text = token_stream_step(o->stream, token, &given);
    text = repair(o, text, given);
    return stop_step(o->stop, text, o->whole.count, bytes);
}

const char *output_end(Output *o, size_t *bytes)
{
    size_t given;
    const char *text = token_stream_end(o->stream, &given);
    text = repair(o, text, given);
    return stop_end(o->stop, text, o->whole.count, bytes);
}

bool output_stopped(const Output *o)
{
    return stop_found(o->stop) >= 0;
}
