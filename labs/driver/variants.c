#include "labs/driver/variants.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "labs/driver/ccode.h"

// Where an exercise's function has what is copied or changed: offsets into its text.
typedef struct Shape {
    const char *text;
    int name_end, open;    // after the name, and after the brace that opens the body
    int begin, end;        // of what stands between the marks
    const char *arguments;
} Shape;

static int identifier(const char *text)    // its length
{
    int length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_') length++;
    return length;
}

// The parameters' names, with commas between: of each the last word, or the one in "(*word)".
static const char *arguments_of(Arena *arena, const char *code)
{
    const char *all = "", *word = NULL;
    int depth = 0;
    bool settled = false;    // what follows is an array's or a function's own
    for (const char *at = code + strspn(code, " \n("); *at != '\0'; at++) {
        bool last = *at == ')' && depth == 0;
        if ((*at == ',' && depth == 0) || last) {
            if (word != NULL && !(identifier(word) == 4 && strncmp(word, "void", 4) == 0))
                all = arena_print(arena, "%s%s%.*s", all, *all != '\0' ? ", " : "",
                                  identifier(word), word);
            word = NULL;
            settled = false;
            if (last) return all;
        } else if (strncmp(at, "(*", 2) == 0) {
            word = at + 2;
            settled = true;
        } else if (*at == '[') {
            settled = true;
        }
        depth += (*at == '(' || *at == '[') - (*at == ')' || *at == ']');
        if (settled || identifier(at) == 0) continue;
        word = at;
        at += identifier(at) - 1;
    }
    return all;
}

static Shape shape_of(Arena *arena, const Exercise *exercise, const char *text)
{
    Shape shape = {.text = text, .arguments = ""};
    const char *code = code_only(arena, text), *open = strchr(code, '{');
    const char *name = strstr(code, exercise->function);
    if (name == NULL || open == NULL) return shape;    // the compiler will complain
    shape.name_end = (int)(name - code) + (int)strlen(exercise->function);
    shape.open = (int)(open - code) + 1;
    shape.arguments = arguments_of(arena, code + shape.name_end);
    for (const char *line = text; *line != '\0';) {
        const char *next = line + strcspn(line, "\n") + 1;
        char word[16], id[64];
        if (sscanf(line, " // %15s %63s", word, id) == 2 && strcmp(id, exercise->id) == 0) {
            if (strcmp(word, "solution") == 0) shape.begin = (int)(next - text);
            if (strcmp(word, "end") == 0) shape.end = (int)(line - text);
        }
        line = next;
    }
    return shape;
}

bool variants_can_hold(Arena *arena, const Mutant *mutant)
{
    for (const char *line = mutant->region; line != NULL; line = strchr(line, '\n')) {
        line += strspn(line, " \t\n");
        if (*line == '#') return false;
    }
    int depth = 0;
    for (const char *at = code_only(arena, mutant->region); *at != '\0'; at++) {
        depth += (*at == '{') - (*at == '}');
        if (depth < 0) return false;
    }
    return true;
}

// A copy for each mutant, and the function itself, which hands on to the one that is chosen.
static void put_function(FILE *out, Arena *arena, const Lab *lab, const Source *reference,
                         int exercise, const Mutant *mutants, int count)
{
    const Exercise *one = &lab->exercises[exercise];
    Shape s = shape_of(arena, one, reference->functions[exercise].text);
    const char *calls = "";
    for (int m = 0; m < count; m++) {
        if (mutants[m].exercise != exercise || mutants[m].fault != NULL ||
            !variants_can_hold(arena, &mutants[m]))
            continue;
        fprintf(out, "static __attribute__((noinline)) %.*s_%d%.*s%s%s", s.name_end, s.text, m + 1,
                s.begin - s.name_end, s.text + s.name_end, mutants[m].region, s.text + s.end);
        calls = arena_print(arena, "%s\nif (variants_mutant == %d) return %s_%d(%s);", calls, m + 1,
                            one->function, m + 1, s.arguments);
    }
    fprintf(out, "%.*s%s%.*sif (variants_blank[%d]) LAB_TODO(%s);\n%s", s.open, s.text, calls,
            s.begin - s.open, s.text + s.open, exercise, one->id, s.text + s.begin);
}

// Chosen when the library is loaded.
static void put_choice(FILE *out, int exercises, bool cuda)
{
    fprintf(out,
            "#include \"common/todo.h\"\n"
            "%s"
            "static int variants_mutant;\n"
            "static char variants_blank[%d];\n"
            "__attribute__((constructor)) static void variants_choose(void)\n"
            "{\n"
            "    const char *mutant = getenv(\"%s\"), *blank = getenv(\"%s\");\n"
            "    variants_mutant = mutant ? atoi(mutant) : 0;\n"
            "    for (int e = 0; blank && blank[e] && e < %d; e++)\n"
            "        variants_blank[e] = blank[e] == '1';\n"
            "}\n",
            cuda ? "#include <stdlib.h>\n"
                 : "char *getenv(const char *);\nint atoi(const char *);\n",
            exercises, VARIANTS_MUTANT, VARIANTS_BLANK, exercises);
}

const char *variants_text(Arena *arena, const Lab *lab, const Source *reference,
                          const Mutant *mutants, int count)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    REQUIRE(out != NULL, "no memory for the mutants of %s", lab->id);
    put_choice(out, lab->exercise_count, lab->cuda);
    int number = 1, exercise = 0;    // the exercises' functions are in lab.json's order
    for (const char *line = reference->text; *line != '\0'; number++) {
        int length = (int)strcspn(line, "\n");
        const Function *function =
            exercise < lab->exercise_count ? &reference->functions[exercise] : NULL;
        if (function == NULL || number < function->first_line) fprintf(out, "%.*s\n", length, line);
        else if (number == function->last_line)
            put_function(out, arena, lab, reference, exercise++, mutants, count);
        line += length + (line[length] == '\n');
    }
    fclose(out);
    const char *copy = arena_print(arena, "%s", text);
    free(text);
    return copy;
}
