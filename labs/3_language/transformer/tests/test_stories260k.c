/* The small real model of llama2.c goes on with exactly the text that llama2.c's own test expects, from its
 * own file and from the two that we make of it. Skipped without ../shared/data/stories260k. */
#include "labs/3_language/transformer/model/generate.h"
#include "labs/3_language/transformer/tests/opened.h"
#include "tests/skip.h"

// llama2.c, test_all.py: ./run stories260K.bin -z tok512.bin -t 0.0 -n 200
static const char EXPECTED[] =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. "
    "One "
    "day, she saw a big, red ball. She wanted to play with it, but it was too high.\nLily's mom "
    "said, "
    "\"Lily, let's go to the park.\" Lily was sad and didn't know what to do. She said, \"I want "
    "to play "
    "with your ball, but I can't find it.\"\nLily was sad and didn't know what to do. She said, "
    "\"I'm "
    "sorry, Lily. I didn't know what to do.\"\nLily didn't want to help her mom, so she";
enum { STEPS = 200, VOCABULARY = 512 };

static const char *model_path;
static char *pieces[VOCABULARY];

// tok512.bin: the longest piece's length; then a score, a length and the bytes of each.
static bool load_pieces(const char *path)
{
    FILE *file = fopen(path, "rb");
    int32_t longest = 0, length;
    float score;
    if (file == NULL) return false;
    bool read = fread(&longest, 4, 1, file) == 1;
    for (int i = 0; i < VOCABULARY && read; i++) {
        read = fread(&score, 4, 1, file) == 1 && fread(&length, 4, 1, file) == 1 && length >= 0 &&
               length <= longest;
        pieces[i] = arena_zeros(names, (size_t)longest + 1);
        read = read && fread(pieces[i], 1, (size_t)length, file) == (size_t)length;
    }
    fclose(file);
    return read;
}

static bool have_data(void)
{
    char data[PATH_MAX];
    root_data_dir(data);
    const char *folders[] = {arena_print(names, "%s/stories260k", data),
                             arena_print(names, "%s/../shared/data/stories260k", root_dir())};
    for (int i = 0; i < 2; i++) {
        model_path = arena_print(names, "%s/stories260K.bin", folders[i]);
        if (access(model_path, R_OK) == 0)
            return load_pieces(arena_print(names, "%s/tok512.bin", folders[i]));
    }
    return false;
}

typedef struct Story {
    char text[4 * STEPS];
    int tokens;
} Story;

static bool take(void *context, int token)
{
    Story *story = context;
    const char *piece = pieces[token];
    unsigned byte;
    if (story->tokens++ == 0 && piece[0] == ' ') piece++;    // behind the token that begins a text
    const size_t used = strlen(story->text), left = sizeof story->text - used;
    if (sscanf(piece, "<0x%02X>", &byte) == 1) snprintf(story->text + used, left, "%c", (int)byte);
    else snprintf(story->text + used, left, "%s", piece);
    return true;
}

static void assert_generates_the_story(const Opened *opened)
{
    Error err = {""};
    Story story = {.text = ""};
    Generation generation = {.model = &opened->model,
                             .cache = kv_cache_new(opened->keep, &opened->model, STEPS),
                             .tape = opened->tape,
                             .most = STEPS};
    const int begin = opened->model.config.bos;
    const int count = generate(&generation, &begin, 1, take, &story, &err);
    if (count < 0) fail_msg("%s", err.message);
    assert_int_equal(count, story.tokens);
    assert_string_equal(story.text, EXPECTED);
}

static void stories260k_continues_to_the_text_of_llama2_c(void **state)
{
    (void)state;
    if (!have_data()) SKIP("no stories260k", "put its two files in LAB_DATA/stories260k");
    Opened *opened = open_path(model_path);
    assert_string_equal(opened->format, "llama2.c");
    assert_generates_the_story(opened);
    close_opened(opened);
}

static void stories260k_as_a_folder_and_as_gguf_generates_the_same(void **state)
{
    (void)state;
    if (!have_data()) SKIP("no stories260k", "put its two files in LAB_DATA/stories260k");
    Error err = {""};
    Opened *opened = open_path(model_path);
    const char *folder = scratch_path("stories260k"), *gguf = scratch_path("stories260k.gguf");
    if (!folder_write(folder, &opened->model.config, opened->params, (FolderOptions){0}, &err) ||
        !gguf_model_write(gguf, &opened->model.config, opened->params, NULL, &err))
        fail_msg("%s", err.message);
    const char *paths[] = {folder, gguf};
    for (int i = 0; i < 2; i++) {
        Opened *again = open_path(paths[i]);
        assert_same_params(opened, again);
        assert_generates_the_story(again);
        close_opened(again);
    }
    close_opened(opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories260k_continues_to_the_text_of_llama2_c),
        cmocka_unit_test(stories260k_as_a_folder_and_as_gguf_generates_the_same),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
