/* Worlds that are no grid of cells: small graphs, random walks, a casino, two garages, a taxi. */
#include "labs/2_core/mdp/worlds/world.h"
#include <math.h>

// ---- Silver's student ----

World *world_student(Arena *arena)
{
    enum { C1, C2, C3, PASS, PUB, FACEBOOK, SLEEP, STATES };
    static const char *const names[] = {"Class 1", "Class 2",  "Class 3", "Pass",
                                        "Pub",     "Facebook", "Sleep"};
    static const struct {
        int from, to;
        double probability, reward;
    } OUTCOMES[] = {{C1, C2, 0.5, -2},
                    {C1, FACEBOOK, 0.5, -2},
                    {C2, C3, 0.8, -2},
                    {C2, SLEEP, 0.2, -2},
                    {C3, PASS, 0.6, -2},
                    {C3, PUB, 0.4, -2},
                    {PASS, SLEEP, 1, 10},
                    {PUB, C1, 0.2, 1},
                    {PUB, C2, 0.4, 1},
                    {PUB, C3, 0.4, 1},
                    {FACEBOOK, FACEBOOK, 0.9, -1},
                    {FACEBOOK, C1, 0.1, -1}};
    WorldBuilder b = builder_begin(arena, "student", "Student Markov reward process",
                                   "Silver 2015, UCL course on RL, lecture 2", STATES, 1, 0.9);
    for (int s = 0; s < STATES; s++) b.world->state_names[s] = names[s];
    b.terminal[SLEEP] = true;
    for (size_t i = 0; i < sizeof OUTCOMES / sizeof *OUTCOMES; i++)
        builder_add(&b, OUTCOMES[i].from, 0, OUTCOMES[i].to, OUTCOMES[i].probability,
                    OUTCOMES[i].reward);
    builder_actions(&b, (const char *[]){"go on"}, (const char *[]){"."});
    return builder_end(&b);
}

World *world_student_mdp(Arena *arena)
{
    enum { FACEBOOK, C1, C2, C3, SLEEP, STATES };
    enum { BROWSE, QUIT, STUDY, REST, DRINK, ACTIONS };
    static const char *const names[] = {"Facebook", "Class 1", "Class 2", "Class 3", "Sleep"};
    static const char *const actions[] = {"facebook", "quit", "study", "sleep", "pub"};
    WorldBuilder b = builder_begin(arena, "student_mdp", "Student Markov decision process",
                                   "Silver 2015, UCL course on RL, lecture 2", STATES, ACTIONS, 1);
    for (int s = 0; s < STATES; s++) b.world->state_names[s] = names[s];
    b.terminal[SLEEP] = true;
    b.starts[0] = C1;
    builder_add(&b, FACEBOOK, BROWSE, FACEBOOK, 1, -1);
    builder_add(&b, FACEBOOK, QUIT, C1, 1, 0);
    builder_add(&b, C1, BROWSE, FACEBOOK, 1, -1);
    builder_add(&b, C1, STUDY, C2, 1, -2);
    builder_add(&b, C2, STUDY, C3, 1, -2);
    builder_add(&b, C2, REST, SLEEP, 1, 0);
    builder_add(&b, C3, STUDY, SLEEP, 1, 10);
    builder_add(&b, C3, DRINK, C1, 0.2, 1);
    builder_add(&b, C3, DRINK, C2, 0.4, 1);
    builder_add(&b, C3, DRINK, C3, 0.4, 1);
    builder_actions(&b, actions, actions);
    return builder_end(&b);
}

// ---- random walks ----

// States 0 and n + 1 are the ends; the walk starts in the middle.
static World *walk(Arena *arena, const char *name, const char *title, const char *source, int n,
                   double left, double right)
{
    WorldBuilder b = builder_begin(arena, name, title, source, n + 2, 1, 1);
    b.terminal[0] = b.terminal[n + 1] = true;
    b.starts[0] = (n + 1) / 2;
    b.world->state_names[0] = "left end";
    b.world->state_names[n + 1] = "right end";
    for (int s = 1; s <= n; s++) {
        b.world->state_names[s] =
            arena_print(arena, n == 5 ? "%c" : "%d", n == 5 ? 'A' + s - 1 : s);
        builder_add(&b, s, 0, s - 1, 0.5, s == 1 ? left : 0);
        builder_add(&b, s, 0, s + 1, 0.5, s == n ? right : 0);
    }
    builder_actions(&b, (const char *[]){"walk"}, (const char *[]){"."});
    return builder_end(&b);
}

