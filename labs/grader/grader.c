/* grader -- runs a lab's cases on an untrusted submission, each in a process of its own.
 *
 *     grader --cases check_cnn.so --submission libexercises_cnn.so --source mine/cnn/cnn.c 'conv__*:5'
 *     {"case":"conv__keeps_the_edge","verdict":"crash","message":"writes one element past ...",...}
 *
 * One line of JSON for each case, as it ends; with --first those of an exercise end at the first wrong result. Exit status 0 when all the requested cases were graded, 2
 * for wrong arguments or when the course's own files are broken.
 */
#include <cjson/cJSON.h>
#include <dlfcn.h>
#include <fnmatch.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "common/arena.h"
#include "common/error.h"
#include "common/text.h"
#include "kernels/device.h"
#include "labs/grader/worker_pool.h"
#include "tests/cases.h"

static int refuse(const char *what, const char *which)
{
    error_print("%s%s", what, which);
    return 2;
}

// ---- arguments ----

typedef struct Arguments {
    const char *cases, *submission, *source;
    int jobs;
    bool list, first;
    char **patterns;    // "loss__*:5"
    int count;
} Arguments;

static bool arguments_parse(Arguments *arguments, int argc, char **argv)
{
    static const struct option options[] = {{"cases", 1, 0, 'c'},
                                            {"submission", 1, 0, 'a'},
                                            {"source", 1, 0, 's'},
                                            {"jobs", 1, 0, 'j'},
                                            {"list", 0, 0, 'l'},
                                            {"first", 0, 0, 'f'},
                                            {0}};
    *arguments = (Arguments){.jobs = (int)sysconf(_SC_NPROCESSORS_ONLN)};
    for (int letter; (letter = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (letter == 'c') arguments->cases = optarg;
        else if (letter == 'a') arguments->submission = optarg;
        else if (letter == 's') arguments->source = optarg;
        else if (letter == 'j') arguments->jobs = atoi(optarg);
        else if (letter == 'l') arguments->list = true;
        else if (letter == 'f') arguments->first = true;
        else return false;
    }
    arguments->patterns = argv + optind;
    arguments->count = argc - optind;
    return arguments->cases &&
           (arguments->list ||
            (arguments->submission && arguments->source && arguments->count > 0)) &&
           arguments->jobs > 0;
}

// ---- the jobs ----

// Cuts ":5" off the pattern; 0 when there is none.
static double pattern_seconds(char *pattern)
{
    char *colon = strrchr(pattern, ':'), *end = NULL;
    double seconds = colon ? strtod(colon + 1, &end) : 0;
    if (colon == NULL || end == colon + 1 || *end != '\0' || !(seconds > 0 && seconds < 1e5))
        return 0;
    *colon = '\0';
    return seconds;
}

// The matching cases, each once, in their order. NULL after a sentence on standard error.
static Job *choose_jobs(Arena *keep, const Arguments *arguments, const CaseList *lists, int *count)
{
    int total = 0;
    for (const CaseList *list = lists; *list != NULL; list++)
        for (CaseList one = *list; one->name != NULL; one++) total++;
    Job *jobs = arena_zeros(keep, (size_t)total * sizeof *jobs);
    double *seconds = arena_zeros(keep, (size_t)arguments->count * sizeof *seconds);
    bool *matches = arena_zeros(keep, (size_t)arguments->count * sizeof *matches);
    for (int p = 0; p < arguments->count; p++)
        if ((seconds[p] = pattern_seconds(arguments->patterns[p])) == 0)
            return refuse("expected PATTERN:SECONDS, got ", arguments->patterns[p]), NULL;
    *count = 0;
    for (const CaseList *list = lists; *list != NULL; list++)
        for (CaseList one = *list; one->name != NULL; one++)
            for (int p = 0; p < arguments->count; p++)
                if (fnmatch(arguments->patterns[p], one->name, 0) == 0) {
                    matches[p] = true;
                    jobs[(*count)++] = (Job){.test = one, .group = p, .seconds = seconds[p]};
                    break;
                }
    for (int p = 0; p < arguments->count; p++)
        if (!matches[p]) return refuse("no case matches ", arguments->patterns[p]), NULL;
    return jobs;
}

static void list_cases(const CaseList *lists)
{
    for (; *lists != NULL; lists++)
        for (CaseList one = *lists; one->name != NULL; one++) puts(one->name);
}

// ---- results ----

// What was printed, with a question mark for every byte that is not UTF-8 or zero.
static size_t clean(char *to, const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t length = text[i] == '\0' ? 0 : text_utf8_length(text + i, size - i);
        if (length == 0) to[i++] = '?';
        else memcpy(to + i, text + i, length), i += length;
    }
    return size;
}

