#include "labs/driver/commands.h"
#include "labs/driver/launch.h"

// Programs of the lab paged_kv, without the lab around them.
int command_generate(int argc, char **argv)
{
    return launch_engine("generate", argc, argv);
}

int command_chat(int argc, char **argv)
{
    return launch_engine("chat", argc, argv);
}

int command_quantize(int argc, char **argv)
{
    (void)argc;
    return launch(arena_new("quantize", 1u << 20), "quantize", "./lab quantize", argv);
}

int command_serve(int argc, char **argv)
{
    return launch_engine("serve", argc, argv);
}
