/* sanitized.c -- turns reports of AddressSanitizer, UBSan and LeakSanitizer into sentences. */
#include <ctype.h>
#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "labs/grader/sandbox.h"
#include "labs/grader/frames.h"
#include "labs/grader/crash_handler.h"

// Compiled in, so that an environment variable cannot weaken it. crash_handler.c handles signals. Fresh
// memory is filled with 0xff, which near.c recognizes. There is no leak check at exit: a failed case
// leaves memory behind, because cmocka jumps out of it.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0:"
           "handle_sigtrap=0:use_sigaltstack=0:exitcode=86:color=never:print_summary=0:"
           "detect_leaks=1:leak_check_at_exit=0:allocator_may_return_null=0:"
           "max_allocation_size_mb=2048:malloc_fill_byte=255:max_malloc_fill_size=67108864:"
           "detect_stack_use_after_return=1";
}

_Static_assert(MEMORY_LIMIT_MB == 2048 && SANITIZER_STATUS == 86, "must match the options");

// In common_interface_defs.h only from clang 16 on.
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static const TestProcess *process;

static const struct {
    const char *kind, *sentence;
} kinds[] = {
    // the first whose kind the report's begins with or holds
    {"use-after-free", "used memory after free()"},
    {"double-free", "freed the same memory twice"},
    {"bad-free", "freed a pointer that malloc() did not return"},
    {"use-after-return", "used a local variable of a function that has returned"},
    {"use-after-scope", "used a local variable outside of its block"},
    {"param-overlap", "copied between overlapping ranges"},
    {"negative-size", "passed a negative size"},
    {"use-after-poison", "used arena memory that was not allocated"},
    {"alloc-dealloc", "freed with the wrong function"},
};

// `each` is the size of what was read or written, where that is one element.
static _Noreturn void report_overflow(const char *address, size_t each, bool writes, const void *pc)
{
    const char *does = writes ? "writes" : "reads";
    size_t size = 0;
    void *region = NULL;
    char name[128] = "", of[192] = "an array";
    __asan_locate_address((void *)address, name, sizeof name, &region, &size);
    bool elements = region != NULL && (each == 2 || each == 4 || each == 8);
    if (elements && name[0] != '\0')
        snprintf(of, sizeof of, "'%s', an array of %zu", name, size / each);
    else if (elements) snprintf(of, sizeof of, "an array of %zu", size / each);
    else if (region != NULL) snprintf(of, sizeof of, "%zu bytes", size);
    if (region != NULL && address < (char *)region)
        crash_handler_report(VERDICT_CRASH, pc, "%s before the beginning of %s", does, of);
    size_t past = elements ? (size_t)(address - ((char *)region + size)) / each + 1 : 0;
    if (past == 1)
        crash_handler_report(VERDICT_CRASH, pc, "%s one element past the end of %s", does, of);
    if (past > 1)
        crash_handler_report(VERDICT_CRASH, pc, "%s %zu elements past the end of %s", does, past,
                             of);
    crash_handler_report(VERDICT_CRASH, pc, "%s past the end of %s", does, of);
}

// ASan gives a local array's bounds only in the text of its report:
// "    [32, 48) 'row' (line 7) <== Memory access at offset 52 overflows this variable"
static void find_local(const char *report, size_t each, bool writes, const void *pc)
{
    static const char marker[] = "<== Memory access at offset ";
    const char *mark = strstr(report, marker), *line = mark;
    while (line != NULL && line > report && line[-1] != '\n') line--;
    long begin, end;
    char name[64];
    if (line == NULL || sscanf(line, " [%ld, %ld) '%63[^']'", &begin, &end, name) != 3) return;
    if (each != 2 && each != 4 && each != 8) return;
    long offset = strtol(mark + strlen(marker), NULL, 10), size = (long)each;
    if (offset < begin)
        crash_handler_report(VERDICT_CRASH, pc, "%s before the beginning of '%s', an array of %ld",
                             writes ? "writes" : "reads", name, (end - begin) / size);
    long past = (offset - end) / size + 1;
    crash_handler_report(
        VERDICT_CRASH, pc, "%s %ld element%s past the end of '%s', an array of %ld",
        writes ? "writes" : "reads", past, past == 1 ? "" : "s", name, (end - begin) / size);
}

static _Noreturn void report_memory(const char *report)
{
    const char *size = strstr(report, "size 0x");
    if (size == NULL) size = strstr(report, "allocate 0x");
    double bytes = size ? strtod(strstr(size, "0x"), NULL) : 0;
    if (bytes >= (double)MEMORY_LIMIT_MB * (1 << 20))
        crash_handler_report(VERDICT_MEMORY, NULL,
                             "asked for %.3g GB of memory, the limit is %d GB", bytes / 1e9,
                             MEMORY_LIMIT_MB >> 10);
    crash_handler_report(VERDICT_MEMORY, NULL, "took more memory than the limit, %d GB",
                         MEMORY_LIMIT_MB >> 10);
}

static void on_report(const char *report)
{
    const char *what = __asan_get_report_description();
    if (!shared_result_unlock(process->result)) _exit(1);
    snprintf(process->result->detail, sizeof process->result->detail, "%s", report);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (strstr(what, kinds[k].kind) != NULL)
            crash_handler_report(VERDICT_CRASH, __asan_get_report_pc(), "%s", kinds[k].sentence);
    if (strstr(what, "memory") || strstr(what, "allocation") || strstr(what, "rss-limit"))
        report_memory(report);
    if (strstr(what, "stack"))
        find_local(report, __asan_get_report_access_size(), __asan_get_report_access_type(),
                   __asan_get_report_pc());
    if (strstr(what, "overflow") || strstr(what, "underflow"))
        report_overflow((const char *)__asan_get_report_address(), __asan_get_report_access_size(),
                        __asan_get_report_access_type(), __asan_get_report_pc());
    crash_handler_report(VERDICT_CRASH, __asan_get_report_pc(),
                         "was stopped by AddressSanitizer, %s", what);
}

