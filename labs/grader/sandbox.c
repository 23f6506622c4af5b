#include "labs/grader/sandbox.h"
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>
#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
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
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return;
    int fields = fscanf(file, "%llu %llu %llu %llu %llu %llu", &mapped, &skipped, &skipped,
                        &skipped, &skipped, &data);
    fclose(file);
    if (fields < 6) return;
    rlim_t page = (rlim_t)sysconf(_SC_PAGESIZE), more = (rlim_t)MEMORY_LIMIT_MB << 20;
    limit(RLIMIT_DATA, (rlim_t)data * page + more, (rlim_t)data * page + 2 * more);
    limit(RLIMIT_AS, (rlim_t)mapped * page + more, (rlim_t)mapped * page + 2 * more);
}

void sandbox_raise_memory_limit(void)
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
enum { FILES = 1, PROCESS, OTHERS, SOCKET, CODE, SYSTEM };    // the reason, in si_errno

static const char *const reasons[] = {
    [FILES] = "changed a file or a folder",        [PROCESS] = "started another process",
    [OTHERS] = "sent a signal to another process", [SOCKET] = "opened a socket",
    [CODE] = "changed executable memory",          [SYSTEM] = "made an unusual system call",
};

#define FIELD(name)        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define ARGUMENT(k)        FIELD(args[k])    // its lower half
#define EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define LEAST(value, skip) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (value), 0, (skip))
#define ANY(bits, skip)    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, (skip))
#define NONE(bits, skip)   BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (skip), 0)
#define RETURN(what)       BPF_STMT(BPF_RET | BPF_K, (what))
#define ALLOW              RETURN(SECCOMP_RET_ALLOW)
#define FAIL(error)        RETURN(SECCOMP_RET_ERRNO | (error))
#define STOP(why)          RETURN(SECCOMP_RET_TRAP | (why))    // SIGSYS: a verdict
#define REFUSE(call, why)  EQUAL(SYS_##call, 1), STOP(why)
// Only where the call's argument k is this.
#define ONLY(call, k, value, action)                                                               \
    EQUAL(SYS_##call, 4), ARGUMENT(k), EQUAL(value, 1), ALLOW, action

// A call later than cachestat (Linux 6.5) may do what an earlier one is refused for, so it is refused
// as well, x32's above 2^30 included. Calls of this age have one number on every processor; those that
// change files are named.
enum { NEWEST = 451, FCHMODAT2, SETXATTRAT = 463, REMOVEXATTRAT = 466, FILE_SETATTR = 469 };

#define BIT(signal) (1u << (signal))

// Those that crash_handler.c handles: a fault stays a fault, and the time stays limited.
static const uint32_t handled = BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGILL) |
                                BIT(SIGABRT) | BIT(SIGSYS) | BIT(SIGTRAP) | BIT(SIGPROF) |
                                BIT(SIGXCPU) | BIT(SIGXFSZ);

// `skip` counts the instructions up to the next group; each group begins with the call's number.
static void refuse_calls(void)
{
    const uint32_t own = (uint32_t)getpid();
    const uint32_t writes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
    // clang-format off
    const struct sock_filter program[] = {
        FIELD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0), STOP(SYSTEM),
        FIELD(nr),
        EQUAL(FCHMODAT2, 1), STOP(FILES), EQUAL(SETXATTRAT, 1), STOP(FILES),
        EQUAL(REMOVEXATTRAT, 1), STOP(FILES), EQUAL(FILE_SETATTR, 1), STOP(FILES),
        LEAST(NEWEST + 1, 1), STOP(SYSTEM),
        // Files: read, never made or changed.
        EQUAL(SYS_openat, 4), ARGUMENT(2), ANY(writes, 1), FAIL(EACCES), ALLOW,
#ifdef SYS_open
        EQUAL(SYS_open, 4), ARGUMENT(1), ANY(writes, 1), FAIL(EACCES), ALLOW,
        REFUSE(creat, FILES), REFUSE(unlink, FILES), REFUSE(rename, FILES), REFUSE(mkdir, FILES),
        REFUSE(rmdir, FILES), REFUSE(link, FILES), REFUSE(symlink, FILES), REFUSE(chmod, FILES),
        REFUSE(chown, FILES), REFUSE(lchown, FILES), REFUSE(mknod, FILES), REFUSE(utime, FILES),
        REFUSE(utimes, FILES), REFUSE(futimesat, FILES),
#endif
#ifdef SYS_renameat
        REFUSE(renameat, FILES),
#endif
#ifdef SYS_openat2
        EQUAL(SYS_openat2, 1), FAIL(ENOSYS),
#endif
        REFUSE(unlinkat, FILES), REFUSE(renameat2, FILES), REFUSE(mkdirat, FILES),
        REFUSE(linkat, FILES), REFUSE(symlinkat, FILES), REFUSE(truncate, FILES),
        REFUSE(fchmod, FILES), REFUSE(fchmodat, FILES), REFUSE(fchown, FILES),
        REFUSE(fchownat, FILES), REFUSE(mknodat, FILES), REFUSE(utimensat, FILES),
        REFUSE(setxattr, FILES), REFUSE(lsetxattr, FILES), REFUSE(fsetxattr, FILES),
        REFUSE(removexattr, FILES), REFUSE(lremovexattr, FILES), REFUSE(fremovexattr, FILES),
        EQUAL(SYS_ioctl, 6), ARGUMENT(1), EQUAL(FS_IOC_SETFLAGS, 1), STOP(FILES),
        EQUAL(FS_IOC_FSSETXATTR, 1), STOP(FILES), ALLOW,
        // Code: that of the cases and the grader stays what it is.
        EQUAL(SYS_mprotect, 4), ARGUMENT(2), ANY(PROT_EXEC, 1), STOP(CODE), ALLOW,
        EQUAL(SYS_mmap, 6), ARGUMENT(2), ANY(PROT_EXEC, 3), ARGUMENT(3), ANY(MAP_ANONYMOUS, 1),
        STOP(CODE), ALLOW,
        // Signals: their handlers stay the grader's. A call that only asks is refused as well.
        EQUAL(SYS_rt_sigaction, 9), ARGUMENT(0), LEAST(32, 1), ALLOW,
        BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_LD | BPF_IMM, 1),
        BPF_STMT(BPF_ALU | BPF_LSH | BPF_X, 0), ANY(handled, 1), FAIL(EPERM), ALLOW,
        // Other processes. LeakSanitizer's helper looks at this one.
        ONLY(kill, 0, own, STOP(OTHERS)), ONLY(tgkill, 0, own, STOP(OTHERS)), REFUSE(tkill, OTHERS),
        ONLY(rt_sigqueueinfo, 0, own, STOP(OTHERS)), ONLY(rt_tgsigqueueinfo, 0, own, STOP(OTHERS)),
        ONLY(ptrace, 1, own, FAIL(EPERM)), ONLY(prlimit64, 0, 0, FAIL(EPERM)),
        EQUAL(SYS_process_vm_readv, 1), FAIL(EPERM), EQUAL(SYS_process_vm_writev, 1), FAIL(EPERM),
