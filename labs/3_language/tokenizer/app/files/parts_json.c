// The four parts of a tokenizer.json around its model, from JSON to steps.
#include <stdlib.h>
#include <string.h>
#include "common/text.h"
#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"
#include "labs/3_language/tokenizer/app/text/code_point.h"

#define MARK "\xe2\x96\x81"    // U+2581, SentencePiece's space

const char *const tokenizer_part_names[TOKENIZER_PARTS] = {
    "truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder"};

enum { DEEP = 8 };    // of sequences within sequences

static const cJSON *field(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text_field(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(field(object, name));
}

static bool flag(const cJSON *object, const char *name, bool otherwise)
{
    const cJSON *item = field(object, name);
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : otherwise;
}

static char *copy(const char *text)
{
    char *made = strdup(text);
    REQUIRE(made != NULL, "no memory");
    return made;
}

static bool refuse(const char *what, const char *type, Error *err)
{
    char shown[48];
    snprintf(shown, sizeof shown, "%.40s", type ? type : "without a type");
    text_clean(shown);
    return error_set(err, "the %s '%s' is not supported", what, shown);
}

// Each member of a sequence, or the part itself.
typedef bool OnPart(Tokenizer *t, const cJSON *part, const char *type, Error *err);

static bool each_part(Tokenizer *t, const cJSON *part, const char *list, const char *what,
                      OnPart *on_part, int depth, Error *err)
{
    if (part == NULL || cJSON_IsNull(part)) return true;
    const char *type = text_field(part, "type");
    if (type == NULL || depth > DEEP) return refuse(what, type, err);
    if (strcmp(type, "Sequence") != 0) return on_part(t, part, type, err);
    const cJSON *item;
    cJSON_ArrayForEach(item, field(part, list)) if (!each_part(t, item, list, what, on_part,
                                                               depth + 1, err)) return false;
    return true;
}

// {"String": s} or {"Regex": r}. False where there is neither, or the expression is wrong.
static bool read_pattern(const cJSON *object, const char **literal, const char **expression,
                         Error *err)
{
    const cJSON *pattern = field(object, "pattern");
    *literal = text_field(pattern, "String");
    *expression = text_field(pattern, "Regex");
    if (cJSON_IsString(pattern)) *literal = pattern->valuestring;
    return *literal != NULL || *expression != NULL ||
           error_set(err, "\"pattern\" is missing, expected {\"String\": ...} or {\"Regex\": ...}");
}

// ---- normalizers ----

static bool on_normalizer(Tokenizer *t, const cJSON *part, const char *type, Error *err)
{
    static const char *const forms[] = {"NFC", "NFD", "NFKC", "NFKD"};
    NormalStep step = {0};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(type, forms[i]) == 0) step.form = forms[i];
    if (step.form != NULL) step.kind = NORMAL_FORM;
    else if (strcmp(type, "Lowercase") == 0) step.kind = NORMAL_LOWERCASE;
    else if (strcmp(type, "Prepend") == 0 && text_field(part, "prepend") != NULL) {
        step.kind = NORMAL_PREPEND;
        step.with = copy(text_field(part, "prepend"));
    } else if (strcmp(type, "Strip") == 0) {
        step.kind = NORMAL_STRIP;
        step.left = flag(part, "strip_left", true);
        step.right = flag(part, "strip_right", true);
    } else if (strcmp(type, "Replace") == 0 && text_field(part, "content") != NULL) {
        const char *literal, *expression;
        step.kind = NORMAL_REPLACE;
        // cppcheck-suppress memleak ; nothing is in it yet
        if (!read_pattern(part, &literal, &expression, err)) return false;
        if (literal == NULL && (step.regex = regex_open(expression, err)) == NULL) return false;
        if (literal != NULL) step.what = copy(literal);
        step.with = copy(text_field(part, "content"));
    } else return refuse("normalizer", type, err);
    return normalizer_add(&t->normalizer, step, err);
}

// ---- pre-tokenizers ----

static bool add_step(Tokenizer *t, SplitStep step, Error *err)
{
    return splitter_add(&t->splitter, step) ||
           error_set(err, "there are more than %d pre-tokenizers", SPLIT_MAX_STEPS);
}

static bool read_behavior(const cJSON *part, SplitBehavior *behavior, Error *err)
{
    static const char *const names[] = {"Isolated", "Removed", "MergedWithPrevious",
                                        "MergedWithNext", "Contiguous"};
    const char *name = text_field(part, "behavior");
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *behavior = (SplitBehavior)i;
        return true;
    }
    return refuse("split behavior", name, err);
}

