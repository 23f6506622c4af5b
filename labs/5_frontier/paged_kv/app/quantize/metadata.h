/* metadata.h -- the values of a GGUF file to be: a GGUF file's own, or a configuration's and a vocabulary's.
 *
 *     metadata_copy(out, file->gguf, DTYPE_Q8_0);
 *     if (!metadata_make(out, file, "model/tokenizer.json", DTYPE_Q8_0, &err)) ...
 *
 * What depends on the types of tensors is written anew: general.file_type and general.quantization_version.
 */
#pragma once
#include "common/gguf_writer.h"
#include "labs/3_language/transformer/files/model_file.h"

void metadata_copy(GgufWriter *out, const Gguf *from, DType type);

// vocabulary: a file that tokenizer_open() reads, or NULL: none. A folder's chat template goes along.
bool metadata_make(GgufWriter *out, const ModelFile *file, const char *vocabulary, DType type,
                   Error *err);
