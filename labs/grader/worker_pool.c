#include "labs/grader/worker_pool.h"
#include "labs/grader/sandbox.h"
#include "labs/grader/crash_handler.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { CLOCK_FACTOR = 4 };          // of the processor time: by the clock
static const double grace = 0.5;    // seconds between SIGXCPU and SIGKILL

static int wakeup[2];    // a pipe that SIGCHLD writes to, so that poll() returns when a child ends

static void on_child(int signal)
{
    (void)signal;
    int saved = errno;
    (void)!write(wakeup[1], "", 1);
    errno = saved;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// ---- begin ----

static _Noreturn void become_test_process(const WorkerPool *pool, const Job *job, int out, int err)
{
    setpgid(0, 0);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    int none = open("/dev/null", O_RDONLY);
    dup2(none, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    for (int fd = 3, last = (int)sysconf(_SC_OPEN_MAX); fd < last && fd < 1024; fd++) close(fd);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    TestProcess process = {job->test, pool->submission, pool->source, job->seconds, job->result};
    test_process_run(&process);
}

static bool begin(const WorkerPool *pool, Job *job, Error *err)
{
    int out[2], errors[2];
    job->result = shared_result_new();
    if (job->result == NULL || pipe(out) != 0 || pipe(errors) != 0)
        return error_set(err, "cannot start another test process: %s", strerror(errno));
    fflush(NULL);
    job->begun = now();
    job->pid = fork();
    if (job->pid < 0) return error_set(err, "no process for a test process: %s", strerror(errno));
    if (job->pid == 0) become_test_process(pool, job, out[1], errors[1]);
    setpgid(job->pid, job->pid);    // parent and child both call it: either may run first
    close(out[1]);
    close(errors[1]);
    job->out.fd = out[0];
    job->err.fd = errors[0];
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(errors[0], F_SETFL, O_NONBLOCK);
    fcntl(out[0], F_SETFD, FD_CLOEXEC);
    fcntl(errors[0], F_SETFD, FD_CLOEXEC);
    return true;
}

// ---- watch ----

static void drain(Stream *stream)
{
    char rest[4096];
    while (stream->fd >= 0 && stream->seen <= OUTPUT_LIMIT) {
        bool room = stream->kept < OUTPUT_KEPT;
        ssize_t n = room ? read(stream->fd, stream->text + stream->kept, OUTPUT_KEPT - stream->kept)
                         : read(stream->fd, rest, sizeof rest);
        if (n < 0) return;    // nothing to read yet
        if (n == 0) {
            close(stream->fd);
            stream->fd = -1;
            return;
        }
        stream->seen += (size_t)n;
        if (room) stream->kept += (size_t)n;
    }
}

static void kill_all(const Job *job)
{
    kill(-job->pid, SIGKILL);
    kill(job->pid, SIGKILL);
}

// Past its time: SIGXCPU, so that it can report its line, then SIGKILL. Too much output: SIGKILL.
static void enforce_limits(Job *job, double at)
{
    double limit = job->begun + CLOCK_FACTOR * job->seconds;
    if (!job->timed_out && at > limit) {
        job->timed_out = true;
        kill(job->pid, SIGXCPU);
    }
    if (at > limit + grace) kill_all(job);
    if (!job->output_exceeded && (job->out.seen > OUTPUT_LIMIT || job->err.seen > OUTPUT_LIMIT)) {
        job->output_exceeded = true;
        kill_all(job);
    }
}

// ---- end ----

static const char *last_line(const Stream *stream)
{
    static char line[400];
    size_t end = stream->kept, start;
    while (end > 0 && stream->text[end - 1] == '\n') end--;
    for (start = end; start > 0 && stream->text[start - 1] != '\n';) start--;
    snprintf(line, sizeof line, "%.*s", (int)(end - start), stream->text + start);
    return line;
}

static void set_result(Job *job, Verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void set_result(Job *job, Verdict verdict, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(job->sentence, sizeof job->sentence, format, args);
    va_end(args);
    job->verdict = verdict;
    job->message = job->sentence;
}

// The test process ended without storing a verdict.
static void infer_result(Job *job, int status, double processor)
{
    static const char lookup[] = "undefined symbol: ";
    const char *symbol = strstr(job->err.text, lookup);
    if (job->timed_out || processor > job->seconds)
        set_result(job, VERDICT_TIMEOUT, "was still running after %g s",
                   job->timed_out ? job->took : processor);
    else if (WIFSTOPPED(status))
        set_result(job, VERDICT_CRASH, "was stopped by a signal: %s", strsignal(WSTOPSIG(status)));
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)    // with its handler blocked
        set_result(job, VERDICT_CRASH,
                   "started another process, or made a system call that an exercise may not");
    else if (WIFSIGNALED(status))
        set_result(job, VERDICT_CRASH, "was killed by a signal: %s", strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == 127 && symbol != NULL)
        set_result(job, VERDICT_MISSING, "%.*s is not in the file any more",
                   (int)strcspn(symbol + strlen(lookup), "\n,"), symbol + strlen(lookup));
    else if (WEXITSTATUS(status) == SANITIZER_STATUS)    // no memory left for a report
        set_result(job, VERDICT_MEMORY, "took more memory than the limit, %d GB",
                   MEMORY_LIMIT_MB >> 10);
    else
        set_result(job, VERDICT_EXIT, "called _exit(%d) before the case was over",
                   WEXITSTATUS(status));
}

// Processes that a test process left behind become our children (PR_SET_CHILD_SUBREAPER), even those
// outside of its process group.
static void kill_orphans(const WorkerPool *pool)
{
#ifdef __linux__
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    for (int pid, found = 1; found;) {
        FILE *children = fopen(path, "r");
        if (children == NULL) return;
        for (found = 0; fscanf(children, "%d", &pid) == 1;) {
            const Job *job = pool->jobs;
            while (job < pool->jobs + pool->count && job->pid != pid) job++;
            if (job < pool->jobs + pool->count) continue;
            kill(pid, SIGKILL);
            found += waitpid(pid, NULL, 0) == pid;
        }
        fclose(children);
    }
#else
    (void)pool;
#endif
}

static void end(Job *job, int status, const struct rusage *usage)
{
    double processor = (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
                       1e-6 * (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
    job->took = now() - job->begun;
    kill(-job->pid, SIGKILL);    // the processes that it started
    drain(&job->out);
    drain(&job->err);
    if (job->out.fd >= 0) close(job->out.fd);
    if (job->err.fd >= 0) close(job->err.fd);
    SharedResult *result = job->result;
    if (job->output_exceeded) {
        set_result(job, VERDICT_OUTPUT, "printed more than %d KiB", OUTPUT_LIMIT >> 10);
    } else if (result->verdict != VERDICT_COUNT) {
        result->message[sizeof result->message - 1] = result->detail[sizeof result->detail - 1] =
            '\0';
        job->verdict = result->verdict;
        job->message = result->message;
        if (result->quotes && job->err.kept > 0)
            set_result(job, result->verdict, "%s: %s", result->message, last_line(&job->err));
    } else if (result->phase == PHASE_LEAKS) {
        set_result(job, VERDICT_PASS, "%s", "");    // only the leak check has failed
    } else {
        infer_result(job, status, processor);
    }
    job->line = result->line;
    job->detail = result->detail;
    job->over = true;
    job->pid = 0;
}

static void reap(WorkerPool *pool)
{
    struct rusage usage;
    int status;
    for (pid_t pid; (pid = wait4(-1, &status, WNOHANG | WUNTRACED, &usage)) > 0;) {
        Job *job = pool->jobs;
        while (job < pool->jobs + pool->count && job->pid != pid) job++;
        if (job == pool->jobs + pool->count) continue;    // an orphan
        if (WIFSTOPPED(status)) {
            kill_all(job);
            wait4(pid, &(int){0}, 0, &usage);
        }
        end(job, status, &usage);
        if (job->verdict == VERDICT_TIMEOUT || (pool->first && verdict_compared(job->verdict)))
            for (Job *other = pool->jobs; other < pool->jobs + pool->count; other++)
                if (other->group == job->group && other->begun == 0)
                    other->verdict = VERDICT_SKIPPED;
        kill_orphans(pool);
        pool->on_result(job);
        shared_result_free(job->result);
    }
}

static void wait_for_event(WorkerPool *pool)
{
    struct pollfd polled[2 * 64 + 1] = {{.fd = wakeup[0], .events = POLLIN}};
    nfds_t count = 1;
    double next = now() + 10;
    for (Job *job = pool->jobs; job < pool->jobs + pool->count; job++) {
        if (job->pid == 0) continue;
        polled[count++] = (struct pollfd){.fd = job->out.fd, .events = POLLIN};
        polled[count++] = (struct pollfd){.fd = job->err.fd, .events = POLLIN};
        double limit = job->begun + CLOCK_FACTOR * job->seconds + (job->timed_out ? grace : 0);
        if (limit < next) next = limit;
    }
    double left = next - now();
    poll(polled, count, left > 0 ? (int)(left * 1000) + 1 : 1);
    char bytes[64];
    while (read(wakeup[0], bytes, sizeof bytes) > 0) continue;
}

bool worker_pool_run(WorkerPool *pool, Error *err)
{
    if (pipe(wakeup) != 0) return error_set(err, "no pipe: %s", strerror(errno));
    for (int k = 0; k < 2; k++) {
        fcntl(wakeup[k], F_SETFL, O_NONBLOCK);
        fcntl(wakeup[k], F_SETFD, FD_CLOEXEC);
    }
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = on_child, .sa_flags = SA_RESTART}, NULL);
    if (pool->workers > 64) pool->workers = 64;
#ifdef __linux__
    prctl(PR_SET_CHILD_SUBREAPER, 1);    // orphans become our children
#endif
    for (int next = 0, running = 0;;) {
        while (next < pool->count && running < pool->workers) {
            Job *job = &pool->jobs[next++];
            if (job->verdict == VERDICT_SKIPPED) {
                set_result(job, VERDICT_SKIPPED,
                           "skipped: an earlier case of this exercise timed out");
                job->detail = "";
                job->over = true;
                pool->on_result(job);
            } else if (begin(pool, job, err)) {
                running++;
            } else {
                return false;
            }
        }
        if (running == 0 && next == pool->count) return true;
        wait_for_event(pool);
        running = 0;
        for (Job *job = pool->jobs; job < pool->jobs + pool->count; job++) {
            if (job->pid == 0) continue;
            drain(&job->out);
            drain(&job->err);
            enforce_limits(job, now());
        }
        reap(pool);
        for (Job *job = pool->jobs; job < pool->jobs + pool->count; job++) running += job->pid != 0;
    }
}
