#include "labs/5_frontier/paged_kv/app/memory/domain.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Each text with its length before it: "7:smollm2,-,4:salt,".
static char *name_of(const char *const *texts, int count)
{
    char *name = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&name, &size);
    if (stream == NULL) return NULL;
    for (int i = 0; i < count; i++)
        if (texts[i] == NULL) fputs("-,", stream);
        else fprintf(stream, "%zu:%s,", strlen(texts[i]), texts[i]);
    const int failed = ferror(stream);
    if (fclose(stream) == 0 && !failed) return name;
    free(name);
    return NULL;
}

int domain_find(Domains *domains, const char *const *texts, int count)
{
    char *name = name_of(texts, count);
    int found = 0;
    while (name != NULL && found < domains->count && strcmp(domains->names[found], name) != 0)
        found++;
    if (name == NULL || found == DOMAINS_MAX) {
        free(name);
        return DOMAINS_MAX + domains->unique++;
    }
    if (found < domains->count) free(name);
    else domains->names[domains->count++] = name;
    return found;
}

void domains_free(Domains *domains)
{
    for (int i = 0; i < domains->count; i++) free(domains->names[i]);
    *domains = (Domains){0};
}
