#include "labs/driver/gates.h"
#include "labs/driver/mine.h"
#include "labs/driver/process.h"
#include "labs/driver/secrets.h"
#include "labs/driver/variants.h"
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FAULTS_MAX = 64, CASES_MAX = 2000, LEAST_MUTANTS = 4, LEAST_HINT = 20, FILE_MAX = 1 << 20 };

typedef struct Check {
    Arena *arena;
    const Lab *lab;
    Gates *gates;
    Source reference;
    const char **cases;    // their names, in the order of check.c
} Check;

// Paths inside the current folder begin there, as file_shown() has them.
static void shorten_paths(char *text)
{
    char here[PATH_MAX];
    size_t bytes = getcwd(here, sizeof here - 1) != NULL ? strlen(here) : 0;
    if (bytes < 2) return;
    memcpy(here + bytes, "/", 2);
    for (char *at = text; (at = strstr(at, here)) != NULL;)
        memmove(at, at + bytes + 1, strlen(at + bytes + 1) + 1);
}

__attribute__((format(printf, 3, 4))) static void add_fault(Check *check, GateId id,
                                                            const char *format, ...)
{
    Gate *gate = &check->gates->gate[id];
    char text[1024];
    va_list arguments;
    if (gate->count == FAULTS_MAX) return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    shorten_paths(text);
    gate->faults[gate->count++] = arena_print(check->arena, "%s", text);
}

// NULL when there is no such file; at most FILE_MAX of it.
static const char *read_whole(Arena *arena, const char *path)
{
    FILE *stream = fopen(path, "r");
    if (stream == NULL) return NULL;
    char *text = arena_alloc(arena, FILE_MAX + 1);
    size_t bytes = fread(text, 1, FILE_MAX, stream);
    text[bytes] = '\0';
    fclose(stream);
    return text;
}

static const char *lab_file(const Check *check, const char *name)
{
    return arena_print(check->arena, "%s/%s", check->lab->folder, name);
}

// As a fault names it.
static const char *shown(const Check *check, const char *name)
{
    return mine_shown(check->arena, lab_file(check, name));
}

// ---- what names what ----

static bool list_cases(Check *check)
{
    const char *module =
        arena_print(check->arena, "%s/labs/check_%s.so", LAB_BUILD_DIR, check->lab->id);
    if (access(module, R_OK) != 0) {
        add_fault(check, GATE_AGREE, "%s is not there: give add_lab() CHECKS check.c, and build",
                  module);
        return false;
    }
    const char *grader = LAB_BUILD_DIR "/grader";
    const char *const argv[] = {grader, "--cases", module, "--list", NULL};
    Process list = {.argv = argv, .seconds = 60, .output = FILE_MAX};
    Ending ending;
    Error err;
    if (!process_run(check->arena, &list, &ending, &err)) {
        add_fault(check, GATE_AGREE, "%s", err.message);
        return false;
    }
    if (ending.how != ENDED || ending.status != 0) {
        bool address = strstr(ending.err, "undefined symbol") != NULL;
        add_fault(check, GATE_AGREE, "%.*s%s", (int)strcspn(ending.err, "\n"), ending.err,
                  address ? " (cases may call an exercise's function, but not take its address: "
                            "call it in a function of their own)"
                          : "");
        return false;
    }
    check->cases = arena_alloc(check->arena, CASES_MAX * sizeof *check->cases);
    for (const char *line = ending.out; *line != '\0' && check->gates->cases < CASES_MAX;) {
        int bytes = (int)strcspn(line, "\n");
        check->cases[check->gates->cases++] = arena_print(check->arena, "%.*s", bytes, line);
        line += bytes + (line[bytes] == '\n');
    }
    return true;
}

static int exercise_of(const Lab *lab, const char *name)
{
    const char *end = strstr(name, "__");
    for (int e = 0; end != NULL && e < lab->exercise_count; e++) {
        const char *id = lab->exercises[e].id;
        if (strlen(id) == (size_t)(end - name) && strncmp(id, name, strlen(id)) == 0) return e;
    }
    return -1;
}

