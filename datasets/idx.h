/* idx.h -- the IDX format of MNIST: arrays of bytes, plain or packed with gzip.
 *
 *     Idx idx;
 *     if (!idx_open(&idx, "mnist/t10k-images-idx3-ubyte.gz", &err)) return false;
 *     // idx.dims is 3, idx.size is {10000, 28, 28}: decide whether this is what you want ...
 *     uint8_t *pixels = arena_alloc(keep, idx.bytes);
 *     bool read = idx_read(&idx, pixels, &err);    // ... before any memory is spent on it
 *     idx_close(&idx);
 *
 * A file is two zero bytes, the type (0x08: unsigned byte, the only one accepted), the number of
 * dimensions, each size as a big-endian 32-bit integer, then the elements and nothing after them.
 * Whatever does not fit that is refused by name. See yann.lecun.com/exdb/mnist.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/error.h"

enum { IDX_MAX_DIMS = 4 };

typedef struct Idx {
    const char *name;               // for messages; borrowed
    int dims;                       // 1..4
    uint32_t size[IDX_MAX_DIMS];    // outermost first; the rest are 1
    size_t bytes;                   // elements in all, one byte each
    struct IdxInput *input;         // the open file
} Idx;

// Reads and checks the header. The path must outlive the Idx. When false, nothing is left open.
bool idx_open(Idx *idx, const char *path, Error *err);
// The same from memory, which is borrowed until idx_close().
bool idx_open_memory(Idx *idx, const void *content, size_t size, const char *name, Error *err);
// All elements to out [bytes], once. Refuses a file that ends early, goes on, or fails its CRC.
bool idx_read(Idx *idx, uint8_t *out, Error *err);
void idx_close(Idx *idx);    // also right after a failed open, and twice
