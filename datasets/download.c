#include "datasets/download.h"
#include "common/file.h"
#include "common/progress.h"
#include "datasets/package.h"
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// One file on its way.
typedef struct Transfer {
    const CatalogueFile *file;
    const DownloadOptions *options;
    char path[PATH_MAX], part[PATH_MAX];
    int output;         // the .part, locked against a second download
    uint64_t have;      // bytes in it
    bool too_much;      // the server sends more than the catalogue's size
    int write_error;    // errno of a failed write, or 0
    Progress progress;
} Transfer;

static bool stopped(const Transfer *t)
{
    return t->options->stop != NULL && *t->options->stop;
}

static size_t receive(char *data, size_t one, size_t size, void *transfer)
{
    Transfer *t = transfer;
    (void)one;    // always 1
    t->too_much = t->have + size > t->file->bytes;
    if (t->too_much) return CURL_WRITEFUNC_ERROR;
    for (size_t done = 0; done < size;) {
        ssize_t wrote = write(t->output, data + done, size - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) {
            t->write_error = errno;
            return CURL_WRITEFUNC_ERROR;
        }
        done += (size_t)wrote;
        t->have += (size_t)wrote;
    }
    progress_step(&t->progress, (long)t->have, "%s", "");
    return size;
}

static int watch(void *transfer, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return stopped(transfer);
}

static bool start_over(Transfer *t, Error *err)
{
    if (ftruncate(t->output, 0) != 0 || lseek(t->output, 0, SEEK_SET) != 0)
        return error_set(err, "%s: cannot be emptied: %s", t->part, strerror(errno));
    t->have = 0;
    return true;
}

static CURLcode request(CURL *curl, Transfer *t, const char *url, char why[CURL_ERROR_SIZE])
{
    long patience = t->options->patience > 0 ? t->options->patience : 30;
    why[0] = '\0';
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "ai-roadmap-labs");
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    // The checksum vouches for the content, so a redirect may lead anywhere on the web.
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, patience);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, patience);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 100L);
    curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)t->have);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
    return curl_easy_perform(curl);
}

