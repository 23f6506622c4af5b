/* keynumbers_serve.c -- `keynumbers --serve` alone: its libraries take longer to load than an answer takes.
 *
 *     keynumbers_serve ADDRESS PORT    (started by keynumbers, which has read its options)
 */
#include <stdio.h>
#include <stdlib.h>
#include "labs/5_frontier/key_numbers/app/output/serve.h"

int main(int argc, char **argv)
{
    Error err = {""};
    if (argc != 3) {
        fprintf(stderr, "keynumbers_serve: expected ADDRESS PORT; use ./lab keynumbers --serve\n");
        return 2;
    }
    if (serve(argv[1], (int)strtol(argv[2], NULL, 10), &err)) return EXIT_SUCCESS;
    error_report(&err);
    return 2;
}
