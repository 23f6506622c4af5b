/* commands.h -- the commands of `lab`: a function for each, in a file of its name.
 *
 *     // greet.c
 *     int command_greet(int argc, char **argv) { ... return 0; }    // argv[0] is "greet"
 *     // here, one line in the list:
 *     X(greet, "NAME", "says hello to NAME")
 *
 * The list makes the table, the help and the suggestions. A command returns the exit status: 0,
 * 1 for a failure, 2 for wrong arguments.
 */
#pragma once

// clang-format off
#define COMMAND_LIST(X)                                                                            \
    X(roadmap, "",                 "the stages and their labs (also: lab alone)")                  \
    X(list,    "[LAB] [--json]",   "the exercises: not started, wrong, done")                      \
    X(start,   "LAB",              "write mine/LAB with its exercises blank")                      \
    X(check,   "[LAB[.EX]]",       "compile your copy and grade it")                                \
    X(watch,   "[LAB]",            "check at every save; keys for hint, list, next, quit")         \
    X(hint,    "[LAB[.EX]]",       "the next hint: idea, formula, almost code"            )        \
    X(solution, "LAB.EX [--give-up]", "the reference beside yours, once it passes")                \
    X(reset,   "LAB[.EX]",         "back to blank, with a backup")                                 \
    X(run,     "LAB [--mine] [options]", "run a lab, with --mine on your code; --help: its options")\
    X(open,    "LAB [--mine]",     "the report of its last run, in a browser")                     \
    X(follow,  "LAB|FOLDER",       "the curves of a run in the terminal, while it goes on")         \
    X(keynumbers, "MODEL... [options]", "parameters, memory, FLOPs and GPUs of a model; --help")    \
    X(tokenize, "COMMAND TOKENIZER", "text to token ids and back; --help")                         \
    X(generate, "MODEL [--mine] [options]", "a text that a model goes on with; --help")             \
    X(chat,    "MODEL [--mine] [options]", "a conversation with a model; --help")                   \
    X(serve,   "MODEL [--mine] [options]", "a model over HTTP, as the OpenAI API has it; --help")           \
    X(quantize, "MODEL OUT.gguf [options]", "a model as a GGUF file of 8 or 4 bits; --help")        \
    X(replay,  "[TRACE] [options]", "a server's requests on a paged KV cache; --help")              \
    X(test,    "[ctest options]",  "build and run all the tests")                                  \
    X(bench,   "[NAME] [options]", "benchmarks, one or all; CPU against GPU; reports")       \
    X(data,    "list|get|verify",  "data sets: list, download, verify"        )                    \
    X(dev,     "new|check",        "for authors: create a lab; check whether it is complete")       \
    X(doctor,  "[--json]",         "what is installed, what is missing, how to get it" )           \
    X(setup,   "[--dev] [--peers]", "install the packages that are missing")                       \
    X(help,    "",                 "this list")
// clang-format on

#define X(name, arguments, about) int command_##name(int argc, char **argv);
COMMAND_LIST(X)
#undef X
