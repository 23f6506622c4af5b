#include "datasets/checksum.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include "common/file.h"

static bool digest_stream(uint8_t digest[32], FILE *stream, EVP_MD_CTX *context)
{
    uint8_t buffer[1 << 16];
    size_t got;
    if (context == NULL || !EVP_DigestInit_ex(context, EVP_sha256(), NULL)) return false;
    while ((got = fread(buffer, 1, sizeof buffer, stream)) > 0)
        if (!EVP_DigestUpdate(context, buffer, got)) return false;
    return !ferror(stream) && EVP_DigestFinal_ex(context, digest, NULL);
}

bool checksum_file(char sha256[CHECKSUM_SIZE], const char *path, Error *err)
{
    FILE *stream = file_open(path, err);
    if (stream == NULL) return false;
    uint8_t digest[32];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = digest_stream(digest, stream, context);
    EVP_MD_CTX_free(context);
    fclose(stream);
    if (!done) return error_set(err, "%s: cannot be read to its end", path);
    for (size_t i = 0; i < 32; i++) snprintf(sha256 + 2 * i, 3, "%02x", digest[i]);
    return true;
}
