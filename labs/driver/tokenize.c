#include "labs/driver/commands.h"
#include "labs/driver/launch.h"

// The program of the lab tokenizer, without the lab around it.
int command_tokenize(int argc, char **argv)
{
    (void)argc;
    return launch(arena_new("tokenize", 1u << 20), "tokenize", "./lab tokenize", argv);
}
