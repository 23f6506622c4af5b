/* main.c -- sparse coding: an image patch as a sum of few atoms, and atoms learned from patches. */
#include "labs/2_core/sparse_coding/lab.h"

enum { IMAGES = 500 };    // that patches are drawn from

static const Part parts[] = {
    {"lasso", "Lasso: ISTA, FISTA and coordinate descent", part_lasso,
     .notices = {{"lasso", "all stay below the bounds of their theorems; coordinate descent uses "
                           "each coefficient at once and is ahead of both"}}},
    {"planted", "Dictionary learning: a planted dictionary", part_planted,
     .notices = {{"planted",
                  "nothing but the signals was given, and nearly every atom is found: the "
                  "first ones fast, the last ones late"}}},
    {"learn", "Dictionary learning: patches of digits", part_learn,
     .notices = {{"atoms.png", "the atoms are pieces of strokes: edges, bars, bends and ends"}}},
    {"lista", "LISTA: a network that is trained to find the code", part_lista,
     .notices = {{"lista", "a layer costs what an iteration does, and is worth more than eight of "
                           "ISTA's, on patches like those that it was trained on"},
                 {"code", "ISTA is still on its way from 0; LISTA has most atoms of the optimal "
                          "code, near their values"}}},
    {"denoise", "Denoising by orthogonal matching pursuit", part_denoise,
     .notices = {{"denoised.png",
                  "noise is no sum of few atoms, strokes are: what is left out is mostly noise"}}},
    {"inpaint", "Inpainting from the pixels that are known", part_inpaint,
     .notices = {{"inpainted.png", "atoms that fit the known pixels of a patch carry the others "
                                   "with them"}}},
};

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)1 << 30), *step = arena_new("step", (size_t)2 << 30);
    Lab lab = {.keep = keep,
               .step = step,
               .atoms = 128,
               .patches = 5000,
               .epochs = 12,
               .lambda = 0.2f,
               .noise = 0.2f,
               .missing = 0.5f};
    Options *options = options_new(keep, "sparse_coding",
                                   "Sparse coding: the lasso, dictionary learning, a learned "
                                   "encoder, and denoising on patches of digits.");
    options_group(options, "This lab");
    options_int(options, "atoms", 'k', &lab.atoms, 1, 2000, "atoms of the dictionary");
    options_int(options, "patches", 'n', &lab.patches, 1, 1000000, "patches to learn from");
    options_int(options, "epochs", 'e', &lab.epochs, 1, 1000, "passes over the patches");
    options_float(options, "lambda", 'l', &lab.lambda, 0.001f, 100, "the price of a coefficient");
    options_float(options, "noise", 0, &lab.noise, 0.001f, 10, "standard deviation of the noise");
    options_float(options, "missing", 0, &lab.missing, 0, 0.95f, "share of the pixels to inpaint");
    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/2_core/sparse_coding/README.md",
                   .step = step};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    if (lab.run->smoke) {
        if (!options_given(options, "epochs")) lab.epochs = 2;
        if (!options_given(options, "patches")) lab.patches = 100;
        if (!options_given(options, "atoms")) lab.atoms = 16;
    }
    Error err = {""};
    ImagesSource source = {
        .data_dir = lab.run->data, .seed = lab.run->seed, .train = IMAGES, .test = 8};
    if (!images_load(keep, &lab.train, &lab.test, source, &err)) return run_fail(lab.run, &err);
    run_print(lab.run, "Patches of %d image%s: %s", lab.train.count, text_plural(lab.train.count),
              lab.train.origin);
    return story_run(&story, &lab);
}
