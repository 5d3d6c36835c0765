"""Records what scikit-learn's baselines reach on its own tables: test/fixtures/baselines/. Needs scikit-learn (recorded with 1.2.1).

Tables are split by position after a shuffle with a fixed seed: three fifths train, a fifth validation, a fifth test; columns are
standardized by the training part and rounded to four digits, so that both sides see the same numbers.
"""
import json
import pathlib

import numpy as np
from sklearn import datasets
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

folder = pathlib.Path(__file__).parent.parent / "test" / "fixtures" / "baselines"
seeds = range(5)
digits = lambda values: [float(f"{value:.7g}") for value in np.ravel(values)]
root = lambda model, x, y: float(np.sqrt(np.mean((model.predict(x) - y) ** 2)))


def parts(load):
    table = load()
    order = np.random.default_rng(0).permutation(len(table.target))
    x, y = table.data[order], table.target[order]
    train, held = len(y) * 3 // 5, len(y) * 4 // 5
    spread = x[:train].std(axis=0)
    x = np.round((x - x[:train].mean(axis=0)) / np.where(spread == 0, 1, spread), 4)
    return [(x[a:b], y[a:b]) for a, b in [(0, train), (train, held), (held, len(y))]]


def record(name, load):
    train, validation, test = parts(load)
    is_classes = name != "diabetes"

    def loss(model):
        if not is_classes:
            return 0
        shares = model.predict_proba(validation[0])[np.arange(len(validation[1])), validation[1]]
        return -np.log(np.maximum(shares, 1e-12)).mean()

    # Of equally accurate ones that of the lowest cross-entropy.
    best = lambda models: max(models, key=lambda m: (m.score(*validation), -loss(m)))
    neighbours = [(k, weights) for weights in ("uniform", "distance") for k in (1, 2, 3, 5, 8, 12, 20, 35, 50)]
    # With the settings that were chosen, on all rows but those of the test.
    both = [np.concatenate(pair) for pair in zip(train, validation)]
    score = (lambda m: m.score(*test)) if is_classes else (lambda m: root(m, *test))
    mean = lambda make: float(np.mean([score(make(seed).fit(*train)) for seed in seeds]))
    facts = {"table": name, "classes": int(train[1].max()) + 1 if is_classes else 0, "features": train[0].shape[1]}
    if is_classes:
        boosting = lambda _: HistGradientBoostingClassifier(early_stopping=False)
        facts["logistic"] = {}
        for c in [0.1, 10]:
            # newton-cg with two classes as with more: the softmax of one logit for each class.
            model = LogisticRegression(C=c, solver="newton-cg", multi_class="multinomial", tol=1e-7, max_iter=10000)
            model.fit(*train)
            facts["logistic"][c] = {"weights": digits(model.coef_), "bias": digits(model.intercept_)}
        forest = lambda seed: RandomForestClassifier(random_state=seed)
        near = [KNeighborsClassifier(k, weights=weights) for k, weights in neighbours]
        linear = [LogisticRegression(C=10.0**p, max_iter=10000) for p in range(-3, 4)]
    else:
        boosting = lambda _: HistGradientBoostingRegressor(early_stopping=False)
        forest = lambda seed: RandomForestRegressor(random_state=seed)
        near = [KNeighborsRegressor(k, weights=weights) for k, weights in neighbours]
        linear = [Ridge(10.0**p) for p in range(-4, 6)]
        facts["ridge"] = {}
        for alpha in [1, 100]:
            model = Ridge(alpha, solver="cholesky").fit(*train)
            facts["ridge"][alpha] = {"weights": digits(model.coef_), "bias": float(model.intercept_)}
    facts["test"] = {
        "linear, chosen": score(best([m.fit(*train) for m in linear]).fit(*both)),
        "k nearest neighbours, chosen": score(best([m.fit(*train) for m in near]).fit(*both)),
        "random forest": mean(forest),
        "boosted trees": score(boosting(0).fit(*train)),
        "boosted trees, of 7 leaves": score(boosting(0).set_params(max_leaf_nodes=7).fit(*train)),
    }
    return facts, [{"x": digits(x), "y": y.tolist()} for x, y in (train, validation, test)]


def write(name, load, keeps_rows=True):
    facts, rows = record(name, load)
    if keeps_rows:
        facts["train"], facts["validation"], facts["test part"] = rows
    text = json.dumps(facts, separators=(",", ":")).replace(".0,", ",").replace(".0]", "]")
    (folder / f"{name}.json").write_text(text + "\n")
    print(name, {key: round(value, 4) for key, value in facts["test"].items()}, len(text))


if __name__ == "__main__":
    folder.mkdir(parents=True, exist_ok=True)
    write("breast-cancer", datasets.load_breast_cancer)
    write("diabetes", datasets.load_diabetes)
    write("iris", datasets.load_iris)
