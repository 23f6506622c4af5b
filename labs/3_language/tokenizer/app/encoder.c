#include "labs/3_language/tokenizer/app/encoder.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "common/text.h"
#include "labs/3_language/tokenizer/app/bpe/cache.h"
#include "labs/3_language/tokenizer/app/parts.h"

// ---- what it holds ----

void tokenizer_close(Tokenizer *t)
{
    if (t == NULL) return;
    scratch_free(atomic_load(&t->scratch));
    normalizer_close(&t->normalizer);
    normalizer_close(&t->pieces_to_text);
    splitter_close(&t->splitter);
    cJSON_Delete(t->parts);
    arena_free(t->keep);
}

const char *tokenizer_about(const Tokenizer *t)
{
    return t->about;
}

const char *tokenizer_ignores(const Tokenizer *t)
{
    static const char *const words[] = {NULL, "truncation", "padding", "truncation and padding"};
    return words[cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(t->parts, "truncation")) +
                 2 * cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(t->parts, "padding"))];
}

int tokenizer_size(const Tokenizer *t)
{
    return t->bpe.vocabulary.count;
}

int tokenizer_bos(const Tokenizer *t)
{
    return t->bos;
}

int tokenizer_eos(const Tokenizer *t)
{
    return t->eos;
}

static const Token *token_at(const Tokenizer *t, int id)
{
    static const Token none = {.piece = "", .text = ""};
    return id >= 0 && id < t->bpe.vocabulary.count &&
                   t->bpe.vocabulary.tokens[id].kind != TOKEN_NONE
               ? &t->bpe.vocabulary.tokens[id]
               : &none;
}

int tokenizer_token(const Tokenizer *t, const char *name)
{
    int id = vocabulary_find_any(&t->bpe.vocabulary, name, strlen(name));
    return id >= 0 ? id : vocabulary_find_literal(&t->bpe.vocabulary, name, strlen(name));
}

bool tokenizer_is_special(const Tokenizer *t, int id)
{
    return token_at(t, id)->kind == TOKEN_SPECIAL;
}

size_t tokenizer_longest(const Tokenizer *t)
{
    return t->longest;
}

const char *tokenizer_piece(const Tokenizer *t, int id, size_t *bytes)
{
    const Token *token = token_at(t, id);
    *bytes = token->text_bytes;
    return token->text;
}

// ---- encoding ----

// One encoding that goes on.
typedef struct Encoding {
    const Tokenizer *tokenizer;
    Scratch *scratch;
    TokenIds *out;
    bool parse_special;
} Encoding;

static bool on_piece(void *context, const uint8_t *piece, size_t bytes, Error *err)
{
    const Encoding *e = context;
    return scratch_encode(e->scratch, &e->tokenizer->bpe, piece, bytes, e->out, err);
}

// What is to be done with the text between added tokens; `first` says that nothing is before it.
typedef bool OnText(const Encoding *e, const uint8_t *text, size_t bytes, bool first, Error *err);

static bool cut_added(const Encoding *e, const AddedTokens *added, const uint8_t *text,
                      size_t bytes, bool first, OnText *on_text, Error *err)
{
    AddedMatch match;
    size_t done = 0;
    // As in `tokenizers` a token may lie in the spaces that the one before took, unless it takes some too.
    for (size_t at = 0; added_find(added, text, bytes, at, &match);) {
        at = match.end;
        if (match.token->special && !e->parse_special) continue;
        if (!added_fit(&match, text, bytes, done)) continue;
        if (match.start > done &&
            !on_text(e, text + done, match.start - done, first && done == 0, err))
            return false;
        if (match.start < match.end) ids_add(e->out, match.token->id);
        done = match.end;
    }
    return done >= bytes || on_text(e, text + done, bytes - done, first && done == 0, err);
}

static bool split(const Encoding *e, const uint8_t *text, size_t bytes, bool first, Error *err)
{
    return splitter_run(&e->tokenizer->splitter, text, bytes, first, on_piece, (void *)e, err);
}

static bool normalize(const Encoding *e, const uint8_t *text, size_t bytes, bool first, Error *err)
{
    Bytes held = {0};
    bool good = normalizer_run(&e->tokenizer->normalizer, text, &bytes, &held, &text, err) &&
                cut_added(e, &e->tokenizer->added[1], text, bytes, first, split, err);
    free(held.data);
    return good;
}

