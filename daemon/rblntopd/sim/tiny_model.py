"""A tiny random Llama with a byte-level tokenizer, made on the spot: a model for a real engine on a CPU.

Runs in the engine's environment (torch, transformers, tokenizers) and downloads nothing:
``python -m rblntopd.sim.tiny_model DIRECTORY``.
"""

from __future__ import annotations

import sys
from pathlib import Path

VOCAB_SIZE = 320
HIDDEN_SIZE = 128
LAYERS = 4
"""Divides over the pipeline sizes 1, 2 and 4."""
HEADS = 2
CONTEXT_LENGTH = 2048
SPECIAL_TOKENS = ("<pad>", "<s>", "</s>")
"""Ids 0, 1 and 2."""


def build(
    directory: Path, context_length: int = CONTEXT_LENGTH, *, weights: bool = True, layers: int = LAYERS
) -> Path:
    """Write configuration, tokenizer and, with ``weights``, random weights (always the same) to a directory.

    Without weights the model serves an engine whose executor does not load any. A pipeline has at most as
    many stages as the model has ``layers``. Existing files are replaced.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(directory)
    _write_model(directory, context_length, weights, layers)
    return directory


def _write_tokenizer(directory: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: index for index, token in enumerate(SPECIAL_TOKENS)}
    # One token a byte, in the printable alphabet that byte-level BPE gives them; no merges.
    for symbol in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary[symbol] = len(vocabulary)
    while len(vocabulary) < VOCAB_SIZE:
        vocabulary[f"<unused{len(vocabulary)}>"] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    pad, bos, eos = SPECIAL_TOKENS
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=pad, bos_token=bos, eos_token=eos)
    fast.save_pretrained(directory)


def _write_model(directory: Path, context_length: int, weights: bool, layers: int) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=HIDDEN_SIZE,
        intermediate_size=2 * HIDDEN_SIZE,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=context_length,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        dtype=torch.float32,
        architectures=["LlamaForCausalLM"],
    )
    if weights:
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(directory)
    else:
        config.save_pretrained(directory)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m rblntopd.sim.tiny_model DIRECTORY")
    print(build(Path(sys.argv[1])))
