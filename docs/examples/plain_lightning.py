"""Stylization with Lightning's own Trainer: python docs/examples/plain_lightning.py [FOLDER]"""

import sys

import atelier
from lightning import Trainer

folder = sys.argv[1] if len(sys.argv) > 1 else "runs/plain"
module, data = atelier.build(
    "soulstyler", image="skimage:chelsea", object="cat", style="fire", size=96, seed=3
)
scores = atelier.ScoreRun()
callbacks = [atelier.StepProgress(), atelier.WriteRun(folder, keep_every=20), scores]
off = ("logger", "enable_checkpointing", "enable_model_summary", "enable_progress_bar")
trainer = Trainer(max_steps=40, callbacks=callbacks, **dict.fromkeys(off, False))
trainer.fit(module, datamodule=data)
print(folder, scores.scores["background_max_error"])
