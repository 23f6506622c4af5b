#include "tests/stops.h"
#include "common/error.h"
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { PATIENCE = 60 };    // seconds; a sanitizer's report takes a few

bool child_begin(Child *child)
{
    int ends[2];
    REQUIRE(pipe(ends) == 0, "no pipe for a child process");
    fflush(NULL);    // or the child would print it a second time
    child->pid = fork();
    REQUIRE(child->pid >= 0, "no child process");
    child->output = ends[0];
    if (child->pid != 0) {
        close(ends[1]);
        return false;
    }
    dup2(ends[1], STDERR_FILENO);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    signal(SIGABRT, SIG_DFL);    // cmocka's handlers would go on with the other cases
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);    // the same on macOS
    alarm(PATIENCE);
    return true;
}

void child_survived(void)
{
    _exit(0);
}

void child_assert_stopped(Child *child, const char *text, const char *statement, const char *file,
                          int line)
{
    // All is read, so that a long report cannot fill the pipe; its beginning is kept.
    char output[16384], rest[4096];
    size_t used = 0;
    for (ssize_t n;;) {
        bool room = used < sizeof output - 1;
        n = room ? read(child->output, output + used, sizeof output - 1 - used)
                 : read(child->output, rest, sizeof rest);
        if (n <= 0) break;
        if (room) used += (size_t)n;
    }
    output[used] = '\0';
    close(child->output);

    int status = 0;
    REQUIRE(waitpid(child->pid, &status, 0) == child->pid, "the child process was lost");
    bool stopped = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    if (stopped && strstr(output, text) != NULL) return;
    print_error("%s\n%s; expected it to stop with \"%s\"; it printed \"%s\"\n", statement,
                stopped ? "stopped" : "did not stop", text, output);
    _fail(file, line);
}
