#include "common/rng.h"
#include "common/text.h"
#include "datasets/frame.h"
#include "datasets/images.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

// ---- what is in a folder ----

typedef struct Listing {
    int count, others;    // others: what is neither hidden nor of the kind that was asked for
    const char **names;
} Listing;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_png(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcasecmp(path + length - 4, ".png") == 0 && !is_folder(path);
}

// The names of one kind, sorted by their bytes: a file system gives them in an order of its own.
static bool list(Arena *arena, Listing *listing, const char *path, bool (*is_kind)(const char *),
                 Error *err)
{
    DIR *stream = opendir(path);
    if (stream == NULL) return error_set(err, "%s: cannot be read: %s", path, strerror(errno));
    int room = 64;
    *listing = (Listing){.names = arena_alloc(arena, (size_t)room * sizeof *listing->names)};
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        if (!is_kind(arena_print(arena, "%s/%s", path, entry->d_name))) {
            listing->others++;
            continue;
        }
        if (listing->count == room) {
            const char **more = arena_alloc(arena, 2 * (size_t)room * sizeof *more);
            memcpy(more, listing->names, (size_t)room * sizeof *more);
            listing->names = more;
            room *= 2;
        }
        listing->names[listing->count++] = arena_print(arena, "%s", entry->d_name);
    }
    closedir(stream);
    qsort(listing->names, (size_t)listing->count, sizeof *listing->names, by_name);
    return true;
}

static const char *first_folder(Arena *arena, const char *dir, const char *name, const char *other)
{
    const char *path = arena_print(arena, "%s/%s", dir, name);
    if (!is_folder(path)) path = arena_print(arena, "%s/%s", dir, other);
    return is_folder(path) ? path : NULL;
}

// ---- images by class ----

typedef struct Files {
    const char *dir;
    Listing classes, *files;    // files: of each class
    int total;
} Files;

static bool list_classes(Arena *arena, Files *found, const char *dir, Error *err)
{
    *found = (Files){.dir = dir};
    if (!list(arena, &found->classes, dir, is_folder, err)) return false;
    found->files = arena_alloc(arena, sizeof *found->files * (size_t)(found->classes.count + 1));
    for (int c = 0; c < found->classes.count; c++) {
        const char *path = arena_print(arena, "%s/%s", dir, found->classes.names[c]);
        if (!list(arena, &found->files[c], path, is_png, err)) return false;
        found->total += found->files[c].count;
    }
    return true;
}

static int class_of(const Files *found, const char *name)
{
    for (int c = 0; c < found->classes.count; c++)
        if (strcmp(found->classes.names[c], name) == 0) return c;
    return -1;
}

// What stays unused, for the origin: a reader should hear of a class that is empty.
static const char *left_out(Arena *keep, const Files *found, const char *text)
{
    int others = found->classes.others;
    for (int c = 0; c < found->classes.count; c++) {
        others += found->files[c].others;
        if (found->files[c].count == 0)
            text = arena_print(keep, "%s; no PNG in %s", text, found->classes.names[c]);
    }
    if (others > 0)
        text =
            arena_print(keep, "%s; %d other file%s left out", text, others, others == 1 ? "" : "s");
    return text;
}

// Images that are still to be read: a class of `files` and a number in it.
typedef struct Item {
    const Files *files;
    int class, number, label;
} Item;

static bool read_items(Arena *keep, Images *images, const Item *items, int count, uint64_t seed,
                       Error *err)
{
    Arena *arena = arena_new("pictures", (size_t)1 << 30);
    int *order = arena_alloc(keep, sizeof *order * (size_t)count);
    Rng rng = rng_from_seed(seed);
    for (int i = 0; i < count; i++) order[i] = i;
    rng_shuffle(&rng, order, count);    // so that the first n hold every class
    images->count = count;
    images->pixels = arena_alloc(keep, (size_t)count * FRAME_PIXELS);
    images->labels = arena_alloc(keep, (size_t)count);
    bool read = true;
    for (int i = 0; i < count && read; i++, arena_reset(arena)) {
        const Item *item = &items[order[i]];
        const Listing *files = &item->files->files[item->class];
        const Picture *picture = picture_load(arena,
                                              arena_print(arena, "%s/%s/%s", item->files->dir,
                                                          item->files->classes.names[item->class],
                                                          files->names[item->number]),
                                              err);
        read = picture != NULL;
        if (!read) break;
        images->labels[i] = (uint8_t)item->label;
        frame_scale(images->pixels + (size_t)i * FRAME_PIXELS, frame_gray(arena, picture),
                    picture->height, picture->width);
    }
    arena_free(arena);
    return read;
}

