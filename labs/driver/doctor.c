#include "labs/driver/commands.h"
#include "common/gpu.h"
#include "common/json.h"
#include "labs/driver/machine.h"
#include "labs/driver/packages.h"
#include "common/console.h"
#include "common/options.h"
#include "datasets/catalogue.h"
#include "datasets/root.h"
#include "kernels/kernels.h"
#include <dlfcn.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 64 };

typedef enum PartState { PART_THERE, PART_LACKING, PART_MISSING } PartState;

typedef struct Part {
    const char *name;
    PartState state;    // lacking: a feature is off; missing: nothing works
    const char *message;
    const char *brings;    // the command that helps; NULL when nothing has to be done
} Part;

typedef struct Report {
    Arena *arena;
    Packages packages;
    int count;
    Part parts[PARTS_MAX];
} Report;

static void add(Report *report, const char *name, PartState state, const char *says,
                const char *brings)
{
    REQUIRE(report->count < PARTS_MAX, "no room for %s after %d parts", name, report->count);
    report->parts[report->count++] = (Part){name, state, says, brings};
}

// The first line that a command prints; NULL when it fails or prints nothing.
static const char *first_line(Arena *arena, const char *command)
{
    char line[256] = "";
    FILE *pipe = popen(command, "r");
    if (pipe == NULL) return NULL;
    bool read = fgets(line, sizeof line, pipe) != NULL;
    bool ran = pclose(pipe) == 0;
    line[strcspn(line, "\n")] = '\0';
    return read && ran ? arena_print(arena, "%s", line) : NULL;
}

static void check_tools(Report *report)
{
    static const struct {
        const char *name, *command;
        bool needed;
    } tools[] = {
        {"compiler", "cc --version 2>&-", true},
        {"cmake", "cmake --version 2>&-", true},
        {"ninja", "ninja --version 2>&-", true},
        {"gnuplot", "gnuplot --version 2>&-", false},
    };
    for (int i = 0; i < (int)(sizeof tools / sizeof *tools); i++) {
        const char *version = first_line(report->arena, tools[i].command);
        PartState without = tools[i].needed ? PART_MISSING : PART_LACKING;
        add(report, tools[i].name, version ? PART_THERE : without,
            version           ? version
            : tools[i].needed ? "not found"
                              : "not found: no plots, only their CSV files",
            version ? NULL : packages_setup(PACKAGE_BUILD));
    }
}

// Reads the library itself, found as the labs find it: through the program's run path.
static void check_blas(Report *report)
{
    char *(*config)(void) = NULL;
    char *(*core)(void) = NULL;
    int (*parallel)(void) = NULL;
    void *library = dlopen("libopenblas.so.0", RTLD_LAZY);
    if (library == NULL) library = dlopen("libopenblas.dylib", RTLD_LAZY);
    if (library != NULL) {    // through void **, as POSIX shows for dlsym
        *(void **)&config = dlsym(library, "openblas_get_config");
        *(void **)&core = dlsym(library, "openblas_get_corename");
        *(void **)&parallel = dlsym(library, "openblas_get_parallel");
    }
    if (config == NULL || core == NULL || parallel == NULL) {
        add(report, "BLAS", PART_LACKING, "no OpenBLAS: programs that need LAPACK are not built",
            packages_setup(PACKAGE_BUILD));
        return;
    }
    static const char *const threads[] = {"no threads", "its own threads, which compete with ours",
                                          "threads of OpenMP"};
    int name = (int)strlen("OpenBLAS "), kind = parallel();
    bool openmp = kind == 2;
    add(report, "BLAS", openmp ? PART_THERE : PART_LACKING,
        arena_print(report->arena, "%.*s, core %s, %s", name + (int)strcspn(config() + name, " "),
                    config(), core(), threads[kind < 0 || kind > 2 ? 0 : kind]),
        openmp ? NULL : packages_setup(PACKAGE_BUILD));
}

