"""nanoGPT, which no library holds."""

import torch

from tests.data.make_tiny import HIDDEN


class NanoGPT(torch.nn.Module):
    """The modules of nanoGPT by the names under which it saves them; queries, keys and values follow each other."""

    def __init__(self) -> None:
        super().__init__()
        blocks = torch.nn.ModuleList(_nano_block(HIDDEN) for _ in range(2))
        self.transformer = torch.nn.ModuleDict(
            {"wte": torch.nn.Embedding(7, HIDDEN), "wpe": torch.nn.Embedding(8, HIDDEN), "h": blocks}
        )
        self.transformer["ln_f"] = torch.nn.LayerNorm(HIDDEN)
        self.lm_head = torch.nn.Linear(HIDDEN, 7, bias=False)

    def forward(self, input_ids: torch.Tensor) -> None:
        """Run every module of the blocks."""
        states = self.transformer["wte"](input_ids)
        for block in self.transformer["h"]:
            query, _, _ = block["attn"]["c_attn"](states).split(HIDDEN, dim=2)
            states = block["attn"]["c_proj"](query)
            states = block["mlp"]["c_proj"](block["mlp"]["c_fc"](states))


def _nano_block(width: int) -> torch.nn.ModuleDict:
    linear = torch.nn.Linear
    return torch.nn.ModuleDict(
        {
            "ln_1": torch.nn.LayerNorm(width),
            "attn": torch.nn.ModuleDict({"c_attn": linear(width, 3 * width), "c_proj": linear(width, width)}),
            "ln_2": torch.nn.LayerNorm(width),
            "mlp": torch.nn.ModuleDict(
                {"c_fc": linear(width, 4 * width), "c_proj": linear(4 * width, width)}
            ),
        }
    )
