"""Writes metrics.json: metrics as scikit-learn and sacreBLEU compute them, on one set of scores and labels.

Run: python -m venv venv && venv/bin/pip install numpy scikit-learn sacrebleu && venv/bin/python test/golden/make-metrics.py

What those packages lack (calibration error, precision at k, ...) is written out here from the papers' definitions with NumPy.
"""

import json
import pathlib

import numpy as np
import sacrebleu
import sklearn
from sklearn import metrics as sk

random = np.random.default_rng(5)
rows, classes, items = 60, 4, 8


def rounded(values):
    return np.round(values, 3).astype(np.float32).astype(np.float64)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


logits = rounded(random.normal(size=(rows, classes)) * 1.5)
labels = random.integers(0, classes, rows)
logits[np.arange(rows), labels] += 1
logits = rounded(logits)
weights = rounded(random.uniform(0.2, 3, rows))
binary = np.round(random.normal(size=(rows, 1)) * 1.5, 1).astype(np.float32).astype(np.float64)  # with ties
answers = (random.uniform(size=rows) < 1 / (1 + np.exp(-binary[:, 0]))).astype(int)
relevance = random.choice([0, 0, 0, 1, 2, 3], size=(rows, items))
relevance[:, 0] = np.maximum(relevance[:, 0], 1)  # something is relevant in every row
ranking = rounded(random.normal(size=(rows, items)) + 0.5 * relevance)
numbers = rounded(random.normal(size=(rows, 2)) * 2 + 5)
predictions = rounded(numbers + random.normal(size=(rows, 2)))


def of_classes(w):
    p = softmax(logits)
    best = logits.argmax(1)
    options = {"sample_weight": w}
    given = np.ones(rows) if w is None else w
    confidence, right = p.max(1), best == labels
    bins = np.minimum(np.ceil(confidence * 15).astype(int) - 1, 14)
    ece = sum(abs((given * (confidence - right))[bins == b].sum()) for b in range(15)) / given.sum()
    one_hot = np.eye(classes)[labels]
    expected = {
        "accuracy": sk.accuracy_score(labels, best, **options),
        "top2Accuracy": sk.top_k_accuracy_score(labels, logits, k=2, **options),
        "auc": np.mean([sk.roc_auc_score(labels == c, p[:, c], **options) for c in range(classes)]),
        "averagePrecision": np.mean([sk.average_precision_score(labels == c, p[:, c], **options) for c in range(classes)]),
        "logLoss": sk.log_loss(labels, p, **options),
        "perplexity": np.exp(sk.log_loss(labels, p, **options)),
        "brier": (given * ((p - one_hot) ** 2).sum(1)).sum() / given.sum(),
        "calibrationError": ece,
        "matthews": sk.matthews_corrcoef(labels, best, **options),
        "cohenKappa": sk.cohen_kappa_score(labels, best, **options),
        "meanIoU": sk.jaccard_score(labels, best, average="macro", **options),
    }
    for average in ("macro", "micro", "weighted"):
        expected[f"precision {average}"] = sk.precision_score(labels, best, average=average, **options)
        expected[f"recall {average}"] = sk.recall_score(labels, best, average=average, **options)
        expected[f"f2 {average}"] = sk.fbeta_score(labels, best, beta=2, average=average, **options)
    return expected


def of_questions(w):
    p = 1 / (1 + np.exp(-binary[:, 0]))
    best = (binary[:, 0] > 0).astype(int)
    options = {"sample_weight": w}
    return {
        "accuracy": sk.accuracy_score(answers, best, **options),
        "binaryAccuracy 0.7": sk.accuracy_score(answers, p > 0.7, **options),
        "auc": sk.roc_auc_score(answers, p, **options),
        "averagePrecision": sk.average_precision_score(answers, p, **options),
        "logLoss": sk.log_loss(answers, p, **options),
        "brier": sk.brier_score_loss(answers, p, **options),
        "precision": sk.precision_score(answers, best, **options),
        "recall": sk.recall_score(answers, best, **options),
        "f1": sk.f1_score(answers, best, **options),
        "matthews": sk.matthews_corrcoef(answers, best, **options),
        "iou": sk.jaccard_score(answers, best, **options),
    }


def of_rankings(w):
    given = np.ones(rows) if w is None else w
    mean = lambda values: (given * np.array(values)).sum() / given.sum()
    order = (-ranking).argsort(1, kind="stable")
    ranked = np.take_along_axis(relevance, order, 1) > 0
    return {
        "ndcg": sk.ndcg_score(relevance, ranking, sample_weight=w),
        "ndcg@3": sk.ndcg_score(relevance, ranking, k=3, sample_weight=w),
        "ndcg@3 exponential": sk.ndcg_score(2.0**relevance - 1, ranking, k=3, sample_weight=w),
        "map": mean([sk.average_precision_score(relevance[i] > 0, ranking[i]) for i in range(rows)]),
        "precision@3": mean(ranked[:, :3].mean(1)),
        "recall@3": mean(ranked[:, :3].sum(1) / ranked.sum(1)),
        "hitRate@1": mean(ranked[:, 0]),
        "mrr": mean(1 / (1 + ranked.argmax(1))),
    }


def of_numbers(w):
    options = {"sample_weight": w}
    given = np.ones(rows) if w is None else w
    cosines = (numbers * predictions).sum(1) / np.linalg.norm(numbers, axis=1) / np.linalg.norm(predictions, axis=1)
    return {
        "rmse": sk.mean_squared_error(numbers, predictions, **options) ** 0.5,
        "mae": sk.mean_absolute_error(numbers, predictions, **options),
        "mape": sk.mean_absolute_percentage_error(numbers, predictions, **options),
        "r2": sk.r2_score(numbers, predictions, **options),
        "cosine": (given * cosines).sum() / given.sum(),
    }


def bleu():
    corpora = [
        (
            ["the cat sat on the mat", "there is a dog in the small garden today"],
            [["the cat is on the mat", "a dog is in the little garden today"], ["there sat a cat on the mat", "there is a dog in our garden"]],
        ),
        (["a b c d e", "f g"], [["a b c d e f g", "f h"]]),
        (["x y z w v", "q r s"], [["a y b w c", "r q t"]]),
    ]
    return [
        {
            "hypotheses": hypotheses,
            "references": references,
            "bleu": sacrebleu.corpus_bleu(hypotheses, references, tokenize="none", force=True).score,
        }
        for hypotheses, references in corpora
    ]


def pack(values):
    return {"shape": list(values.shape), "data": [float(f"{x:.9g}") for x in values.flatten().tolist()]}


def group(values, truth, compute):
    clean = lambda expected: {name: float(f"{float(value):.13g}") for name, value in expected.items()}
    return {"output": pack(values), "labels": pack(truth), "plain": clean(compute(None)), "weighted": clean(compute(weights))}


document = {
    "source": f"scikit-learn {sklearn.__version__}, sacreBLEU {sacrebleu.__version__}",
    "weights": pack(weights),
    "classes": group(logits, labels, of_classes),
    "questions": group(binary, answers[:, None], of_questions),
    "rankings": group(ranking, relevance, of_rankings),
    "numbers": group(predictions, numbers, of_numbers),
    "bleu": bleu(),
}
target = pathlib.Path(__file__).with_name("metrics.json")
target.write_text(json.dumps(document, separators=(",", ":")) + "\n")
print(target)
