#include "labs/driver/commands.h"
#include "labs/driver/benches.h"
#include "labs/driver/choose.h"
#include "common/gpu.h"
#include "labs/driver/grade.h"
#include "labs/driver/mine.h"
#include "common/nearest.h"
#include "common/console.h"
#include "datasets/root.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// From bench/CMakeLists.txt and from the labs, in their order: "sgemm", ..., "autoencoder".
static const char *const benches[] = {LAB_BENCHES};
enum { BENCHES = sizeof benches / sizeof *benches };

bool benches_have(const char *name)
{
    for (int i = 0; i < BENCHES; i++)
        if (strcmp(benches[i], name) == 0) return true;
    return false;
}

static int start(const char *name, char **argv)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/bench/%s", LAB_BUILD_DIR, name);
    argv[0] = path;
    execv(path, argv);
    fprintf(stderr, "lab: %s: %s (./lab bench builds it)\n", path, strerror(errno));
    return 1;
}

// Each in a process of its own and one at a time, so that they do not compete for the machine. The one of all kernels
// gets a limit, or it would take longer than all others.
static int run_all(Arena *arena, int argc, char **argv)
{
    char **words = arena_zeros(arena, (size_t)(argc + 2) * sizeof *words);
    int failed = 0;
    for (int i = 0; i < BENCHES; i++) {
        int count = 1;
        if (strcmp(benches[i], "device") == 0) words[count++] = arena_print(arena, "--limit=120");
        for (int w = 1; w < argc; w++) words[count++] = argv[w];
        words[count] = NULL;
        printf("%s[%d of %d] %s\n", i > 0 ? "\n" : "", i + 1, BENCHES, benches[i]);
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) _exit(start(benches[i], words));
        int status = 1;
        if (child < 0 || waitpid(child, &status, 0) < 0) return 1;
        if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
        if (WEXITSTATUS(status) != 0) failed = WEXITSTATUS(status);
    }
    return failed;
}

// Whether one of the words is this option, alone or with its value.
static bool is_asked(int argc, char **argv, const char *option)
{
    const size_t length = strlen(option);
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], option, length) == 0 &&
            (argv[i][length] == '\0' || argv[i][length] == '='))
            return true;
    return false;
}

static bool is_lab(const Course *course, const char *name)
{
    for (int i = 0; i < course->lab_count; i++)
        if (strcmp(course->labs[i].id, name) == 0) return true;
    return false;
}

// The benchmark of this name, or the only lab whose name begins with it; else NULL after a message.
static const char *choose_bench(const Course *course, const char *word)
{
    const char *chosen = NULL;
    int starts = 0;
    for (int i = 0; i < BENCHES; i++) {
        if (strcmp(benches[i], word) == 0) return benches[i];
        if (strncmp(benches[i], word, strlen(word)) != 0 || !is_lab(course, benches[i])) continue;
        chosen = benches[i];
        starts++;
    }
    if (starts == 1) return chosen;
    const char *near = nearest(word, benches, BENCHES);
    char all[256] = "";
    for (int i = 0; i < BENCHES; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), " %s", benches[i]);
    if (near != NULL) error_print("no benchmark '%s'; did you mean '%s'?", word, near);
    else error_print("no benchmark '%s'; there are%s", word, all);
    return NULL;
}

static void say_which_gpu(void)
{
    Gpu gpus[GPU_MAX];
    if (gpu_list(gpus) == 0) puts("GPU: none");
    else printf("GPU: %s; ./lab bench --device cpu,cuda times the kernels on it\n", gpus[0].name);
}

// Grades the learner's exercises and builds those that pass; what goes to the benchmark, as
// "--mine=LIBRARY" and "--left-out=kl=wrong,loss=not written yet". NULLs after a sentence.
typedef struct Own {
    const char *mine, *left_out;
} Own;

