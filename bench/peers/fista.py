"""Iterations of solvers of the lasso, asked for by labs/2_core/sparse_coding/bench_fista.c: signals of 64
numbers, 128 atoms, drawn here.

scikit-learn's Lasso is coordinate descent: so many sweeps of each signal, by threads. FISTA with NumPy treats
all signals at once.
"""
import math
import sys
import time
import warnings

from serve import serve

try:
    import joblib
    import numpy
    import sklearn
    from sklearn.linear_model import Lasso
    from threadpoolctl import threadpool_limits
except ImportError:
    sys.exit(3)

K, P, SIGNALS, ITERATIONS, LAMBDA = 128, 64, 400, 100, 0.2
draw = numpy.random.default_rng(1)
D = draw.standard_normal((K, P))
D /= numpy.linalg.norm(D, axis=1, keepdims=True)
X = draw.standard_normal((SIGNALS, P)) / 4
L = 1.01 * numpy.linalg.norm(D, 2)**2
atoms, gram = numpy.asfortranarray(D.T), D @ D.T
warnings.filterwarnings("ignore")    # that it did not converge: a sweep count is asked for


def sweeps(signals):
    return Lasso(alpha=LAMBDA / P, fit_intercept=False, precompute=gram, max_iter=ITERATIONS, tol=0,
                 copy_X=False).fit(atoms, signals.T).coef_


def coordinate_descent(request):
    parts = numpy.array_split(X, request["threads"])
    start = time.perf_counter()
    for _ in range(request["calls"]):
        joblib.Parallel(n_jobs=request["threads"], prefer="threads")(
            joblib.delayed(sweeps)(part) for part in parts)
    return time.perf_counter() - start


def fista(request, dtype):
    d, x = D.astype(dtype), X.astype(dtype)
    step, threshold = dtype(1 / L), dtype(LAMBDA / L)
    r, (g, z) = numpy.empty_like(x), numpy.empty((2, SIGNALS, K), dtype)
    start = time.perf_counter()
    for _ in range(request["calls"]):
        a, y, t = numpy.zeros((SIGNALS, K), dtype), numpy.zeros((SIGNALS, K), dtype), 1.0
        for _ in range(ITERATIONS):
            after = (1 + math.sqrt(1 + 4 * t * t)) / 2
            numpy.matmul(y, d, out=r)
            r -= x
            numpy.matmul(r, d.T, out=g)
            g *= step
            y -= g
            numpy.clip(y, -threshold, threshold, out=z)
            y -= z
            numpy.subtract(y, a, out=z)
            z *= dtype((t - 1) / after)
            a, y = y, a
            numpy.add(a, z, out=y)
            t = after
    return time.perf_counter() - start


WORK = {"coordinate_descent": coordinate_descent,
        "fista32": lambda request: fista(request, numpy.float32),
        "fista64": lambda request: fista(request, numpy.float64)}


def work(request):
    with threadpool_limits(request["threads"]):
        return WORK[request["work"]](request)


serve(work, name=f"scikit-learn {sklearn.__version__}",
      libraries=f"NumPy {numpy.__version__}, Python {sys.version.split()[0]}")
