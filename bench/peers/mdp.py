"""Value iteration by SciPy's sparse product, and Q-learning in plain Python and with Gymnasium, asked for
by labs/2_core/mdp/bench.c. Tables are drawn here: of the same sizes, not the same numbers.
"""
import random
import sys
import time

from serve import serve

try:
    import gymnasium
    import numpy
    import scipy
    import scipy.sparse
except ImportError:
    sys.exit(3)

ACTIONS, SUCCESSORS, DISCOUNT = 8, 10, 0.95
tables = {}    # by the number of states


def table(states):
    if states not in tables:
        tables.clear()
        draw = numpy.random.default_rng(1)
        rows = states * ACTIONS
        p = draw.random((rows, SUCCESSORS))
        p /= p.sum(axis=1, keepdims=True)
        following = draw.integers(0, states, size=rows * SUCCESSORS, dtype=numpy.int32)
        starts = numpy.arange(0, rows * SUCCESSORS + 1, SUCCESSORS, dtype=numpy.int32)
        tables[states] = (scipy.sparse.csr_matrix((p.ravel(), following, starts),
                                                  shape=(rows, states)),
                          draw.random(rows), numpy.zeros(states))
    return tables[states]


def sweep(request):
    states = request["states"]
    p, reward, v = table(states)
    start = time.perf_counter()
    for _ in range(request["calls"]):
        v = (reward + DISCOUNT * (p @ v)).reshape(states, ACTIONS).max(axis=1)
    return time.perf_counter() - start


# Both learn on the cliff with step 0.5, epsilon 0.1 and discount 1, from new action values.
def choose(q, state):
    if random.random() < 0.1:
        return random.randrange(4)
    row = q[state]
    return row.index(max(row))


def plain(request):
    q, state = [[0.0] * 4 for _ in range(48)], 36
    start = time.perf_counter()
    for _ in range(request["calls"] * request["steps"]):
        action = choose(q, state)
        row, column = divmod(state, 12)
        if action == 0:
            row = max(row - 1, 0)
        elif action == 1:
            column = min(column + 1, 11)
        elif action == 2:
            row = min(row + 1, 3)
        else:
            column = max(column - 1, 0)
        following, reward = row * 12 + column, -1
        if row == 3 and 0 < column < 11:
            following, reward = 36, -100
        q[state][action] += 0.5 * (reward + max(q[following]) - q[state][action])
        state = 36 if following == 47 else following
    return time.perf_counter() - start


def with_gymnasium(request):
    q, environment = [[0.0] * 4 for _ in range(48)], gymnasium.make("CliffWalking-v1")
    state, _ = environment.reset(seed=1)
    start = time.perf_counter()
    for _ in range(request["calls"] * request["steps"]):
        action = choose(q, state)
        following, reward, done, cut, _ = environment.step(action)
        q[state][action] += 0.5 * (reward + max(q[following]) - q[state][action])
        state = environment.reset()[0] if done or cut else following
    return time.perf_counter() - start


WORK = {"sweep": sweep, "python": plain, "gymnasium": with_gymnasium}
serve(lambda request: WORK[request["work"]](request),
      name=f"SciPy {scipy.__version__}, Gymnasium {gymnasium.__version__}",
      libraries=f"NumPy {numpy.__version__}, Python {sys.version.split()[0]}")
