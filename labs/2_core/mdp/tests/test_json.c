/* A user's own world: what is read, and the sentence for each thing that is wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "labs/2_core/mdp/solve/solver.h"
#include "labs/2_core/mdp/worlds/world.h"

static Arena *keep;

static int begin(void **state)
{
    (void)state;
    keep = arena_new("test", (size_t)1 << 30);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(keep);
    return 0;
}

// Apostrophes stand for JSON's quotes.
static World *parse(const char *text, Error *err)
{
    char *json = arena_print(keep, "%s", text);
    for (char *c = json; (c = strchr(c, '\'')) != NULL;) *c = '"';
    World *world = world_parse(keep, json, strlen(json), "w.json", err);
    return world != NULL && world_check(keep, world, err) ? world : NULL;
}

static World *parsed(const char *text)
{
    Error err = {""};
    World *world = parse(text, &err);
    if (world == NULL) fail_msg("refused: %s", err.message);
    return world;
}

static void refused(const char *text, const char *sentence)
{
    Error err = {""};
    if (parse(text, &err) != NULL) fail_msg("accepted, expected: %s", sentence);
    if (strcmp(err.message, sentence) != 0)
        fail_msg("\n     got: %s\nexpected: %s", err.message, sentence);
}

#define AB "'states': ['a', 'b'], 'actions': ['go', 'stay'], "
#define T(s, a, n, p, rest)                                                                        \
    "{'state': '" s "', 'action': '" a "', 'next': '" n "', 'probability': " p rest "}"

static double value(World *world, int state)
{
    return solver_optimum(keep, &world->mdp, NULL, NULL).values[state];
}

static void near_to(double got, double want)
{
    if (!(fabs(got - want) <= 1e-9)) fail_msg("got %.12g, expected %.12g", got, want);
}

// ---- what is read ----

static void outcomes_to_the_same_state_are_added_up(void **state)
{
    (void)state;
    World *w =
        parsed("{'discount': 0.9, " AB
               "'transitions': [" T("a", "go", "b", "0.25", ", 'reward': 1") ", " T(
                   "a", "go", "a", "0.5", "") ", " T("a", "go", "b", "0.25", ", 'reward': 1") "]}");
    assert_int_equal(w->mdp.first[1], 2);
    near_to(w->mdp.outcomes[0].probability, 0.5);
    near_to(value(w, 0), 0.5 / 0.55);
}

static void outcomes_with_another_reward_stay_apart(void **state)
{
    (void)state;
    World *w = parsed("{'discount': 1, " AB
                      "'transitions': [" T("a", "go", "b", "0.5", ", 'reward': 0.2") ", " T(
                          "a", "go", "b", "0.5",
                          ", 'reward': 0.4") ", " T("a", "stay", "b", "1",
                                                    ", 'reward': 0.30000000000000004") "]}");
    Optimum best = solver_optimum(keep, &w->mdp, NULL, NULL);
    assert_int_equal(w->mdp.first[1], 2);
    near_to(best.policy[0], 0.5);    // equal but for rounding
    near_to(best.policy[1], 0.5);
}

static void states_and_actions_may_be_numbers(void **state)
{
    (void)state;
    World *w = parsed("{'discount': 0.9, 'states': 2, 'actions': 1, 'transitions': ["
                      "{'state': 0, 'action': 0, 'next': 1, 'probability': 1, 'reward': 5},"
                      "{'state': 1, 'action': 0, 'next': 0, 'probability': 1, 'reward': -1}]}");
    near_to(value(w, 0), (5 - 0.9) / (1 - 0.81));
    assert_string_equal(w->state_names[1], "1");
}

static void one_state_for_ever_is_worth_a_geometric_series(void **state)
{
    (void)state;
    near_to(value(parsed("{'discount': 0.9, 'states': ['s'], 'actions': ['a'], 'transitions': [" T(
                      "s", "a", "s", "1", ", 'reward': 1") "]}"),
                  0),
            10);
}

static void done_ends_the_episode_whatever_the_next_state_lists(void **state)
{
    (void)state;
    // As Gymnasium's tables: b is entered by "done" only, and lists moves that are not followed.
    World *w = parsed("{'discount': 1, " AB "'start': 'a', 'transitions': [" T(
        "a", "go", "b", "1", ", 'reward': -1, 'done': true") ", " T("b", "go", "a", "1",
                                                                    ", 'reward': 100") "]}");
    assert_true(w->mdp.terminal[1]);
    near_to(value(w, 0), -1);
    near_to(value(w, 1), 0);
    assert_non_null(w->notes[0]);
}

static void a_state_that_is_entered_both_ways_goes_on(void **state)
{
    (void)state;
    World *w = parsed("{'discount': 1, " AB "'start': 'a', 'transitions': [" T(
        "a", "go", "b", "1",
        ", 'reward': 2, 'done': true") ", " T("a", "stay", "b", "1",
                                              "") ", " T("b", "go", "a", "1",
                                                         ", 'reward': 5, 'done': true") "]}");
    assert_int_equal(w->mdp.states, 3);    // and the end
    near_to(value(w, 0), 5);
    near_to(value(w, 1), 5);
}

static void a_state_that_only_stays_without_reward_is_terminal(void **state)
{
    (void)state;
    World *w = parsed("{'discount': 1, " AB "'transitions': [" T(
        "a", "go", "b", "1", ", 'reward': 3") ", " T("b", "stay", "b", "1", "") "]}");
    assert_true(w->mdp.terminal[1]);
    near_to(value(w, 0), 3);
}

static void rounded_probabilities_are_scaled(void **state)
{
    (void)state;
    World *w = parsed("{'discount': 1, " AB
                      "'transitions': [" T("a", "go", "b", "0.333333", ", 'reward': 3") ", " T(
                          "a", "go", "b", "0.666666", ", 'reward': 3") "]}");
    near_to(value(w, 0), 3);
}

static void names_that_a_terminal_would_obey_are_cleaned(void **state)
{
    (void)state;
    World *w =
        parsed("{'discount': 0.9, 'states': ['a\\u001b[31m', 'b\\n'], 'actions': ['\\u202ego'],"
               "'transitions': [{'state': 'a\\u001b[31m', 'action': 0, 'next': 'b\\n',"
               "'probability': 1}]}");
    assert_string_equal(w->state_names[0], "a?[31m");
    assert_string_equal(w->action_names[0], "?go");
}

static void a_layout_becomes_the_map(void **state)
{
    (void)state;
    World *w = parsed(
        "{'discount': 0.9, 'states': ['a', 'b'], 'actions': ['up', 'fly'], 'transitions': [" T(
            "a", "up", "b", "1", "") "], 'layout': [[null, 'b'], ['a', null]]}");
    assert_int_equal(w->rows, 2);
    assert_int_equal(w->cells[0], -1);
    assert_int_equal(w->cells[2], 0);
    assert_string_equal(w->arrows[0], "^");
    assert_string_equal(w->arrows[1], "fly");
}

static void a_goal_that_no_start_leads_to_is_found(void **state)
{
    (void)state;
    World *w =
        parsed("{'discount': 0.9, 'states': ['a', 'b', 'goal'], 'actions': ['go'], 'start': 'a',"
               "'terminal': ['b', 'goal'], 'transitions': [" T("a", "go", "b", "1", "") "]}");
    assert_int_equal(world_unreachable(keep, w), 2);
}

// ---- what is refused ----

static void what_is_wrong_gets_its_sentence(void **state)
{
    (void)state;
    refused(
        "{'discount': 0.9, " AB
        "'transitions': [" T("a", "go", "b", "0.5", "") ", " T("a", "go", "a", "0.4", "") "]}",
        "w.json: state 'a', action 'go': the probabilities of 2 outcomes sum to 0.9, expected 1");
    refused(
        "{'discount': 0.9, " AB "'transitions': [" T("a", "go", "goal", "1", "") "]}",
        "w.json: \"transitions\"[0]: \"next\": no state is called 'goal', expected one of the 2 in "
        "\"states\"");
    refused(
        "{'discount': 0.9, " AB "'transitions': [" T("a", "goo", "b", "1", "") "]}",
        "w.json: \"transitions\"[0]: \"action\": no action is called 'goo'; did you mean 'go'?");
    refused("{'discount': 0.9, " AB
            "'terminal': 'b', 'transitions': [" T("a", "go", "a", "1", "") "]}",
            "w.json: every state is terminal, expected one with an action that leads on");
    refused(
        "{'discount': 0.9, " AB
        "'terminal': 'b', 'transitions': [" T("a", "go", "a", "1", ", 'reward': 1") "]}",
        "w.json: no terminal state can be reached from the start 'a'; expected a way there, or no "
        "terminal state");
    refused("{'discount': 1, " AB "'transitions': [" T("a", "go", "b", "1", ", 'reward': 1") ", " T(
                "b", "go", "a", "1", "") "]}",
            "w.json: the discount is 1 and no state is terminal: returns are unbounded; expected a "
            "discount below 1 or a transition with \"done\"");
    refused(
        "{'discount': 1, 'states': ['a', 'b', 'c'], 'actions': ['go'], 'transitions': [" T(
            "a", "go", "c", "1", "") ", " T("b", "go", "b", "1", ", 'reward': -1") "]}",
        "w.json: the discount is 1 and no terminal state can be reached from 'b': its return is "
        "unbounded; expected a way to an end or a discount below 1");
    refused("{'discount': 1.5, " AB "'transitions': []}",
            "w.json: \"discount\" is 1.5, expected 0 to 1");
    refused("{" AB "'transitions': []}", "w.json: \"discount\" is missing, expected a number");
    refused("{'discount': 0.9, " AB "'transitions': []}",
            "w.json: \"transitions\" is empty, expected one for each outcome of an action");
    refused("{'discount': 0.9, 'states': ['a', 'a'], 'actions': 1, 'transitions': []}",
            "w.json: \"states\" has 'a' twice, expected a name once");
    refused("{'discount': 0.9, " AB "'transitions': [" T("a", "go", "b", "1.5", "") "]}",
            "w.json: \"transitions\"[0]: \"probability\" is 1.5, expected 0 to 1");
    refused("{'discount': 0.9, " AB "'transitions': [{'state': 'a', 'action': 'go', 'next': 'b',"
            "'prob': 1}]}",
            "w.json: \"transitions\"[0]: \"prob\" is no field, expected state, action, next, "
            "probability, reward or done");
    refused("{'discount': 0.9, " AB "'transitions': [{'state': 'a', 'action': 'go', 'next': 'b'}]}",
            "w.json: \"transitions\"[0]: \"probability\" is missing, expected a number");
    refused("{'discount': 0.9, " AB "'transitions': [" T("a", "go", "b", "1", ", 'rewrd': 1") "]}",
            "w.json: \"transitions\"[0]: \"rewrd\" is no field; did you mean \"reward\"?");
    refused("{'discount': 0.9, " AB "'transitions': [" T("a", "go", "b", "1", ", 'REWARD': 1") "]}",
            "w.json: \"transitions\"[0]: \"REWARD\" is no field; did you mean \"reward\"?");
    refused(
        "{'gamma': 0.9, " AB "'transitions': [" T("a", "go", "b", "1", "") "]}",
        "w.json: \"gamma\" is no field, expected discount, states, actions, transitions, start, "
        "terminal or layout");
    refused("{'discount': 0.9, 'discount': 0.5, " AB "'transitions': []}",
            "w.json: has \"discount\" twice, expected it once");
    refused("{'discount': 0.9, 'states': ['a', ''], 'actions': 1, 'transitions': []}",
            "w.json: \"states\"[1] is empty");
    refused(arena_print(keep,
                        "{'discount': 0.9, 'states': ['a', '%0201d'], 'actions': 1, "
                        "'transitions': []}",
                        0),
            "w.json: \"states\"[1] has 201 bytes, expected at most 200");
    refused("{'discount': 0.9, 'states': 3, 'actions': 1, 'transitions': [{'state': 3, 'action': 0,"
            "'next': 0, 'probability': 1}]}",
            "w.json: \"transitions\"[0]: \"state\": 3 is no state, expected its name or a number "
            "from 0 "
            "to 2");
    refused("{'discount': 0.9, 'states': 1000000, 'actions': 1000, 'transitions': []}",
            "w.json: 1000000 states with 1000 actions are 1000000000 pairs, expected at most "
            "10000000");
    refused("{'discount': 0.9,\n'states': }", "w.json:2: is not JSON from here on");
    refused("[]", "w.json: holds no object, expected {\"discount\": ..., \"states\": ...}");
    refused("{'discount': 0.9, " AB
            "'transitions': [" T("a", "go", "b", "1", "") "], 'layout': [['a', 'b'], ['a']]}",
            "w.json: \"layout\"[1] has 1 entry, expected 2 as the first row");
    refused("{'discount': 0.9, " AB
            "'transitions': [" T("a", "go", "b", "1", "") "], 'layout': [['a', 'b'], [null, 'a']]}",
            "w.json: \"layout\" has 'a' at [0][0] and at [1][1], expected a state once");
    refused("{'discount': 0.9, " AB
            "'transitions': [" T("a", "go", "b", "1", "") "], 'layout': [[null]]}",
            "w.json: \"layout\" has no state, expected one at least");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(outcomes_to_the_same_state_are_added_up),
        cmocka_unit_test(outcomes_with_another_reward_stay_apart),
        cmocka_unit_test(states_and_actions_may_be_numbers),
        cmocka_unit_test(one_state_for_ever_is_worth_a_geometric_series),
        cmocka_unit_test(done_ends_the_episode_whatever_the_next_state_lists),
        cmocka_unit_test(a_state_that_is_entered_both_ways_goes_on),
        cmocka_unit_test(a_state_that_only_stays_without_reward_is_terminal),
        cmocka_unit_test(rounded_probabilities_are_scaled),
        cmocka_unit_test(names_that_a_terminal_would_obey_are_cleaned),
        cmocka_unit_test(a_layout_becomes_the_map),
        cmocka_unit_test(a_goal_that_no_start_leads_to_is_found),
        cmocka_unit_test(what_is_wrong_gets_its_sentence),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
