"""What the scripts that record Hugging Face's models have in common: numbers that both sides compute, and digests of names."""
import hashlib
import math

import torch


def uniform(name, shape):
    """Numbers in [0, 1) that depend on the name and their position alone: a multiplicative hash, 32 bits."""
    seed = 0
    for character in name:
        seed = (seed * 31 + ord(character)) % 2**32
    word = lambda x: x & 0xFFFFFFFF
    x = word(word(torch.arange(math.prod(shape)) + seed) * 0x9E3779B1)
    x = word((x ^ (x >> 16)) * 0x85EBCA6B)
    x ^= x >> 13
    return (x.double() / 2**32).float().reshape(shape)


def filled(name, shape):
    u = uniform(name, shape)
    if len(shape) > 1:
        return (2 * u - 1) * math.sqrt(6 / math.prod(shape[1:]))
    return (2 * u - 1) * 0.1 if name.endswith(("bias", "running_mean")) else 0.5 + u


def integers(name, shape, limit):
    return (uniform(name, shape).double() * limit).long()


def signed(name, shape):
    return 2 * uniform(name, shape) - 1


def digest(shapes):
    lines = [f"{name} {list(shape)}" for name, shape in shapes.items()]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
