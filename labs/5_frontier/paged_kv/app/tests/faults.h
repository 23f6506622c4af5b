/* faults.h -- allocations that are counted, and one of which fails; for one test program, linked with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=aligned_alloc,--wrap=posix_memalign.
 *
 *     faults_begin(7);                    // the seventh from now on fails; 0: none
 *     ...
 *     const int count = faults_end();     // how many there were
 *
 * Those of the program's own objects, and cJSON's. Threads of OpenMP that a loop starts allocate in its library.
 */
#pragma once
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static int faults_count, faults_at;
static bool faults_on;

static bool fault(void)
{
    return faults_on && ++faults_count == faults_at;
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
char *__real_strdup(const char *text);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
int __real_posix_memalign(void **memory, size_t alignment, size_t bytes);

void *__wrap_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes)
{
    return fault() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes)
{
    return fault() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes)
{
    return fault() ? NULL : __real_realloc(memory, bytes);
}

char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    return fault() ? NULL : __real_strdup(text);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return fault() ? NULL : __real_aligned_alloc(alignment, bytes);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t bytes);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    return fault() ? 12 : __real_posix_memalign(memory, alignment, bytes);    // ENOMEM
}

static void faults_begin(int at)
{
    cJSON_InitHooks(&(cJSON_Hooks){__wrap_malloc, free});
    faults_count = 0;
    faults_at = at;
    faults_on = true;
}

static int faults_end(void)
{
    faults_on = false;
    return faults_count;
}
