#include "labs/5_frontier/key_numbers/app/question/hub.h"
#include <string.h>
#include <strings.h>

// What follows `start`, in any case; NULL where the text does not begin so.
static const char *after(const char *text, const char *start)
{
    size_t length = strlen(start);
    return strncasecmp(text, start, length) == 0 ? text + length : NULL;
}

const char *hub_name(Arena *arena, const char *text)
{
    static const char *const schemes[] = {"https://", "http://", ""};
    static const char *const hosts[] = {"huggingface.co/", "www.huggingface.co/", "hf.co/"};
    const char *rest = NULL;
    for (size_t s = 0; s < sizeof schemes / sizeof *schemes && rest == NULL; s++) {
        const char *host = after(text, schemes[s]);
        for (size_t h = 0; h < sizeof hosts / sizeof *hosts && host != NULL && rest == NULL; h++)
            rest = after(host, hosts[h]);
    }
    if (rest == NULL) return text;
    // The owner and the name; what follows is a page of it (/tree/main), a question or an anchor.
    size_t length = strcspn(rest, "?#"), owner = strcspn(rest, "/?#");
    if (owner + 1 < length) {
        size_t name = strcspn(rest + owner + 1, "/?#");
        length = name > 0 ? owner + 1 + name : owner;
    } else {
        length = owner;
    }
    return length > 0 ? arena_print(arena, "%.*s", (int)length, rest) : text;
}
