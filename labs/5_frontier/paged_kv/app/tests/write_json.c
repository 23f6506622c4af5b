/* write_json.c -- for schema_live.py: a schema on each line in; for each a JSON list of texts, made by random steps
 * through its grammar; null where it is refused. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/rng.h"
#include "labs/5_frontier/paged_kv/app/sampling/json_schema.h"

enum { TEXTS = 30, BYTES = 4000 };

// False: it did not end.
static bool write_text(Grammar *g, Rng *rng, char text[BYTES + 1])
{
    int state = grammar_begin(g);
    for (int used = 0; used < BYTES; used++) {
        int bytes[256], count = 0;
        for (int b = 0; b < 256; b++)
            if (grammar_step(g, state, (uint8_t)b) >= 0) bytes[count++] = b;
        text[used] = '\0';
        if (grammar_ends(g, state) && (count == 0 || rng_below(rng, 3) == 0)) return true;
        if (count == 0) return false;
        int byte = bytes[rng_below(rng, (uint32_t)count)];
        for (int i = 0; i < count && rng_below(rng, 3) == 0; i++)    // what ends things
            if (strchr("\"]}", bytes[i]) != NULL) byte = bytes[i];
        text[used] = (char)byte;
        state = grammar_step(g, state, (uint8_t)byte);
    }
    return false;
}

static cJSON *write_texts(const char *schema, Rng *rng)
{
    static char text[BYTES + 1];
    Error err;
    Grammar *g = json_schema_compile(schema, strlen(schema), &err);
    if (g == NULL) {
        fprintf(stderr, "%s\n", err.message);
        return cJSON_CreateNull();
    }
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < TEXTS; i++)
        if (write_text(g, rng, text)) cJSON_AddItemToArray(list, cJSON_CreateString(text));
    grammar_free(g);
    return list;
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    Rng rng = rng_from_seed(77);
    while (getline(&line, &room, stdin) > 0) {
        cJSON *list = write_texts(line, &rng);
        char *shown = cJSON_PrintUnformatted(list);
        puts(shown != NULL ? shown : "null");
        cJSON_free(shown);
        cJSON_Delete(list);
    }
    free(line);
    return EXIT_SUCCESS;
}
