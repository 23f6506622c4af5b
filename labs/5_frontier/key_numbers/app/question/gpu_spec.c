#include "labs/5_frontier/key_numbers/app/question/gpu_spec.h"
#include <ctype.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "common/json.h"
#include "common/nearest.h"
#include "common/text.h"
#include "datasets/root.h"

#define TABLE "labs/5_frontier/key_numbers/app/facts/gpus.json"

enum { PLAIN_MAX = 96, NAMED_MAX = 6 };

// ---- one object ----

// Numbers, each with its unit in the key. `most` is far above what exists, and far below a slip in units.
static const struct {
    const char *key;
    size_t offset;
    double unit, least, most;
} numbers[] = {
    {"memory_gb", offsetof(GpuSpec, vendor_gb), 1, 0.5, 1e4},
    {"bandwidth_gbs", offsetof(GpuSpec, bandwidth), 1e9, 1, 1e6},
    {"seen_mib", offsetof(GpuSpec, memory), 0x1p20, 512, 1e7},
    {"fp32_tflops", offsetof(GpuSpec, fp32), 1e12, 0.01, 1e6},
    {"tf32_tflops", offsetof(GpuSpec, tf32), 1e12, 0.01, 1e6},
    {"bf16_tflops", offsetof(GpuSpec, bf16), 1e12, 0.01, 1e6},
    {"fp8_tflops", offsetof(GpuSpec, fp8), 1e12, 0.01, 1e6},
    {"fp4_tflops", offsetof(GpuSpec, fp4), 1e12, 0.01, 1e6},
    {"int8_tops", offsetof(GpuSpec, int8), 1e12, 0.01, 1e6},
    {"watts", offsetof(GpuSpec, watts), 1, 0.1, 1e5},
    {"link_gbs", offsetof(GpuSpec, link), 1e9, 0.01, 1e6},
};

typedef struct Field {
    const char *key;
    size_t offset;
} Field;

static const Field texts[] = {
    {"id", offsetof(GpuSpec, id)},         {"name", offsetof(GpuSpec, name)},
    {"vendor", offsetof(GpuSpec, vendor)}, {"source", offsetof(GpuSpec, source)},
    {"note", offsetof(GpuSpec, note)},
};
static const Field flags[] = {
    {"has_bf16", offsetof(GpuSpec, has_bf16)},
    {"shared", offsetof(GpuSpec, shared)},
};

enum {
    NEEDED = 2,    // of the numbers, the first two
    NUMBER_COUNT = sizeof numbers / sizeof *numbers,
    TEXT_COUNT = sizeof texts / sizeof *texts,
    FLAG_COUNT = sizeof flags / sizeof *flags
};

