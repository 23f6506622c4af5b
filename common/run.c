#include "common/run.h"
#include "common/console.h"
#include "common/file.h"
#include "common/profile.h"
#include "common/ranks.h"
#include "common/text.h"
#include "common/todo.h"
#include "kernels/device.h"
#include "kernels/seconds.h"
#include "kernels/trace.h"
#include <errno.h>
#include <inttypes.h>
#include <omp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATUS_SIGNAL = 128 };    // plus its number, as a shell shows it

// What asks a run to stop: Ctrl-C, a system that shuts down or a batch queue, a terminal that closes.
static const struct {
    int number;
    const char *name;
} stops[] = {{SIGINT, "Ctrl-C"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}};
enum { STOPS = sizeof stops / sizeof *stops };

// The signal that asked, or 0. A handler has nowhere else to write: with the kernel table, all that is
// mutable and global.
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    interrupted = signal_number;
    report_cut_short();    // a second Ctrl-C leaves no time for it; what follows the first writes anew
}

// SA_RESETHAND: the second Ctrl-C finds the default, which ends the program at once. What is ignored
// stays so: `nohup` ignores SIGHUP.
static void catch_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND | SA_RESTART};
    interrupted = 0;
    for (int i = 0; i < STOPS; i++) {
        struct sigaction before;
        sigaction(stops[i].number, NULL, &before);
        if (before.sa_handler != SIG_IGN) sigaction(stops[i].number, &action, NULL);
    }
}

static const char *stopped_by(void)
{
    int i = 0;
    while (stops[i].number != interrupted) i++;
    return stops[i].name;
}

// A learner's code may crash the lab. `lab run --mine` says in LAB_CHECK which command shows more.
static void on_crash(int signal_number)
{
    static const char before[] = "\nThe lab crashed on your code; to look closer: ", after[] = "\n";
    const char *variable = getenv("LAB_CHECK"),
               *check = variable != NULL ? variable : "./lab check";
    bool written = write(STDERR_FILENO, before, sizeof before - 1) > 0 &&
                   write(STDERR_FILENO, check, strlen(check)) > 0 &&
                   write(STDERR_FILENO, after, sizeof after - 1) > 0;
    (void)written;
    report_cut_short();
    raise(signal_number);    // back at the default: this ends as it would have without us
}

static void catch_crash(Arena *keep)
{
    if (getenv("LAB_CHECK") == NULL) return;
    // Endless recursion leaves no stack to say so on.
    size_t bytes = 64u << 10;
    stack_t stack = {.ss_sp = arena_alloc(keep, bytes), .ss_size = bytes};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_ONSTACK};
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (int i = 0; i < 5; i++) sigaction(signals[i], &action, NULL);
}

static void on_todo(const char *exercise)
{
    char why[128];
    snprintf(why, sizeof why, "Stopped: %.90s is not written yet.", exercise);
    report_stop(why);
}

// What is said, without what a terminal would obey; to be freed. NULL: no memory.
static char *clean_text(const char *format, va_list args)
{
    char *text;
    if (vasprintf(&text, format, args) < 0) return NULL;
    text_clean(text);
    return text;
}