static bool on_split(Tokenizer *t, const cJSON *part, Error *err)
{
    SplitStep step = {.invert = flag(part, "invert", false)};
    const char *literal, *expression;
    if (!read_behavior(part, &step.behavior, err) ||
        !read_pattern(part, &literal, &expression, err))
        return false;
    if (literal != NULL) {
        step.kind = SPLIT_LITERAL;
        step.literal = copy(literal);
        return add_step(t, step, err);
    }
    // A known pattern matches everywhere: between its matches lies nothing.
    bool all = step.invert ? step.behavior == SPLIT_REMOVED : step.behavior == SPLIT_ISOLATED;
    step.kind = SPLIT_PATTERN;
    step.pattern = all ? pattern_find(expression) : NULL;
    if (step.pattern == NULL) {
        step.kind = SPLIT_REGEX;
        if ((step.regex = regex_open(expression, err)) == NULL) return false;
    }
    return add_step(t, step, err);
}

static bool on_metaspace(Tokenizer *t, const cJSON *part, Error *err)
{
    const char *mark = text_field(part, "replacement"),
               *scheme = text_field(part, "prepend_scheme");
    SplitStep step = {.kind = SPLIT_METASPACE, .whole = !flag(part, "split", true)};
    step.prefix = flag(part, "add_prefix_space", true) ? SPLIT_ALWAYS : SPLIT_NEVER;
    if (scheme != NULL)
        step.prefix = strcmp(scheme, "always") == 0  ? SPLIT_ALWAYS
                      : strcmp(scheme, "first") == 0 ? SPLIT_FIRST
                                                     : SPLIT_NEVER;
    if (mark != NULL && mark[0] == '\0')
        return refuse("pre-tokenizer", "Metaspace of no mark", err);
    step.literal = copy(mark ? mark : MARK);
    return add_step(t, step, err);
}

static bool on_pre_tokenizer(Tokenizer *t, const cJSON *part, const char *type, Error *err)
{
    bool changes = strcmp(type, "ByteLevel") == 0 || strcmp(type, "Metaspace") == 0;
    if (t->bpe.byte_level && changes)
        return error_set(err, "the pre-tokenizer '%s' after ByteLevel is not supported", type);
    if (t->bpe.byte_level && !t->splitter.in_byte_alphabet &&
        !add_step(t, (SplitStep){.kind = SPLIT_BYTE_ALPHABET}, err))
        return false;
    if (strcmp(type, "Split") == 0) return on_split(t, part, err);
    if (strcmp(type, "Metaspace") == 0) return on_metaspace(t, part, err);
    if (strcmp(type, "ByteLevel") == 0) {
        t->bpe.byte_level = true;
        SplitStep prefix = {.kind = SPLIT_PREFIX_SPACE};
        if (flag(part, "add_prefix_space", true) && !add_step(t, prefix, err)) return false;
        SplitStep words = {.kind = SPLIT_PATTERN, .pattern = pattern_named("gpt2")};
        return !flag(part, "use_regex", true) || add_step(t, words, err);
    }
    SplitStep step = {.kind = SPLIT_CLASS};
    if (strcmp(type, "Digits") == 0) {
        step.classes = CODE_NUMERIC;
        step.behavior = flag(part, "individual_digits", false) ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS;
    } else if (strcmp(type, "Punctuation") == 0) {
        step.classes = CODE_PUNCTUATION;
        if (field(part, "behavior") && !read_behavior(part, &step.behavior, err)) return false;
    } else if (strcmp(type, "WhitespaceSplit") == 0 || strcmp(type, "Whitespace") == 0) {
        SplitStep words = {.kind = SPLIT_CLASS, .classes = CODE_WORD, .behavior = SPLIT_CONTIGUOUS};
        step.classes = CODE_SPACE;
        step.behavior = SPLIT_REMOVED;
        if (!add_step(t, step, err)) return false;
        return strcmp(type, "WhitespaceSplit") == 0 || add_step(t, words, err);
    } else return refuse("pre-tokenizer", type, err);
    return add_step(t, step, err);
}

// ---- decoders ----

