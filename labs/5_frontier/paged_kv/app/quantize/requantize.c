#include "labs/5_frontier/paged_kv/app/quantize/requantize.h"
#include <string.h>
#include <sys/statvfs.h>
#include "common/progress.h"
#include "labs/5_frontier/paged_kv/app/quantize/metadata.h"

typedef struct Writing {
    GgufWriter *out;
    const volatile sig_atomic_t *stop;
    uint64_t done;    // bytes
    Progress progress;
} Writing;

static bool is_stopped(const volatile sig_atomic_t *stop)
{
    return stop != NULL && *stop != 0;
}

static bool write_part(void *context, const void *bytes, size_t size)
{
    Writing *w = context;
    gguf_writer_part(w->out, bytes, size);
    w->done += size;
    progress_step(&w->progress, (long)(w->done >> 20), "%s", "");
    return !is_stopped(w->stop) && !gguf_writer_failed(w->out);
}

static bool write_tensors(Writing *w, const Requantized *made, Error *err)
{
    Converter *converter = converter_open(&made->plan);
    bool good = true;
    w->progress = progress_begin("writing", "MB", 0, (long)(made->bytes >> 20));
    for (int i = 0; good && i < made->plan.count; i++) {
        good = convert(converter, &made->plan.tensors[i], write_part, w, &made->losses[i], err);
        if (good) gguf_writer_end_data(w->out);
    }
    progress_end(&w->progress);
    converter_close(converter);
    return good;
}

// Before minutes are spent on it.
static bool check_space(const char *out, uint64_t bytes, Error *err)
{
    struct statvfs disk;
    const char *slash = strrchr(out, '/');
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - out) + 1 : 1,
             slash != NULL ? out : ".");
    if (statvfs(folder, &disk) != 0) return true;
    const double available = (double)disk.f_bavail * (double)disk.f_frsize;
    return available >= (double)bytes ||
           error_set(err, "%s: takes %.1f MB, and the disk has room for %.1f MB", out,
                     1e-6 * (double)bytes, 1e-6 * available);
}

static bool describe(GgufWriter *out, const ModelFile *file, const Requantize *how,
                     const Plan *plan, Error *err)
{
    if (file->gguf != NULL) metadata_copy(out, file->gguf, how->choice.type);
    else if (!metadata_make(out, file, how->vocabulary, how->choice.type, err)) return false;
    for (int i = 0; i < plan->count; i++) {
        const PlanTensor *t = &plan->tensors[i];
        gguf_writer_tensor(out, t->name, t->type, t->dims, t->shape);
    }
    return true;
}

bool requantize(Arena *keep, const ModelFile *file, const char *out, const Requantize *how,
                Requantized *made, Error *err)
{
    Writing w = {.out = gguf_writer_open(out, err), .stop = how->stop};
    if (w.out == NULL) return false;
    *made = (Requantized){.plan = plan_of(keep, file, file->family->gguf, how->choice)};
    made->losses = arena_zeros(keep, (size_t)made->plan.count * sizeof *made->losses);
    bool good = describe(w.out, file, how, &made->plan, err);
    made->bytes = gguf_writer_bytes(w.out);
    if (good && check_space(out, made->bytes, err)) {
        good = write_tensors(&w, made, err);
        const bool failed = !good && err->message[0] == '\0' && !is_stopped(how->stop);
        if (good || failed) return gguf_writer_commit(w.out, err);    // which says why it failed
        if (is_stopped(how->stop)) error_set(err, "interrupted: %s is not written", out);
    }
    gguf_writer_abandon(w.out);
    return false;
}
