#include "labs/5_frontier/paged_kv/app/serve/logprobs.h"
#include <stdlib.h>
#include "common/text.h"
#include "labs/5_frontier/paged_kv/app/chat/json_text.h"
#include "labs/5_frontier/paged_kv/app/serve/write.h"

static const double LEAST = -9999;    // in place of -infinity, as the OpenAI API has it

static void write_number(Bytes *out, double value)
{
    write_format(out, "%.7g", value > LEAST ? value : LEAST);
}

// A token may be half a character: what is not UTF-8 is shown as U+FFFD.
static void write_piece(Bytes *out, const char *piece, size_t bytes)
{
    Bytes text = {0};
    while (bytes > 0) {
        const size_t length = text_utf8_length(piece, bytes), taken = length > 0 ? length : 1;
        bytes_add(&text, length > 0 ? piece : "\xef\xbf\xbd", length > 0 ? length : 3);
        piece += taken;
        bytes -= taken;
    }
    json_text_quote_bytes(out, text.data != NULL ? (const char *)text.data : "", text.count);
    free(text.data);
}

static void write_token(Bytes *out, const Tokenizer *tokenizer, int token, double log_probability)
{
    size_t bytes;
    const char *piece = tokenizer_piece(tokenizer, token, &bytes);
    write_text(out, "{\"token\":");
    write_piece(out, piece, bytes);
    write_text(out, ",\"logprob\":");
    write_number(out, log_probability);
    write_text(out, ",\"bytes\":[");
    for (size_t i = 0; i < bytes; i++)
        write_format(out, "%s%d", i > 0 ? "," : "", (int)(unsigned char)piece[i]);
    write_text(out, "]");
}

static void add_content(Logprobs *l, const Tokenizer *tokenizer, const Sampled *s)
{
    write_token(&l->content, tokenizer, s->token, s->log_probability);
    write_text(&l->content, ",\"top_logprobs\":[");
    for (int i = 0; i < s->likeliest_count; i++) {
        if (i > 0) write_text(&l->content, ",");
        write_token(&l->content, tokenizer, s->likeliest[i].token, s->likeliest[i].log_probability);
        write_text(&l->content, "}");
    }
    write_text(&l->content, "]}");
}

static void add_lists(Logprobs *l, const Tokenizer *tokenizer, const Sampled *s)
{
    size_t bytes;
    const char *piece = tokenizer_piece(tokenizer, s->token, &bytes);
    write_piece(&l->tokens, piece, bytes);
    write_number(&l->numbers, s->log_probability);
    write_text(&l->likeliest, "{");
    for (int i = 0; i < s->likeliest_count; i++) {
        size_t other_bytes;
        const char *other = tokenizer_piece(tokenizer, s->likeliest[i].token, &other_bytes);
        if (i > 0) write_text(&l->likeliest, ",");
        write_piece(&l->likeliest, other, other_bytes);
        write_text(&l->likeliest, ":");
        write_number(&l->likeliest, s->likeliest[i].log_probability);
    }
    write_text(&l->likeliest, "}");
    write_format(&l->offsets, "%lld", (long long)l->characters);
    for (size_t i = 0; i < bytes; i++) l->characters += ((unsigned char)piece[i] & 0xc0) != 0x80;
}

void logprobs_add(Logprobs *l, Api api, const Tokenizer *tokenizer, const Sampled *sampled)
{
    Bytes *const lists[] = {&l->content, &l->tokens, &l->numbers, &l->likeliest, &l->offsets};
    for (int i = 0; i < 5 && l->count > 0; i++) write_text(lists[i], ",");
    if (api == API_CHAT) add_content(l, tokenizer, sampled);
    else add_lists(l, tokenizer, sampled);
    l->count++;
}

static void write_list(Bytes *out, const char *name, const Bytes *list)
{
    write_format(out, "\"%s\":[", name);
    bytes_add(out, list->data, list->count);
    write_text(out, "]");
}

void logprobs_write(Bytes *out, Api api, const Logprobs *l)
{
    if (l->count == 0) {
        write_text(out, "null");
        return;
    }
    write_text(out, "{");
    if (api == API_CHAT) write_list(out, "content", &l->content);
    else {
        write_list(out, "tokens", &l->tokens), write_text(out, ",");
        write_list(out, "token_logprobs", &l->numbers), write_text(out, ",");
        write_list(out, "top_logprobs", &l->likeliest), write_text(out, ",");
        write_list(out, "text_offset", &l->offsets);
    }
    write_text(out, "}");
}

void logprobs_clear(Logprobs *l)
{
    l->content.count = l->tokens.count = l->numbers.count = l->likeliest.count = l->offsets.count =
        0;
    l->count = 0;
}

void logprobs_free(Logprobs *l)
{
    free(l->content.data);
    free(l->tokens.data);
    free(l->numbers.data);
    free(l->likeliest.data);
    free(l->offsets.data);
}