// Called before the report is written: gives the runtime memory to report that there is none.
void __asan_on_error(void)
{
    sandbox_raise_memory_limit();
}

// ---- UBSan ----

void __ubsan_on_report(void);
void __ubsan_get_current_report_data(const char **kind, const char **message, const char **file,
                                     unsigned *line, unsigned *column, char **address);

// Messages that a learner would not understand, and what to print instead; the last match counts.
static const struct {
    const char *words, *sentence;
} behaviours[] = {
    {"ivision by zero", "divides an integer by zero"},
    {"misaligned", "uses a pointer that is not aligned: was it ever set?"},
    {"0xfefefefefefefefe", "uses a pointer that was never set"},
    {"0xaaaaaaaaaaaaaaaa", "uses a pointer that was never set"},
    {"Load of null", "reads a NULL pointer"},
    {"Store to null", "writes to a NULL pointer"},
    {"ember access within null", "uses a member of a NULL pointer"},
    {"offset to null", "calculates with a NULL pointer"},
    {"end of a value-returning", "ends without a return"},
};

void __ubsan_on_report(void)
{
    const char *kind, *message, *file;
    unsigned line, column;
    char *address;
    __ubsan_get_current_report_data(&kind, &message, &file, &line, &column, &address);
    if (!shared_result_unlock(process->result)) _exit(1);
    snprintf(process->result->detail, sizeof process->result->detail, "%s:%u:%u: %s", file, line,
             column, message);
    bool writes = strncmp(message, "Store", 5) == 0;
    const char *hex = strstr(message, "0x");
    if (hex != NULL && strstr(message, "insufficient space"))
        // NOLINTNEXTLINE(performance-no-int-to-ptr)
        report_overflow((const char *)(uintptr_t)strtoull(hex, NULL, 16),
                        strstr(message, "double") ? 8 : 4, writes, NULL);
    char sentence[256];
    snprintf(sentence, sizeof sentence, "%c%s", tolower((unsigned char)message[0]), message + 1);
    for (size_t k = 0; k < sizeof behaviours / sizeof *behaviours; k++)
        if (strstr(message, behaviours[k].words))
            snprintf(sentence, sizeof sentence, "%s", behaviours[k].sentence);
    if (!frames_is_source(file, process->source))
        crash_handler_report(VERDICT_CRASH, NULL, "%s", sentence);
    crash_handler_end(VERDICT_CRASH, (int)line, sentence);
}

// ---- leaks ----

// What was allocated and not freed. LeakSanitizer is slow (it stops the process from outside), so it
// runs only when the submission's own allocations are among them; reachable memory is not leaked.
enum { LIVE_MAX = 4096 };
static const volatile void *live[LIVE_MAX];
static size_t live_sizes[LIVE_MAX];
static volatile bool counting;

static void on_malloc(const volatile void *block, size_t size)
{
    if (!counting || block == NULL) return;
    for (size_t k = 0, i = (uintptr_t)block / 16; k < 64; k++, i++)
        if (live[i % LIVE_MAX] == NULL) {
            live[i % LIVE_MAX] = block;
            live_sizes[i % LIVE_MAX] = size;
            return;
        }
}

static void on_free(const volatile void *block)
{
    if (!counting || block == NULL) return;
    for (size_t k = 0, i = (uintptr_t)block / 16; k < 64; k++, i++)
        if (live[i % LIVE_MAX] == block) {
            live[i % LIVE_MAX] = NULL;
            return;
        }
}

// What the grader itself allocates, from its start on, does not count.
__attribute__((constructor)) static void own_memory(void)
{
    __lsan_disable();
}

// clang's OpenMP comes before that first moment.
const char *__lsan_default_suppressions(void)
{
    return "leak:libomp.so\n";
}

void crash_handler_track_leaks(bool on)
{
    counting = on;
    if (on) __lsan_enable();
    else __lsan_disable();
}

static int line_of_allocation(const volatile void *block)
{
    void *pcs[32];
    int thread = 0;
    size_t count = __asan_get_alloc_stack((void *)block, pcs, 32, &thread);
    return frames_line(pcs, count, process->source);
}

void crash_handler_check_leaks(void)
{
    size_t lost = 0;
    int line = 0;
    for (size_t i = 0; i < LIVE_MAX; i++) {
        int at = live[i] != NULL ? line_of_allocation(live[i]) : -1;
        if (at >= 0) lost += live_sizes[i];
        if (at > 0 && line == 0) line = at;
        live[i] = NULL;    // or LeakSanitizer would find it here
    }
    if (lost == 0) return;
    shared_result_set_phase(process->result, PHASE_LEAKS);
    if (__lsan_do_recoverable_leak_check() == 0) return;
    if (line > 0)
        shared_result_end(process->result, VERDICT_LEAK, line,
                          "lost %zu bytes that it allocated at line %d", lost, line);
    shared_result_end(process->result, VERDICT_LEAK, 0, "lost %zu bytes", lost);
}

void sanitizer_init(const TestProcess *given)
{
    process = given;
    int null = open("/dev/null", O_WRONLY);
    void *fd = (void *)(intptr_t)null;    // NOLINT(performance-no-int-to-ptr): as the API wants it
    __sanitizer_set_report_fd(fd);        // on_report stores what it says in the shared result
    __asan_set_error_report_callback(on_report);
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}
