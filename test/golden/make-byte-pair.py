"""Writes byte-pair.json: merges and tokens as Hugging Face's tokenizers learns and makes them.

Run (the output changes only with the texts below):

    python -m venv venv && venv/bin/pip install tokenizers && venv/bin/python test/golden/make-byte-pair.py

Texts are normalised here, and the cutting into words is written in that library's terms; learning, the order of equally frequent pairs and encoding are the library's own.
"""

import json
import pathlib
import random
import re

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

kinds = ["[a-zA-Z\\x{80}-\\x{10ffff}]", "[0-9]", "[^ a-zA-Z0-9\\x{80}-\\x{10ffff}]"]
pattern = "|".join(f" ?{kind}{{1,64}}" for kind in kinds)

sentences = [
    "The quick brown fox jumps over the lazy dog.",
    "Espaliers are trees trained along a frame; trained trees bear fruit early, and the frame holds them.",
    "Prices rose by 12.5% in 2024, after rising 3.75% in 2023 -- the highest since 1999!",
    "Grüße aus München: die Bäume blühen früher, Äpfel und Birnen reifen später.",
    "Ça va très bien, merci; l'été dernier était plus chaud.",
    "東京の天気は晴れです。明日は雨でしょう。",
    "Привет, мир! Как дела? Всё хорошо.",
    "aaaa aaaaa aaa aa a banana bananas ananas",
    "tabs\tand\nnewlines   and    many spaces  ",
    "emoji 🙂🙂 🚀 and flags 🇫🇷🇩🇪",
    "user_name=alice;role=admin;id=000042 GET /index.html?q=a+b&lang=en HTTP/1.1",
    "WAITING is NOT waiting, said the Waiter while waiting.",
    "x" * 150,
    "",
]
words = "tree frame fruit graph model train serve watch learn data row column batch epoch loss token text series image".split()
generator = random.Random(7)
texts = list(sentences)
for _ in range(400):
    texts.append(" ".join(generator.choice(words) + generator.choice(["", "s", "ing", "ed", "er", ","]) for _ in range(generator.randint(3, 20))))

unseen = ["The trained model serves images; waiting rows are batched.", "Ünseen wörds: 中文, 3.1415 & <html>", "zzz", "  ", "🙂"]


def normalized(text):
    """Lower case, single spaces, one in front."""
    words = [word for word in re.split("[ \\t\\n\\r\\v\\f]+", text.lower()) if word]
    return "".join(f" {word}" for word in words)


tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
    [pre_tokenizers.Split(Regex(pattern), behavior="isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
)
trainer = trainers.BpeTrainer(
    vocab_size=900,
    min_frequency=2,
    special_tokens=["<padding>", "<start>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
tokenizer.train_from_iterator(map(normalized, texts), trainer)

state = json.loads(tokenizer.to_str())["model"]
vocabulary = state["vocab"]
merges = [[vocabulary[left], vocabulary[right]] for left, right in (merge if isinstance(merge, list) else merge.split(" ") for merge in state["merges"])]
golden = {
    "texts": texts,
    "vocabulary": len(vocabulary),
    "merges": [token for merge in merges for token in merge],
    "encoded": [{"text": text, "tokens": tokenizer.encode(normalized(text)).ids} for text in sentences + unseen],
}
path = pathlib.Path(__file__).with_name("byte-pair.json")
path.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")
print(f"{len(merges)} merges, {len(golden['encoded'])} texts")
