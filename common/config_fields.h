/* config_fields.h -- a config.json whose every field is checked when it is read.
 *
 *     ConfigFields s = {.object = config, .where = "config.json", .owner = "LlamaConfig",
 *                       .arena = arena, .err = err};
 *     uint64_t h = config_need(&s, "hidden_size");
 *     uint64_t f = config_size(&s, "intermediate_size", 11008);    // LlamaConfig's default
 *     if (s.failed) return NULL;                                     // err has the first mistake
 *
 * A mistake is remembered and reading goes on, so that a family reads like its formula; what is
 * returned after one is some number within the limits. Names in a row ("n_embd|hidden_size") are
 * alternatives, the first that is there counts. null is as good as missing.
 */
#pragma once
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include "common/arena.h"
#include "common/error.h"

struct Model;    // the reader's own

typedef struct ConfigFields {
    const cJSON *object;
    const char *where;    // opens every message: the file, and the part of it
    const char *owner;    // the class whose defaults are taken
    // NULL, or who hears of each default that config_size() takes, and what is filled from the fields.
    void (*note)(struct Model *model, const char *format, ...);
    struct Model *model;
    Arena *arena;
    Error *err;
    bool failed;
} ConfigFields;

// No number is larger: nothing that exists is near it, and a product of two fits 64 bits.
enum { CONFIG_MOST = 1 << 30, LAYERS_MOST = 1 << 16 };

uint64_t config_need(ConfigFields *s, const char *names);    // at least 1
uint64_t config_size(ConfigFields *s, const char *names,
                     uint64_t fallback);    // at least 1; noted if missing
uint64_t config_count(ConfigFields *s, const char *names,
                      uint64_t fallback);    // 0 will do; not noted
// Flags are not noted: what equals the base class's default is left out of files on purpose.
bool config_flag(ConfigFields *s, const char *name, bool fallback);
double config_real(ConfigFields *s, const char *names, double fallback, double least, double most);
const char *config_text(ConfigFields *s, const char *name, const char *fallback);    // borrowed

bool config_has(const ConfigFields *s, const char *name);     // there, and not null
bool config_null(const ConfigFields *s, const char *name);    // there, and null
uint64_t config_labels(ConfigFields *s);                      // of a classifier
// A part that is an object, whose messages and defaults are its own; without the part, an empty one.
ConfigFields config_part(ConfigFields *s, const char *name, const char *owner);

// A mistake that no single field shows.
void config_fail(ConfigFields *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
