"""Rounds over the pictures with the highest losses."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convolens.data import Split, fit_preprocessing
from convolens.recipes import fast
from convolens.training.feeding import Feed
from convolens.training.hardest import UNSEEN, HardestPictures

CPU = torch.device("cpu")


def note(hardest, samples, logits, targets):
    hardest.note(samples, logits, targets, logits.argmax(1) == targets)


def noted(losses, share, *, batch_size=1, wrong=0):
    """Where every picture was seen with a given loss, and some were wrong; in the second round."""
    n = len(losses)
    hardest = HardestPictures(n, share, batch_size=batch_size, device=CPU)
    # Of class 0 against a logit: the loss is log(1 + exp(logit)), which rises with it.
    logits = torch.stack([torch.zeros(n), torch.tensor(losses)], dim=1)
    hardest.note(
        torch.arange(n), logits, torch.zeros(n, dtype=torch.int64), torch.arange(n) >= wrong
    )
    hardest.begin_next(10)
    return hardest


@settings(max_examples=100, deadline=None)
@given(
    losses=st.lists(st.integers(-12, 12).map(float), min_size=1, max_size=25, unique=True),
    share=st.floats(0.05, 0.95),
    batch_size=st.integers(1, 8),
    data=st.data(),
)
def test_a_round_is_over_the_pictures_of_the_highest_losses_in_the_order_given(
    losses, share, batch_size, data
):
    n = len(losses)
    wrong = data.draw(st.integers(0, n))
    order = np.array(data.draw(st.permutations(range(n))))
    hardest = noted(losses, share, batch_size=batch_size, wrong=wrong)
    taken = hardest.of_round(order)
    assert len(taken) == hardest.count
    assert n == len(taken) or len(taken) % batch_size == 0
    assert len(taken) >= min(n, max(share * n, 4 * wrong) - 1e-9)
    assert len(taken) < max(share * n, 4 * wrong) + batch_size + 1
    assert [each for each in order if each in set(taken)] == taken.tolist()
    left_out = set(range(n)) - set(taken.tolist())
    assert not left_out or min(losses[each] for each in taken) > max(losses[e] for e in left_out)


def test_the_losses_are_those_of_the_cross_entropy():
    torch.manual_seed(0)
    logits, targets = torch.randn(5, 3), torch.tensor([0, 1, 2, 1, 0])
    hardest = HardestPictures(9, 0.5, batch_size=2, device=CPU)
    note(hardest, torch.tensor([8, 0, 3, 5, 1]), logits, targets)
    share = np.exp(logits.double().numpy())
    share /= share.sum(axis=1, keepdims=True)
    expected = -np.log(share[np.arange(5), targets.numpy()])
    np.testing.assert_allclose(hardest.losses[[8, 0, 3, 5, 1]], expected, rtol=1e-5)
    assert (hardest.losses[[2, 4, 6, 7]] == UNSEEN).all()
    loss, accuracy = hardest.means()
    assert loss == pytest.approx(expected.mean(), rel=1e-5)
    assert accuracy == (logits.argmax(1) == targets).double().mean()


def test_pictures_never_seen_come_first():
    hardest = HardestPictures(4, 0.5, batch_size=1, device=CPU)
    logits = torch.tensor([[9.0, 0.0], [8.0, 0.0]])
    note(hardest, torch.tensor([0, 2]), logits, torch.tensor([0, 0]))
    hardest.begin_next(4)
    assert hardest.of_round(np.arange(4)).tolist() == [1, 3]


def test_a_picture_that_comes_twice_counts_twice():
    hardest = noted([3.0, 2.0, 1.0, 0.0], 0.5)
    assert hardest.of_round(np.array([2, 0, 1, 0])).tolist() == [0, 0]


def test_a_round_that_has_begun_stays_as_it_is_and_survives_a_checkpoint():
    hardest = noted([4.0, 3.0, 2.0, 1.0], 0.5)
    order = np.array([3, 1, 0, 2])
    assert hardest.of_round(order).tolist() == [1, 0]
    note(hardest, torch.tensor([1, 0]), torch.tensor([[9.0, 0.0]] * 2), torch.tensor([0, 0]))
    state = copy.deepcopy(hardest.state_dict())
    resumed = HardestPictures(4, 0.5, batch_size=1, device=CPU)
    resumed.load_state_dict(state)
    assert torch.equal(resumed.wrong_lately, hardest.wrong_lately)
    for each in (hardest, resumed):
        assert (each.round, each.began) == (1, 10)
        assert each.of_round(order).tolist() == [1, 0]
        each.begin_next(12)
        assert (each.round, each.began) == (2, 12)
        assert each.of_round(order).tolist() == [3, 2]


def answer(hardest, samples, right):
    """See some pictures in batches, all of them right or all wrong."""
    for batch in torch.tensor(samples).split(hardest.batch_size):
        zeros = torch.zeros(len(batch))
        hardest.note(batch, torch.zeros(len(batch), 2), zeros.long(), zeros == (0 if right else 1))


def test_mistakes_of_the_start_do_not_make_the_second_round_longer():
    hardest = HardestPictures(1000, 0.1, batch_size=10, device=CPU)
    answer(hardest, range(400), right=False)
    answer(hardest, range(400, 1000), right=True)
    hardest.begin_next(100)
    # 60 batches that are right after those that are wrong, each a 25th of the running mean.
    assert hardest.wrong_lately.item() == pytest.approx(0.96**60, rel=1e-4)
    least = max(0.1, 4 * 0.96**60) * 1000
    assert least <= hardest.count < least + 10


def test_a_round_of_mistakes_is_not_taken_for_all_pictures():
    hardest = HardestPictures(1000, 0.1, batch_size=10, device=CPU)
    answer(hardest, range(1000), right=True)
    hardest.begin_next(100)
    answer(hardest, range(100), right=False)
    hardest.begin_next(110)
    assert hardest.wrong_lately > 0.3
    assert hardest.count == 400  # four for each of a hundred that are wrong


def test_a_share_of_one_leaves_nothing_out_and_has_no_state():
    split = Split(np.zeros((10, 4, 4, 1), np.uint8), np.arange(10) % 2)
    recipe = fast(hardest_share=1.0, batch_size=4, epochs=3).settled(10)
    feed = Feed(split, fit_preprocessing("scale", split.images), recipe, seed=0, device=CPU)
    for epoch in (2, 0, 1):  # in any order
        seen = [feed.batch(3 * epoch + step).samples for step in range(3)]
        assert sorted(torch.cat(seen).tolist()) == list(range(10))
    assert feed.hardest.state_dict() == {}


def test_rounds_follow_one_another_and_can_be_taken_up_in_their_midst():
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (40, 4, 4, 1), np.uint8), np.arange(40) % 2)
    recipe = fast(hardest_share=0.3, batch_size=8, epochs=3).settled(40)

    def feed_of():
        return Feed(split, fit_preprocessing("scale", split.images), recipe, seed=0, device=CPU)

    def take(feed, steps):
        seen = []
        for step in steps:
            batch = feed.batch(step)
            # Every picture has a loss of its own, and those from 4 on are right.
            height = torch.stack([10.0 + batch.samples, torch.zeros(len(batch.samples))], dim=1)
            zeros = torch.zeros_like(batch.targets)
            feed.hardest.note(batch.samples, height / 20, zeros, batch.samples >= 4)
            seen.append(batch.samples)
        return seen

    feed = feed_of()
    seen = take(feed, range(8))
    assert sorted(torch.cat(seen[:5]).tolist()) == list(range(40))
    # Four of forty are wrong: sixteen, of two batches, and those of the highest loss.
    assert sorted(torch.cat(seen[5:7]).tolist()) == list(range(16))
    assert len(seen[7]) == 8
    resumed = feed_of()
    resumed.hardest.load_state_dict(copy.deepcopy(feed.hardest.state_dict()))
    rest = zip(take(resumed, range(8, 15)), take(feed, range(8, 15)), strict=True)
    assert all(torch.equal(mine, theirs) for mine, theirs in rest)
