#include "labs/driver/commands.h"
#include "labs/driver/launch.h"

// A server's requests against the block manager and scheduler of the lab paged_kv, without a model.
int command_replay(int argc, char **argv)
{
    (void)argc;
    return launch(arena_new("replay", 1u << 20), "replay", "./lab replay", argv);
}