static bool is_sentence(const char *name)
{
    for (; *name != '\0'; name++)
        if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

static void check_cases(Check *check)
{
    const Lab *lab = check->lab;
    int last = 0, *count = arena_zeros(check->arena, (size_t)lab->exercise_count * sizeof *count);
    for (int c = 0; c < check->gates->cases; c++) {
        const char *name = check->cases[c];
        int e = exercise_of(lab, name);
        for (int before = 0; before < c; before++)
            if (strcmp(check->cases[before], name) == 0)
                add_fault(check, GATE_AGREE, "the case %s is there twice: rename one", name);
        if (e < 0) {
            add_fault(check, GATE_AGREE,
                      "the case %s belongs to no exercise: call it EXERCISE__promise", name);
            continue;
        }
        if (!is_sentence(name))
            add_fault(check, GATE_AGREE, "the case %s is no sentence: small letters, digits and _",
                      name);
        if (e < last)
            add_fault(check, GATE_AGREE,
                      "the case %s comes after those of %s: put cases in lab.json's order", name,
                      lab->exercises[last].id);
        last = e > last ? e : last;
        count[e]++;
    }
    for (int e = 0; e < lab->exercise_count; e++)
        if (count[e] == 0)
            add_fault(check, GATE_AGREE, "%s has no case: check.c needs one called %s__promise",
                      lab->exercises[e].id, lab->exercises[e].id);
}

static bool is_identifier(const char *word)
{
    if (!isalpha((unsigned char)*word) && *word != '_') return false;
    while (isalnum((unsigned char)*word) || *word == '_') word++;
    return *word == '\0';
}

// Whether the text holds the word, and not only as a part of a longer one.
static bool has_word(const char *text, const char *word)
{
    size_t bytes = strlen(word);
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        char before = at == text ? ' ' : at[-1], after = at[bytes];
        if (!isalnum((unsigned char)before) && before != '_' && !isalnum((unsigned char)after) &&
            after != '_')
            return true;
    }
    return false;
}

static void check_names(Check *check)
{
    const Lab *lab = check->lab;
    const char *name = arena_print(check->arena, "%s.h", lab->id);
    const char *header = shown(check, name), *lesson = shown(check, "README.md");
    const char *contract = read_whole(check->arena, lab_file(check, name)),
               *text = read_whole(check->arena, lab_file(check, "README.md"));
    const char *unmentioned = "";
    if (contract == NULL)
        add_fault(check, GATE_AGREE, "%s is not there: the contract of what a learner writes",
                  header);
    if (text == NULL) add_fault(check, GATE_AGREE, "%s is not there: the lesson", lesson);
    for (int e = 0; e < lab->exercise_count; e++) {
        const Exercise *one = &lab->exercises[e];
        if (!is_identifier(one->id) || strstr(one->id, "__") != NULL || !is_sentence(one->id))
            add_fault(check, GATE_AGREE,
                      "lab.json: the exercise '%s': expected small letters, digits and single _",
                      one->id);
        if (contract != NULL && !has_word(contract, one->function))
            add_fault(check, GATE_AGREE, "%s does not declare %s: say there what it does", header,
                      one->function);
        if (text != NULL && !has_word(text, one->id))
            unmentioned = arena_print(check->arena, "%s %s", unmentioned, one->id);
    }
    if (*unmentioned != '\0')
        add_fault(check, GATE_AGREE, "%s does not mention%s: each has its part of the lesson",
                  lesson, unmentioned);
}

// ---- words and secrets ----

// What a template says where an author has to write: the mark, and after it what.
static const char unfinished[] = "REPLACE:";

static void check_words_in(Check *check, const char *folder)
{
    DIR *stream = opendir(folder);
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        const char *path = arena_print(check->arena, "%s/%s", folder, entry->d_name);
        struct stat status;
        if (stat(path, &status) != 0) continue;
        if (S_ISDIR(status.st_mode)) {
            check_words_in(check, path);
            continue;
        }
        const char *text = status.st_size <= FILE_MAX ? read_whole(check->arena, path) : NULL;
        int line = 1;
        for (const char *at = text; at != NULL && *at != '\0'; line++) {
            int bytes = (int)strcspn(at, "\n");
            const char *found = memmem(at, (size_t)bytes, unfinished, sizeof unfinished - 1);
            if (found != NULL)
                add_fault(check, GATE_WORDS, "%s:%d: %.*s", mine_shown(check->arena, path), line,
                          (int)(at + bytes - found), found);
            at += bytes + (at[bytes] == '\n');
        }
    }
    if (stream != NULL) closedir(stream);
}

