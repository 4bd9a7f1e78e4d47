"""Embeddings are the formula in NumPy, and do not move from one call to the next."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipelines import errors, label_embeddings, labels


def make(seed, rows=80, classes=6, share=0.3):
    matrix = np.random.default_rng(seed).random((rows, classes)) < share
    return matrix, labels.SparseLabels.from_dense(matrix)


def plain_pmi(matrix):
    n = len(matrix)
    found = np.zeros((matrix.shape[1],) * 2)
    for i in range(len(found)):
        for j in range(len(found)):
            together = (matrix[:, i] & matrix[:, j]).sum() / n
            if together:
                apart = matrix[:, i].mean() * matrix[:, j].mean()
                found[i, j] = np.log(together / apart)
    return found


@given(st.integers(0, 1000), st.floats(0.02, 0.9))
@settings(max_examples=25, deadline=None)
def test_mutual_information_is_the_formula(seed, share):
    matrix, sparse = make(seed, share=share)
    found = label_embeddings.pointwise_mutual_information(sparse).toarray()
    np.testing.assert_allclose(found, plain_pmi(matrix), atol=1e-12)


@given(st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_all_dimensions_have_the_inner_products_of_the_factorisation(seed):
    """U sqrt(S) (U sqrt(S))' = U S U', the positive part of PMI = U S V'."""
    matrix, sparse = make(seed)
    found = label_embeddings.embed(sparse, 6).astype(np.float64)
    values, vectors = np.linalg.eigh(plain_pmi(matrix))
    expected = (vectors * np.abs(values)) @ vectors.T
    np.testing.assert_allclose(found @ found.T, expected, atol=1e-5)


def test_fewer_dimensions_are_the_largest_of_all():
    _, sparse = make(3)
    whole = label_embeddings.embed(sparse, 6)
    np.testing.assert_array_equal(label_embeddings.embed(sparse, 2), whole[:, :2])
    strength = np.linalg.norm(whole, axis=0)
    assert (np.diff(strength) <= 1e-6).all()


def test_many_labels_are_embedded_as_few_are(monkeypatch):
    _, sparse = make(4, rows=400, classes=40, share=0.1)
    exact = label_embeddings.embed(sparse, 5)
    monkeypatch.setattr(label_embeddings, "_DENSE", 10)
    found = label_embeddings.embed(sparse, 5)
    np.testing.assert_allclose(found, exact, atol=1e-4)
    np.testing.assert_array_equal(found, label_embeddings.embed(sparse, 5))


def test_labels_that_stand_together_lie_together():
    rows = [[0, 1]] * 20 + [[2, 3]] * 20 + [[4]] * 20
    found = label_embeddings.embed(labels.SparseLabels.from_lists(rows, 6), 3)
    unit = found[:5] / np.linalg.norm(found[:5], axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.testing.assert_allclose(cosines[0, 1], 1, atol=1e-5)
    np.testing.assert_allclose(cosines[2, 3], 1, atol=1e-5)
    assert np.abs(cosines[0, 2:]).max() < 1e-5
    np.testing.assert_array_equal(found[5], 0)


@pytest.mark.parametrize("dimensions", [0, 7])
def test_more_dimensions_than_labels_are_refused(dimensions):
    with pytest.raises(errors.SettingError, match="1 to 6, the number of labels"):
        label_embeddings.embed(make(0)[1], dimensions)
