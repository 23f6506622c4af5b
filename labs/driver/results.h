/* results.h -- writes a Grade as JSON, for scripts, and as JUnit XML, for CI servers.
 *
 *     if (!results_json(arena, lab, &grade, "results.json", &err)) return error_report(&err);
 *     if (!results_json(arena, lab, &grade, NULL, &err)) ...      // to standard output
 *     if (!results_junit(arena, lab, &grade, "results.xml", &err)) ...
 *
 * Files are written whole or not at all. They hold the requested exercises only. The JSON:
 *
 *     {"version": 1, "lab": "autoencoder",
 *      "status": "fail",                       pass; fail; error: no file, or it does not compile
 *      "problem": "foo.h: No such file",       only with "error", and then "line"
 *      "points": 45, "of": 100, "seconds": 0.21,
 *      "exercises": [{"id": "loss", "verdict": "wrong", "points": 0, "of": 15,
 *                     "cases": 8, "passed": 5}, ...],
 *      "cases": [{"name": "loss__averages_over_the_batch", "exercise": "loss",
 *                 "status": "fail",            pass; fail: wrong; error: no comparison was made
 *                 "verdict": "wrong",          a name of labs/grader/verdict.h
 *                 "message": "...", "output": "...", "line": 54, "seconds": 0.002}, ...]}
 *
 * A case's message is empty when it passes; line is one of the submission's file, 0 when not known.
 */
#pragma once
#include "labs/driver/grade.h"

bool results_json(Arena *arena, const Lab *lab, const Grade *grade, const char *path, Error *err);
bool results_junit(Arena *arena, const Lab *lab, const Grade *grade, const char *path, Error *err);