// Faults for the lines of unsolved exercises' solutions that the text holds.
static void search(Check *check, GateId gate, const Secrets *secrets, int solved, const char *where,
                   const char *text)
{
    for (const Secret *s = NULL;
         (s = secrets_find(check->arena, secrets, s, solved, text)) != NULL;)
        add_fault(check, gate, "%s holds a line of the solution of %s: %s", where,
                  check->lab->exercises[s->exercise].id, s->line);
}

static void check_secrets(Check *check, const Secrets *secrets)
{
    const Lab *lab = check->lab;
    const char *file = arena_print(check->arena, "%s.%s", lab->id, lab_suffix(lab));
    for (int k = 0; k < lab->exercise_count; k++) {
        const char *where = k == 0
                                ? arena_print(check->arena, "%s without its solutions", file)
                                : arena_print(check->arena, "%s with the first %d solved", file, k);
        search(check, GATE_SECRETS, secrets, k, where,
               source_skeleton(check->arena, lab, &check->reference, k));
        if (check->gates->gate[GATE_SECRETS].count > 0)
            break;    // it would be told again for every k
    }
    const char *const names[] = {arena_print(check->arena, "%s.h", lab->id), "README.md"};
    for (int i = 0; i < 2; i++) {
        const char *text = read_whole(check->arena, lab_file(check, names[i]));
        if (text != NULL) search(check, GATE_SECRETS, secrets, 0, shown(check, names[i]), text);
    }
}

static void check_hints(Check *check, const Secrets *secrets)
{
    for (int e = 0; e < check->lab->exercise_count; e++) {
        const Exercise *exercise = &check->lab->exercises[e];
        for (int h = 0; h < LAB_HINTS; h++) {
            const char *where =
                arena_print(check->arena, "lab.json: hint %d of %s", h + 1, exercise->id);
            if (strlen(exercise->hints[h]) < LEAST_HINT)
                add_fault(check, GATE_HINTS,
                          "%s is '%s': a sentence is expected: the idea, the formula, almost code",
                          where, exercise->hints[h]);
            for (int before = 0; before < h; before++)
                if (strcmp(exercise->hints[before], exercise->hints[h]) == 0)
                    add_fault(check, GATE_HINTS, "%s says the same as hint %d", where, before + 1);
            search(check, GATE_HINTS, secrets, 0, where, exercise->hints[h]);
        }
    }
}

// ---- what is built and run ----

typedef struct Plan {
    Proof *proofs;
    GateId *gates;
    int count;
} Plan;

static void plan_add(Plan *plan, GateId gate, Proof proof)
{
    plan->proofs[plan->count] = proof;
    plan->gates[plan->count++] = gate;
}

static bool is_installed(Arena *arena, const char *program)
{
    for (const char *path = getenv("PATH"); path != NULL && *path != '\0';) {
        int bytes = (int)strcspn(path, ":");
        if (access(arena_print(arena, "%.*s/%s", bytes, path, program), X_OK) == 0) return true;
        path += bytes + (path[bytes] == ':');
    }
    return false;
}

static const char *text_without(Check *check, int exercise)
{
    bool *solved = arena_alloc(check->arena, (size_t)check->lab->exercise_count * sizeof *solved);
    for (int e = 0; e < check->lab->exercise_count; e++) solved[e] = e != exercise;
    return source_solved(check->arena, check->lab, &check->reference, solved);
}

