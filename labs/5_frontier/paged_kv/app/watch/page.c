/* page.c -- the steps as a page that goes through them: replay.html with the frames in it. */
#include <string.h>
#include "common/file.h"
#include "common/text.h"
#include "labs/5_frontier/paged_kv/app/watch/recorder.h"
#include "replay_html.inc"

// A JSON string that may stand in a <script>. What is not UTF-8 (half a character) is '?'.
static void put_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (size_t left = strlen(text), bytes; left > 0; text += bytes, left -= bytes) {
        bytes = text_utf8_length(text, left);
        if (bytes == 0) bytes = 1, fputc('?', out);
        else if (bytes > 1) fwrite(text, 1, bytes, out);
        else if (strchr("\"\\<&", *text) != NULL || (unsigned char)*text < ' ')
            fprintf(out, "\\u%04x", (unsigned char)*text);
        else fputc(*text, out);
    }
    fputc('"', out);
}

static void put_cells(FILE *out, const Recorder *r, const Frame *frame)
{
    for (int b = 0; b < r->blocks; b++) {
        const Cell *cell = &frame->cells[b];
        fprintf(out, "%s[%u,%d,%d,", b > 0 ? "," : "", cell->owners, cell->cached, cell->tokens);
        put_text(out, cell->content);
        fputc(']', out);
    }
}

static void put_frame(FILE *out, const Recorder *r, const Frame *frame)
{
    fputs("{\"cells\":[", out);
    put_cells(out, r, frame);
    fputs("],\"work\":[", out);
    for (const Work *w = frame->work; w != NULL; w = w->next)
        fprintf(out, "%s[%d,%d,%d]", w != frame->work ? "," : "", w->text, w->first, w->count);
    fputs("],\"tables\":[", out);
    for (int i = 0; i < r->text_count; i++) {
        fputs(i > 0 ? ",[" : "[", out);
        for (const int *b = frame->tables[i]; b != NULL && *b >= 0; b++)
            fprintf(out, "%s%d", b > frame->tables[i] ? "," : "", *b);
        fputc(']', out);
    }
    fputs("],\"shown\":[", out);
    for (int i = 0; i < r->text_count; i++) fprintf(out, "%s%d", i > 0 ? "," : "", frame->shown[i]);
    fputs("],\"events\":", out);
    put_text(out, frame->events);
    fputc('}', out);
}

static void put_all(FILE *out, const Recorder *r)
{
    fprintf(out, "{\"size\":%d,\"budget\":%d,\"texts\":[", r->block_size, r->budget);
    for (int i = 0; i < r->text_count; i++) {
        const RecordedText *text = &r->texts[i];
        fprintf(out, "%s{\"name\":\"%c\",\"tokens\":%d,\"prompt\":", i > 0 ? "," : "",
                recorder_letter(i), text->prompt_tokens);
        put_text(out, text->prompt);
        fputs(",\"answer\":", out);
        put_text(out, text->answer);
        fputc('}', out);
    }
    fputs("],\n\"frames\":[", out);
    for (const Frame *frame = r->first; frame != NULL; frame = frame->next) {
        if (frame != r->first) fputs(",\n", out);
        put_frame(out, r, frame);
    }
    fputs("]}", out);
}

bool recorder_page(const Recorder *r, const char *path, Error *err)
{
    static const char place[] = "/*FRAMES*/null";
    const char *at = strstr(page, place);
    NewFile file;
    if (!file_begin(&file, path, err)) return false;
    fwrite(page, 1, (size_t)(at - page), file.stream);
    put_all(file.stream, r);
    fputs(at + sizeof place - 1, file.stream);
    return file_commit(&file, err);
}
