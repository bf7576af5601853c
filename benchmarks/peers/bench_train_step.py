"""One training step of the published UT-CMVMR code, from a checkout named in VMR_UT_CMVMR.

Its own settings file gives the sizes; the step is its optimize_params on random clips, batch 1024.
"""

from peer import finish, measure

import contextlib
import inspect
import io
import os
import sys
from pathlib import Path

import torch
import yaml

BATCH, CLIPS = 1024, 7


def item():
    classes = torch.stack([torch.randint(count, (BATCH, CLIPS)) for count in (18, 49, 65)], 2)
    return (torch.randn(BATCH, CLIPS, 512), classes, torch.randn(BATCH, CLIPS, 512),
            torch.randint(65, (BATCH, CLIPS)))


def published_model(checkout):
    sys.path.insert(0, str(checkout))
    import model_pretrained
    settings = yaml.safe_load((checkout / "config" / "config_pre_rhythm.yaml").read_text())
    settings |= {"batch_size": BATCH, "add_rhythm": 1, "lr": settings["original_learning_rate"],
                 "distance_type": "COS", "target_dim": 100,
                 "margin": 0.05}  # torch no longer takes a margin of 0
    wanted = inspect.signature(model_pretrained.Model_structure).parameters
    missing = [name for name, value in wanted.items()
               if value.default is value.empty and name not in settings]
    if missing:
        sys.exit(f"{checkout}: its settings lack {', '.join(missing)}")
    return model_pretrained.Model_structure(**{k: v for k, v in settings.items() if k in wanted})


def main(checkout):
    torch.manual_seed(1)
    with contextlib.redirect_stdout(io.StringIO()):
        model = published_model(checkout).train()
    music, rhythm, video, flow = item()
    other_music, other_rhythm, other_video, other_flow = item()
    text, other_text = (torch.nn.functional.normalize(torch.randn(BATCH, 768)) for _ in range(2))

    def step():
        with contextlib.redirect_stdout(io.StringIO()):
            # It adds to its inputs in place.
            model.optimize_params(music.clone(), video.clone(), text, other_music.clone(),
                                  other_video.clone(), other_text, None, None, None, rhythm, flow,
                                  other_rhythm, other_flow, optimize=True)

    for threads in (1, 2):
        torch.set_num_threads(threads)
        measure("ut_cmvmr batch 1024", f"published code, torch {torch.__version__}", "steps/s", 1, step,
                threads)


folder = os.environ.get("VMR_UT_CMVMR")
if folder:
    main(Path(folder))
else:
    print("the published code left out: set VMR_UT_CMVMR to a checkout of it", file=sys.stderr)
finish()
