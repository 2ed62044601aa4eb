"""Compares the built-in model with onnxruntime on the original fp32 model.

  compare.py --jar FILE.jar [--corpus FOLDER] [--golden FILE] [--out FILE.md]

Needs onnxruntime, numpy and tokenizers, and Go. The corpus is a BEIR folder
with corpus.jsonl and queries.jsonl. Runs of the two programs alternate; each ratio
is that of the medians, and in brackets that of the shortest runs. With --golden, writes the tokens and
reference vectors of the texts of golden.txt to FILE instead.
"""
import argparse, base64, json, os, statistics, subprocess, tempfile, time, unicodedata, zipfile
import numpy as np, onnxruntime, tokenizers

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
MODEL, TOKENIZER = "bge-small-zh-v1.5.onnx", "bge-small-zh-v1.5-tokenizer.json"


PLAIN = str.maketrans({"“": '"', "”": '"', "„": '"', "〝": '"', "〞": '"', "‘": "'", "’": "'", "—": "-", "–": "-", "―": "-", "…": "..."})


def fold(text):
    """NFKC and lower case, plain quotation marks and dashes, other punctuation as it is: as embed.Fold."""
    kept = lambda c: unicodedata.category(c)[0] == "P" and c != "％" and ord(c) > 127
    return "".join(c if kept(c) else unicodedata.normalize("NFKC", c).lower() for c in text).translate(PLAIN)