static Own own_exercises(Arena *arena, const Choice *choice)
{
    const Own nothing = {0};
    const Lab *lab = choice->lab;
    bool *asked = arena_zeros(arena, (size_t)lab->exercise_count * sizeof *asked);
    const char *list = "", *what = lab->id;
    int passed = 0, count = 0;
    Source mine;
    Grade grade;
    Submission submission;
    Error err;
    if (choice->exercise >= 0)
        what = arena_print(arena, "%s.%s", lab->id, lab->exercises[choice->exercise].id);
    for (int i = 0; i < lab->exercise_count; i++)
        asked[i] = choice->exercise < 0 || choice->exercise == i;
    if (!mine_read(arena, lab, &mine, &err) ||
        !grade_submission(arena, lab, &mine, asked, &grade, &err))
        return error_report(&err), nothing;
    const char *file = mine_shown(arena, mine.path);
    if (grade.problem != NULL) {
        fprintf(stderr, "%s:%d: does not compile: %s\nnext  ./lab check %s\n", file, grade.line,
                grade.problem, what);
        return nothing;
    }
    for (int i = 0; i < lab->exercise_count; i++) {
        if (!asked[i]) continue;
        Verdict verdict = grade.exercises[i].verdict;
        count++;
        passed += verdict == VERDICT_PASS;
        if (verdict != VERDICT_PASS)
            list = arena_print(arena, "%s%s%s=%s", list, *list != '\0' ? "," : "",
                               lab->exercises[i].id, verdict_words(verdict));
    }
    if (passed == 0) {
        fprintf(stderr, "%s: no exercise with a benchmark passes yet\nnext  ./lab check %s\n", file,
                what);
        return nothing;
    }
    if (!submission_build(arena, lab, &mine, SUBMISSION_FAST,
                          submission_folder(arena, lab, SUBMISSION_FAST), &submission, &err))
        return error_report(&err), nothing;
    printf("Yours: %s; the %d of %d exercises that pass are timed\n", file, passed, count);
    return (Own){arena_print(arena, "--mine=%s", submission.library),
                 arena_print(arena, "--left-out=%s", list)};
}

// A lab's benchmark, or with LAB.EXERCISE that part of it.
static int run_lab(Arena *arena, const Choice *choice, bool mine, int argc, char **argv)
{
    const Lab *lab = choice->lab;
    const char **words = arena_zeros(arena, (size_t)(argc + 4) * sizeof *words);
    int count = 1;    // behind the program's name
    if (choice->exercise >= 0)
        words[count++] = arena_print(arena, "--only=%s", lab->exercises[choice->exercise].id);
    if (mine) {
        Own own = own_exercises(arena, choice);
        if (own.mine == NULL) return 1;
        words[count++] = own.mine;
        words[count++] = own.left_out;
    }
    for (int i = 1; i < argc; i++) words[count++] = argv[i];
    say_which_gpu();
    fflush(stdout);
    return start(lab->id, (char **)words);
}

// With one line for each benchmark, --help of all of them would be pages.
static int help(void)
{
    char names[4096];
    size_t at = 0;
    for (int i = 0; i < BENCHES; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s",
                               i == 0 ? "NAME is one of " : ", ", benches[i]);
    console_help("./lab bench NAME [options]: one benchmark; NAME --help shows its options");
    console_help(
        "./lab bench all [options]: all of them, one after another, which takes long; --peers adds "
        "others' programs");
    console_help("./lab bench LAB[.EXERCISE] --mine: a lab's exercises, yours too");
    console_help("./lab bench --device cpu,cuda: every kernel, training and inference, on each "
                 "device: a table, JSON "
                 "(--json FILE), rooflines, and from which size on the GPU is faster");
    console_help("./lab bench --compare A.json B.json: two such reports side by side, of two "
                 "machines or two commits");
    console_help(names);
    return 0;
}

int command_bench(int argc, char **argv)
{
    bool mine = mine_asked(&argc, argv);
    if (argc < 2 || argv[1][0] == '-') {
        if (!mine && is_asked(argc, argv, "--compare")) return start("compare", argv);
        if (!mine && is_asked(argc, argv, "--device")) return start("device", argv);
        if (!mine && (argc < 2 || is_asked(argc, argv, "--help") || is_asked(argc, argv, "-h")))
            return help();
        fputs(mine ? "lab: which one? ./lab bench LAB --mine; ./lab list names them\n"
                   : "lab: which one? ./lab bench NAME [options], or ./lab bench all "
                     "[options]; ./lab bench shows the names\n",
              stderr);
        return 2;
    }
    Arena *arena = arena_new("bench", 64u << 20);
    if (!mine && strcmp(argv[1], "all") == 0) return run_all(arena, argc - 1, argv + 1);
    Error err;
    Course course;
    Choice choice;
    char *word = arena_print(arena, "%s", argv[1]), *dot = strchr(word, '.');
    if (dot != NULL) *dot = '\0';
    if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err);
    const char *name = choose_bench(&course, word);
    if (name == NULL) return 2;
    if (!is_lab(&course, name)) {
        if (!mine && dot == NULL) return start(name, argv + 1);
        fprintf(stderr, "lab: %s is not a lab: it has no exercises\n", name);
        return 2;
    }
    if (dot != NULL) name = arena_print(arena, "%s.%s", name, dot + 1);
    if (!choose(&course, &(Progress){0}, name, &choice)) return 2;
    return run_lab(arena, &choice, mine, argc - 1, argv + 1);
}
