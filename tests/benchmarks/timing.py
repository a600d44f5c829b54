"""What the benchmarks share."""

import time

import numpy as np

ROUNDS = 5


def imdb_like_lengths(count):
    rng = np.random.default_rng(0)
    return np.clip(rng.lognormal(np.log(174), 0.72, count), 10, 400).astype(np.int64)


def in_turns(functions, rounds=ROUNDS):
    """Seconds [round, part] by name, after a warm-up; the functions take turns at each part."""
    seconds = {name: np.zeros((rounds + 1, len(parts))) for name, parts in functions.items()}
    for i in range(rounds + 1):
        for j in range(max(map(len, functions.values()))):
            for name, parts in functions.items():
                if j < len(parts):
                    start = time.perf_counter()
                    parts[j]()
                    seconds[name][i, j] = time.perf_counter() - start
    return {name: times[1:] for name, times in seconds.items()}
