"""Measuring while a model trains: the weights in memory, and a real Trainer run."""

import logging
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from neuromfa.checkpoints.series import open_series
from neuromfa.options import AnalysisOptions
from neuromfa.training import NeuroMFACallback, watch
from tests.requirements import missing

TINY = Path(__file__).parents[2] / "data" / "tiny"
PARITY = Path(__file__).parents[2] / "data" / "parity"
needs_torch = pytest.mark.usefixtures("torch_here")


@pytest.fixture(scope="module")
def torch_here():
    if any(find_spec(library) is None for library in ("torch", "transformers", "accelerate")):
        missing("torch", "these tests train and measure real models")


def test_the_module_imports_without_torch_and_says_what_is_missing():
    program = """
import sys
sys.modules.update(torch=None, transformers=None)
from neuromfa.training import NeuroMFACallback
try:
    NeuroMFACallback(report=print)
except ImportError as error:
    assert "needs transformers of the extra torch: " in str(error)
else:
    raise SystemExit("no error")
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@needs_torch
@pytest.mark.filterwarnings("default")
class TestInMemory:
    def test_a_mixture_in_memory_gives_the_numbers_of_its_file(self, tmp_path):
        """Its experts lie in one tensor there, and in one each in the file."""
        from transformers import MixtralConfig, MixtralForCausalLM

        sizes = {
            "hidden_size": 32,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "intermediate_size": 40,
        }
        config = MixtralConfig(**sizes, num_hidden_layers=2, num_local_experts=3, vocab_size=7)
        model = MixtralForCausalLM(config)
        model.save_pretrained(tmp_path)
        (checkpoint,) = open_series(str(tmp_path)).checkpoints
        from neuromfa.checkpoints.sampling.networks import sample_checkpoint, sample_networks
        from neuromfa.training import ModelTensors

        live = ModelTensors(model)
        asked = {"nodes": 8, "seeds": (0, 1, 2), "row_rule": "exact"}
        told = {"series": "m", "step": None, "revision": "r", "architecture": None}
        held = sample_networks(live, live.config, **asked, **told)
        filed = sample_checkpoint(checkpoint, **asked)
        assert held.networks[0].provenance.architecture == "mixture_in_memory"
        for mine, own in zip(held.networks, filed.networks, strict=True):
            for one, other in zip(mine.links, own.links, strict=True):
                np.testing.assert_array_equal(one.weights, other.weights)

    @pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
    def test_a_model_in_memory_gives_the_numbers_of_its_file(self, dtype, tmp_path):
        import torch
        from transformers import GPTNeoXForCausalLM

        model = GPTNeoXForCausalLM.from_pretrained(PARITY / "neox" / "step256").to(getattr(torch, dtype))
        model.save_pretrained(tmp_path)
        live = watch(model, 256, options=AnalysisOptions(samples=3, nulls=False)).result
        (checkpoint,) = open_series(str(tmp_path)).checkpoints
        from neuromfa.analysis import analyze_checkpoint

        filed = analyze_checkpoint(checkpoint, AnalysisOptions(samples=3, nulls=False), None).result
        assert live.alpha0 == filed.alpha0
        assert live.width == filed.width
        # What is skipped may have other names in memory than in the file, as embed_out has.
        assert live.coverage.tensors.used == filed.coverage.tensors.used
        assert live.coverage.nodes == filed.coverage.nodes
        assert live.coverage.edges == filed.coverage.edges
        assert [sample.graph_hash for sample in live.samples] == [
            sample.graph_hash for sample in filed.samples
        ]

    def test_a_plain_loop(self):
        import torch

        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        options = AnalysisOptions(samples=3, nulls=False, nodes=48)
        first = watch(model, 0, options=options)
        assert first.metrics["neuromfa/emergence"] == 0
        for _ in range(30):
            data = torch.randn(32, 64)
            loss = (model(data) - data.roll(1, dims=1)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        later = watch(model, 30, baseline=first.baseline, options=options)
        assert later.result.step == 30
        assert later.metrics["neuromfa/alpha0"] != first.metrics["neuromfa/alpha0"]
        assert later.metrics["neuromfa/emergence"] != 0
        assert later.baseline is first.baseline

    def test_without_a_baseline_emergence_is_left_out(self):
        import torch

        model = torch.nn.Sequential(torch.nn.Linear(64, 64))
        options = AnalysisOptions(samples=1, nulls=False, baseline="none")
        assert set(watch(model, 0, options=options).metrics) == {"neuromfa/alpha0", "neuromfa/width"}

    def test_names_of_wrapped_models(self):
        import torch

        plain = torch.nn.Sequential(torch.nn.Linear(64, 64))
        wrapped = torch.nn.ModuleDict({"module": plain})
        options = AnalysisOptions(samples=1, nulls=False)
        assert watch(wrapped, 0, options=options).result.coverage.tensors.used == ["0.weight"]


def small_trainer(folder, **arguments):
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, Trainer, TrainingArguments

    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = GPTNeoXConfig(
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=256,
        vocab_size=64,
        max_position_embeddings=16,
        bos_token_id=0,
        eos_token_id=0,
    )
    random = np.random.default_rng(0)
    starts = random.integers(0, 64, 512)
    texts = [[(int(start) + k) % 64 for k in range(16)] for start in starts]
    data = [{"input_ids": text, "labels": text} for text in texts]
    settings = {
        "output_dir": str(folder),
        "max_steps": 60,
        "save_steps": 20,
        "logging_steps": 20,
        "per_device_train_batch_size": 8,
        "learning_rate": 3e-3,
        "report_to": [],
        "use_cpu": True,
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        **arguments,
    }
    return Trainer(model=GPTNeoXForCausalLM(config), args=TrainingArguments(**settings), train_dataset=data)


@needs_torch
@pytest.mark.slow
@pytest.mark.filterwarnings("default")
class TestTrainer:
    OPTIONS = AnalysisOptions(samples=3, nulls=False)

    def test_every_saved_checkpoint_of_a_run_is_reported(self, tmp_path):
        from transformers import TrainerCallback

        seen = []

        class Reporter(TrainerCallback):
            def on_log(self, args, state, control, logs=None, **objects):
                seen.append((state.global_step, dict(logs)))

        trainer = small_trainer(tmp_path)
        trainer.add_callback(Reporter())
        trainer.add_callback(NeuroMFACallback(report=trainer.log, options=self.OPTIONS))
        trainer.train()
        reported = {step: logs for step, logs in seen if "neuromfa/alpha0" in logs}
        assert list(reported) == [20, 40, 60]
        assert all(
            set(logs) >= {"neuromfa/alpha0", "neuromfa/width", "neuromfa/emergence", "neuromfa/seconds"}
            for logs in reported.values()
        )
        losses = [logs["loss"] for _, logs in seen if "loss" in logs]
        assert losses[-1] < losses[0]
        history = [entry for entry in trainer.state.log_history if "neuromfa/alpha0" in entry]
        assert [entry["step"] for entry in history] == [20, 40, 60]
        self.same_numbers_as_analyze(tmp_path, reported)

    def same_numbers_as_analyze(self, folder, reported):
        from neuromfa.analysis import analyze

        series = analyze(open_series(str(folder)), AnalysisOptions(samples=3, nulls=False, baseline="none"))
        for checkpoint in series.checkpoints:
            assert checkpoint.alpha0.value == reported[checkpoint.step]["neuromfa/alpha0"]
            assert checkpoint.width.value == reported[checkpoint.step]["neuromfa/width"]

    def test_a_resumed_run_takes_its_earliest_checkpoint_as_baseline(self, tmp_path):
        first = small_trainer(tmp_path, max_steps=40)
        first.train()
        resumed = small_trainer(tmp_path)
        resumed.add_callback(NeuroMFACallback(report=resumed.log, options=self.OPTIONS))
        resumed.train(resume_from_checkpoint=True)
        (last,) = [entry for entry in resumed.state.log_history if "neuromfa/alpha0" in entry]
        base = watch(small_model(tmp_path / "checkpoint-20"), 20, options=self.OPTIONS)
        end = watch(small_model(tmp_path / "checkpoint-60"), 60, baseline=base.baseline, options=self.OPTIONS)
        assert last["neuromfa/emergence"] == end.metrics["neuromfa/emergence"]

    def test_checkpoints_can_be_enqueued_instead(self, tmp_path):
        folders = []
        trainer = small_trainer(tmp_path)
        trainer.add_callback(NeuroMFACallback(enqueue=folders.append))
        trainer.train()
        assert folders == [tmp_path / f"checkpoint-{step}" for step in (20, 40, 60)]
        assert all((folder / "model.safetensors").exists() for folder in folders)

    def test_a_checkpoint_that_cannot_be_measured_does_not_end_the_run(self, tmp_path, caplog):
        trainer = small_trainer(tmp_path, max_steps=20)
        nowhere = NeuroMFACallback(
            report=trainer.log, options=self.OPTIONS, architecture=tmp_path / "nowhere.json"
        )
        trainer.add_callback(nowhere)
        with caplog.at_level(logging.WARNING, logger="neuromfa.training"):
            trainer.train()
        assert trainer.state.global_step == 20
        assert "emergence will be missing" in caplog.text
        assert "checkpoint-20 was not measured" in caplog.text
        assert "nowhere.json" in caplog.text


def small_model(folder):
    from transformers import GPTNeoXForCausalLM

    return GPTNeoXForCausalLM.from_pretrained(folder)


@needs_torch
@pytest.mark.parametrize("arguments", [{}, {"report": print, "enqueue": print}])
def test_the_callback_either_reports_or_enqueues(arguments):
    with pytest.raises(TypeError, match=r"either report=trainer\.log or enqueue="):
        NeuroMFACallback(**arguments)
