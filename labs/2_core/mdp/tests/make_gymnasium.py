"""The transition tables of Gymnasium's toy text environments, as tests/gymnasium.csv has them.

    python3 make_gymnasium.py >gymnasium.csv        pip install gymnasium; written with 1.4.0

A row is an outcome that env.unwrapped.P lists, in its order.
"""
import gymnasium

ENVIRONMENTS = (("frozenlake4", "FrozenLake-v1", {"map_name": "4x4", "is_slippery": True}),
                ("frozenlake8", "FrozenLake-v1", {"map_name": "8x8", "is_slippery": True}),
                ("frozenlake4_dry", "FrozenLake-v1", {"map_name": "4x4", "is_slippery": False}),
                ("cliff", "CliffWalking-v1", {}), ("taxi", "Taxi-v4", {}))
print("world,state,action,probability,next,reward,done")
for world, name, options in ENVIRONMENTS:
    table = gymnasium.make(name, **options).unwrapped.P
    for state in sorted(table):
        for action in sorted(table[state]):
            for probability, following, reward, done in table[state][action]:
                print(world, state, action, repr(float(probability)), int(following),
                      f"{float(reward):g}", int(done), sep=",")
