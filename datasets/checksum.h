/* checksum.h -- the SHA-256 of a file, to know it for the one that was meant.
 *
 *     char sha256[CHECKSUM_SIZE];
 *     if (!checksum_file(sha256, path, &err)) return false;
 *     if (strcmp(sha256, expected) != 0) ...
 */
#pragma once
#include <stdbool.h>
#include "common/error.h"

enum { CHECKSUM_SIZE = 65 };    // 64 lower-case hexadecimal digits and the end of the string

bool checksum_file(char sha256[CHECKSUM_SIZE], const char *path, Error *err);