static bool is_known(const char *key, const char *where, Error *err)
{
    const char *names[NUMBER_COUNT + TEXT_COUNT + FLAG_COUNT + 1];
    int count = 0;
    for (int i = 0; i < NUMBER_COUNT; i++) names[count++] = numbers[i].key;
    for (int i = 0; i < TEXT_COUNT; i++) names[count++] = texts[i].key;
    for (int i = 0; i < FLAG_COUNT; i++) names[count++] = flags[i].key;
    names[count++] = "also";
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], key) == 0) return true;
    const char *near = nearest(key, names, count);
    return error_set(err, "%s: \"%.40s\" is nothing that a GPU has here%s%s%s", where, key,
                     near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static void *member(GpuSpec *spec, size_t offset)
{
    return (char *)spec + offset;
}

static bool read_fields(Arena *arena, const cJSON *object, const char *where, GpuSpec *spec,
                        Error *err)
{
    for (const cJSON *node = object->child; node != NULL; node = node->next)
        if (!is_known(node->string, where, err)) return false;
    for (int i = 0; i < TEXT_COUNT; i++)
        if (cJSON_HasObjectItem(object, texts[i].key) &&
            !json_text(arena, object, where, texts[i].key, member(spec, texts[i].offset), err))
            return false;
    for (int i = 0; i < NUMBER_COUNT; i++) {
        double *number = member(spec, numbers[i].offset);
        if (i >= NEEDED && !cJSON_HasObjectItem(object, numbers[i].key)) continue;
        if (!json_number(object, where, numbers[i].key, numbers[i].least, numbers[i].most, number,
                         err))
            return false;
        *number *= numbers[i].unit;
    }
    for (int i = 0; i < FLAG_COUNT; i++) {
        const cJSON *node = cJSON_GetObjectItemCaseSensitive(object, flags[i].key);
        if (node == NULL) continue;
        if (!cJSON_IsBool(node))
            return error_set(err, "%s: \"%s\" is not true or false", where, flags[i].key);
        *(bool *)member(spec, flags[i].offset) = cJSON_IsTrue(node);
    }
    return !cJSON_HasObjectItem(object, "also") ||
           json_texts(arena, object, where, "also", &spec->also, &spec->also_count, err);
}

// `where` names the object in messages; in the file of a user's own GPU that is its name, too.
static bool read_spec(Arena *arena, const cJSON *object, const char *where, GpuSpec *spec,
                      Error *err)
{
    *spec = (GpuSpec){.vendor = "", .source = where, .has_bf16 = true};
    if (!read_fields(arena, object, where, spec, err)) return false;
    if (spec->id == NULL) spec->id = where;
    if (spec->name == NULL) spec->name = spec->id;
    spec->memory_measured = spec->memory > 0;
    if (!spec->memory_measured) spec->memory = spec->vendor_gb * 1e9;
    double most =
        spec->vendor_gb * 0x1p30 * 1.05;    // a data sheet's GB are often GiB, and are rounded
    return spec->memory <= most ||
           error_set(err, "%s: \"seen_mib\" is %.0f, more than \"memory_gb\" %g can be", where,
                     spec->memory / 0x1p20, spec->vendor_gb);
}

static bool read_file(Arena *arena, const char *path, GpuSpec *spec, Error *err)
{
    cJSON *tree = json_load(path, err);
    bool read = tree != NULL && read_spec(arena, tree, arena_print(arena, "%s", path), spec, err);
    cJSON_Delete(tree);
    for (int i = 0; i < TEXT_COUNT && read; i++) {
        char **text = member(spec, texts[i].offset);    // of the arena, unless empty
        if (*text != NULL && **text != '\0') text_clean(*text);
    }
    return read;
}

int gpu_spec_list(Arena *arena, const GpuSpec **specs, Error *err)
{
    cJSON *tree = json_load(arena_print(arena, "%s/%s", root_dir(), TABLE), err), *node;
    const cJSON *rows = tree != NULL ? json_array(tree, TABLE, "gpus", err) : NULL;
    int count = 0;
    bool read = rows != NULL;
    GpuSpec *list = arena_alloc(arena, ((size_t)cJSON_GetArraySize(rows) + 1) * sizeof *list);
    cJSON_ArrayForEach(node, rows)
    {
        if (read)
            read = read_spec(arena, node, arena_print(arena, "%s: gpus[%d]", TABLE, count),
                             &list[count], err);
        count++;
    }
    cJSON_Delete(tree);
    *specs = list;
    return read ? count : -1;
}

// ---- names ----

// "NVIDIA GeForce RTX 4090" and "rtx-4090": what is left are letters and digits, in small letters.
static const char *plain(const char *text, char plain[PLAIN_MAX])
{
    int length = 0;
    if (strncmp(text, "NVIDIA ", 7) == 0) text += 7;
    for (; *text != '\0' && length < PLAIN_MAX - 1; text++)
        if (isalnum((unsigned char)*text)) plain[length++] = (char)tolower((unsigned char)*text);
    plain[length] = '\0';
    return plain;
}

static bool is_same(const char *name, const char *wanted)
{
    char text[PLAIN_MAX];
    return strcmp(plain(name, text), wanted) == 0;
}

static bool is_part(const GpuSpec *spec, const char *wanted)
{
    char text[PLAIN_MAX];
    return wanted[0] != '\0' &&
           (strstr(plain(spec->id, text), wanted) || strstr(plain(spec->name, text), wanted));
}

static bool is_also(const GpuSpec *spec, const char *wanted)
{
    for (int i = 0; i < spec->also_count; i++)
        if (is_same(spec->also[i], wanted)) return true;
    return false;
}

// "h100-pcie, h100-nvl, ..."
static const char *named(Arena *arena, const GpuSpec *specs, int count, const char *wanted,
                         const GpuSpec *but)
{
    const char *text = "";
    int shown = 0;
    for (int i = 0; i < count; i++) {
        if (&specs[i] == but || !is_part(&specs[i], wanted)) continue;
        if (shown++ < NAMED_MAX)
            text = arena_print(arena, "%s%s%s", text, shown > 1 ? ", " : "", specs[i].id);
    }
    return shown > NAMED_MAX ? arena_print(arena, "%s, ...", text) : text;
}

static bool not_found(const char *what, const GpuSpec *specs, int count, Arena *arena, Error *err)
{
    const char **ids = arena_alloc(arena, ((size_t)count + 1) * sizeof *ids);
    for (int i = 0; i < count; i++) ids[i] = specs[i].id;
    const char *near = nearest(what, ids, count);
    return error_set(err, "gpu: '%.60s' is not in the table%s%s%s; --list gpus shows it, and a %s",
                     what, near ? "; did you mean " : "", near ? near : "", near ? "?" : "",
                     "FILE.json can describe another");
}

// Each word of `what`, "a100-40gb" or "Apple M2 Ultra", stands in the id or the name; vendors and GB aside.
static bool has_words(const GpuSpec *spec, const char *what)
{
    static const char *const aside[] = {"nvidia", "apple", "amd", "intel",
                                        "google", "tesla", "gb",  "gpu"};
    char id[PLAIN_MAX], name[PLAIN_MAX], word[PLAIN_MAX];
    int words = 0;
    plain(spec->id, id), plain(spec->name, name);
    while (*what != '\0') {
        int length = 0;
        bool digits = isdigit((unsigned char)*what);
        for (; isalnum((unsigned char)*what) && length < PLAIN_MAX - 1; what++) {
            // "40gb" is 40 and gb; "a100" is one word.
            if (digits && isalpha((unsigned char)*what)) break;
            word[length++] = (char)tolower((unsigned char)*what);
        }
        word[length] = '\0';
        bool left = length == 0;
        for (size_t i = 0; i < sizeof aside / sizeof *aside; i++)
            left |= strcmp(word, aside[i]) == 0;
        if (length == 0) what++;
        if (left) continue;
        if (strstr(id, word) == NULL && strstr(name, word) == NULL) return false;
        words++;
    }
    return words > 1;
}

// "2x3090" is a number of GPUs.
static bool several(const char *what, Error *err)
{
    size_t digits = strspn(what, "0123456789"), blanks = strspn(what + digits, " ");
    const char *x = what + digits + blanks;
    if (digits == 0 || digits > 4 || (*x != 'x' && *x != 'X' && *x != '*')) return false;
    x++;
    x += strspn(x, " ");
    error_set(err, "gpu: '%.60s' is a number of them: --gpus %.*s --gpu \"%.50s\"", what,
              (int)digits, what, x);
    return true;
}

// By its id or name; by another name; by a part that no other has, or by words.
bool gpu_spec_in_table(Arena *arena, const char *what, GpuSpec *spec, Error *err)
{
    const GpuSpec *specs, *found = NULL;
    char wanted[PLAIN_MAX];
    int parts = 0, count = gpu_spec_list(arena, &specs, err);
    if (count < 0) return false;
    plain(what, wanted);
    for (int i = 0; i < count && found == NULL; i++)
        if (is_same(specs[i].id, wanted) || is_same(specs[i].name, wanted)) found = &specs[i];
    bool exact = found != NULL;
    for (int i = 0; i < count && found == NULL; i++)
        if (is_also(&specs[i], wanted)) found = &specs[i];
    const GpuSpec *part = NULL;
    for (int i = 0; i < count; i++)
        if (is_part(&specs[i], wanted)) parts++, part = &specs[i];
    if (found == NULL && parts > 1)
        return error_set(err, "gpu: '%.60s' may be %s: which?", what,
                         named(arena, specs, count, wanted, NULL));
    if (found == NULL) found = part;
    for (int i = 0; i < count && found == NULL && parts == 0; i++) {
        const char *others = "";
        for (int k = i; k < count; k++) {
            if (!has_words(&specs[k], what)) continue;
            if (found != NULL) others = arena_print(arena, "%s, %s", others, specs[k].id);
            else found = &specs[k];
        }
        if (*others != '\0')
            return error_set(err, "gpu: '%.60s' may be %s%s: which?", what, found->id, others);
    }
    if (found == NULL && several(what, err)) return false;
    if (found == NULL) return not_found(what, specs, count, arena, err);
    *spec = *found;
    spec->table = specs, spec->table_count = count;
    if (!exact && parts > 1)
        spec->note = arena_print(arena, "'%s' is taken for %s; there are %s, too%s%s", what,
                                 found->id, named(arena, specs, count, wanted, found),
                                 found->note ? ". " : "", found->note ? found->note : "");
    return true;
}

// ---- the GPU of this machine ----

// FLOPs for each multiprocessor and clock: 16-bit products with fp32 accumulation, dense, and on GeForce
// GPUs, most of which do half of that; and its fp32 lanes, two FLOPs each. NVIDIA's papers on each
// architecture; the table's rows agree (test_card.c).
static const struct {
    int major, minor;
    double products, geforce, lanes;
} architectures[] = {
    {6, 0, 256, 256, 64},     {6, 1, 0, 0, 128},        {7, 0, 1024, 1024, 64},
    {7, 5, 1024, 512, 64},    {8, 0, 2048, 2048, 64},   {8, 6, 1024, 512, 128},
    {8, 7, 2048, 2048, 128},  {8, 9, 1024, 512, 128},   {9, 0, 4096, 4096, 128},
    {10, 0, 8192, 8192, 128}, {10, 3, 8192, 8192, 128}, {12, 0, 1024, 512, 128},
    {12, 1, 1024, 512, 128},
};

static void estimate_peaks(const Gpu *gpu, GpuSpec *spec)
{
    double cycles = gpu->processors * (gpu->clock_khz * 1e3);
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++) {
        if (architectures[i].major != gpu->major || architectures[i].minor != gpu->minor) continue;
        bool geforce = strstr(gpu->name, "GeForce") != NULL;
        spec->bf16 = cycles * (geforce ? architectures[i].geforce : architectures[i].products);
        spec->fp32 = cycles * 2 * architectures[i].lanes;
        if (gpu->major * 10 + gpu->minor >= 89)
            spec->fp8 = 2 * spec->bf16;    // Ada, and what came after
    }
}

