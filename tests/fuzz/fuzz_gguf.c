/* fuzz_gguf.c -- whatever the bytes are, parsing them reads nothing outside of them, and what it takes
 * keeps the promises of gguf.h.
 */
#include "common/gguf.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void expect(int holds)
{
    if (!holds) abort();
}

static void expect_values(const Gguf *file)
{
    for (int i = 0; i < file->value_count; i++) {
        const GgufValue *value = &file->values[i];
        expect(gguf_value(file, value->key) == value);
        double real;
        uint64_t whole, texts = 0;
        bool truth;
        GgufText text = {NULL, 0};
        while (gguf_next_text(value, &text)) {
            volatile char touched = '\0';
            for (size_t b = 0; b < text.length; b++) touched = (char)(touched ^ text.bytes[b]);
            texts++;
        }
        expect(texts == (value->kind == GGUF_STRING ? value->count : 0));
        for (uint64_t n = 0; n < value->count && n < 4096; n++)
            if (gguf_integer_at(value, n, &whole))
                expect(gguf_real_at(value, n, &real) && real == (double)whole);
            else expect(!gguf_bool_at(value, n, &truth) || !gguf_real_at(value, n, &real));
        expect(!gguf_real_at(value, value->count, &real) &&
               !gguf_bool_at(value, value->count, &truth));
    }
}

static void expect_tensors(const Gguf *file, const uint8_t *bytes, size_t size)
{
    volatile uint8_t touched = 0;
    for (int i = 0; i < file->tensor_count; i++) {
        const GgufTensor *tensor = &file->tensors[i];
        const DTypeInfo *type = &dtype_info[tensor->type];
        expect(gguf_tensor(file, tensor->name) == tensor);
        expect(tensor->count / type->block * type->bytes == tensor->bytes);
        if (tensor->data == NULL) continue;
        expect(tensor->offset % file->alignment == 0 && tensor->offset <= size);
        expect((const uint8_t *)tensor->data == bytes + tensor->offset);
        const uint8_t *data = tensor->data;
        for (uint64_t b = 0; b < tensor->bytes; b++) touched = (uint8_t)(touched ^ data[b]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Error err = {""};
    Gguf *head = gguf_parse_header(bytes, size, "fuzz", &err);
    Gguf *file = gguf_parse(bytes, size, "fuzz", &err);
    expect(file != NULL || strlen(err.message) > 10);    // a refusal has its sentence
    expect(file == NULL || head != NULL);                // the header of what is whole is right
    if (head != NULL) expect_values(head), expect_tensors(head, bytes, size);
    if (file != NULL) expect_values(file), expect_tensors(file, bytes, size);
    gguf_close(head);
    gguf_close(file);
    return 0;
}