World *world_walk5(Arena *arena)
{
    return walk(arena, "walk5", "Random walk with 5 states", "Sutton & Barto 2018, example 6.2", 5,
                0, 1);
}

World *world_walk19(Arena *arena)
{
    return walk(arena, "walk19", "Random walk with 19 states", "Sutton & Barto 2018, example 7.1",
                19, -1, 1);
}

// ---- gambler's problem ----

// The capital is the state. A stake of 0 is left out: it changes nothing.
World *world_gambler(Arena *arena)
{
    enum { GOAL = 100, STAKES = GOAL / 2 };
    const char *names[STAKES];
    const double heads = 0.4;
    WorldBuilder b =
        builder_begin(arena, "gambler", "Gambler's problem, heads with probability 0.4",
                      "Sutton & Barto 2018, example 4.3", GOAL + 1, STAKES, 1);
    b.terminal[0] = b.terminal[GOAL] = true;
    b.starts[0] = STAKES;
    for (int s = 1; s < GOAL; s++)
        for (int stake = 1; stake <= s && stake <= GOAL - s; stake++) {
            builder_add(&b, s, stake - 1, s + stake, heads, s + stake == GOAL);
            builder_add(&b, s, stake - 1, s - stake, 1 - heads, 0);
        }
    for (int stake = 1; stake <= STAKES; stake++)
        names[stake - 1] = arena_print(arena, "%d", stake);
    builder_actions(&b, names, names);
    return builder_end(&b);
}

// ---- Jack's car rental ----

enum { CARS = 20, MOVES = 5, GARAGES = 2 };

// Poisson probabilities of 0..CARS, and of so many or more.
typedef struct Poisson {
    double exactly[CARS + 1], at_least[CARS + 1];
} Poisson;

static Poisson poisson(double mean)
{
    Poisson p = {.at_least = {1}};
    double tail = 0;    // summed from its far end, where a difference from 1 would have no digits
    for (int n = 200; n >= 0; n--) {
        double exactly = exp(n * log(mean) - mean - lgamma(n + 1));
        tail += exactly;
        if (n <= CARS) p.exactly[n] = exactly, p.at_least[n] = tail;
    }
    return p;
}

// What a day makes of a garage that opens with `cars`: the probability of closing with n, and the
// expected rentals together with it, sum over rentals of P(rentals, n) rentals.
typedef struct Day {
    double closing[CARS + 1], rentals[CARS + 1];
} Day;

// No cut: all requests beyond `cars` rent `cars`, and returns beyond CARS are the company's.
static Day day(int cars, const Poisson *requests, const Poisson *returns)
{
    Day d = {{0}, {0}};
    for (int rented = 0; rented <= cars; rented++) {
        double p = rented == cars ? requests->at_least[cars] : requests->exactly[rented];
        int left = cars - rented;
        for (int n = left; n <= CARS; n++) {
            double joint =
                p * (n < CARS ? returns->exactly[n - left] : returns->at_least[CARS - left]);
            d.closing[n] += joint;
            d.rentals[n] += joint * rented;
        }
    }
    return d;
}

