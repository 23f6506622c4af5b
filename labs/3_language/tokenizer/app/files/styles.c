#include <string.h>
#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"

static cJSON *split(const char *expression)
{
    cJSON *part = cJSON_Parse("{\"type\":\"Split\",\"behavior\":\"Isolated\",\"invert\":false}");
    cJSON_AddStringToObject(cJSON_AddObjectToObject(part, "pattern"), "Regex", expression);
    return part;
}

#define EACH_DIGIT "{\"type\":\"Digits\",\"individual_digits\":true}"
#define BYTES                                                                                      \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":"
#define NFC "{\"type\":\"NFC\"}"

// A word: one character before it or none, then upper and lower case in this order.
#define BEFORE "[^\\r\\n\\p{L}\\p{N}]?"
#define UPPER  "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER  "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CASED(after, digits)                                                                       \
    BEFORE UPPER "*" LOWER "+" after "|" BEFORE UPPER "+" LOWER "*" after "|" digits               \
                 "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

// DeepSeek LLM's letters: those with two cases, in Unicode 12.
// clang-format off
#define CASED_LETTERS \
    "A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}\\x{1BC}-\\x{1BF}" \
    "\\x{1C4}-\\x{293}\\x{295}-\\x{2AF}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37B}-\\x{37D}" \
    "\\x{37F}\\x{386}\\x{388}-\\x{38A}\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}" \
    "\\x{3F7}-\\x{481}\\x{48A}-\\x{52F}\\x{531}-\\x{556}\\x{10A0}-\\x{10C5}" \
    "\\x{13A0}-\\x{13F5}\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}\\x{1CBD}-\\x{1CBF}" \
    "\\x{1D00}-\\x{1D2B}\\x{1D6B}-\\x{1D77}\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}" \
    "\\x{1F18}-\\x{1F1D}\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}\\x{1F59}" \
    "\\x{1F5B}\\x{1F5D}\\x{1F5F}-\\x{1F7D}\\x{1F80}-\\x{1FB4}\\x{1FB6}-\\x{1FBC}\\x{1FBE}" \
    "\\x{1FC2}-\\x{1FC4}\\x{1FC6}-\\x{1FCC}\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}" \
    "\\x{1FE0}-\\x{1FEC}\\x{1FF2}-\\x{1FF4}\\x{1FF6}-\\x{1FFC}\\x{2102}\\x{2107}" \
    "\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}\\x{2126}\\x{2128}" \
    "\\x{212A}-\\x{212D}\\x{212F}-\\x{2134}\\x{2139}\\x{213C}-\\x{213F}\\x{2145}-\\x{2149}" \
    "\\x{214E}\\x{2183}\\x{2184}\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}\\x{2CEB}-\\x{2CEE}" \
    "\\x{2CF2}\\x{2CF3}\\x{A640}-\\x{A66D}\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}" \
    "\\x{A771}-\\x{A787}\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}\\x{FB00}-\\x{FB06}" \
    "\\x{FB13}-\\x{FB17}\\x{FF21}-\\x{FF3A}\\x{FF41}-\\x{FF5A}\\x{10400}-\\x{1044F}" \
    "\\x{104B0}-\\x{104D3}\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}" \
    "\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}"
// clang-format on

enum { STEPS_MAX = 8 };

// As the models' own tokenizer.json have them.
static const struct Style {
    const char *name, *normalizer;    // JSON
    const char
        *steps[STEPS_MAX];    // JSON, or the expression of a Split, or "=" and a pattern's name
} styles[] = {
    {"gpt2", "null", {BYTES "true}"}},
    {"llama3", "null", {"=llama3", BYTES "false}"}},
    {"qwen2", NFC, {"=qwen2", BYTES "false}"}},
    {"qwen3.5", NFC, {"=qwen3.5", BYTES "false}"}},
    {"smollm", "null", {EACH_DIGIT, BYTES "true}"}},
    {"falcon",
     "null",
     {"{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}", BYTES "true}",
      "{\"type\":\"Digits\",\"individual_digits\":false}", "[0-9][0-9][0-9]"}},
    {"gpt-4o", "null", {CASED("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "\\p{N}{1,3}"), BYTES "false}"}},
    {"tekken", "null", {CASED("", "\\p{N}"), BYTES "false}"}},
    {"deepseek-v3",
     "null",
     {"\\p{N}{1,3}", "[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}]+",
      "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}"
      "\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
      BYTES "false}"}},
    {"deepseek-llm",
     "null",
     {"[\r\n]", "\\s?[" CASED_LETTERS "]+",
      "\\s?[!-/:-~\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}\\x{2018}-\\x{201F}\\x{3000}-\\x{3002}]+",
      "\\s+$", "[\\x{4E00}-\\x{9FA5}\\x{800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+", EACH_DIGIT,
      BYTES "false}"}},
};

cJSON *tokenizer_style(const char *name)
{
    const struct Style *style = styles, *end = styles + sizeof styles / sizeof *styles;
    while (style < end && strcmp(style->name, name) != 0) style++;
    if (style == end) return NULL;
    cJSON *parts = cJSON_CreateObject(), *steps = cJSON_CreateArray();
    for (int i = 0; i < STEPS_MAX && style->steps[i] != NULL; i++) {
        const char *step = style->steps[i];
        cJSON_AddItemToArray(steps, step[0] == '{'   ? cJSON_Parse(step)
                                    : step[0] == '=' ? split(pattern_named(step + 1)->expression)
                                                     : split(step));
    }
    cJSON *sequence = cJSON_Parse("{\"type\":\"Sequence\"}");
    cJSON_AddItemToObject(sequence, "pretokenizers", steps);
    cJSON_AddItemToObject(parts, "normalizer", cJSON_Parse(style->normalizer));
    cJSON_AddItemToObject(parts, "pre_tokenizer", sequence);
    cJSON_AddNullToObject(parts, "post_processor");
    cJSON_AddItemToObject(parts, "decoder", cJSON_Parse(BYTES "true}"));
    return parts;
}
