/* A world of the user's choice: its optimal values and policy, as a table, a map and files. */
#include <stdlib.h>
#include <string.h>
#include "labs/2_core/mdp/solve/export.h"
#include "labs/2_core/mdp/solve/solver.h"
#include "labs/2_core/mdp/story.h"
#include "common/text.h"

enum { ROWS = 64 };    // of a table; the files have all

// ---- which world ----

// "random", "random:STATES" or "random:STATES,ACTIONS,SUCCESSORS".
static World *random_world(Arena *arena, const char *name, uint64_t seed, Error *err)
{
    long size[3] = {1000, 8, 10};
    const char *at = name + strlen("random");
    for (int i = 0; i < 3 && *at == (i == 0 ? ':' : ','); i++) {
        char *end;
        size[i] = strtol(at + 1, &end, 10);
        if (end == at + 1) break;
        at = end;
    }
    double outcomes = (double)size[0] * (double)size[1] * (double)size[2];
    if (*at == '\0' && size[0] > 0 && size[1] > 0 && size[2] > 0 && outcomes <= 1e8)
        return world_random(arena, (int)size[0], (int)size[1], (int)size[2], seed);
    error_set(err,
              "--world %s: expected random:STATES,ACTIONS,SUCCESSORS, numbers from 1 on whose "
              "product is at most 100000000",
              name);
    return NULL;
}

static const World *open_world(Arena *arena, const Lab *lab, Error *err)
{
    const char *name = lab->world_name, *end = strrchr(name, '.');
    bool file = strchr(name, '/') != NULL || (end != NULL && strcmp(end, ".json") == 0);
    World *world = file ? world_load(arena, name, err)
                   : strncmp(name, "random", 6) == 0
                       ? random_world(arena, name, lab->run->seed, err)
                       : world_named(arena, name, err);
    if (world == NULL) return NULL;
    if (!isnan(lab->discount)) world->mdp.discount = lab->discount;
    return world_check(arena, world, err) ? world : NULL;
}

// ---- what it shows ----

// "1/3" where a small fraction is meant, else four digits.
static const char *probability_text(Arena *arena, double p)
{
    for (int denominator = 1; denominator <= 12; denominator++) {
        double numerator = p * denominator;
        if (fabs(numerator - round(numerator)) < 1e-12)
            return denominator == 1 ? arena_print(arena, "%g", round(numerator))
                                    : arena_print(arena, "%g/%d", round(numerator), denominator);
    }
    return arena_print(arena, "%.4g", p);
}

static const char *best_actions(Arena *arena, const World *world, const Optimum *best, int s)
{
    const char *text = world->mdp.terminal[s] ? "terminal" : "";
    int ties = 0, shown = 0;
    const double *row = best->policy + (size_t)s * (size_t)world->mdp.actions;
    for (int a = 0; a < world->mdp.actions; a++) {
        if (row[a] == 0 || ++ties > 8) continue;
        text = arena_print(arena, "%s%s%s", text, shown++ > 0 ? ", " : "", world->action_names[a]);
    }
    return ties > 8 ? arena_print(arena, "%s, and %d more", text, ties - 8) : text;
}

// What the letters of a map mean, where they are not what they look like.
static void show_arrows(const Lab *lab, const World *world)
{
    const char *text = "";
    for (int a = 0; a < world->mdp.actions; a++)
        if (strchr("\\/LJ", world->arrows[a][0]) != NULL && world->arrows[a][1] == '\0')
            text = arena_print(lab->step, "%s%s%s %s", text, text[0] ? ", " : "", world->arrows[a],
                               world->action_names[a]);
    if (text[0] != '\0') run_print(lab->run, "%s", text);
}

static void show_table(const Lab *lab, const World *world, const Optimum *best)
{
    const Mdp *mdp = &world->mdp;
    Table table = table_new(lab->step, "state|value|best action");
    for (int s = 0; s < mdp->states && s < ROWS; s++)
        table_row(&table, "%s|%.6f|%s", world->state_names[s], best->values[s],
                  best_actions(lab->step, world, best, s));
    run_table(lab->run, &table);
    if (mdp->states > ROWS)
        run_print(lab->run, "%d more states are in solution.csv", mdp->states - ROWS);
}

// The likeliest after `last`, of equal ones the first; NULL for the first of all.
static const Transition *likeliest(const Transition *t, const Transition *end,
                                   const Transition *last)
{
    const Transition *best = NULL;
    for (; t < end; t++) {
        bool after = last == NULL || t->probability < last->probability ||
                     (t->probability == last->probability && t > last);
        if (after && (best == NULL || t->probability > best->probability)) best = t;
    }
    return best;
}

// Of state s the outcomes first .. end-1 of the table; of many the likeliest.
static const char *outcomes_text(Arena *arena, const World *world, int s, int first, int end)
{
    enum { MANY = 8, SHOWN = 3 };
    const Transition *all = world->mdp.outcomes, *t = NULL;
    const char *text = "";
    bool many = end - first > MANY;
    for (int i = first; i < (many ? first + SHOWN : end); i++) {
        t = many ? likeliest(all + first, all + end, t) : all + i;
        text = arena_print(arena, "%s%s%s with %s, reward %g", text, i > first ? "; " : "",
                           t->next == s ? "stay" : world->state_names[t->next],
                           probability_text(arena, t->probability), t->reward);
    }
    return many ? arena_print(arena, "%s; %d more", text, end - first - SHOWN) : text;
}

