"""What this container adds to the documented hyperparameters: one table, the same for every job."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """The trainer's own settings; the figures they reach are printed by `benchmarks/training.py`."""

    small_width: int = 32  # channels of the first stage, for the small depths; at half the image's size it is cheap
    whitening_size: int = 4  # pixels a side of the patches that the computed first layer looks at
    whitening_patches: int = 100_000  # patches of training images its filters are computed from
    whitening_floor: float = 0.01  # added to a variance: rare components are mostly noise
    trained_blocks: int = 16  # of a large depth that a step trains: as many as a ResNet-50 has, at its price
    warm_up: float = 0.2  # part of all steps in which the learning rate rises, when no lr_scheduler_step is given
    label_smoothing: float = 0.1  # part of a label spread over all classes: few images make networks too sure
    averaging: float = 0.99  # weights kept by the running average at each step; the average is validated and exported
    shift: float = 3 / 32  # random crop: how far an image moves, as part of its shorter side
    brightness: float = 0.1  # part: contrast, and lightness in deviations, unless an augmentation_type changes colors
    hue: float = 72.0  # degrees, `crop_color`: 36 steps of 2 degrees
    saturation: float = 50 / 255  # part, `crop_color`
    lightness: float = 50.0  # of 255, `crop_color`
    rotation: float = 10.0  # degrees, `crop_color_transform`
    shear: float = 0.1  # `crop_color_transform`
    aspect: float = 0.25  # `crop_color_transform`


RECIPE = Recipe()
