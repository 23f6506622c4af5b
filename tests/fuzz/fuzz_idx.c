/* Any bytes through the IDX reader, as they are and packed with gzip, whole and cut. */
#include "datasets/idx.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const uint8_t *data, size_t size)
{
    Idx idx;
    Error err;
    if (idx_open_memory(&idx, data, size, "fuzz.idx", &err)) {
        uint8_t *out = malloc(idx.bytes);
        if (out == NULL) abort();    // check_size() lets through a thousand times the file at most
        if (idx_read(&idx, out, &err)) {
            size_t product = 1;
            for (int i = 0; i < idx.dims; i++) product *= idx.size[i];
            if (product != idx.bytes || product == 0) abort();
        }
        free(out);
    }
    idx_close(&idx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_all(data, size);
    if (size < 4) return 0;
    // A fuzzer does not find a right CRC by itself. The last three bytes say what is damaged after
    // packing: how much of the end is cut (or added, above 200), which byte is changed, and how.
    const uint8_t *damage = data + size - 3;
    uLong room = compressBound(size) + 300;
    uint8_t *packed = calloc(1, room);
    z_stream z = {.next_in = (Bytef *)data,
                  .avail_in = (uInt)(size - 3),
                  .next_out = packed,
                  .avail_out = (uInt)room};
    if (packed == NULL || deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    packed[damage[1] % z.total_out] ^= damage[2];
    size_t cut = damage[0] <= 200 ? damage[0] : 0, added = damage[0] > 200 ? damage[0] - 200u : 0;
    read_all(packed, cut < z.total_out ? z.total_out - cut + added : 0);
    deflateEnd(&z);
    free(packed);
    return 0;
}
