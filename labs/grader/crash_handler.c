#include "labs/grader/crash_handler.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "labs/grader/sandbox.h"
#include "labs/grader/frames.h"
#include "tests/guarded.h"
#if defined(__linux__)
#include <ucontext.h>
#endif

enum { HANDLER_STACK = 256 << 10, NULL_PAGE = 1 << 16 };

static const TestProcess *process;

_Noreturn void crash_handler_end(Verdict verdict, int line, const char *sentence)
{
    size_t what = strcspn(sentence, ":");
    if (line == 0) shared_result_end(process->result, verdict, 0, "%s", sentence);
    shared_result_end(process->result, verdict, line, "%.*s, at line %d%s", (int)what, sentence,
                      line, sentence + what);
}

static _Noreturn void report(const Frames *frames, Verdict verdict, const char *sentence)
{
    if (shared_result_unlock(process->result) && process->result->detail[0] == '\0')
        snprintf(process->result->detail, sizeof process->result->detail, "%s", frames->text);
    crash_handler_end(verdict, frames->line, sentence);
}

static _Noreturn void report_at(const Frames *frames, Verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static _Noreturn void report_at(const Frames *frames, Verdict verdict, const char *format, ...)
{
    char sentence[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    report(frames, verdict, sentence);
}

_Noreturn void crash_handler_report(Verdict verdict, const void *pc, const char *format, ...)
{
    char sentence[1024];
    Frames frames;
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    frames_find(&frames, process->source, pc, false);
    report(&frames, verdict, sentence);
}

// ---- signals ----

typedef struct Fault {
    const char *address, *pc, *stack;    // NULL where this platform does not report it
    int writes;                          // -1 when not known
    bool wild;                           // a non-canonical address
} Fault;

// The one place that knows processors.
static Fault fault_read(const siginfo_t *info, const void *context)
{
    Fault fault = {.address = info->si_addr, .writes = -1};
#if defined(__linux__) && defined(__x86_64__)
    const mcontext_t *machine = &((const ucontext_t *)context)->uc_mcontext;
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    fault.pc = (const char *)machine->gregs[REG_RIP];
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    fault.stack = (const char *)machine->gregs[REG_RSP];
    fault.writes = machine->gregs[REG_ERR] >> 1 & 1;
    fault.wild = info->si_signo == SIGSEGV && info->si_code == SI_KERNEL;
#elif defined(__linux__) && defined(__aarch64__)
    const mcontext_t *machine = &((const ucontext_t *)context)->uc_mcontext;
    fault.pc = (const char *)machine->pc;
    fault.stack = (const char *)machine->sp;
#else
    (void)context;
#endif
    return fault;
}

static _Noreturn void report_guard(const Frames *frames, const Fault *fault, const Guard *guard)
{
    const char *does = fault->writes == 1 ? "writes" : fault->writes == 0 ? "reads" : "goes";
    char who[160] = "", distance[64];
    const char *end = (const char *)guard->block + guard->bytes;
    size_t past = (size_t)(fault->address - end) / guard->each + 1;
    if (!frames->inside && frames->callee[0] != '\0' && frames->line > 0)
        snprintf(who, sizeof who, "%s, called at line %d, ", frames->callee, frames->line);
    if (fault->address < (const char *)guard->block)
        snprintf(distance, sizeof distance, "before the beginning");
    else if (who[0] != '\0')    // a library reads many at once, so the distance means little
        snprintf(distance, sizeof distance, "past the end");
    else if (past == 1) snprintf(distance, sizeof distance, "one element past the end");
    else snprintf(distance, sizeof distance, "%zu elements past the end", past);
    size_t count = guard->bytes / guard->each;
    if (who[0] == '\0')
        report_at(frames, VERDICT_CRASH, "%s %s of an array of %zu", does, distance, count);
    if (!shared_result_unlock(process->result)) _exit(1);
    snprintf(process->result->detail, sizeof process->result->detail, "%s", frames->text);
    shared_result_end(process->result, VERDICT_CRASH, frames->line,
                      "%s%s %s of an array of %zu: are its sizes right?", who, does, distance,
                      count);
}

static _Noreturn void on_segv(const Frames *frames, const Fault *fault)
{
    const char *does = fault->writes == 1 ? "writes to" : fault->writes == 0 ? "reads" : "uses";
    const char *where = frames->outside ? " in the case, after your function returned" : "";
    Guard guard;
    if (guarded_find(fault->address, &guard)) report_guard(frames, fault, &guard);
    if (fault->stack != NULL && fault->address > fault->stack - NULL_PAGE &&
        fault->address < fault->stack + NULL_PAGE) {
        if (frames->repeats > 2) {
            Frames recursion = *frames;
            recursion.line = frames->again;
            report_at(&recursion, VERDICT_CRASH, "calls itself without end");
        }
        report_at(frames, VERDICT_CRASH,
                  "needs more stack than there is, %d MB: a large local array?", STACK_LIMIT_MB);
    }
    if (fault->wild) report_at(frames, VERDICT_CRASH, "uses a pointer that was never set%s", where);
    if ((uintptr_t)fault->address < NULL_PAGE && errno == ENOMEM)
        report_at(frames, VERDICT_MEMORY, "asked for more memory than there is, the limit is %d GB",
                  MEMORY_LIMIT_MB >> 10);
    if ((uintptr_t)fault->address < NULL_PAGE)
        report_at(frames, VERDICT_CRASH, "%s a NULL pointer%s", does, where);
    report_at(frames, VERDICT_CRASH, "%s memory that is not its own%s", does, where);
}

static void on_crash(int signal, siginfo_t *info, void *context)
{
    Fault fault = fault_read(info, context);
    Frames frames;
    bool sent = info->si_code <= 0;    // by raise() or kill(), not by the processor
    frames_find(&frames, process->source, fault.pc, true);
    if (signal == SIGABRT) {
        if (shared_result_unlock(process->result)) process->result->quotes = true;
        report_at(&frames, VERDICT_CRASH, "called abort()");
    }
    if (signal == SIGSEGV && !sent) on_segv(&frames, &fault);
    if (signal == SIGFPE && !sent) report_at(&frames, VERDICT_CRASH, "divides an integer by zero");
#ifdef __linux__
    if (signal == SIGSYS)
        report_at(&frames, VERDICT_CRASH, "%s, which an exercise may not",
                  sandbox_violation(info->si_errno));
#endif
    report_at(&frames, VERDICT_CRASH, "was stopped by a signal, %s", strsignal(signal));
}

static void on_time(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    Frames frames;
    bool sent = info->si_code == SI_USER;    // by the grader's clock
    frames_find(&frames, process->source, fault_read(info, context).pc, true);
    report_at(&frames, VERDICT_TIMEOUT,
              sent ? "was still not done after %g s: does it wait for something?"
                   : "was still running after %g s of processor time: an endless loop?",
              sent ? 4 * process->seconds : process->seconds);
}

// SIGXFSZ: RLIMIT_FSIZE is 0. A write to a closed pipe (SIGPIPE) is not reported.
static void on_file(int signal)
{
    (void)signal;
    crash_handler_report(VERDICT_CRASH, NULL, "wrote to a file, which an exercise may not");
}

static void on_exit_called(int status, void *unused)
{
    (void)unused;
    crash_handler_report(VERDICT_EXIT, NULL, "called exit(%d) before the case was over", status);
}

void crash_handler_init(const TestProcess *given)
{
    process = given;
    frames_submission(process->submission);
#ifdef __linux__
    on_exit(on_exit_called, NULL);
#endif
    sanitizer_init(process);
    crash_handler_install();
}

void crash_handler_install(void)
{
    static char stack[HANDLER_STACK];    // endless recursion has used up the normal one
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    struct sigaction crash = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction time = {.sa_sigaction = on_time, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction file = {.sa_handler = on_file, .sa_flags = SA_ONSTACK};
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
    for (size_t k = 0; k < sizeof crashes / sizeof *crashes; k++)
        sigaction(crashes[k], &crash, NULL);
    sigaction(SIGPROF, &time, NULL);
    sigaction(SIGXCPU, &time, NULL);
    sigaction(SIGXFSZ, &file, NULL);
}
