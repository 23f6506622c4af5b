#include "bench/machine.h"
#include <ctype.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/gpu.h"
#include "common/text.h"

// The text after the colon of the first line that begins with `name`, with single spaces; NULL: there is none.
static const char *field_of(Arena *keep, const char *path, const char *name)
{
    char line[512];
    const char *found = NULL;
    FILE *file = fopen(path, "r");
    while (file != NULL && found == NULL && fgets(line, sizeof line, file) != NULL) {
        char *colon = strchr(line, ':');
        if (strncmp(line, name, strlen(name)) != 0 || colon == NULL) continue;
        char *to = line;
        for (const char *at = colon + 1; *at != '\0' && *at != '\n'; at++)
            if (*at != ' ' || (to > line && to[-1] != ' ')) *to++ = *at;
        *to = '\0';
        found = arena_print(keep, "%s", line);
    }
    if (file != NULL) fclose(file);
    return found;
}

const char *machine_processor(Arena *keep)
{
    const char *name = field_of(keep, "/proc/cpuinfo", "model name");
    return name != NULL ? name : "";
}

// The first word of digits and at least one point.
const char *machine_driver_in(Arena *keep, const char *line)
{
    for (const char *at = line; *at != '\0';) {
        const size_t length = strcspn(at, " \t\n"), plain = strspn(at, "0123456789.");
        if (length > 0 && plain == length && memchr(at, '.', length) != NULL)
            return arena_print(keep, "%.*s", (int)length, at);
        at += length + strspn(at + length, " \t\n");
    }
    return "";
}

// The newest CUDA that the driver runs, as 12080; 0: not known.
static int driver_cuda(void)
{
    int version = 0, (*get)(int *version) = NULL;
    void *library = dlopen("libcuda.so.1", RTLD_LAZY);
    if (library == NULL) return 0;
    *(void **)&get = dlsym(library, "cuDriverGetVersion");
    return get != NULL && get(&version) == 0 ? version : 0;
}

const char *machine_gpu(Arena *keep, const char *device)
{
    Gpu gpus[GPU_MAX];
    if (strncmp(device, "cuda", 4) != 0) return NULL;
    const int number = device[4] == ':' ? atoi(device + 5) : 0;
    if (number >= gpu_list(gpus)) return NULL;
    char *name = arena_print(keep, "%s", gpus[number].name);
    text_clean(name);
    return name;
}

const char *machine_device(Arena *keep, const char *device)
{
    const char *gpu = machine_gpu(keep, device);
    if (gpu != NULL) {
        const char *line = field_of(keep, "/proc/driver/nvidia/version", "NVRM version");
        const char *driver = machine_driver_in(keep, line != NULL ? line : "");
        const int cuda = driver_cuda();
        return arena_print(keep, "%s, driver %s, CUDA %d.%d", gpu, *driver ? driver : "unknown",
                           cuda / 1000, cuda % 1000 / 10);
    }
    const char *processor = machine_processor(keep);
    if (strcmp(device, "emulated") == 0)
        return arena_print(keep, "CUDA kernels emulated on %s: its times mean nothing", processor);
    if (strcmp(device, "far") == 0)
        return arena_print(keep, "a device for tests, on %s: its times mean nothing", processor);
    return processor;
}

const char *machine_file(Arena *keep, const char *name)
{
    char *file = arena_print(keep, "%s.json", *name != '\0' ? name : "unknown"), *to = file;
    const char *end = file + strlen(file) - strlen(".json");
    for (const char *at = file; at < end; at++) {
        const unsigned char letter = (unsigned char)*at;
        if (letter < 128 && isalnum(letter)) *to++ = (char)tolower(letter);
        else if (to > file && to[-1] != '-') *to++ = '-';
    }
    while (to > file && to[-1] == '-') to--;
    if (to == file) return "unknown.json";
    memmove(to, end, strlen(".json") + 1);
    return file;
}
