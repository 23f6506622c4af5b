/* images_private.h -- what images.c and its readers share. */
#pragma once
#include "datasets/images.h"

// Sets classes and names, "0", "1", ...
void images_name_classes(Arena *keep, Images *images, int classes);

bool images_mnist_is_in(const char *dir);

// From a file of training images: its labels and the files for testing lie beside it, by names that tell.
bool images_read_pairs(Arena *keep, Images *train, Images *test, const char *path, int train_limit,
                       int test_limit, Error *err);
