#include "datasets/idx.h"
#include "common/file.h"
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

enum { UNSIGNED_BYTE = 0x08 };

typedef struct IdxInput {
    const uint8_t *content;    // the whole file
    size_t size;
    size_t used;      // of a plain file
    FileView view;    // of no bytes when the content is the caller's
    bool packed;
    z_stream inflater;
} IdxInput;

// zlib counts in 32 bits; larger files and buffers are passed on in pieces.
static uInt piece(size_t size)
{
    const size_t most = 1u << 30;
    return (uInt)(size < most ? size : most);
}

static void feed(IdxInput *input)
{
    z_stream *z = &input->inflater;
    size_t left = (size_t)(input->content + input->size - z->next_in);
    z->avail_in = piece(left);
}

static bool unpack(Idx *idx, uint8_t *out, size_t bytes, Error *err)
{
    z_stream *z = &idx->input->inflater;
    size_t got = 0;
    while (got < bytes) {
        feed(idx->input);
        z->next_out = out + got;
        z->avail_out = piece(bytes - got);
        int result = inflate(z, Z_NO_FLUSH);
        got = (size_t)(z->next_out - out);
        if (got == bytes && (result == Z_OK || result == Z_STREAM_END)) break;
        if (result == Z_STREAM_END)
            return error_set(err, "%s: unpacks to %zu bytes too few", idx->name, bytes - got);
        if (result == Z_BUF_ERROR)
            return error_set(err,
                             "%s: the gzip data is cut off; %zu bytes are missing once unpacked",
                             idx->name, bytes - got);
        if (result != Z_OK)
            return error_set(err, "%s: the gzip data is damaged (%s)", idx->name,
                             z->msg ? z->msg : zError(result));
    }
    return true;
}

// The stream must end where the elements end: inflate() checks its CRC and length on the way out.
static bool unpack_end(Idx *idx, Error *err)
{
    z_stream *z = &idx->input->inflater;
    uint8_t extra;
    for (;;) {
        feed(idx->input);
        z->next_out = &extra;
        z->avail_out = 1;
        int result = inflate(z, Z_FINISH);
        if (z->avail_out == 0)
            return error_set(err, "%s: unpacks to more than the %zu bytes of its header", idx->name,
                             idx->bytes);
        if (result == Z_STREAM_END) break;
        if (result == Z_BUF_ERROR)
            return error_set(err, "%s: the gzip data is cut off before its checksum", idx->name);
        if (result != Z_OK)
            return error_set(err, "%s: the gzip data is damaged (%s)", idx->name,
                             z->msg ? z->msg : zError(result));
    }
    size_t after = (size_t)(idx->input->content + idx->input->size - z->next_in);
    if (after > 0)
        return error_set(err, "%s: %zu bytes follow the end of the gzip data, expected 0",
                         idx->name, after);
    return true;
}

static bool take(Idx *idx, uint8_t *out, size_t bytes, Error *err)
{
    IdxInput *input = idx->input;
    if (input->packed) return unpack(idx, out, bytes, err);
    size_t left = input->size - input->used;
    if (left < bytes)
        return error_set(err, "%s: has %zu bytes, expected at least %zu", idx->name, input->size,
                         input->used + bytes);
    memcpy(out, input->content + input->used, bytes);
    input->used += bytes;
    return true;
}

static bool read_header(Idx *idx, Error *err)
{
    uint8_t magic[4] = {0};
    if (!take(idx, magic, sizeof magic, err)) return false;
    if (magic[0] != 0 || magic[1] != 0)
        return error_set(err, "%s: starts with 0x%02x%02x, expected 0x0000 (IDX)", idx->name,
                         magic[0], magic[1]);
    if (magic[2] != UNSIGNED_BYTE)
        return error_set(err, "%s: element type is 0x%02x, expected 0x%02x (unsigned byte)",
                         idx->name, magic[2], UNSIGNED_BYTE);
    if (magic[3] < 1 || magic[3] > IDX_MAX_DIMS)
        return error_set(err, "%s: has %d dimensions, expected 1 to %d", idx->name, magic[3],
                         IDX_MAX_DIMS);
    idx->dims = magic[3];
    idx->bytes = 1;
    for (int i = 0; i < IDX_MAX_DIMS; i++) idx->size[i] = 1;
    for (int i = 0; i < idx->dims; i++) {
        uint8_t b[4] = {0};
        if (!take(idx, b, sizeof b, err)) return false;
        uint32_t size = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        if (size == 0)
            return error_set(err, "%s: size %d of %d is 0, expected at least 1", idx->name, i + 1,
                             idx->dims);
        if (__builtin_mul_overflow(idx->bytes, (size_t)size, &idx->bytes))
            return error_set(err, "%s: the product of its sizes does not fit %zu bits", idx->name,
                             8 * sizeof(size_t));
        idx->size[i] = size;
    }
    return true;
}

// Before anybody reserves memory on the header's word, the word is held against the file's size.
static bool check_size(const Idx *idx, Error *err)
{
    const IdxInput *input = idx->input;
    if (!input->packed) {
        size_t data = input->size - input->used;
        if (idx->bytes == data) return true;
        return error_set(err, "%s: has %zu bytes after its header, expected %zu", idx->name, data,
                         idx->bytes);
    }
    const size_t best_ratio = 1032;    // of the deflate format: 258 bytes from 2 bits
    if (idx->bytes / best_ratio <= input->size) return true;
    return error_set(err, "%s: has %zu bytes, which cannot unpack to the %zu of its header",
                     idx->name, input->size, idx->bytes);
}

static bool start(Idx *idx, const void *content, size_t size, FileView view, Error *err)
{
    IdxInput *input = calloc(1, sizeof *input);
    if (input == NULL) {
        file_unmap(view);
        return error_set(err, "%s: no memory to read it", idx->name);
    }
    *input = (IdxInput){.content = content, .size = size, .view = view};
    idx->input = input;
    // Told by its content, not by its name: a browser may have unpacked a file and kept the ".gz".
    if (size >= 2 && input->content[0] == 0x1f && input->content[1] == 0x8b) {
        const int gzip_window = 15 + 16;    // the largest window, and gzip's header and CRC
        input->inflater.next_in = input->content;
        if (inflateInit2(&input->inflater, gzip_window) != Z_OK) {
            idx_close(idx);
            return error_set(err, "%s: zlib has no memory to unpack it", idx->name);
        }
        input->packed = true;
    }
    if (read_header(idx, err) && check_size(idx, err)) return true;
    idx_close(idx);
    return false;
}

bool idx_open_memory(Idx *idx, const void *content, size_t size, const char *name, Error *err)
{
    *idx = (Idx){.name = name};
    return start(idx, content, size, (FileView){NULL, 0}, err);
}

bool idx_open(Idx *idx, const char *path, Error *err)
{
    *idx = (Idx){.name = path};
    FileView view;
    if (!file_map(&view, path, err)) return false;
    if (view.size == 0) return error_set(err, "%s: is empty", path);
    return start(idx, view.bytes, view.size, view, err);
}

bool idx_read(Idx *idx, uint8_t *out, Error *err)
{
    if (!take(idx, out, idx->bytes, err)) return false;
    return !idx->input->packed || unpack_end(idx, err);
}

void idx_close(Idx *idx)
{
    IdxInput *input = idx->input;
    idx->input = NULL;
    if (input == NULL) return;
    if (input->packed) inflateEnd(&input->inflater);
    file_unmap(input->view);
    free(input);
}
