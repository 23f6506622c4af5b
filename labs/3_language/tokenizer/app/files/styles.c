#include <string.h>
#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"

#define BYTES(prefix, regex)                                                                       \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":" prefix ",\"trim_offsets\":true,"               \
    "\"use_regex\":" regex "}"
#define SPLIT_AS(expression)                                                                       \
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" expression "\"},\"behavior\":\"Isolated\","    \
    "\"invert\":false}"
#define LATER(digits)                                                                              \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|" digits                 \
    "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define PARTS(normalizer, split)                                                                   \
    "{\"normalizer\":" normalizer ",\"pre_tokenizer\":" split ",\"post_processor\":null,"          \
    "\"decoder\":" BYTES("true", "true") "}"
#define TWO(first, second) "{\"type\":\"Sequence\",\"pretokenizers\":[" first "," second "]}"

// As the models' own tokenizer.json have them.
const char *tokenizer_style(const char *name)
{
    static const char *const styles[][2] = {
        {"gpt2", PARTS("null", BYTES("false", "true"))},
        {"llama3", PARTS("null", TWO(SPLIT_AS(LATER("\\\\p{N}{1,3}")), BYTES("false", "false")))},
        {"qwen2",
         PARTS("{\"type\":\"NFC\"}", TWO(SPLIT_AS(LATER("\\\\p{N}")), BYTES("false", "false")))},
        {"smollm", PARTS("null", TWO("{\"type\":\"Digits\",\"individual_digits\":true}",
                                     BYTES("false", "true")))},
    };
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
        if (strcmp(styles[i][0], name) == 0) return styles[i][1];
    return NULL;
}
