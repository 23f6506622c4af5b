#include "common/confusion.h"
#include <stdio.h>
#include "common/font.h"

enum { NUMBERED = 12, NAMED = 40, SCALE = 2, TEXT_HEIGHT = FONT_HEIGHT * SCALE, MARGIN = 8 };

Confusion confusion_new(Arena *arena, int classes, const char *const *names)
{
    size_t count = (size_t)classes * (size_t)classes;
    return (Confusion){classes, names, arena_zeros(arena, count * sizeof(int))};
}

static int count_at(const Confusion *confusion, int label, int prediction)
{
    return confusion->counts[(size_t)label * (size_t)confusion->classes + (size_t)prediction];
}

// ---- the picture ----

// In the middle of a square; as much of a name as fits.
static void text_in(Picture *picture, Arena *arena, int left, int top, int side, const char *text)
{
    text = arena_print(arena, "%.*s", side / (FONT_ADVANCE * SCALE), text);
    picture_text(picture, left + (side - picture_text_width(text, SCALE)) / 2,
                 top + (side - TEXT_HEIGHT) / 2, text, SCALE);
}

// The largest count on the diagonal, or off it.
static int largest(const Confusion *confusion, bool diagonal)
{
    int most = 1;
    for (int r = 0; r < confusion->classes; r++)
        for (int c = 0; c < confusion->classes; c++)
            if ((r == c) == diagonal && count_at(confusion, r, c) > most)
                most = count_at(confusion, r, c);
    return most;
}

Picture *confusion_picture(Arena *arena, const Confusion *confusion)
{
    static const char caption[] = "rows: label, columns: prediction";
    int classes = confusion->classes;
    int side = classes <= NUMBERED ? 56 : classes <= NAMED ? 28 : 8;
    int left = MARGIN, top = classes <= NAMED ? MARGIN + TEXT_HEIGHT : MARGIN;
    for (int r = 0; r < classes && classes <= NAMED; r++) {
        int width = picture_text_width(confusion->names[r], SCALE) + 2 * MARGIN;
        left = width > left ? width : left;
    }
    int width = left + classes * side, least = picture_text_width(caption, SCALE) + MARGIN;
    int height = top + classes * side + MARGIN;
    Picture *picture =
        picture_new(arena, (width > least ? width : least) + MARGIN, height + TEXT_HEIGHT + MARGIN);
    const int most[] = {largest(confusion, false), largest(confusion, true)};
    for (int r = 0; r < classes; r++)
        for (int c = 0; c < classes; c++) {
            int count = count_at(confusion, r, c);
            float share = (float)count / (float)most[r == c];
            float depth = count > 0 ? 0.1f + 0.4f * share : 0;
            float color[3] = {r == c ? 1 - depth : 1, 1 - depth, r == c ? 1 : 1 - depth};
            picture_tile(picture, left + c * side, top + r * side, color, 1, 1, 3, side - 1);
            if (count > 0 && classes <= NUMBERED)
                text_in(picture, arena, left + c * side, top + r * side, side,
                        arena_print(arena, "%d", count));
        }
    for (int r = 0; r < classes && classes <= NAMED; r++) {
        picture_text(picture, MARGIN, top + r * side + (side - TEXT_HEIGHT) / 2,
                     confusion->names[r], SCALE);
        text_in(picture, arena, left + r * side, MARGIN - (side - TEXT_HEIGHT) / 2, side,
                confusion->names[r]);
    }
    picture_text(picture, MARGIN, height, caption, SCALE);
    return picture;
}

// ---- the table ----

// "5 (3), 2 (1)": the three most frequent errors of a label, the first of equals first.
static const char *taken_for(Arena *arena, const Confusion *confusion, int label)
{
    const char *text = "";
    int before = -1;    // the error that was named last
    for (int n = 0; n < 3; n++) {
        int most = 0, next = -1;
        for (int c = 0; c < confusion->classes; c++) {
            int count = count_at(confusion, label, c);
            bool named =
                before >= 0 && (count > count_at(confusion, label, before) ||
                                (count == count_at(confusion, label, before) && c <= before));
            if (c != label && !named && count > most) most = count, next = c;
        }
        if (next < 0) break;
        text = arena_print(arena, "%s%s%s (%d)", text, n > 0 ? ", " : "", confusion->names[next],
                           most);
        before = next;
    }
    return text;
}

static const char *percent(Arena *arena, int part, int whole)
{
    return whole > 0 ? arena_print(arena, "%.2f", 100.0 * part / whole) : "";
}

Table confusion_table(Arena *arena, const Confusion *confusion)
{
    Table table = table_new(arena, "label|images|recall [%]|precision [%]|most often taken for");
    for (int r = 0; r < confusion->classes; r++) {
        int labeled = 0, predicted = 0, correct = count_at(confusion, r, r);
        for (int c = 0; c < confusion->classes; c++) {
            labeled += count_at(confusion, r, c);
            predicted += count_at(confusion, c, r);
        }
        table_row(&table, "%s|%d|%s|%s|%s", confusion->names[r], labeled,
                  percent(arena, correct, labeled), percent(arena, correct, predicted),
                  taken_for(arena, confusion, r));
    }
    return table;
}
