/* Any bytes through the catalogue's reader; what it accepts must keep its promises. */
#include "datasets/catalogue.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
    if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *keep = arena_new("fuzz", 4u << 20);
    Catalogue catalogue;
    Error err;
    if (catalogue_parse(keep, &catalogue, (const char *)data, size, "fuzz.json", &err)) {
        for (int i = 0; i < catalogue.count; i++) {
            const CatalogueSet *set = &catalogue.sets[i];
            char path[PATH_MAX];
            const char *package = set->package;
            expect(set->file_count > 0 && set->title[0] != '\0');
            expect(set->source_count > 0 || package != NULL);
            // Nothing that pip would take for an option, a path or an address.
            expect(package == NULL || (package[0] != '-' && strpbrk(package, "/\\: @") == NULL));
            expect(catalogue_find(&catalogue, set->name) == set);
            for (int k = 0; k < set->file_count; k++) {
                expect(catalogue_path(path, set, &set->files[k], "d", &err));
                expect(strncmp(path, "d/", 2) == 0 && strstr(path, "/.") == NULL);
                expect(set->files[k].bytes > 0 && strlen(set->files[k].sha256) == 64);
            }
        }
    }
    arena_free(keep);
    return 0;
}
