/* fuzz_mdp.c -- whatever a file says of a Markov decision process, it becomes one that can be stepped
 * through and solved, or is refused with a sentence.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "labs/2_core/mdp/worlds/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void expect(int holds)
{
    if (!holds) abort();
}

static void expect_world(const World *world)
{
    const Mdp *mdp = &world->mdp;
    expect(mdp->states > 0 && mdp->actions > 0 && mdp->discount >= 0 && mdp->discount <= 1);
    for (int s = 0; s < mdp->states; s++) {
        int allowed = 0;
        expect(strlen(world->state_names[s]) > 0);
        for (int a = 0; a < mdp->actions; a++) {
            const int *row = mdp->first + (size_t)s * (size_t)mdp->actions + a;
            double sum = 0;
            for (int i = row[0]; i < row[1]; i++) {
                const Transition *t = &mdp->outcomes[i];
                expect(t->next >= 0 && t->next < mdp->states && t->probability > 0);
                expect(isfinite(t->reward));
                sum += t->probability;
            }
            expect(row[0] == row[1] || fabs(sum - 1) < 1e-9);
            allowed += row[0] < row[1];
        }
        expect(mdp->terminal[s] || allowed > 0);
    }
    for (int c = 0; c < world->rows * world->columns; c++)
        expect(world->cells[c] >= -1 && world->cells[c] < mdp->states);
    for (int i = 0; i < world->start_count; i++)
        expect(world->starts[i] >= 0 && world->starts[i] < mdp->states);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static Arena *arena;
    if (arena == NULL) arena = arena_new("fuzz", (size_t)128 << 20);
    // A million states take a second: numbers of more digits are the business of the tests.
    for (size_t i = 0; i + 4 <= size; i++) {
        size_t digits = 0;
        while (digits < 4 && bytes[i + digits] >= '0' && bytes[i + digits] <= '9') digits++;
        if (digits == 4) return 0;
    }
    arena_reset(arena);
    char *text = arena_alloc(arena, size + 1);
    memcpy(text, bytes, size);
    text[size] = '\0';
    Error err = {""};
    World *world = world_parse(arena, text, size, "fuzz.json", &err);
    if (world != NULL) expect_world(world);
    bool solvable = world != NULL && world_check(arena, world, &err);
    expect(solvable || strlen(err.message) > 20);    // a refusal has its sentence
    return 0;
}
