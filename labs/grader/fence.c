#include "labs/grader/fence.h"
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>
#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

// ---- limits ----

static void limit(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0) return;
    if (hard > now.rlim_max) hard = now.rlim_max;
    setrlimit(resource, &(struct rlimit){soft < hard ? soft : hard, hard});
}

// Relative to what is mapped: AddressSanitizer's shadow alone is terabytes of address space. Linux
// counts private memory, small and large, in RLIMIT_DATA; RLIMIT_AS adds what is shared.
static void limit_memory(void)
{
    unsigned long long mapped, skipped, data;
    FILE              *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return;
    int fields = fscanf(file, "%llu %llu %llu %llu %llu %llu", &mapped, &skipped, &skipped,
                        &skipped, &skipped, &data);
    fclose(file);
    if (fields < 6) return;
    rlim_t page = (rlim_t)sysconf(_SC_PAGESIZE), more = (rlim_t)MEMORY_LIMIT_MB << 20;
    limit(RLIMIT_DATA, (rlim_t)data * page + more, (rlim_t)data * page + 2 * more);
    limit(RLIMIT_AS, (rlim_t)mapped * page + more, (rlim_t)mapped * page + 2 * more);
}

void fence_widen(void)
{
    limit(RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY);
    limit(RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY);
}

// ---- system calls that are refused ----

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
#ifdef __x86_64__
#define MACHINE AUDIT_ARCH_X86_64
#else
#define MACHINE AUDIT_ARCH_AARCH64
#endif
#define FIELD(name)        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define ARGUMENT(k)        FIELD(args[k])    // its lower half
#define EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define ANY(bits, skip)    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, (skip))
#define NONE(bits, skip)   BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (skip), 0)
#define ANSWER(what)       BPF_STMT(BPF_RET | BPF_K, (what))
#define STOP               ANSWER(SECCOMP_RET_TRAP)    // SIGSYS: a verdict
#define FAIL(error)        ANSWER(SECCOMP_RET_ERRNO | ((error)&SECCOMP_RET_DATA))
#define REFUSE(call)       EQUAL(SYS_##call, 1), STOP

// `skip` counts the instructions up to the next group; each group begins with the call's number.
static void refuse_calls(void)
{
    const uint32_t own    = (uint32_t)getpid();
    const uint32_t writes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
    // clang-format off
    const struct sock_filter program[] = {
        FIELD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0), STOP,
        FIELD(nr),
        // Files: read, never made or changed.
        EQUAL(SYS_openat, 4), ARGUMENT(2), ANY(writes, 1), FAIL(EACCES), ANSWER(SECCOMP_RET_ALLOW),
#ifdef SYS_open
        EQUAL(SYS_open, 4), ARGUMENT(1), ANY(writes, 1), FAIL(EACCES), ANSWER(SECCOMP_RET_ALLOW),
        REFUSE(creat), REFUSE(unlink), REFUSE(rename), REFUSE(mkdir), REFUSE(rmdir), REFUSE(link),
        REFUSE(symlink), REFUSE(chmod), REFUSE(chown), REFUSE(mknod),
#endif
#ifdef SYS_openat2
        EQUAL(SYS_openat2, 1), FAIL(ENOSYS),
#endif
        REFUSE(unlinkat), REFUSE(renameat2), REFUSE(mkdirat), REFUSE(linkat), REFUSE(symlinkat),
        REFUSE(truncate), REFUSE(fchmodat), REFUSE(fchownat), REFUSE(mknodat),
        // The rest of the machine.
        REFUSE(socket), REFUSE(shmget), REFUSE(msgget), REFUSE(semget), REFUSE(setsid),
        REFUSE(reboot), REFUSE(mount), REFUSE(umount2),
        // Signals to itself only, by whichever call.
        EQUAL(SYS_kill, 4), ARGUMENT(0), EQUAL(own, 1), ANSWER(SECCOMP_RET_ALLOW), STOP,
        EQUAL(SYS_tgkill, 4), ARGUMENT(0), EQUAL(own, 1), ANSWER(SECCOMP_RET_ALLOW), STOP,
        // Its limits stay: asking for them is fine.
        EQUAL(SYS_setrlimit, 1), FAIL(EPERM),
#ifndef __clang__    // clang's runtime runs llvm-symbolizer to name a line
        // Threads, and LeakSanitizer's helper, share the memory; a process would not.
        REFUSE(execve), REFUSE(execveat),
#ifdef SYS_fork
        REFUSE(fork), REFUSE(vfork),
#endif
        EQUAL(SYS_clone, 6), ARGUMENT(0), ANY(CLONE_VFORK, 1), STOP, NONE(CLONE_VM, 1), STOP,
        ANSWER(SECCOMP_RET_ALLOW),
#ifdef SYS_clone3
        EQUAL(SYS_clone3, 1), FAIL(ENOSYS),    // its flags cannot be seen here; clone() follows
#endif
#endif
        ANSWER(SECCOMP_RET_ALLOW),
    };
    // clang-format on
    struct sock_fprog all = {sizeof program / sizeof *program,
                             (struct sock_filter *)program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all);
}

const char *fence_refused(int call)
{
    switch (call) {
    case SYS_clone:
#ifdef SYS_fork
    case SYS_fork:
    case SYS_vfork:
#endif
    case SYS_execve:
    case SYS_execveat: return "started another process";
    case SYS_kill:
    case SYS_tgkill: return "sent a signal to another process";
    case SYS_socket: return "opened a socket";
    case SYS_setsid:
    case SYS_shmget:
    case SYS_msgget:
    case SYS_semget:
    case SYS_reboot:
    case SYS_mount:
    case SYS_umount2: return "asked the system for what an exercise has no use for";
    default: return "changed a file or a folder";
    }
}
#else
static void refuse_calls(void)
{
}

const char *fence_refused(int call)
{
    (void)call;
    return "asked the system for what an exercise has no use for";
}
#endif

void fence_close(double seconds)
{
    rlim_t whole = (rlim_t)ceil(seconds);
    limit(RLIMIT_CPU, whole + 1, whole + 2);    // for who has silenced the timer
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_FSIZE, 0, 0);
    limit(RLIMIT_STACK, (rlim_t)STACK_LIMIT_MB << 20, (rlim_t)STACK_LIMIT_MB << 20);
    limit_memory();
    double           left  = seconds - floor(seconds);
    struct itimerval timer = {.it_value = {(time_t)floor(seconds), (suseconds_t)(left * 1e6)}};
    setitimer(ITIMER_PROF, &timer, NULL);
    refuse_calls();
}