bool tokenizer_encode(const Tokenizer *t, const char *text, size_t bytes, EncodeOptions options,
                      TokenIds *out, Error *err)
{
    size_t before = out->count;
    if (bytes > INT_MAX / 4)
        return error_set(err, "a text of %zu bytes is too long, encode its parts", bytes);
    // The scratch of a call that is over, or a new one when another thread has it.
    Scratch *_Atomic *spare = (Scratch * _Atomic *)&t->scratch;
    Scratch *scratch = atomic_exchange(spare, NULL);
    if (scratch == NULL) scratch = scratch_new();
    Encoding e = {t, scratch, out, options.parse_special};
    for (int i = 0; options.add_special && i < t->template.before_count; i++)
        ids_add(out, t->template.before[i]);
    bool good = cut_added(&e, &t->added[0], (const uint8_t *)text, bytes, true, normalize, err);
    for (int i = 0; options.add_special && i < t->template.after_count; i++)
        ids_add(out, t->template.after[i]);
    scratch_free(atomic_exchange(spare, scratch));
    if (!good) out->count = before;
    return good;
}

// ---- decoding ----

struct TokenStream {
    const Tokenizer *tokenizer;
    DecodeOptions options;
    bool started;
    Bytes text;     // handed out by the latest call, then held back
    size_t held;    // so many bytes at its end
};

TokenStream *token_stream_open(const Tokenizer *t, DecodeOptions options)
{
    TokenStream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) return NULL;
    *stream = (TokenStream){.tokenizer = t, .options = options, .started = options.continues};
    const size_t room = t->longest + 4;    // behind what is held of a character
    stream->text = (Bytes){.data = malloc(room), .room = room};
    if (stream->text.data != NULL) return stream;
    token_stream_close(stream);
    return NULL;
}

void token_stream_close(TokenStream *stream)
{
    if (stream != NULL) free(stream->text.data);
    free(stream);
}

static void add_token(TokenStream *s, int id)
{
    const Token *token = token_at(s->tokenizer, id);
    const char *text = token->text;
    size_t bytes = token->text_bytes;
    if (bytes == 0 || (s->options.skip_special && token->kind == TOKEN_SPECIAL)) return;
    if (!s->started && s->tokenizer->strip_space && text[0] == ' ') text++, bytes--;
    s->started = true;
    bytes_add(&s->text, text, bytes);
}

// How many bytes at the end begin a character that the next bytes may complete.
static size_t unfinished(const uint8_t *text, size_t bytes)
{
    for (size_t back = 1; back <= 3 && back <= bytes; back++) {
        uint8_t lead = text[bytes - back];
        if ((lead & 0xc0) == 0x80) continue;
        size_t needs = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        // Too long a form, a surrogate or above U+10FFFF: the second byte shows it.
        uint8_t second = back > 1                       ? text[bytes - back + 1]
                         : lead == 0xe0 || lead == 0xf0 ? 0xbf
                                                        : 0x80;
        bool fits = lead == 0xe0   ? second >= 0xa0
                    : lead == 0xed ? second < 0xa0
                    : lead == 0xf0 ? second >= 0x90
                    : lead == 0xf4 ? second < 0x90
                                   : lead >= 0xc2 && lead < 0xf5;
        return fits && needs > back ? back : 0;
    }
    return 0;
}

static const char *hand_out(TokenStream *s, size_t *bytes)
{
    *bytes = s->text.count - s->held;
    return s->text.data ? (const char *)s->text.data : "";
}

const char *token_stream_step(TokenStream *s, int id, size_t *bytes)
{
    size_t given = s->text.count - s->held;
    if (given > 0) memmove(s->text.data, s->text.data + given, s->held);
    s->text.count = s->held;
    add_token(s, id);
    s->held = unfinished(s->text.data, s->text.count);
    return hand_out(s, bytes);
}

const char *token_stream_end(TokenStream *s, size_t *bytes)
{
    size_t given = s->text.count - s->held;
    if (given > 0) memmove(s->text.data, s->text.data + given, s->held);
    s->text.count = s->held;
    s->held = 0;
    s->started = false;
    const char *text = hand_out(s, bytes);
    s->text.count = 0;
    return text;
}

char *tokenizer_decode(const Tokenizer *t, const int32_t *ids, size_t count, DecodeOptions options,
                       size_t *bytes)
{
    TokenStream stream = {.tokenizer = t, .options = options, .started = options.continues};
    for (size_t i = 0; i < count; i++) add_token(&stream, ids[i]);
    *bytes = stream.text.count;
    bytes_add(&stream.text, "", 1);
    return (char *)stream.text.data;
}
