/* Worlds on a grid: states are its cells, row by row, and walls are left out. */
#include "labs/2_core/mdp/worlds/world.h"
#include <string.h>

// The wind of a world pushes cells up, and the arrows look so on a screen.
typedef struct Direction {
    const char *name, *arrow;
    int down, right;
} Direction;
static const Direction NORTH = {"up", "^", -1, 0}, SOUTH = {"down", "v", 1, 0},
                       WEST = {"left", "<", 0, -1}, EAST = {"right", ">", 0, 1};

typedef struct Grid {
    WorldBuilder b;
    int rows, columns, actions;
    const char *map;       // [rows*columns]: '#' wall, 'S' start, 'G' and 'H' terminal
    int *cells;            // [rows*columns]: the state there, or -1
    Direction moves[8];    // [actions]
} Grid;

static Grid grid_begin(Arena *arena, const char *name, const char *title, const char *source,
                       const char *map, int columns, double discount, const Direction *moves,
                       int actions)
{
    Grid g = {.map = map, .columns = columns, .actions = actions};
    const char *names[8], *arrows[8];
    int states = 0, count = (int)strlen(map);
    g.rows = count / columns;
    g.cells = arena_alloc(arena, (size_t)count * sizeof *g.cells);
    for (int c = 0; c < count; c++) g.cells[c] = map[c] == '#' ? -1 : states++;
    g.b = builder_begin(arena, name, title, source, states, actions, discount);
    World *world = g.b.world;
    world->rows = g.rows;
    world->columns = columns;
    world->cells = g.cells;
    world->map = map;
    for (int c = 0; c < count; c++) {
        int s = g.cells[c];
        if (s < 0) continue;
        world->state_names[s] = arena_print(arena, "%d,%d", c / columns, c % columns);
        g.b.terminal[s] = map[c] == 'G' || map[c] == 'H';
        if (map[c] == 'S') g.b.starts[0] = s;
    }
    for (int a = 0; a < actions; a++) {
        g.moves[a] = moves[a];
        names[a] = moves[a].name;
        arrows[a] = moves[a].arrow;
    }
    builder_actions(&g.b, names, arrows);
    return g;
}

// The cell that a move leads to: the same one against the border or a wall.
static int moved(const Grid *g, int cell, int down, int right)
{
    int row = cell / g->columns + down, column = cell % g->columns + right;
    row = row < 0 ? 0 : row >= g->rows ? g->rows - 1 : row;
    column = column < 0 ? 0 : column >= g->columns ? g->columns - 1 : column;
    int to = row * g->columns + column;
    return g->map[to] == '#' ? cell : to;
}

static int step(const Grid *g, int cell, int action)
{
    return moved(g, cell, g->moves[action].down, g->moves[action].right);
}

static bool is_state(const Grid *g, int cell)
{
    return g->cells[cell] >= 0 && !g->b.terminal[g->cells[cell]];
}

static void add(Grid *g, int cell, int action, int to, double probability, double reward)
{
    builder_add(&g->b, g->cells[cell], action, g->cells[to], probability, reward);
}

#define EACH_MOVE(g, c, a)                                                                         \
    for (int c = 0; c < (g)->rows * (g)->columns; c++)                                             \
        for (int a = 0; is_state(g, c) && a < (g)->actions; a++)

// ---- Sutton & Barto ----

World *world_gridworld4(Arena *arena)
{
    const Direction moves[] = {NORTH, SOUTH, EAST, WEST};
    Grid g = grid_begin(arena, "gridworld4", "Gridworld 4x4: -1 a step until a corner is reached",
                        "Sutton & Barto 2018, example 4.1", "G..S...........G", 4, 1, moves, 4);
    EACH_MOVE(&g, c, a) add(&g, c, a, step(&g, c, a), 1, -1);
    return builder_end(&g.b);
}

World *world_gridworld5(Arena *arena)
{
    enum { A = 1, A_TO = 21, B = 3, B_TO = 13 };
    const Direction moves[] = {NORTH, SOUTH, EAST, WEST};
    Grid g = grid_begin(arena, "gridworld5", "Gridworld 5x5 with two special states",
                        "Sutton & Barto 2018, examples 3.5 and 3.8", "S........................", 5,
                        0.9, moves, 4);
    EACH_MOVE(&g, c, a)
    {
        int to = step(&g, c, a);
        if (c == A) add(&g, c, a, A_TO, 1, 10);
        else if (c == B) add(&g, c, a, B_TO, 1, 5);
        else add(&g, c, a, to, 1, to == c ? -1 : 0);
    }
    return builder_end(&g.b);
}

