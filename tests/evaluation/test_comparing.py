"""Two classifiers on the same pictures: by SciPy, by drawing, and by trying what is promised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from convolens.errors import ConfigError
from convolens.evaluation import compare_paired, mcnemar, pictures_that_tell

counts = st.integers(0, 300)


@given(counts, counts)
def test_mcnemar_is_the_exact_binomial_test(only_one, only_other):
    n = only_one + only_other
    expected = binomtest(only_one, n).pvalue if n else 1.0
    assert mcnemar(only_one, only_other) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(only_other, only_one) == mcnemar(only_one, only_other)


def test_very_small_p_values_are_not_lost():
    assert mcnemar(0, 1000) == 2.0**-999
    assert mcnemar(2000, 3000) == pytest.approx(binomtest(2000, 5000).pvalue, rel=1e-6)


def right_and_wrong(both, only_one, only_other, neither):
    kinds = np.repeat([0, 1, 2, 3], [both, only_one, only_other, neither])
    kinds = np.random.default_rng(0).permutation(kinds)
    return kinds <= 1, (kinds == 0) | (kinds == 2)


def test_the_interval_is_what_drawing_pictures_again_gives():
    one, other = right_and_wrong(400, 60, 30, 10)
    told = compare_paired(one, other)
    assert (told.n, told.only_one, told.only_other) == (500, 60, 30)
    assert told.difference == pytest.approx(one.mean() - other.mean())
    rng = np.random.default_rng(1)
    gaps = []
    for _ in range(5_000):
        chosen = rng.integers(0, 500, 500)
        gaps.append(one[chosen].mean() - other[chosen].mean())
    np.testing.assert_allclose([told.low, told.high], np.quantile(gaps, [0.025, 0.975]), atol=0.003)
    assert told.better == 0
    assert compare_paired(other, one).better == 1
    record = told.to_dict()
    assert record["better"] == 0
    assert record["would_tell"] == told.would_tell < 500


def test_what_cannot_be_told():
    one, other = right_and_wrong(900, 40, 30, 30)
    told = compare_paired(one, other)
    assert told.better is None
    assert told.low < 0 < told.high
    assert told.would_tell == pictures_that_tell(40, 30, 1000) > 1000
    same = compare_paired(one, one)
    assert (same.p_value, same.better, same.would_tell, same.difference) == (1.0, None, None, 0)


def test_so_many_pictures_tell_four_times_in_five():
    n = pictures_that_tell(60, 40, 1000)
    rng = np.random.default_rng(2)
    told = 0
    for _ in range(400):
        only_one, only_other, _ = rng.multinomial(n, [0.06, 0.04, 0.9])
        told += only_one > only_other and mcnemar(int(only_one), int(only_other)) < 0.05
    assert 0.7 < told / 400 < 0.9


@pytest.mark.parametrize(
    ("one", "other", "options", "words"),
    [
        (np.ones(3, bool), np.ones(2, bool), {}, "of the same pictures"),
        (np.ones(0, bool), np.ones(0, bool), {}, "of the same pictures"),
        (np.ones(3, bool), np.ones(3, bool), {"confidence": 0}, "confidence must be between"),
        (np.ones(3, bool), np.ones(3, bool), {"resamples": 3}, "resamples is 3; allowed"),
    ],
)
def test_what_cannot_be_compared(one, other, options, words):
    with pytest.raises(ConfigError, match=words):
        compare_paired(one, other, **options)


def test_counts_are_not_negative():
    with pytest.raises(ConfigError, match="counts must be 0 or more; got -1 and 3"):
        mcnemar(-1, 3)
