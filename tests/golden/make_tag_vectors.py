"""Prints the values that tests/data pins for RandomStream and formula_tag_vectors, from the
formulas in their headers. Needs Python 3 only."""
import hashlib

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def stream(key):
    state = 0
    for part in key:
        state = (mix((state + STEP + part) & MASK) * STEP) & MASK
    counter = 0
    while True:
        counter += 1
        yield mix((state + STEP * counter) & MASK)


def sums(tag, dim, seed):
    """Components before normalisation; 1 is the purpose number of tag vectors."""
    digest = hashlib.sha256(tag.encode()).hexdigest()[:32]
    words = stream([seed, 1, int(digest[:16], 16), int(digest[16:], 16)])
    return [2 * sum(bin(next(words)).count("1") for _ in range(4)) - 256 for _ in range(dim)]


if __name__ == "__main__":
    words = stream([1, 2])
    print("RandomStream({1, 2}):", hex(next(words)), hex(next(words)))
    print("sums of 'calm', dim 4, seed 7:", sums("calm", 4, 7))