static void plan_states(Check *check, Plan *plan)
{
    const Lab *lab = check->lab;
    const char *const compilers[] = {lab->cuda ? "g++" : "gcc", lab->cuda ? "clang++" : "clang"};
    // First, since they take longest: then no worker is left alone with one at the end.
    for (int e = 0; e < lab->exercise_count; e++)
        plan_add(plan, GATE_PROGRAM,
                 (Proof){PROOF_PROGRAM,
                         arena_print(check->arena, "without_%s", lab->exercises[e].id),
                         text_without(check, e), NULL, e, 0, NULL});
    for (int k = 0; k <= lab->exercise_count; k++) {
        const char *text = source_skeleton(check->arena, lab, &check->reference, k);
        GateId gate = k == 0 ? GATE_SKELETON : k < lab->exercise_count ? GATE_PROGRESS : GATE_WHOLE;
        for (int c = 0; c < 2; c++)
            if (is_installed(check->arena, compilers[c]))
                plan_add(plan, gate,
                         (Proof){PROOF_WARNINGS,
                                 arena_print(check->arena, "%s_%d", compilers[c], k), text,
                                 compilers[c], k, 0, NULL});
        plan_add(plan, gate,
                 (Proof){PROOF_PROGRESS, arena_print(check->arena, "solved_%d", k), text, NULL, k,
                         0, NULL});
    }
    plan_add(
        plan, GATE_WHOLE,
        (Proof){PROOF_PLAIN, "plain", check->reference.text, NULL, lab->exercise_count, 0, NULL});
}

static void plan_mutants(Check *check, Plan *plan, const Mutant *mutants, int count)
{
    const Lab *lab = check->lab;
    Gates *gates = check->gates;
    int *each = arena_zeros(check->arena, (size_t)lab->exercise_count * sizeof *each);
    gates->mutants = arena_alloc(check->arena, (size_t)(count + 1) * sizeof *gates->mutants);
    gates->proofs = plan->proofs + plan->count;
    for (int m = 0; m < count; m++) {
        const Mutant *mutant = &mutants[m];
        if (mutant->fault != NULL) {
            add_fault(check, GATE_MUTANTS, "%s", mutant->fault);
            continue;
        }
        const char *name = arena_print(check->arena, "mutant_%s_%s",
                                       lab->exercises[mutant->exercise].id, mutant->name);
        plan_add(plan, GATE_MUTANTS,
                 (Proof){PROOF_MUTANT, name, mutant->text, NULL, mutant->exercise,
                         variants_can_hold(check->arena, mutant) ? m + 1 : 0, NULL});
        each[mutant->exercise]++;
        gates->mutants[gates->mutant_count++] = *mutant;
    }
    for (int e = 0; e < lab->exercise_count; e++)
        if (each[e] < LEAST_MUTANTS)
            add_fault(check, GATE_MUTANTS,
                      "%s has %d mutant%s, expected %d or more: add to mutants/%s.mutants",
                      lab->exercises[e].id, each[e], each[e] == 1 ? "" : "s", LEAST_MUTANTS,
                      lab->exercises[e].id);
}

// Each kind of wrong answer has a mutant, or is listed as not applicable.
static void check_kinds(Check *check, const Mutant *mutants, int count, const unsigned *absent)
{
    for (int e = 0; e < check->lab->exercise_count; e++) {
        const char *id = check->lab->exercises[e].id, *missing = "";
        for (int k = 0; k < KIND_COUNT; k++) {
            const Mutant *one = NULL;
            bool listed = absent[e] >> k & 1;
            for (int m = 0; m < count && one == NULL; m++)
                if (mutants[m].exercise == e && mutants[m].fault == NULL &&
                    mutants[m].kind == (MutantKind)k)
                    one = &mutants[m];
            if (one != NULL && listed)
                add_fault(check, GATE_MUTANTS,
                          "%s: %s is of the kind '%s', which line 1 says is not applicable",
                          one->where, one->name, mutant_kinds[k]);
            if (one == NULL && !listed)
                missing = arena_print(check->arena, "%s%s %s", missing, *missing == '\0' ? "" : ",",
                                      mutant_kinds[k]);
        }
        if (*missing != '\0')
            add_fault(check, GATE_MUTANTS,
                      "%s has no mutant of the kinds%s: add one of each, or list it in line 1 of "
                      "mutants/%s.mutants: '# not applicable:%s'",
                      id, missing, id, missing);
    }
}

