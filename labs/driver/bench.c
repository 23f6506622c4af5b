#include "labs/driver/commands.h"
#include "labs/driver/nearest.h"
#include "common/arena.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// From bench/CMakeLists.txt, in its order: "sgemm", "train_autoencoder", ...
static const char *const benches[] = {LAB_BENCHES};
enum { BENCHES = sizeof benches / sizeof *benches };

static int start(const char *name, char **argv)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/bench/%s", LAB_BUILD_DIR, name);
    argv[0] = path;
    execv(path, argv);
    fprintf(stderr, "lab: %s: %s (./lab bench builds it)\n", path, strerror(errno));
    return 1;
}

// Each in a process of its own, one after the other: they must not share the machine.
static int run_all(char **argv)
{
    int failed = 0;
    for (int i = 0; i < BENCHES; i++) {
        printf("%s%s\n", i > 0 ? "\n" : "", benches[i]);
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) _exit(start(benches[i], argv));
        int status = 1;
        if (child < 0 || waitpid(child, &status, 0) < 0) return 1;
        if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
        if (WEXITSTATUS(status) != 0) failed = WEXITSTATUS(status);
    }
    return failed;
}

int command_bench(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') return run_all(argv);
    for (int i = 0; i < BENCHES; i++)
        if (strcmp(argv[1], benches[i]) == 0) return start(argv[1], argv + 1);
    const char *near = nearest(argv[1], benches, BENCHES);
    fprintf(stderr, "lab: there is no benchmark '%s'; ", argv[1]);
    if (near != NULL) fprintf(stderr, "did you mean '%s'?\n", near);
    else {
        fprintf(stderr, "there are");
        for (int i = 0; i < BENCHES; i++) fprintf(stderr, " %s", benches[i]);
        fputc('\n', stderr);
    }
    return 2;
}
