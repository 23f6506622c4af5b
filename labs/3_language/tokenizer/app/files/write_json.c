#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/file.h"
#include "common/text.h"
#include "labs/3_language/tokenizer/app/text/byte_alphabet.h"
#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"

static void write_text(FILE *out, const char *text, size_t bytes)
{
    putc('"', out);
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f) fprintf(out, "\\u%04x", c);
        else putc(c, out);
    }
    putc('"', out);
}

static void write_name(FILE *out, const Tokenizer *t, int id)
{
    const Token *token = &t->bpe.vocabulary.tokens[id];
    Bytes written = {0};
    if (t->bpe.byte_level && !token->literal)
        byte_alphabet_write(&written, token->piece, token->piece_bytes);
    else bytes_add(&written, token->piece, token->piece_bytes);
    write_text(out, (const char *)written.data, written.count);
    free(written.data);
}

// ---- added tokens ----

static int by_id(const void *a, const void *b)
{
    const AddedToken *const *x = a, *const *y = b;
    return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

static void write_added(FILE *out, const Tokenizer *t)
{
    static const char *const truth[] = {"false", "true"};
    int count = 0;
    const AddedToken **tokens =
        malloc((size_t)(t->added[0].count + t->added[1].count + 1) * sizeof *tokens);
    REQUIRE(tokens != NULL, "no memory for the added tokens");
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < t->added[i].count; k++) tokens[count++] = &t->added[i].items[k];
    qsort(tokens, (size_t)count, sizeof *tokens, by_id);
    fputs("  \"added_tokens\": [", out);
    for (int i = 0; i < count; i++) {
        const AddedToken *token = tokens[i];
        const Token *named = &t->bpe.vocabulary.tokens[token->id];
        fprintf(out, "%s\n    {\"id\": %d, \"content\": ", i > 0 ? "," : "", token->id);
        write_text(out, named->text, named->text_bytes);
        fprintf(out,
                ", \"single_word\": %s, \"lstrip\": %s, \"rstrip\": %s, \"normalized\": %s, "
                "\"special\": %s}",
                truth[token->single_word], truth[token->left], truth[token->right],
                truth[token->normalized], truth[token->special]);
    }
    fputs("\n  ],\n", out);
    free(tokens);
}

// ---- the model ----

static void write_model(FILE *out, const Tokenizer *t)
{
    const Bpe *bpe = &t->bpe;
    fputs("  \"model\": {\n    \"type\": \"BPE\", \"dropout\": null, \"unk_token\": ", out);
    if (bpe->unknown >= 0) write_name(out, t, bpe->unknown);
    else fputs("null", out);
    fprintf(out,
            ", \"continuing_subword_prefix\": null, \"end_of_word_suffix\": null,\n"
            "    \"fuse_unk\": %s, \"byte_fallback\": %s, \"ignore_merges\": %s,\n    \"vocab\": {",
            bpe->fuse_unknown ? "true" : "false", bpe->byte_fallback ? "true" : "false",
            bpe->ignore_merges ? "true" : "false");
    const char *before = "\n";
    for (int id = 0; id < bpe->vocabulary.count; id++) {
        const Token *token = &bpe->vocabulary.tokens[id];
        if (token->kind == TOKEN_NONE || token->added_only) continue;
        fputs(before, out);
        write_name(out, t, id);
        fprintf(out, ": %d", id);
        before = ",\n";
    }
    fputs("\n    },\n    \"merges\": [", out);
    for (size_t i = 0; i < bpe->merges.count; i++) {
        fputs(i > 0 ? ",\n[" : "\n[", out);
        write_name(out, t, bpe->merges.items[i].left);
        fputs(", ", out);
        write_name(out, t, bpe->merges.items[i].right);
        putc(']', out);
    }
    fputs("\n    ]\n  }\n}\n", out);
}

static bool check_utf8(const Vocabulary *v, const char *path, Error *err)
{
    for (int id = 0; id < v->count; id++) {
        const Token *token = &v->tokens[id];
        size_t length = 1;
        for (size_t at = 0; token->kind != TOKEN_NONE && at < token->piece_bytes; at += length) {
            length = text_utf8_length(token->piece + at, token->piece_bytes - at);
            if (length == 0)
                return error_set(err, "%s: token %d is not UTF-8, which JSON cannot hold", path,
                                 id);
        }
    }
    return true;
}

bool tokenizer_json_write(const Tokenizer *t, const char *path, Error *err)
{
    NewFile file;
    if (!t->bpe.byte_level && !check_utf8(&t->bpe.vocabulary, path, err)) return false;
    if (!file_begin(&file, path, err)) return false;
    fputs("{\n  \"version\": \"1.0\",\n", file.stream);
    write_added(file.stream, t);
    for (int i = 0; i < TOKENIZER_PARTS; i++) {
        const char *name = tokenizer_part_names[i];
        const cJSON *part = cJSON_GetObjectItemCaseSensitive(t->parts, name);
        char *text = part ? cJSON_PrintUnformatted(part) : NULL;
        fprintf(file.stream, "  \"%s\": %s,\n", name, text ? text : "null");
        cJSON_free(text);
    }
    write_model(file.stream, t);
    return file_commit(&file, err);
}
