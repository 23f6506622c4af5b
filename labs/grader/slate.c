#include "labs/grader/slate.h"
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

Slate *slate_new(void)
{
    Slate *slate =
        mmap(NULL, sizeof *slate, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (slate == MAP_FAILED) return NULL;
    slate->verdict = VERDICT_COUNT;
    return slate;
}

void slate_free(Slate *slate)
{
    if (slate != NULL) munmap(slate, sizeof *slate);
}

void slate_shut(Slate *slate)
{
    mprotect(slate, sizeof *slate, PROT_NONE);
}

bool slate_open(Slate *slate)
{
    if (mprotect(slate, sizeof *slate, PROT_READ | PROT_WRITE) != 0) return false;
    if (slate->owner == getpid()) return true;
    slate_shut(slate);    // a child made by vfork() has its parent's memory
    return false;
}

void slate_phase(Slate *slate, SlatePhase phase)
{
    if (!slate_open(slate)) _exit(1);
    slate->phase = phase;
    slate_shut(slate);
}

_Noreturn void slate_end(Slate *slate, Verdict verdict, int line, const char *format, ...)
{
    if (!slate_open(slate)) _exit(1);
    va_list args;
    va_start(args, format);
    vsnprintf(slate->message, sizeof slate->message, format, args);
    va_end(args);
    slate->line = line;
    slate->verdict = verdict;
    slate->phase = PHASE_OVER;
    _exit(0);
}