#ifdef SYS_pidfd_send_signal
        REFUSE(pidfd_send_signal, OTHERS),
#endif
        EQUAL(SYS_fcntl, 6), ARGUMENT(1), EQUAL(F_SETOWN, 1), FAIL(EPERM), EQUAL(F_SETOWN_EX, 1),
        FAIL(EPERM), ALLOW,
        // The rest of the machine.
        REFUSE(socket, SOCKET), REFUSE(shmget, SYSTEM), REFUSE(msgget, SYSTEM),
        REFUSE(semget, SYSTEM), REFUSE(setsid, SYSTEM), REFUSE(reboot, SYSTEM),
        REFUSE(mount, SYSTEM), REFUSE(umount2, SYSTEM), REFUSE(unshare, SYSTEM),
        REFUSE(setns, SYSTEM), REFUSE(mq_open, SYSTEM), REFUSE(mq_unlink, SYSTEM),
        REFUSE(add_key, SYSTEM), REFUSE(keyctl, SYSTEM), REFUSE(bpf, SYSTEM),
        REFUSE(perf_event_open, SYSTEM), REFUSE(userfaultfd, SYSTEM),
#ifdef SYS_io_uring_setup
        EQUAL(SYS_io_uring_setup, 1), FAIL(ENOSYS),    // its calls bypass this filter
#endif
#ifndef __clang__    // clang's runtime runs llvm-symbolizer to name a line
        // Threads, and LeakSanitizer's helper, share the memory; a process would not.
        REFUSE(execve, PROCESS), REFUSE(execveat, PROCESS),
#ifdef SYS_fork
        REFUSE(fork, PROCESS), REFUSE(vfork, PROCESS),
#endif
        EQUAL(SYS_clone, 6), ARGUMENT(0), ANY(CLONE_VFORK, 1), STOP(PROCESS), NONE(CLONE_VM, 1),
        STOP(PROCESS), ALLOW,
#ifdef SYS_clone3
        EQUAL(SYS_clone3, 1), FAIL(ENOSYS),    // its flags cannot be seen here; clone() follows
#endif
#endif
        ALLOW,
    };
    // clang-format on
    struct sock_fprog all = {sizeof program / sizeof *program, (struct sock_filter *)program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all);
}

// Root is restricted as well.
static void drop_privileges(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    syscall(SYS_capset, &header, none);
}

const char *sandbox_violation(int why)
{
    bool known = why > 0 && (size_t)why < sizeof reasons / sizeof *reasons;
    return reasons[known ? why : SYSTEM];
}
#else
static void refuse_calls(void)
{
}

static void drop_privileges(void)
{
}

const char *sandbox_violation(int why)
{
    (void)why;
    return "made an unusual system call";
}
#endif

void sandbox_enter(double seconds)
{
    rlim_t whole = (rlim_t)ceil(seconds);
    limit(RLIMIT_CPU, whole + 1, whole + 2);    // in case the timer's signal is blocked
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_FSIZE, 0, 0);
    limit(RLIMIT_STACK, (rlim_t)STACK_LIMIT_MB << 20, (rlim_t)STACK_LIMIT_MB << 20);
    limit_memory();
    double left = seconds - floor(seconds);
    struct itimerval timer = {.it_value = {(time_t)floor(seconds), (suseconds_t)(left * 1e6)}};
    setitimer(ITIMER_PROF, &timer, NULL);
    drop_privileges();
    refuse_calls();
}
