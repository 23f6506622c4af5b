#include "labs/driver/secrets.h"
#include <ctype.h>
#include <string.h>

enum { SHORTEST = 16 };

// The text without blanks; code also without its comment and its last semicolon.
static char *squeezed(Arena *arena, const char *text, bool is_code)
{
    char *out = arena_alloc(arena, strlen(text) + 1), *end = out;
    for (const char *c = text; *c != '\0'; c++) {
        if (is_code && c[0] == '/' && c[1] == '/') break;
        if (!isspace((unsigned char)*c)) *end++ = *c;
    }
    while (is_code && end > out && end[-1] == ';') end--;
    *end = '\0';
    return out;
}

// What a loop on one line does: everybody writes its head, and a hint may leave it out.
static const char *without_heads(const char *bare)
{
    while (strncmp(bare, "for(", 4) == 0) {
        const char *at = bare + 3;
        int depth = 0;
        do {
            depth += (*at == '(') - (*at == ')');
            at++;
        } while (depth > 0 && *at != '\0');
        if (depth > 0) return bare;    // it goes on in the next line
        bare = at;
    }
    return bare;
}

Secrets secrets_collect(Arena *arena, const Lab *lab, const Source *reference)
{
    size_t bytes = strlen(reference->text);
    Secrets secrets = {arena_alloc(arena, (bytes + 1) * sizeof(Secret)), 0};
    for (int e = 0; e < lab->exercise_count; e++)
        for (const char **line = source_secrets(arena, lab, reference, e); *line != NULL; line++) {
            const char *bare = without_heads(squeezed(arena, *line, true));
            if (strlen(bare) >= SHORTEST)
                secrets.secret[secrets.count++] = (Secret){e, *line, bare};
        }
    return secrets;
}

// Whether one of the first `solved` exercises contains the same line: the learner has written it.
static bool is_known(const Secrets *secrets, const Secret *secret, int solved)
{
    for (int s = 0; s < secrets->count; s++)
        if (secrets->secret[s].exercise < solved &&
            strcmp(secrets->secret[s].bare, secret->bare) == 0)
            return true;
    return false;
}

const Secret *secrets_find(Arena *arena, const Secrets *secrets, const Secret *last, int solved,
                           const char *text)
{
    const char *bare = squeezed(arena, text, false);
    for (int s = last == NULL ? 0 : (int)(last - secrets->secret) + 1; s < secrets->count; s++) {
        const Secret *secret = &secrets->secret[s];
        if (secret->exercise >= solved && strstr(bare, secret->bare) != NULL &&
            !is_known(secrets, secret, solved))
            return secret;
    }
    return NULL;
}
