#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include "labs/3_language/tokenizer/app/encoder.h"
int main(int argc, char **argv)
{
    Error err;
    if (argc < 2) return 2;
    Tokenizer *t = tokenizer_open(argv[1], &err);
    if (!t) return error_report(&err);
    size_t room = 1 << 24;
    char *text = malloc(room);
    size_t n = fread(text, 1, room, stdin);
    TokenIds ids = {0};
    if (!tokenizer_encode(t, text, n, (EncodeOptions){.add_special = argc > 2}, &ids, &err))
        return error_report(&err);
    for (size_t i = 0; i < ids.count; i++) printf("%d ", ids.ids[i]);
    puts("");
    size_t b;
    char *back = tokenizer_decode(t, ids.ids, ids.count, (DecodeOptions){0}, &b);
    printf("%d\n", b == n && memcmp(back, text, n) == 0);
    free(back);
    free(ids.ids);
    free(text);
    tokenizer_close(t);
}
