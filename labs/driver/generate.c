#include "labs/driver/commands.h"
#include "labs/driver/launch.h"

// Programs of the lab paged_kv, without the lab around them.
int command_generate(int argc, char **argv)
{
    (void)argc;
    return launch(arena_new("generate", 1u << 20), "generate", "./lab generate", argv);
}

int command_chat(int argc, char **argv)
{
    (void)argc;
    return launch(arena_new("chat", 1u << 20), "chat", "./lab chat", argv);
}

int command_serve(int argc, char **argv)
{
    (void)argc;
    return launch(arena_new("serve", 1u << 20), "serve", "./lab serve", argv);
}