// Images for training and for testing, still to be read.
typedef struct Division {
    Item *train, *test;    // room for all images in each
    int train_count, test_count, classes;
    const char **names;    // of the classes, cleaned
} Division;

// Adds a class of `files`: a part of it for testing, drawn by the seed; or, where `others` are for
// testing, those of the same name.
static void add_class(Arena *keep, Division *division, const Files *files, int class,
                      const Files *others, uint64_t seed)
{
    int count = files->files[class].count, label = division->classes;
    if (count == 0) return;
    Rng rng = rng_stream(seed, (uint64_t) class + 1);
    int *order = arena_alloc(keep, sizeof *order * (size_t)count);
    for (int i = 0; i < count; i++) order[i] = i;
    rng_shuffle(&rng, order, count);
    int tested = others != NULL ? 0 : count < 5 ? count / 2 : count / 5;
    for (int i = 0; i < count; i++) {
        Item item = {files, class, order[i], label};
        if (i < tested) division->test[division->test_count++] = item;
        else division->train[division->train_count++] = item;
    }
    int other = others != NULL ? class_of(others, files->classes.names[class]) : -1;
    for (int i = 0; other >= 0 && i < others->files[other].count; i++)
        division->test[division->test_count++] = (Item){others, other, i, label};
    char *name = arena_print(keep, "%s", files->classes.names[class]);
    text_clean(name);
    division->names[division->classes++] = name;
}

bool images_read_folder(Arena *keep, Images *train, Images *test, const char *dir, uint64_t seed,
                        Error *err)
{
    const char *train_dir = first_folder(keep, dir, "train", "training");
    const char *test_dir = first_folder(keep, dir, "test", "testing");
    bool divided = train_dir != NULL && test_dir != NULL;
    if (!divided) train_dir = dir;
    Files files, others = {0};
    if (!list_classes(keep, &files, train_dir, err) ||
        (divided && !list_classes(keep, &others, test_dir, err)))
        return false;
    int total = files.total + others.total;
    if (total > IMAGES_MAX)
        return error_set(err, "%s: holds %d images, expected at most %d", dir, total, IMAGES_MAX);
    for (int c = 0; c < others.classes.count; c++)
        if (others.files[c].count > 0 && class_of(&files, others.classes.names[c]) < 0)
            return error_set(err, "%s/%s: has images of a class that %s has not", test_dir,
                             others.classes.names[c], train_dir);

    size_t room = sizeof(Item) * (size_t)(total + 1);
    Division division = {
        .train = arena_alloc(keep, room),
        .test = arena_alloc(keep, room),
        .names = arena_alloc(keep, sizeof *division.names * (size_t)(files.classes.count + 1))};
    for (int c = 0; c < files.classes.count; c++)
        add_class(keep, &division, &files, c, divided ? &others : NULL, seed);
    int classes = division.classes;
    if (classes < 2 || classes > IMAGES_MAX_CLASSES)
        return error_set(err,
                         "%s: has %d folder%s with PNGs; expected a folder for each of 2 to %d "
                         "classes",
                         train_dir, classes, classes == 1 ? "" : "s", IMAGES_MAX_CLASSES);
    if (division.test_count == 0)
        return error_set(err, "%s: has no image for testing; expected two in a class", dir);
    const char *origin = arena_print(keep, "PNGs of %d classes in %s", classes, dir);
    origin = left_out(keep, &files, origin);
    if (divided) origin = left_out(keep, &others, origin);
    *train = *test = (Images){.origin = origin,
                              .height = FRAME_SIDE,
                              .width = FRAME_SIDE,
                              .classes = classes,
                              .names = division.names};
    return read_items(keep, train, division.train, division.train_count, seed, err) &&
           read_items(keep, test, division.test, division.test_count, seed, err);
}