// State: cars at the first garage * 21 + cars at the second, in the evening. Action: cars moved from
// the first to the second, -5 to 5. A reward is the expected one given the next state, so that the
// values are exact, and a simulated day differs from the book's only in its spread.
World *world_rental(Arena *arena)
{
    enum { SIDE = CARS + 1, ACTIONS = 2 * MOVES + 1 };
    const double request_mean[GARAGES] = {3, 4}, return_mean[GARAGES] = {3, 2};
    const char *names[ACTIONS], *arrows[ACTIONS];
    Day days[GARAGES][SIDE];
    for (int g = 0; g < GARAGES; g++) {
        Poisson requests = poisson(request_mean[g]), returns = poisson(return_mean[g]);
        for (int n = 0; n < SIDE; n++) days[g][n] = day(n, &requests, &returns);
    }
    WorldBuilder b = builder_begin(arena, "rental", "Jack's car rental",
                                   "Sutton & Barto 2018, example 4.2", SIDE * SIDE, ACTIONS, 0.9);
    int *cells = arena_alloc(arena, SIDE * SIDE * sizeof *cells);
    for (int s = 0; s < SIDE * SIDE; s++) {
        int first = s / SIDE, second = s % SIDE;
        b.world->state_names[s] = arena_print(arena, "%d+%d", first, second);
        cells[(CARS - first) * SIDE + second] = s;    // the first garage upwards, as in the book
        for (int move = -MOVES; move <= MOVES; move++) {
            if (move > first || -move > second) continue;
            const Day *one = &days[0][first - move < CARS ? first - move : CARS];
            const Day *two = &days[1][second + move < CARS ? second + move : CARS];
            for (int i = 0; i < SIDE; i++)
                for (int j = 0; j < SIDE; j++) {
                    double p = one->closing[i] * two->closing[j];
                    if (p == 0) continue;
                    double rented =
                        one->rentals[i] / one->closing[i] + two->rentals[j] / two->closing[j];
                    builder_add(&b, s, move + MOVES, i * SIDE + j, p,
                                10 * rented - 2 * fabs((double)move));
                }
        }
    }
    for (int a = 0; a < ACTIONS; a++) {
        names[a] = arena_print(arena, "move %d", a - MOVES);
        arrows[a] = arena_print(arena, "%d", a - MOVES);
    }
    builder_actions(&b, names, arrows);
    b.world->rows = b.world->columns = SIDE;
    b.world->cells = cells;
    return builder_end(&b);
}

// ---- taxi ----

// Gymnasium's Taxi: state ((row * 5 + column) * 5 + passenger) * 4 + destination; passenger 4 rides.
// There a drop-off at the destination ends the episode in a state with a row of its own, which other
// moves lead to as well: here it ends in one state more.
World *world_taxi(Arena *arena)
{
    enum { SIDE = 5, PLACES = 4, RIDES = 4, END = 500 };
    enum { DOWN, UP, RIGHT, LEFT, PICK_UP, DROP_OFF, ACTIONS };
    static const char *const names[] = {"down", "up", "right", "left", "pick up", "drop off"};
    static const char *const arrows[] = {"v", "^", ">", "<", "+", "-"};
    static const int place[PLACES] = {0, 4, 20, 23};    // R G Y B, as row * 5 + column
    // Whether a wall stands right of (row, column).
    static const char *const walls[] = {" |   ", " |   ", "     ", "| |  ", "| |  "};
    WorldBuilder b = builder_begin(arena, "taxi", "Taxi", "Gymnasium, Taxi-v4; Dietterich 2000",
                                   END + 1, ACTIONS, 0.99);
    b.terminal[END] = true;
    b.world->state_names[END] = "end";
    b.world->start_count = 0;
    for (int s = 0; s < END; s++) {
        int cell = s / 20, passenger = s / 4 % 5, destination = s % 4;
        int row = cell / SIDE, column = cell % SIDE;
        b.world->state_names[s] = arena_print(arena, "%d,%d %c to %c", row, column,
                                              "RGYB*"[passenger], "RGYB"[destination]);
        if (passenger != RIDES && passenger != destination) b.starts[b.world->start_count++] = s;
        int to[ACTIONS] = {s, s, s, s, s, s};
        double reward[ACTIONS] = {-1, -1, -1, -1, -10, -10};
        if (row < SIDE - 1) to[DOWN] = s + 20 * SIDE;
        if (row > 0) to[UP] = s - 20 * SIDE;
        if (column < SIDE - 1 && walls[row][column] != '|') to[RIGHT] = s + 20;
        if (column > 0 && walls[row][column - 1] != '|') to[LEFT] = s - 20;
        if (passenger != RIDES && cell == place[passenger]) {
            to[PICK_UP] = s + 4 * (RIDES - passenger);
            reward[PICK_UP] = -1;
        }
        for (int p = 0; p < PLACES && passenger == RIDES; p++)
            if (cell == place[p]) {
                to[DROP_OFF] = p == destination ? END : s - 4 * (RIDES - p);
                reward[DROP_OFF] = p == destination ? 20 : -1;
            }
        for (int a = 0; a < ACTIONS; a++) builder_add(&b, s, a, to[a], 1, reward[a]);
    }
    builder_actions(&b, names, arrows);
    return builder_end(&b);
}
