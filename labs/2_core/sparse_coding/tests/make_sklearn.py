"""Writes sklearn.inc: codes, an update of atoms, and dictionary learning by scikit-learn.

    python3 make_sklearn.py >sklearn.inc        pip install scikit-learn

scikit-learn divides the squared error of its Lasso by the P numbers of a signal: its alpha is lambda / P.
In dictionary learning it does not, and its atoms are at most 1 long; here all of them reach that length.
"""
import warnings

import numpy
import sklearn
from sklearn.decomposition import DictionaryLearning, dict_learning, sparse_encode
from sklearn.linear_model import Lasso, orthogonal_mp

random = numpy.random.default_rng(1)


def unit(d):
    return d / numpy.linalg.norm(d, axis=1, keepdims=True)


def atoms(count, length):
    return unit(numpy.round(random.standard_normal((count, length)), 3))


def print_array(name, values):
    values = numpy.ravel(values)
    print(f"static const double {name}[{len(values)}] = {{")
    for i in range(0, len(values), 5):
        print("    " + " ".join(f"{v:.17g}," for v in values[i:i + 5]))
    print("};")


def planted_share():
    """Of the experiment in learning.c: the share of the planted atoms that scikit-learn finds."""
    K, P, n, of = 50, 20, 1500, 3
    truth = unit(random.standard_normal((K, P)))
    codes = numpy.zeros((n, K))
    for row in codes:
        numpy.add.at(row, random.integers(0, K, of), random.uniform(-1, 1, of))
    x = codes @ truth
    x += 0.1 * numpy.sqrt((x**2).mean(axis=1, keepdims=True)) * random.standard_normal(x.shape)
    start = unit(x[random.integers(0, n, K)])
    learned = DictionaryLearning(K, alpha=0.1, max_iter=80, tol=0, fit_algorithm="cd", dict_init=start,
                                 random_state=1).fit(x).components_
    matches = numpy.abs(truth @ unit(learned).T).max(axis=1)
    return (matches > 0.99).mean()


warnings.filterwarnings("ignore")
print(f"// By make_sklearn.py with scikit-learn {sklearn.__version__}.")
print(f"// Its dictionary learning recovers {100 * planted_share():.0f} % of the atoms in the experiment of learning.c.")
print("// clang-format off")
print("enum { LASSO_K = 20, LASSO_P = 12, LASSO_COUNT = 3, OMP_ATOMS = 5 };")
d, lambdas = atoms(20, 12), (0.05, 0.2, 0.5)
x = numpy.round(random.standard_normal(12), 3)
print_array("lasso_d", d)
print_array("lasso_x", x)
print_array("lasso_lambda", lambdas)
print_array("lasso_codes", [Lasso(alpha=value / 12, fit_intercept=False, tol=1e-15, max_iter=1000000)
                            .fit(d.T, x).coef_ for value in lambdas])
print_array("omp_codes", orthogonal_mp(d.T, x, n_nonzero_coefs=5))

print("enum { LEARN_K = 10, LEARN_P = 8, LEARN_COUNT = 60, LEARN_EPOCHS = 10 };")
print("static const double LEARN_LAMBDA = 0.1;")
signals = numpy.round(random.standard_normal((60, 8)), 3)
start = atoms(10, 8)


def learned(epochs):
    if epochs == 0:
        return start
    return dict_learning(signals, 10, alpha=0.1, tol=0, method="lars", dict_init=start, max_iter=epochs,
                         code_init=numpy.zeros((60, 10)), random_state=1)[1]


def objective(d):
    codes = sparse_encode(signals, d, algorithm="lasso_lars", alpha=0.1, max_iter=10000)
    return ((signals - codes @ d)**2).sum() / 2 + 0.1 * numpy.abs(codes).sum()


print_array("learn_x", signals)
print_array("learn_start", start)
print_array("learn_end", learned(10))
print_array("learn_objective", [objective(learned(epochs)) for epochs in range(10)])