// Asks once, from where the .part ends. *again: asking once more may help.
static bool fetch_once(CURL *curl, Transfer *t, const char *url, bool *again, Error *err)
{
    char why[CURL_ERROR_SIZE];
    uint64_t before = t->have;
    CURLcode code = request(curl, t, url, why);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    // A server may ignore the range (200) or refuse it (416); then only the whole file is left.
    if (before > 0 && (code == CURLE_RANGE_ERROR || status == 416)) {
        if (!start_over(t, err)) return false;
        before = 0;
        code = request(curl, t, url, why);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    *again = t->have > before;
    if (t->too_much) {
        *again = false;
        unlink(t->part);
        return error_set(err, "%s: sends more than the %" PRIu64 " bytes expected; deleted", url,
                         t->file->bytes);
    }
    if (t->write_error != 0) {
        *again = false;
        return error_set(err, "%s: cannot be written: %s", t->part, strerror(t->write_error));
    }
    if (code == CURLE_HTTP_RETURNED_ERROR)
        return error_set(err, "%s: the server answers %ld, expected 200 (OK)", url, status);
    if (code == CURLE_OPERATION_TIMEDOUT) *again = false;
    // The number is the same in all versions, the words are not.
    if (code != CURLE_OK)
        return error_set(err, "%s: %s (libcurl error %d)", url,
                         why[0] != '\0' ? why : curl_easy_strerror(code), (int)code);
    *again = false;    // it ended well for the server: asking again would bring the same
    if (t->have < t->file->bytes)
        return error_set(err, "%s: sent %" PRIu64 " bytes, expected %" PRIu64, url, t->have,
                         t->file->bytes);
    return true;
}

// Goes on as long as each request brings something: a line that breaks now and then still works.
static bool fetch(CURL *curl, Transfer *t, const char *url, Error *err)
{
    enum { MOST_REQUESTS = 20 };
    bool again = true;
    for (int i = 0; i < MOST_REQUESTS && again; i++) {
        if (t->have == t->file->bytes || fetch_once(curl, t, url, &again, err)) {
            progress_end(&t->progress);
            return true;
        }
        if (stopped(t)) break;
    }
    progress_end(&t->progress);
    if (stopped(t))
        return error_set(err,
                         "%s: interrupted; its first %" PRIu64 " of %" PRIu64
                         " bytes are kept, and the same "
                         "command goes on from there",
                         t->part, t->have, t->file->bytes);
    return false;
}

static bool open_part(Transfer *t, Error *err)
{
    struct stat info;
    t->output = open(t->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (t->output < 0) return error_set(err, "%s: cannot be written: %s", t->part, strerror(errno));
    bool locked = flock(t->output, LOCK_EX | LOCK_NB) == 0;
    if (locked && fstat(t->output, &info) == 0 && lseek(t->output, 0, SEEK_END) >= 0) {
        t->have = (uint64_t)info.st_size;
        if (t->have <= t->file->bytes || start_over(t, err)) return true;
    } else {
        error_set(err, "%s: %s", t->part,
                  locked ? strerror(errno) : "another download is writing it");
    }
    close(t->output);
    return false;
}

// One file from one source: request, check, rename.
static bool fetch_from(CURL *curl, Transfer *t, const char *source, Error *err)
{
    char url[2048];
    const char *slash = source[strlen(source) - 1] == '/' ? "" : "/";
    int length = snprintf(url, sizeof url, "%s%s%s", source, slash, t->file->remote);
    if (length < 0 || (size_t)length >= sizeof url)
        return error_set(err, "%.80s...: the address is too long", source);
    if (!open_part(t, err)) return false;
    t->too_much = false;
    t->write_error = 0;
    t->progress = progress_begin(t->file->name, "B", (long)t->have, (long)t->file->bytes);
    bool done = fetch(curl, t, url, err);
    if (done && !catalogue_verify_file(t->part, t->file, err)) {
        unlink(t->part);
        error_wrap(err, "%s: is not the file expected and was deleted", url);
        done = false;
    }
    if (done && rename(t->part, t->path) != 0)
        done = error_set(err, "%s: cannot be written: %s", t->path, strerror(errno));
    if (t->have == 0) unlink(t->part);    // nothing in it to continue
    close(t->output);
    return done;
}

static bool fetch_file(CURL *curl, const CatalogueSet *set, const CatalogueFile *file,
                       const DownloadOptions *options, Error *err)
{
    Transfer t = {.file = file, .options = options};
    if (!catalogue_path(t.path, set, file, options->data_dir, err)) return false;
    if (catalogue_verify_file(t.path, file, NULL)) return true;
    if (snprintf(t.part, sizeof t.part, "%s.part", t.path) >= (int)sizeof t.part)
        return error_set(err, "%.80s...: the path is too long", t.path);
    if (options->base != NULL) return fetch_from(curl, &t, options->base, err);
    for (int i = 0; i < set->source_count; i++) {
        if (fetch_from(curl, &t, set->sources[i], err)) return true;
        if (stopped(&t)) return false;
    }
    return false;
}

bool download_set(const CatalogueSet *set, const DownloadOptions *options, Error *err)
{
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s/%s", options->data_dir, set->folder) >=
        (int)sizeof folder)
        return error_set(err, "%.80s...: the path is too long", options->data_dir);
    if (!file_make_folder(folder, err)) return false;
    if (set->package != NULL && options->base == NULL) return package_fetch(set, options, err);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) return error_set(err, "libcurl does not start");
    CURL *curl = curl_easy_init();
    bool done = curl != NULL || error_set(err, "libcurl has no memory");
    for (int i = 0; done && i < set->file_count; i++)
        done = fetch_file(curl, set, &set->files[i], options, err);
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    return done;
}
