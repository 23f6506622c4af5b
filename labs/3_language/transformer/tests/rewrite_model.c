/* rewrite_model.c -- a model read and written as a folder and as a GGUF file, for opened_by_transformers.py.
 *
 *     rewrite_model MODEL FOLDER GGUF SHARD_BYTES
 */
#include <stdlib.h>
#include "kernels/device.h"
#include "labs/3_language/transformer/files/folder.h"
#include "labs/3_language/transformer/files/gguf_model.h"
#include "labs/3_language/transformer/files/model_file.h"

int main(int argc, char **argv)
{
    Error err = {""};
    const char *why;
    if (argc != 5 || !device_use("cpu", &why))
        return error_print("rewrite_model MODEL FOLDER GGUF SHARD_BYTES");
    ModelFile *file = model_file_open(argv[1], &err);
    if (file == NULL) return error_report(&err);
    Arena *keep = arena_new("keep", model_config_room(&file->config));
    Params *params = params_new(keep);
    params->frozen = true;
    const Model model = model_file_read(file, params);
    model_file_close(file);
    const FolderOptions options = {.shard_bytes = strtoull(argv[4], NULL, 10)};
    if (!folder_write(argv[2], &model.config, params, options, &err)) return error_report(&err);
    if (model.config.mlp != MLP_GELU_ERF &&
        !gguf_model_write(argv[3], &model.config, params, NULL, &err))
        return error_report(&err);
    return 0;
}