static const char *mutant_at(const Check *check, const Mutant *mutant)
{
    return arena_print(check->arena, "%s: %s", mutant->where, mutant->name);
}

// A warning that the skeleton has is in every file with some exercises solved, and often of both compilers.
static bool warned_before(const Proof *proofs, int i)
{
    const char *word =
        proofs[i].kind == PROOF_WARNINGS ? strstr(proofs[i].found->fault, ": ") : NULL;
    for (int k = 0; word != NULL && k < i; k++) {
        const char *other =
            proofs[k].kind == PROOF_WARNINGS ? strstr(proofs[k].found->fault, ": ") : NULL;
        if (other != NULL && strcmp(word, other) == 0) return true;
    }
    return false;
}

static bool run_proofs(Check *check, Error *err)
{
    Mutant *mutants;
    unsigned *absent =
        arena_alloc(check->arena, (size_t)check->lab->exercise_count * sizeof *absent);
    int count = mutants_read(check->arena, check->lab, &check->reference, &mutants, absent);
    size_t most = (size_t)count + 5 * (size_t)check->lab->exercise_count + 10;
    Plan plan = {arena_alloc(check->arena, most * sizeof(Proof)),
                 arena_alloc(check->arena, most * sizeof(GateId)), 0};
    plan_states(check, &plan);
    int states = plan.count;
    plan_mutants(check, &plan, mutants, count);
    check_kinds(check, mutants, count, absent);
    Variants variants = {variants_text(check->arena, check->lab, &check->reference, mutants, count),
                         variants_text(check->arena, check->lab, &check->reference, NULL, 0)};
    if (!proofs_run(check->arena, check->lab, &variants, plan.proofs, plan.count, err))
        return false;
    for (int i = 0; i < plan.count; i++) {
        const Proof *proof = &plan.proofs[i];
        if (proof->found->fault[0] == '\0' || warned_before(plan.proofs, i)) continue;
        const char *where = i >= states ? mutant_at(check, &check->gates->mutants[i - states])
                            : proof->kind == PROOF_PLAIN ? "plain"
                            : proof->kind == PROOF_PROGRAM
                                ? check->lab->exercises[proof->exercise].id
                                : arena_print(check->arena, "%d solved", proof->exercise);
        add_fault(check, plan.gates[i], "%s: %s", where, proof->found->fault);
    }
    return true;
}

// ---- all of them ----

bool gates_hold(const Gates *gates)
{
    bool hold = true;
    for (int g = 0; g < GATE_COUNT; g++)
        hold = hold && gates->gate[g].run && gates->gate[g].count == 0;
    return hold;
}

bool gates_check(Arena *arena, const Lab *lab, Gates *gates, Error *err)
{
    double begun = process_clock();
    Check check = {.arena = arena, .lab = lab, .gates = gates};
    *gates = (Gates){.gate = {
#define X(name, the_word, the_promise) [GATE_##name] = {.word = the_word, .promise = the_promise},
                         GATE_LIST(X)
#undef X
                     }};
    for (int g = 0; g < GATE_COUNT; g++)
        gates->gate[g].faults = arena_alloc(arena, FAULTS_MAX * sizeof(const char *));
    gates->gate[GATE_AGREE].run = gates->gate[GATE_WORDS].run = true;
    check_words_in(&check, lab->folder);
    if (list_cases(&check)) check_cases(&check);
    bool clear = gates->gate[GATE_AGREE].count == 0;    // whose cases are whose
    check_names(&check);
    Error marks;
    if (!source_read_reference(arena, lab, &check.reference, &marks)) {
        add_fault(&check, GATE_AGREE, "%s", marks.message);
        return true;
    }
    Secrets secrets = secrets_collect(arena, lab, &check.reference);
    check_secrets(&check, &secrets);
    check_hints(&check, &secrets);
    gates->gate[GATE_SECRETS].run = gates->gate[GATE_HINTS].run = true;
    if (clear) {
        for (int g = 0; g < GATE_COUNT; g++) gates->gate[g].run = true;
        if (!run_proofs(&check, err)) return false;
    }
    gates->seconds = process_clock() - begun;
    return true;
}
