#include "labs/driver/progress.h"
#include "labs/driver/labfile.h"
#include "labs/driver/mine.h"
#include "common/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// A line takes some 50 bytes, and a learner does not write 80000 of them.
enum { MAX_BYTES = 4 << 20, TIME_BYTES = 20 };

static const char *shown(Arena *arena)
{
    return mine_shown(arena, arena_print(arena, "%s/progress", mine_dir()));
}

// "2026-11-24T09:30:05Z"
static bool is_time(const char *text, size_t bytes)
{
    static const char form[] = "0000-00-00T00:00:00Z";
    if (bytes != TIME_BYTES) return false;
    for (size_t i = 0; i < bytes; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return false;
    return true;
}

static bool is_event(const char *event)
{
    return strcmp(event, "start") == 0 || strcmp(event, "wrong") == 0 ||
           strcmp(event, "done") == 0 || strcmp(event, "reset") == 0 ||
           strcmp(event, "gave up") == 0 ||
           (strncmp(event, "hint ", 5) == 0 && event[5] >= '1' && event[5] <= '0' + LAB_HINTS &&
            event[6] == '\0');
}

// TIME LAB[.EXERCISE] EVENT; false for any other line.
static bool parse(Arena *arena, const char *text, size_t bytes, ProgressLine *line)
{
    while (bytes > 0 && strchr(" \t\r", text[bytes - 1]) != NULL) bytes--;
    if (bytes < TIME_BYTES + 1 || !is_time(text, TIME_BYTES) || text[TIME_BYTES] != ' ')
        return false;
    char *copy = arena_print(arena, "%.*s", (int)bytes, text);
    char *lab = copy + TIME_BYTES + 1;
    char *space = strchr(lab, ' ');
    if (space == NULL) return false;
    copy[TIME_BYTES] = *space = '\0';
    char *dot = strchr(lab, '.');
    if (dot != NULL) *dot = '\0';
    *line = (ProgressLine){
        .time = copy, .lab = lab, .exercise = dot != NULL ? dot + 1 : "", .event = space + 1};
    return is_event(line->event);
}

// By time; lines of the same time by their place in the file, which their addresses give.
static int by_time(const void *left, const void *right)
{
    const ProgressLine *a = left, *b = right;
    int order = strcmp(a->time, b->time);
    return order != 0 ? order : (a->time > b->time) - (a->time < b->time);
}

static void parse_all(Arena *arena, const char *text, size_t bytes, Progress *progress)
{
    size_t lines = 1;
    for (size_t i = 0; i < bytes; i++) lines += text[i] == '\n';
    *progress = (Progress){.lines = arena_alloc(arena, lines * sizeof(ProgressLine))};
    for (const char *end = text + bytes; text < end;) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline != NULL ? newline : end) - text);
        if (parse(arena, text, length, &progress->lines[progress->count])) progress->count++;
        text += length + 1;
    }
    if (progress->count > 1)
        qsort(progress->lines, (size_t)progress->count, sizeof(ProgressLine), by_time);
}

// The whole file, from its beginning. *whole: the last line has its newline.
static bool read_all(Arena *arena, int fd, Progress *progress, bool *whole, Error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return error_set(err, "%s: is not a file", shown(arena));
    if (status.st_size > MAX_BYTES)
        return error_set(err, "%s: has %lld bytes, expected at most %d", shown(arena),
                         (long long)status.st_size, MAX_BYTES);
    size_t room = (size_t)status.st_size, bytes = 0;
    char *text = malloc(room + 1);
    REQUIRE(text != NULL, "no memory to read %zu bytes", room);
    ssize_t got = 1;
    while (got > 0 && bytes < room)
        if ((got = pread(fd, text + bytes, room - bytes, (off_t)bytes)) > 0) bytes += (size_t)got;
    int why = errno;
    if (got >= 0) parse_all(arena, text, bytes, progress);
    *whole = bytes == 0 || text[bytes - 1] == '\n';
    free(text);
    return got >= 0 || error_set(err, "%s: %s", shown(arena), strerror(why));
}

