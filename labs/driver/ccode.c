#include "labs/driver/ccode.h"
#include <ctype.h>
#include <string.h>

// No function's head is longer. Without the limit, a file that consists of names or parentheses would
// be searched to its end from each of them.
enum { LONGEST_HEAD = 4096 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool in_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static void blank(char *from, const char *to)
{
    for (; from < to; from++)
        if (*from != '\n') *from = ' ';
}

// The newline that ends this line, or the text's end; a backslash before it joins the next line.
static char *line_end(char *at, bool joined)
{
    for (;; at++) {
        at += strcspn(at, "\n");
        if (*at == '\0' || !joined) return at;
        const char *before = at;
        while (is_blank(before[-1]))
            before--;    // stops at the line's first character at the latest
        if (before[-1] != '\\') return at;
    }
}

// Behind the comment. One that is never closed takes its line only.
static char *block_comment(char *at)
{
    char *close = strstr(at + 2, "*/");
    return close != NULL ? close + 2 : line_end(at, false);
}

// Behind a directive's line, with the comment that begins in it and goes on below.
static char *behind_directive(char *line)
{
    char *end = line_end(line, true), *comment = strstr(line, "/*");
    if (comment == NULL || comment > end) return end;
    char *close = block_comment(comment);
    return close > end ? close : end;
}

// Behind the closing quote, or at the line's end when it is missing.
static char *quoted(char *at)
{
    char quote = *at++;
    while (*at != quote && *at != '\n' && *at != '\0') at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
    return *at == quote ? at + 1 : at;
}

// A directive's word, without its length: "if 0", "endif". NULL when the line holds none.
static const char *directive(const char *line)
{
    while (is_blank(*line)) line++;
    if (*line != '#') return NULL;
    for (line++; is_blank(*line); line++) {}
    return line;
}

static bool begins(const char *text, const char *word)
{
    size_t length = strlen(word);
    return strncmp(text, word, length) == 0 && !in_name(text[length]);
}

static bool is_if_0(const char *word)
{
    if (!begins(word, "if")) return false;
    for (word += 2; is_blank(*word); word++) {}
    return begins(word, "0");
}

// The line that ends what `#if 0` leaves out: its #else, #elif or #endif.
static char *behind_if_0(char *line)
{
    for (int depth = 1; *line != '\0';) {
        line = line_end(line, false);
        if (*line == '\0') break;
        const char *word = directive(++line);
        if (word == NULL) continue;
        if (strncmp(word, "if", 2) == 0) depth++;
        if (begins(word, "endif")) depth--;
        if (depth == 0 || (depth == 1 && (begins(word, "else") || begins(word, "elif")))) break;
    }
    return line;
}

char *code_only(Arena *arena, const char *text)
{
    size_t bytes = strlen(text);
    char *code = arena_alloc(arena, bytes + 2);
    bool line_start = true;
    *code++ = '\n';    // so that every line, the first too, has one before it
    memcpy(code, text, bytes + 1);
    for (char *at = code, *to; *at != '\0'; at = to) {
        const char *word = line_start ? directive(at) : NULL;
        line_start = *at == '\n';
        to = at + 1;
        if (word != NULL) {
            to = is_if_0(word) ? behind_if_0(at) : behind_directive(at);
            line_start = is_if_0(word);
        } else if (at[0] == '/' && at[1] == '*') {
            to = block_comment(at);
        } else if (at[0] == '/' && at[1] == '/') {
            to = line_end(at, true);
        } else if (*at == '"' || *at == '\'') {
            to = quoted(at);
        } else {
            continue;
        }
        blank(at, to);
    }
    return code;
}

static const char *skip_space(const char *at)
{
    while (*at == '\n' || is_blank(*at)) at++;
    return at;
}

// Behind the parenthesis that closes the one here; NULL when none does before a brace or a `;`.
static const char *behind_parentheses(const char *at)
{
    const char *from = at;
    for (int depth = 0; *at != '\0' && strchr("{};", *at) == NULL; at++) {
        if (at - from > LONGEST_HEAD) return NULL;
        if (*at == '(') depth++;
        if (*at == ')' && --depth == 0) return at + 1;
    }
    return NULL;
}

// The name with its parentheses, followed by `mark`; from `at` on. NULL when there is none.
static const char *find(const char *at, const char *name, char mark, const char **marked)
{
    size_t length = strlen(name);
    for (const char *from = at; (at = strstr(at, name)) != NULL; at += length) {
        if ((at > from && in_name(at[-1])) || in_name(at[length])) continue;
        const char *open = skip_space(at + length);
        const char *next = *open == '(' ? behind_parentheses(open) : NULL;
        if (next == NULL) continue;
        *marked = skip_space(next);
        if (**marked == mark) return at;
    }
    return NULL;
}

// Back over the return type: to the line behind the last statement, brace or empty line.
static size_t statement_start(const char *code, size_t at)
{
    size_t start = at;
    for (; at > 0 && strchr(";{}", code[at - 1]) == NULL; at--) {
        if (!is_blank(code[at - 1]) && code[at - 1] != '\n') start = at - 1;
        if (code[at - 1] != '\n') continue;
        size_t line = at - 1;
        while (line > 0 && is_blank(code[line - 1])) line--;
        if (line == 0 || code[line - 1] == '\n') break;
    }
    while (start > 0 && is_blank(code[start - 1])) start--;
    return start;
}

static size_t behind_line(const char *code, size_t at)
{
    at += strcspn(code + at, "\n");
    return at + (code[at] == '\n');
}

// Two words or more, parentheses and a brace: `static float f(int n) {`, not `if (n) {`.
static bool is_head(const char *at)
{
    int words = 0;
    bool inside = false;
    if (!in_name(*at) || begins(at, "else")) return false;
    for (const char *from = at; *at != '('; at++) {
        if (*at == '\0' || strchr("{};=", *at) != NULL || at - from > LONGEST_HEAD) return false;
        if (in_name(*at) && !inside) words++;
        inside = in_name(*at);
    }
    const char *next = behind_parentheses(at);
    return words > 1 && next != NULL && *skip_space(next) == '{';
}

// Where the next function of the file seems to begin, in the first column. Nothing that is open
// before can reach so far.
static size_t next_definition(const char *code, size_t at)
{
    do at = behind_line(code, at);
    while (code[at] != '\0' && !is_head(code + at));
    return at;
}

static size_t closing(const char *code, size_t open)
{
    size_t limit = next_definition(code, open), partner = 0;
    int depth = 0;
    for (size_t at = open; at < limit; at++) {
        if (code[at] == '{') depth++;
        if (code[at] != '}') continue;
        depth--;
        if (code[at - 1] == '\n' && (partner == 0 || depth < 0)) return at;
        if (depth == 0 && partner == 0) partner = at;
    }
    if (partner != 0) return partner;
    while (limit > open + 1 && (code[limit - 1] == '\n' || is_blank(code[limit - 1]))) limit--;
    return limit;
}

CodeSpan code_definition(const char *code, const char *name)
{
    const char *open, *at = find(code, name, '{', &open);
    if (at == NULL) return (CodeSpan){0};
    CodeSpan span = {.start = statement_start(code, (size_t)(at - code)),
                     .open = (size_t)(open - code)};
    span.close = closing(code, span.open);
    span.end = behind_line(code, code[span.close] == '}' ? span.close : span.close - 1);
    if (code[span.close] != '}') span.close = span.end;
    return span;
}

CodeSpan code_declaration(const char *code, const char *name)
{
    const char *mark, *at = find(code, name, ';', &mark);
    if (at == NULL) return (CodeSpan){0};
    return (CodeSpan){.start = statement_start(code, (size_t)(at - code)),
                      .end = behind_line(code, (size_t)(mark - code))};
}

bool code_next(const char *code, size_t from, CodeName *name, CodeSpan *span)
{
    while (code[from] != '\0' && ((from > 0 && code[from - 1] != '\n') || !is_head(code + from)))
        from = behind_line(code, from);
    if (code[from] == '\0') return false;
    const char *bracket = strchr(code + from, '('), *end = bracket;
    while (is_blank(end[-1]) || end[-1] == '\n') end--;
    for (name->text = end; name->text > code + from && in_name(name->text[-1]);) name->text--;
    name->bytes = (size_t)(end - name->text);
    *span =
        (CodeSpan){.start = from, .open = (size_t)(skip_space(behind_parentheses(bracket)) - code)};
    span->close = closing(code, span->open);
    span->end = behind_line(code, span->close);
    return true;
}

bool code_names(const char *code, CodeSpan span, CodeName name)
{
    const char *at = code + span.start, *end = code + span.end;
    if (name.bytes == 0) return false;
    for (; (at = memmem(at, (size_t)(end - at), name.text, name.bytes)) != NULL; at += name.bytes)
        if ((at == code || !in_name(at[-1])) && !in_name(at[name.bytes])) return true;
    return false;
}