static bool on_decoder(Tokenizer *t, const cJSON *part, const char *type, Error *err)
{
    static const char *const known[] = {"ByteLevel", "ByteFallback", "Fuse"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(type, known[i]) == 0) return true;
    if (strcmp(type, "Strip") == 0) {
        const cJSON *start = field(part, "start"), *stop = field(part, "stop");
        const char *what = text_field(part, "content");
        bool spaces = what != NULL && strcmp(what, " ") == 0 && cJSON_IsNumber(start);
        t->strip_space = spaces && start->valuedouble == 1;
        return (spaces && start->valuedouble <= 1 && (stop == NULL || stop->valuedouble == 0)) ||
               refuse("decoder", "Strip of anything but one space at the start", err);
    }
    const char *mark = NULL, *with = " ", *expression;
    if (strcmp(type, "Metaspace") == 0) {
        const char *scheme = text_field(part, "prepend_scheme");
        t->strip_space = flag(part, "add_prefix_space", true) &&
                         (scheme == NULL || strcmp(scheme, "never") != 0);
        mark = text_field(part, "replacement");
        if (mark == NULL) mark = MARK;
    } else if (strcmp(type, "Replace") == 0) {
        with = text_field(part, "content");
        if (!read_pattern(part, &mark, &expression, err)) return false;
        if (mark == NULL || with == NULL) return refuse("decoder", "Replace of a pattern", err);
    } else return refuse("decoder", type, err);
    NormalStep step = {.kind = NORMAL_REPLACE, .what = copy(mark), .with = copy(with)};
    return normalizer_add(&t->pieces_to_text, step, err);
}

// ---- post-processors ----

static bool put(Tokenizer *t, bool after, double id, Error *err)
{
    Template *template = &t->template;
    int *count = after ? &template->after_count : &template->before_count;
    if (!(id >= 0 && id < t->bpe.vocabulary.count) || id != (int)id ||
        t->bpe.vocabulary.tokens[(int)id].kind == TOKEN_NONE)
        return error_set(err, "the template names id %.0f, which is not a token", id);
    if (*count == TEMPLATE_MAX)
        return error_set(err, "the template has more than %d tokens on a side", TEMPLATE_MAX);
    (after ? template->after : template->before)[(*count)++] = (int)id;
    return true;
}

static bool on_template(Tokenizer *t, const cJSON *part, Error *err)
{
    const cJSON *item, *single = field(part, "single");
    bool after = false;
    t->template = (Template){0};
    if (!cJSON_IsArray(single)) return error_set(err, "the template's \"single\" is not an array");
    cJSON_ArrayForEach(item, single)
    {
        const cJSON *special = field(item, "SpecialToken");
        if (special == NULL) {
            if (after || field(item, "Sequence") == NULL)
                return error_set(err, "the template does not hold the text once");
            after = true;
            continue;
        }
        const char *name = text_field(special, "id");
        const cJSON *entry = name ? field(field(part, "special_tokens"), name) : NULL, *id;
        if (!cJSON_IsArray(field(entry, "ids")))
            return error_set(err, "the template names a special token that it has no ids for");
        cJSON_ArrayForEach(
            id, field(entry, "ids")) if (!put(t, after, cJSON_IsNumber(id) ? id->valuedouble : -1,
                                              err)) return false;
    }
    return after || error_set(err, "the template does not hold the text");
}

static bool on_post_processor(Tokenizer *t, const cJSON *part, const char *type, Error *err)
{
    if (strcmp(type, "ByteLevel") == 0) return true;    // changes offsets only
    if (strcmp(type, "TemplateProcessing") == 0) return on_template(t, part, err);
    bool pair = strcmp(type, "RobertaProcessing") == 0 || strcmp(type, "BertProcessing") == 0;
    if (!pair) return refuse("post-processor", type, err);
    const cJSON *cls = cJSON_GetArrayItem(field(part, "cls"), 1);
    const cJSON *sep = cJSON_GetArrayItem(field(part, "sep"), 1);
    return put(t, false, cJSON_IsNumber(cls) ? cls->valuedouble : -1, err) &&
           put(t, true, cJSON_IsNumber(sep) ? sep->valuedouble : -1, err);
}

// ---- all of them ----

bool tokenizer_set_parts(Tokenizer *t, cJSON *parts, const char *where, Error *err)
{
    t->parts = parts;
    return (each_part(t, field(parts, "normalizer"), "normalizers", "normalizer", on_normalizer, 0,
                      err) &&
            each_part(t, field(parts, "pre_tokenizer"), "pretokenizers", "pre-tokenizer",
                      on_pre_tokenizer, 0, err) &&
            each_part(t, field(parts, "decoder"), "decoders", "decoder", on_decoder, 0, err)) ||
           error_wrap(err, "%s", where);
}

bool tokenizer_set_template(Tokenizer *t, const char *where, Error *err)
{
    return each_part(t, field(t->parts, "post_processor"), "processors", "post-processor",
                     on_post_processor, 0, err) ||
           error_wrap(err, "%s", where);
}