bool progress_load(Arena *arena, Progress *progress, Error *err)
{
    *progress = (Progress){0};
    bool whole;
    int fd = open(arena_print(arena, "%s/progress", mine_dir()), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return true;
    if (fd < 0) return error_set(err, "%s: %s", shown(arena), strerror(errno));
    bool loaded = read_all(arena, fd, progress, &whole, err);
    close(fd);
    return loaded;
}

static bool is_about(const ProgressLine *line, const char *lab, const char *exercise)
{
    return strcmp(line->lab, lab) == 0 && strcmp(line->exercise, exercise) == 0;
}

ExerciseState progress_state(const Progress *progress, const char *lab, const char *exercise)
{
    ExerciseState state = EXERCISE_NOT_STARTED;
    for (int i = 0; i < progress->count; i++) {
        const ProgressLine *line = &progress->lines[i];
        if (!is_about(line, lab, exercise)) continue;
        if (strcmp(line->event, "wrong") == 0) state = EXERCISE_WRONG;
        if (strcmp(line->event, "done") == 0) state = EXERCISE_DONE;
        if (strcmp(line->event, "reset") == 0) state = EXERCISE_NOT_STARTED;
    }
    return state;
}

int progress_hints(const Progress *progress, const char *lab, const char *exercise)
{
    int hints = 0;
    for (int i = 0; i < progress->count; i++) {
        const ProgressLine *line = &progress->lines[i];
        if (!is_about(line, lab, exercise) || strncmp(line->event, "hint ", 5) != 0) continue;
        if (line->event[5] - '0' > hints) hints = line->event[5] - '0';
    }
    return hints;
}

bool progress_gave_up(const Progress *progress, const char *lab, const char *exercise)
{
    for (int i = 0; i < progress->count; i++)
        if (is_about(&progress->lines[i], lab, exercise) &&
            strcmp(progress->lines[i].event, "gave up") == 0)
            return true;
    return false;
}

// Whether the line would add nothing to the others.
static bool is_known(const Progress *progress, const char *lab, const char *exercise,
                     const char *event)
{
    ExerciseState state = progress_state(progress, lab, exercise);
    if (strcmp(event, "wrong") == 0) return state == EXERCISE_WRONG;
    if (strcmp(event, "done") == 0) return state == EXERCISE_DONE;
    if (strcmp(event, "reset") == 0) return state == EXERCISE_NOT_STARTED;
    if (strcmp(event, "gave up") == 0) return progress_gave_up(progress, lab, exercise);
    if (strncmp(event, "hint ", 5) == 0)
        return progress_hints(progress, lab, exercise) >= event[5] - '0';
    return false;
}

static const char *time_text(Arena *arena, time_t seconds)
{
    char text[32] = "";
    struct tm utc;
    if (gmtime_r(&seconds, &utc) != NULL) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return arena_print(arena, "%s", text);
}

// Now, or one second after the exercise's last line if the clock is not later: its lines keep their
// order whatever the clock does, also after a merge or a sort.
static const char *time_for(Arena *arena, const Progress *progress, const char *lab,
                            const char *exercise)
{
    const char *now = time_text(arena, time(NULL)), *last = NULL;
    for (int i = 0; i < progress->count; i++)
        if (is_about(&progress->lines[i], lab, exercise)) last = progress->lines[i].time;
    if (last == NULL || strcmp(now, last) > 0) return now;
    struct tm utc = {0};
    const char *later = strptime(last, "%Y-%m-%dT%H:%M:%SZ", &utc) != NULL
                            ? time_text(arena, timegm(&utc) + 1)
                            : last;
    return is_time(later, strlen(later)) ? later : last;
}

// One line by one write(): a reader sees all of it or nothing.
static bool append(Arena *arena, int fd, const char *line, Error *err)
{
    off_t before = lseek(fd, 0, SEEK_END);
    ssize_t bytes = (ssize_t)strlen(line), written = write(fd, line, (size_t)bytes);
    if (written == bytes) return true;
    int why = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(fd, before) != 0) why = errno;
    return error_set(err, "%s: cannot be written: %s", shown(arena), strerror(why));
}

bool progress_record(Arena *arena, Progress *progress, const char *lab, const char *exercise,
                     const char *event, Error *err)
{
    REQUIRE(is_event(event), "'%s' is no event", event);
    if (!file_make_folder(mine_dir(), err)) return false;
    int fd = open(arena_print(arena, "%s/progress", mine_dir()),
                  O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd < 0) return error_set(err, "%s: cannot be written: %s", shown(arena), strerror(errno));
    // On a file system without locks, a line is still one write.
    while (flock(fd, LOCK_EX) != 0 && errno == EINTR) continue;
    bool whole = true, recorded = read_all(arena, fd, progress, &whole, err);
    if (recorded && !is_known(progress, lab, exercise, event)) {
        const char *dot = exercise[0] != '\0' ? "." : "";
        recorded =
            append(arena, fd,
                   arena_print(arena, "%s%s %s%s%s %s\n", whole ? "" : "\n",
                               time_for(arena, progress, lab, exercise), lab, dot, exercise, event),
                   err) &&
            read_all(arena, fd, progress, &whole, err);
    }
    close(fd);
    return recorded;
}
