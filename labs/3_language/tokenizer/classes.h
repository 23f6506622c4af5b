/* classes.h -- what a character is to the pre-tokenizer: a letter, a number, whitespace, or other.
 *
 *     bpe_class(0x4e2d);    // BPE_LETTER
 *
 * Whitespace is complete (the property White_Space of Unicode 15). Letters (L) and numbers (N) are
 * those of the scripts listed here; others count as BPE_OTHER, so that a text in Tibetan is split in
 * more pieces than a complete table would. The lab's app asks a Unicode library.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum BpeClass { BPE_OTHER, BPE_SPACE, BPE_LETTER, BPE_NUMBER } BpeClass;
typedef BpeClass BpeClassify(uint32_t code);

static inline BpeClass bpe_class(uint32_t code)
{
    // clang-format off
    static const struct { uint32_t first, last; BpeClass kind; } ranges[] = {
        {0x09, 0x0d, BPE_SPACE},      {0x20, 0x20, BPE_SPACE},      {0x30, 0x39, BPE_NUMBER},
        {0x41, 0x5a, BPE_LETTER},     {0x61, 0x7a, BPE_LETTER},     {0x85, 0x85, BPE_SPACE},
        {0xa0, 0xa0, BPE_SPACE},      {0xaa, 0xaa, BPE_LETTER},     {0xb2, 0xb3, BPE_NUMBER},
        {0xb5, 0xb5, BPE_LETTER},     {0xb9, 0xb9, BPE_NUMBER},     {0xba, 0xba, BPE_LETTER},
        {0xbc, 0xbe, BPE_NUMBER},     {0xc0, 0xd6, BPE_LETTER},     {0xd8, 0xf6, BPE_LETTER},
        {0xf8, 0x2c1, BPE_LETTER},    {0x370, 0x373, BPE_LETTER},   {0x386, 0x386, BPE_LETTER},
        {0x388, 0x38a, BPE_LETTER},   {0x38e, 0x3a1, BPE_LETTER},   {0x3a3, 0x3f5, BPE_LETTER},
        {0x3f7, 0x481, BPE_LETTER},   {0x48a, 0x52f, BPE_LETTER},   {0x5d0, 0x5ea, BPE_LETTER},
        {0x620, 0x64a, BPE_LETTER},   {0x660, 0x669, BPE_NUMBER},   {0x904, 0x939, BPE_LETTER},
        {0x966, 0x96f, BPE_NUMBER},   {0xe01, 0xe30, BPE_LETTER},   {0x1680, 0x1680, BPE_SPACE},
        {0x1e00, 0x1f15, BPE_LETTER}, {0x2000, 0x200a, BPE_SPACE},  {0x2028, 0x2029, BPE_SPACE},
        {0x202f, 0x202f, BPE_SPACE},  {0x205f, 0x205f, BPE_SPACE},  {0x2070, 0x2070, BPE_NUMBER},
        {0x2074, 0x2079, BPE_NUMBER}, {0x2080, 0x2089, BPE_NUMBER}, {0x2150, 0x2182, BPE_NUMBER},
        {0x3000, 0x3000, BPE_SPACE},  {0x3005, 0x3006, BPE_LETTER}, {0x3007, 0x3007, BPE_NUMBER},
        {0x3041, 0x3096, BPE_LETTER}, {0x30a1, 0x30fa, BPE_LETTER}, {0x30fc, 0x30fe, BPE_LETTER},
        {0x3400, 0x4dbf, BPE_LETTER}, {0x4e00, 0x9fff, BPE_LETTER}, {0xac00, 0xd7a3, BPE_LETTER},
        {0xff10, 0xff19, BPE_NUMBER}, {0xff21, 0xff3a, BPE_LETTER}, {0xff41, 0xff5a, BPE_LETTER},
        {0x20000, 0x2a6df, BPE_LETTER},
    };
    // clang-format on
    size_t low = 0, high = sizeof ranges / sizeof *ranges;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (code > ranges[middle].last) low = middle + 1;
        else if (code < ranges[middle].first) high = middle;
        else return ranges[middle].kind;
    }
    return BPE_OTHER;
}
