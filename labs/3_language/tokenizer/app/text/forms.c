#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>
#include "common/text.h"
#include "labs/3_language/tokenizer/app/text/code_point.h"
#include "labs/3_language/tokenizer/app/text/normalize.h"

// Characters that no canonical form changes, whatever their neighbours are: Latin, and Chinese
// characters. Most text is made of them, and is copied.
static bool stays(uint32_t code, bool composes, bool compatible)
{
    if (code < 0x80) return true;
    if (compatible || !composes) return (code >= 0x4e00 && code < 0xa000) || code == CODE_INVALID;
    return code < 0x300 || (code >= 0x3400 && code < 0x4dc0) || (code >= 0x4e00 && code < 0xa000) ||
           (code >= 0x3000 && code < 0x302a) || (code >= 0xff00 && code < 0xff61) ||
           code == CODE_INVALID;
}

static void change(Bytes *out, const uint8_t *text, size_t bytes, utf8proc_option_t options)
{
    utf8proc_uint8_t *made = NULL;
    utf8proc_ssize_t length = utf8proc_map(text, (utf8proc_ssize_t)bytes, &made, options);
    REQUIRE(length >= 0, "utf8proc: %s", utf8proc_errmsg(length));
    bytes_add(out, made, (size_t)length);
    free(made);
}

// A run of characters that may change begins with the one before it, which may be their base.
static void form(Bytes *out, const uint8_t *text, size_t bytes, bool composes, bool compatible)
{
    utf8proc_option_t options = UTF8PROC_STABLE |
                                (composes ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) |
                                (compatible ? UTF8PROC_COMPAT : 0);
    size_t done = 0, before = 0, length;
    for (size_t at = 0; at < bytes; at += length) {
        uint32_t code = code_point_at(text + at, bytes - at, &length);
        if (stays(code, composes, compatible)) {
            before = code == CODE_INVALID ? at + 1 : at;
            continue;
        }
        size_t end = at;
        while (end < bytes) {
            code = code_point_at(text + end, bytes - end, &length);
            if (stays(code, composes, compatible)) break;
            end += length;
        }
        bytes_add(out, text + done, before - done);
        change(out, text + before, end - before, options);
        done = before = end;
        at = end;
        length = 0;
    }
    bytes_add(out, text + done, bytes - done);
}

static void form_nfc(Bytes *out, const uint8_t *text, size_t bytes)
{
    form(out, text, bytes, true, false);
}

static void form_nfd(Bytes *out, const uint8_t *text, size_t bytes)
{
    form(out, text, bytes, false, false);
}

static void form_nfkc(Bytes *out, const uint8_t *text, size_t bytes)
{
    form(out, text, bytes, true, true);
}

static void form_nfkd(Bytes *out, const uint8_t *text, size_t bytes)
{
    form(out, text, bytes, false, true);
}

static void lowercase(Bytes *out, const uint8_t *text, size_t bytes)
{
    size_t length;
    for (size_t at = 0; at < bytes; at += length) {
        uint32_t code = code_point_at(text + at, bytes - at, &length);
        uint8_t lower[4];
        if (code == CODE_INVALID) bytes_add(out, text + at, length);
        else if (code == 0x130) bytes_add(out, "i\xcc\x87", 3);    // the one of two characters
        else bytes_add(out, lower, code_point_write((uint32_t)utf8proc_tolower((int)code), lower));
    }
}

FormFunction *form_find(const char *name, Error *err)
{
    static const struct {
        const char *name;
        FormFunction *function;
    } forms[] = {{"NFC", form_nfc},
                 {"NFD", form_nfd},
                 {"NFKC", form_nfkc},
                 {"NFKD", form_nfkd},
                 {"lowercase", lowercase}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].name, name) == 0) return forms[i].function;
    error_set(err, "there is no normal form '%s'", name);
    return NULL;
}
