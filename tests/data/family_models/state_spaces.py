"""State space models, listened to by closing one channel after another."""

from collections.abc import Callable
from unittest import mock

import numpy as np
import torch
import transformers as tf

from tests.data.family_models.sizes import TOKENS
from tests.data.make_tiny import HIDDEN

STATE = {"hidden_size": HIDDEN, "num_hidden_layers": 2, "vocab_size": 7, "state_size": 4, **TOKENS}
STATE_SPACES: dict[str, Callable[[], torch.nn.Module]] = {
    "mamba": lambda: tf.MambaForCausalLM(tf.MambaConfig(**STATE, time_step_rank=3)),
    "falcon_mamba": lambda: tf.FalconMambaForCausalLM(tf.FalconMambaConfig(**STATE, time_step_rank=3)),
    "mamba2": lambda: tf.Mamba2ForCausalLM(
        tf.Mamba2Config(**STATE, num_heads=4, head_dim=6, n_groups=2, chunk_size=4)
    ),
}


def state_space_truth(model: torch.nn.Module, fresh: torch.nn.Module) -> dict[str, np.ndarray]:
    """Return the projections of a state space model; which row does what is asked of an unplanted model.

    Closing the gate of a channel silences it, whatever comes through the convolutions; closing the channel itself
    silences it where they let it through.
    """
    truth = {}
    for b in range(2):
        mixer = model.get_submodule(f"backbone.layers.{b}.mixer")
        asked = fresh.get_submodule(f"backbone.layers.{b}.mixer")
        torch.nn.init.ones_(asked.conv1d.weight)
        either = _silencing(asked)
        torch.nn.init.zeros_(asked.conv1d.weight)
        torch.nn.init.ones_(asked.conv1d.bias)
        gates = _silencing(asked)
        rows, places = mixer.in_proj.weight.detach().numpy(), range(mixer.out_proj.in_features)
        truth[f"{b}.gate"] = rows[[gates[place][0] for place in places]]
        truth[f"{b}.channel"] = rows[[_other(either[place], gates[place]) for place in places]]
        truth[f"{b}.second"] = mixer.out_proj.weight.detach().numpy()
    return truth


def _other(rows: list[int], known: list[int]) -> int:
    (other,) = set(rows) - set(known)
    return other


def _silencing(mixer: torch.nn.Module) -> dict[int, list[int]]:
    """Return the rows of the input projection that silence one channel each when they are closed, by the channel."""
    rows = mixer.in_proj.out_features
    seen: list[torch.Tensor] = []
    hook = mixer.out_proj.register_forward_pre_hook(lambda _, args: seen.append(args[0][0, 0]))
    found: dict[int, list[int]] = {}
    for closed in range(rows):
        states = torch.ones(1, 1, rows)
        states[..., closed] = 0
        with torch.no_grad(), mock.patch.object(mixer.in_proj, "forward", lambda _, states=states: states):
            mixer.eval()(torch.zeros(1, 1, mixer.in_proj.in_features))
        silent = (seen[-1] == 0).nonzero().flatten().tolist()
        if len(silent) == 1:
            found.setdefault(silent[0], []).append(closed)
    hook.remove()
    return found