static void check_libraries(Report *report)
{
    add(report, "LAPACK", LAB_HAVE_LAPACKE ? PART_THERE : PART_LACKING,
        LAB_HAVE_LAPACKE ? "LAPACKE" : "built without LAPACKE: no PCA for comparison",
        LAB_HAVE_LAPACKE ? NULL : packages_setup(PACKAGE_BUILD));
    add(report, "downloads", LAB_HAVE_CURL ? PART_THERE : PART_LACKING,
        LAB_HAVE_CURL ? "libcurl" : "built without libcurl: ./lab data get is off",
        LAB_HAVE_CURL ? NULL : packages_setup(PACKAGE_OPTIONAL));
    add(report, "web page", LAB_HAVE_MICROHTTPD ? PART_THERE : PART_LACKING,
        LAB_HAVE_MICROHTTPD
            ? "libmicrohttpd"
            : "built without libmicrohttpd: ./lab serve and keynumbers --serve are off",
        LAB_HAVE_MICROHTTPD ? NULL : packages_setup(PACKAGE_OPTIONAL));
    add(report, "regular expressions", LAB_HAVE_PCRE2 ? PART_THERE : PART_LACKING,
        LAB_HAVE_PCRE2 ? "PCRE2"
                       : "built without PCRE2: tokenizers of unknown split patterns are off",
        LAB_HAVE_PCRE2 ? NULL : packages_setup(PACKAGE_OPTIONAL));
    add(report, "Unicode forms", LAB_HAVE_UTF8PROC ? PART_THERE : PART_LACKING,
        LAB_HAVE_UTF8PROC ? "utf8proc"
                          : "built without utf8proc: tokenizers that normalize are off",
        LAB_HAVE_UTF8PROC ? NULL : packages_setup(PACKAGE_OPTIONAL));
    add(report, "more machines", LAB_HAVE_MPI ? PART_THERE : PART_LACKING,
        LAB_HAVE_MPI ? "Open MPI" : "built without MPI: training by several processes is off",
        LAB_HAVE_MPI ? NULL : packages_setup(PACKAGE_OPTIONAL));
}

static void check_machine(Report *report)
{
    const double gib = 1u << 30;
    Machine machine = machine_inspect(root_dir());
    const Kernels *cpu = kernels_cpu();
    char limit[64] = "";
    if (machine.quota > 0)
        snprintf(limit, sizeof limit, ", limited to %.3g of them", machine.quota);
    add(report, "processor", PART_THERE, arena_print(report->arena, "%s", machine.processor), NULL);
    add(report, "kernels", PART_THERE,
        arena_print(report->arena, "cpu, built for %s", cpu->variant), NULL);
    add(report, "threads", PART_THERE,
        arena_print(report->arena, "%d, on %d of %d cores%s", omp_get_max_threads(), machine.cores,
                    machine.online, limit),
        NULL);
    add(report, "memory", PART_THERE,
        arena_print(report->arena, "%.1f GiB, %.1f free", (double)machine.memory / gib,
                    (double)machine.memory_free / gib),
        NULL);
    bool room = (double)machine.disk_free > gib;
    add(report, "disk", room ? PART_THERE : PART_LACKING,
        arena_print(report->arena, "%.1f GiB free%s", (double)machine.disk_free / gib,
                    room ? "" : ", too little for a build and data sets"),
        NULL);
}

static void check_gpu(Report *report)
{
    Gpu gpus[GPU_MAX];
    int count = gpu_list(gpus);
    const char *version =
        first_line(report->arena, "PATH=$PATH:/usr/local/cuda/bin nvcc --version "
                                  "2>&- | sed -n 's/.*release \\([0-9.]*\\).*/\\1/p'");
    add(report, "CUDA", PART_THERE,
        version ? arena_print(report->arena, "nvcc %s", version)
                : "no nvcc, which no lab needs (developer.nvidia.com/cuda-downloads)",
        NULL);
    for (int i = 0; i < count; i++)
        add(report, "GPU", PART_THERE,
            arena_print(report->arena, "%s, %.0f GiB, compute capability %d.%d", gpus[i].name,
                        (double)gpus[i].bytes / (1u << 30), gpus[i].major, gpus[i].minor),
            NULL);
    if (count == 0) add(report, "GPU", PART_THERE, "none: every lab runs on the processor", NULL);
}

