"""How many inputs a cascade would send to the big guard, and what they are worth.

    python3 benches/cascade.py ADDRESS FOLDER [--review 0.5 --block 0.8]

FOLDER holds benchmark sets as JSON lines (`prompt`, `response`, `prompt_harmful`, `response_harmful`; a label may be null). The
service at ADDRESS judges them all without a guard, under its default community; nothing is trained or tuned. Printed for each
margin: the share of inputs whose harmfulness is that near to a threshold, the share of the encoder's errors among them, and
the F1 that there would be if the guard were right about all of these: what no guard can exceed.
"""

import argparse, json, pathlib, sys, time, urllib.error, urllib.request
from concurrent.futures import ThreadPoolExecutor

MARGINS = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4]
BATCH = 4


def ask(address, rows):
    body = []
    for row in rows:
        turns = [{"role": "user", "content": row["prompt"]}]
        if row["label"] == "response_harmful":
            turns.append({"role": "assistant", "content": row["response"]})
        judge = ["response"] if row["label"] == "response_harmful" else ["prompt"]
        body.append({"turns": turns, "judge": judge, "explain": "none"})
    request = urllib.request.Request(f"http://{address}/moderate", json.dumps(body).encode(), {"content-type": "application/json"})
    while True:
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return [(item.get("harmfulness"), row["harmful"]) for item, row in zip(json.load(answer), rows)]
        except urllib.error.HTTPError as error:
            # Busy: it says when to come again.
            if error.code != 503:
                raise
            time.sleep(float(error.headers.get("retry-after", 1)))


def rows_of(path):
    for line in path.open():
        row = json.loads(line)
        for label in ("prompt_harmful", "response_harmful"):
            said = row.get("prompt") if label == "prompt_harmful" else row.get("response")
            if isinstance(row.get(label), bool) and said and said.strip() and (row.get("prompt") or "").strip():
                yield {"prompt": row["prompt"], "response": row.get("response"), "label": label, "harmful": row[label]}


def f1(pairs):
    true = sum(given and harmful for given, harmful in pairs)
    wrong = sum(given != harmful for given, harmful in pairs)
    return 200 * true / (2 * true + wrong) if true else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--review", type=float, default=0.5)
    parser.add_argument("--block", type=float, default=0.8)
    given = parser.parse_args()
    near = lambda h, margin: min(abs(h - given.review), abs(h - given.block)) <= margin
    print("set | inputs | F1 | " + " | ".join(f"{margin}: share, errors in it, F1 at most" for margin in MARGINS))
    every = []
    for path in sorted(given.folder.glob("*.jsonl")):
        rows = list(rows_of(path))
        if not rows:
            continue
        chunks = [rows[at:at + BATCH] for at in range(0, len(rows), BATCH)]
        with ThreadPoolExecutor(4) as pool:
            judged = [pair for part in pool.map(lambda chunk: ask(given.address, chunk), chunks) for pair in part]
        judged = [(h, harmful) for h, harmful in judged if h is not None]
        show(path.stem, judged, near, given.review)
        every += judged
        print(f"{path.stem}: {len(judged)}", file=sys.stderr)
    show("all", every, near, given.review)


def show(name, judged, near, review):
    wrong = sum((h >= review) != harmful for h, harmful in judged)
    cells = []
    for margin in MARGINS:
        sent = [(h, harmful) for h, harmful in judged if near(h, margin)]
        caught = sum((h >= review) != harmful for h, harmful in sent)
        best = f1([(harmful if near(h, margin) else h >= review, harmful) for h, harmful in judged])
        cells.append(f"{100 * len(sent) / len(judged):.0f} %, {100 * caught / max(wrong, 1):.0f} %, {best:.1f}")
    print(f"{name} | {len(judged)} | {f1([(h >= review, harmful) for h, harmful in judged]):.1f} | " + " | ".join(cells), flush=True)


main()
