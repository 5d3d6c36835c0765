"""scikit-learn on the splits that `node scripts/measure-tables.mjs --splits FOLDER` wrote: python3 scripts/measure-tables.py FOLDER

Settings are chosen on the rows of fold 0; with these each model is fitted to all rows to train on, and measured on the test once.
"""
import collections
import json
import pathlib
import sys

import numpy as np
from sklearn.ensemble import (HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier,
                              RandomForestRegressor)
from sklearn.linear_model import LogisticRegression, Ridge


def models(is_number):
    """Candidates by name."""
    boosted = HistGradientBoostingRegressor if is_number else HistGradientBoostingClassifier
    forest = RandomForestRegressor if is_number else RandomForestClassifier
    linear = ([Ridge(alpha=10.0**k) for k in range(-3, 5)] if is_number
              else [LogisticRegression(C=10.0**k, max_iter=2000) for k in range(-3, 4)])
    return {
        "linear": linear,
        "random forest": [forest(100, max_features=share, random_state=0) for share in ("sqrt", 0.33, 1.0)],
        "boosting": [boosted(learning_rate=rate, max_iter=100, max_leaf_nodes=leaves, random_state=0)
                     for rate in (0.05, 0.1) for leaves in (7, 31)],
    }


scores = collections.defaultdict(list)
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    split = json.loads(path.read_text())
    is_number = split["kind"] == "number"
    (x, y), (test_x, test_y) = ((np.array(split[part]["x"]), np.array(split[part]["y"])) for part in ("train", "test"))
    held = np.array(split["folds"]) == 0

    def score(model, x, y):
        predicted = model.predict(x)
        return -np.sqrt(np.mean((predicted - y)**2)) if is_number else np.mean(predicted == y)

    for name, candidates in models(is_number).items():
        best = max(candidates, key=lambda model: score(model.fit(x[~held], y[~held]), x[held], y[held]))
        scores[path.stem.rsplit("-", 1)[0], name].append(abs(score(best.fit(x, y), test_x, test_y)))
    print(path.stem, {name: round(own[-1], 4) for (_, name), own in scores.items()}, file=sys.stderr, flush=True)
for (table, name), own in scores.items():
    print(f"{table:15} {name:15} {np.mean(own):.4g} ({', '.join(f'{value:.4g}' for value in own)})")
