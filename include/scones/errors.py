"""The errors of this package; each message names the value at fault and the fix."""

from __future__ import annotations


class SconesError(Exception):
    """Anything this package refuses to do; `transient` where another try may succeed without anybody's doing."""

    transient: bool = False


class UnfinishedError(SconesError):
    """What was begun goes on by itself: look again later."""

    transient = True


class SettingsError(SconesError):
    """The environment does not say what is needed."""


class BucketError(SconesError):
    """The project's bucket is not the project's to use."""


class StackError(SconesError):
    """A CloudFormation stack could not be brought into the state asked for."""


class PackageError(SconesError):
    """The bucket does not hold the code that was written to it."""


class ExecutionError(SconesError):
    """A state machine execution cannot be started or judged."""


class NoDatasetError(SconesError):
    """There is no such data set, or none at all."""


class NoTestImagesError(SconesError):
    """There are no test images to choose from, or not enough."""


class ImageError(SconesError):
    """A container image cannot be built or pushed."""


class HyperparameterError(SconesError):
    """A training job with these hyperparameters would be refused."""


class AccuracyError(SconesError):
    """A trained model is not good enough to serve."""


class NotKeptError(SconesError):
    """A model that is to be served again is not kept, or it is not known what it was trained on."""


class ServingError(SconesError):
    """An endpoint serves, but not as it should."""