// A line, of texts that may come from outside.
static void print_clean(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void print_clean(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = clean_text(format, args);
    va_end(args);
    if (text != NULL) puts(text);
    free(text);
}

bool run_interrupted(const Run *run)
{
    (void)run;
    return interrupted != 0;
}

void run_interrupt(const Run *run)
{
    (void)run;
    if (interrupted == 0) interrupted = SIGTERM;
}

// ---- ranks ----

static bool signalled(void)
{
    return interrupted != 0;
}

// Before the options: what is wrong with them is said once.
static bool begin_ranks(Run *run, Error *err)
{
    if (!ranks_begin(signalled, err)) return false;
    run->rank = ranks_own();
    bool silent = run->rank == 0 || freopen("/dev/null", "w", stdout) != NULL;
    if (!silent) return error_set(err, "/dev/null: %s", strerror(errno));
    // mpirun binds processes to cores, or leaves all cores to each.
    int cores = (int)sysconf(_SC_NPROCESSORS_ONLN), each = cores / ranks_on_host();
    if (ranks_count() > 1 && run->threads > each) run->threads = each > 0 ? each : 1;
    return true;
}

static bool parse(Run *run, Options *options, int argc, char **argv, int *status)
{
    *status = EXIT_FAILURE;
    int shown = run->rank > 0 ? dup(STDERR_FILENO) : -1;
    if (shown >= 0 && freopen("/dev/null", "w", stderr) == NULL) return false;
    bool good = options_parse(options, argc, argv, status);
    if (shown >= 0) {
        dup2(shown, STDERR_FILENO);
        close(shown);
    }
    return good;
}

// ---- the beginning ----

static void declare_options(Run *run, Options *options)
{
    options_group(options, "Every lab");
    options_flag(options, "smoke", 0, &run->smoke, "run for a few seconds only, on little data");
    options_uint64(options, "seed", 's', &run->seed, "where all randomness starts");
    options_choice(
        options, "device", 'd', &run->device, DEVICE_NAMES,
        "where the work is done; for cuda's products LAB_CUDA_PRODUCTS=fp32, tf32, bf16 or own; "
        "LAB_CUDA_GRAPHS=on replays training steps");
    options_int(options, "threads", 't', &run->threads, 1, 1024, "processor cores to use");
    options_flag(options, "profile", 0, &run->profile, "at the end, what each kernel cost");
    options_flag(options, "check-numbers", 0, &run->check_numbers,
                 "stop at the first kernel that gives NaN or infinity");
    options_string(options, "out", 'o', &run->out, "DIR", "folder for results");
    options_string(
        options, "data", 0, &run->data, "PATH",
        "real data: a folder, the name of a set (./lab data list), or a text file where a "
        "lab reads text; as LAB_DATA");
    options_choice(options, "plot", 'p', &run->plot, PLOT_FORMATS, "how plots are drawn");
    options_string(options, "resume", 0, &run->resume, "FILE", "go on from this checkpoint");
    // `lab run` keeps it to itself, and has no --help but ours.
    if (getenv("LAB_COMMAND") != NULL)
        options_flag(options, "mine", 0, arena_zeros(run->keep, sizeof(bool)),
                     "on your functions, as ./lab run starts it");
}

// Sets up what the options ask for: device, threads, folders, files.
static bool prepare(Run *run, Error *err)
{
    const char *why;
    // A GPU for each process of a machine.
    if (ranks_count() > 1 && strcmp(run->device, "cuda") == 0)
        run->device = arena_print(run->keep, "cuda:%d", ranks_place());
    if (!device_use(run->device, &why)) return error_set(err, "--device %s: %s", run->device, why);
    trace_start(run->profile, run->check_numbers);
    omp_set_num_threads(run->threads);
    if (!ranks_join_device(err)) return false;
    if (run->rank > 0) return true;
    if (!file_make_folder(run->out, err)) return false;
    run->metrics = metrics_open(run->keep, run_path(run, "metrics.jsonl"), err);
    if (run->metrics == NULL) return false;
    if (run->resume == NULL) metrics_restart(run->metrics);
    return true;
}

// What to type to start this again, without an earlier --resume. Who started the lab by another
// command says so in LAB_COMMAND.
static const char *command_again(Arena *keep, int argc, char **argv)
{
    const char *typed = getenv("LAB_COMMAND");
    char *text =
        arena_print(keep, "%s ", typed && typed[0] ? typed : options_quoted(keep, argv[0]));
    if (ranks_count() > 1) text = arena_print(keep, "mpirun -n %d %s", ranks_count(), text);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--resume") == 0) i++;
        else if (strncmp(argv[i], "--resume=", 9) != 0)
            text = arena_print(keep, "%s%s ", text, options_quoted(keep, argv[i]));
    }
    return text;
}

Run *run_begin(Arena *keep, Options *options, int argc, char **argv, int *status)
{
    const char *results = getenv("LAB_OUT"), *data = getenv("LAB_DATA");
    Run *run = arena_zeros(keep, sizeof *run);
    Error err = {""};
    run->keep = keep;
    run->threads = omp_get_max_threads();
    if (!begin_ranks(run, &err)) {
        *status = error_report(&err);
        return NULL;
    }
    run->command = command_again(keep, argc, argv);
    run->options = options;
    run->name = options_program(options);
    run->seed = 42;
    run->device = "cpu";
    run->out = arena_print(keep, "%s/%s", results && results[0] ? results : "out", run->name);
    run->data = data && data[0] ? data : NULL;
    run->plot = "svg";
    declare_options(run, options);
    if (!parse(run, options, argc, argv, status)) return NULL;

    if (!prepare(run, &err)) {
        ranks_fail();
        *status = error_report(&err);
        return NULL;
    }
    catch_interrupt();
    catch_crash(keep);
    todo_hook = on_todo;
    run->began = time(NULL);
    run->clock = seconds_now();
    const char *facts =
        arena_print(keep, "seed %" PRIu64 ", %s (%s), %d thread%s", run->seed, device->name,
                    kernels.variant, run->threads, run->threads == 1 ? "" : "s");
    if (ranks_count() > 1)
        facts = arena_print(keep, "%s in each of %d processes", facts, ranks_count());
    printf("%s: %s, results in %s\n", run->name, facts, options_quoted(keep, run->out));
    if (run->smoke)
        facts = arena_print(keep,
                            "%s; a smoke run: less data and fewer steps than what to notice "
                            "is about",
                            facts);
    run->report = report_new(run_path(run, "report.html"),
                             text_spaced(arena_print(keep, "%s", run->name)), facts, run->command);
    if (run->rank > 0) report_silence(run->report);
    if (!device->on_host)
        printf("Exercises run in host memory, on copies; everything else runs on %s.\n",
               device->name);
    return run;
}

