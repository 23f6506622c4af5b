#include "labs/grader/crew.h"
#include "labs/grader/fence.h"
#include "labs/grader/witness.h"
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
static const double grace = 0.5;    // seconds between asking and killing

static int bell[2];    // rung by SIGCHLD, so that poll() hears of a child's end

static void ring(int signal)
{
    (void)signal;
    int saved = errno;
    (void)!write(bell[1], "", 1);
    errno = saved;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// ---- begin ----

static _Noreturn void become_trial(const Crew *crew, const Job *job, int out, int err)
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
    Trial trial = {job->test, crew->answer, crew->source, job->seconds, job->slate};
    trial_run(&trial);
}

static bool begin(const Crew *crew, Job *job, Error *err)
{
    int out[2], errors[2];
    job->slate = slate_new();
    if (job->slate == NULL || pipe(out) != 0 || pipe(errors) != 0)
        return error_set(err, "no room for another trial: %s", strerror(errno));
    fflush(NULL);
    job->begun = now();
    job->pid = fork();
    if (job->pid < 0) return error_set(err, "no process for a trial: %s", strerror(errno));
    if (job->pid == 0) become_trial(crew, job, out[1], errors[1]);
    setpgid(job->pid, job->pid);    // whoever of the two comes first
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

static void listen_to(Stream *stream)
{
    char rest[4096];
    while (stream->fd >= 0 && stream->seen <= OUTPUT_LIMIT) {
        bool room = stream->kept < OUTPUT_KEPT;
        ssize_t n = room ? read(stream->fd, stream->text + stream->kept, OUTPUT_KEPT - stream->kept)
                         : read(stream->fd, rest, sizeof rest);
        if (n < 0) return;    // nothing now
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

// Too long or too loud: asked once by a signal, so that it can say where it is, and then killed.
static void restrain(Job *job, double at)
{
    double limit = job->begun + CLOCK_FACTOR * job->seconds;
    if (!job->late && at > limit) {
        job->late = true;
        kill(job->pid, SIGXCPU);
    }
    if (at > limit + grace) kill_all(job);
    if (!job->loud && (job->out.seen > OUTPUT_LIMIT || job->err.seen > OUTPUT_LIMIT)) {
        job->loud = true;
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

static void say(Job *job, Verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void say(Job *job, Verdict verdict, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(job->sentence, sizeof job->sentence, format, args);
    va_end(args);
    job->verdict = verdict;
    job->message = job->sentence;
}

// The trial's process is gone without a word on its slate.
static void judge_silence(Job *job, int status, double processor)
{
    static const char lookup[] = "undefined symbol: ";
    const char *symbol = strstr(job->err.text, lookup);
    if (job->late || processor > job->seconds)
        say(job, VERDICT_TIMEOUT, "was still running after %g s",
            job->late ? job->took : processor);
    else if (WIFSTOPPED(status))
        say(job, VERDICT_CRASH, "stopped itself: %s", strsignal(WSTOPSIG(status)));
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)    // with its handler blocked
        say(job, VERDICT_CRASH, "started another process, or asked for what an exercise may not");
    else if (WIFSIGNALED(status))
        say(job, VERDICT_CRASH, "was ended by a signal: %s", strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == 127 && symbol != NULL)
        say(job, VERDICT_MISSING, "%.*s is not in the file any more",
            (int)strcspn(symbol + strlen(lookup), "\n,"), symbol + strlen(lookup));
    else if (WEXITSTATUS(status) == SANITIZER_STATUS)    // no room even to say so
        say(job, VERDICT_MEMORY, "took more memory than the limit, %d GB", MEMORY_LIMIT_MB >> 10);
    else say(job, VERDICT_EXIT, "called _exit(%d) before the case was over", WEXITSTATUS(status));
}

// What a trial has started and left comes to us (PR_SET_CHILD_SUBREAPER), also out of its group.
static void end_orphans(const Crew *crew)
{
#ifdef __linux__
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    for (int pid, found = 1; found;) {
        FILE *children = fopen(path, "r");
        if (children == NULL) return;
        for (found = 0; fscanf(children, "%d", &pid) == 1;) {
            const Job *job = crew->jobs;
            while (job < crew->jobs + crew->count && job->pid != pid) job++;
            if (job < crew->jobs + crew->count) continue;
            kill(pid, SIGKILL);
            found += waitpid(pid, NULL, 0) == pid;
        }
        fclose(children);
    }
#else
    (void)crew;
#endif
}

static void end(Job *job, int status, const struct rusage *usage)
{
    double processor = (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
                       1e-6 * (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
    job->took = now() - job->begun;
    kill(-job->pid, SIGKILL);    // what it has started
    listen_to(&job->out);
    listen_to(&job->err);
    if (job->out.fd >= 0) close(job->out.fd);
    if (job->err.fd >= 0) close(job->err.fd);
    Slate *slate = job->slate;
    if (job->loud) {
        say(job, VERDICT_OUTPUT, "printed more than %d KiB", OUTPUT_LIMIT >> 10);
    } else if (slate->verdict != VERDICT_COUNT) {
        slate->message[sizeof slate->message - 1] = slate->detail[sizeof slate->detail - 1] = '\0';
        job->verdict = slate->verdict;
        job->message = slate->message;
        if (slate->quotes && job->err.kept > 0)
            say(job, slate->verdict, "%s: %s", slate->message, last_line(&job->err));
    } else if (slate->phase == PHASE_LEAKS) {
        say(job, VERDICT_PASS, "%s", "");    // only the search for leaks has failed
    } else {
        judge_silence(job, status, processor);
    }
    job->line = slate->line;
    job->detail = slate->detail;
    job->over = true;
    job->pid = 0;
}

static void reap(Crew *crew)
{
    struct rusage usage;
    int status;
    for (pid_t pid; (pid = wait4(-1, &status, WNOHANG | WUNTRACED, &usage)) > 0;) {
        Job *job = crew->jobs;
        while (job < crew->jobs + crew->count && job->pid != pid) job++;
        if (job == crew->jobs + crew->count) continue;    // somebody's orphan
        if (WIFSTOPPED(status)) {
            kill_all(job);
            wait4(pid, &(int){0}, 0, &usage);
        }
        end(job, status, &usage);
        if (job->verdict == VERDICT_TIMEOUT)
            for (Job *other = crew->jobs; other < crew->jobs + crew->count; other++)
                if (other->group == job->group && other->begun == 0)
                    other->verdict = VERDICT_SKIPPED;
        end_orphans(crew);
        crew->told(job);
        slate_free(job->slate);
    }
}

static void wait_for_news(Crew *crew)
{
    struct pollfd polled[2 * 64 + 1] = {{.fd = bell[0], .events = POLLIN}};
    nfds_t count = 1;
    double next = now() + 10;
    for (Job *job = crew->jobs; job < crew->jobs + crew->count; job++) {
        if (job->pid == 0) continue;
        polled[count++] = (struct pollfd){.fd = job->out.fd, .events = POLLIN};
        polled[count++] = (struct pollfd){.fd = job->err.fd, .events = POLLIN};
        double limit = job->begun + CLOCK_FACTOR * job->seconds + (job->late ? grace : 0);
        if (limit < next) next = limit;
    }
    double left = next - now();
    poll(polled, count, left > 0 ? (int)(left * 1000) + 1 : 1);
    char rung[64];
    while (read(bell[0], rung, sizeof rung) > 0) continue;
}

bool crew_run(Crew *crew, Error *err)
{
    if (pipe(bell) != 0) return error_set(err, "no pipe: %s", strerror(errno));
    for (int k = 0; k < 2; k++) {
        fcntl(bell[k], F_SETFL, O_NONBLOCK);
        fcntl(bell[k], F_SETFD, FD_CLOEXEC);
    }
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = ring, .sa_flags = SA_RESTART}, NULL);
    if (crew->at_a_time > 64) crew->at_a_time = 64;
#ifdef __linux__
    prctl(PR_SET_CHILD_SUBREAPER, 1);    // what a trial leaves behind comes to us
#endif
    for (int next = 0, running = 0;;) {
        while (next < crew->count && running < crew->at_a_time) {
            Job *job = &crew->jobs[next++];
            if (job->verdict == VERDICT_SKIPPED) {
                say(job, VERDICT_SKIPPED,
                    "not run: an earlier case of this exercise took all the time");
                job->detail = "";
                job->over = true;
                crew->told(job);
            } else if (begin(crew, job, err)) {
                running++;
            } else {
                return false;
            }
        }
        if (running == 0 && next == crew->count) return true;
        wait_for_news(crew);
        running = 0;
        for (Job *job = crew->jobs; job < crew->jobs + crew->count; job++) {
            if (job->pid == 0) continue;
            listen_to(&job->out);
            listen_to(&job->err);
            restrain(job, now());
        }
        reap(crew);
        for (Job *job = crew->jobs; job < crew->jobs + crew->count; job++) running += job->pid != 0;
    }
}
