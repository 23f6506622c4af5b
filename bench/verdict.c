/* verdict -- how long a learner waits: from a save until `lab watch` shows the verdict.
 *
 * `lab watch autoencoder.linear_forward` runs on a pseudo-terminal of its own, sanitizers on, as a
 * learner has it. The whole reference is saved as the learner's file, by turns right and with one line
 * missing, by renaming as editors do. The clock runs from before the rename until the verdict on the
 * exercise in focus has been read from the terminal; the rest of the lab may then still be graded.
 * Beside it, in the same rounds: `lab check` of the whole lab, the grader alone on the exercise's
 * cases, and what the compiler takes for the same file, with sanitizers and for its syntax only.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench/command.h"
#include "bench/report.h"
#ifdef __APPLE__
#include <util.h>
#else
#include <pty.h>
#endif

#define LAB     LAB_BUILD_DIR "/lab"
#define FOLDER  LAB_SOURCE_DIR "/labs/2_core/autoencoder"
#define MISSING "kernels.add_row(y, y, bias, B, O);"    // linear_forward's second line
static const double PATIENCE = 60, QUIET = 0.4;

typedef struct WatchRun {
    Arena *keep;
    char folder[64];     // of all that is written
    const char *file;    // the learner's
    const char *text;    // the reference
    long saves;
    bool right;    // whether the watch's next save is
    pid_t watch;
    int terminal;
    char seen[1 << 16];    // the end of what the watch has drawn since the last save
    size_t used;
} WatchRun;

// ---- the learner's file ----

static const char *read_text(Arena *keep, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    char *text = arena_alloc(keep, 1 << 20);
    text[fread(text, 1, (1 << 20) - 1, file)] = '\0';
    fclose(file);
    return text;
}

// Each save is another text, so that nothing can be known from before.
static bool save(WatchRun *run, bool right, Error *err)
{
    char path[512];
    const char *cut = strstr(run->text, MISSING);
    snprintf(path, sizeof path, "%s.new", run->file);
    FILE *file = fopen(path, "wb");
    if (file == NULL || cut == NULL) return error_set(err, "%s: cannot be written", path);
    fprintf(file, "%.*s%s%s\n// %ld\n", (int)(cut - run->text), run->text, right ? MISSING : "",
            cut + strlen(MISSING), ++run->saves);
    return (fclose(file) == 0 && rename(path, run->file) == 0) ||
           error_set(err, "%s: cannot be written", run->file);
}

// ---- the watch ----

// Takes what it draws within so many seconds; false when it drew nothing.
static bool take(WatchRun *run, double seconds)
{
    struct pollfd polled = {.fd = run->terminal, .events = POLLIN};
    if (poll(&polled, 1, (int)(1000 * seconds)) <= 0) return false;
    if (run->used > sizeof run->seen / 2) {
        memmove(run->seen, run->seen + run->used - 4096, 4096);
        run->used = 4096;
    }
    ssize_t bytes = read(run->terminal, run->seen + run->used, sizeof run->seen - 1 - run->used);
    if (bytes <= 0) return false;
    run->used += (size_t)bytes;
    run->seen[run->used] = '\0';
    return true;
}

static bool wait_for(WatchRun *run, const char *words, Error *err)
{
    for (double until = bench_now() + PATIENCE; bench_now() < until;)
        if (take(run, 1) && strstr(run->seen, words) != NULL) return true;
    return error_set(err, "lab watch did not say \"%s\" within %g s", words, PATIENCE);
}

static bool open_watch(WatchRun *run, Error *err)
{
    struct winsize size = {.ws_row = 30, .ws_col = 90};
    run->watch = forkpty(&run->terminal, NULL, NULL, &size);
    if (run->watch < 0) return error_set(err, "no pseudo-terminal");
    if (run->watch == 0) {
        setenv("TERM", "xterm", 1);
        unsetenv("NO_COLOR");
        unsetenv("COLUMNS");
        execl(LAB, "lab", "watch", "autoencoder.linear_forward", (char *)NULL);
        _exit(127);
    }
    return wait_for(run, "linear_forward is not written yet", err);
}

static void close_watch(WatchRun *run)
{
    if (run->watch <= 0) return;
    kill(run->watch, SIGTERM);
    while (take(run, 0.2)) {}
    close(run->terminal);
    waitpid(run->watch, NULL, 0);
}

// ---- what is timed ----

static double run_watch(void *work, long calls, Error *err)
{
    WatchRun *run = work;
    double seconds = 0;
    for (long i = 0; i < calls; i++) {
        while (take(run, QUIET)) {}    // the rest of the lab is graded, and the machine at rest
        run->used = 0;
        double begun = bench_now();
        if (!save(run, run->right, err) ||
            !wait_for(run, run->right ? "linear_forward passes:" : "linear_forward is wrong", err))
            return -1;
        seconds += bench_now() - begun;
        run->right = !run->right;
    }
    while (take(run, QUIET)) {}
    return seconds;
}

static double run_program(const char *const *argv, long calls, Error *err)
{
    double begun = bench_now();
    for (long i = 0; i < calls; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            int nothing = open("/dev/null", O_RDWR);
            for (int fd = 0; fd < 3; fd++) dup2(nothing, fd);
            setenv("OMP_NUM_THREADS", "1", 1);
            execv(argv[0], (char *const *)argv);
            _exit(127);
        }
        if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) ||
            WEXITSTATUS(status) > 1)
            return error_set(err, "%s failed", argv[0]), -1;
    }
    return bench_now() - begun;
}

static double run_command(void *work, long calls, Error *err)
{
    return run_program(work, calls, err);
}

// In a folder of its own mine/, so that no watch sees it; the text is new each time.
static double run_check(void *work, long calls, Error *err)
{
    WatchRun *run = work;
    const char *argv[] = {LAB, "check", "autoencoder", NULL};
    double seconds = 0;
    const char *watched = run->file;
    const char *mine = arena_print(run->keep, "%s/other", run->folder);
    setenv("LAB_MINE", mine, 1);
    run->file = arena_print(run->keep, "%s/autoencoder/autoencoder.c", mine);
    for (long i = 0; i < calls && seconds >= 0; i++) {
        double one = save(run, true, err) ? run_program(argv, 1, err) : -1;
        seconds = one < 0 ? -1 : seconds + one;
    }
    run->file = watched;
    return seconds;
}

// ---- the story ----

static bool start_lab(WatchRun *run, const char *name, Error *err)
{
    const char *argv[] = {LAB, "start", "autoencoder", NULL};
    setenv("LAB_MINE", arena_print(run->keep, "%s/%s", run->folder, name), 1);
    return run_program(argv, 1, err) >= 0;
}

static bool measure(WatchRun *run, Plan plan, BenchReport *report, Error *err)
{
    static const char *const checked[] = {LAB_CC_CHECKED, NULL};
    static const char include[] = "-I" LAB_SOURCE_DIR;
    const char *source = FOLDER "/autoencoder.c";
    char *library = arena_print(run->keep, "%s/libexercises_autoencoder.so", run->folder);
    const char *compile[64] = {LAB_CC};
    const char *syntax[] = {LAB_CC, "-std=gnu17", "-O0", "-fsyntax-only", include, source, NULL};
    const char *grade[] = {LAB_BUILD_DIR "/grader",
                           "--cases",
                           LAB_BUILD_DIR "/labs/check_autoencoder.so",
                           "--submission",
                           library,
                           "--source",
                           source,
                           "linear_forward__*:5",
                           NULL};
    int count = 1;
    for (int i = 0; checked[i] != NULL && count < 56; i++) compile[count++] = checked[i];
    const char *rest[] = {include, "-shared", "-o", library, source, "-lm", NULL};
    for (int i = 0; rest[i] != NULL; i++) compile[count++] = rest[i];

    const Contender contenders[] = {
        {"save to verdict, lab watch", run_watch, run},
        {"lab check, all exercises", run_check, run},
        {"compile, sanitized", run_command, compile},
        {"grade, one exercise", run_command, grade},
        {"cc -O0 -fsyntax-only", run_command, syntax},
    };
    enum { COUNT = sizeof contenders / sizeof *contenders };
    Timing timings[COUNT];
    if (run_command(compile, 1, err) < 0) return false;    // what the grader is asked about
    if (!bench_compare(contenders, COUNT, plan, timings, err)) return false;
    printf("\n%-28s %8s %21s %8s %9s\n", "", "seconds", "middle half", "most", "of watch");
    cJSON *row = bench_report_row(report);
    cJSON_AddStringToObject(row, "lab", "autoencoder");
    for (int i = 0; i < COUNT; i++) {
        Stats s = timings[i].seconds;
        printf("%-28s %8.3f %9.3f - %-9.3f %8.3f %8.0f%%%s\n", timings[i].name, s.median,
               s.quartile1, s.quartile3, s.max, 100 * timings[i].ratio.median,
               bench_noisy(s) ? " ~" : "");
        bench_report_timing(row, &timings[i]);
    }
    double rest_of =
        timings[0].seconds.median - timings[2].seconds.median - timings[3].seconds.median;
    printf("\nof a verdict: %.3f s compiling, %.3f s grading, %.3f s noticing and showing  (~ "
           "noisy)\n",
           timings[2].seconds.median, timings[3].seconds.median, rest_of);
    return true;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", 256u << 20);
    Options *options = command_options(keep, &command, "verdict",
                                       "From a save to the verdict in lab watch, sanitizers on.");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;

    WatchRun *run = arena_zeros(keep, sizeof *run);
    run->keep = keep;
    strcpy(run->folder, "/tmp/lab_verdict_XXXXXX");
    if (mkdtemp(run->folder) == NULL) return error_set(&err, "/tmp: no folder"), error_report(&err);
    run->text = read_text(keep, FOLDER "/autoencoder.c");
    BenchReport *report = bench_report_new(keep, "verdict", LAB_CC);
    Plan plan = {.rounds = command.quick ? 2 : 21, .seconds = 0, .sample_seconds = 1e-4};

    bool measured = start_lab(run, "other", &err) && start_lab(run, "mine", &err);
    run->file = arena_print(keep, "%s/mine/autoencoder/autoencoder.c", run->folder);
    measured = measured && open_watch(run, &err) && measure(run, plan, report, &err);
    close_watch(run);
    const char *sweep[] = {"/bin/rm", "-rf", run->folder, NULL};
    run_program(sweep, 1, NULL);
    return measured && bench_report_end(report, command.json, &err) ? 0 : error_report(&err);
}
