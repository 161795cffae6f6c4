import inspect

import convolens.errors as errors


def test_every_error_is_in_the_tree_and_in_its_drawing() -> None:
    classes = [
        value
        for _, value in inspect.getmembers(errors, inspect.isclass)
        if value.__module__ == errors.__name__
    ]
    assert len(classes) == 6
    for error in classes:
        assert issubclass(error, errors.ConvolensError)
        assert f" {error.__name__} " in (errors.__doc__ or "")


def test_mistakes_in_values_are_value_errors() -> None:
    for error in (errors.ImageError, errors.DataError, errors.ConfigError, errors.ModelError):
        assert issubclass(error, ValueError)
    assert issubclass(errors.ExtraMissing, ImportError)