static bool estimate(Arena *arena, const Gpu *gpu, GpuSpec *spec, Error *err)
{
    if (gpu->memory_khz <= 0 || gpu->bus_bits <= 0)
        return error_set(err, "gpu: %s is not in the table and its driver does not tell its %s",
                         gpu->name, "memory's clock: describe it in a FILE.json");
    *spec = (GpuSpec){.id = "here", .vendor = "NVIDIA", .shared = gpu->integrated};
    spec->has_bf16 = gpu->major >= 8;
    spec->vendor_gb = ceil((double)gpu->bytes / 0x1p30);
    spec->bandwidth = 2 * (gpu->memory_khz * 1e3) * (gpu->bus_bits / 8.0);
    spec->source = "this machine's driver";
    spec->note = arena_print(arena,
                             "not in the table: bandwidth is 2 x %.0f MHz x %d bits, peaks are "
                             "%d multiprocessors x %.0f MHz x what those of %d.%d do in a cycle",
                             gpu->memory_khz / 1e3, gpu->bus_bits, gpu->processors,
                             gpu->clock_khz / 1e3, gpu->major, gpu->minor);
    estimate_peaks(gpu, spec);
    return true;
}

// One name may be that of GPUs of two sizes: the nearer one, if it is within a tenth.
bool gpu_spec_of_device(Arena *arena, const Gpu *gpu, GpuSpec *spec, Error *err)
{
    const GpuSpec *specs, *best = NULL;
    char wanted[PLAIN_MAX];
    double bytes = (double)gpu->bytes, nearest_by = 0.1;
    int count = gpu_spec_list(arena, &specs, err);
    if (count < 0) return false;
    plain(gpu->name, wanted);
    for (int i = 0; i < count; i++) {
        double off = fabs(bytes / specs[i].memory - 1);
        if (off < nearest_by && (is_also(&specs[i], wanted) || is_same(specs[i].name, wanted)))
            best = &specs[i], nearest_by = off;
    }
    if (best != NULL) {
        *spec = *best;
        spec->source =
            arena_print(arena, "this machine's driver for the memory; the table's %s: %s", best->id,
                        best->source);
    } else if (!estimate(arena, gpu, spec, err)) {
        return false;
    }
    spec->name = arena_print(arena, "%s", gpu->name);
    spec->memory = bytes;
    spec->memory_measured = true;
    return true;
}

bool gpu_spec_find(Arena *arena, const char *what, GpuSpec *spec, Error *err)
{
    if (text_ends(what, ".json")) return read_file(arena, what, spec, err);
    if (strcmp(what, "here") != 0) return gpu_spec_in_table(arena, what, spec, err);
    Gpu gpus[GPU_MAX];
    if (gpu_list(gpus) == 0)
        return error_set(
            err, "gpu: there is no NVIDIA GPU here, or no driver for it: name one of the table "
                 "(--list gpus) or describe it in a FILE.json");
    return gpu_spec_of_device(arena, &gpus[0], spec, err);
}

double gpu_spec_peak(const GpuSpec *spec, int bits)
{
    if (bits == 32) return spec->fp32;
    return bits == 8 && spec->fp8 > 0 ? spec->fp8 : spec->bf16;
}