// What each action of one state leads to: on ice it is not where it was meant to.
static bool show_state(const Lab *lab, const World *world, const Optimum *best, Error *err)
{
    const Mdp *mdp = &world->mdp;
    int s = 0;
    while (s < mdp->states && strcmp(world->state_names[s], lab->state_name) != 0) s++;
    if (s == mdp->states)
        return error_set(err, "--state %s: no such state; the first is '%s'", lab->state_name,
                         world->state_names[0]);
    run_print(lab->run, "State '%s': value %.6f%s", world->state_names[s], best->values[s],
              mdp->terminal[s] ? ", terminal" : "");
    Table table = table_new(lab->step, "action|action value|outcomes");
    for (int a = 0; a < mdp->actions && !mdp->terminal[s]; a++) {
        size_t row = (size_t)s * (size_t)mdp->actions + (size_t)a;
        if (mdp_allowed(mdp, s, a))
            table_row(&table, "%s%s|%.6f|%s", world->action_names[a],
                      best->policy[row] > 0 ? " (best)" : "", best->action_values[row],
                      outcomes_text(lab->step, world, s, mdp->first[row], mdp->first[row + 1]));
    }
    run_table(lab->run, &table);
    return true;
}

// ---- the run ----

static bool not_converged(const World *world, const Optimum *best, Error *err)
{
    if (best->pace > 0)
        return error_set(
            err,
            "%s: value iteration did not converge: after %ld sweeps values are still off "
            "by about %.2g; episodes are too long for it, expected %s",
            world->name, best->sweeps, best->bound,
            world->mdp.discount < 1 ? "a smaller discount"
                                    : "an end that is sooner reached, or a discount below 1");
    return error_set(err,
                     "%s: value iteration did not converge: a value still changes by %.3g in "
                     "sweep %ld; expected that every cycle without a reward below 0 is left",
                     world->name, best->change, best->sweeps);
}

typedef struct Watch {
    const Run *run;
    float *sweeps, *changes;    // [POINTS]
    size_t count;
} Watch;

enum { POINTS = 2000 };

static bool watch(void *context, long sweep, double change)
{
    Watch *w = context;
    if (w->count < POINTS && change > 0) {
        w->sweeps[w->count] = (float)sweep;
        w->changes[w->count++] = (float)change;
    }
    return run_interrupted(w->run);
}

static bool save(const Lab *lab, const World *world, const Optimum *best, Error *err)
{
    enum { MOST = 2000000 };
    size_t pairs = (size_t)world->mdp.states * (size_t)world->mdp.actions;
    if (pairs > MOST) {
        run_print(lab->run, "Not written to files: %zu pairs of a state and an action, over %d",
                  pairs, MOST);
        return true;
    }
    const char *json = run_path(lab->run, "solution.json"),
               *csv = run_path(lab->run, "solution.csv");
    if (!export_json(json, world, best, err) || !export_csv(csv, world, best, err)) return false;
    run_print(lab->run, "Values and policy: %s and %s", options_quoted(lab->step, json),
              options_quoted(lab->step, csv));
    return true;
}

bool part_solve(void *context, Error *err)
{
    const Lab *lab = context;
    const World *world = open_world(lab->step, lab, err);
    if (world == NULL) return false;
    const Mdp *mdp = &world->mdp;
    int terminal = 0;
    for (int s = 0; s < mdp->states; s++) terminal += mdp->terminal[s];
    run_print(lab->run, "%s%s%s%s", world->title, world->source ? " (" : "",
              world->source ? world->source : "", world->source ? ")" : "");
    int outcomes = mdp->first[(size_t)mdp->states * (size_t)mdp->actions];
    run_print(lab->run,
              "%d state%s, %d of them terminal; %d action%s, %d outcome%s; discount %.10g",
              mdp->states, text_plural(mdp->states), terminal, mdp->actions,
              text_plural(mdp->actions), outcomes, text_plural(outcomes), mdp->discount);
    for (const char **note = world->notes; note != NULL && *note != NULL; note++)
        run_print(lab->run, "%s", *note);
    int unreachable = world->source == NULL ? world_unreachable(lab->step, world) : -1;
    if (unreachable >= 0)
        run_print(lab->run, "State '%s' is terminal and cannot be reached from the start '%s'.",
                  world->state_names[unreachable], world->state_names[world->starts[0]]);
    if (lab->animate) story_animate(lab->run, lab->step, world);

    Watch seen = {.run = lab->run,
                  .sweeps = arena_alloc(lab->step, POINTS * sizeof(float)),
                  .changes = arena_alloc(lab->step, POINTS * sizeof(float))};
    Optimum best = solver_optimum(lab->step, mdp, watch, &seen);
    if (run_interrupted(lab->run)) return true;
    if (!best.converged) return not_converged(world, &best, err);
    run_print(lab->run,
              "Value iteration converged after %ld sweep%s; the last one changed %.2g at most",
              best.sweeps, text_plural(best.sweeps), best.change);
    if (mdp->discount < 1) run_print(lab->run, "No value is off by more than %.2g", best.bound);
    else if (best.change > 0 && isfinite(best.bound))
        run_print(lab->run, "Values are off by about %.2g, going by how fast the changes shrink",
                  best.bound);
    if (world->rows > 0) {
        story_map(world, best.values, best.policy);
        show_arrows(lab, world);
        run_picture(lab->run,
                    draw_picture(lab->step, world, best.values, best.policy, "Optimal values"),
                    "Optimal values and actions", "values");
    }
    show_table(lab, world, &best);
    if (lab->state_name != NULL && !show_state(lab, world, &best, err)) return false;
    Plot plot = {.title = "Value iteration: largest change of a value in each sweep",
                 .x_label = "sweep",
                 .y_label = "largest change",
                 .log_y = true};
    plot_series(&plot, "change", seen.sweeps, seen.changes, seen.count);
    run_plot(lab->run, &plot, "convergence");
    return save(lab, world, &best, err);
}