static void add_text(cJSON *line, const char *name, const char *text)
{
    static char cleaned[16384];
    size_t length = strlen(text);
    if (length > sizeof cleaned - 1) length = sizeof cleaned - 1;
    cleaned[clean(cleaned, text, length)] = '\0';
    cJSON_AddStringToObject(line, name, cleaned);
}

static void print_job(const Job *job)
{
    static char output[2 * OUTPUT_KEPT + 1];
    size_t length = clean(output, job->out.text, job->out.kept);
    length += clean(output + length, job->err.text, job->err.kept);
    output[length] = '\0';
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "case", job->test->name);
    cJSON_AddStringToObject(line, "verdict", verdict_name(job->verdict));
    add_text(line, "message", job->message);
    add_text(line, "detail", job->detail);
    cJSON_AddStringToObject(line, "output", output);
    cJSON_AddNumberToObject(line, "line", job->line);
    cJSON_AddNumberToObject(line, "seconds", job->took);
    char *text = cJSON_PrintUnformatted(line);
    puts(text);
    fflush(stdout);
    free(text);
    cJSON_Delete(line);
}

// OpenMP and the sanitizers read the environment before main() begins.
static void clean_environment(char **argv)
{
    static const char *const unwanted[] = {
        "ASAN_OPTIONS",    "UBSAN_OPTIONS",    "LSAN_OPTIONS", "LD_PRELOAD",
        "LD_BIND_NOW",     "LD_DEBUG",         "LD_AUDIT",     "CMOCKA_MESSAGE_OUTPUT",
        "CMOCKA_XML_FILE", "CMOCKA_TEST_ABORT"};
    const char *threads = getenv("OMP_NUM_THREADS");
    bool clean = threads != NULL && strcmp(threads, "1") == 0;
    for (size_t k = 0; k < sizeof unwanted / sizeof *unwanted; k++) {
        clean = clean && getenv(unwanted[k]) == NULL;
        unsetenv(unwanted[k]);
    }
    if (clean) return;
    setenv("OMP_NUM_THREADS", "1", 1);
#ifdef __linux__
    execv("/proc/self/exe", argv);
#else
    execv(argv[0], argv);
#endif
}

int main(int argc, char **argv)
{
    clean_environment(argv);
    Arguments arguments;
    if (!arguments_parse(&arguments, argc, argv))
        return refuse("expected --cases FILE --submission FILE --source FILE [--jobs N] [--first] "
                      "PATTERN:SECONDS..., "
                      "or --cases FILE --list",
                      "");
    const char *why;
    if (!device_use(NULL, &why)) return refuse(why, "");
    void *module = dlopen(arguments.cases, RTLD_LAZY | RTLD_LOCAL);
    if (module == NULL) return refuse(dlerror(), "");
    const CaseList *lists = dlsym(module, "lab_cases");
    if (lists == NULL) return refuse("there is no lab_cases in ", arguments.cases);
    if (arguments.list) return list_cases(lists), 0;
    char submission[PATH_MAX];    // a bare name would be looked for among the system's libraries
    if (realpath(arguments.submission, submission) == NULL)
        return refuse("there is no ", arguments.submission);

    Error err;
    Arena *keep = arena_new("grader", 256u << 20);
    WorkerPool pool = {submission, arguments.source, .workers = arguments.jobs,
                       .first = arguments.first, .on_result = print_job};
    pool.jobs = choose_jobs(keep, &arguments, lists, &pool.count);
    if (pool.jobs == NULL) return 2;
    if (!worker_pool_run(&pool, &err)) return refuse(err.message, "");
    arena_free(keep);
    return 0;
}