static bool check_data(Report *report, Error *err)
{
    char folder[PATH_MAX];
    Catalogue catalogue;
    root_data_dir(folder);
    const char *path = arena_print(report->arena, "%s/datasets/catalogue.json", root_dir());
    if (!catalogue_load(report->arena, &catalogue, path, err)) return false;
    for (int i = 0; i < catalogue.count; i++) {
        const CatalogueSet *set = &catalogue.sets[i];
        CatalogueState state = catalogue_check(set, folder);
        const char *says = state == CATALOGUE_PRESENT   ? "in"
                           : state == CATALOGUE_DAMAGED ? "damaged in"
                                                        : "not in";
        add(report, arena_print(report->arena, "data %s", set->name),
            state == CATALOGUE_PRESENT ? PART_THERE : PART_LACKING,
            arena_print(report->arena, "%s %s", says, folder),
            state == CATALOGUE_PRESENT
                ? NULL
                : arena_print(report->arena, "./lab data get %s", set->name));
    }
    return true;
}

// One line a kind: what of .packages is not installed.
static void check_packages(Report *report)
{
    if (!packages_query(&report->packages)) return;
    for (int kind = 0; kind < PACKAGE_KINDS; kind++) {
        const char *missing = "";
        int count = 0;
        for (int i = 0; i < report->packages.count; i++) {
            const Package *package = &report->packages.items[i];
            if ((int)package->kind != kind) continue;
            count++;
            if (!package->there)
                missing = arena_print(report->arena, "%s %s", missing, package->name);
        }
        bool all = missing[0] == '\0';
        add(report,
            arena_print(report->arena, "packages: %s", packages_kind_name((PackageKind)kind)),
            all                     ? PART_THERE
            : kind == PACKAGE_BUILD ? PART_MISSING
                                    : PART_LACKING,
            all ? arena_print(report->arena, "all %d", count)
                : arena_print(report->arena, "not installed:%s", missing),
            all ? NULL : packages_setup((PackageKind)kind));
    }
}

static void print_text(const Report *report)
{
    static const struct {
        ConsoleStyle style;
        const char *mark;
    } states[] = {[PART_THERE] = {CONSOLE_GOOD, "ok"},
                  [PART_LACKING] = {CONSOLE_DIM, "-"},
                  [PART_MISSING] = {CONSOLE_BAD, "MISSING"}};
    Console console = console_begin();
    for (int i = 0; i < report->count; i++) {
        const Part *part = &report->parts[i];
        ConsoleStyle style = states[part->state].style;
        printf("%s%-8s%s", console_on(&console, style), states[part->state].mark,
               console_off(&console, style));
        console.columns -= 8;
        console_item(&console, 0, 22, part->name, part->message);
        console.columns += 8;
        if (part->brings) console_text(&console, CONSOLE_BOLD, 30, part->brings);
    }
}

static void print_json(const Report *report)
{
    static const char *const states[] = {"there", "lacking", "missing"};
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < report->count; i++) {
        const Part *part = &report->parts[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "part", part->name);
        cJSON_AddStringToObject(item, "state", states[part->state]);
        cJSON_AddStringToObject(item, "says", part->message);
        if (part->brings) cJSON_AddStringToObject(item, "brings", part->brings);
        cJSON_AddItemToArray(array, item);
    }
    json_print(array);
}

int command_doctor(int argc, char **argv)
{
    Arena *arena = arena_new("doctor", 64u << 20);
    Report *report = arena_zeros(arena, sizeof *report);
    bool json = false;
    int status;
    Error err;
    report->arena = arena;
    Options *options =
        options_new(arena, "lab doctor", "What is installed, what is missing, and how to get it.");
    options_flag(options, "json", 0, &json, "as JSON");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!packages_load(arena, root_dir(), &report->packages, &err)) return error_report(&err);

    check_tools(report);
    check_blas(report);
    check_libraries(report);
    check_machine(report);
    check_gpu(report);
    if (!check_data(report, &err)) return error_report(&err);
    check_packages(report);
    if (json) print_json(report);
    else print_text(report);
    for (int i = 0; i < report->count; i++)
        if (report->parts[i].state == PART_MISSING) status = 1;
    arena_free(arena);
    return status;
}
