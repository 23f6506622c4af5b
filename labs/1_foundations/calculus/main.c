/* main.c -- derivatives: from two close points to a network that learns. */
#include <inttypes.h>
#include "labs/1_foundations/calculus/experiment.h"

static const Part parts[] = {
    {"derivatives", "Derivatives: finite differences and dual numbers", part_derivatives,
     .notices =
         {{"finite_differences",
           "right of the V truncation dominates the error, left of it rounding; dual numbers "
           "have neither"}}},
    {"taylor", "Taylor polynomials of the sine", part_taylor,
     .notices = {{"taylor", "each polynomial follows the sine a little further, then diverges"}}},
    {"quadrature", "Quadrature: Simpson's rule and adaptive", part_quadrature,
     .notices = {{"evaluations", "the adaptive rule evaluates f where the error estimate is large, "
                                 "and finds the peak by itself"}}},
    {"descent", "Optimization: four methods", part_descent,
     .notices = {{"quadratic", "gradient descent zigzags across the bowl at every step; momentum "
                               "averages that out"},
                 {"rosenbrock", "all methods reach the floor of the valley at once and take long "
                                "along it; one of Newton's steps goes far uphill"}}},
    {"lagrange", "Constrained optimization: a Lagrange multiplier", part_lagrange,
     .notices = {{"lagrange",
                  "at the optimum the constraint is tangent to a contour and crosses none"}}},
    {"gradients", "Automatic differentiation: forward and backward mode", part_gradients,
     .notices = {{"gradients",
                  "backward mode visits each node twice for all n partial derivatives; forward "
                  "mode and finite differences need n times as many visits"}}},
    {"classifier", "A neural network on your engine: two moons", part_classifier,
     .notices = {{"decision_boundary",
                  "a nonlinear boundary, by 205 derivatives that no one worked out by hand"}}},
};

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)1 << 30), *scratch = arena_new("step", (size_t)1 << 30);
    Experiment *lab = arena_zeros(keep, sizeof *lab);
    *lab = (Experiment){.steps = 1500, .learning_rate = 0.01f, .scratch = scratch};
    Options *options =
        options_new(keep, "calculus",
                    "Derivatives by finite differences and automatic differentiation, quadrature, "
                    "optimization, and a network trained by them.");
    options_group(options, "This lab");
    options_int(options, "steps", 'n', &lab->steps, 1, 100000, "training steps of the network");
    options_float(options, "rate", 'r', &lab->learning_rate, 1e-6f, 1.0f, "its learning rate");

    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/1_foundations/calculus/README.md",
                   .checkpoint = CHECKPOINT,
                   .step = scratch};
    int status;
    Run *run = lab->run = story_begin(&story, keep, options, argc, argv, &status);
    if (run == NULL) return status;
    if (run->smoke && !options_given(options, "steps")) lab->steps = 100;
    lab->session = (Session){
        .run = run,
        .first = 4,    // the parts before have metrics of their own
        .config = arena_print(keep, "part %s, steps %d, rate %g, seed %" PRIu64, story.chosen,
                              lab->steps, (double)lab->learning_rate, run->seed)};
    Error err = {""};
    if (story_has(&story, "classifier")) experiment_plan(lab);
    if (!session_resume(&lab->session, &err)) return run_fail(run, &err);
    return story_run(&story, lab);
}
