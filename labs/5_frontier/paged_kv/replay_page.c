/* replay_page.c -- the burst as a page that goes through its steps: replay.html and the frames in it. */
#include <stdlib.h>
#include <string.h>
#include "common/file.h"
#include "common/text.h"
#include "labs/5_frontier/paged_kv/burst.h"
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

static void put_frame(FILE *out, const Burst *burst, const Frame *frame)
{
    fputs("{\"cells\":[", out);
    for (int b = 0; b < burst->options.blocks; b++) {
        const Cell *cell = &frame->cells[b];
        fprintf(out, "%s[%u,%d,%d,", b > 0 ? "," : "", cell->owners, cell->cached, cell->tokens);
        put_text(out, cell->content);
        fputc(']', out);
    }
    fputs("],\"work\":[", out);
    for (int i = 0; i < frame->works; i++)
        fprintf(out, "%s[%d,%d,%d]", i > 0 ? "," : "", frame->work[i].text, frame->work[i].first,
                frame->work[i].count);
    fputs("],\"tables\":[", out);
    for (int i = 0; i < TEXTS; i++) {
        fputs(i > 0 ? ",[" : "[", out);
        for (const int *b = frame->tables[i]; b != NULL && *b >= 0; b++)
            fprintf(out, "%s%d", b > frame->tables[i] ? "," : "", *b);
        fputc(']', out);
    }
    fputs("],\"shown\":[", out);
    for (int i = 0; i < TEXTS; i++) fprintf(out, "%s%d", i > 0 ? "," : "", frame->shown[i]);
    fputs("],\"events\":", out);
    put_text(out, frame->events);
    fputc('}', out);
}

static void put_burst(FILE *out, const Burst *burst)
{
    fprintf(out, "{\"size\":%d,\"budget\":%d,\"prompt\":", burst->options.block_size,
            burst->options.budget);
    put_text(out, burst->prompt);
    fputs(",\"texts\":[", out);
    for (int i = 0; i < TEXTS; i++) {
        fprintf(out, "%s{\"prompt\":%d,\"own\":", i > 0 ? "," : "",
                burst->prompt_tokens[i < TEXTS - 1 ? i : 0]);
        put_text(out, burst->own[i]);
        fputs(",\"answer\":", out);
        put_text(out, burst->texts[i]);
        fputc('}', out);
    }
    fputs("],\n\"frames\":[", out);
    for (int i = 0; i < burst->count; i++) {
        if (i > 0) fputs(",\n", out);
        put_frame(out, burst, &burst->frames[i]);
    }
    fputs("]}", out);
}

bool burst_page(const Lab *lab, const Burst *burst, Error *err)
{
    static const char place[] = "/*FRAMES*/null";
    const char *path = run_path(lab->run, "replay.html"), *at = strstr(page, place);
    NewFile file;
    if (!file_begin(&file, path, err)) return false;
    fwrite(page, 1, (size_t)(at - page), file.stream);
    put_burst(file.stream, burst);
    fputs(at + sizeof place - 1, file.stream);
    if (!file_commit(&file, err)) return false;
    run_print(lab->run, "The steps one by one, in a browser: %s", file_shown(lab->step, path));
    report_file(lab->run->report, "The burst, step by step", path);
    return true;
}
