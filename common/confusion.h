/* confusion.h -- the confusion matrix of a classifier: as a picture, and as a table.
 *
 *     Confusion confusion = confusion_new(step, 10, names);
 *     for (...) confusion.counts[label * 10 + prediction]++;
 *     run_picture(run, confusion_picture(step, &confusion), "Confusion matrix", "confusion");
 *     Table table = confusion_table(step, &confusion);
 *     run_table(run, &table);
 *     //   label   images   recall [%]   precision [%]   most often taken for
 *     //       3     1010        99.41           99.31   5 (3), 2 (1)
 */
#pragma once
#include "common/picture.h"
#include "common/table.h"

typedef struct Confusion {
    int classes;
    const char *const *names;    // [classes], borrowed
    int *counts;                 // [classes,classes]: by label, then by prediction
} Confusion;

Confusion confusion_new(Arena *arena, int classes, const char *const *names);    // counts of 0

// A cell for each pair: the diagonal blue, errors red, the larger the count the darker. With numbers up
// to 12 classes, with names up to 40.
Picture *confusion_picture(Arena *arena, const Confusion *confusion);

// Recall: of the images of a class, the share that was predicted as it; precision: of those predicted as
// it, the share that are. Empty where there are none.
Table confusion_table(Arena *arena, const Confusion *confusion);