class Reference:
    """The original model; texts are cut at 512 tokens."""

    def __init__(self, jar, cores):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = cores
        with zipfile.ZipFile(jar) as z:
            self.session = onnxruntime.InferenceSession(z.read(MODEL), options, providers=["CPUExecutionProvider"])
            self.tokenizer = tokenizers.Tokenizer.from_str(z.read(TOKENIZER).decode())
        self.tokenizer.enable_truncation(512)

    def tokens(self, texts):
        return [e.ids for e in self.tokenizer.encode_batch([fold(t) for t in texts])]

    def run(self, ids):
        longest = max(map(len, ids))
        x = np.zeros((len(ids), longest), np.int64)
        mask = np.zeros_like(x)
        for i, s in enumerate(ids):
            x[i, : len(s)] = s
            mask[i, : len(s)] = 1
        y = self.session.run(None, {"input_ids": x, "attention_mask": mask, "token_type_ids": np.zeros_like(x)})
        return y[0][:, 0]

    def embed(self, texts, size=32):
        """Unit vectors, computed in batches of texts of about the same length."""
        ids = self.tokens(texts)
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        vectors = np.zeros((len(ids), 512), np.float32)
        for i in range(0, len(order), size):
            part = order[i : i + size]
            vectors[part] = self.run([ids[j] for j in part])
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Ours:
    def __init__(self, folder):
        program = os.path.join(folder, "measure")
        subprocess.run(["go", "build", "-o", program, "./rag/embed/internal/measure"], cwd=ROOT, check=True)
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def embed(self, texts, kernel="", cores=1):
        print(json.dumps({"texts": texts, "kernel": kernel, "cores": cores}), file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        return np.array(answer["vectors"], np.float32), answer["seconds"]


def timed(f, *args, **named):
    start = time.perf_counter()
    f(*args, **named)
    return time.perf_counter() - start


def lines(name):
    with open(name, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def of_length(reference, texts, n):
    """A text of exactly n tokens, from the texts put one after the other."""
    text = fold("".join(texts))
    encoding = reference.tokenizer.encode(text)
    end = encoding.offsets[n - 2][1]
    part = text[:end]
    while len(reference.tokenizer.encode(part).ids) > n:
        part = part[:-1]
    return part


def compare(args):
    clauses = [c["title"] + "\n" + c["text"] for c in lines(os.path.join(args.corpus, "corpus.jsonl"))]
    questions = [q["text"] for q in lines(os.path.join(args.corpus, "queries.jsonl"))]
    step = len(clauses) // 1000
    thousand = clauses[::step][:1000]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(folder)
        one, two = Reference(args.jar, 1), Reference(args.jar, 2)

        # Vectors: texts of one window, since only those have one reference.
        short = [t for t in clauses[:: len(clauses) // 150] if len(one.tokens([t])[0]) < 512][:100]
        texts = short + questions[:: len(questions) // 100][:100]
        expected = one.embed(texts)
        fast, _ = ours.embed(texts)
        plain, _ = ours.embed(texts, kernel="scalar")
        narrow, _ = ours.embed(texts, kernel="avx2")
        to_reference = (expected * fast).sum(1)
        rows.append(("cosine to onnxruntime, lowest of %d" % len(texts), "≥ .998", "%.5f" % to_reference.min()))
        rows.append(("— mean", "", "%.5f" % to_reference.mean()))
        rows.append(("cosine scalar to fast, lowest", "≥ .999", "%.7f" % (plain * fast).sum(1).min()))
        rows.append(("cosine avx2 to fast, lowest", "≥ .999", "%.7f" % (narrow * fast).sum(1).min()))

        def ratio(what, bound, texts, reference, cores, kernel="", runs=args.runs):
            reference.embed(texts), ours.embed(texts, kernel, cores)
            theirs, mine = [], []
            for _ in range(runs):
                theirs.append(timed(reference.embed, texts))
                mine.append(ours.embed(texts, kernel, cores)[1])
            a, b, c, d = statistics.median(mine), statistics.median(theirs), min(mine), min(theirs)
            rows.append((what, bound, "%.2f × (%.1f ms / %.1f ms) [%.2f × (%.1f ms / %.1f ms)]"
                         % (a / b, a * 1e3, b * 1e3, c / d, c * 1e3, d * 1e3)))

        query, clause = of_length(one, questions, 20), of_length(one, clauses[50:], 300)
        ratio("20 tokens, one core", "≤ 2 ×", [query], one, 1)
        ratio("20 tokens, one core, avx2", "", [query], one, 1, "avx2")
        ratio("20 tokens, one core, scalar", "≤ 10 ×", [query], one, 1, "scalar")
        ratio("300 tokens, two cores", "≤ 2 ×", [clause], two, 2)
        ratio("300 tokens, two cores, avx2", "", [clause], two, 2, "avx2")
        ratio("1,000 clauses, two cores", "≤ 1.5 ×", thousand, two, 2, runs=args.long_runs)
    with open("/proc/cpuinfo") as f:
        features = next(line for line in f if line.startswith("flags")).split()
    report = "compare.py with onnxruntime %s on %d cores%s; medians of alternating runs [shortest runs]: ours / theirs.\n\n" % (
        onnxruntime.__version__, os.cpu_count(), " with AVX-512 VNNI" if "avx512_vnni" in features else "")
    report += "| what | bound | measured |\n| --- | --- | --- |\n"
    report += "".join("| %s | %s | %s |\n" % r for r in rows)
    print(report)
    if args.out:
        with open(args.out, "w", encoding="utf-8") as f:
            f.write(report)


def golden(args):
    """Writes for each text of golden.txt its tokens and its vector in base64:
    512 little-endian float16."""
    with open(os.path.join(HERE, "golden.txt"), encoding="utf-8") as f:
        texts = f.read().rstrip("\n").split("\n")
    reference = Reference(args.jar, 1)
    with open(args.golden, "w") as f:
        for ids, text in zip(reference.tokens(texts), texts):
            vector = reference.embed([text])[0].astype("<f2").tobytes()
            print(json.dumps({"tokens": ids, "vector": base64.b64encode(vector).decode()}), file=f)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jar", required=True)
    parser.add_argument("--corpus", default=os.path.join(ROOT, "..", "shared", "data", "legal_dc"))
    parser.add_argument("--runs", type=int, default=21)
    parser.add_argument("--long-runs", type=int, default=3, help="runs over 1,000 clauses")
    parser.add_argument("--golden")
    parser.add_argument("--out")
    args = parser.parse_args()
    golden(args) if args.golden else compare(args)
