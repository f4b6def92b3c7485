"""The 100 fine classes of CIFAR-100: their names, by label, and the labels that a choice of names or numbers means.

List: https://www.cs.toronto.edu/~kriz/cifar.html, in the order of the archive's own `fine_label_names`.
"""

from __future__ import annotations

from collections.abc import Iterable

from include.scones.cifar.errors import ArchiveError

_IN_ORDER = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm
"""
NAMES = tuple(_IN_ORDER.split())


def to_labels(classes: Iterable[str | int]) -> list[int]:
    """The labels of classes given by name or by label, in their order.

    Raises:
        ArchiveError: CIFAR-100 has no class of that name.
    """
    return [_to_label(chosen) for chosen in classes]


def _to_label(chosen: str | int) -> int:
    if isinstance(chosen, int):
        return chosen
    if chosen not in NAMES:
        raise ArchiveError(f"CIFAR-100 has no class {chosen!r}: choose fine classes such as bicycle or motorcycle")
    return NAMES.index(chosen)
