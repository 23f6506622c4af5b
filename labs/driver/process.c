#include "labs/driver/process.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { OUT, ERR, WHY, STREAMS, PIECE = 64 << 10 };

// What is read from the child: its two streams, and the error if exec failed.
typedef struct Stream {
    int fd;
    char *text;
    size_t used, room;
} Stream;

double process_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// ---- the child ----

static void limit(int resource, size_t most)
{
    if (most > 0) setrlimit(resource, &(struct rlimit){most, most});
}

static _Noreturn void become(const Process *process, int input, const int *ends)
{
    setsid();
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
#endif
    if (process->folder != NULL && chdir(process->folder) != 0) goto failed;
    for (const char *const *entry = process->set; entry != NULL && *entry != NULL; entry++)
        putenv((char *)*entry);
    dup2(input, STDIN_FILENO);
    dup2(ends[OUT], STDOUT_FILENO);
    dup2(ends[ERR], STDERR_FILENO);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    limit(RLIMIT_AS, process->memory);
    limit(RLIMIT_FSIZE, process->file);
    limit(RLIMIT_CPU, process->seconds > 0 ? (size_t)process->seconds + 1 : 0);
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(process->argv[0], (char *const *)process->argv);
failed:;
    const char *why = strerror(errno);
    (void)!write(ends[WHY], why, strlen(why));
    _exit(127);
}

// ---- its output ----

// A socket, not a pipe: any process of the user can open a pipe through /proc.
static bool connect_stream(int *ours, int *theirs)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return false;
    for (int k = 0; k < 2; k++) fcntl(ends[k], F_SETFD, FD_CLOEXEC);
    *ours = ends[0];
    *theirs = ends[1];
    return true;
}

static void read_stream(Stream *stream)
{
    if (stream->room - stream->used < PIECE) {
        stream->room = 2 * stream->room + 2 * PIECE;
        stream->text = realloc(stream->text, stream->room);
        REQUIRE(stream->text != NULL, "no memory for %zu bytes of output", stream->room);
    }
    ssize_t bytes = read(stream->fd, stream->text + stream->used, PIECE);
    if (bytes < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (bytes > 0) {
        stream->used += (size_t)bytes;
        return;
    }
    close(stream->fd);
    stream->fd = -1;
}

// Until both streams are closed or a limit is reached.
static EndingKind read_streams(const Process *process, Stream *streams)
{
    double begun = process_clock(), last_read = begun;
    for (;;) {
        double now = process_clock(), left = 1e6;
        if (process->seconds > 0 && left > begun + process->seconds - now)
            left = begun + process->seconds - now;
        if (process->silence > 0 && left > last_read + process->silence - now)
            left = last_read + process->silence - now;
        if (left <= 0) return ENDED_TIMEOUT;
        if (process->output > 0 && streams[OUT].used + streams[ERR].used > process->output)
            return ENDED_OUTPUT;

        struct pollfd polled[STREAMS];
        bool open = false;
        for (int s = 0; s < STREAMS; s++) {
            polled[s] = (struct pollfd){.fd = streams[s].fd, .events = POLLIN};
            open = open || streams[s].fd >= 0;
        }
        if (!open) return ENDED;
        if (poll(polled, STREAMS, (int)(left * 1000) + 1) <= 0) continue;
        for (int s = 0; s < STREAMS; s++)
            if (polled[s].revents != 0) read_stream(&streams[s]);
        last_read = process_clock();
    }
}

static const char *keep(Arena *arena, Stream *stream)
{
    if (stream->fd >= 0) close(stream->fd);
    char *text = arena_alloc(arena, stream->used + 1);
    size_t kept = 0;
    for (size_t i = 0; i < stream->used; i++)
        if (stream->text[i] != '\0') text[kept++] = stream->text[i];
    text[kept] = '\0';
    free(stream->text);
    return text;
}

// ---- the end ----

// Processes that the child left behind become our children: all of them are killed.
static void kill_orphans(void)
{
#ifdef __linux__
    for (int round = 0; round < 1000; round++) {
        char path[64];
        long pid = 0;
        snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
        FILE *children = fopen(path, "r");
        if (children == NULL) return;
        int found = fscanf(children, "%ld", &pid);
        fclose(children);
        if (found != 1) return;
        kill((pid_t)pid, SIGKILL);
        waitpid((pid_t)pid, NULL, 0);
    }
#endif
}

// An unnamed file, since a pipe would have to be filled while the child's output is read.
static int open_input(const char *text)
{
    if (text == NULL) return open("/dev/null", O_RDONLY | O_CLOEXEC);
    FILE *file = tmpfile();
    if (file == NULL) return -1;
    fputs(text, file);
    int fd = fflush(file) == 0 ? fcntl(fileno(file), F_DUPFD_CLOEXEC, 3) : -1;
    fclose(file);
    if (fd >= 0) lseek(fd, 0, SEEK_SET);
    return fd;
}

// The child, and our ends of its streams; -1 with errno when there is none.
static pid_t start(const Process *process, Stream *streams)
{
    int input = open_input(process->input), ends[STREAMS] = {-1, -1, -1};
    bool ready = input >= 0;
    pid_t child = -1;
    for (int s = 0; s < STREAMS; s++) {
        streams[s] = (Stream){.fd = -1};
        ready = ready && connect_stream(&streams[s].fd, &ends[s]);
    }
    fflush(NULL);
    if (ready) child = fork();
    if (child == 0) become(process, input, ends);
    int why = errno;
    if (input >= 0) close(input);
    for (int s = 0; s < STREAMS; s++)
        if (ends[s] >= 0) close(ends[s]);
    errno = why;
    return child;
}

bool process_run(Arena *arena, const Process *process, Ending *ending, Error *err)
{
    Stream streams[STREAMS];
    int status = 0;
    *ending = (Ending){.out = "", .err = ""};
#ifdef __linux__
    prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
    pid_t child = start(process, streams);
    if (child > 0) {
        ending->how = read_streams(process, streams);
        // Its streams are closed: give it a moment to exit by itself.
        for (double until = process_clock() + (ending->how == ENDED ? 1 : 0);
             process_clock() < until;) {
            siginfo_t info = {0};
            if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0) break;
            if (info.si_pid == child) break;
            poll(NULL, 0, 1);
        }
        if (ending->how != ENDED) kill(child, SIGKILL);
        kill(-child, SIGKILL);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
        kill_orphans();
    }
    int why = errno;
#ifdef __linux__
    prctl(PR_SET_CHILD_SUBREAPER, 0);
#endif
    ending->out = keep(arena, &streams[OUT]);
    ending->err = keep(arena, &streams[ERR]);
    const char *unstarted = keep(arena, &streams[WHY]);
    if (child < 0)
        return error_set(err, "%s: cannot be started: %s", process->argv[0], strerror(why));
    if (unstarted[0] != '\0')
        return error_set(err, "%s: cannot be started: %s", process->argv[0], unstarted);
    if (ending->how == ENDED && WIFSIGNALED(status)) ending->how = ENDED_SIGNAL;
    ending->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    ending->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return true;
}