static World *windy(Arena *arena, const char *name, const char *title, int actions)
{
    static const int wind[] = {0, 0, 0, 1, 1, 1, 2, 2, 1, 0};
    const Direction moves[] = {NORTH,
                               SOUTH,
                               EAST,
                               WEST,
                               {"up left", "\\", -1, -1},
                               {"up right", "/", -1, 1},
                               {"down left", "L", 1, -1},
                               {"down right", "J", 1, 1}};
    Grid g = grid_begin(arena, name, title, "Sutton & Barto 2018, example 6.5 and exercise 6.9",
                        ".............................."
                        "S......G.."
                        "..............................",
                        10, 1, moves, actions);
    EACH_MOVE(&g, c, a)
    {
        int up = wind[c % 10];    // of the column that is left
        add(&g, c, a, moved(&g, c, moves[a].down - up, moves[a].right), 1, -1);
    }
    return builder_end(&g.b);
}

World *world_windy(Arena *arena)
{
    return windy(arena, "windy", "Windy gridworld", 4);
}

World *world_windy_king(Arena *arena)
{
    return windy(arena, "windy_king", "Windy gridworld with king's moves", 8);
}

// Also Gymnasium's CliffWalking-v1, whose order of actions this is. Cells of the cliff are states that
// nothing leads to, as they are there.
World *world_cliff(Arena *arena)
{
    enum { START = 36 };
    const Direction moves[] = {NORTH, EAST, SOUTH, WEST};
    Grid g = grid_begin(arena, "cliff", "Cliff walking",
                        "Sutton & Barto 2018, example 6.6; Gymnasium, CliffWalking-v1",
                        "...................................."
                        "SCCCCCCCCCCG",
                        12, 1, moves, 4);
    EACH_MOVE(&g, c, a)
    {
        int to = step(&g, c, a);
        bool falls = g.map[to] == 'C';
        add(&g, c, a, falls ? START : to, 1, falls ? -100 : -1);
    }
    for (int c = START; c < 48; c++)
        if (g.map[c] == 'C') g.cells[c] = -1;    // of the map only
    return builder_end(&g.b);
}

World *world_maze(Arena *arena)
{
    const Direction moves[] = {NORTH, SOUTH, EAST, WEST};
    Grid g = grid_begin(arena, "maze", "Dyna maze", "Sutton & Barto 2018, figure 8.2",
                        ".......#G"
                        "..#....#."
                        "S.#....#."
                        "..#......"
                        ".....#..."
                        ".........",
                        9, 0.95, moves, 4);
    EACH_MOVE(&g, c, a)
    {
        int to = step(&g, c, a);
        add(&g, c, a, to, 1, g.map[to] == 'G');
    }
    return builder_end(&g.b);
}

// ---- others ----

// Moves go to either side instead with probability 0.1. In the book a state has a reward of its own,
// received once it is left, and a terminal one's is its value: here that comes with the last step.
World *world_aima(Arena *arena)
{
    const Direction moves[] = {NORTH, EAST, SOUTH, WEST};
    Grid g = grid_begin(arena, "aima", "The 4x3 world",
                        "Russell & Norvig 2010, Artificial Intelligence, figure 17.1",
                        "...G"
                        ".#.H"
                        "S...",
                        4, 1, moves, 4);
    EACH_MOVE(&g, c, a)
    {
        for (int turn = -1; turn <= 1; turn++) {
            int to = step(&g, c, (a + turn + 4) % 4);
            double end = g.map[to] == 'G' ? 1 : g.map[to] == 'H' ? -1 : 0;
            add(&g, c, a, to, turn == 0 ? 0.8 : 0.1, end - 0.04);
        }
    }
    return builder_end(&g.b);
}

// On ice a move goes where it was meant to, or to either side, with probability 1/3 each.
static World *frozen_lake(Arena *arena, const char *name, const char *title, const char *map,
                          int columns, bool slippery)
{
    const Direction moves[] = {WEST, SOUTH, EAST, NORTH};
    Grid g =
        grid_begin(arena, name, title, "Gymnasium, FrozenLake-v1", map, columns, 0.99, moves, 4);
    EACH_MOVE(&g, c, a)
    {
        for (int turn = -slippery; turn <= slippery; turn++) {
            int to = step(&g, c, (a + turn + 4) % 4);
            add(&g, c, a, to, slippery ? 1 / 3.0 : 1, g.map[to] == 'G');
        }
    }
    return builder_end(&g.b);
}

static const char LAKE_4[] = "S..."
                             ".H.H"
                             "...H"
                             "H..G";
static const char LAKE_8[] = "S......."
                             "........"
                             "...H...."
                             ".....H.."
                             "...H...."
                             ".HH...H."
                             ".H..H.H."
                             "...H...G";

World *world_frozenlake4(Arena *arena)
{
    return frozen_lake(arena, "frozenlake4", "FrozenLake 4x4, slippery", LAKE_4, 4, true);
}

World *world_frozenlake8(Arena *arena)
{
    return frozen_lake(arena, "frozenlake8", "FrozenLake 8x8, slippery", LAKE_8, 8, true);
}

World *world_frozenlake4_dry(Arena *arena)
{
    return frozen_lake(arena, "frozenlake4_dry", "FrozenLake 4x4, not slippery", LAKE_4, 4, false);
}