bool run_resumed(Run *run, long step, Error *err)
{
    return metrics_rewind(run->metrics, step, err);
}

const char *run_path(const Run *run, const char *file)
{
    return arena_print(run->keep, "%s/%s", run->out, file);
}

// ---- what a run shows ----

void run_heading(const Run *run, const char *title)
{
    putchar('\n');
    print_clean("%s", title);
    report_heading(run->report, title);
}

void run_print(const Run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = clean_text(format, args);
    va_end(args);
    if (text == NULL) return;
    printf("  %s\n", text);
    report_text(run->report, text);
    free(text);
}

void run_table(const Run *run, const Table *table)
{
    table_print(table, 2, stdout);
    report_table(run->report, table);
}

static void show_file(const Run *run, const char *title, const char *path)
{
    printf("%s: %s\n", title, options_quoted(run->keep, path));
    report_file(run->report, title, path);
}

void run_plot(const Run *run, const Plot *plot, const char *name)
{
    Error err = {""};
    const char *path = run_path(run, name);
    if (run->rank > 0) return;
    bool file = strcmp(run->plot, "svg") == 0 || strcmp(run->plot, "png") == 0;
    if (plot_save(plot, path, run->plot, &err)) {
        show_file(run, plot->title,
                  arena_print(run->keep, "%s.%s", path, file ? run->plot : "csv"));
    } else {
        print_clean("%s: %s", plot->title, err.message);
        report_text(run->report, arena_print(run->keep, "%s: %s", plot->title, err.message));
    }
}

void run_picture(const Run *run, const Picture *picture, const char *title, const char *name)
{
    Error err = {""};
    const char *path = arena_print(run->keep, "%s/%s.png", run->out, name);
    if (run->rank > 0) return;
    if (picture_save(picture, path, &err)) show_file(run, title, path);
    else {
        print_clean("%s: %s", title, err.message);
        report_text(run->report, arena_print(run->keep, "%s: %s", title, err.message));
    }
}

// ---- the end ----

// The checkpoint that this run has saved, or the one that it went on from; an older one that lies
// there is another run's, and NULL says that there is nothing to go on from.
static const char *last_checkpoint(const Run *run, const char *checkpoint)
{
    const char *path = run_path(run, checkpoint);
    struct stat saved;
    return stat(path, &saved) == 0 && saved.st_mtime >= run->began ? path : run->resume;
}

// "Stopped by Ctrl-C. To go on: ./lab run ...", or "Finished in 3.1 s."
static const char *outcome(const Run *run, const char *checkpoint)
{
    if (!run_interrupted(run))
        return arena_print(run->keep, "Finished in %.1f s.", seconds_now() - run->clock);
    const char *last = checkpoint != NULL ? last_checkpoint(run, checkpoint) : NULL;
    if (ranks_lost() && last != NULL)
        return arena_print(run->keep,
                           "Stopped: another process of the run has ended. To go on: %s--resume %s",
                           run->command, options_quoted(run->keep, last));
    if (last == NULL)
        return arena_print(run->keep, "Stopped by %s%s.", stopped_by(),
                           checkpoint != NULL ? " before the first checkpoint" : "");
    return arena_print(run->keep, "Stopped by %s. To go on: %s--resume %s", stopped_by(),
                       run->command, options_quoted(run->keep, last));
}

int run_end(Run *run, const char *checkpoint)
{
    Error err = {""};
    const char *found = trace_not_finite();    // --check-numbers: by a kernel that no op has called
    const char *last_line = outcome(run, checkpoint);
    bool closed = metrics_close(run->metrics, &err);
    if (closed && run->profile && run->rank == 0)
        closed = profile_report(run_path(run, "profile.jsonl"), seconds_now() - run->clock,
                                run->threads, &err);
    if (closed && (fflush(stdout) != 0 || ferror(stdout))) {
        closed = error_set(&err, "standard output could not be written: %s",
                           strerror(errno ? errno : EIO));
        if (freopen("/dev/null", "w", stdout) == NULL) return run_fail(run, &err);    // said once
    }
    if (closed && found != NULL) closed = error_set(&err, "%s", found);
    closed = closed && report_end(run->report, last_line, &err);
    if (!closed) run_fail(run, &err);
    if (!run_interrupted(run)) return closed ? EXIT_SUCCESS : EXIT_FAILURE;
    putchar('\n');
    print_clean("%s", last_line);
    return closed ? STATUS_SIGNAL + interrupted : EXIT_FAILURE;
}

int run_fail(Run *run, const Error *err)
{
    ranks_fail();
    report_stop(arena_print(run->keep, "Failed: %s.", err->message));
    return error_report(err);
}
