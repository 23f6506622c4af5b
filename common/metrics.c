#include "common/metrics.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct Metrics {
    FILE *stream;
    const char *path;
    long kept;       // the last step that a resumed run has in its file already; -1 for none
    bool restart;    // what the file holds is dropped by the next line
    int failure;     // errno of the first write that failed, 0 while all is well
};

Metrics *metrics_open(Arena *keep, const char *path, Error *err)
{
    FILE *stream = fopen(path, "a+e");
    if (stream == NULL) {
        error_set(err, "%s: cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    // Where a file system knows no locks, two runs are not kept apart.
    if (flock(fileno(stream), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        fclose(stream);
        error_set(err, "%s: another run is writing it; give this one a folder of its own (--out)",
                  path);
        return NULL;
    }
    setvbuf(stream, NULL, _IOLBF, BUFSIZ);
    Metrics *metrics = arena_zeros(keep, sizeof *metrics);
    metrics->stream = stream;
    metrics->kept = -1;
    metrics->path = arena_print(keep, "%s", path);
    return metrics;
}

void metrics_restart(Metrics *metrics)
{
    if (metrics != NULL) metrics->restart = true;
}

// A whole line of ours begins with its step and ends with a brace.
static bool line_is_kept(const char *line, ssize_t length, long step, long *kept)
{
    long found;
    if (sscanf(line, "{\"step\":%ld,", &found) != 1 || found > step || length < 2 ||
        strcmp(line + length - 2, "}\n") != 0)
        return false;
    *kept = found;
    return true;
}

bool metrics_rewind(Metrics *metrics, long step, Error *err)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    off_t kept = 0;
    if (metrics == NULL) return true;
    metrics->kept = -1;
    rewind(metrics->stream);
    while ((length = getline(&line, &room, metrics->stream)) > 0 &&
           line_is_kept(line, length, step, &metrics->kept))
        kept += length;
    free(line);
    bool failed = ferror(metrics->stream) != 0 || fseeko(metrics->stream, 0, SEEK_END) != 0 ||
                  ftruncate(fileno(metrics->stream), kept) != 0;
    if (failed)
        return error_set(err, "%s: cannot be cut at step %ld: %s", metrics->path, step,
                         strerror(errno));
    return true;
}

void metrics_write(Metrics *metrics, long step, const Metric *values)
{
    if (metrics == NULL || step <= metrics->kept) return;
    errno = 0;
    if (metrics->restart && ftruncate(fileno(metrics->stream), 0) != 0) metrics->failure = errno;
    metrics->restart = false;
    fprintf(metrics->stream, "{\"step\":%ld", step);
    for (const Metric *metric = values; metric->name != NULL; metric++) {
        // printf spells what is not finite as "nan", "-nan" and "inf"; the sign of a NaN means nothing.
        double value = isnan(metric->value) ? (double)NAN : metric->value;
        fprintf(metrics->stream, isfinite(value) ? ",\"%s\":%.9g" : ",\"%s\":\"%g\"", metric->name,
                value);
    }
    fputs("}\n", metrics->stream);
    if (ferror(metrics->stream) && metrics->failure == 0) metrics->failure = errno ? errno : EIO;
}

bool metrics_close(Metrics *metrics, Error *err)
{
    if (metrics == NULL) return true;
    errno = 0;
    if (fclose(metrics->stream) != 0 && metrics->failure == 0) metrics->failure = errno;
    if (metrics->failure != 0)
        return error_set(err, "%s: lines are missing: %s", metrics->path,
                         strerror(metrics->failure));
    return true;
}
